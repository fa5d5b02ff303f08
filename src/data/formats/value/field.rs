//! One value of a record: an id, a rating or a time, as text or as a number.

use std::borrow::Cow;

use serde_json::Value;

use super::missing::is_no_number;

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

impl<'r> Field<'r> {
    /// Text in UTF-8, else in ISO-8859-1, which every sequence of bytes is.
    pub fn of_bytes(bytes: &'r [u8]) -> Self {
        Self::of_text(text(bytes.trim_ascii()))
    }

    fn of_text(text: Cow<'r, str>) -> Self {
        if text.trim().is_empty() { Self::Missing } else { Self::Text(text) }
    }

    /// Whether the bytes were not UTF-8, so that they had to be changed.
    pub fn was_not_utf8(&self) -> bool {
        matches!(self, Self::Text(Cow::Owned(_)))
    }

    /// The same on its own.
    pub fn into_owned(self) -> Field<'static> {
        match self {
            Self::Missing => Field::Missing,
            Self::Text(text) => Field::Text(Cow::Owned(text.into_owned())),
            Self::Integer(number) => Field::Integer(number),
            Self::Float(number) => Field::Float(number),
            Self::Milliseconds(time) => Field::Milliseconds(time),
        }
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
            Self::Float(number) if number.is_nan() => Err("is missing (NaN)".to_owned()),
            Self::Float(number) => Err(format!("is {number}, which is no id")),
            Self::Missing => Err("is missing".to_owned()),
        }
    }

    /// A finite number; none where it is missing.
    pub fn number(&self) -> Result<Option<f64>, String> {
        let number = match self {
            Self::Text(text) => {
                let text = text.trim();
                match text.parse() {
                    Ok(number) => number,
                    Err(_) if is_no_number(text) => return Ok(None),
                    Err(_) => with_decimal_comma(text)
                        .ok_or_else(|| format!("is `{}`, which is not a number", self.short()))?,
                }
            }
            Self::Integer(number) | Self::Milliseconds(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Missing => return Ok(None),
        };
        if number.is_infinite() {
            Err(format!("is {number}, which is no number"))
        } else {
            Ok(Some(number).filter(|number| !number.is_nan()))
        }
    }

    /// As it is written, cut where it is long.
    pub fn short(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Text(text) => text.trim().chars().take(40).collect(),
            Self::Integer(number) | Self::Milliseconds(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
        }
    }
}

/// A number like `4,5`.
fn with_decimal_comma(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once(',')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole.strip_prefix('-').unwrap_or(whole)) && digits(fraction)).then_some(())?;
    format!("{whole}.{fraction}").parse().ok()
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

/// Text in UTF-8, else in ISO-8859-1.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Field<'_> {
        Field::of_bytes(text.as_bytes())
    }

    #[test]
    fn numbers_are_read_with_points_and_commas_and_may_be_missing() {
        for (text, number) in [("4.5", 4.5), ("4,5", 4.5), (" -0,25 ", -0.25), ("3e0", 3.0)] {
            assert_eq!(of(text).number(), Ok(Some(number)), "{text}");
        }
        for text in ["", "NaN", "NULL", "-", "\\N"] {
            assert_eq!(of(text).number(), Ok(None), "{text}");
        }
        for text in ["five", "1,2,3", ",5", "inf", "1.000,5"] {
            assert!(of(text).number().is_err(), "{text}");
        }
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
