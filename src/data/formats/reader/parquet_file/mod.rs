//! Parquet files, by the names of their columns.

mod columns;
mod value;

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field as Value, Row};
use parquet::schema::types::Type;

use self::columns::{Column, names, projection};
use super::item_texts::{ItemTexts, shortened, split_categories};
use super::sink::{Record, Sink};
use crate::crash;
use crate::data::formats::ImportError;
use crate::data::formats::plan::{ItemRoles, Roles};
use crate::data::formats::stream::input::Monitor;
use crate::data::formats::stream::spool;
use crate::data::formats::value::field::Field;
use crate::data::interactions::ItemText;
use crate::error::InputError;

/// Names of a file's columns; those within a struct follow its name and a dot.
///
/// # Errors
/// The file cannot be read.
pub fn columns(path: &Path) -> Result<Vec<String>, InputError> {
    guarded(path, || Ok(names(schema(&open(path)?).get_fields())))
}

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read or lacks a column; a record that cannot be read is counted, by its number among the records.
pub fn read(path: &Path, roles: &Roles<String>, monitor: &Monitor<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let wanted: Vec<&str> = roles.each().map(|(_, name)| name.as_str()).collect();
    each_row(path, &wanted, monitor, |number, row| {
        let Roles { user, item, time, rating } = roles.map(|name| row.field(name));
        sink.take(path, number, 1, &Record { user, item, time, rating })?;
        Ok(ControlFlow::Continue(()))
    })
}

/// The first rows as texts, in the order of `columns`.
///
/// # Errors
/// The file cannot be read.
pub fn first_rows(
    path: &Path,
    columns: &[String],
    max: u64,
    monitor: &Monitor<'_>,
) -> Result<Vec<Vec<String>>, ImportError> {
    let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    each_row(path, &wanted, monitor, |number, row| {
        rows.push(columns.iter().map(|name| row.shown(name)).collect());
        Ok(if number >= max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(rows)
}

/// Reads what a file says of the items.
///
/// # Errors
/// The file cannot be read or lacks a column; a record that cannot be read is counted.
pub fn read_items(
    path: &Path,
    roles: &ItemRoles<String>,
    monitor: &Monitor<'_>,
    into: &mut ItemTexts<'_>,
) -> Result<(), ImportError> {
    let optional = [&roles.title, &roles.description, &roles.categories].into_iter().flatten();
    let wanted: Vec<&str> = [&roles.id].into_iter().chain(optional).map(String::as_str).collect();
    each_row(path, &wanted, monitor, |number, row| {
        let value = |name: &String| row.value(name).map(|(value, _)| value);
        let text = |name: &Option<String>| {
            let texts = name.as_ref().and_then(value).map(texts).unwrap_or_default();
            Some(texts.join(" ")).filter(|text| !text.is_empty())
        };
        match row.field(&roles.id).id() {
            Ok(id) => {
                let categories = roles.categories.as_ref().and_then(value).map(texts).unwrap_or_default();
                let categories = categories.iter().flat_map(|text| split_categories(text, ",")).collect();
                let description = text(&roles.description).map(shortened);
                into.take(&id, ItemText { title: text(&roles.title), description, categories });
            }
            Err(problem) => into.skipped.add(path, number, 1, format!("the item {problem}")),
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The columns of a row that are read.
struct Columns<'r> {
    columns: &'r [Column],
    values: &'r [(String, Value)],
}

impl Columns<'_> {
    /// The value of a column, and what it stands for.
    fn value(&self, name: &str) -> Option<(&Value, columns::Unit)> {
        let column = self.columns.iter().find(|column| column.name() == name)?;
        Some((column.of(self.values)?, column.unit()))
    }

    fn field(&self, name: &str) -> Field<'_> {
        self.value(name).map_or(Field::Missing, |(value, unit)| value::field(value, unit))
    }

    fn shown(&self, name: &str) -> String {
        self.value(name).map(|(value, unit)| value::shown(value, unit)).unwrap_or_default()
    }
}

/// Goes through the rows of a file, of which only the named columns are read.
fn each_row(
    path: &Path,
    wanted: &[&str],
    monitor: &Monitor<'_>,
    mut take: impl FnMut(u64, Columns<'_>) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let (reader, (projection, columns)) = guarded(path, || {
        let reader = open(path)?;
        let projection = projection(path, schema(&reader), wanted)?;
        Ok((reader, projection))
    })?;
    let rows = reader.metadata().file_metadata().num_rows().max(1) as u64;
    let bytes_a_row = std::fs::metadata(path).map_or(0, |file| file.len()) / rows;
    let damage = |error| Err(damaged(path, &error).into());
    let mut rows = match guard(|| reader.get_row_iter(Some(projection))) {
        Ok(rows) => rows,
        Err(error) => return damage(error),
    };
    for number in 1.. {
        match guard(|| rows.next().transpose()) {
            Ok(Some(row)) => {
                let values: Vec<(String, Value)> = Row::into_columns(row);
                if take(number, Columns { columns: &columns, values: &values })?.is_break() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => return damage(error),
        }
        monitor.advance(bytes_a_row).map_err(|error| monitor.error(path, &error))?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, InputError> {
    SerializedFileReader::new(spool::open_file(path)?).map_err(|error| damaged(path, &error))
}

fn schema(reader: &SerializedFileReader<File>) -> &Type {
    reader.metadata().file_metadata().schema()
}

fn damaged(path: &Path, error: &ParquetError) -> InputError {
    InputError::new(path, format!("not a sound Parquet file: {error}")).advice("fetch or write it again")
}

/// Runs what reads a file that others wrote: the library checks most of what it reads, and panics on the rest.
fn guard<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    crash::contained(read).unwrap_or_else(|_| Err(ParquetError::General("its parts contradict each other".to_owned())))
}

fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, InputError>) -> Result<T, InputError> {
    crash::contained(read)
        .unwrap_or_else(|_| Err(damaged(path, &ParquetError::General("its parts contradict each other".to_owned()))))
}

/// All texts of a value, however its lists are nested.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Str(text) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Value::ListInternal(list) => list.elements().iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
