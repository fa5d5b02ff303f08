//! One value of a record: an id, a rating or a time, as text or as a number.

use std::borrow::Cow;

use serde_json::Value;

use crate::calendar;

/// Longest id, in bytes.
const LONGEST_ID: usize = 1000;

/// A value as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'r> {
    /// Nothing, or an empty text.
    Missing,
    Text(Cow<'r, str>),
    Integer(i64),
    Float(f64),
    /// A time of known unit.
    Milliseconds(i64),
}

/// The unit that a time was written in, as its size tells: dates from 1973 on are told apart for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    Date,
}

impl Unit {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
            Self::Date => "dates",
        }
    }
}

impl<'r> Field<'r> {
    /// Text in UTF-8, else in ISO-8859-1, which every sequence of bytes is.
    pub fn of_bytes(bytes: &'r [u8]) -> Self {
        Self::of_text(text(bytes.trim_ascii()))
    }

    fn of_text(text: Cow<'r, str>) -> Self {
        if text.trim().is_empty() { Self::Missing } else { Self::Text(text) }
    }

    /// The id, without blanks around it.
    pub fn id(&self) -> Result<Cow<'_, str>, String> {
        match self {
            Self::Text(text) if text.len() > LONGEST_ID => Err(format!("is longer than {LONGEST_ID} bytes")),
            Self::Text(text) => Ok(Cow::Borrowed(text.trim())),
            Self::Integer(number) | Self::Milliseconds(number) => Ok(Cow::Owned(number.to_string())),
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Ok(Cow::Owned((*number as i64).to_string()))
            }
            Self::Float(number) => Err(format!("is {number}, which is no id")),
            Self::Missing => Err("is missing".to_owned()),
        }
    }

    /// A finite number.
    pub fn number(&self) -> Result<f64, String> {
        let number = match self {
            Self::Text(text) => text.trim().parse().map_err(|_| not(text, "a number"))?,
            Self::Integer(number) | Self::Milliseconds(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Missing => return Err("is missing".to_owned()),
        };
        if number.is_finite() { Ok(number) } else { Err(format!("is {number}, which is no number")) }
    }

    /// Milliseconds since 1970, and the unit that they were written in.
    pub fn time(&self) -> Result<(i64, Unit), String> {
        match self {
            Self::Milliseconds(time) => Ok((*time, Unit::Milliseconds)),
            Self::Integer(number) => Ok(of_integer(*number)),
            Self::Text(text) => {
                let text = text.trim();
                if let Ok(number) = text.parse::<i64>() {
                    return Ok(of_integer(number));
                }
                if let Ok(number) = text.parse::<f64>() {
                    return of_float(number).ok_or_else(|| not(text, "a time"));
                }
                let date = calendar::parse(text).map(|time| (time, Unit::Date));
                date.ok_or_else(|| not(text, "a time: seconds or milliseconds since 1970, or a date like 2014-07-23"))
            }
            Self::Float(number) => of_float(*number).ok_or_else(|| format!("is {number}, which is no time")),
            Self::Missing => Err("is missing".to_owned()),
        }
    }
}

impl From<Option<Value>> for Field<'static> {
    fn from(value: Option<Value>) -> Self {
        match value {
            Some(Value::String(text)) => Self::of_text(Cow::Owned(text)),
            Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Self::Integer(integer),
                (None, Some(float)) => Self::Float(float),
                (None, None) => Self::Missing,
            },
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => Self::Missing,
        }
    }
}

/// How texts are understood as times: the unit in words, and the first and last of them in milliseconds since 1970; none
/// where fewer than half of them are times, or units differ.
pub fn time_span<'t>(texts: impl Iterator<Item = &'t str>) -> Option<(&'static str, i64, i64)> {
    let read: Vec<Option<(i64, Unit)>> = texts.map(|text| Field::of_bytes(text.as_bytes()).time().ok()).collect();
    let times: Vec<(i64, Unit)> = read.iter().copied().flatten().collect();
    let (_, unit) = *times.first()?;
    let agree = 2 * times.len() >= read.len() && times.iter().all(|(_, other)| *other == unit);
    agree.then_some(())?;
    let moments = || times.iter().map(|(time, _)| *time);
    Some((unit.words(), moments().min()?, moments().max()?))
}

/// Text in UTF-8, else in ISO-8859-1.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

fn not(text: &str, what: &str) -> String {
    let short: String = text.chars().take(40).collect();
    format!("is `{short}`, which is not {what}")
}

fn unit(size: f64) -> (Unit, f64) {
    match size.abs() {
        size if size < 1e11 => (Unit::Seconds, 1e3),
        size if size < 1e14 => (Unit::Milliseconds, 1.0),
        size if size < 1e17 => (Unit::Microseconds, 1e-3),
        _ => (Unit::Nanoseconds, 1e-6),
    }
}

fn of_integer(number: i64) -> (i64, Unit) {
    let (unit, _) = unit(number as f64);
    let milliseconds = match unit {
        Unit::Seconds => number * 1000,
        Unit::Microseconds => number.div_euclid(1000),
        Unit::Nanoseconds => number.div_euclid(1_000_000),
        Unit::Milliseconds | Unit::Date => number,
    };
    (milliseconds, unit)
}

fn of_float(number: f64) -> Option<(i64, Unit)> {
    let (unit, factor) = unit(number);
    let milliseconds = (number * factor).round();
    (milliseconds.abs() < 1e15).then_some((milliseconds as i64, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Field<'_> {
        Field::of_bytes(text.as_bytes())
    }

    #[test]
    fn times_of_every_unit_are_one_moment() {
        let moment = 1_406_073_600_000;
        for (text, unit) in [
            ("1406073600", Unit::Seconds),
            ("1406073600.0", Unit::Seconds),
            ("1.4060736E9", Unit::Seconds),
            ("1406073600000", Unit::Milliseconds),
            ("1406073600000000", Unit::Microseconds),
            ("1406073600000000000", Unit::Nanoseconds),
            (" 2014-07-23 00:00:00 ", Unit::Date),
        ] {
            assert_eq!(of(text).time(), Ok((moment, unit)), "{text}");
        }
        assert_eq!(Field::Integer(-5).time(), Ok((-5000, Unit::Seconds)));
        for text in ["", "soon", "nan", "inf", "1e40"] {
            assert!(of(text).time().is_err(), "{text}");
        }
    }

    #[test]
    fn the_unit_of_times_is_told_where_they_agree() {
        let span = |texts: &[&str]| time_span(texts.iter().copied());
        assert_eq!(span(&["1406073600", "1406073601"]), Some(("seconds", 1_406_073_600_000, 1_406_073_601_000)));
        assert_eq!(span(&["2014-07-23"]), Some(("dates", 1_406_073_600_000, 1_406_073_600_000)));
        assert_eq!(span(&["1406073600", "1406073600000"]), None);
        assert_eq!(span(&["1406073600", "soon"]), Some(("seconds", 1_406_073_600_000, 1_406_073_600_000)));
        assert_eq!(span(&["1406073600", "soon", "never"]), None);
        assert_eq!(span(&[]), None);
    }

    #[test]
    fn ids_are_texts_whatever_the_file_has() {
        assert_eq!(of(" a b ").id().unwrap(), "a b");
        assert_eq!(Field::Integer(12).id().unwrap(), "12");
        assert_eq!(Field::Float(12.0).id().unwrap(), "12");
        assert_eq!(Field::from(Some(serde_json::json!("12"))).id().unwrap(), "12");
        for field in [of(" "), Field::Float(1.5), Field::from(Some(serde_json::json!(null))), of(&"x".repeat(1001))] {
            assert!(field.id().is_err(), "{field:?}");
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_iso_8859_1() {
        assert_eq!(text(b"Mis\xe9rables"), "Misérables");
        assert_eq!(text("Misérables".as_bytes()), "Misérables");
    }
}
