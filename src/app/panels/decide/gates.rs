//! The gates as a form. Every edit is one of the project, with its own step of undo, and of today.

use eframe::egui;
use egui::{CollapsingHeader, DragValue, RichText, Ui};

use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::panels::method_card::{Edited, row};
use crate::app::theme;
use crate::app::widgets;
use crate::figures::words::metric_label;
use crate::measure::UserMetric;
use crate::project::Project;
use crate::project::decision::{Amount, Gates, with_gates, without_gates};

/// Edits of the gates are one step of undo while a drag goes on; keys of other forms are below.
const KEY: u64 = 1 << 34;

/// State of the form.
#[derive(Debug, Default)]
pub(super) struct GatesForm {
    /// Whether it is unfolded, where the user has said so.
    open: Option<bool>,
}

impl GatesForm {
    /// Draws it, unfolded at first where `unfolded` says so.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, unfolded: bool) {
        let project = context.session.project();
        let open = self.open.unwrap_or(unfolded);
        widgets::card(ui, |ui| {
            let title = RichText::new("Gates").text_style(theme::section()).family(theme::semi_bold());
            let header = CollapsingHeader::new(title).id_salt("gates").open(Some(open));
            let header = header.show_unindented(ui, |ui| form(ui, context));
            if header.header_response.on_hover_text("What a method must reach, and may cost").clicked() {
                self.open = Some(!open);
            }
            widgets::remark(ui, summary(project));
        });
    }
}

/// Since when the gates hold, and what they are.
fn summary(project: &Project) -> String {
    let gates = project.gates();
    let since = match (&project.decision, &gates.set_on) {
        (None, _) => "Not set: the usual ones hold. Change one to set them with today's date".to_owned(),
        (Some(_), Some(day)) => format!("Set on {day} (UTC)"),
        (Some(_), None) => "Set on a day that the project does not say".to_owned(),
    };
    let amount = |amount: Amount| match amount {
        Amount::Relative(share) => format!("{} %", round(100.0 * share)),
        Amount::Absolute(value) => format!("{value}"),
    };
    let mut parts = vec![format!("gain in {} above {}", metric_label(&gates.metric), amount(gates.least_gain))];
    parts.extend(gates.slice_loss.map(|loss| format!("no slice loses more than {}", amount(loss))));
    parts.extend(gates.negative_flips.map(|flips| format!("at most {} % negative flips", round(100.0 * flips))));
    parts.extend(gates.training_time.map(|time| format!("at most {time} times the training time")));
    parts.extend(gates.memory.map(|memory| format!("at most {memory} times the memory")));
    format!("{since}. {}", widgets::sentence(&parts.join(", ")))
}

fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn form(ui: &mut Ui, context: &mut Context<'_>) {
    let project = context.session.project();
    let mut gates = project.gates();
    let usual = project.usual_gates();
    let mut edited = Edited::default();
    let help = "By which gain and slices are measured; negative flips are of Hit at the same cut-off";
    row(ui, "Metric", help, gates.metric != usual.metric, |ui, label| {
        metric(ui, project, &mut gates, label, &mut edited);
    });
    let help = "The gain over the baseline must be larger, for certain";
    row(ui, "Least gain", help, gates.least_gain != usual.least_gain, |ui, label| {
        amount(ui, &mut gates.least_gain, label, &mut edited);
    });
    let help =
        "No kind of user or target may lose more, for certain; a share is of the baseline's value over all tests";
    row(ui, "Loss of a slice", help, gates.slice_loss != usual.slice_loss, |ui, label| {
        ui.horizontal(|ui| {
            let first = usual.slice_loss.unwrap_or(Amount::Relative(0.1));
            if let Some(loss) = optional(ui, "slices", &mut gates.slice_loss, first, &mut edited) {
                amount(ui, loss, label, &mut edited);
            }
        });
    });
    let help = "Tests that the baseline gets right and the method does not, as a share of all (negative flip rate)";
    row(ui, "Negative flips", help, gates.negative_flips != usual.negative_flips, |ui, label| {
        ui.horizontal(|ui| {
            if let Some(flips) = optional(ui, "negative flips", &mut gates.negative_flips, 0.05, &mut edited) {
                percent(ui, flips, label, &mut edited);
            }
        });
    });
    let costs = [("Training time", "training time", &mut gates.training_time), ("Memory", "memory", &mut gates.memory)];
    for (title, name, cost) in costs {
        let help = "At most so many times the baseline's";
        row(ui, title, help, cost.is_some(), |ui, label| {
            ui.horizontal(|ui| {
                if let Some(times) = optional(ui, name, cost, 2.0, &mut edited) {
                    let drag = DragValue::new(times).range(0.01..=1000.0).speed(0.02).suffix(" x");
                    edited.note(&ui.add(drag).labelled_by(label));
                }
            });
        });
    }
    if edited.changed {
        let today = i64::try_from(context.now_unix).unwrap_or(i64::MAX / 1000) * 1000;
        let project = Box::new(with_gates(project, gates, today));
        context.actions.push(Action::Edit { project, key: Some(KEY) });
    }
    if edited.done {
        context.actions.push(Action::EditDone);
    }
    let own = context.session.project().decision.is_some();
    ui.horizontal(|ui| {
        if !own && ui.button("Set these gates").on_hover_text("Write them into the project with today's date").clicked()
        {
            let today = i64::try_from(context.now_unix).unwrap_or(i64::MAX / 1000) * 1000;
            let project = context.session.project();
            let project = Box::new(with_gates(project, project.gates(), today));
            context.actions.push(Action::Edit { project, key: None });
        }
        if own && ui.button("Remove the gates").on_hover_text("The usual ones hold then").clicked() {
            let project = Box::new(without_gates(context.session.project()));
            context.actions.push(Action::Edit { project, key: None });
        }
    });
}

/// The metrics of single users that the project measures.
fn metric(ui: &mut Ui, project: &Project, gates: &mut Gates, label: egui::Id, edited: &mut Edited) {
    let cut_offs = project.evaluation.k.iter().copied().filter(|&k| k <= project.evaluation.beams);
    let metrics = cut_offs.flat_map(|k| [UserMetric::ndcg(k), UserMetric::hit(k)]);
    let combo = egui::ComboBox::from_id_salt("gate metric").selected_text(metric_label(&gates.metric)).width(190.0);
    let before = gates.metric.clone();
    let shown = combo.show_ui(ui, |ui| {
        for metric in metrics {
            let name = metric.to_string();
            let words = metric_label(&name);
            ui.selectable_value(&mut gates.metric, name, words);
        }
    });
    shown.response.labelled_by(label);
    let changed = gates.metric != before;
    *edited = Edited { changed: edited.changed | changed, done: edited.done | changed };
}

/// The value of a gate that can be off, with the switch for it.
fn optional<'v, T: Copy>(
    ui: &mut Ui,
    name: &str,
    value: &'v mut Option<T>,
    first: T,
    edited: &mut Edited,
) -> Option<&'v mut T> {
    let mut on = value.is_some();
    let switch = ui.checkbox(&mut on, "");
    widgets::named(ui, &switch, &format!("Gate of {name}"));
    edited.note_click(&switch);
    if switch.changed() {
        *value = on.then_some(first);
    }
    if value.is_none() {
        widgets::remark(ui, "Does not count");
    }
    value.as_mut()
}

fn amount(ui: &mut Ui, amount: &mut Amount, label: egui::Id, edited: &mut Edited) {
    ui.horizontal(|ui| {
        match amount {
            Amount::Relative(share) => percent(ui, share, label, edited),
            Amount::Absolute(value) => {
                let drag = DragValue::new(value).range(0.0..=1.0).speed(0.0005).max_decimals(4);
                edited.note(&ui.add(drag).labelled_by(label));
            }
        }
        let number = amount.number();
        for (option, words) in
            [(Amount::Relative(number), "of the baseline"), (Amount::Absolute(number), "of the metric")]
        {
            let on = std::mem::discriminant(&option) == std::mem::discriminant(amount);
            if ui.selectable_label(on, words).clicked() && !on {
                *amount = option;
                *edited = Edited { changed: true, done: true };
            }
        }
    });
}

fn percent(ui: &mut Ui, share: &mut f64, label: egui::Id, edited: &mut Edited) {
    let mut shown = round(100.0 * *share);
    let drag = ui.add(DragValue::new(&mut shown).range(0.0..=100.0).speed(0.1).max_decimals(2).suffix(" %"));
    let drag = drag.labelled_by(label);
    if drag.changed() {
        *share = round(shown) / 100.0;
    }
    edited.note(&drag);
}
