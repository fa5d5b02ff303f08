//! Options as fields, of which a form, a sweep, a check and a page of the reference can be made.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Path in the project file, from the method's options: `lambda`, `distance.temperature`.
    pub path: &'static str,
    pub label: &'static str,
    /// What the option does.
    pub help: &'static str,
    pub kind: Kind,
}

/// What values an option takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A number from `min` to `max`, both included.
    Number {
        min: f64,
        max: f64,
    },
    /// A whole number from `min` to `max`, both included.
    Whole {
        min: u64,
        max: u64,
    },
    Switch,
    Choice(&'static [Choice]),
    /// The name of another experiment.
    Experiment,
}

/// One value of a [`Kind::Choice`].
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Its name in the project file.
    pub key: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    /// Its own options with their defaults as a JSON object; empty where it has none.
    pub defaults: &'static str,
}

impl Choice {
    /// A choice without options of its own.
    pub const fn plain(key: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { key, label, help, defaults: "" }
    }

    fn value(&self) -> Value {
        match serde_json::from_str::<Value>(self.defaults) {
            Ok(defaults) => Value::Object(Map::from_iter([(self.key.to_owned(), defaults)])),
            Err(_) => Value::from(self.key),
        }
    }
}

/// A value of an option, as a sweep lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, true, false, or a choice's name in quotes")]
pub enum Setting {
    Switch(bool),
    Number(f64),
    /// The key of a [`Choice`], or a name.
    Choice(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Number(number) => number.fmt(f),
            Self::Choice(key) => f.write_str(key),
        }
    }
}

/// An option with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSetting {
    /// Path from the method's options: [`Field::path`], behind `method.` for those of the method inside another.
    pub path: String,
    pub field: &'static Field,
    /// Its value now.
    pub setting: Setting,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.label == other.label
    }
}

/// A field whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Its path, from whatever was checked: `distance.temperature`, in a project file `training.lora.rank`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What a usable value is.
    pub advice: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), advice: advice.into() }
    }

    /// The same, where the field is one of `whole`'s.
    pub fn within(self, whole: &str) -> Self {
        Self { field: format!("{whole}.{}", self.field), ..self }
    }
}

impl Field {
    /// Refuses a setting that is none of the option's.
    ///
    /// # Errors
    /// What it may be.
    pub fn accepts(&self, setting: &Setting) -> Result<(), String> {
        self.value(setting).map(drop).ok_or_else(|| self.expected())
    }

    /// The value in the options that a setting stands for; none where it is none of the option's.
    pub(crate) fn value(&self, setting: &Setting) -> Option<Value> {
        match (self.kind, setting) {
            (Kind::Number { min, max }, Setting::Number(number)) => {
                (min..=max).contains(number).then(|| Value::from(*number))
            }
            (Kind::Whole { min, max }, Setting::Number(number)) => {
                let whole = *number as u64;
                ((min..=max).contains(&whole) && whole as f64 == *number).then(|| Value::from(whole))
            }
            (Kind::Switch, Setting::Switch(on)) => Some(Value::from(*on)),
            (Kind::Choice(choices), Setting::Choice(key)) => {
                choices.iter().find(|choice| choice.key == key).map(Choice::value)
            }
            (Kind::Experiment, Setting::Choice(name)) => (!name.trim().is_empty()).then(|| Value::from(name.as_str())),
            _ => None,
        }
    }

    /// What values there are, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Number { min, max } => format!("it must be a number from {min} to {max}"),
            Kind::Whole { min, max } => format!("it must be a whole number from {min} to {max}"),
            Kind::Switch => "it is true or false".to_owned(),
            Kind::Choice(choices) => {
                let keys: Vec<&str> = choices.iter().map(|choice| choice.key).collect();
                format!("it is one of {}", keys.join(", "))
            }
            Kind::Experiment => "it is the name of an experiment".to_owned(),
        }
    }
}

/// The options inside an enum's variant (`{"Peso": {..}}`), or the options themselves.
pub(crate) fn content(value: &Value) -> &Value {
    match value.as_object() {
        Some(variant) if variant.len() == 1 && is_variant(variant) => variant.values().next().unwrap_or(value),
        _ => value,
    }
}

/// Variants are capitalised, options are not.
fn is_variant(object: &Map<String, Value>) -> bool {
    object.keys().all(|key| key.starts_with(char::is_uppercase))
}

pub(crate) fn at<'v>(whole: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(whole, |value, step| content(value).get(step))
}

pub(crate) fn at_mut<'v>(whole: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(whole, |value, step| {
        let is_variant = value.as_object().is_some_and(|object| object.len() == 1 && is_variant(object));
        let options = if is_variant { value.as_object_mut()?.values_mut().next()? } else { value };
        options.get_mut(step)
    })
}

pub(crate) fn setting(value: &Value) -> Option<Setting> {
    match value {
        Value::Bool(on) => Some(Setting::Switch(*on)),
        Value::Number(number) => Some(Setting::Number(number.as_f64()?)),
        // What is no number in JSON: NaN or an infinity, which no range contains.
        Value::Null => Some(Setting::Number(f64::NAN)),
        Value::String(key) => Some(Setting::Choice(key.clone())),
        Value::Object(variant) => variant.keys().next().map(|key| Setting::Choice(key.clone())),
        Value::Array(_) => None,
    }
}
