//! Files with a record a line, and columns between separators.

use std::ops::ControlFlow;
use std::path::Path;

pub use super::records::{Cells, RecordLines};
use super::records::{Cut, Records};
use super::sink::{Record, Sink};
use crate::data::formats::ImportError;
use crate::data::formats::plan::{Delimited, Kinds, Roles, Separator, Splitter};
use crate::data::formats::reading::Encoding;
use crate::data::formats::stream::encoding::Change;
use crate::data::formats::stream::input::{self, Lines, Monitor};
use crate::data::formats::value::field::Field;

impl Delimited {
    /// How its lines are taken apart; none where the format does so itself.
    pub fn cut(&self) -> Result<Cut, Splitter> {
        let (separator, quoted) = match self.separator {
            Separator::Quoted(separator) => (separator, true),
            Separator::Plain(separator) => (separator, false),
            Separator::Own(splitter) => return Err(splitter),
        };
        let columns = Some(self.columns.len());
        Ok(Cut { separator, quoted, escape: self.dialect.escape, columns, comments: self.dialect.comments })
    }

    /// What is wrong with a record of so many columns.
    pub fn check(&self, columns: usize) -> Result<(), String> {
        let expected = self.columns.len();
        if columns == expected { Ok(()) } else { Err(format!("{columns} columns, {expected} were expected")) }
    }
}

/// Goes through the records of a file, without its header, until `take` breaks; a record that cannot be taken apart comes as the
/// reason why.
///
/// # Errors
/// The file cannot be read, or `take` fails.
pub fn each_record(
    path: &Path,
    table: &Delimited,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(RecordLines, Result<Cells<'_>, String>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let cut = match table.cut() {
        Ok(cut) => cut,
        Err(splitter) => return each_split(path, table, splitter, monitor, take),
    };
    let mut reader = input::open(path, monitor)?;
    if table.dialect.encoding == Some(Encoding::Latin1) {
        reader = Change::Latin1.applied(reader);
    }
    let mut records = Records::new(path, reader, monitor, cut);
    if table.header {
        records.next()?;
    }
    while let Some((lines, cells)) = records.next()? {
        if take(lines, cells)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The same for lines that the format takes apart itself.
fn each_split(
    path: &Path,
    table: &Delimited,
    splitter: Splitter,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(RecordLines, Result<Cells<'_>, String>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let mut lines = Lines::open(path, monitor)?;
    if table.header {
        lines.next_line()?;
    }
    let mut places = Vec::new();
    while let Some((line, text)) = lines.next_line()? {
        places.clear();
        let mut from = 0;
        for part in (splitter.split)(text) {
            places.push((from, from + part.len()));
            from += part.len() + splitter.name.len();
        }
        if take(RecordLines { first: line, count: 1 }, Ok(Cells::new(text, &places)))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read(
    path: &Path,
    table: &Delimited,
    roles: &Roles<usize>,
    only: Option<&Kinds>,
    monitor: &Monitor<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let strict = table.dialect.encoding == Some(Encoding::Utf8);
    let names = table.header.then(|| [&roles.user, &roles.item].map(|&column| table.columns.get(column)));
    let mut moment = Vec::new();
    each_record(path, table, monitor, |lines, cells| {
        let cells = match cells.and_then(|cells| table.check(cells.len()).map(|()| cells)) {
            Ok(cells) => cells,
            Err(problem) => {
                sink.reject(path, lines.first, lines.count, problem);
                return Ok(ControlFlow::Continue(()));
            }
        };
        let cell = |&column: &usize| cells.get(column).unwrap_or_default();
        if names.is_some_and(|names| {
            [&roles.user, &roles.item].map(cell) == names.map(|name| name.map_or(&b""[..], |name| name.as_bytes()))
        }) {
            sink.reject(path, lines.first, lines.count, "the line of names once more");
            return Ok(ControlFlow::Continue(()));
        }
        if only.is_some_and(|kinds| sink.events.leaves_out(cells.get(kinds.column), kinds)) {
            // Counted by its kind.
            return Ok(ControlFlow::Continue(()));
        }
        let Roles { user, item, mut time, rating } = roles.map(|column| Field::of_bytes(cell(column)));
        if let (Some(clock), Some(date)) = (table.clock, &roles.time) {
            moment.clear();
            moment.extend_from_slice(cell(date).trim_ascii());
            moment.push(b' ');
            moment.extend_from_slice(cell(&clock).trim_ascii());
            time = Some(Field::of_bytes(&moment));
        }
        if user.was_not_utf8() || item.was_not_utf8() {
            if strict {
                sink.reject(path, lines.first, lines.count, "a text that is not UTF-8");
                return Ok(ControlFlow::Continue(()));
            }
            sink.not_utf8 += 1;
        }
        sink.take(path, lines.first, lines.count, &Record { user, item, time, rating })?;
        Ok(ControlFlow::Continue(()))
    })
}
