//! Files with a record a line, and columns between separators.

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;

use csv::ByteRecord;

use super::ImportError;
use super::field::Field;
use super::input::{self, Bounded, Lines, Monitor};
use super::plan::{Delimited, Roles, Separator};
use super::sink::{Record, Sink};

/// The columns of one record.
pub enum Cells<'r> {
    Quoted(&'r ByteRecord),
    Split(Vec<&'r [u8]>),
}

impl<'r> Cells<'r> {
    /// The bytes of a column; none where the record is too short.
    pub fn get(&self, column: usize) -> Option<&[u8]> {
        match self {
            Self::Quoted(record) => record.get(column),
            Self::Split(parts) => parts.get(column).copied(),
        }
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Quoted(record) => record.len(),
            Self::Split(parts) => parts.len(),
        }
    }
}

/// Where a record is in its file.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// From 1.
    pub line: u64,
    /// Lines that it takes: more than one where a quoted column has line ends.
    pub lines: u64,
}

/// Goes through the records of a file, without its header, until `take` breaks.
///
/// # Errors
/// The file cannot be read, or `take` fails.
pub fn each_record(
    path: &Path,
    table: &Delimited,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(Place, Cells<'_>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let (separator, quoted) = match table.separator {
        Separator::Quoted(separator) => (separator, true),
        Separator::Plain(separator) => (separator, false),
        Separator::Colons => return each_split(path, table, monitor, take),
    };
    let (reader, restart) = Bounded::new(input::open(path, monitor)?);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .quoting(quoted)
        .has_headers(table.header)
        .flexible(true)
        .buffer_capacity(1 << 17)
        .from_reader(reader);
    let mut record = ByteRecord::new();
    loop {
        let read = reader.read_byte_record(&mut record);
        let line = record.position().map_or(0, csv::Position::line);
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == ErrorKind::FileTooLarge => {
                        input::too_long(path, reader.position().line()).into()
                    }
                    csv::ErrorKind::Io(error) => monitor.error(path, &error),
                    // The reader only splits bytes, so nothing else can be wrong.
                    other => monitor.error(path, &std::io::Error::other(format!("{other:?}"))),
                });
            }
        }
        restart();
        let lines = reader.position().line().saturating_sub(line).max(1);
        if take(Place { line, lines }, Cells::Quoted(&record))?.is_break() {
            return Ok(());
        }
    }
}

/// The same for files with `::` between columns, which is no single byte.
fn each_split(
    path: &Path,
    table: &Delimited,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(Place, Cells<'_>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let mut lines = Lines::open(path, monitor)?;
    if table.header {
        lines.next_line()?;
    }
    while let Some((line, text)) = lines.next_line()? {
        if take(Place { line, lines: 1 }, Cells::Split(split_colons(text)))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The parts of a line between `::`.
pub fn split_colons(line: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"::") {
        parts.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    parts.push(rest);
    parts
}

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read(
    path: &Path,
    table: &Delimited,
    roles: &Roles<usize>,
    monitor: &Monitor<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let needed = roles.each().map(|(_, &column)| column + 1).max().unwrap_or(0);
    each_record(path, table, monitor, |place, cells| {
        if cells.len() < needed {
            let problem = format!("{} columns, at least {needed} were expected", cells.len());
            sink.skipped.add(path, place.line, place.lines, problem);
        } else {
            let field = |&column: &usize| cells.get(column).map_or(Field::Missing, Field::of_bytes);
            let Roles { user, item, time, rating } = roles.map(field);
            sink.take(path, place.line, place.lines, &Record { user, item, time, rating })?;
        }
        Ok(ControlFlow::Continue(()))
    })
}
