//! What is done with interactions before they are cut into stages, and what each step leaves.

use eframe::egui;
use egui::{Checkbox, DragValue, Grid, ProgressBar, RichText, Ui};

use super::super::super::Context;
use super::super::super::method_card::{Edited, row};
use super::{key, protocols_words};
use crate::app::action::Action;
use crate::app::queries::data_report::DataReport;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::data::prepare::{PrepareReport, StepCount};
use crate::project::Protocols;
use crate::project::edits::data::with_preparation;

/// The last counts, which stay until those of an edit are there.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    last: Option<PrepareReport>,
}

/// Width of the form, and of the panel from which the counts stand beside it.
const FORM: f32 = 330.0;
const BESIDE: f32 = 760.0;

impl Preparation {
    /// Draws form and counts.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, report: Option<&DataReport>) {
        let counts = report.and_then(|report| report.import.as_ref()).map(|(_, prepared)| prepared);
        if let Some(counts) = counts {
            self.last = Some(counts.clone());
        }
        let has_form = context.session.project().dataset.prepare().is_some();
        if !has_form {
            self.last = None;
        }
        let shown = self.last.as_ref();
        let current = counts.is_some();
        if ui.available_width() >= BESIDE {
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(FORM);
                    form(ui, context);
                });
                if let Some(shown) = shown {
                    ui.vertical(|ui| funnel(ui, shown, current));
                }
            });
        } else {
            form(ui, context);
            if let Some(shown) = shown {
                funnel(ui, shown, current);
            }
        }
    }
}

fn form(ui: &mut Ui, context: &mut Context<'_>) {
    let project = context.session.project();
    let mut edited = Edited::default();
    let (mut new, mut evaluation) = (project.dataset.prepare().cloned(), project.evaluation.clone());
    if let Some(prepare) = &mut new {
        let help = "Only a user's first interaction with an item counts";
        row(ui, "First of each", help, !prepare.deduplicate, |ui, label| {
            edited.note_click(&ui.add(Checkbox::without_text(&mut prepare.deduplicate)).labelled_by(label));
        });
        let help = "Interactions of a lower rating are left out";
        row(ui, "Lowest rating", help, prepare.least_rating.is_some(), |ui, label| {
            let mut on = prepare.least_rating.is_some();
            let check = ui.add(Checkbox::without_text(&mut on)).labelled_by(label);
            if check.changed() {
                prepare.least_rating = on.then_some(USUAL_RATING);
            }
            edited.note_click(&check);
            if let Some(min) = &mut prepare.least_rating {
                let drag = ui.add(DragValue::new(min).speed(0.05).max_decimals(3));
                widgets::named(ui, &drag, "Lowest rating that is kept");
                edited.note(&drag);
            }
        });
        let help =
            "Interactions that every user and every item has at least, found by repeated removal. 1 leaves nothing out";
        row(ui, "k-core", help, prepare.core != 5, |ui, label| {
            let drag = DragValue::new(&mut prepare.core).range(1..=1000).speed(0.05);
            edited.note(&ui.add(drag).labelled_by(label));
        });
    }
    let help = "Same block: each user's last interaction of a stage is tested with the model after it. Next block: the model is asked what users do in the stage that follows, as when it is deployed";
    row(ui, "Tests", help, false, |ui, label| {
        let (protocols, now) = (&mut evaluation.protocol, protocols_words(project.evaluation.protocol));
        let combo = egui::ComboBox::from_id_salt("tests").selected_text(now).show_ui(ui, |ui| {
            for choice in [Protocols::SameBlock, Protocols::NextBlock, Protocols::Both] {
                edited.note_click(&ui.selectable_value(protocols, choice, protocols_words(choice)));
            }
        });
        combo.response.labelled_by(label);
    });
    let help = "Every stage is tested a second time with lists of the items that are known by then, beside lists of the whole catalogue, later items too. What is trained stays and is only measured";
    row(ui, "Known items", help, evaluation.known_items, |ui, label| {
        edited.note_click(&ui.add(Checkbox::without_text(&mut evaluation.known_items)).labelled_by(label));
    });
    let new = with_preparation(project, new, evaluation);
    if edited.changed && new != *project {
        context.actions.push(Action::Edit { project: Box::new(new), key: Some(key::PREPARATION) });
    }
    if edited.done {
        context.actions.push(Action::EditDone);
    }
}

/// The lowest rating that is offered first.
const USUAL_RATING: f64 = 4.0;

/// What each step left, with a bar for the interactions.
fn funnel(ui: &mut Ui, report: &PrepareReport, current: bool) {
    let tokens = theme::tokens(ui);
    let max = report.steps.first().map_or(1, |step| step.interactions.max(1)) as f32;
    theme::panel_frame(ui).show(ui, |ui| {
        if !current {
            ui.set_opacity(0.5);
        }
        Grid::new("preparation").num_columns(6).spacing([space::L, space::XS]).show(ui, |ui| {
            for heading in ["Step", "", "Interactions", "Left out", "Users", "Items"] {
                ui.label(RichText::new(heading).small().color(tokens.muted));
            }
            ui.end_row();
            let mut before: Option<u64> = None;
            for step in &report.steps {
                ui.label(step_words(step));
                let share = step.interactions as f32 / max;
                let bar = ui.add(ProgressBar::new(share).fill(tokens.accent).desired_width(90.0).desired_height(8.0));
                widgets::named(ui, &bar, &format!("{:.0} % of what was read", 100.0 * share));
                ui.label(grouped(step.interactions));
                match before.map(|before| before.saturating_sub(step.interactions)) {
                    Some(0) | None => _ = ui.weak("–"),
                    Some(lost) => _ = ui.label(grouped(lost)),
                }
                ui.label(grouped(step.users));
                ui.label(grouped(step.items));
                ui.end_row();
                before = Some(step.interactions);
            }
        });
        let stages = counted(report.stages.len(), "stage");
        let rounds = match report.core_rounds {
            0 => "There is no core to find".to_owned(),
            rounds => format!("The core took {}", counted(rounds, "round")),
        };
        widgets::remark(ui, format!("{rounds}. What is left is cut into {stages}"));
    });
}

fn step_words(step: &StepCount) -> &str {
    match step.step.as_str() {
        "read" => "Read",
        "deduplicated" => "First of each",
        "rated" => "Rated",
        "rating" => "Lowest rating",
        "core" => "k-core",
        other => other,
    }
}
