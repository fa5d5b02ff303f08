//! One option of a sweep while it is edited: its values, typed, generated or ticked.

use eframe::egui;
use egui::{DragValue, RichText, TextEdit, Ui};

use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::plot::scale;
use crate::schema::{Field, Kind, Setting};

/// An option with the values that it is to have.
#[derive(Debug)]
pub(super) struct AxisDraft {
    /// Path as a sweep names it: `lambda`, `training.learning_rate`.
    pub(super) option: String,
    pub(super) field: Field,
    values: Values,
    range: Range,
}

#[derive(Debug)]
enum Values {
    /// Numbers as they are typed; lists of them with semicolons between, choices by their names.
    Typed(String),
    Ticked(Vec<Tick>),
}

/// A value that can be ticked.
#[derive(Debug)]
struct Tick {
    setting: Setting,
    label: String,
    help: &'static str,
    on: bool,
}

/// What fills in values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    from: f64,
    to: f64,
    count: usize,
    logarithmic: bool,
}

/// Values that are filled in at most.
const MOST: usize = 50;

impl AxisDraft {
    /// The option with `chosen` values; `now` is its value in the experiment, `names` those of experiments it may name.
    pub(super) fn new(
        option: String,
        field: Field,
        chosen: &[Setting],
        now: Option<&Setting>,
        names: &[String],
    ) -> Self {
        let tick = |setting: Setting, label: &str, help| {
            let on = chosen.contains(&setting);
            Tick { setting, label: label.to_owned(), help, on }
        };
        let values = match field.kind {
            Kind::Number { .. } | Kind::Whole { .. } | Kind::NumberOr { .. } => {
                let texts: Vec<String> = chosen.iter().map(Setting::to_string).collect();
                Values::Typed(texts.join(", "))
            }
            Kind::Numbers { .. } => {
                let texts = chosen.iter().map(|list| list.to_string().trim_matches(['[', ']']).to_owned());
                Values::Typed(texts.collect::<Vec<_>>().join("; "))
            }
            Kind::Column => {
                let texts: Vec<String> = chosen.iter().map(Setting::to_string).collect();
                Values::Typed(texts.join(", "))
            }
            Kind::Switch => {
                Values::Ticked(vec![tick(Setting::Switch(true), "On", ""), tick(Setting::Switch(false), "Off", "")])
            }
            Kind::Choice(choices) => Values::Ticked(
                choices.iter().map(|c| tick(Setting::Choice(c.key.to_owned()), c.label, c.help)).collect(),
            ),
            Kind::Experiment => {
                Values::Ticked(names.iter().map(|name| tick(Setting::Choice(name.clone()), name, "")).collect())
            }
        };
        Self { option, range: Range::around(field.kind, now), field, values }
    }

    /// The values, or what is wrong with them.
    pub(super) fn settings(&self) -> Result<Vec<Setting>, String> {
        match &self.values {
            Values::Ticked(ticks) => {
                let on: Vec<Setting> = ticks.iter().filter(|tick| tick.on).map(|tick| tick.setting.clone()).collect();
                if on.is_empty() { Err("Tick at least one value".to_owned()) } else { Ok(on) }
            }
            Values::Typed(text) => {
                let settings = parse_settings(self.field.kind, text)?;
                for (index, setting) in settings.iter().enumerate() {
                    self.field.accepts(setting).map_err(|expected| format!("{setting}: {expected}"))?;
                    if settings[..index].contains(setting) {
                        return Err(format!("{setting} stands there twice"));
                    }
                }
                Ok(settings)
            }
        }
    }

    /// Draws the values; `problem` is what is wrong with them beside what the user can see here.
    pub(super) fn ui(&mut self, ui: &mut Ui, problem: Option<&str>) {
        let label = self.field.label;
        let field = self.field;
        match &mut self.values {
            Values::Ticked(ticks) => {
                ui.horizontal_wrapped(|ui| {
                    for tick in ticks {
                        let response = ui.checkbox(&mut tick.on, &tick.label);
                        if !tick.help.is_empty() {
                            response.on_hover_text(tick.help);
                        }
                    }
                });
            }
            Values::Typed(text) => {
                let lists = matches!(field.kind, Kind::Numbers { .. } | Kind::Column);
                let hint = if lists { "Lists such as 0.5, 2; 1, 8" } else { "Values, separated by commas" };
                let edit = TextEdit::singleline(text).hint_text(hint);
                let response = ui.add(edit.desired_width(ui.available_width() - 24.0));
                widgets::named(ui, &response, &format!("Values of {label}"));
                if !lists && let Some(filled) = self.range.ui(ui, field) {
                    *text = filled;
                }
            }
        }
        let own = self.settings().err();
        if let Some(problem) = own.as_deref().or(problem) {
            let error = theme::tokens(ui).error;
            ui.label(RichText::new(problem).small().color(error));
        }
    }
}

impl Range {
    /// A range about a value: from a tenth of it to ten times as much, as far as the option allows.
    fn around(kind: Kind, now: Option<&Setting>) -> Self {
        let now = match now {
            Some(Setting::Number(number)) if *number > 0.0 && number.is_finite() => *number,
            _ => 1.0,
        };
        let held = |value: f64| match kind {
            Kind::Number { min, max } | Kind::NumberOr { min, max, .. } => value.clamp(min, max),
            Kind::Whole { min, max } => value.round().clamp(min as f64, max as f64),
            _ => value,
        };
        let share = matches!(kind, Kind::Number { max, .. } if max <= 1.0);
        let [from, to] = if share { [held(0.0), held(1.0)] } else { [held(now / 10.0), held(now * 10.0)] };
        Self { from, to, count: 5, logarithmic: !share && from > 0.0 }
    }

    /// Draws the range; the values where the user asks for them.
    fn ui(&mut self, ui: &mut Ui, field: Field) -> Option<String> {
        ui.horizontal_wrapped(|ui| {
            let name = |what: &str| format!("{what} of {}", field.label);
            for (words, value) in [("From", &mut self.from), ("to", &mut self.to)] {
                ui.weak(words);
                let speed = (value.abs() * 0.01).max(0.001);
                let drag = DragValue::new(value).speed(speed).max_decimals(9);
                let drag = match field.kind {
                    Kind::Number { min, max } | Kind::NumberOr { min, max, .. } => drag.range(min..=max),
                    Kind::Whole { min, max } => drag.range(min as f64..=max as f64).max_decimals(0),
                    _ => drag,
                };
                let response = ui.add(drag);
                widgets::named(ui, &response, &name(if words == "From" { "Least value" } else { "Greatest value" }));
            }
            ui.weak("in");
            let response = ui.add(DragValue::new(&mut self.count).range(2..=MOST));
            widgets::named(ui, &response, &name("Number of values"));
            ui.weak("steps");
            ui.radio_value(&mut self.logarithmic, false, "Even").on_hover_text("The same distance between values");
            let possible = self.from > 0.0 && self.to > 0.0;
            self.logarithmic &= possible;
            ui.add_enabled_ui(possible, |ui| {
                ui.radio_value(&mut self.logarithmic, true, "Logarithmic")
                    .on_hover_text("The same factor between values")
                    .on_disabled_hover_text("A logarithmic range lies above 0");
            });
            let button = ui.button("Fill in").on_hover_text("Replace the values by those of the range");
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name("Fill in values")));
            button.clicked().then(|| {
                let whole = matches!(field.kind, Kind::Whole { .. });
                let texts: Vec<String> =
                    self.values(whole).into_iter().map(|value| Setting::Number(value).to_string()).collect();
                texts.join(", ")
            })
        })
        .inner
    }

    /// The values, each once.
    fn values(self, whole: bool) -> Vec<f64> {
        let Self { from, to, count, logarithmic } = self;
        let part = |step: usize| step as f64 / (count.max(2) - 1) as f64;
        let at = |step: usize| match step {
            0 => from,
            _ if step + 1 == count => to,
            _ if logarithmic => from * (to / from).powf(part(step)),
            _ => from + (to - from) * part(step),
        };
        let mut values: Vec<f64> =
            (0..count).map(at).map(|value| if whole { value.round() } else { short(value) }).collect();
        values.dedup();
        values
    }
}

/// A number with at most four significant digits: nobody means more of them in a range.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// The values that a text lists.
fn parse_settings(kind: Kind, text: &str) -> Result<Vec<Setting>, String> {
    if let Kind::Numbers { .. } = kind {
        let lists = text.split(';').filter(|list| !list.trim().is_empty()).map(parse_numbers);
        let lists = lists.map(|list| list.map(Setting::List)).collect::<Result<Vec<_>, _>>()?;
        return if lists.is_empty() { Err("Type at least one list".to_owned()) } else { Ok(lists) };
    }
    if let Kind::Column = kind {
        let columns = text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let columns: Vec<Setting> = columns.map(|part| Setting::Choice(part.to_owned())).collect();
        return if columns.is_empty() { Err("Type at least one table and column".to_owned()) } else { Ok(columns) };
    }
    let value = |part: &str| match kind.choices().iter().find(|choice| choice.key == part) {
        Some(choice) => Ok(Setting::Choice(choice.key.to_owned())),
        None => parse_number(part).map(Setting::Number),
    };
    let settings = parts(text).map(value).collect::<Result<Vec<_>, _>>()?;
    if settings.is_empty() { Err("Type at least one value, or fill in a range".to_owned()) } else { Ok(settings) }
}

fn parse_numbers(text: &str) -> Result<Vec<f64>, String> {
    parts(text).map(parse_number).collect()
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\n', '\t']).filter(|part| !part.is_empty())
}

fn parse_number(part: &str) -> Result<f64, String> {
    part.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| format!("\"{part}\" is no number"))
}

/// What an option does and may be.
pub(super) fn describe(ui: &mut Ui, field: Field) {
    let end = |value: f64| if value.abs() < 1e4 { value.to_string() } else { scale::grouped(value, 0) };
    let range = match field.kind {
        Kind::Number { min, max } => format!("From {} to {}", end(min), end(max)),
        Kind::Whole { min, max } => format!("A whole number from {} to {}", end(min as f64), end(max as f64)),
        Kind::NumberOr { min, max, choices } => {
            let keys: Vec<&str> = choices.iter().map(|choice| choice.key).collect();
            format!("From {} to {}, or {}", end(min), end(max), keys.join(", "))
        }
        Kind::Numbers { min, max } => format!("A list of numbers from {} to {}", end(min), end(max)),
        Kind::Column => "A table and a column, as users.csv:region".to_owned(),
        Kind::Switch | Kind::Choice(_) | Kind::Experiment => String::new(),
    };
    let parts: Vec<&str> = [field.help, &range].into_iter().filter(|part| !part.is_empty()).collect();
    widgets::remark(ui, parts.join(" · "));
    ui.add_space(space::XS / 2.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: Kind, text: &str) -> AxisDraft {
        let field = Field { path: "x", label: "X", help: "", kind };
        let mut draft = AxisDraft::new("x".to_owned(), field, &[], None, &[]);
        draft.values = Values::Typed(text.to_owned());
        draft
    }

    #[test]
    fn typed_values_are_numbers_in_the_range_each_once() {
        let number = Kind::Number { min: 0.0, max: 10.0 };
        let settings = |kind, text: &str| draft(kind, text).settings();
        let numbers = |values: &[f64]| Ok(values.iter().copied().map(Setting::Number).collect::<Vec<_>>());
        assert_eq!(settings(number, "0.5, 1;2  1e-3"), numbers(&[0.5, 1.0, 2.0, 0.001]));
        for (text, word) in [
            ("", "at least one"),
            ("1, x", "\"x\" is no number"),
            ("11", "from 0 to 10"),
            ("2, 2.0", "twice"),
            ("NaN", "no number"),
        ] {
            let error = settings(number, text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(settings(Kind::Whole { min: 1, max: 5 }, "1.5").unwrap_err().contains("whole number"));
    }

    #[test]
    fn ranges_are_even_or_logarithmic_and_end_where_they_should() {
        let range = Range { from: 0.01, to: 100.0, count: 5, logarithmic: true };
        assert_eq!(range.values(false), [0.01, 0.1, 1.0, 10.0, 100.0]);
        assert_eq!(
            Range { from: 0.0, to: 1.0, count: 4, logarithmic: false }.values(false),
            [0.0, 0.3333, 0.6667, 1.0]
        );
        assert_eq!(Range { from: 1.0, to: 3.0, count: 5, logarithmic: false }.values(true), [1.0, 2.0, 3.0]);
        assert_eq!(Range { from: 10.0, to: 0.0, count: 3, logarithmic: false }.values(false), [10.0, 5.0, 0.0]);
    }

    #[test]
    fn a_range_about_a_value_stays_where_the_option_may_be() {
        let about = |kind, now: f64| Range::around(kind, Some(&Setting::Number(now)));
        let weight = about(Kind::Number { min: 0.0, max: 15.0 }, 2.0);
        assert_eq!((weight.from, weight.to, weight.logarithmic), (0.2, 15.0, true));
        let share = about(Kind::Number { min: 0.0, max: 1.0 }, 0.5);
        assert_eq!((share.from, share.to, share.logarithmic), (0.0, 1.0, false));
        let whole = about(Kind::Whole { min: 1, max: 1000 }, 4.0);
        assert_eq!((whole.from, whole.to), (1.0, 40.0));
    }
}
