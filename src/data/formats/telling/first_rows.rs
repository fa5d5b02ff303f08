//! The first rows of a file as they are, and what its columns are taken for.

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sample::FileSample;
use crate::data::formats::ImportError;
use crate::data::formats::first_file;
use crate::data::formats::known::table;
use crate::data::formats::known::{mind, object_table};
use crate::data::formats::plan::{Augmented, Delimited, ItemLayout, Layout, Plan, Source};
use crate::data::formats::reader::delimited::each_record;
use crate::data::formats::reader::item_file;
use crate::data::formats::reader::object::{dotted_keys, pick};
use crate::data::formats::reader::object_stream::first_of;
use crate::data::formats::reader::parquet_file;
use crate::data::formats::reading::Reading;
use crate::data::formats::stream::input::Monitor;
use crate::data::formats::value::field;
use crate::error::InputError;

/// Longest text of a cell, in characters.
const LONGEST: usize = 60;

/// The first rows of a file of interactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstRows {
    /// Names of the columns, `#1` and so on where the file has none.
    pub columns: Vec<String>,
    /// A text for each column; long ones are cut.
    pub rows: Vec<Vec<String>>,
    /// What a column is taken for (`user`, `item`, `time`, `rating`; `id`, `title`, `description`, `categories`), and its name.
    pub mapping: Vec<(String, String)>,
}

impl FirstRows {
    /// Reads the first rows of a plan's first file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(plan: &Plan, rows: usize) -> Result<Self, InputError> {
        let Some(source) = plan.interactions.first() else {
            return Ok(Self { columns: Vec::new(), rows: Vec::new(), mapping: Vec::new() });
        };
        let path = &source.path;
        match &source.layout {
            Layout::Delimited { table, roles } => delimited(path, table, &named(table, roles.each()), rows),
            Layout::Augmented(Augmented { table, user, history, item, times }) => {
                let parts = [("user", Some(user)), ("earlier items", Some(history)), ("item", Some(item))];
                let parts = parts.into_iter().chain([("time", times.as_ref().map(|(_, time)| time))]);
                delimited(path, table, &named(table, parts.filter_map(|(part, at)| Some((part, at?)))), rows)
            }
            Layout::Impressions => {
                let table = mind::table();
                let parts = [("user", &1), ("earlier items", &3), ("item", &4), ("time", &2)];
                delimited(path, &table, &named(&table, parts.into_iter()), rows)
            }
            Layout::Lists => {
                let sample = FileSample::read(path)?;
                let lines = sample.lines().into_iter().take(rows);
                let row = |line| {
                    let line = field::text(line).into_owned();
                    let (user, items) = line.split_once(' ').unwrap_or((&line, ""));
                    vec![short(user), short(items)]
                };
                Ok(Self {
                    columns: vec!["user".to_owned(), "items".to_owned()],
                    rows: lines.map(row).collect(),
                    mapping: owned([("user", "user"), ("item", "items")]),
                })
            }
            Layout::Objects(roles) => objects(path, &owned(roles.each().map(|(role, key)| (role, key.as_str()))), rows),
            Layout::Parquet(roles) => parquet(path, &owned(roles.each().map(|(role, key)| (role, key.as_str()))), rows),
            Layout::Histories => Ok(Self {
                columns: vec!["user".to_owned(), "items".to_owned()],
                rows: first_histories(&FileSample::read(path)?, rows),
                mapping: owned([("user", "user"), ("item", "items")]),
            }),
        }
    }

    /// Reads the first rows of a file of items; none where it is no table.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_items(source: &Source<ItemLayout>, rows: usize) -> Result<Option<Self>, InputError> {
        let path = &source.path;
        Ok(Some(match &source.layout {
            ItemLayout::Delimited { table, roles, .. } => delimited(path, table, &named(table, roles.each()), rows)?,
            ItemLayout::Objects(roles) => {
                objects(path, &owned(roles.each().map(|(role, key)| (role, key.as_str()))), rows)?
            }
            ItemLayout::Parquet(roles) => {
                parquet(path, &owned(roles.each().map(|(role, key)| (role, key.as_str()))), rows)?
            }
            ItemLayout::GenreFlags => {
                let table = item_file::genre_flags_table();
                let roles = [("id", &0), ("title", &1)];
                delimited(path, &table, &named(&table, roles.into_iter()), rows)?
            }
            ItemLayout::Map => return Ok(None),
        }))
    }

    /// Reads the first rows of a table, of which parts are where `parts` says (role and column). Columns that are not
    /// there are left out of the mapping, so that the rows show what there is.
    ///
    /// # Errors
    /// The file cannot be read, or not be taken apart.
    pub fn of_table(
        path: &Path,
        (separator, header, reading): (Option<char>, bool, Reading),
        parts: &[(&str, &str)],
        rows: usize,
    ) -> Result<Self, InputError> {
        let path = &first_file(path)?;
        let sample = FileSample::read_as(path, reading)?;
        if let Some(columns) = object_table::columns(&sample) {
            let there = |(_, name): &&(&str, &str)| columns.iter().any(|column| column == name);
            return objects(path, &owned(parts.iter().filter(there).copied()), rows);
        }
        let (lines, columns) = table::columns_of(&sample, separator, header)?;
        let found = parts.iter().filter_map(|&(role, name)| {
            table::column_index(&columns, name).map(|index| (role.to_owned(), columns[index].clone()))
        });
        let mapping: Vec<(String, String)> = found.collect();
        match &lines {
            Some(lines) => delimited(path, lines, &mapping, rows),
            None => parquet(path, &mapping, rows),
        }
    }

    /// The texts of the column that is taken for a part.
    pub fn column_of(&self, role: &str) -> Option<impl Iterator<Item = &str>> {
        let (_, name) = self.mapping.iter().find(|(part, _)| part == role)?;
        let index = self.columns.iter().position(|column| column == name)?;
        Some(self.rows.iter().filter_map(move |row| row.get(index)).map(String::as_str))
    }
}

/// The mapping of parts to the names of a table's columns.
fn named<'r>(table: &Delimited, parts: impl Iterator<Item = (&'static str, &'r usize)>) -> Vec<(String, String)> {
    let name = |column: usize| table.columns.get(column).cloned().unwrap_or_else(|| format!("#{}", column + 1));
    let clock = table.clock.map(|column| ("clock".to_owned(), name(column)));
    parts.map(|(role, &column)| (role.to_owned(), name(column))).chain(clock).collect()
}

fn owned<'r>(parts: impl IntoIterator<Item = (&'r str, &'r str)>) -> Vec<(String, String)> {
    parts.into_iter().map(|(role, column)| (role.to_owned(), column.to_owned())).collect()
}

fn delimited(
    path: &Path,
    table: &Delimited,
    mapping: &[(String, String)],
    max: usize,
) -> Result<FirstRows, InputError> {
    let mut ignore = |_| ControlFlow::Continue(());
    let monitor = Monitor::new(&mut ignore, 0);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let read = each_record(path, table, &monitor, |_, cells| {
        if rows.len() == max {
            return Ok(ControlFlow::Break(()));
        }
        rows.extend(cells.map(|cells| cells.iter().map(|cell| short(&field::text(cell))).collect()));
        Ok(ControlFlow::Continue(()))
    });
    read.map_err(ImportError::into_input_error)?;
    Ok(FirstRows { columns: table.columns.clone(), rows, mapping: mapping.to_vec() })
}

fn parquet(path: &Path, mapping: &[(String, String)], max: usize) -> Result<FirstRows, InputError> {
    let mut ignore = |_| ControlFlow::Continue(());
    let monitor = Monitor::new(&mut ignore, 0);
    let columns = parquet_file::columns(path)?;
    let rows = parquet_file::first_rows(path, &columns, max as u64, &monitor).map_err(ImportError::into_input_error)?;
    let rows = rows.iter().map(|row| row.iter().map(|cell| short(cell)).collect()).collect();
    Ok(FirstRows { columns, rows, mapping: mapping.to_vec() })
}

/// The first users with their items, as far as the beginning of the file has them.
fn first_histories(sample: &FileSample, max: usize) -> Vec<Vec<String>> {
    let text = field::text(sample.bytes()).into_owned();
    let users = text.split(']').map_while(|part| part.split_once('['));
    let clean = |text: &str| short(text.trim_matches(|character| !char::is_alphanumeric(character)));
    users.take(max).map(|(user, items)| vec![clean(user), short(items)]).collect()
}

/// The first objects, whose keys are the columns.
fn objects(path: &Path, mapping: &[(String, String)], max: usize) -> Result<FirstRows, InputError> {
    let sample = FileSample::read(path)?;
    let columns = sample.object().map(|object| dotted_keys(&object)).unwrap_or_default();
    let keys: Vec<Option<&str>> = columns.iter().map(|column| Some(column.as_str())).collect();
    let row = |line: &[u8]| -> Option<Vec<String>> {
        let cell = |key: &Option<&str>| {
            let [value] = pick(line, [*key]).ok()?.values;
            Some(match value {
                Some(Value::String(text)) => short(&text),
                Some(value) => short(&value.to_string()),
                None => String::new(),
            })
        };
        keys.iter().map(cell).collect()
    };
    let rows = first_of(sample.bytes(), max + 1).into_iter().filter_map(row).take(max).collect();
    Ok(FirstRows { columns, rows, mapping: mapping.to_vec() })
}

/// A text on one line, cut where it is long.
fn short(text: &str) -> String {
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).chain(['…']).collect() }
}
