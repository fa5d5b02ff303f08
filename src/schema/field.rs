//! An option: its path, its words, the values that it takes.

use serde_json::{Map, Value};

use super::Setting;

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
    /// A number from `min` to `max`, both included, or one of the choices in its place.
    NumberOr {
        min: f64,
        max: f64,
        choices: &'static [Choice],
    },
    /// Two or more different numbers from `min` to `max`.
    Numbers {
        min: f64,
        max: f64,
    },
    Switch,
    Choice(&'static [Choice]),
    /// The name of another experiment.
    Experiment,
    /// A table within the project's folder and a column of it: `users.csv:region`.
    Column,
}

impl Kind {
    /// The values in a few words, as a table has them: `0.0 to 1.0`, `Latest, All`.
    pub fn range(&self) -> String {
        match self {
            Self::Number { min, max } => format!("{min:?} to {max:?}"),
            Self::Whole { min, max } => format!("{min} to {max}"),
            Self::NumberOr { min, max, choices } => format!("{min:?} to {max:?}, {}", keys(choices)),
            Self::Numbers { min, max } => format!("numbers from {min:?} to {max:?}"),
            Self::Switch => "true or false".to_owned(),
            Self::Choice(choices) => keys(choices),
            Self::Experiment => "the name of an experiment".to_owned(),
            Self::Column => "a table and a column, as users.csv:region".to_owned(),
        }
    }

    /// The choices that it has, beside numbers or alone.
    pub fn choices(&self) -> &'static [Choice] {
        match self {
            Self::Choice(choices) | Self::NumberOr { choices, .. } => choices,
            Self::Number { .. }
            | Self::Whole { .. }
            | Self::Numbers { .. }
            | Self::Switch
            | Self::Experiment
            | Self::Column => &[],
        }
    }
}

fn keys(choices: &[Choice]) -> String {
    choices.iter().map(|choice| choice.key).collect::<Vec<_>>().join(", ")
}

/// One value of a [`Kind::Choice`] or a [`Kind::NumberOr`].
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Its name in the project file.
    pub key: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    /// Its own options with their defaults as a JSON object, or what alone it carries as any other JSON, which then is the
    /// option of the choice's own name (`lambda.PullRatio`); empty where it carries nothing.
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

    /// The default of one of its own options; none where it has no such option.
    pub(super) fn default_of(&self, option: &str) -> Option<Value> {
        match serde_json::from_str::<Value>(self.defaults).ok()? {
            Value::Object(options) => options.get(option).cloned(),
            carried => (option == self.key).then_some(carried),
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
            (Kind::Number { min, max } | Kind::NumberOr { min, max, .. }, Setting::Number(number)) => {
                (min..=max).contains(number).then(|| Value::from(*number))
            }
            (Kind::Whole { min, max }, Setting::Number(number)) => {
                let whole = *number as u64;
                ((min..=max).contains(&whole) && whole as f64 == *number).then(|| Value::from(whole))
            }
            (Kind::Switch, Setting::Switch(on)) => Some(Value::from(*on)),
            (Kind::Numbers { min, max }, Setting::List(numbers)) => {
                let usable = |(index, number)| (min..=max).contains(number) && !numbers[..index].contains(number);
                (numbers.len() > 1 && numbers.iter().enumerate().all(usable)).then(|| Value::from(numbers.clone()))
            }
            (Kind::Choice(choices) | Kind::NumberOr { choices, .. }, Setting::Choice(key)) => {
                choices.iter().find(|choice| choice.key == key).map(Choice::value)
            }
            (Kind::Column, Setting::Choice(text)) => {
                let parts = text.rsplit_once(':').filter(|(file, column)| !file.is_empty() && !column.is_empty());
                parts.map(|_| Value::from(text.as_str()))
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
            Kind::NumberOr { min, max, choices } => {
                format!("it must be a number from {min} to {max}, or one of {}", keys(choices))
            }
            Kind::Numbers { min, max } => {
                format!("it must be a list of two or more different numbers from {min} to {max}")
            }
            Kind::Switch => "it is true or false".to_owned(),
            Kind::Choice(_) => format!("it is one of {}", self.kind.range()),
            Kind::Experiment => "it is the name of an experiment".to_owned(),
            Kind::Column => "it is a table and a column, as users.csv:region".to_owned(),
        }
    }
}
