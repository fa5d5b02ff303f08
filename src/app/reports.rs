//! What panels want to know of runs beyond their results: a panel asks, a background job finds out, answers are kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::watch::RunView;
use crate::data::{DataDrift, Dataset, DatasetSource, Protocol};
use crate::error::Unusable;
use crate::experiment::Project;
use crate::experiment::churn::{ChurnReport, StageTests, churn, stage_tests};
use crate::experiment::paired::{Gain, UserMetric};
use crate::experiment::project::SemanticIds;
use crate::experiment::run_folder::RunFolder;
use crate::experiment::subspace_report::{ModuleDirections, SubspaceReport, module_directions, subspace_report};

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
    Dataset { source: DatasetSource, index: Option<PathBuf>, folder: PathBuf },
    /// How far training on each stage changed what users see.
    Churn(RunStamp),
    /// What runs answered to the tests of a stage.
    Tests { runs: Vec<RunStamp>, stage: usize },
    /// What moved in a run's adapters.
    Subspace(RunStamp),
    /// The directions of one module in every stage.
    River { run: RunStamp, module: String },
}

/// What was found out.
#[derive(Debug)]
pub(crate) enum Report {
    Dataset(Box<Dataset>, DataDrift),
    Churn(ChurnReport),
    Tests(StageTests),
    Subspace(SubspaceReport),
    River(ModuleDirections),
}

/// The metric that users' gains are in.
pub(crate) const USER_METRIC: UserMetric = UserMetric { gain: Gain::Ndcg, k: 10, corrected: false };

impl Question {
    /// The dataset that a project names.
    pub(crate) fn dataset_of(project: &Project) -> Self {
        let index = match &project.semantic_ids {
            SemanticIds::Index(path) => Some(path.clone()),
            SemanticIds::Dataset => None,
        };
        Self::Dataset { source: project.dataset.clone(), index, folder: project.folder.clone() }
    }

    /// Finds the answer; this may take long. None where `cancelled` was set meanwhile.
    pub(crate) fn answer(&self, cancelled: &AtomicBool) -> Result<Option<Report>, Unusable> {
        match self {
            Self::Dataset { source, index, folder } => {
                let dataset = Dataset::load(source, index.as_deref(), folder)?;
                let drift = DataDrift::measure(&dataset, None);
                Ok(Some(Report::Dataset(Box::new(dataset), drift)))
            }
            Self::Churn(run) => {
                let report = churn(&RunFolder::open(&run.folder)?, Protocol::SameBlock, USER_METRIC)?;
                Ok(Some(Report::Churn(report)))
            }
            Self::Tests { runs, stage } => {
                let folders = runs.iter().map(|run| RunFolder::open(&run.folder)).collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Report::Tests(stage_tests(&folders, Protocol::SameBlock, *stage)?)))
            }
            Self::Subspace(run) => {
                let report = subspace_report(&RunFolder::open(&run.folder)?, cancelled)?;
                Ok(report.map(Report::Subspace))
            }
            Self::River { run, module } => {
                Ok(Some(Report::River(module_directions(&RunFolder::open(&run.folder)?, module)?)))
            }
        }
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
    pending: Vec<(Arc<Question>, Arc<AtomicBool>)>,
}

/// Answers that are kept, and questions that are looked into at a time: the machine trains beside it.
const KEPT: usize = 24;
const AT_A_TIME: usize = 2;

impl Reports {
    /// Whether someone should look into the question now, and the flag that tells when nobody waits any more.
    pub(crate) fn begin(&mut self, question: &Arc<Question>) -> Option<Arc<AtomicBool>> {
        let pending = self.pending.iter().any(|(pending, _)| pending == question);
        if pending || self.pending.len() >= AT_A_TIME || self.find(question).is_some() {
            return None;
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        self.pending.push((Arc::clone(question), Arc::clone(&cancelled)));
        Some(cancelled)
    }

    /// Tells whoever looks into the question that nobody waits for the answer.
    pub(crate) fn cancel(&self, question: &Question) {
        for (_, cancelled) in self.pending.iter().filter(|(pending, _)| **pending == *question) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn take(&mut self, question: Arc<Question>, answer: Answer) {
        self.pending.retain(|(pending, _)| *pending != question);
        self.known.retain(|(known, _)| *known != question);
        self.known.push((question, answer));
        let surplus = self.known.len().saturating_sub(KEPT);
        self.known.drain(..surplus);
    }

    /// Forgets what failed or was cancelled, so that it is looked for again.
    pub(crate) fn retry(&mut self, question: &Question) {
        self.known.retain(|(known, answer)| **known != *question || matches!(answer, Ok(Some(_))));
    }

    fn find(&self, question: &Question) -> Option<&Answer> {
        self.known.iter().find(|(known, _)| **known == *question).map(|(_, answer)| answer)
    }

    /// Where the question stands, with the part of its report that `part` takes.
    pub(crate) fn look<'a, T>(
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
        self.pending.iter().for_each(|(_, cancelled)| cancelled.store(true, Ordering::Relaxed));
    }
}

impl Report {
    pub(crate) fn dataset(&self) -> Option<&Dataset> {
        if let Self::Dataset(dataset, _) = self { Some(dataset) } else { None }
    }

    pub(crate) const fn drift(&self) -> Option<&DataDrift> {
        if let Self::Dataset(_, drift) = self { Some(drift) } else { None }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(stages: usize) -> Arc<Question> {
        Arc::new(Question::Churn(RunStamp { folder: PathBuf::from("runs/a"), started: 1, stages }))
    }

    #[test]
    fn few_at_a_time_and_none_twice() {
        let mut reports = Reports::default();
        let mut begins = |reports: &mut Reports, stages| reports.begin(&question(stages)).is_some();
        assert!(begins(&mut reports, 1) && begins(&mut reports, 2));
        assert!(!begins(&mut reports, 1) && !begins(&mut reports, 3), "two are being looked into");
        reports.take(question(1), Err(Unusable::new("runs/a", "gone")));
        assert!(!begins(&mut reports, 1), "it is known");
        assert!(matches!(reports.look(&question(1), Report::churn), Found::Failed(_)));
        assert!(matches!(reports.look(&question(2), Report::churn), Found::Pending));
        reports.retry(&question(1));
        let cancelled = reports.begin(&question(1)).unwrap();
        reports.cancel(&question(1));
        assert!(cancelled.load(Ordering::Relaxed));
        reports.take(question(1), Ok(None));
        assert!(matches!(reports.look(&question(1), Report::churn), Found::Cancelled));
        for stages in 0..60 {
            reports.take(question(stages), Ok(Some(Report::Tests(StageTests::default()))));
        }
        assert_eq!((reports.known.len(), reports.pending.len()), (KEPT, 0));
        assert!(matches!(reports.look(&question(59), Report::tests), Found::Ready(_)));
    }
}
