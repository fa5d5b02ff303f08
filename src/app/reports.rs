//! What panels want to know of runs beyond their results: a panel asks, a background job finds out, answers are kept.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::data_report::{self, DataReport};
use super::ids_training;
use super::launcher::{Launcher, Said, Waiting};
use super::watch::RunView;
use crate::data::formats::{Excerpt, Format, ImportError, Progress};
use crate::data::glance::{self, Glance, Proposal};
use crate::data::source::ItemTable;
use crate::data::{DataDrift, Dataset, DatasetSource, Protocol};
use crate::error::{Failure, Unusable};
use crate::experiment::Project;
use crate::experiment::analysis::meaning::{self, MeaningReport};
use crate::experiment::analysis::retention::{self, RetentionReport};
use crate::experiment::churn::{ChurnReport, StageTests, churn, stage_tests};
use crate::experiment::paired::{Gain, UserMetric};
use crate::experiment::run_folder::RunFolder;
use crate::experiment::semantic_ids::{IdsState, Place};
use crate::experiment::setup::Setup;
use crate::experiment::subspace_report::{
    Directions, ModuleDirections, Source, SubspaceReport, delta_weight, directions, module_directions, subspace_report,
};
use crate::model::inspect::{AdapterSummary, ModelSummary, content_hash};
use crate::model::tokenizer::{Tokenizer, Trial};
use crate::render::Field;
use crate::subspace::Side;

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
    /// What data, prompt and base model of a project come to; see [`crate::experiment::setup::relevant`].
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
    Glance(Box<Glance>),
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

/// The metric that users' gains are in.
pub(crate) const USER_METRIC: UserMetric = UserMetric { gain: Gain::Ndcg, k: 10, corrected: false };

impl Question {
    /// The dataset that a project names.
    pub(crate) fn dataset_of(project: &Project) -> Self {
        Self::Dataset {
            source: Box::new(project.dataset.clone()),
            index: project.index_path(),
            folder: project.folder.clone(),
        }
    }

    /// Finds the answer; this may take long. None where nobody waits any more, and of an analysis that is only looked up
    /// and is not there.
    pub(crate) fn answer(&self, launcher: &dyn Launcher, waiting: &Waiting) -> Result<Option<Report>, Unusable> {
        match self {
            Self::Dataset { source, index, folder } => {
                let report = DataReport::read(source, index.as_deref(), folder, waiting)?;
                Ok(report.map(Box::new).map(Report::Data))
            }
            Self::Proposal { path, named, folder } => {
                let proposal = glance::propose(path, *named, folder)?;
                Ok(Some(Report::Proposal(Box::new(proposal))))
            }
            Self::ItemTable { path, header, folder } => {
                Ok(Some(Report::ItemTable(glance::propose_items(path, *header, folder)?)))
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
                    Err(ImportError::Unusable(error)) => Err(error),
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
                    Unusable::new(folder.path(), format!("`{module}` cannot be drawn: {problem}"))
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
                let arguments = ["meaning", "--stage", &stage.to_string(), "--module", module].map(str::to_owned);
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
                    Failure::Unusable(error) => error,
                    other => Unusable::new(&project.folder, other.to_string()),
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
) -> Result<Option<Report>, Unusable> {
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
            Err(Unusable::new(folder.path(), "the worker was ended before it was done"))
        }
        _ => Err(Unusable::new(folder.path(), ended.last_words)),
    }
}

/// How far a question is.
#[derive(Debug, Clone)]
pub(crate) enum Found<T> {
    /// Nobody looks into it yet, or someone does.
    Pending,
    Ready(T),
    Failed(Unusable),
    /// The user no longer wanted to wait.
    Cancelled,
}

/// What came of a question; none where it was cancelled.
type Answer = Result<Option<Report>, Unusable>;

/// Answers that were found, and the questions that are being looked into.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// The newest last.
    known: Vec<(Arc<Question>, Answer)>,
    pending: Vec<(Arc<Question>, Arc<Waiting>)>,
    /// Questions that are still being looked into though another one has taken their place: their answers are dropped.
    superseded: Vec<Arc<Question>>,
}

/// Answers that are kept, and questions that are looked into at a time: the machine trains beside it.
const KEPT: usize = 24;
const AT_A_TIME: usize = 2;
/// Datasets among the answers: they may be large.
const DATASETS_KEPT: usize = 3;

impl Reports {
    /// Whether someone should look into the question now, and how that one and those who wait tell each other.
    pub(crate) fn begin(&mut self, question: &Arc<Question>) -> Option<Arc<Waiting>> {
        self.supersede(question);
        let pending = self.pending.iter().any(|(pending, _)| pending == question);
        if pending || self.pending.len() >= AT_A_TIME || self.find(question).is_some() {
            return None;
        }
        let waiting = Arc::new(Waiting::default());
        self.pending.push((Arc::clone(question), Arc::clone(&waiting)));
        Some(waiting)
    }

    /// As [`Self::begin`], of what may have changed since it was found out: the old answer stays until the new one is there.
    pub(crate) fn renew(&mut self, question: &Arc<Question>) -> Option<Arc<Waiting>> {
        let pending = self.pending.iter().any(|(pending, _)| pending == question);
        if pending || self.pending.len() > AT_A_TIME {
            return None;
        }
        let waiting = Arc::new(Waiting::default());
        self.pending.push((Arc::clone(question), Arc::clone(&waiting)));
        Some(waiting)
    }

    /// A project has one dataset: while its options are dragged along, nobody waits for what they were a moment ago.
    fn supersede(&mut self, question: &Arc<Question>) {
        let replaced = |pending: &Question| {
            let same_kind = matches!(
                (pending, question.as_ref()),
                (Question::Dataset { .. }, Question::Dataset { .. })
                    | (Question::Glance { .. }, Question::Glance { .. })
            );
            same_kind && pending != question.as_ref()
        };
        for (pending, waiting) in self.pending.extract_if(.., |(pending, _)| replaced(pending)) {
            waiting.cancel();
            self.superseded.push(pending);
        }
    }

    /// Whether the question was asked: it is looked into, or has an answer.
    pub(crate) fn was_asked(&self, question: &Question) -> bool {
        self.pending.iter().any(|(pending, _)| **pending == *question) || self.find(question).is_some()
    }

    /// How far a question is that is looked into.
    pub(crate) fn progress(&self, question: &Question) -> Said {
        let pending = self.pending.iter().find(|(pending, _)| **pending == *question);
        pending.map(|(_, waiting)| waiting.progress()).unwrap_or_default()
    }

    /// Tells whoever looks into the question that nobody waits for the answer.
    pub(crate) fn cancel(&self, question: &Question) {
        self.pending.iter().filter(|(pending, _)| **pending == *question).for_each(|(_, waiting)| waiting.cancel());
    }

    pub(crate) fn take(&mut self, question: Arc<Question>, answer: Answer) {
        if let Some(place) = self.superseded.iter().position(|superseded| Arc::ptr_eq(superseded, &question)) {
            self.superseded.swap_remove(place);
            return;
        }
        self.pending.retain(|(pending, _)| *pending != question);
        self.known.retain(|(known, _)| *known != question);
        self.known.push((question, answer));
        let surplus = self.known.len().saturating_sub(KEPT);
        self.known.drain(..surplus);
        let is_data = |(_, answer): &(Arc<Question>, Answer)| matches!(answer, Ok(Some(Report::Data(_))));
        let mut surplus = self.known.iter().filter(|known| is_data(known)).count().saturating_sub(DATASETS_KEPT);
        self.known.retain(|known| {
            let dropped = surplus > 0 && is_data(known);
            surplus -= usize::from(dropped);
            !dropped
        });
    }

    /// Forgets what failed or was cancelled, so that it is looked for again.
    pub(crate) fn retry(&mut self, question: &Question) {
        self.known.retain(|(known, answer)| **known != *question || matches!(answer, Ok(Some(_))));
    }

    fn find(&self, question: &Question) -> Option<&Answer> {
        self.known.iter().find(|(known, _)| **known == *question).map(|(_, answer)| answer)
    }

    /// Where the question stands, with the part of its report that `part` takes.
    pub(crate) fn look<'a, T: ?Sized>(
        &'a self,
        question: &Question,
        part: impl Fn(&'a Report) -> Option<&'a T>,
    ) -> Found<&'a T> {
        match self.find(question) {
            None => Found::Pending,
            Some(Err(error)) => Found::Failed(error.clone()),
            Some(Ok(None)) => Found::Cancelled,
            Some(Ok(Some(report))) => part(report).map_or(Found::Pending, Found::Ready),
        }
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        // The project is closed: nobody waits any more.
        self.pending.iter().for_each(|(_, waiting)| waiting.cancel());
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

    pub(crate) fn glance(&self) -> Option<&Glance> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn question(stages: usize) -> Arc<Question> {
        let run = RunStamp { folder: PathBuf::from("runs/a"), started: 1, stages };
        Arc::new(Question::Churn { run, protocol: Protocol::SameBlock })
    }

    fn generated(users: usize) -> Arc<Question> {
        let options = crate::data::SyntheticOptions { users, ..Default::default() };
        let (source, folder) = (Box::new(DatasetSource::Synthetic(options)), PathBuf::new());
        Arc::new(Question::Dataset { source, index: None, folder })
    }

    #[test]
    fn other_data_take_the_place_of_what_is_being_read() {
        let mut reports = Reports::default();
        let (first, second) = (generated(100), generated(200));
        let waiting = reports.begin(&first).unwrap();
        reports.begin(&question(1)).unwrap();
        assert!(reports.begin(&second).is_some(), "it has the place of the first");
        assert!(waiting.is_cancelled());
        reports.take(first, Ok(None));
        assert!(matches!(reports.look(&generated(100), Report::data), Found::Pending), "nobody gave up on it");
        assert!(reports.was_asked(&second));
    }

    #[test]
    fn few_datasets_are_kept() {
        let mut reports = Reports::default();
        for users in [60, 70, 80, 90, 100] {
            let question = generated(users);
            let Question::Dataset { source, .. } = question.as_ref() else { unreachable!() };
            let read = DataReport::read(source, None, &PathBuf::new(), &Waiting::default()).unwrap().unwrap();
            reports.take(Arc::clone(&question), Ok(Some(Report::Data(Box::new(read)))));
        }
        let known = |users| reports.was_asked(&generated(users));
        assert_eq!([60, 70, 80, 90, 100].map(known), [false, false, true, true, true]);
    }

    #[test]
    fn few_at_a_time_and_none_twice() {
        let mut reports = Reports::default();
        let begins = |reports: &mut Reports, stages| reports.begin(&question(stages)).is_some();
        assert!(begins(&mut reports, 1) && begins(&mut reports, 2));
        assert!(!begins(&mut reports, 1) && !begins(&mut reports, 3), "two are being looked into");
        reports.take(question(1), Err(Unusable::new("runs/a", "gone")));
        assert!(!begins(&mut reports, 1), "it is known");
        assert!(matches!(reports.look(&question(1), Report::churn), Found::Failed(_)));
        assert!(matches!(reports.look(&question(2), Report::churn), Found::Pending));
        reports.retry(&question(1));
        let waiting = reports.begin(&question(1)).unwrap();
        waiting.say("half of it");
        assert_eq!(reports.progress(&question(1)).words, "half of it");
        reports.cancel(&question(1));
        assert!(waiting.is_cancelled() && reports.was_asked(&question(1)) && !reports.was_asked(&question(9)));
        reports.take(question(1), Ok(None));
        assert!(matches!(reports.look(&question(1), Report::churn), Found::Cancelled));
        for stages in 0..60 {
            reports.take(question(stages), Ok(Some(Report::Tests(StageTests::default()))));
        }
        assert_eq!((reports.known.len(), reports.pending.len()), (KEPT, 0));
        // What is found out again is there all the while.
        assert!(reports.renew(&question(59)).is_some() && reports.renew(&question(59)).is_none());
        assert!(matches!(reports.look(&question(59), Report::tests), Found::Ready(_)));
        reports.take(question(59), Ok(Some(Report::Tests(StageTests::default()))));
        assert_eq!((reports.known.len(), reports.pending.len()), (KEPT, 0));
        assert!(matches!(reports.look(&question(59), Report::tests), Found::Ready(_)));
    }
}
