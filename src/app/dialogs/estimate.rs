//! The dialog on what runs will take: time and memory, from a measurement that another process makes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui;
use egui::{Align, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column, TableBuilder};

use super::dialog::{DialogAction, DialogContents, right_row};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, duration_words, memory_words};
use crate::budget::estimate::{Basis, Estimate, RunEstimate};
use crate::budget::reasons::reasons;
use crate::error::InputError;
use crate::run::Status;
use crate::train::preflight::Preflight;

/// State of the dialog. When it is dropped, nobody wants the answer any more.
#[derive(Debug)]
pub(crate) struct EstimateDialog {
    /// Tells its answer from that of a dialog that was closed.
    pub(crate) number: u64,
    /// Ids of the runs; all that are not done where there is none.
    pub(crate) runs: Vec<String>,
    pub(crate) state: State,
    pub(crate) cancelled: Arc<AtomicBool>,
    /// When the measurement began, in seconds of the window's clock.
    began: Option<f64>,
}

/// How far the estimate is.
#[derive(Debug)]
pub(crate) enum State {
    /// The project has changes that its file has not, and the user is asked whether to save them.
    Unsaved,
    /// They are being saved.
    Saving,
    Pending,
    Ready(Estimate),
    Failed(InputError),
}

impl Drop for EstimateDialog {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }
}

impl EstimateDialog {
    pub(crate) fn new(number: u64, runs: Vec<String>, state: State) -> Self {
        Self { number, runs, state, cancelled: Arc::new(AtomicBool::new(false)), began: None }
    }
}

impl DialogContents for EstimateDialog {
    fn width(&self) -> f32 {
        620.0
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Time and memory");
        match &self.state {
            State::Unsaved => {
                ui.label("Another process measures a few steps of each kind of method, and reads the project's file: the changes of the project are saved first");
            }
            State::Saving => {
                waiting(ui, "Saving the project");
            }
            State::Pending => {
                let now = ui.input(|input| input.time);
                let seconds = now - *self.began.get_or_insert(now);
                waiting(ui, &format!("Measuring a few steps of each kind of method, {}", duration_words(seconds)));
                widgets::remark(
                    ui,
                    "Some seconds for each kind that has no finished run. Nothing is trained or written",
                );
            }
            State::Ready(estimate) => result(ui, estimate),
            State::Failed(error) => {
                ui.colored_label(theme::tokens(ui).error, widgets::sentence(&error.problem));
                if let Some(advice) = &error.advice {
                    ui.label(RichText::new(widgets::sentence(advice)).color(theme::tokens(ui).muted));
                }
            }
        }
        ui.add_space(space::M);
        right_row(ui, |ui| match &self.state {
            State::Unsaved => {
                let save =
                    widgets::primary_button(ui, "Save and estimate").clicked().then_some(DialogAction::SaveAndEstimate);
                save.or(ui.button("Cancel").clicked().then_some(DialogAction::Cancel))
            }
            State::Saving | State::Pending => ui.button("Cancel").clicked().then_some(DialogAction::Cancel),
            State::Ready(_) | State::Failed(_) => {
                widgets::primary_button(ui, "Close").clicked().then_some(DialogAction::Cancel)
            }
        })
    }
}

fn waiting(ui: &mut Ui, words: &str) {
    ui.horizontal(|ui| {
        ui.spinner();
        ui.label(words);
    });
}

/// What the runs of one experiment take together.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    experiment: String,
    runs: usize,
    /// None where no run of it can be estimated.
    seconds: Option<f64>,
    peak_memory_bytes: Option<u64>,
    basis: Basis,
}

/// The runs that are not done, by experiment in the project's order; counting takes moments and is left out.
fn rows(estimate: &Estimate) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let counted = |run: &&RunEstimate| matches!(run.method.as_str(), "popularity" | "co_occurrence");
    for run in estimate.runs.iter().filter(|run| !counted(run)) {
        let place = *places.entry(&run.experiment).or_insert_with(|| {
            rows.push(Row {
                experiment: run.experiment.clone(),
                runs: 0,
                seconds: None,
                peak_memory_bytes: None,
                basis: run.basis,
            });
            rows.len() - 1
        });
        if run.status == Status::Finished {
            continue;
        }
        let row = &mut rows[place];
        row.runs += 1;
        row.basis = run.basis;
        row.seconds = run.seconds.map(|seconds| seconds + row.seconds.unwrap_or(0.0)).or(row.seconds);
        row.peak_memory_bytes = row.peak_memory_bytes.max(run.peak_memory_bytes);
    }
    rows.retain(|row| row.runs > 0);
    rows
}

/// Height of the table at most.
const HEIGHT: f32 = 340.0;

fn result(ui: &mut Ui, estimate: &Estimate) {
    let rows = rows(estimate);
    if rows.is_empty() {
        ui.label("Every run is finished");
        return;
    }
    ui.add_space(space::XS);
    theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(10, 4)).show(ui, |ui| {
        let height = HEIGHT.min(ui.ctx().content_rect().height() - 320.0).max(120.0);
        ScrollArea::horizontal().auto_shrink([false, true]).show(ui, |ui| table(ui, &rows, height));
    });
    ui.add_space(space::S);
    totals(ui, estimate, &rows);
}

fn table(ui: &mut Ui, rows: &[Row], height: f32) {
    let tokens = theme::tokens(ui);
    TableBuilder::new(ui)
        .id_salt("estimate")
        .cell_layout(Layout::left_to_right(Align::Center))
        .min_scrolled_height(0.0)
        .max_scroll_height(height)
        .auto_shrink([false, true])
        .column(Column::remainder().at_least(140.0).clip(true))
        .columns(Column::exact(76.0), 3)
        .column(Column::exact(140.0))
        .header(24.0, |mut header| {
            for title in ["Experiment", "Runs", "Time", "Memory", "Measured by"] {
                header.col(|ui| {
                    ui.label(RichText::new(title).small().color(tokens.muted));
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut table_row| {
                let row = &rows[table_row.index()];
                table_row.col(|ui| {
                    ui.add(egui::Label::new(&row.experiment).truncate()).on_hover_text(&row.experiment);
                });
                table_row.col(|ui| {
                    ui.label(row.runs.to_string());
                });
                table_row.col(|ui| match row.seconds {
                    Some(seconds) => _ = ui.label(duration_words(seconds)),
                    None => _ = ui.weak("–"),
                });
                table_row.col(|ui| match row.peak_memory_bytes {
                    Some(bytes) => _ = ui.label(memory_words(bytes)),
                    None => _ = ui.weak("–"),
                });
                table_row.col(|ui| {
                    let (words, hover) = basis_words(row.basis);
                    ui.weak(words).on_hover_text(hover);
                });
            });
        });
}

fn basis_words(basis: Basis) -> (&'static str, &'static str) {
    match basis {
        Basis::WarmUp => ("a few steps", "A few steps of training and a few test users, measured now"),
        Basis::FinishedRuns => ("finished runs", "The time that finished runs of the same kind took"),
        Basis::None => ("not measured", "It trains no language model: SASRec, two towers and hybrids take minutes"),
    }
}

fn totals(ui: &mut Ui, estimate: &Estimate, rows: &[Row]) {
    let tokens = theme::tokens(ui);
    let runs: usize = rows.iter().map(|row| row.runs).sum();
    let seconds: f64 = rows.iter().filter_map(|row| row.seconds).sum();
    let unmeasured = if rows.iter().any(|row| row.seconds.is_none()) { ", beside what is not measured" } else { "" };
    let text = format!("About {} for {}{unmeasured}", duration_words(seconds), counted(runs, "run"));
    ui.label(RichText::new(text).family(theme::semi_bold()));
    ui.label(format!(
        "One after another on {}. The first run of a seed also makes what the others share",
        estimate.device
    ));
    let needed = memory_words(estimate.peak_memory_bytes);
    match estimate.memory_free_bytes {
        Some(free) if free >= estimate.peak_memory_bytes => {
            ui.colored_label(
                tokens.success,
                format!("✓ It fits the memory: at most {needed} at a time, {} are free", memory_words(free)),
            );
        }
        Some(free) => {
            let words = format!("⚠ It may not fit the memory: {needed} are needed, {} are free", memory_words(free));
            ui.colored_label(tokens.error, words);
        }
        None => _ = ui.label(format!("At most {needed} at a time; this system does not tell how much is free")),
    }
    let room = match estimate.workers {
        0 | 1 => "There is room for one worker at a time: a run makes use of this machine by itself".to_owned(),
        workers => format!(
            "There is room for {workers} workers at once: `peso run --workers {workers}` is faster than the queue of the window"
        ),
    };
    widgets::remark(ui, room);
    let Preflight { warnings, disk_bytes, disk_free_bytes } = &estimate.preflight;
    let free = disk_free_bytes.map(|free| format!(", {} are free", memory_words(free))).unwrap_or_default();
    widgets::remark(ui, format!("About {} on the disk{free}", memory_words(*disk_bytes)));
    for warning in warnings {
        ui.colored_label(tokens.warning, format!("⚠ {warning}"));
    }
    for reason in reasons(&estimate.runs) {
        widgets::remark(ui, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(experiment: &str, method: &str, status: Status, seconds: Option<f64>, memory: Option<u64>) -> RunEstimate {
        RunEstimate {
            run: String::new(),
            experiment: experiment.to_owned(),
            method: method.to_owned(),
            seed: 1,
            status,
            seconds,
            peak_memory_bytes: memory,
            basis: if seconds.is_some() { Basis::WarmUp } else { Basis::None },
            work: None,
        }
    }

    #[test]
    fn runs_that_are_not_done_are_put_together_by_experiment() {
        let runs = vec![
            run("Popularity", "popularity", Status::Queued, None, None),
            run("PESO", "peso", Status::Queued, Some(30.0), Some(7)),
            run("SASRec", "sasrec", Status::Queued, None, None),
            run("PESO", "peso", Status::Stopped, Some(10.0), Some(9)),
            run("Done", "single", Status::Finished, Some(0.0), None),
        ];
        let estimate = Estimate {
            project: String::new(),
            device: "cpu".to_owned(),
            runs,
            seconds: 40.0,
            peak_memory_bytes: 9,
            memory_free_bytes: None,
            workers: 1,
            memory: Vec::new(),
            preflight: Preflight::default(),
        };
        let rows = rows(&estimate);
        let found: Vec<_> = rows.iter().map(|row| (row.experiment.as_str(), row.runs, row.seconds)).collect();
        assert_eq!(found, [("PESO", 2, Some(40.0)), ("SASRec", 1, None)]);
        assert_eq!((rows[0].peak_memory_bytes, rows[1].basis), (Some(9), Basis::None));
    }
}
