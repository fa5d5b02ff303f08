//! Parquet files, by the names of their columns.

use std::fs::File;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field as Value, Row};
use parquet::schema::types::{Type, TypePtr};

use super::ImportError;
use super::field::Field;
use super::input::Monitor;
use super::item_texts::{ItemTexts, shortened, split_categories};
use super::plan::{ItemRoles, Roles};
use super::sink::{Record, Sink};
use crate::calendar;
use crate::data::interactions::ItemText;
use crate::error::InputError;

/// Names of a file's columns, without those inside others.
///
/// # Errors
/// The file cannot be read.
pub fn columns(path: &Path) -> Result<Vec<String>, InputError> {
    guarded(path, || {
        let reader = open(path)?;
        Ok(fields(&reader).iter().map(|field| field.name().to_owned()).collect())
    })
}

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read or lacks a column; a record that cannot be read is counted, by its number among the records.
pub fn read(path: &Path, roles: &Roles<String>, monitor: &Monitor<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let names: Vec<&str> = roles.each().map(|(_, name)| name.as_str()).collect();
    each_row(path, &names, monitor, |number, row| {
        let field = |name: &String| {
            row.iter().find(|(column, _)| column == name).map_or(Field::Missing, |(_, value)| of_value(value))
        };
        let Roles { user, item, time, rating } = roles.map(field);
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
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    each_row(path, &names, monitor, |number, row| {
        let texts = columns.iter().map(|name| {
            let value = row.iter().find(|(column, _)| column == name).map(|(_, value)| value.to_string());
            value.unwrap_or_default().trim_matches('"').to_owned()
        });
        rows.push(texts.collect());
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
    let names: Vec<&str> = [&roles.id].into_iter().chain(optional).map(String::as_str).collect();
    each_row(path, &names, monitor, |number, row| {
        let value = |name: &String| row.iter().find(|(column, _)| column == name).map(|(_, value)| value);
        let text = |name: &Option<String>| {
            let texts = name.as_ref().and_then(value).map(texts).unwrap_or_default();
            Some(texts.join(" ")).filter(|text| !text.is_empty())
        };
        match value(&roles.id).map_or(Field::Missing, of_value).id() {
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

/// Goes through the rows of a file, of which only the named columns are read.
fn each_row(
    path: &Path,
    names: &[&str],
    monitor: &Monitor<'_>,
    mut take: impl FnMut(u64, &[(String, Value)]) -> Result<ControlFlow<()>, ImportError>,
) -> Result<(), ImportError> {
    let (reader, projection) = guarded(path, || {
        let reader = open(path)?;
        let projection = projection(path, &reader, names)?;
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
                let columns: Vec<(String, Value)> = Row::into_columns(row);
                if take(number, &columns)?.is_break() {
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
    let file = File::open(path).map_err(|error| InputError::io(path, "open", &error))?;
    SerializedFileReader::new(file).map_err(|error| damaged(path, &error))
}

fn fields(reader: &SerializedFileReader<File>) -> &[TypePtr] {
    reader.metadata().file_metadata().schema().get_fields()
}

/// The schema of the named columns alone.
fn projection(path: &Path, reader: &SerializedFileReader<File>, names: &[&str]) -> Result<Type, InputError> {
    let fields = fields(reader);
    for &name in names {
        if !fields.iter().any(|field| field.name() == name) {
            let known: Vec<&str> = fields.iter().map(|field| field.name()).collect();
            return Err(InputError::new(path, format!("there is no column \"{name}\""))
                .advice(format!("the file has {}", known.join(", "))));
        }
    }
    let wanted = fields.iter().filter(|field| names.contains(&field.name())).map(Arc::clone).collect();
    let name = reader.metadata().file_metadata().schema().name();
    Type::group_type_builder(name).with_fields(wanted).build().map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, error: &ParquetError) -> InputError {
    InputError::new(path, format!("not a sound Parquet file: {error}")).advice("fetch or write it again")
}

/// Runs what reads a file that others wrote: the library checks most of what it reads, and panics on the rest.
fn guard<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("its parts contradict each other".to_owned())))
}

fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, InputError>) -> Result<T, InputError> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(damaged(path, &ParquetError::General("its parts contradict each other".to_owned()))))
}

fn of_value(value: &Value) -> Field<'_> {
    match value {
        Value::Str(text) => Field::of_bytes(text.as_bytes()),
        Value::Bytes(bytes) => Field::of_bytes(bytes.data()),
        Value::Byte(number) => Field::Integer(i64::from(*number)),
        Value::Short(number) => Field::Integer(i64::from(*number)),
        Value::Int(number) => Field::Integer(i64::from(*number)),
        Value::Long(number) => Field::Integer(*number),
        Value::UByte(number) => Field::Integer(i64::from(*number)),
        Value::UShort(number) => Field::Integer(i64::from(*number)),
        Value::UInt(number) => Field::Integer(i64::from(*number)),
        Value::ULong(number) => i64::try_from(*number).map_or(Field::Missing, Field::Integer),
        Value::Float(number) => Field::Float(f64::from(*number)),
        Value::Double(number) => Field::Float(*number),
        Value::Date(days) => Field::Milliseconds(i64::from(*days) * calendar::DAY),
        Value::TimestampMillis(time) => Field::Milliseconds(*time),
        Value::TimestampMicros(time) => Field::Milliseconds(time.div_euclid(1000)),
        _ => Field::Missing,
    }
}

/// All texts of a value, however its lists are nested.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Str(text) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Value::ListInternal(list) => list.elements().iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
