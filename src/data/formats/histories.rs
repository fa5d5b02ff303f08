//! Users' sequences without times, as LC-Rec and LETTER keep them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::path::Path;

use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::ImportError;
use super::delimited::{self, Cells};
use super::field::Field;
use super::input::{self, Monitor};
use super::plan::{Delimited, Separator};
use super::sink::{Record, Sink};
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

/// Columns of the files of sequences: user, earlier items, next item.
pub fn augmented_table() -> Delimited {
    let columns = ["user_id", "item_id_list", "item_id"].map(str::to_owned).to_vec();
    Delimited { separator: Separator::Plain(b'\t'), header: true, columns }
}

/// Reads lines of a user, the earlier items and the next item. A user's first line gives the history, and each line the
/// item that follows; the files are read in the order of training, validation and test.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read_augmented(path: &Path, monitor: &Monitor<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    delimited::each_record(path, &augmented_table(), monitor, |lines, cells| {
        read_line(path, lines.first, &cells, sink)?;
        Ok(ControlFlow::Continue(()))
    })
}

fn read_line(path: &Path, line: u64, cells: &Cells<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let (Some(user), Some(earlier), Some(next)) = (cells.get(0), cells.get(1), cells.get(2)) else {
        let problem = format!("{} columns, 3 were expected: user, earlier items, next item", cells.len());
        sink.skipped.add(path, line, 1, problem);
        return Ok(());
    };
    let record = |item| Record { user: Field::of_bytes(user), item: Field::of_bytes(item), time: None, rating: None };
    let known = Field::of_bytes(user).id().is_ok_and(|user| sink.interactions.users.find(&user).is_some());
    if !known {
        for item in earlier.split(|&byte| byte == b' ').filter(|item| !item.is_empty()) {
            sink.take(path, line, 1, &record(item))?;
        }
    }
    sink.take(path, line, 1, &record(next))
}
