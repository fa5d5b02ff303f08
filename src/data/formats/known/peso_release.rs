//! The datasets that the PESO authors released: chronological blocks with a semantic-id index.
//!
//! A folder holds `<name>.all.block_<k>.json` (k from 0, the base stage), one `<name>.index.<suffix>.json`, and
//! optionally `<name>.item.json` with titles.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::data::catalogue::order_of_ids;
use crate::data::dataset::{Dataset, Item, Sequence, Stage};
use crate::data::formats::spec::{Format, FormatSpec, Reader, SourceFields};
use crate::data::term::Term;
use crate::error::InputError;
use crate::json;
use crate::semantic_id::SemanticIndex;
use crate::semantic_id::index::IndexFile;

pub static SPEC: FormatSpec = FormatSpec {
    key: "PesoRelease",
    label: "Release of the paper",
    kinds: "",
    summary: "The datasets that the authors of PESO published: users' interactions in chronological blocks, prepared already, with \
              their semantic ids.",
    files: &[
        Term {
            name: "<name>.all.block_<k>.json",
            meaning: "a block from 0 (the base stage) on: `{user: {\"previous_block\": [item, …], \"current_block\": [item, …]}}`; \
                      items are texts",
        },
        Term {
            name: "<name>.index.<suffix>.json",
            meaning: "the semantic ids, `{item: [\"<a_1>\", …]}`; needed unless the project names or trains an index",
        },
        Term { name: "<name>.item.json", meaning: "titles, `{item: {\"title\": …}}`; optional" },
    ],
    recognition: "a folder with a file that is called `<name>.all.block_<k>.json`",
    certain: true,
    expected: "a folder of the paper's release was expected",
    traps: &[
        "The data come in stages, so that there is nothing to prepare: the blocks are the stages.",
        "Every block from 0 on must be there; the file of one that is missing is named.",
        "A user counts in a block with at least 3 interactions, where the release keeps 5.",
        "`previous_block` is the user's whole earlier history, not the block before.",
        "Items of a block that the index does not have are an error; several items may share one id.",
        "One dataset a folder, and plain files only: neither `.gz` nor `.zst`.",
    ],
    fields: SourceFields::Stages,
    reader: Reader::ONE_FILE,
};

impl Format {
    /// The paper's release, which comes in stages.
    pub const PESO_RELEASE: Self = Self::of(&SPEC);
}

/// Whether a file is a block, by its name.
pub fn is_block(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.contains(".all.block_") && name.ends_with(".json")
}

/// Reads a released dataset; `index` is used in place of the folder's own semantic-id index where it is given.
///
/// Items are numbered by ascending id (by value where all ids are numbers), users by first appearance.
///
/// # Errors
/// Names the file that is missing, or the file, line and user or item of what cannot be used.
pub fn load(folder: &Path, index: Option<&Path>) -> Result<Dataset, InputError> {
    let files = Files::find(folder, index)?;
    let (mut items, index, numbers) = catalogue(&files.index)?;
    if let Some(path) = &files.titles {
        json::read(path, Titles { items: &mut items, numbers: &numbers })?;
    }
    let mut users = Users::default();
    let lookup = Lookup { numbers: &numbers, index: &files.index };
    let stages = files.blocks.iter().map(|path| read_block(path, lookup, &mut users));
    let stages = stages.collect::<Result<Vec<_>, _>>()?;
    let mut dataset =
        Dataset { name: files.name, items, users: users.names, index, stages, synthetic: false, hash: String::new() };
    dataset.hash = dataset.content_hash();
    Ok(dataset)
}

/// The files of one dataset.
struct Files {
    name: String,
    /// Blocks 0, 1, 2, … without a gap.
    blocks: Vec<PathBuf>,
    index: PathBuf,
    titles: Option<PathBuf>,
}

impl Files {
    fn find(folder: &Path, index: Option<&Path>) -> Result<Self, InputError> {
        let names = file_names(folder)?;
        let (name, numbers) = blocks(folder, &names)?;
        let block = |k: u32| folder.join(format!("{name}.all.block_{k}.json"));
        if let Some(missing) = (0..).zip(&numbers).find(|(expected, found)| expected != *found).map(|(k, _)| k) {
            let list = numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            let role = if missing == 0 { "the base stage, block 0," } else { "a block in the middle" };
            return Err(InputError::new(block(missing), format!("{role} is missing"))
                .advice(format!("the folder has blocks {list}; every block from 0 on is needed")));
        }
        let index = match index {
            Some(path) => path.to_path_buf(),
            None => folder.join(own_index(folder, &name, &names)?),
        };
        let titles = format!("{name}.item.json");
        let titles = names.contains(&titles).then(|| folder.join(titles));
        Ok(Self { blocks: numbers.iter().map(|&k| block(k)).collect(), name, index, titles })
    }
}

/// Names of the folder's files, sorted.
fn file_names(folder: &Path) -> Result<Vec<String>, InputError> {
    if !folder.is_dir() {
        let problem = if folder.exists() { "not a folder" } else { "there is no such folder" };
        return Err(InputError::new(folder, problem).advice("a folder of the paper's release was expected"));
    }
    let unreadable = |error| InputError::io(folder, "list", &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        // A name that is not UTF-8 is none of the release's.
        names.extend(entry.map_err(unreadable)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// The dataset's name and its block numbers, ascending.
fn blocks(folder: &Path, names: &[String]) -> Result<(String, Vec<u32>), InputError> {
    let mut found: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (name, number) in names.iter().filter_map(|file| block_of(file)) {
        found.entry(name).or_default().push(number);
    }
    let several = found.len() > 1;
    let list = found.keys().copied().collect::<Vec<_>>().join(", ");
    match found.into_iter().next() {
        None => Err(InputError::new(folder, "no block in the folder")
            .advice("it should hold <name>.all.block_0.json, block_1, …, and <name>.index.<suffix>.json")),
        Some(_) if several => Err(InputError::new(folder, format!("blocks of several datasets in one folder: {list}"))
            .advice("keep each dataset in a folder of its own")),
        Some((name, mut numbers)) => {
            numbers.sort_unstable();
            Ok((name.to_owned(), numbers))
        }
    }
}

/// Name and number of `<name>.all.block_<k>.json`.
fn block_of(file: &str) -> Option<(&str, u32)> {
    let (name, number) = file.strip_suffix(".json")?.rsplit_once(".all.block_")?;
    let parsed: u32 = number.parse().ok()?;
    (!name.is_empty() && parsed.to_string() == number).then_some((name, parsed))
}

/// The one `<name>.index.json` or `<name>.index.<suffix>.json`.
fn own_index<'n>(folder: &Path, name: &str, names: &'n [String]) -> Result<&'n str, InputError> {
    let prefix = format!("{name}.index.");
    let is_index =
        |file: &str| file.strip_prefix(&prefix).is_some_and(|rest| rest == "json" || rest.ends_with(".json"));
    let found: Vec<&str> = names.iter().map(String::as_str).filter(|file| is_index(file)).collect();
    match found[..] {
        [index] => Ok(index),
        [] => Err(InputError::new(folder.join(format!("{prefix}*.json")), "the semantic-id index is missing")
            .advice("put it into the folder, or name one with `semantic_ids: Index(\"…\")`")),
        _ => Err(InputError::new(folder, format!("several semantic-id indices: {}", found.join(", ")))
            .advice("keep one, or name one with `semantic_ids: Index(\"…\")`")),
    }
}

/// Number of each item's id in the catalogue.
type ItemNumbers = HashMap<String, u32>;

/// What an item id of a block is looked up in.
#[derive(Clone, Copy)]
struct Lookup<'c> {
    numbers: &'c ItemNumbers,
    /// The index file, for errors.
    index: &'c Path,
}

/// The catalogue in the order of numbers, without titles, from the index file.
fn catalogue(path: &Path) -> Result<(Vec<Item>, SemanticIndex, ItemNumbers), InputError> {
    let file = IndexFile::read(path)?;
    let order = order_of_ids(&file.items);
    let codes: Vec<u32> = order.iter().flat_map(|&row| file.row(row)).copied().collect();
    let items: Vec<Item> = order.iter().map(|&row| Item { id: file.items[row].clone(), title: None }).collect();
    let numbers = items.iter().zip(0..).map(|(item, number)| (item.id.clone(), number)).collect();
    Ok((items, SemanticIndex::from_numbers(file.levels, &codes), numbers))
}

/// Users by first appearance.
#[derive(Default)]
struct Users {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Users {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

fn read_block(path: &Path, lookup: Lookup<'_>, users: &mut Users) -> Result<Stage, InputError> {
    let mut stage = Stage::default();
    let reading = RefCell::new(None);
    let block = Block { stage: &mut stage, users, lookup, reading: &reading };
    json::read(path, block).map_err(|mut error| {
        if let (Some(user), Some(at)) = (reading.take(), &error.place) {
            error.place = Some(format!("user {user}, {at}"));
        }
        error
    })?;
    if stage.sequences.is_empty() {
        return Err(InputError::new(path, "the block has no user"));
    }
    Ok(stage)
}

/// Takes in a block user by user.
struct Block<'b> {
    stage: &'b mut Stage,
    users: &'b mut Users,
    lookup: Lookup<'b>,
    /// The user that is being read, for errors.
    reading: &'b RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Block<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Block<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of users")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let user = self.users.number(&name);
            self.reading.replace(Some(name));
            if !seen.insert(user) {
                return Err(A::Error::custom("the user occurs twice in the block"));
            }
            let (items, current_from) = map.next_value_seed(User(self.lookup))?;
            self.reading.take();
            self.stage.sequences.push(Sequence { user, items, current_from });
        }
        Ok(())
    }
}

/// One user's `{"previous_block": […], "current_block": […]}`: all items, and where the current ones begin.
struct User<'c>(Lookup<'c>);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    PreviousBlock,
    CurrentBlock,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for User<'_> {
    type Value = (Vec<u32>, usize);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for User<'_> {
    type Value = (Vec<u32>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `previous_block` and `current_block`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut previous, mut current) = (None, None);
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::PreviousBlock => previous = Some(map.next_value_seed(Items(self.0))?),
                Field::CurrentBlock => current = Some(map.next_value_seed(Items(self.0))?),
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let mut all = previous.ok_or_else(|| A::Error::missing_field("previous_block"))?;
        let current_from = all.len();
        all.append(&mut current.ok_or_else(|| A::Error::missing_field("current_block"))?);
        Ok((all, current_from))
    }
}

/// A list of item ids, as numbers in the catalogue.
struct Items<'c>(Lookup<'c>);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Vec<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u32>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of item ids (strings)")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u32>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(ItemId(self.0))? {
            items.push(item);
        }
        Ok(items)
    }
}

/// One item id, as a number in the catalogue.
struct ItemId<'c>(Lookup<'c>);

impl<'de> DeserializeSeed<'de> for ItemId<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ItemId<'_> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item id (a string)")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<u32, E> {
        let Lookup { numbers, index } = self.0;
        numbers.get(id).copied().ok_or_else(|| {
            let index = index.file_name().unwrap_or(index.as_os_str()).to_string_lossy();
            E::custom(format!("item `{id}` has no semantic id in {index}"))
        })
    }
}

/// Takes in `{item: {"title": …, …}}`; items that are not in the catalogue are left out.
struct Titles<'t> {
    items: &'t mut [Item],
    numbers: &'t ItemNumbers,
}

/// What is read of an item.
#[derive(Deserialize)]
struct Description {
    title: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Titles<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Titles<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of items, each with a title")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((id, description)) = map.next_entry::<String, Description>()? {
            if let Some(&number) = self.numbers.get(&id) {
                self.items[number as usize].title = description.title.filter(|title| !title.trim().is_empty());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_names_are_taken_apart() {
        assert_eq!(block_of("Games_0.6.all.block_12.json"), Some(("Games_0.6", 12)));
        for other in
            ["Games.all.block_1.json.gz", "Games.all.block_x.json", "Games.all.block_01.json", ".all.block_1.json"]
        {
            assert_eq!(block_of(other), None, "{other}");
        }
    }
}
