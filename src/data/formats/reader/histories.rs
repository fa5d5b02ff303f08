//! Users' sequences: as a list a user, or line by line with the earlier items in each.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::path::Path;

use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::delimited::{self, Cells};
use super::python;
use super::sequences::{Part, Sequences};
use super::sink::{Record, Sink};
use super::skipped::Skipped;
use crate::data::formats::ImportError;
use crate::data::formats::plan::Augmented;
use crate::data::formats::stream::input::{self, Lines, Monitor};
use crate::data::formats::value::field::{self, Field};
use crate::data::formats::value::times::value_of;
use crate::error::InputError;

/// Reads `{user: [item, …]}`, items as numbers or texts.
///
/// # Errors
/// The file is no such object; JSON that is damaged anywhere cannot be read on, so that nothing is counted as skipped but
/// single items.
pub fn read_map(path: &Path, monitor: &Monitor<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    each_user(path, monitor, |number, user, items: Vec<Value>| {
        for item in items {
            let (user, item) = (Field::Text(user.as_str().into()), Field::from(Some(item)));
            // Such a file often is one line, so that the number of the user is the one that helps.
            sink.take(path, number, 1, &Record { user, item, time: None, rating: None })?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Goes through the users of `{user: …}`, numbered from 1, until `take` breaks.
///
/// # Errors
/// The file is no such object as far as it is read, or `take` fails.
pub fn each_user<T: DeserializeOwned>(
    path: &Path,
    monitor: &Monitor<'_>,
    take: impl FnMut(u64, String, T) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let mut reader = serde_json::Deserializer::from_reader(input::open(path, monitor)?);
    let mut ended = None;
    let users = Users { take, ended: &mut ended, items: PhantomData };
    let read = users.deserialize(&mut reader).and_then(|()| reader.end());
    match (ended, read) {
        (Some(ended), _) => ended,
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(json_error(path, monitor, &error)),
    }
}

/// The error for what serde_json found in a stream.
pub fn json_error(path: &Path, monitor: &Monitor<'_>, error: &serde_json::Error) -> ImportError {
    if let Some(kind) = error.io_error_kind() {
        return monitor.error(path, &std::io::Error::new(kind, error.to_string()));
    }
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let problem = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    InputError::new(path, problem).at(format!("line {line}, column {column}")).into()
}

/// Hands the users of an object to `take` one by one.
struct Users<'e, F, T> {
    take: F,
    /// How `take` ended the reading, which serde's errors cannot carry.
    ended: &'e mut Option<Result<(), ImportError>>,
    items: PhantomData<T>,
}

impl<'de, F, T> DeserializeSeed<'de> for Users<'_, F, T>
where
    F: FnMut(u64, String, T) -> Result<ControlFlow<()>, ImportError>,
    T: Deserialize<'de>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F, T> Visitor<'de> for Users<'_, F, T>
where
    F: FnMut(u64, String, T) -> Result<ControlFlow<()>, ImportError>,
    T: Deserialize<'de>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of users, each with a list of items")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some((user, items)) = map.next_entry::<String, T>()? {
            number += 1;
            let ended = match (self.take)(number, user, items) {
                Ok(ControlFlow::Continue(())) => continue,
                Ok(ControlFlow::Break(())) => Ok(()),
                Err(error) => Err(error),
            };
            *self.ended = Some(ended);
            return Err(A::Error::custom("stopped"));
        }
        Ok(())
    }
}

/// Reads lines of a user, the earlier items and the next item.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read_augmented(
    source: (&Path, u16),
    layout: &Augmented,
    monitor: &Monitor<'_>,
    skipped: &mut Skipped,
    sequences: &mut Sequences,
) -> Result<(), ImportError> {
    let (path, file) = source;
    delimited::each_record(path, &layout.table, monitor, |lines, cells| {
        let cells = match cells {
            Ok(cells) => cells,
            Err(problem) => {
                skipped.add(path, lines.first, lines.count, problem);
                return Ok(ControlFlow::Continue(()));
            }
        };
        match part(layout, &cells, file) {
            Ok(part) => {
                sequences.take(part).ok_or_else(|| InputError::new(path, "more than 4,294,967,294 users or items"))?;
            }
            Err(problem) => skipped.add(path, lines.first, lines.count, problem),
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// What a line has of a user's sequence.
fn part<'r>(layout: &Augmented, cells: &'r Cells<'_>, file: u16) -> Result<Part<'r>, String> {
    let needed = [layout.user, layout.history, layout.item].into_iter().chain(layout.times.map(|(_, time)| time));
    let needed = needed.max().unwrap_or(0) + 1;
    if cells.len() < needed {
        return Err(format!("{} columns, at least {needed} were expected", cells.len()));
    }
    let cell = |column: usize| field::text(cells.get(column).unwrap_or_default().trim_ascii());
    let id = |text: Cow<'r, str>, what: &str| match Field::Text(text.clone()).id() {
        Ok(_) if text.is_empty() => Err(format!("the {what} is missing")),
        Ok(_) => Ok(text),
        Err(problem) => Err(format!("the {what} {problem}")),
    };
    let user = id(cell(layout.user), "user")?;
    let history = list(&cell(layout.history)).ok_or("the earlier items are no list")?;
    let history: Vec<String> =
        history.into_iter().map(|item| id(item.into(), "item").map(Cow::into_owned)).collect::<Result<_, _>>()?;
    let next = id(cell(layout.item), "item")?;
    let (times, time): (Vec<Option<String>>, Option<String>) = match layout.times {
        Some((times, time)) => {
            let times = list(&cell(times)).filter(|times| times.len() == history.len());
            let times = times.ok_or("the earlier items have another number of times")?;
            for time in times.iter().map(|time| Cow::from(time.as_str())).chain([cell(time)]) {
                value_of(&Field::of_bytes(time.as_bytes())).map_err(|problem| format!("the time {problem}"))?;
            }
            (times.into_iter().map(Some).collect(), Some(cell(time).into_owned()))
        }
        None => (vec![None; history.len()], None),
    };
    let history = history.into_iter().map(Cow::Owned).zip(times).collect();
    Ok(Part { user, history, next: (next, time), file })
}

/// Items with blanks between, or a list as Python or JSON writes it; none where it is neither.
fn list(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('[') {
        return Some(text.split_ascii_whitespace().map(str::to_owned).collect());
    }
    let values: Vec<Value> = serde_json::from_slice(&python::to_json(text.as_bytes())?).ok()?;
    let item = |value: Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    values.into_iter().map(item).collect()
}

/// Reads lines like `user item item …`.
///
/// # Errors
/// The file cannot be read; a line without an item is counted.
pub fn read_lists(path: &Path, monitor: &Monitor<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut lines = Lines::open(path, monitor)?;
    while let Some((line, text)) = lines.next_line()? {
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let user = words.next().unwrap_or_default();
        let mut any = false;
        for item in words {
            let record = Record { user: Field::of_bytes(user), item: Field::of_bytes(item), time: None, rating: None };
            sink.take(path, line, 1, &record)?;
            any = true;
        }
        if !any {
            sink.reject(path, line, 1, "a user without items");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_python_and_json_write_them() {
        for text in ["a 1 b", "['a', '1', 'b']", "[\"a\", 1, \"b\"]", " ['a', 1, u'b',]".trim()] {
            assert_eq!(list(text).unwrap(), ["a", "1", "b"], "{text}");
        }
        assert_eq!(list("").unwrap(), [""; 0]);
        assert_eq!(list("[]").unwrap(), [""; 0]);
        for text in ["['a', ", "[['a']]", "[None]", "['a' 'b']"] {
            assert_eq!(list(text), None, "{text}");
        }
    }
}
