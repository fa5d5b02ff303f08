//! Datasets: the project's own with its figures, and files that may become one.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::data_report::{self, DataReport};
use super::{Query, QueryContext};
use crate::data::bundle::DataBundle;
use crate::data::formats::options::ItemTable;
use crate::data::formats::{Excerpt, Format, ImportError, Progress};
use crate::data::preview::{self, Preview, Proposal};
use crate::data::{Dataset, DatasetSource};
use crate::error::InputError;
use crate::project::Project;

/// Everything in a dataset: users, sequences, titles, and how it drifts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProjectData {
    source: Box<DatasetSource>,
    /// Takes the place of the dataset's own semantic ids.
    index: Option<PathBuf>,
    folder: PathBuf,
    read_only: bool,
}

impl ProjectData {
    /// The dataset that a project names.
    pub(crate) fn of(project: &Project) -> Self {
        Self {
            source: Box::new(project.dataset.clone()),
            index: project.index_path(),
            folder: project.folder.clone(),
            read_only: project.read_only,
        }
    }

    /// The project's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads or generates the dataset itself.
    pub(super) fn dataset(&self) -> Result<Dataset, InputError> {
        match self.read_only {
            true => Ok(DataBundle::read(&self.folder)?.dataset()),
            false => Dataset::load(&self.source, self.index.as_deref(), &self.folder),
        }
    }
}

impl Query for ProjectData {
    type Answer = DataReport;

    // They may be large.
    const MAX_KEPT: usize = 3;
    const SUPERSEDES: bool = true;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<DataReport>, InputError> {
        if self.read_only {
            return DataReport::of_bundle(&self.folder).map(Some);
        }
        DataReport::read(&self.source, self.index.as_deref(), &self.folder, context.job)
    }
}

/// What the files at a path are taken for, or how they are read in the format that is named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImportProposal {
    pub(crate) path: PathBuf,
    pub(crate) named: Option<Format>,
    pub(crate) folder: PathBuf,
}

impl Query for ImportProposal {
    type Answer = Proposal;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Proposal>, InputError> {
        preview::propose(&self.path, self.named, &self.folder).map(Some)
    }
}

/// What a table of items is taken for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ItemTableProposal {
    pub(crate) path: PathBuf,
    pub(crate) header: bool,
    pub(crate) folder: PathBuf,
}

impl Query for ItemTableProposal {
    type Answer = ItemTable;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<ItemTable>, InputError> {
        preview::propose_items(&self.path, self.header, &self.folder).map(Some)
    }
}

/// The beginning of a dataset's files, and how they are understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourcePreview {
    source: Box<DatasetSource>,
    folder: PathBuf,
}

impl SourcePreview {
    /// Of the dataset that a project names.
    pub(crate) fn of(project: &Project) -> Self {
        Self { source: Box::new(project.dataset.clone()), folder: project.folder.clone() }
    }
}

impl Query for SourcePreview {
    type Answer = Preview;

    const SUPERSEDES: bool = true;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Preview>, InputError> {
        Preview::of(&self.source, &self.folder).map(Some)
    }
}

/// A line of a file with those around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileExcerpt {
    pub(crate) path: PathBuf,
    pub(crate) line: u64,
}

/// Lines that are shown before and behind one that is looked at.
const LINES_AROUND: u64 = 4;

impl Query for FileExcerpt {
    type Answer = Excerpt;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<Excerpt>, InputError> {
        let mut on_progress = |progress: Progress| {
            data_report::say(context.job, progress);
            if context.job.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match Excerpt::read(&self.path, self.line, LINES_AROUND, &mut on_progress) {
            Ok(excerpt) => Ok(Some(excerpt)),
            Err(ImportError::Cancelled) => Ok(None),
            Err(ImportError::Input(error)) => Err(error),
        }
    }
}
