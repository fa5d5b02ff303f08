//! Which files a dataset has, and how each is read: what a format's file says about itself, as data.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::reading::{Encoding, Escape, Reading};
use super::{Assumption, Format};

/// How a dataset is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub format: Format,
    /// Short name for titles.
    pub name: String,
    /// What a project file names: the file, the folder, or the pattern.
    pub path: PathBuf,
    /// Files of interactions, in the order in which they are read.
    pub interactions: Vec<Source<Layout>>,
    /// What is said of the items.
    pub items: Option<Source<ItemLayout>>,
    /// The semantic-id index that belongs to the dataset.
    pub index: Option<PathBuf>,
    /// What telling the format took for granted.
    pub assumptions: Vec<Assumption>,
    /// What the project says of how values are written.
    pub reading: Reading,
}

/// A file and its layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Source<L> {
    pub path: PathBuf,
    pub layout: L,
    /// The kinds of events that count, where the file has several and not all do.
    pub only: Option<Kinds>,
}

impl<L> Source<L> {
    pub fn new(path: impl AsRef<Path>, layout: L) -> Self {
        Self { path: path.as_ref().to_path_buf(), layout, only: None }
    }
}

/// Events that are of several kinds, in a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kinds {
    pub column: usize,
    /// The kinds that are interactions; empty where all are.
    pub kept: Vec<String>,
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
    /// JSON objects (or a Python dict a line), by the names of their keys; `user.id` is within `user`.
    Objects(Roles<String>),
    /// Parquet, by the names of its columns.
    Parquet(Roles<String>),
    /// `{user: [item, …]}`.
    Histories,
    /// User, earlier items and the next item in each line.
    Augmented(Augmented),
    /// What MIND showed to users, and what they chose.
    Impressions,
    /// `user item item …` a line, with blanks between.
    Lists,
}

/// Where the parts of a line with a history are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Augmented {
    pub table: Delimited,
    pub user: usize,
    /// The earlier items.
    pub history: usize,
    /// The next item.
    pub item: usize,
    /// The times of the earlier items and of the next.
    pub times: Option<(usize, usize)>,
}

/// How lines are taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delimited {
    pub separator: Separator,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Names of the columns, or their numbers from 1 where there is no header.
    pub columns: Vec<String>,
    /// What else its writer did.
    pub dialect: Dialect,
    /// The column with the time of day, where that of the time has the day alone.
    pub clock: Option<usize>,
}

impl Delimited {
    /// Lines as most programs write them.
    pub fn new(separator: Separator, header: bool, columns: Vec<String>) -> Self {
        Self { separator, header, columns, dialect: Dialect::default(), clock: None }
    }
}

/// What the writers of tables do differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Dialect {
    pub escape: Escape,
    /// What the lines before the first record begin with, where there are such.
    pub comments: Option<u8>,
    pub encoding: Option<Encoding>,
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

impl ItemRoles<String> {
    /// Parts by the names of keys.
    pub fn of(id: &str, title: &str, description: Option<&str>, categories: &str) -> Self {
        let owned = |name: &str| Some(name.to_owned());
        Self {
            id: id.to_owned(),
            title: owned(title),
            description: description.and_then(owned),
            categories: owned(categories),
        }
    }
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
    /// JSON objects (or a Python dict a line); lists of texts count one by one, one text of categories is separated by commas.
    Objects(ItemRoles<String>),
    /// `{item: {"title": …, "description": …, "categories": …}}`.
    Map,
    /// Parquet, by the names of its columns.
    Parquet(ItemRoles<String>),
}
