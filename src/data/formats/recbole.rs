//! Atomic files of RecBole: columns between tabs, under names with types.

use std::path::PathBuf;

use super::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use super::sample::Look;
use crate::error::InputError;

const TYPES: [&str; 4] = ["token", "token_seq", "float", "float_seq"];

/// Names of the columns; none where they have no types.
fn columns(look: &Look) -> Option<Vec<String>> {
    let header = look.rows(b'\t', false).into_iter().next()?;
    let typed =
        |column: &String| column.rsplit_once(':').is_some_and(|(name, kind)| !name.is_empty() && TYPES.contains(&kind));
    (header.len() > 1 && header.iter().all(typed)).then_some(header)
}

/// The place of the first of some names.
fn place(columns: &[String], names: &[&str]) -> Option<usize> {
    let named =
        |name: &&str| columns.iter().position(|column| column.rsplit_once(':').is_some_and(|(own, _)| own == *name));
    names.iter().find_map(named)
}

/// How a `.inter` file is written; none where it is no atomic file.
///
/// # Errors
/// It is one, but not of single interactions: says which column is missing.
pub fn layout(look: &Look) -> Result<Option<Layout>, InputError> {
    let Some(columns) = columns(look) else { return Ok(None) };
    let user = place(&columns, &["user_id", "session_id"]);
    let Some((user, item)) = user.zip(place(&columns, &["item_id"])) else {
        // Items and users have files of the same kind.
        return Ok(None);
    };
    if place(&columns, &["item_id_list"]).is_some() {
        return Err(InputError::new(&look.path, "sequences, not single interactions")
            .at("the column item_id_list")
            .advice("an `.inter` file with user_id, item_id and timestamp was expected"));
    }
    let time = place(&columns, &["timestamp", "time"]);
    let rating = place(&columns, &["rating", "stars", "overall"]);
    let table = Delimited { separator: Separator::Plain(b'\t'), header: true, columns };
    Ok(Some(Layout::Delimited { table, roles: Roles { user, item, time, rating } }))
}

/// How a `.item` file is written; none where it is no such file.
pub fn items(look: &Look) -> Option<ItemLayout> {
    let columns = columns(look)?;
    let id = place(&columns, &["item_id"]).filter(|_| place(&columns, &["user_id", "session_id"]).is_none())?;
    let title = place(&columns, &["title", "movie_title", "item_name", "name", "product_title"]);
    let roles = ItemRoles {
        id,
        title,
        description: place(&columns, &["description"]),
        categories: place(&columns, &["categories", "category", "class", "genre", "genres"]),
    };
    let table = Delimited { separator: Separator::Plain(b'\t'), header: true, columns };
    Some(ItemLayout::Delimited { table, roles, between: " " })
}

/// The `.item` file beside a `.inter` file.
pub fn items_beside(look: &Look) -> Option<PathBuf> {
    let name = look.name();
    let stem = name.strip_suffix(".inter")?;
    [".item", ".item.gz", ".item.zst"]
        .map(|end| look.path.with_file_name(format!("{stem}{end}")))
        .into_iter()
        .find(|path| path.is_file())
}
