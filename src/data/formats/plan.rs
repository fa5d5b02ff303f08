//! Which files a dataset has, and how each is read: what a format's file says about itself, as data.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Format;

/// How a dataset is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub format: Format,
    /// Short name for titles.
    pub name: String,
    /// Files of interactions, in the order in which they are read.
    pub interactions: Vec<Source<Layout>>,
    /// What is said of the items.
    pub items: Option<Source<ItemLayout>>,
    /// The semantic-id index that belongs to the dataset.
    pub index: Option<PathBuf>,
}

/// A file and its layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Source<L> {
    pub path: PathBuf,
    pub layout: L,
}

impl<L> Source<L> {
    pub fn new(path: impl AsRef<Path>, layout: L) -> Self {
        Self { path: path.as_ref().to_path_buf(), layout }
    }
}

/// Where a record's parts are: indices of columns, or names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Roles<C> {
    pub user: C,
    pub item: C,
    pub time: Option<C>,
    pub rating: Option<C>,
}

impl<C> Roles<C> {
    /// The parts with their words, in the order in which they are shown.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &C)> {
        let parts = [("user", Some(&self.user)), ("item", Some(&self.item)), ("time", self.time.as_ref())];
        let parts = parts.into_iter().chain([("rating", self.rating.as_ref())]);
        parts.filter_map(|(role, column)| Some((role, column?)))
    }

    /// Other columns for the same parts.
    pub fn map<D>(&self, mut to: impl FnMut(&C) -> D) -> Roles<D> {
        Roles {
            user: to(&self.user),
            item: to(&self.item),
            time: self.time.as_ref().map(&mut to),
            rating: self.rating.as_ref().map(&mut to),
        }
    }
}

/// How a file of interactions is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Layout {
    /// A record a line, columns between separators.
    Delimited { table: Delimited, roles: Roles<usize> },
    /// A JSON object (or Python dict) a line.
    Objects(Roles<&'static str>),
    /// Parquet, by the names of its columns.
    Parquet(Roles<String>),
    /// `{user: [item, …]}`.
    Histories,
    /// User, earlier items and the next item, with a header: the sequences of LC-Rec.
    Augmented,
}

/// How lines are taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delimited {
    pub separator: Separator,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Names of the columns, or their numbers from 1 where there is no header.
    pub columns: Vec<String>,
}

/// What stands between columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Separator {
    /// A comma, semicolon or the like; a column may be in quotes.
    Quoted(u8),
    /// A tab or the like; quotes are text.
    Plain(u8),
    /// The format takes lines apart itself.
    Own(Splitter),
}

/// How a format takes a line apart itself.
#[derive(Clone, Copy, Serialize)]
pub struct Splitter {
    /// Tells it from others, in caches too.
    pub name: &'static str,
    /// The columns of a line.
    #[serde(skip)]
    pub split: fn(&[u8]) -> Vec<&[u8]>,
}

impl fmt::Debug for Splitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Splitter {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Splitter {}

/// Where an item's parts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemRoles<C> {
    pub id: C,
    pub title: Option<C>,
    pub description: Option<C>,
    pub categories: Option<C>,
}

impl<C> ItemRoles<C> {
    /// The parts with their words, in the order in which they are shown.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &C)> {
        let optional = [("title", &self.title), ("description", &self.description), ("categories", &self.categories)];
        let optional = optional.into_iter().filter_map(|(role, column)| Some((role, column.as_ref()?)));
        [("id", &self.id)].into_iter().chain(optional)
    }
}

/// How a file of items is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ItemLayout {
    /// A record a line; categories are separated by `between`.
    Delimited { table: Delimited, roles: ItemRoles<usize>, between: &'static str },
    /// `u.item` of MovieLens 100k: id and title, and from the sixth column on a flag for each genre.
    GenreFlags,
    /// A JSON object (or Python dict) a line; lists of texts count one by one, one text of categories is separated by commas.
    Objects(ItemRoles<&'static str>),
    /// `{item: {"title": …, "description": …, "categories": …}}`.
    Map,
    /// Parquet, by the names of its columns.
    Parquet(ItemRoles<String>),
}
