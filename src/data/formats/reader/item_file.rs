//! What files say of the items: title, description, categories.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::delimited::{self, Cells};
use super::histories::json_error;
use super::item_texts::{ItemTexts, shortened, split_categories};
use super::object::{Picked, pick, texts};
use super::object_stream::{Objects, Record};
use super::objects::note_replaced;
use super::parquet_file;
use crate::data::formats::ImportError;
use crate::data::formats::plan::{Delimited, ItemLayout, ItemRoles, Separator, Source};
use crate::data::formats::stream::input::{self, Monitor};
use crate::data::formats::value::field::{self, Field};
use crate::data::interactions::ItemText;

/// Genres of MovieLens 100k, in the order of their columns.
const GENRES: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];

/// Reads a file of items.
///
/// # Errors
/// The file cannot be read; a record that cannot is counted.
pub fn read(source: &Source<ItemLayout>, monitor: &Monitor<'_>, into: &mut ItemTexts<'_>) -> Result<(), ImportError> {
    let path = &source.path;
    match &source.layout {
        ItemLayout::Delimited { table, roles, between } => {
            let take = |cells: &Cells<'_>| of_cells(cells, roles, between);
            read_delimited(path, table, monitor, into, take)
        }
        ItemLayout::GenreFlags => read_delimited(path, &genre_flags_table(), monitor, into, with_flags),
        ItemLayout::Objects(roles) => read_objects(path, roles, monitor, into),
        ItemLayout::Map => {
            let mut reader = serde_json::Deserializer::from_reader(input::open(path, monitor)?);
            let read = Map(into).deserialize(&mut reader).and_then(|()| reader.end());
            read.map_err(|error| json_error(path, monitor, &error))
        }
        ItemLayout::Parquet(roles) => parquet_file::read_items(path, roles, monitor, into),
    }
}

/// The columns of [`ItemLayout::GenreFlags`].
pub fn genre_flags_table() -> Delimited {
    let columns = ["movie id", "movie title", "release date", "video release date", "URL"];
    let columns = columns.iter().chain(&GENRES).map(|&name| name.to_owned()).collect();
    Delimited::new(Separator::Plain(b'|'), false, columns)
}

fn read_delimited(
    path: &Path,
    table: &Delimited,
    monitor: &Monitor<'_>,
    into: &mut ItemTexts<'_>,
    of: impl Fn(&Cells<'_>) -> Result<(String, ItemText), String>,
) -> Result<(), ImportError> {
    delimited::each_record(path, table, monitor, |lines, cells| {
        let cells = cells.and_then(|cells| table.check(cells.len()).map(|()| cells));
        let read = cells.and_then(|cells| {
            into.not_utf8 += u64::from(cells.iter().any(|cell| std::str::from_utf8(cell).is_err()));
            of(&cells)
        });
        match read {
            Ok((id, text)) => into.take(&id, text),
            Err(problem) => into.skipped.add(path, lines.first, lines.count, problem),
        }
        Ok(ControlFlow::Continue(()))
    })
}

fn of_cells(cells: &Cells<'_>, roles: &ItemRoles<usize>, between: &str) -> Result<(String, ItemText), String> {
    let id = id_of(cells, roles.id)?;
    let part = |column: Option<usize>| column.and_then(|column| cells.get(column)).and_then(whole);
    let categories = part(roles.categories).unwrap_or_default();
    let title = roles.title.map(|column| cells.get(column).ok_or("the title is missing")).transpose()?;
    let text = ItemText {
        title: title.and_then(whole),
        description: part(roles.description).map(shortened),
        categories: split_categories(&categories, between),
    };
    Ok((id, text))
}

fn with_flags(cells: &Cells<'_>) -> Result<(String, ItemText), String> {
    const FIRST_FLAG: usize = 5;
    let id = id_of(cells, 0)?;
    let title = whole(cells.get(1).ok_or("the title is missing")?);
    let set = |genre: usize| cells.get(FIRST_FLAG + genre).is_some_and(|flag| flag.trim_ascii() == b"1");
    let categories = (0..GENRES.len()).filter(|&genre| set(genre)).map(|genre| GENRES[genre].to_owned()).collect();
    Ok((id, ItemText { title, description: None, categories }))
}

fn id_of(cells: &Cells<'_>, column: usize) -> Result<String, String> {
    let id = cells.get(column).map_or(Field::Missing, Field::of_bytes);
    id.id().map(std::borrow::Cow::into_owned).map_err(|problem| format!("the item {problem}"))
}

/// A column as text; none where it is empty.
fn whole(bytes: &[u8]) -> Option<String> {
    let text = field::text(bytes.trim_ascii());
    (!text.is_empty()).then(|| text.into_owned())
}

fn read_objects(
    path: &Path,
    roles: &ItemRoles<String>,
    monitor: &Monitor<'_>,
    into: &mut ItemTexts<'_>,
) -> Result<(), ImportError> {
    let keys =
        [Some(roles.id.as_str()), roles.title.as_deref(), roles.description.as_deref(), roles.categories.as_deref()];
    let mut objects = Objects::open(path, monitor)?;
    let mut replaced = 0;
    while let Some(Record { line, lines, text }) = objects.next_record()? {
        let read = pick(text, keys).and_then(|Picked { values: [id, title, description, categories], replaced }| {
            let id = Field::from(id).id().map_err(|problem| format!("the item {problem}"))?.into_owned();
            Ok((id, of_values(title, description, categories), replaced))
        });
        match read {
            Ok((id, text, mended)) => {
                into.take(&id, text);
                replaced += u64::from(mended);
            }
            Err(problem) => into.skipped.add(path, line, lines, problem),
        }
    }
    note_replaced(path, replaced, monitor);
    Ok(())
}

/// Texts of JSON values; lists are joined, and categories in one text are taken apart at commas.
fn of_values(title: Option<Value>, description: Option<Value>, categories: Option<Value>) -> ItemText {
    let one_text = matches!(categories, Some(Value::String(_)));
    let mut categories = texts(categories);
    if one_text {
        categories = categories.iter().flat_map(|text| split_categories(text, ",")).collect();
    }
    let mut distinct: Vec<String> = Vec::new();
    for category in categories {
        // Amazon lists a path from the root for each category, with the same beginnings.
        if !distinct.contains(&category) {
            distinct.push(category);
        }
    }
    let joined = |value| Some(texts(value).join(" ")).filter(|text| !text.is_empty());
    ItemText { title: joined(title), description: joined(description).map(shortened), categories: distinct }
}

/// Takes in `{item: {"title": …}}` item by item.
struct Map<'m, 't>(&'m mut ItemTexts<'t>);

impl<'de> DeserializeSeed<'de> for Map<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Map<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of items, each with a title")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(id) = map.next_key::<String>()? {
            if self.0.items.find(&id).is_none() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let mut value = map.next_value::<serde_json::Map<String, Value>>()?;
            let mut part = |names: &[&str]| names.iter().find_map(|name| value.remove(*name));
            let (title, description) = (part(&["title"]), part(&["description"]));
            self.0.take(&id, of_values(title, description, part(&["categories", "category"])));
        }
        Ok(())
    }
}
