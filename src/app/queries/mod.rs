//! What panels want to know of runs beyond their results: a panel asks, a background job finds out, answers are kept.

pub(crate) mod answers;
pub(crate) mod browse;
pub(crate) mod data_report;
pub(crate) mod ids_training;
pub(crate) mod judgements;

mod answer;
mod store;

use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use self::answer::USER_METRIC;
use self::data_report::DataReport;
pub(crate) use self::store::{Found, Reports};
use super::watch::RunView;
use crate::analysis::meaning::MeaningReport;
use crate::analysis::retention::RetentionReport;
use crate::analysis::subspace_report::{Directions, ModuleDirections, SubspaceReport};
use crate::budget::setup::Setup;
use crate::data::formats::options::ItemTable;
use crate::data::formats::{Excerpt, Format};
use crate::data::preview::{Preview, Proposal};
use crate::data::{DataDrift, Dataset, DatasetSource, Protocol};
use crate::model::inspect::{AdapterSummary, ModelSummary};
use crate::model::tokenizer::Trial;
use crate::project::Project;
use crate::render::Field;
use crate::results::churn::{ChurnReport, StageTests};
use crate::subspace::Side;
use crate::train::semantic_ids::{IdsState, Place};

/// A run at one moment: equal stamps have equal reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunStamp {
    pub(crate) folder: PathBuf,
    /// A run that is started over keeps its folder.
    started: u64,
    /// Stages that are finished.
    stages: usize,
}

impl RunStamp {
    pub(crate) fn of(run: &RunView) -> Self {
        let stages = run.stages.iter().filter(|stage| stage.finished).count();
        Self { folder: run.folder.clone(), started: run.config.created_unix, stages }
    }
}

/// What is asked. Equal questions have equal answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Question {
    /// Everything in a dataset: users, sequences, titles, and how it drifts. `index` takes the place of its semantic ids.
    Dataset { source: Box<DatasetSource>, index: Option<PathBuf>, folder: PathBuf },
    /// What the files at a path are taken for, or how they are read in the format that is named.
    Proposal { path: PathBuf, named: Option<Format>, folder: PathBuf },
    /// What a table of items is taken for.
    ItemTable { path: PathBuf, header: bool, folder: PathBuf },
    /// The beginning of a dataset's files, and how they are understood.
    Glance { source: Box<DatasetSource>, folder: PathBuf },
    /// A line of a file with those around it.
    Excerpt { path: PathBuf, line: u64 },
    /// How far training on each stage changed what users see.
    Churn { run: RunStamp, protocol: Protocol },
    /// What runs answered to the tests of a stage.
    Tests { runs: Vec<RunStamp>, protocol: Protocol, stage: usize },
    /// What moved in a run's adapters.
    Subspace(RunStamp),
    /// The directions of one module in every stage.
    River { run: RunStamp, module: String },
    /// The leading directions of a module after stages of runs, in one space of three dimensions.
    Space { of: Vec<(RunStamp, usize)>, module: String, side: Side },
    /// The whole update of a module after a stage; the difference to the one after an earlier stage, if there is one.
    Weights { run: RunStamp, module: String, stage: usize, since: Option<usize> },
    /// Predicted and measured retention of a stage, as it is kept in the run's folder.
    Retention { run: RunStamp, stage: usize, how: How },
    /// What the directions of a module mean.
    Meaning { run: RunStamp, stage: usize, module: String, how: How },
    /// A base model's headers and tokenizer, before anything is loaded.
    Model { path: PathBuf },
    /// SHA-256 of a base model's weights.
    ModelHash { path: PathBuf },
    /// A base model's tokenizer with the tokens that the dataset adds, whose numbers begin at `base`.
    Tokenizer { path: PathBuf, added: Arc<Vec<String>>, base: usize },
    /// An adapter's folder.
    Adapter { path: PathBuf },
    /// What data, prompt and base model of a project come to; see [`crate::budget::setup::relevant`].
    Setup(Box<Project>),
    /// What there is of a project's trained semantic ids.
    Ids(Place),
    /// The same after a process has trained them, for the `number`-th time that the user wanted that. A process that is no longer
    /// waited for keeps what is done.
    TrainIds { file: PathBuf, place: Place, fresh: bool, number: usize },
}

/// Whether an analysis is only looked up in the run's folder, or computed by a process of its own where it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    LookUp,
    Compute,
}

/// What was found out.
#[derive(Debug)]
pub(crate) enum Report {
    Data(Box<DataReport>),
    Proposal(Box<Proposal>),
    ItemTable(ItemTable),
    Glance(Box<Preview>),
    Excerpt(Excerpt),
    Churn(ChurnReport),
    Tests(StageTests),
    Subspace(SubspaceReport),
    River(ModuleDirections),
    Space(Directions),
    Weights(Arc<Field>),
    Retention(Box<RetentionReport>),
    Meaning(MeaningReport),
    Model(Box<ModelSummary>),
    ModelHash(String),
    Tokenizer(Box<Trial>),
    Adapter(Box<AdapterSummary>),
    Setup(Box<Setup>),
    Ids(IdsState),
}

impl Question {
    /// The dataset that a project names.
    pub(crate) fn dataset_of(project: &Project) -> Self {
        Self::Dataset {
            source: Box::new(project.dataset.clone()),
            index: project.index_path(),
            folder: project.folder.clone(),
        }
    }
}

impl Report {
    pub(crate) fn data(&self) -> Option<&DataReport> {
        if let Self::Data(report) = self { Some(report) } else { None }
    }

    pub(crate) fn proposal(&self) -> Option<&Proposal> {
        if let Self::Proposal(proposal) = self { Some(proposal) } else { None }
    }

    pub(crate) const fn item_table(&self) -> Option<&ItemTable> {
        if let Self::ItemTable(table) = self { Some(table) } else { None }
    }

    pub(crate) fn glance(&self) -> Option<&Preview> {
        if let Self::Glance(glance) = self { Some(glance) } else { None }
    }

    pub(crate) const fn excerpt(&self) -> Option<&Excerpt> {
        if let Self::Excerpt(excerpt) = self { Some(excerpt) } else { None }
    }

    pub(crate) fn dataset(&self) -> Option<&Dataset> {
        self.data().map(|report| &report.dataset)
    }

    pub(crate) fn drift(&self) -> Option<&DataDrift> {
        self.data().map(|report| &report.drift)
    }

    pub(crate) const fn churn(&self) -> Option<&ChurnReport> {
        if let Self::Churn(report) = self { Some(report) } else { None }
    }

    pub(crate) const fn tests(&self) -> Option<&StageTests> {
        if let Self::Tests(tests) = self { Some(tests) } else { None }
    }

    pub(crate) const fn subspace(&self) -> Option<&SubspaceReport> {
        if let Self::Subspace(report) = self { Some(report) } else { None }
    }

    pub(crate) const fn river(&self) -> Option<&ModuleDirections> {
        if let Self::River(directions) = self { Some(directions) } else { None }
    }

    pub(crate) const fn space(&self) -> Option<&Directions> {
        if let Self::Space(directions) = self { Some(directions) } else { None }
    }

    pub(crate) const fn weights(&self) -> Option<&Arc<Field>> {
        if let Self::Weights(field) = self { Some(field) } else { None }
    }

    pub(crate) fn retention(&self) -> Option<&RetentionReport> {
        if let Self::Retention(report) = self { Some(report) } else { None }
    }

    pub(crate) const fn meaning(&self) -> Option<&MeaningReport> {
        if let Self::Meaning(report) = self { Some(report) } else { None }
    }

    pub(crate) fn model(&self) -> Option<&ModelSummary> {
        if let Self::Model(summary) = self { Some(summary) } else { None }
    }

    pub(crate) fn model_hash(&self) -> Option<&str> {
        if let Self::ModelHash(hash) = self { Some(hash) } else { None }
    }

    pub(crate) fn tokenizer(&self) -> Option<&Trial> {
        if let Self::Tokenizer(tokenizer) = self { Some(tokenizer) } else { None }
    }

    pub(crate) fn adapter(&self) -> Option<&AdapterSummary> {
        if let Self::Adapter(summary) = self { Some(summary) } else { None }
    }

    pub(crate) fn setup(&self) -> Option<&Setup> {
        if let Self::Setup(setup) = self { Some(setup) } else { None }
    }
    pub(crate) const fn ids(&self) -> Option<&IdsState> {
        if let Self::Ids(state) = self { Some(state) } else { None }
    }
}
