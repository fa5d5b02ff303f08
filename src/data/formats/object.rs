//! One JSON object a line, of which a few values are wanted.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::python;

/// The values of `keys` in the object of a line, in JSON or as a Python dict; a key that is `None` is never there.
///
/// # Errors
/// The line is no such object; says what it is.
pub fn pick<const N: usize>(line: &[u8], keys: [Option<&str>; N]) -> Result<[Option<Value>; N], String> {
    let line = line.trim_ascii();
    if is_python(line) {
        let json = python::to_json(line).ok_or("a string without end, or with an unknown escape")?;
        return pick_json(&json, keys);
    }
    pick_json(line, keys)
}

/// Whether a line is an object as Python writes it, whose strings have single quotes unless they contain one.
pub fn is_python(line: &[u8]) -> bool {
    let Some(inside) = line.trim_ascii().strip_prefix(b"{") else { return false };
    let inside = inside.trim_ascii_start();
    inside.starts_with(b"'") || inside.starts_with(b"u'") || inside.starts_with(b"u\"")
}

fn pick_json<const N: usize>(json: &[u8], keys: [Option<&str>; N]) -> Result<[Option<Value>; N], String> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let picked = Picked(keys).deserialize(&mut reader).and_then(|picked| reader.end().map(|()| picked));
    picked.map_err(|error| {
        let text = error.to_string();
        // A record is one line, so that only the column tells.
        text.replace(&format!(" at line {} column {}", error.line(), error.column()), "")
    })
}

struct Picked<'k, const N: usize>([Option<&'k str>; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Picked<'_, N> {
    type Value = [Option<Value>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Picked<'_, N> {
    type Value = [Option<Value>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [const { None }; N];
        while let Some(index) = map.next_key_seed(Key(&self.0))? {
            match index {
                Some(index) => values[index] = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}

/// A key, as its index among those that are wanted.
struct Key<'k>(&'k [Option<&'k str>]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| *wanted == Some(key)))
    }
}

/// All texts of a value, however its lists are nested, without blanks around them and without empty ones.
pub fn texts(value: Option<Value>) -> Vec<String> {
    fn collect(value: Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if !text.trim().is_empty() => found.push(text.trim().to_owned()),
            Value::Array(values) => values.into_iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    value.into_iter().for_each(|value| collect(value, &mut found));
    found
}
