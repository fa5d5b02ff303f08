//! Where a dataset comes from, as the project file says it.

mod names;

use std::fmt;
use std::path::{Path, PathBuf};

use super::formats::options::{Import, TableImport};
use super::formats::plan::Plan;
use super::formats::reading::Reading;
use super::formats::{Detected, Format, SourceFields};
use super::prepare::{Prepare, StageCuts};
use super::synthetic::SyntheticOptions;

/// Where the interactions come from. In a project file it is the name of a format, or `Detect` or `Synthetic`, with what
/// belongs to it: `RecBole(path: "data")`.
#[derive(Clone, PartialEq)]
pub enum DatasetSource {
    /// Generated users whose tastes drift; labelled as synthetic wherever it is shown.
    Synthetic(SyntheticOptions),
    /// Interactions whose format their content tells.
    Detect(Import),
    /// Interactions in a format whose files say themselves where a record's parts are.
    Interactions(Format, Import),
    /// CSV, TSV or Parquet with columns that are named here.
    Table(TableImport),
    /// A folder of the paper's release: `<name>.all.block_<k>.json`, `<name>.index.*.json`, optional `<name>.item.json`.
    PesoRelease { path: PathBuf },
}

impl DatasetSource {
    /// The source whose files a plan reads, with default settings.
    pub fn of_plan(plan: &Plan) -> Self {
        let (path, source) = (&plan.path, plan.interactions.first());
        match plan.format.fields {
            SourceFields::Interactions => Self::Interactions(plan.format, Import::at(path)),
            SourceFields::Table => match source.and_then(|source| TableImport::of_layout(path, &source.layout)) {
                Some(table) => Self::Table(table),
                None => Self::Detect(Import::at(path)),
            },
            SourceFields::Stages => Self::PesoRelease { path: path.clone() },
        }
    }

    /// Whether generated data have the same options; of data from files, which have none to vary, always.
    pub fn has_options_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Synthetic(own), Self::Synthetic(other)) => own == other,
            _ => true,
        }
    }

    /// The format of the files; none where their content tells it, and for generated data.
    pub fn format(&self) -> Option<Format> {
        match self {
            Self::Synthetic(_) | Self::Detect(_) => None,
            Self::Interactions(format, _) => Some(*format),
            Self::Table(_) => Some(Format::TABLE),
            Self::PesoRelease { .. } => Some(Format::PESO_RELEASE),
        }
    }

    /// The files of interactions whose format or content says where a record's parts are; none for other sources.
    pub fn import(&self) -> Option<&Import> {
        match self {
            Self::Detect(import) | Self::Interactions(_, import) => Some(import),
            Self::PesoRelease { .. } | Self::Synthetic(_) | Self::Table(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn import_mut(&mut self) -> Option<&mut Import> {
        match self {
            Self::Detect(import) | Self::Interactions(_, import) => Some(import),
            Self::PesoRelease { .. } | Self::Synthetic(_) | Self::Table(_) => None,
        }
    }

    /// How the values of imported interactions are written; none for a source that comes in stages.
    pub fn reading(&self) -> Option<Reading> {
        match self {
            Self::Table(table) => Some(table.reading),
            other => other.import().map(|import| import.reading),
        }
    }

    /// The same with another reading; a source that comes in stages stays as it is.
    #[must_use]
    pub fn with_reading(mut self, reading: Reading) -> Self {
        match &mut self {
            Self::Table(table) => table.reading = reading,
            other => {
                if let Some(import) = other.import_mut() {
                    import.reading = reading;
                }
            }
        }
        self
    }

    /// How imported interactions are prepared; none for a source that comes in stages.
    pub fn prepare(&self) -> Option<&Prepare> {
        match self {
            Self::Table(table) => Some(&table.prepare),
            other => other.import().map(|import| &import.prepare),
        }
    }

    /// The same, to be changed.
    pub fn prepare_mut(&mut self) -> Option<&mut Prepare> {
        match self {
            Self::Table(table) => Some(&mut table.prepare),
            other => other.import_mut().map(|import| &mut import.prepare),
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

    /// The file or folder that the interactions are read from; none for generated ones.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Synthetic(_) => None,
            Self::Detect(import) | Self::Interactions(_, import) => Some(&import.path),
            Self::Table(table) => Some(&table.path),
            Self::PesoRelease { path } => Some(path),
        }
    }

    /// The same with every path changed.
    #[must_use]
    pub fn with_paths(mut self, to: impl Fn(&Path) -> PathBuf) -> Self {
        match &mut self {
            Self::Synthetic(_) => {}
            Self::Detect(import) | Self::Interactions(_, import) => {
                import.path = to(&import.path);
                import.items = import.items.as_deref().map(to);
            }
            Self::Table(table) => {
                table.path = to(&table.path);
                if let Some(items) = &mut table.items {
                    items.path = to(&items.path);
                }
            }
            Self::PesoRelease { path } => *path = to(path),
        }
        self
    }
}

/// With the name of the format, as the project file has it.
impl fmt::Debug for DatasetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Synthetic(options) => f.debug_tuple(names::SYNTHETIC).field(options).finish(),
            Self::Detect(import) => f.debug_tuple(names::DETECT).field(import).finish(),
            Self::Interactions(format, import) => f.debug_tuple(format.key).field(import).finish(),
            Self::Table(table) => f.debug_tuple(Format::TABLE.key).field(table).finish(),
            Self::PesoRelease { path } => f.debug_struct(Format::PESO_RELEASE.key).field("path", path).finish(),
        }
    }
}

impl Detected {
    /// What a project file says of it.
    pub fn source(&self) -> DatasetSource {
        match self {
            Self::Release(path) => DatasetSource::PesoRelease { path: path.clone() },
            Self::Interactions(plan) => DatasetSource::of_plan(plan),
        }
    }
}
