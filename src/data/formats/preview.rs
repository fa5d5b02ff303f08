//! The first rows of a file as they are, and what its columns are taken for.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delimited::each_record;
use super::field;
use super::input::Monitor;
use super::look::Look;
use super::plan::{Delimited, Layout, Plan, Roles};
use super::{ImportError, histories, parquet_file};
use crate::error::Unusable;

/// Longest text of a cell, in characters.
const LONGEST: usize = 60;

/// The first rows of a file of interactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Names of the columns, `#1` and so on where the file has none.
    pub columns: Vec<String>,
    /// A text for each column; long ones are cut.
    pub rows: Vec<Vec<String>>,
    /// What a column is taken for (`user`, `item`, `time`, `rating`), and its name.
    pub mapping: Vec<(String, String)>,
}

impl Preview {
    /// Reads the first rows of a plan's first file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(plan: &Plan, rows: usize) -> Result<Self, Unusable> {
        let Some(source) = plan.interactions.first() else {
            return Ok(Self { columns: Vec::new(), rows: Vec::new(), mapping: Vec::new() });
        };
        let mut ignore = |_| ControlFlow::Continue(());
        let monitor = Monitor::new(&mut ignore, 0);
        let path = &source.path;
        let delimited = |table: &Delimited, roles: &Roles<usize>| {
            let mut taken: Vec<Vec<String>> = Vec::new();
            each_record(path, table, &monitor, |_, cells| {
                if taken.len() == rows {
                    return Ok(ControlFlow::Break(()));
                }
                let cell = |column| cells.get(column).map_or_else(String::new, |bytes| short(&field::text(bytes)));
                taken.push((0..cells.len()).map(cell).collect());
                Ok(ControlFlow::Continue(()))
            })?;
            let named =
                |&column: &usize| table.columns.get(column).cloned().unwrap_or_else(|| format!("#{}", column + 1));
            Ok::<_, ImportError>(Self {
                columns: table.columns.clone(),
                rows: taken,
                mapping: mapping(&roles.map(named)),
            })
        };
        let preview = match &source.layout {
            Layout::Delimited { table, roles } => delimited(table, roles),
            Layout::Augmented => {
                let roles = Roles { user: 0, item: 2, time: None, rating: None };
                delimited(&histories::augmented_table(), &roles)
            }
            Layout::Objects(roles) => Ok(objects(&Look::at(path)?, &roles.map(|&key| key.to_owned()), rows)),
            Layout::Parquet(roles) => parquet_file::columns(path).map_err(ImportError::from).and_then(|columns| {
                let rows = parquet_file::first_rows(path, &columns, rows as u64, &monitor)?;
                let rows = rows.iter().map(|row| row.iter().map(|cell| short(cell)).collect()).collect();
                Ok(Self { columns, rows, mapping: mapping(roles) })
            }),
            Layout::Histories => Ok(Self {
                columns: vec!["user".to_owned(), "items".to_owned()],
                rows: first_histories(&Look::at(path)?, rows),
                mapping: vec![("user".to_owned(), "key".to_owned()), ("item".to_owned(), "list".to_owned())],
            }),
        };
        preview.map_err(ImportError::into_unusable)
    }
}

/// The first users with their items, as far as the beginning of the file has them.
fn first_histories(look: &Look, most: usize) -> Vec<Vec<String>> {
    let text = field::text(look.bytes()).into_owned();
    let users = text.split(']').map_while(|part| part.split_once('['));
    let clean = |text: &str| short(text.trim_matches(|character| !char::is_alphanumeric(character)));
    users.take(most).map(|(user, items)| vec![clean(user), short(items)]).collect()
}

fn mapping(roles: &Roles<String>) -> Vec<(String, String)> {
    roles.each().map(|(role, column)| (role.to_owned(), column.clone())).collect()
}

/// The first objects, whose keys are the columns.
fn objects(look: &Look, roles: &Roles<String>, most: usize) -> Preview {
    let columns: Vec<String> = look.object().map(|object| object.keys().cloned().collect()).unwrap_or_default();
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
    let rows = look.lines().iter().filter_map(row).take(most).collect();
    Preview { columns, rows, mapping: mapping(roles) }
}

/// A text on one line, cut where it is long.
fn short(text: &str) -> String {
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).chain(['…']).collect() }
}
