//! What a project file says of interactions that are imported.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::{Layout, Roles};
use crate::data::prepare::Prepare;
use crate::data::term::Term;

/// Interactions in a known format, and how they are cut into stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file of interactions, or the folder that it lies in.
    pub path: PathBuf,
    /// The file of items (titles, categories), where it is not beside the interactions under its usual name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Prepare::is_default")]
    pub prepare: Prepare,
}

impl Import {
    /// The interactions at a path, with default settings.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), items: None, prepare: Prepare::default() }
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
    #[serde(default, skip_serializing_if = "Prepare::is_default")]
    pub prepare: Prepare,
}

impl TableImport {
    /// The table at a path that is written in a layout, with default settings; none where the layout has no columns.
    pub fn of_layout(path: &Path, layout: &Layout) -> Option<Self> {
        let (Roles { user, item, time, rating }, header) = match layout {
            Layout::Parquet(roles) => (roles.clone(), true),
            Layout::Delimited { table, roles } => {
                let name = |&column: &usize| table.columns.get(column).cloned().unwrap_or_default();
                (roles.map(name), table.header)
            }
            Layout::Objects(_) | Layout::Histories | Layout::Augmented => return None,
        };
        let columns = Columns { user, item, time, rating };
        let (path, prepare) = (path.to_path_buf(), Prepare::default());
        Some(Self { path, columns, header, separator: None, items: None, prepare })
    }
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
    /// Seconds, milliseconds, microseconds or nanoseconds since 1970, or dates like `2014-07-23 10:15:00`, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
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
        meaning: "the file of interactions, or the folder that it lies in, from the project's folder; needed",
    },
    Term { name: "items", meaning: "the file of items, where it is not beside the interactions under its usual name" },
    Term { name: "prepare", meaning: "how interactions are prepared and cut into stages; see Preparation" },
];

/// The fields of [`TableImport`] and what they consist of.
pub(super) const TABLE_TERMS: &[Term] = &[
    Term { name: "path", meaning: "the file of interactions, from the project's folder; needed" },
    Term {
        name: "columns",
        meaning: "`(user: \"…\", item: \"…\", time: \"…\", rating: \"…\")`: columns by name, or by `#` and number (`#1` is the first); \
                  user and item are needed",
    },
    Term { name: "header", meaning: "whether the first line names the columns; `true` unless it says otherwise" },
    Term { name: "separator", meaning: "what stands between columns, such as `';'`, where the content does not tell" },
    Term {
        name: "items",
        meaning: "a table of items: `(path: \"…\", id: \"…\", title: \"…\", description: \"…\", categories: \"…\")`, of which path and \
                  id are needed; it has a header if the interactions have one",
    },
    Term { name: "prepare", meaning: "how interactions are prepared and cut into stages; see Preparation" },
];

/// The field of data that come in stages.
pub(super) const STAGES_TERMS: &[Term] =
    &[Term { name: "path", meaning: "the folder, from the project's folder; needed" }];
