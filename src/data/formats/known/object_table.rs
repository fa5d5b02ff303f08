//! JSON objects as a table: keys are the columns, those of objects within others with dots between.

use serde_json::{Map, Value};

use super::table::{self, KnownColumns};
use crate::data::formats::options::{Columns, ItemTable, TableImport};
use crate::data::formats::plan::{ItemLayout, ItemRoles, Layout, Roles};
use crate::data::formats::reader::object::dotted_keys;
use crate::data::formats::reader::object_stream::first_of;
use crate::data::formats::reading::Reading;
use crate::data::formats::telling::sample::FileSample;
use crate::data::prepare::Prepare;
use crate::error::InputError;

/// Objects whose keys are looked at.
const OBJECTS: usize = 200;

/// The keys of a file's first objects; none where it has no objects, or one that maps to lists.
pub fn columns(sample: &FileSample) -> Option<Vec<String>> {
    if sample.is_parquet() || sample.first_of_first_list().is_some_and(|first| first != b'{') {
        return None;
    }
    let mut columns: Vec<String> = dotted_keys(&sample.object()?);
    for text in first_of(sample.bytes(), OBJECTS) {
        // A record that cannot be read names no key; reading the file counts it.
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(text) else { continue };
        for key in dotted_keys(&object) {
            if !columns.contains(&key) {
                columns.push(key);
            }
        }
    }
    Some(columns)
}

/// Columns by what their names usually mean: `user.id` as `user_id`, or as its last part.
fn known(columns: &[String]) -> KnownColumns {
    let whole: Vec<String> = columns.iter().map(|name| name.replace('.', "")).collect();
    let last: Vec<String> = columns.iter().map(|name| name.rsplit('.').next().unwrap_or(name).to_owned()).collect();
    let (whole, last) = (KnownColumns::of(&whole), KnownColumns::of(&last));
    KnownColumns {
        user: whole.user.or(last.user),
        item: whole.item.or(last.item),
        time: whole.time.or(last.time),
        rating: whole.rating.or(last.rating),
    }
}

/// Objects whose keys name a user and an item.
pub fn guess(sample: &FileSample) -> Option<Layout> {
    let columns = columns(sample)?;
    let KnownColumns { user, item, time, rating } = known(&columns);
    let roles = Roles { user: user?, item: item?, time, rating };
    Some(Layout::Objects(roles.map(|&column| columns[column].clone())))
}

/// What objects are taken for whose keys do not say it; none where a file has no objects, or fewer than two keys.
pub fn propose(sample: &FileSample) -> Option<TableImport> {
    let columns = columns(sample)?;
    let known = known(&columns);
    let taken = [known.user, known.item, known.time, known.rating];
    let mut free = (0..columns.len()).filter(|column| !taken.contains(&Some(*column)));
    let user = known.user.or_else(|| free.next())?;
    let item = known.item.or_else(|| free.next())?;
    let name = |column: usize| columns[column].clone();
    let (time, rating) = (known.time.map(name), known.rating.map(name));
    let columns = Columns { user: name(user), item: name(item), time, clock: None, rating };
    let (path, reading, prepare) = (sample.path.clone(), Reading::default(), Prepare::default());
    Some(TableImport { path, columns, header: true, separator: None, items: None, reading, prepare })
}

/// How the user says that objects are read; none where a file has none.
///
/// # Errors
/// A key that is named is in none of the first objects; the error lists those that are.
pub fn layout(sample: &FileSample, import: &TableImport) -> Result<Option<Layout>, InputError> {
    let Some(columns) = columns(sample) else { return Ok(None) };
    let Columns { user, item, time, clock, rating } = &import.columns;
    if clock.is_some() {
        return Err(InputError::new(&sample.path, "a time of day in a key of its own is not joined with the day")
            .at("`dataset`, field `columns.clock`")
            .advice("write both into one key, like 2014-07-23 10:15:00"));
    }
    let key = |name: &String| known_key(sample, &columns, name);
    let optional = |name: &Option<String>| name.as_ref().map(key).transpose();
    let roles = Roles { user: key(user)?, item: key(item)?, time: optional(time)?, rating: optional(rating)? };
    Ok(Some(Layout::Objects(roles)))
}

/// The same of items.
///
/// # Errors
/// As [`layout`].
pub fn items(sample: &FileSample, items: &ItemTable) -> Result<Option<ItemLayout>, InputError> {
    let Some(columns) = columns(sample) else { return Ok(None) };
    let key = |name: &String| known_key(sample, &columns, name);
    let optional = |name: &Option<String>| name.as_ref().map(key).transpose();
    let ItemTable { id, title, description, categories, .. } = items;
    Ok(Some(ItemLayout::Objects(ItemRoles {
        id: key(id)?,
        title: optional(title)?,
        description: optional(description)?,
        categories: optional(categories)?,
    })))
}

/// What objects of items are taken for; none where a file has none.
pub fn propose_items(sample: &FileSample) -> Option<ItemTable> {
    let columns = columns(sample)?;
    Some(table::propose_items_of(&sample.path, &columns))
}

fn known_key(sample: &FileSample, columns: &[String], name: &str) -> Result<String, InputError> {
    // An object within the record has no column of its own, and is named by its parts.
    if columns.iter().any(|column| column == name) {
        return Ok(name.to_owned());
    }
    Err(InputError::new(&sample.path, format!("there is no key \"{name}\""))
        .at("the first objects")
        .advice(format!("they have {}", columns.join(", "))))
}
