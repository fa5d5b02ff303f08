//! The value of an option, as a project file, a sweep and a form have it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value of an option, as a sweep lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, true, false, a choice's name in quotes, or a list of numbers")]
pub enum Setting {
    Switch(bool),
    Number(f64),
    /// The key of a [`Choice`](super::Choice), or a name.
    Choice(String),
    /// Several numbers that are one value.
    List(Vec<f64>),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Number(number) => number.fmt(f),
            Self::Choice(key) => f.write_str(key),
            Self::List(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
                write!(f, "[{}]", numbers.join(", "))
            }
        }
    }
}

impl Setting {
    /// The setting that a value of the options stands for; none of a list of anything but numbers.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(on) => Some(Self::Switch(*on)),
            Value::Number(number) => Some(Self::Number(number.as_f64()?)),
            // What is no number in JSON: NaN or an infinity, which no range contains.
            Value::Null => Some(Self::Number(f64::NAN)),
            Value::String(key) => Some(Self::Choice(key.clone())),
            Value::Object(variant) => variant.keys().next().map(|key| Self::Choice(key.clone())),
            Value::Array(elements) => elements.iter().map(Value::as_f64).collect::<Option<_>>().map(Self::List),
        }
    }
}
