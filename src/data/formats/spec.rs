//! What a format says of itself: words for people and for the reference, and how its files are told and read.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::options;
use super::plan::{ItemLayout, Layout};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;
use crate::data::variant_name::VariantName;
use crate::error::InputError;

/// A format of datasets: one static in a file of its own, and one line in the list of [`super`].
pub struct FormatSpec {
    /// Its name in project files, reports and caches: `RecBole`.
    pub key: &'static str,
    /// For people.
    pub label: &'static str,
    /// What the label does not say by itself, as lists of formats have it beside the label: `CSV, TSV, Parquet`. Often empty.
    pub kinds: &'static str,
    /// What such data are, in a sentence.
    pub summary: &'static str,
    /// Files that belong together.
    pub files: &'static [Term],
    /// What about the content of a file tells the format.
    pub recognition: &'static str,
    /// Whether content that fits leaves no doubt. A format that is not certain gives way to any other in a folder.
    pub certain: bool,
    /// What the advice says where a file is not of the format: `… was expected`.
    pub expected: &'static str,
    /// What is easily missed: units, orders of columns, what is left out.
    pub traps: &'static [&'static str],
    /// What a project file says of such data.
    pub fields: SourceFields,
    pub(super) reader: Reader,
}

impl FormatSpec {
    /// The kinds of events that its files have, where they have several.
    pub fn events(&self) -> Option<&Events> {
        self.reader.events.as_ref()
    }
}

/// What a project file says of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFields {
    /// Interactions whose files say themselves where a record's parts are: [`super::options::Import`].
    Interactions,
    /// Interactions in a table whose columns the project names: [`super::options::TableImport`].
    Table,
    /// A folder of data that come in stages: its path alone.
    Stages,
}

impl SourceFields {
    /// What they are, as a heading.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Interactions => "Fields of interactions",
            Self::Table => "Fields of a table",
            Self::Stages => "Fields of the release",
        }
    }

    /// The fields.
    pub(super) fn terms(self) -> &'static [Term] {
        match self {
            Self::Interactions => options::IMPORT_TERMS,
            Self::Table => options::TABLE_TERMS,
            Self::Stages => options::STAGES_TERMS,
        }
    }

    /// The least that a project file says, behind the name of the format.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Interactions | Self::Stages => r#"(path: "data")"#,
            Self::Table => r#"(path: "data.csv", columns: (user: "user_id", item: "item_id", time: "timestamp"))"#,
        }
    }
}

/// The kinds of events that a format's files have.
pub struct Events {
    /// Name of the column, or its number where there is no header.
    pub column: &'static str,
    /// The kinds that count unless a project says otherwise; empty where all do.
    pub usual: &'static [&'static str],
    pub kinds: &'static [Term],
}

/// How the files of a format are told and read.
pub(super) struct Reader {
    /// How a file of interactions is written, which its beginning tells; none where it is not one. `named` says that the user
    /// has named the format, so that what could be another's is read as this one's.
    ///
    /// An error for a file that is of the format, but cannot be used: says why.
    pub layout: fn(sample: &FileSample, named: bool) -> Result<Option<Layout>, InputError>,
    /// How a file of items is written; none where it is not one.
    pub items: fn(&FileSample) -> Option<ItemLayout>,
    /// The file of items that belongs to a file of interactions, where it is there.
    pub items_path: fn(&FileSample) -> Option<PathBuf>,
    /// All files of interactions that belong to one of them, in the order in which they are read.
    pub parts: fn(&Path) -> Vec<PathBuf>,
    /// The semantic-id index that belongs to a file of interactions, where it is there.
    pub index: fn(&Path) -> Option<PathBuf>,
    /// Whether a file has all interactions, of a folder that has them several times.
    pub is_whole: fn(&FileSample) -> bool,
    /// The kinds of events that its files have, where they have several.
    pub events: Option<Events>,
    /// Short name of the dataset for titles.
    pub name: fn(&FileSample) -> String,
    /// Why a file is taken for the format, in words for people.
    pub reason: fn(&Layout) -> String,
}

impl Reader {
    /// Interactions in one file whose name is the dataset's, and nothing of the items.
    pub const ONE_FILE: Self = Self {
        layout: |_, _| Ok(None),
        items: |_| None,
        items_path: |_| None,
        parts: |path| vec![path.to_path_buf()],
        index: |_| None,
        is_whole: |_| false,
        events: None,
        name: FileSample::stem,
        reason: Layout::reason,
    };
}

/// One of the formats.
#[derive(Clone, Copy)]
pub struct Format(&'static FormatSpec);

impl Format {
    /// The handle to a spec.
    pub(super) const fn of(spec: &'static FormatSpec) -> Self {
        Self(spec)
    }

    /// All of them, those first whose content leaves the least doubt.
    pub fn all() -> impl Iterator<Item = Self> {
        super::SPECS.iter().map(|spec| Self::of(spec))
    }

    /// The format of a key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::all().find(|format| format.key == key)
    }

    /// The label, with what it does not say by itself.
    pub fn long_label(self) -> String {
        if self.kinds.is_empty() { self.label.to_owned() } else { format!("{} ({})", self.label, self.kinds) }
    }

    /// The keys of all of them.
    pub fn keys() -> &'static [&'static str] {
        static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| Format::all().map(|format| format.0.key).collect());
        &KEYS
    }
}

impl Deref for Format {
    type Target = FormatSpec;

    fn deref(&self) -> &FormatSpec {
        self.0
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)
    }
}

/// As a unit variant of its key: `RecBole` in RON, `"RecBole"` in JSON.
impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = Self::keys().iter().position(|key| *key == self.key).unwrap_or_default();
        serializer.serialize_unit_variant("Format", number as u32, self.0.key)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unit;

        impl<'de> Visitor<'de> for Unit {
            type Value = Format;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a format")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Format, A::Error> {
                let name = VariantName { find: Format::of_key, known: Format::keys() };
                let (format, variant) = data.variant_seed(name)?;
                variant.unit_variant().map(|()| format)
            }
        }

        deserializer.deserialize_enum("Format", Self::keys(), Unit)
    }
}
