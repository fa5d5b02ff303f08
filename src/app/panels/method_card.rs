//! The options of a method as a form: a field an option, made from the method's own description of it.

use std::ops::RangeInclusive;

use eframe::egui;
use egui::{Button, Checkbox, ComboBox, DragValue, RichText, TextEdit, Ui};

use super::spotlight;
use crate::app::session::Session;
use crate::app::theme::{self, space};
use crate::method::{Card, MethodOptions};
use crate::project::edits::change::Place;
use crate::schema::{Choice, Field, FieldSetting, Kind, Setting};

/// What an edit of the options came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edited {
    pub(crate) changed: bool,
    /// A drag or the typing of a number has ended.
    pub(crate) done: bool,
}

impl Edited {
    pub(super) fn note(&mut self, response: &egui::Response) {
        self.changed |= response.changed();
        self.done |= response.drag_stopped() || response.lost_focus();
    }

    /// Notes what is changed by one click.
    pub(super) fn note_click(&mut self, response: &egui::Response) {
        self.changed |= response.changed();
        self.done |= response.changed();
    }
}

/// The options of one method with their defaults. It is made once, not in every frame.
#[derive(Debug)]
pub(crate) struct Form {
    method: MethodOptions,
    options: Vec<OptionOf>,
}

/// An option, its value, and the value that it has where nobody changed it.
#[derive(Debug)]
struct OptionOf {
    field: FieldSetting,
    default: Setting,
}

impl OptionOf {
    fn is_changed(&self) -> bool {
        self.field.setting != self.default
    }

    /// What a number is at first where a choice stood in its place.
    fn default_number(&self) -> Setting {
        match &self.default {
            number @ Setting::Number(_) => number.clone(),
            _ => Setting::Number(1.0),
        }
    }
}

impl Form {
    pub(crate) fn of(method: &MethodOptions) -> Self {
        let option = |field: FieldSetting| {
            let default = default_of(method, &field.path).unwrap_or_else(|| field.setting.clone());
            OptionOf { field, default }
        };
        Self { method: method.clone(), options: method.fields().into_iter().map(option).collect() }
    }

    /// The method that the form is of.
    pub(crate) fn method(&self) -> &MethodOptions {
        &self.method
    }

    /// Whether there is anything to set.
    pub(crate) fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Number of options that are not at their defaults.
    pub(crate) fn changed(&self) -> usize {
        self.options.iter().filter(|option| option.is_changed()).count()
    }

    /// Draws the options of an experiment; `method` takes what the user sets.
    pub(super) fn ui(&self, ui: &mut Ui, session: &Session, experiment: &str, method: &mut MethodOptions) -> Edited {
        let mut edited = Edited::default();
        if let Some(inner) = method.method().inner().map(MethodOptions::card) {
            row(ui, "Method", "The method that starts ahead", false, |ui, label| {
                inner_method(ui, method, inner, label, &mut edited);
            });
        }
        for option in &self.options {
            let place = Place::MethodOption { experiment: experiment.to_owned(), option: option.field.path.clone() };
            let set = spotlight::at(ui, session, &place, |ui| option_row(ui, option, &mut edited));
            if let Some(setting) = set {
                // What the form offers is what the option takes; a value that it does not take is not set.
                let _ = method.set(&option.field.path, &setting);
            }
        }
        edited
    }
}

/// The value that the option at `path` has where nobody changed it, given what is chosen above it.
fn default_of(method: &MethodOptions, path: &str) -> Option<Setting> {
    let mut usual = as_by_default(method);
    for above in method.fields().iter().filter(|field| path.starts_with(&format!("{}.", field.path))) {
        let same = usual.fields().iter().any(|field| field.path == above.path && field.setting == above.setting);
        if !same {
            usual.set(&above.path, &above.setting).ok()?;
        }
    }
    usual.fields().into_iter().find(|field| field.path == path).map(|field| field.setting)
}

/// The same method, and the same one inside it, with default options.
fn as_by_default(method: &MethodOptions) -> MethodOptions {
    let same = |other: &MethodOptions| other.card().key == method.card().key;
    let usual = MethodOptions::all().into_iter().find(same).unwrap_or_else(|| method.clone());
    let inner = method.method().inner().map(as_by_default);
    inner.and_then(|inner| usual.method().with_inner(inner)).unwrap_or(usual)
}

/// Width of the label's column at most, and the width of the form below which labels stand above their controls.
const LABEL: f32 = 150.0;
const NARROW: f32 = 240.0;

/// A label with its control: beside it, or below it where room is short.
pub(super) fn row<R>(
    ui: &mut Ui,
    label: &str,
    help: &str,
    changed: bool,
    control: impl FnOnce(&mut Ui, egui::Id) -> R,
) -> R {
    let tokens = theme::tokens(ui);
    let text = RichText::new(label);
    let text = if changed { text.family(theme::semi_bold()).color(tokens.text) } else { text.color(tokens.muted) };
    if ui.available_width() < NARROW {
        let label = ui.label(text).on_hover_text(help);
        return ui.horizontal(|ui| control(ui, label.id)).inner;
    }
    let width = LABEL.min(0.47 * ui.available_width());
    ui.horizontal(|ui| {
        let height = ui.spacing().interact_size.y;
        let label = ui
            .allocate_ui_with_layout(
                egui::Vec2::new(width, height),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_width(width);
                    ui.add(egui::Label::new(text).truncate())
                },
            )
            .inner
            .on_hover_text(help);
        ui.add_space(space::XS);
        control(ui, label.id)
    })
    .inner
}

/// One option: its label, the field of its kind, and the way back to its default. The new value where the user gave one.
fn option_row(ui: &mut Ui, option: &OptionOf, edited: &mut Edited) -> Option<Setting> {
    let field = &option.field;
    let mut before = Edited::default();
    let setting = row(ui, field.field.label, &help(option), option.is_changed(), |ui, label| {
        let set = control(ui, option, label, &mut before);
        if option.is_changed() && reset_button(ui, option).clicked() {
            before = Edited { changed: true, done: true };
            return Some(option.default.clone());
        }
        set
    });
    edited.changed |= before.changed;
    edited.done |= before.done;
    setting.filter(|_| before.changed)
}

/// A row of a field that is no method's: its value now and where nobody changed it. The new value where the user gave one.
pub(super) fn value_row(
    ui: &mut Ui,
    field: &'static Field,
    now: Setting,
    default: Setting,
    edited: &mut Edited,
) -> Option<Setting> {
    let option = OptionOf { field: FieldSetting { path: field.path.to_owned(), field, setting: now }, default };
    // What the row says was edited is this field's alone.
    let mut own = Edited::default();
    let value = option_row(ui, &option, &mut own);
    edited.changed |= own.changed;
    edited.done |= own.done;
    value
}

fn reset_button(ui: &mut Ui, option: &OptionOf) -> egui::Response {
    let response = ui.add(Button::new(RichText::new("↺").small()).frame(false));
    let name = format!("Reset {}", option.field.field.label);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    response.on_hover_text(format!("Back to the default: {}", words(option.field.field.kind, &option.default)))
}

/// What the option does, what it may be, and its default.
fn help(option: &OptionOf) -> String {
    let field = option.field.field;
    let range = match field.kind {
        Kind::Number { min, max } => format!("From {min} to {max}"),
        Kind::Whole { min, max } => format!("A whole number from {min} to {max}"),
        Kind::NumberOr { min, max, choices } => {
            let rules: Vec<String> =
                choices.iter().map(|choice| format!("{}: {}", choice.label, choice.help)).collect();
            format!("From {min} to {max}, or\n{}", rules.join("\n"))
        }
        Kind::Numbers { min, max } => format!("Two or more different numbers from {min} to {max}, separated by commas"),
        Kind::Column => "A table and a column, as users.csv:region".to_owned(),
        Kind::Switch | Kind::Choice(_) | Kind::Experiment => String::new(),
    };
    let default = format!("Default: {}", words(field.kind, &option.default));
    [field.help, &range, &default].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A value as the form shows it: a choice by its label.
pub(crate) fn words(kind: Kind, setting: &Setting) -> String {
    match (kind, setting) {
        (Kind::Choice(choices) | Kind::NumberOr { choices, .. }, Setting::Choice(key)) => {
            choices.iter().find(|choice| choice.key == key).map_or(key.as_str(), |choice| choice.label).to_owned()
        }
        _ => setting.to_string(),
    }
}

fn control(ui: &mut Ui, option: &OptionOf, label: egui::Id, edited: &mut Edited) -> Option<Setting> {
    let field = &option.field;
    match (field.field.kind, &field.setting) {
        (Kind::Number { min, max }, Setting::Number(now)) => Some(number(ui, *now, min..=max, label, edited)),
        (Kind::NumberOr { .. }, _) => number_or(ui, option, label, edited),
        (Kind::Numbers { .. }, Setting::List(numbers)) => list(ui, field, numbers, label, edited),
        (Kind::Whole { min, max }, Setting::Number(number)) => {
            let mut value = *number as u64;
            let speed = (value as f64 * 0.01).max(0.1);
            edited.note(&ui.add(DragValue::new(&mut value).range(min..=max).speed(speed)).labelled_by(label));
            Some(Setting::Number(value as f64))
        }
        (Kind::Switch, Setting::Switch(on)) => {
            let mut value = *on;
            edited.note(&ui.add(Checkbox::without_text(&mut value)).labelled_by(label));
            Some(Setting::Switch(value))
        }
        (Kind::Choice(choices), Setting::Choice(key)) => choice(ui, field, choices, key, label, edited),
        (Kind::Experiment | Kind::Column, Setting::Choice(name)) => {
            let mut name = name.clone();
            edited.note(&ui.add(TextEdit::singleline(&mut name).desired_width(CHOICE)).labelled_by(label));
            Some(Setting::Choice(name))
        }
        _ => None,
    }
}

fn number(ui: &mut Ui, mut value: f64, range: RangeInclusive<f64>, label: egui::Id, edited: &mut Edited) -> Setting {
    // A hundredth of the value a point, so that 0.0002 can be dragged as well as 20.
    let speed = if value == 0.0 { 0.001 } else { value.abs() * 0.01 };
    let drag = DragValue::new(&mut value).range(range).speed(speed).max_decimals(9);
    edited.note(&ui.add(drag).labelled_by(label));
    Setting::Number(value)
}

/// What takes a number's place is chosen beside it.
fn number_or(ui: &mut Ui, option: &OptionOf, label: egui::Id, edited: &mut Edited) -> Option<Setting> {
    let FieldSetting { path, field, setting: now } = &option.field;
    let Kind::NumberOr { min, max, choices } = field.kind else { return None };
    let (mut chosen, mut shown, mut number_now) = (now.clone(), words(field.kind, now), option.default_number());
    if let Setting::Number(value) = now {
        chosen = number(ui, *value, min..=max, label, edited);
        (shown, number_now) = ("Fixed".to_owned(), now.clone());
    }
    let combo = ComboBox::from_id_salt(path).selected_text(shown).width(choice_width(ui)).truncate();
    let combo = combo.show_ui(ui, |ui| {
        edited.note(&ui.selectable_value(&mut chosen, number_now, "Fixed").on_hover_text("The same in every stage"));
        for choice in choices {
            let rule = Setting::Choice(choice.key.to_owned());
            edited.note(&ui.selectable_value(&mut chosen, rule, choice.label).on_hover_text(choice.help));
        }
    });
    // The label is the number's where there is one.
    if matches!(now, Setting::Number(_)) {
        crate::app::widgets::named(ui, &combo.response, &format!("How {} is found", field.label));
    } else {
        combo.response.labelled_by(label);
    }
    Some(chosen)
}

/// Numbers with commas between; what is typed is taken when the field is left.
fn list(ui: &mut Ui, field: &FieldSetting, numbers: &[f64], label: egui::Id, edited: &mut Edited) -> Option<Setting> {
    let shown: Vec<String> = numbers.iter().map(f64::to_string).collect();
    let mut text = ui.data(|data| data.get_temp::<String>(label)).unwrap_or_else(|| shown.join(", "));
    let response = ui.add(TextEdit::singleline(&mut text).desired_width(choice_width(ui))).labelled_by(label);
    if !response.lost_focus() {
        if response.has_focus() {
            ui.data_mut(|data| data.insert_temp(label, text));
        }
        return None;
    }
    ui.data_mut(|data| data.remove::<String>(label));
    let typed = text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::parse);
    let setting = Setting::List(typed.collect::<Result<_, _>>().ok()?);
    field.field.accepts(&setting).ok()?;
    let changed = setting != field.setting;
    edited.changed |= changed;
    edited.done |= changed;
    Some(setting)
}

/// Width of a list of choices at most, and the room beside it for the way back to the default.
const CHOICE: f32 = 180.0;
const RESET: f32 = 34.0;

fn choice_width(ui: &Ui) -> f32 {
    (ui.available_width() - RESET).clamp(60.0, CHOICE)
}

fn choice(
    ui: &mut Ui,
    field: &FieldSetting,
    choices: &[Choice],
    key: &str,
    label: egui::Id,
    edited: &mut Edited,
) -> Option<Setting> {
    let mut chosen = key;
    let now = choices.iter().find(|choice| choice.key == key).map_or(key, |choice| choice.label);
    let combo =
        ComboBox::from_id_salt(&field.path).selected_text(now).width(choice_width(ui)).truncate().show_ui(ui, |ui| {
            for choice in choices {
                let response = ui.selectable_value(&mut chosen, choice.key, choice.label).on_hover_text(choice.help);
                edited.note(&response);
            }
        });
    combo.response.labelled_by(label);
    Some(Setting::Choice(chosen.to_owned()))
}

/// Which method it is that another changes; `now` is its card.
fn inner_method(ui: &mut Ui, method: &mut MethodOptions, now: &Card, label: egui::Id, edited: &mut Edited) {
    let combo = ComboBox::from_id_salt("inner method")
        .selected_text(now.name)
        .width(choice_width(ui))
        .truncate()
        .show_ui(ui, |ui| {
            let others = MethodOptions::all()
                .into_iter()
                .filter(|other| other.adapter_method().is_some() && other.method().inner().is_none());
            for other in others {
                let card = other.card();
                let response = ui.selectable_label(card.key == now.key, card.name).on_hover_text(card.sentence);
                if response.clicked()
                    && card.key != now.key
                    && let Some(changed) = method.method().with_inner(other)
                {
                    *method = changed;
                    edited.changed = true;
                }
            }
        });
    combo.response.labelled_by(label);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{GradientSurgery, Peso};

    #[test]
    fn defaults_know_what_is_chosen_above_them() {
        for method in MethodOptions::all() {
            assert_eq!(Form::of(&method).changed(), 0, "{}", method.card().name);
        }
        let mut method = MethodOptions::Peso(Peso::default());
        method.set("lambda", &Setting::Number(7.0)).unwrap();
        method.set("distance", &Setting::Choice("L2".to_owned())).unwrap();
        assert_eq!(Form::of(&method).changed(), 2, "what L2 brings is at its defaults");
        method.set("distance.squared", &Setting::Switch(false)).unwrap();
        let form = Form::of(&method);
        let squared = form.options.iter().find(|option| option.field.path == "distance.squared").unwrap();
        assert!(squared.is_changed() && squared.default == Setting::Switch(true));
    }

    #[test]
    fn the_method_inside_another_is_held_against_its_own_defaults() {
        let mut method = MethodOptions::GradientSurgery(GradientSurgery::default());
        method.set("method.lambda", &Setting::Number(5.0)).unwrap();
        assert_eq!(Form::of(&method).changed(), 1);
        let MethodOptions::GradientSurgery(surgery) = &mut method else { unreachable!() };
        *surgery.method = MethodOptions::Ewc(Default::default());
        assert_eq!(Form::of(&method).changed(), 0);
    }
}
