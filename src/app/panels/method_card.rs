//! The options of a method as a form: a field an option, made from the method's own description of it.

use eframe::egui;
use egui::{Checkbox, ComboBox, DragValue, Ui};

use crate::app::theme;
use crate::method::card::{Choice, FieldOf, Kind, Setting};
use crate::method::{GradientSurgery, MethodOptions};

/// What an edit of the options came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edited {
    pub(crate) changed: bool,
    /// A drag or the typing of a number has ended.
    pub(crate) done: bool,
}

impl Edited {
    fn note(&mut self, response: &egui::Response) {
        self.changed |= response.changed();
        self.done |= response.drag_stopped() || response.lost_focus();
    }
}

/// Whether there is anything to set.
pub(crate) fn has_options(method: &MethodOptions) -> bool {
    !method.fields().is_empty()
}

/// The options as fields, in a grid of two columns.
pub(crate) fn options(ui: &mut Ui, method: &mut MethodOptions) -> Edited {
    let mut edited = Edited::default();
    if let MethodOptions::GradientSurgery(surgery) = method {
        inner_method(ui, surgery, &mut edited);
    }
    for field in method.fields() {
        if let Some(setting) = field_row(ui, &field, &mut edited) {
            // What the form offers is what the option takes; a value that it does not take is not set.
            let _ = method.set(&field.path, &setting);
        }
    }
    edited
}

/// One option: its label and the field of its kind. The new value where the user gave one.
fn field_row(ui: &mut Ui, field: &FieldOf, edited: &mut Edited) -> Option<Setting> {
    let muted = theme::tokens(ui).muted;
    let label = ui.label(egui::RichText::new(field.field.label).color(muted)).on_hover_text(field.field.help);
    let mut before = Edited::default();
    let setting = ui.horizontal(|ui| control(ui, field, label.id, &mut before)).inner;
    ui.end_row();
    edited.changed |= before.changed;
    edited.done |= before.done;
    setting.filter(|_| before.changed)
}

fn control(ui: &mut Ui, field: &FieldOf, label: egui::Id, edited: &mut Edited) -> Option<Setting> {
    match (field.field.kind, &field.setting) {
        (Kind::Number { least, most }, Setting::Number(number)) => {
            let mut value = *number;
            let speed = (value.abs() * 0.01).max(0.001);
            let drag = DragValue::new(&mut value).range(least..=most).speed(speed).max_decimals(6);
            edited.note(&ui.add(drag).labelled_by(label));
            Some(Setting::Number(value))
        }
        (Kind::Whole { least, most }, Setting::Number(number)) => {
            let mut value = *number as u64;
            let speed = (value as f64 * 0.01).max(0.1);
            edited.note(&ui.add(DragValue::new(&mut value).range(least..=most).speed(speed)).labelled_by(label));
            Some(Setting::Number(value as f64))
        }
        (Kind::Switch, Setting::Switch(on)) => {
            let mut value = *on;
            edited.note(&ui.add(Checkbox::without_text(&mut value)).labelled_by(label));
            Some(Setting::Switch(value))
        }
        (Kind::Choice(choices), Setting::Choice(key)) => choice(ui, field, choices, key, label, edited),
        _ => None,
    }
}

fn choice(
    ui: &mut Ui,
    field: &FieldOf,
    choices: &[Choice],
    key: &str,
    label: egui::Id,
    edited: &mut Edited,
) -> Option<Setting> {
    let mut chosen = key;
    let now = choices.iter().find(|choice| choice.key == key).map_or(key, |choice| choice.label);
    let combo = ComboBox::from_id_salt(&field.path).selected_text(now).width(130.0).show_ui(ui, |ui| {
        for choice in choices {
            let response = ui.selectable_value(&mut chosen, choice.key, choice.label).on_hover_text(choice.help);
            edited.note(&response);
        }
    });
    combo.response.labelled_by(label);
    Some(Setting::Choice(chosen.to_owned()))
}

/// Which method it is that starts ahead.
fn inner_method(ui: &mut Ui, surgery: &mut GradientSurgery, edited: &mut Edited) {
    let label = ui.label(egui::RichText::new("Method").color(theme::tokens(ui).muted));
    let now = surgery.method.card();
    let combo = ComboBox::from_id_salt("inner method").selected_text(now.name).width(130.0).show_ui(ui, |ui| {
        let others = MethodOptions::all().into_iter().filter(|m| !matches!(m, MethodOptions::GradientSurgery(_)));
        for method in others {
            let card = method.card();
            let response = ui.selectable_label(card.key == now.key, card.name).on_hover_text(card.sentence);
            if response.clicked() && card.key != now.key {
                *surgery.method = method;
                edited.changed = true;
            }
        }
    });
    combo.response.labelled_by(label.id);
    ui.end_row();
}
