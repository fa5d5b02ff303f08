//! Where a dataset comes from, as the project file says it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::formats::Format;
use super::formats::plan::{Layout, Plan};
use super::prepare::{Prepare, StageCuts};

/// Where the interactions come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DatasetSource {
    /// A folder of the paper's release: `<name>.all.block_<k>.json`, `<name>.index.*.json`, optional `<name>.item.json`.
    PesoRelease {
        path: PathBuf,
    },
    /// Generated users whose tastes drift; labelled as synthetic wherever it is shown.
    Synthetic(SyntheticOptions),
    /// Interactions whose format their content tells.
    Detect(Import),
    /// LC-Rec and LETTER: `<name>.inter.json`, with index and items beside it.
    LcRec(Import),
    /// Reviews or ratings (user, item, rating, seconds) and metadata of Amazon, 2014.
    Amazon2014(Import),
    /// Reviews or ratings (item, user, rating, seconds) and metadata of Amazon, 2018.
    Amazon2018(Import),
    /// Reviews or ratings (user, parent item, rating, milliseconds) and metadata of Amazon, 2023.
    Amazon2023(Import),
    /// Atomic files of RecBole.
    RecBole(Import),
    MovieLens(Import),
    Yelp(Import),
    /// CSV, TSV or Parquet with columns that are named here.
    Table(TableImport),
}

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

impl DatasetSource {
    /// The source whose files a plan reads, with default settings.
    pub fn of_plan(plan: &Plan) -> Self {
        let path = plan.interactions.first().map(|source| source.path.clone()).unwrap_or_default();
        let import = Import::at(path.clone());
        let table = |columns| {
            Self::Table(TableImport {
                path: path.clone(),
                columns,
                header: true,
                separator: None,
                items: None,
                prepare: Prepare::default(),
            })
        };
        let layout = plan.interactions.first().map(|source| &source.layout);
        match (plan.format, layout) {
            (Format::Table, Some(Layout::Parquet(roles))) => {
                let (user, item) = (roles.user.clone(), roles.item.clone());
                table(Columns { user, item, time: roles.time.clone(), rating: roles.rating.clone() })
            }
            (Format::Table, Some(Layout::Delimited { table: lines, roles })) => {
                let name = |&column: &usize| lines.columns.get(column).cloned().unwrap_or_default();
                let (time, rating) = (roles.time.as_ref().map(name), roles.rating.as_ref().map(name));
                match table(Columns { user: name(&roles.user), item: name(&roles.item), time, rating }) {
                    Self::Table(table) => Self::Table(TableImport { header: lines.header, ..table }),
                    other => other,
                }
            }
            (format, _) => Self::of_format(format, import.clone()).unwrap_or(Self::Detect(import)),
        }
    }

    /// The format and files of an import; no format where the content tells it. None for other sources, and for tables.
    pub fn import(&self) -> Option<(Option<Format>, &Import)> {
        Some(match self {
            Self::Detect(import) => (None, import),
            Self::LcRec(import) => (Some(Format::LcRec), import),
            Self::Amazon2014(import) => (Some(Format::Amazon2014), import),
            Self::Amazon2018(import) => (Some(Format::Amazon2018), import),
            Self::Amazon2023(import) => (Some(Format::Amazon2023), import),
            Self::RecBole(import) => (Some(Format::RecBole), import),
            Self::MovieLens(import) => (Some(Format::MovieLens), import),
            Self::Yelp(import) => (Some(Format::Yelp), import),
            Self::PesoRelease { .. } | Self::Synthetic(_) | Self::Table(_) => return None,
        })
    }

    /// How imported interactions are prepared; none for a source that comes in stages.
    pub fn prepare(&self) -> Option<&Prepare> {
        match self {
            Self::Table(table) => Some(&table.prepare),
            other => other.import().map(|(_, import)| &import.prepare),
        }
    }

    /// The same with other stages; a source that comes in stages stays as it is.
    #[must_use]
    pub fn with_stages(mut self, stages: StageCuts) -> Self {
        if let Some(prepare) = self.prepare_mut() {
            prepare.stages = stages;
        }
        self
    }

    /// The same, to be changed.
    pub fn prepare_mut(&mut self) -> Option<&mut Prepare> {
        match self {
            Self::Table(table) => Some(&mut table.prepare),
            other => other.import_mut().map(|import| &mut import.prepare),
        }
    }

    /// The files of an import, to be changed; none for other sources, and for tables.
    pub fn import_mut(&mut self) -> Option<&mut Import> {
        match self {
            Self::Detect(import)
            | Self::LcRec(import)
            | Self::Amazon2014(import)
            | Self::Amazon2018(import)
            | Self::Amazon2023(import)
            | Self::RecBole(import)
            | Self::MovieLens(import)
            | Self::Yelp(import) => Some(import),
            Self::PesoRelease { .. } | Self::Synthetic(_) | Self::Table(_) => None,
        }
    }

    /// Interactions in a format of files that say themselves where their parts are; none for a table.
    pub fn of_format(format: Format, import: Import) -> Option<Self> {
        Some(match format {
            Format::LcRec => Self::LcRec(import),
            Format::Amazon2014 => Self::Amazon2014(import),
            Format::Amazon2018 => Self::Amazon2018(import),
            Format::Amazon2023 => Self::Amazon2023(import),
            Format::RecBole => Self::RecBole(import),
            Format::MovieLens => Self::MovieLens(import),
            Format::Yelp => Self::Yelp(import),
            Format::Table => return None,
        })
    }

    /// The file or folder that the interactions are read from; none for generated ones.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::PesoRelease { path } => Some(path),
            Self::Synthetic(_) => None,
            Self::Table(table) => Some(&table.path),
            other => other.import().map(|(_, import)| import.path.as_path()),
        }
    }

    /// The same with every path changed.
    #[must_use]
    pub fn with_paths(mut self, to: impl Fn(&Path) -> PathBuf) -> Self {
        match &mut self {
            Self::PesoRelease { path } => *path = to(path),
            Self::Synthetic(_) => {}
            Self::Table(table) => {
                table.path = to(&table.path);
                if let Some(items) = &mut table.items {
                    items.path = to(&items.path);
                }
            }
            other => {
                if let Some(import) = other.import_mut() {
                    import.path = to(&import.path);
                    import.items = import.items.as_deref().map(to);
                }
            }
        }
        self
    }
}
/// Controls of the synthetic drift generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyntheticOptions {
    /// Users of all stages together.
    pub users: usize,
    /// Items of all stages together.
    pub items: usize,
    pub stages: usize,
    /// Mean interactions of an active user in stage 1, and in each later stage; every one has at least 2.
    pub interactions: (f64, f64),
    /// Codes per level of the semantic ids (4 levels).
    pub codes: usize,
    /// Dimension of the latent tastes.
    pub latent: usize,
    /// Rank of the planted rotation of preferences between stages.
    pub rotation_rank: usize,
    /// Strength of the drift: angle of the rotation a stage, in radians.
    pub drift: f64,
    /// Whether preferences turn a little from every stage to the next, or all at once.
    pub onset: Onset,
    /// Share of users whose tastes drift; the others keep theirs.
    pub drifting_share: f64,
    /// Share of the users, and of the items, that first appear in each later stage.
    pub arrivals: f64,
    /// Popularity skew: an item's popularity falls with its rank to this power; 0 makes all items equally popular.
    pub popularity_skew: f64,
    pub seed: u64,
}

/// When the preferences of a generated dataset turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Onset {
    /// By `drift` from each stage to the next.
    Gradual,
    /// Once, before this stage (from 2), by as much as a gradual drift turns up to the last stage.
    Abrupt(usize),
}

impl Default for SyntheticOptions {
    fn default() -> Self {
        Self {
            users: 800,
            items: 400,
            stages: 5,
            interactions: (11.0, 5.5),
            codes: 16,
            latent: 16,
            rotation_rank: 2,
            drift: 0.6,
            onset: Onset::Gradual,
            drifting_share: 0.5,
            arrivals: 0.08,
            popularity_skew: 0.45,
            seed: 7,
        }
    }
}
