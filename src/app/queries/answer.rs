//! Finding out what is asked.

use std::ffi::OsString;
use std::ops::ControlFlow;

use std::sync::Arc;

use super::data_report::{self, DataReport};
use super::{How, Question, Report, ids_training};
use crate::analysis::subspace_report::{Source, delta_weight, directions, module_directions, subspace_report};
use crate::analysis::{meaning, retention};
use crate::app::launcher::{Launcher, Waiting};
use crate::budget::setup::Setup;
use crate::data::Dataset;
use crate::data::formats::{Excerpt, ImportError, Progress};
use crate::data::preview::{self, Glance};
use crate::error::{InputError, RunError};
use crate::model::inspect::{AdapterSummary, ModelSummary, content_hash};
use crate::model::tokenizer::Tokenizer;
use crate::render::Field;
use crate::results::churn::{churn, stage_tests};
use crate::results::paired_scores::{Gain, UserMetric};
use crate::run::RunFolder;
use crate::train::semantic_ids::IdsState;

/// The metric that users' gains are in.
pub(crate) const USER_METRIC: UserMetric = UserMetric { gain: Gain::Ndcg, k: 10, corrected: false };

impl Question {
    /// Finds the answer; this may take long. None where nobody waits any more, and of an analysis that is only looked up
    /// and is not there.
    pub(crate) fn answer(&self, launcher: &dyn Launcher, waiting: &Waiting) -> Result<Option<Report>, InputError> {
        match self {
            Self::Dataset { source, index, folder } => {
                let report = DataReport::read(source, index.as_deref(), folder, waiting)?;
                Ok(report.map(Box::new).map(Report::Data))
            }
            Self::Proposal { path, named, folder } => {
                let proposal = preview::propose(path, *named, folder)?;
                Ok(Some(Report::Proposal(Box::new(proposal))))
            }
            Self::ItemTable { path, header, folder } => {
                Ok(Some(Report::ItemTable(preview::propose_items(path, *header, folder)?)))
            }
            Self::Glance { source, folder } => Ok(Some(Report::Glance(Box::new(Glance::of(source, folder)?)))),
            Self::Excerpt { path, line } => {
                let mut watch = |progress: Progress| {
                    data_report::say(waiting, progress);
                    if waiting.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                match Excerpt::read(path, *line, AROUND, &mut watch) {
                    Ok(excerpt) => Ok(Some(Report::Excerpt(excerpt))),
                    Err(ImportError::Cancelled) => Ok(None),
                    Err(ImportError::Input(error)) => Err(error),
                }
            }
            Self::Churn { run, protocol } => {
                let report = churn(&RunFolder::open(&run.folder)?, *protocol, USER_METRIC)?;
                Ok(Some(Report::Churn(report)))
            }
            Self::Tests { runs, protocol, stage } => {
                let folders = runs.iter().map(|run| RunFolder::open(&run.folder)).collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Report::Tests(stage_tests(&folders, *protocol, *stage)?)))
            }
            Self::Subspace(run) => {
                let report = subspace_report(&RunFolder::open(&run.folder)?, waiting.cancelled())?;
                Ok(report.map(Report::Subspace))
            }
            Self::River { run, module } => {
                Ok(Some(Report::River(module_directions(&RunFolder::open(&run.folder)?, module)?)))
            }
            Self::Space { of, module, side } => {
                let runs = of.iter().map(|(run, _)| RunFolder::open(&run.folder)).collect::<Result<Vec<_>, _>>()?;
                let sources = runs.iter().zip(of).map(|(run, (_, stage))| Source { run, stage: *stage });
                let sources: Vec<Source<'_>> = sources.collect();
                let found = directions(&sources, std::slice::from_ref(module), *side, LEADING, waiting.cancelled())?;
                Ok(found.map(Report::Space))
            }
            Self::Weights { run, module, stage, since } => {
                let folder = RunFolder::open(&run.folder)?;
                let matrix = delta_weight(&folder, module, *stage, *since)?;
                let field = Field::new(matrix.rows, matrix.columns, matrix.values).map_err(|problem| {
                    InputError::new(folder.path(), format!("`{module}` cannot be drawn: {problem}"))
                })?;
                Ok(Some(Report::Weights(Arc::new(field))))
            }
            Self::Retention { run, stage, how } => {
                let folder = RunFolder::open(&run.folder)?;
                let kept = |folder: &RunFolder| retention::cached(folder, *stage).map(Box::new).map(Report::Retention);
                let arguments = ["retention", "--stage", &stage.to_string()].map(str::to_owned);
                analysis(&folder, (*how, &arguments), kept, launcher, waiting)
            }
            Self::Meaning { run, stage, module, how } => {
                let folder = RunFolder::open(&run.folder)?;
                let kept = |folder: &RunFolder| meaning::cached(folder, *stage, module).map(Report::Meaning);
                let arguments = ["interpret", "--stage", &stage.to_string(), "--module", module].map(str::to_owned);
                analysis(&folder, (*how, &arguments), kept, launcher, waiting)
            }
            Self::Model { path } => Ok(Some(Report::Model(Box::new(ModelSummary::read(path)?)))),
            Self::ModelHash { path } => Ok(content_hash(path, waiting.cancelled())?.map(Report::ModelHash)),
            Self::Tokenizer { path, added, base } => {
                Ok(Some(Report::Tokenizer(Box::new(Tokenizer::open(path)?.trial(added, *base)?))))
            }
            Self::Adapter { path } => Ok(Some(Report::Adapter(Box::new(AdapterSummary::read(path)?)))),
            Self::Setup(project) => {
                let dataset = Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)?;
                let setup = Setup::of(project, Arc::new(dataset)).map_err(|failure| match failure {
                    RunError::Input(error) => error,
                    other => InputError::new(&project.folder, other.to_string()),
                })?;
                Ok(Some(Report::Setup(Box::new(setup))))
            }
            Self::Ids(place) => Ok(Some(Report::Ids(IdsState::look(place)?))),
            Self::TrainIds { file, place, fresh, .. } => {
                Ok(ids_training::train(file, place, *fresh, launcher, waiting)?.map(Report::Ids))
            }
        }
    }
}

/// Lines that are shown before and behind one that is looked at.
const AROUND: u64 = 4;

/// Directions of a module that are drawn in space.
const LEADING: usize = 6;

/// What is kept of an analysis in a run's folder, computed by a process where it is not there and wanted.
fn analysis(
    folder: &RunFolder,
    (how, arguments): (How, &[String]),
    kept: impl Fn(&RunFolder) -> Option<Report>,
    launcher: &dyn Launcher,
    waiting: &Waiting,
) -> Result<Option<Report>, InputError> {
    let known = kept(folder);
    if known.is_some() || how == How::LookUp {
        return Ok(known);
    }
    let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    all.insert(1, folder.path().into());
    let ended = launcher.compute(&all, waiting)?;
    if waiting.is_cancelled() {
        return Ok(None);
    }
    match kept(folder) {
        Some(report) if ended.code == Some(0) => Ok(Some(report)),
        _ if ended.last_words.is_empty() => {
            Err(InputError::new(folder.path(), "the worker was ended before it was done"))
        }
        _ => Err(InputError::new(folder.path(), ended.last_words)),
    }
}
