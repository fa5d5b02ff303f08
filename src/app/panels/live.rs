//! What the selected runs are doing: curves, progress, validation and the last words of their logs.

use std::sync::Arc;

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, ProgressBar, RichText, ScrollArea, Ui, Vec2};

use super::view::{Home, ViewSpec};
use super::{Context, Panel};
use crate::app::action::Action;
use crate::app::session::RowState;
use crate::app::theme::{self, space};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::FigureOptions;
use crate::project::board::PinnedFigure;
use crate::run::Status;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Live",
    title: "Live",
    command: "Show live curves",
    tooltip: "Loss, penalty and pull of the selected runs while they train",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num3)),
    home: Home::Charts,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct LivePanel {
    /// Name of the figure that is shown; the first until the user chooses.
    figure: Option<&'static str>,
}

/// Width from which the runs' state stands beside the curves instead of below.
const WIDE: f32 = 760.0;
const SIDE: f32 = 270.0;

impl Panel for LivePanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let runs = context.session.curves_of_interest();
        if runs.is_empty() && context.session.reading.is_some() {
            widgets::empty_state(ui, "The runs are being read", "Curves appear here as soon as they are");
            return;
        }
        if runs.is_empty() {
            let advice = "Press Run all, or select rows in the runs table and press Run selected. Curves appear here while they train";
            widgets::empty_state(ui, "No run has started yet", advice);
            return;
        }
        let left_out = context.session.curves_left_out();
        if left_out > 0 {
            let words = format!("The first {} of {} selected runs", runs.len(), runs.len() + left_out);
            widgets::remark(ui, words);
        }
        let wide = ui.available_width() >= WIDE;
        if wide {
            let size = ui.available_size();
            ui.horizontal_top(|ui| {
                let width = size.x - SIDE - space::M;
                ui.allocate_ui(Vec2::new(width, size.y), |ui| {
                    ui.set_width(width);
                    ui.vertical(|ui| self.curves(ui, context));
                });
                ui.vertical(|ui| {
                    ScrollArea::vertical().id_salt("state of runs").auto_shrink(false).show(ui, |ui| {
                        runs.iter().for_each(|run| run_card(ui, run));
                    });
                });
            });
        } else {
            let height = (ui.available_height() - 120.0).max(180.0);
            ui.allocate_ui(Vec2::new(ui.available_width(), height), |ui| self.curves(ui, context));
            ScrollArea::vertical().id_salt("state of runs").auto_shrink(false).show(ui, |ui| {
                runs.iter().for_each(|run| run_card(ui, run));
            });
        }
    }
}

impl LivePanel {
    fn curves(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let Some(charts) = &context.session.live else {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Reading the curves");
            });
            return;
        };
        let chosen = charts.iter().find(|(figure, _)| Some(figure.name) == self.figure).or(charts.first());
        let Some((shown, chart)) = chosen.map(|(figure, chart)| (figure.name, Arc::clone(chart))) else { return };
        let runs = context.session.curves_of_interest().iter().map(|run| run.id.clone()).collect();
        ui.horizontal_wrapped(|ui| {
            for (figure, _) in charts {
                let tab = ui.selectable_label(figure.name == shown, figure.label).on_hover_text(figure.tooltip);
                if tab.clicked() {
                    self.figure = Some(figure.name);
                }
            }
            follow(ui, context);
            let options = FigureOptions { runs, ..FigureOptions::default() };
            super::chart_actions(ui, context, &chart, PinnedFigure::new(shown, options, Protocol::default()));
        });
        super::chart_card(ui, &chart, "live chart");
        context.charts.push(chart);
    }
}

/// Whether the curves go on to whatever trains next, or stay with the runs that are shown.
fn follow(ui: &mut Ui, context: &mut Context<'_>) {
    let follows = context.session.selected.is_empty();
    let help = if follows {
        "Shows what trains now. Press to stay with these runs, which are then selected"
    } else {
        "Shows the selected runs. Press to show what trains now"
    };
    ui.separator();
    if ui.selectable_label(follows, "Follow").on_hover_text(help).clicked() {
        let shown = context.session.curves_of_interest().iter().map(|run| run.id.clone()).collect();
        context.actions.push(if follows { Action::SelectThese(shown) } else { Action::SelectNone });
    }
}

/// What one run is doing.
fn run_card(ui: &mut Ui, run: &RunView) {
    let tokens = theme::tokens(ui);
    widgets::card(ui, |ui| {
        let look = widgets::status_look(RowState::Run(run.status), tokens);
        ui.add(egui::Label::new(RichText::new(&run.config.experiment).family(theme::semi_bold())).truncate());
        ui.horizontal(|ui| {
            ui.colored_label(look.colour, format!("{} {}", look.icon, look.word));
            if run.config.method.is_learned() {
                widgets::remark(ui, format!("seed {}", run.config.seed));
            }
        });
        if let Some(progress) = run.progress.as_ref().filter(|_| run.is_active()) {
            let share = if progress.total == 0 { 0.0 } else { progress.done as f32 / progress.total as f32 };
            ui.label(widgets::phase_words(progress));
            ui.add(ProgressBar::new(share).desired_height(6.0).fill(tokens.accent));
            let running = run.status == Status::Running;
            let eta = progress.eta_seconds.filter(|_| running);
            let eta = eta.map(|seconds| format!("{} left", widgets::duration_words(seconds)));
            let parts = [
                eta,
                (running && progress.rate > 0.0).then(|| widgets::pace_words(progress)),
                (progress.memory_bytes > 0).then(|| widgets::memory_words(progress.memory_bytes)),
            ];
            widgets::remark(ui, parts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
        }
        if let Some(reason) = &run.reason {
            ui.label(RichText::new(widgets::sentence(reason)).small().color(look.colour));
        }
        validation(ui, run);
        last_events(ui, run);
    });
    ui.add_space(space::XS);
}

/// Validation losses of each stage, the kept epoch marked.
fn validation(ui: &mut Ui, run: &RunView) {
    let stages: Vec<_> = run.stages.iter().filter(|stage| !stage.validation_losses.is_empty()).collect();
    if stages.is_empty() {
        return;
    }
    let kept_mark = theme::tokens(ui).success;
    ui.add_space(space::XS);
    widgets::remark(ui, "Validation loss by epoch, ✓ kept");
    egui::Grid::new(("validation", &run.id)).num_columns(2).spacing([space::S, 2.0]).show(ui, |ui| {
        for stage in stages {
            ui.label(RichText::new(format!("Stage {}", stage.stage)).small());
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                for (index, loss) in stage.validation_losses.iter().enumerate() {
                    let kept = index + 1 == stage.best_epoch;
                    let text = RichText::new(if kept { format!("{loss:.3} ✓") } else { format!("{loss:.3}") }).small();
                    ui.label(if kept { text.color(kept_mark) } else { text });
                }
            });
            ui.end_row();
        }
    });
}

fn last_events(ui: &mut Ui, run: &RunView) {
    let last: Vec<_> = run.events.iter().rev().take(3).collect();
    if last.is_empty() {
        return;
    }
    ui.add_space(space::XS);
    for event in last.into_iter().rev() {
        widgets::remark(ui, widgets::sentence(&event.text));
    }
}
