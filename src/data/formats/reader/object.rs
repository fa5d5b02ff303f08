//! A JSON object, of which a few values are wanted.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::json_repair::repair;
use super::python;

/// What was found in an object.
pub struct Picked<const N: usize> {
    pub values: [Option<Value>; N],
    /// Whether a half of a surrogate pair became U+FFFD.
    pub replaced: bool,
}

/// The values of `keys` in an object, in JSON or as a Python dict; a key that is `None` is never there. A key with dots that
/// the object does not have leads into objects within it: `user.id`.
///
/// # Errors
/// The text is no such object; says what it is.
pub fn pick<const N: usize>(text: &[u8], keys: [Option<&str>; N]) -> Result<Picked<N>, String> {
    let text = text.trim_ascii();
    let python = is_python(text).then(|| python::to_json(text));
    let json = match &python {
        Some(json) => json.as_deref().ok_or("a string without end, or with an unknown escape")?,
        None => text,
    };
    let error = match pick_json(json, keys) {
        Ok(values) => return Ok(Picked { values, replaced: false }),
        Err(error) => error,
    };
    // Sound text is most of it; what it costs to look for what can be mended is spent on the rest.
    let Some(repaired) = repair(json) else { return Err(error) };
    pick_json(&repaired.json, keys).map(|values| Picked { values, replaced: repaired.replaced })
}

/// The keys of an object; those of objects within it with dots between, three deep at most.
pub fn dotted_keys(object: &serde_json::Map<String, Value>) -> Vec<String> {
    fn add(object: &serde_json::Map<String, Value>, before: &str, depth: usize, keys: &mut Vec<String>) {
        for (key, value) in object {
            let name = format!("{before}{key}");
            match value {
                Value::Object(inside) if depth > 1 && !inside.is_empty() => {
                    add(inside, &format!("{name}."), depth - 1, keys);
                }
                _ => keys.push(name),
            }
        }
    }
    let mut keys = Vec::new();
    add(object, "", 3, &mut keys);
    keys
}

/// A value within another, at a path of keys with dots between.
fn within(value: &Value, path: &str) -> Option<Value> {
    let object = value.as_object()?;
    if let Some(value) = object.get(path) {
        return Some(value.clone());
    }
    let (first, rest) = path.split_once('.')?;
    within(object.get(first)?, rest)
}

/// Whether a line is an object as Python writes it, whose strings have single quotes unless they contain one.
pub fn is_python(line: &[u8]) -> bool {
    let Some(inside) = line.trim_ascii().strip_prefix(b"{") else { return false };
    let inside = inside.trim_ascii_start();
    inside.starts_with(b"'") || inside.starts_with(b"u'") || inside.starts_with(b"u\"")
}

fn pick_json<const N: usize>(json: &[u8], keys: [Option<&str>; N]) -> Result<[Option<Value>; N], String> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let picked = Wanted(keys).deserialize(&mut reader).and_then(|picked| reader.end().map(|()| picked));
    picked.map_err(|error| {
        let text = error.to_string();
        // A record is one line, so that only the column tells.
        text.replace(&format!(" at line {} column {}", error.line(), error.column()), "")
    })
}

struct Wanted<'k, const N: usize>([Option<&'k str>; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Wanted<'_, N> {
    type Value = [Option<Value>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Wanted<'_, N> {
    type Value = [Option<Value>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [const { None }; N];
        while let Some(key) = map.next_key_seed(Key(&self.0))? {
            match key {
                Found::At(index) => values[index] = Some(map.next_value()?),
                Found::Within(key) => {
                    let inside = map.next_value::<Value>()?;
                    for (value, wanted) in values.iter_mut().zip(&self.0) {
                        let path = wanted.and_then(|wanted| wanted.strip_prefix(key.as_str())?.strip_prefix('.'));
                        if let Some(found) = path.and_then(|path| within(&inside, path)) {
                            value.get_or_insert(found);
                        }
                    }
                }
                Found::Nothing => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}

/// What a key leads to.
enum Found {
    /// A value that is wanted, by its index.
    At(usize),
    /// An object that has some, by its key.
    Within(String),
    Nothing,
}

/// A key, as what it leads to among those that are wanted.
struct Key<'k>(&'k [Option<&'k str>]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        if let Some(index) = self.0.iter().position(|wanted| *wanted == Some(key)) {
            return Ok(Found::At(index));
        }
        let leads = |wanted: &str| wanted.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        let leads = self.0.iter().flatten().any(|wanted| leads(wanted));
        Ok(if leads { Found::Within(key.to_owned()) } else { Found::Nothing })
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
