//! What a project file says of interactions that are imported.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::{Layout, Roles};
use super::reading::Reading;
use crate::data::prepare::Prepare;
use crate::data::term::Term;

/// Interactions in a known format, and how they are cut into stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file of interactions, the folder that it lies in, or a pattern of several: `parts/*.csv`.
    pub path: PathBuf,
    /// The file of items (titles, categories), where it is not beside the interactions under its usual name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub reading: Reading,
    /// Kinds of events that are interactions, of data that have several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Prepare::is_default")]
    pub prepare: Prepare,
}

impl Import {
    /// The interactions at a path, with default settings.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let reading = Reading::default();
        Self { path: path.into(), items: None, reading, events: None, prepare: Prepare::default() }
    }
}

/// Interactions in a table, and how they are cut into stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableImport {
    pub path: PathBuf,
    pub columns: Columns,
    /// Whether the first line names the columns.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub header: bool,
    /// What stands between columns, where the content does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemTable>,
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub reading: Reading,
    #[serde(default, skip_serializing_if = "Prepare::is_default")]
    pub prepare: Prepare,
}

impl TableImport {
    /// The table at a path that is written in a layout, with default settings; none where the layout has no columns.
    pub fn of_layout(path: &Path, layout: &Layout) -> Option<Self> {
        let (Roles { user, item, time, rating }, clock, header) = match layout {
            Layout::Parquet(roles) | Layout::Objects(roles) => (roles.clone(), None, true),
            Layout::Delimited { table, roles } => {
                let name = |&column: &usize| column_name(&table.columns, column);
                (roles.map(name), table.clock.as_ref().map(name), table.header)
            }
            Layout::Histories | Layout::Augmented(_) | Layout::Impressions | Layout::Lists => return None,
        };
        let columns = Columns { user, item, time, clock, rating };
        let (path, prepare) = (path.to_path_buf(), Prepare::default());
        Some(Self { path, columns, header, separator: None, items: None, reading: Reading::default(), prepare })
    }
}

/// What a project calls the column of an index: its name, or its number where others have the same name or it has none.
pub fn column_name(columns: &[String], index: usize) -> String {
    let name = columns.get(index).map_or("", String::as_str);
    let unique = columns.iter().filter(|other| *other == name).count() == 1;
    if unique && !name.is_empty() { name.to_owned() } else { format!("#{}", index + 1) }
}

fn yes() -> bool {
    true
}

/// Columns of a table by name, or by `#` and number: `#1` is the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub user: String,
    pub item: String,
    /// Numbers since 1970 or dates; their values tell which, unless `reading` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The time of day, where `time` has the day alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<String>,
}

/// A table of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemTable {
    pub path: PathBuf,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Categories, separated by `|`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<String>,
}

/// The fields of [`Import`].
pub(super) const IMPORT_TERMS: &[Term] = &[
    Term {
        name: "path",
        meaning: "the file of interactions, the folder that it lies in, or a pattern of several files that are read as one: \
                  `parts/*.csv`; from the project's folder; needed",
    },
    Term { name: "items", meaning: "the file of items, where it is not beside the interactions under its usual name" },
    Term { name: "reading", meaning: READING_MEANING },
    Term {
        name: "events",
        meaning: "of data with several kinds of events, those that are interactions: `events: [\"purchase\"]`; the kinds stand \
                  with the format",
    },
    Term { name: "prepare", meaning: "how interactions are prepared and cut into stages; see Preparation" },
];

/// The fields of [`TableImport`] and what they consist of.
pub(super) const TABLE_TERMS: &[Term] = &[
    Term {
        name: "path",
        meaning: "the file of interactions, a folder of parts, or a pattern like `parts/*.csv`, from the project's folder; needed",
    },
    Term {
        name: "columns",
        meaning: "`(user: \"…\", item: \"…\", time: \"…\", rating: \"…\")`: columns by name, or by `#` and number (`#1` is the first); \
                  user and item are needed. `clock: \"…\"` is a column with the time of day, where that of the time has the day alone. \
                  A key within an object of JSON, or a field of a struct of Parquet, has its path: `user.id`",
    },
    Term { name: "header", meaning: "whether the first line names the columns; `true` unless it says otherwise" },
    Term { name: "separator", meaning: "what stands between columns, such as `';'`, where the content does not tell" },
    Term {
        name: "items",
        meaning: "a table of items: `(path: \"…\", id: \"…\", title: \"…\", description: \"…\", categories: \"…\")`, of which path and \
                  id are needed; it has a header if the interactions have one",
    },
    Term { name: "reading", meaning: READING_MEANING },
    Term { name: "prepare", meaning: "how interactions are prepared and cut into stages; see Preparation" },
];

const READING_MEANING: &str = "how values are written, where what was found is wrong; see Reading";

/// The field of data that come in stages.
pub(super) const STAGES_TERMS: &[Term] =
    &[Term { name: "path", meaning: "the folder, from the project's folder; needed" }];
