//! Files with a JSON object (or a Python dict) a line.

use std::path::Path;

use super::ImportError;
use super::field::Field;
use super::input::{Lines, Monitor};
use super::object::pick;
use super::plan::Roles;
use super::sink::{Record, Sink};

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read(
    path: &Path,
    roles: &Roles<&'static str>,
    monitor: &Monitor<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let keys = [Some(roles.user), Some(roles.item), roles.time, roles.rating];
    let mut lines = Lines::open(path, monitor)?;
    while let Some((line, text)) = lines.next_line()? {
        match pick(text, keys) {
            Ok([user, item, time, rating]) => {
                let record = Record {
                    user: Field::from(user),
                    item: Field::from(item),
                    time: roles.time.map(|_| Field::from(time)),
                    rating: roles.rating.map(|_| Field::from(rating)),
                };
                sink.take(path, line, 1, &record)?;
            }
            Err(problem) => sink.skipped.add(path, line, 1, problem),
        }
    }
    Ok(())
}
