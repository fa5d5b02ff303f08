//! Where every format's records go: ids become numbers, and what cannot be read is counted.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ImportError;
use super::field::{Field, Unit};
use crate::data::interactions::Interactions;
use crate::error::Unusable;

/// Rejected lines that are kept as examples, at most.
const EXAMPLES: usize = 100;

/// What was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Skipped {
    /// Lines that could not be read.
    pub lines: u64,
    /// The first of them, at most 100.
    pub examples: Vec<SkippedLine>,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedLine {
    pub path: PathBuf,
    /// From 1; the first of them, where a record has several.
    pub line: u64,
    pub problem: String,
}

impl Skipped {
    /// Counts a record of `lines` lines that begins at `line`.
    pub fn add(&mut self, path: &Path, line: u64, lines: u64, problem: impl Into<String>) {
        self.lines += lines;
        if self.examples.len() < EXAMPLES {
            self.examples.push(SkippedLine { path: path.to_path_buf(), line, problem: problem.into() });
        }
    }
}

/// One interaction as a file has it; `None` for what the file's layout lacks.
#[derive(Debug)]
pub struct Record<'r> {
    pub user: Field<'r>,
    pub item: Field<'r>,
    pub time: Option<Field<'r>>,
    pub rating: Option<Field<'r>>,
}

/// Takes in records.
#[derive(Default)]
pub struct Sink {
    pub interactions: Interactions,
    pub skipped: Skipped,
    /// Units that times were written in.
    pub units: Vec<Unit>,
}

impl Sink {
    /// Takes in a record of `lines` lines at `line`, or counts it as rejected.
    ///
    /// # Errors
    /// There are more users, items or interactions than numbers for them.
    pub fn take(&mut self, path: &Path, line: u64, lines: u64, record: &Record<'_>) -> Result<(), ImportError> {
        let read = (|| {
            let user = record.user.id().map_err(|problem| format!("the user {problem}"))?;
            let item = record.item.id().map_err(|problem| format!("the item {problem}"))?;
            let time = record.time.as_ref().map(Field::time).transpose();
            let time = time.map_err(|problem| format!("the time {problem}"))?;
            let rating = record.rating.as_ref().map(Field::number).transpose();
            let rating = rating.map_err(|problem| format!("the rating {problem}"))?;
            Ok::<_, String>((user, item, time, rating))
        })();
        let (user, item, time, rating) = match read {
            Ok(read) => read,
            Err(problem) => {
                self.skipped.add(path, line, lines, problem);
                return Ok(());
            }
        };
        let out = &mut self.interactions;
        let numbers =
            out.users.number(&user).zip(out.items.number(&item)).filter(|_| out.user.len() < u32::MAX as usize);
        let (user, item) =
            numbers.ok_or_else(|| Unusable::new(path, "more than 4,294,967,294 interactions, users or items"))?;
        out.user.push(user);
        out.item.push(item);
        if let Some((time, unit)) = time {
            out.time.push(time);
            if !self.units.contains(&unit) {
                self.units.push(unit);
            }
        }
        out.rating.extend(rating.map(|rating| rating as f32));
        Ok(())
    }
}
