//! The first rows of a file as they are, and what its columns are taken for.

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delimited::each_record;
use super::input::Monitor;
use super::plan::{Delimited, ItemLayout, Layout, Plan, Roles, Source};
use super::sample::FileSample;
use super::{ImportError, field, histories, item_file, parquet_file, table};
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
            Layout::Augmented => {
                let roles = Roles { user: 0, item: 2, time: None, rating: None };
                let table = histories::augmented_table();
                delimited(path, &table, &named(&table, roles.each()), rows)
            }
            Layout::Objects(roles) => objects(path, &owned(roles.each().map(|(role, key)| (role, *key))), rows),
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
            ItemLayout::Objects(roles) => objects(path, &owned(roles.each().map(|(role, key)| (role, *key))), rows)?,
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
        separator: Option<char>,
        header: bool,
        parts: &[(&str, &str)],
        rows: usize,
    ) -> Result<Self, InputError> {
        let (lines, columns) = table::columns_of(&FileSample::read(path)?, separator, header)?;
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
    parts.map(|(role, &column)| (role.to_owned(), name(column))).collect()
}

fn owned<'r>(parts: impl IntoIterator<Item = (&'static str, &'r str)>) -> Vec<(String, String)> {
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
        let cell = |column| cells.get(column).map_or_else(String::new, |bytes| short(&field::text(bytes)));
        rows.push((0..cells.len()).map(cell).collect());
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
    let columns: Vec<String> = sample.object().map(|object| object.keys().cloned().collect()).unwrap_or_default();
    let keys: Vec<Option<&str>> = columns.iter().map(|column| Some(column.as_str())).collect();
    let row = |line: &&[u8]| -> Option<Vec<String>> {
        let cell = |key: &Option<&str>| {
            let [value] = super::object::pick(line, [*key]).ok()?;
            Some(match value {
                Some(Value::String(text)) => short(&text),
                Some(value) => short(&value.to_string()),
                None => String::new(),
            })
        };
        keys.iter().map(cell).collect()
    };
    let rows = sample.lines().iter().filter_map(row).take(max).collect();
    Ok(FirstRows { columns, rows, mapping: mapping.to_vec() })
}

/// A text on one line, cut where it is long.
fn short(text: &str) -> String {
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).chain(['…']).collect() }
}
