//! Atomic files of RecBole: columns between tabs, under names with types.

use std::path::PathBuf;

use super::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use super::sample::FileSample;
use super::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;
use crate::error::InputError;

pub(super) static SPEC: FormatSpec = FormatSpec {
    key: "RecBole",
    label: "RecBole",
    kinds: "",
    summary: "Atomic files of the RecBole library: a table of interactions and one of items, whose columns say their types.",
    files: &[
        Term {
            name: "<name>.inter",
            meaning: "tab-separated, under a header like `user_id:token`, `item_id:token`, `rating:float`, `timestamp:float`; \
                      user (or `session_id`) and item are needed",
        },
        Term {
            name: "<name>.item",
            meaning: "tab-separated, with `item_id:token` and columns such as `title`, `description`, `categories` or `genre`; \
                      optional",
        },
    ],
    recognition: "a first line of which every name has a type: `token`, `token_seq`, `float` or `float_seq`",
    certain: true,
    expected: "a `.inter` file with a header like `user_id:token` was expected",
    traps: &[
        "Sequences within a column (`token_seq`) are separated by blanks: a category of two words is two.",
        "Files of sequences (`item_id_list`) are not read: single interactions are expected.",
        "The time is `timestamp` or `time`, the rating `rating`, `stars` or `overall`; other names are not used. `.user` files are \
         not read.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, _| layout(sample), items, items_path, reason, ..Reader::ONE_FILE },
};

const TYPES: [&str; 4] = ["token", "token_seq", "float", "float_seq"];

/// Names of the columns; none where they have no types.
fn columns(sample: &FileSample) -> Option<Vec<String>> {
    let header = sample.rows(b'\t', false).into_iter().next()?;
    let typed =
        |column: &String| column.rsplit_once(':').is_some_and(|(name, kind)| !name.is_empty() && TYPES.contains(&kind));
    (header.len() > 1 && header.iter().all(typed)).then_some(header)
}

/// The index of the first of some names.
fn index_of(columns: &[String], names: &[&str]) -> Option<usize> {
    let named =
        |name: &&str| columns.iter().position(|column| column.rsplit_once(':').is_some_and(|(own, _)| own == *name));
    names.iter().find_map(named)
}

/// How a `.inter` file is written; none where it is no atomic file.
///
/// # Errors
/// It is one, but not of single interactions: says which column is missing.
fn layout(sample: &FileSample) -> Result<Option<Layout>, InputError> {
    let Some(columns) = columns(sample) else { return Ok(None) };
    let user = index_of(&columns, &["user_id", "session_id"]);
    let Some((user, item)) = user.zip(index_of(&columns, &["item_id"])) else {
        // Items and users have files of the same kind.
        return Ok(None);
    };
    if index_of(&columns, &["item_id_list"]).is_some() {
        return Err(InputError::new(&sample.path, "sequences, not single interactions")
            .at("the column item_id_list")
            .advice("an `.inter` file with user_id, item_id and timestamp was expected"));
    }
    let time = index_of(&columns, &["timestamp", "time"]);
    let rating = index_of(&columns, &["rating", "stars", "overall"]);
    let table = Delimited { separator: Separator::Plain(b'\t'), header: true, columns };
    Ok(Some(Layout::Delimited { table, roles: Roles { user, item, time, rating } }))
}

/// How a `.item` file is written; none where it is no such file.
fn items(sample: &FileSample) -> Option<ItemLayout> {
    let columns = columns(sample)?;
    let id = index_of(&columns, &["item_id"]).filter(|_| index_of(&columns, &["user_id", "session_id"]).is_none())?;
    let title = index_of(&columns, &["title", "movie_title", "item_name", "name", "product_title"]);
    let roles = ItemRoles {
        id,
        title,
        description: index_of(&columns, &["description"]),
        categories: index_of(&columns, &["categories", "category", "class", "genre", "genres"]),
    };
    let table = Delimited { separator: Separator::Plain(b'\t'), header: true, columns };
    Some(ItemLayout::Delimited { table, roles, between: " " })
}

/// The `.item` file beside a `.inter` file.
fn items_path(sample: &FileSample) -> Option<PathBuf> {
    let name = sample.name();
    let stem = name.strip_suffix(".inter")?;
    [".item", ".item.gz", ".item.zst"]
        .map(|end| sample.path.with_file_name(format!("{stem}{end}")))
        .into_iter()
        .find(|path| path.is_file())
}

fn reason(layout: &Layout) -> String {
    match layout {
        Layout::Delimited { table, .. } => {
            let first = table.columns.first().map_or("", String::as_str);
            format!("The names of the columns have types, like {first}")
        }
        other => other.reason(),
    }
}
