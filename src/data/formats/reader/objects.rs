//! Files of JSON objects (or a Python dict a line).

use std::path::Path;

use super::object::{Picked, pick};
use super::object_stream::{self, Objects};
use super::sink::{Record, Sink};
use crate::data::formats::ImportError;
use crate::data::formats::assumption::Assumption;
use crate::data::formats::plan::Roles;
use crate::data::formats::stream::input::Monitor;
use crate::data::formats::value::field::Field;

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read(path: &Path, roles: &Roles<String>, monitor: &Monitor<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let keys = [Some(roles.user.as_str()), Some(roles.item.as_str()), roles.time.as_deref(), roles.rating.as_deref()];
    let mut objects = Objects::open(path, monitor)?;
    let mut replaced = 0;
    while let Some(object_stream::Record { line, lines, text }) = objects.next_record()? {
        match pick(text, keys) {
            Ok(Picked { values: [user, item, time, rating], replaced: mended }) => {
                let record = Record {
                    user: Field::from(user),
                    item: Field::from(item),
                    time: roles.time.as_ref().map(|_| Field::from(time)),
                    rating: roles.rating.as_ref().map(|_| Field::from(rating)),
                };
                sink.take(path, line, lines, &record)?;
                replaced += u64::from(mended);
            }
            Err(problem) => sink.reject(path, line, lines, problem),
        }
    }
    note_replaced(path, replaced, monitor);
    Ok(())
}

/// Says in how many records a half of a character was replaced.
pub fn note_replaced(path: &Path, records: u64, monitor: &Monitor<'_>) {
    if records > 0 {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let records = if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
        monitor.note(Assumption::fact(format!(
            "{name}: {records} with half of a surrogate pair (like \\ud83d), which became U+FFFD"
        )));
    }
}
