//! Files with a record a line, and columns between separators.

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;

use csv::ByteRecord;

use super::ImportError;
use super::field::Field;
use super::input::{self, Bounded, Lines, Monitor};
use super::plan::{Delimited, Roles, Separator, Splitter};
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

/// The lines of a record in its file.
#[derive(Debug, Clone, Copy)]
pub struct RecordLines {
    /// Number of the first of them, from 1.
    pub first: u64,
    /// How many there are: more than one where a quoted column has line ends.
    pub count: u64,
}

/// Goes through the records of a file, without its header, until `take` breaks.
///
/// # Errors
/// The file cannot be read, or `take` fails.
pub fn each_record(
    path: &Path,
    table: &Delimited,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(RecordLines, Cells<'_>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let (separator, quoted) = match table.separator {
        Separator::Quoted(separator) => (separator, true),
        Separator::Plain(separator) => (separator, false),
        Separator::Own(splitter) => return each_split(path, table, splitter, monitor, take),
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
        let first = record.position().map_or(0, csv::Position::line);
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
        let count = reader.position().line().saturating_sub(first).max(1);
        if take(RecordLines { first, count }, Cells::Quoted(&record))?.is_break() {
            return Ok(());
        }
    }
}

/// The same for lines that the format takes apart itself.
fn each_split(
    path: &Path,
    table: &Delimited,
    splitter: Splitter,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(RecordLines, Cells<'_>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let mut lines = Lines::open(path, monitor)?;
    if table.header {
        lines.next_line()?;
    }
    while let Some((line, text)) = lines.next_line()? {
        if take(RecordLines { first: line, count: 1 }, Cells::Split((splitter.split)(text)))?.is_break() {
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
    monitor: &Monitor<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let needed = roles.each().map(|(_, &column)| column + 1).max().unwrap_or(0);
    each_record(path, table, monitor, |lines, cells| {
        if cells.len() < needed {
            let problem = format!("{} columns, at least {needed} were expected", cells.len());
            sink.skipped.add(path, lines.first, lines.count, problem);
        } else {
            let field = |&column: &usize| cells.get(column).map_or(Field::Missing, Field::of_bytes);
            let Roles { user, item, time, rating } = roles.map(field);
            sink.take(path, lines.first, lines.count, &Record { user, item, time, rating })?;
        }
        Ok(ControlFlow::Continue(()))
    })
}
