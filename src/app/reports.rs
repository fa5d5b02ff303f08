//! What panels want to know of runs beyond their results: a panel asks, a background job finds out, answers are kept.

use std::path::PathBuf;
use std::sync::Arc;

use super::watch::RunView;
use crate::data::{Dataset, DatasetSource, Protocol};
use crate::error::Unusable;
use crate::experiment::churn::{ChurnReport, StageTests, churn, stage_tests};
use crate::experiment::paired::{Gain, UserMetric};
use crate::experiment::run_folder::RunFolder;

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
    /// Everything in a dataset: users, sequences, titles. `index` takes the place of its semantic ids.
    Dataset { source: DatasetSource, index: Option<PathBuf>, folder: PathBuf },
    /// How far training on each stage changed what users see.
    Churn(RunStamp),
    /// What runs answered to the tests of a stage.
    Tests { runs: Vec<RunStamp>, stage: usize },
}

/// What was found out.
#[derive(Debug)]
pub(crate) enum Report {
    Dataset(Dataset),
    Churn(ChurnReport),
    Tests(StageTests),
}

/// The metric that users' gains are in.
pub(crate) const USER_METRIC: UserMetric = UserMetric { gain: Gain::Ndcg, k: 10, corrected: false };

impl Question {
    /// Finds the answer; this may take long.
    pub(crate) fn answer(&self) -> Result<Report, Unusable> {
        match self {
            Self::Dataset { source, index, folder } => {
                Dataset::load(source, index.as_deref(), folder).map(Report::Dataset)
            }
            Self::Churn(run) => {
                churn(&RunFolder::open(&run.folder)?, Protocol::SameBlock, USER_METRIC).map(Report::Churn)
            }
            Self::Tests { runs, stage } => {
                let folders = runs.iter().map(|run| RunFolder::open(&run.folder)).collect::<Result<Vec<_>, _>>()?;
                stage_tests(&folders, Protocol::SameBlock, *stage).map(Report::Tests)
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
}

type Answer = Arc<Result<Report, Unusable>>;

/// Answers that were found, and the questions that are being looked into.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// The newest last.
    known: Vec<(Arc<Question>, Answer)>,
    pending: Vec<Arc<Question>>,
}

/// Answers that are kept, and questions that are looked into at a time: the machine trains beside it.
const KEPT: usize = 24;
const AT_A_TIME: usize = 2;

impl Reports {
    /// Whether someone should look into the question now.
    pub(crate) fn begin(&mut self, question: &Arc<Question>) -> bool {
        let new = self.pending.len() < AT_A_TIME && !self.pending.contains(question) && self.find(question).is_none();
        if new {
            self.pending.push(Arc::clone(question));
        }
        new
    }

    pub(crate) fn take(&mut self, question: Arc<Question>, answer: Result<Report, Unusable>) {
        self.pending.retain(|pending| *pending != question);
        self.known.retain(|(known, _)| *known != question);
        self.known.push((question, Arc::new(answer)));
        let surplus = self.known.len().saturating_sub(KEPT);
        self.known.drain(..surplus);
    }

    /// Forgets an answer that was a failure, so that it is looked for again.
    pub(crate) fn retry(&mut self, question: &Question) {
        self.known.retain(|(known, answer)| **known != *question || answer.is_ok());
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
        match self.find(question).map(AsRef::as_ref) {
            None => Found::Pending,
            Some(Err(error)) => Found::Failed(error.clone()),
            Some(Ok(report)) => part(report).map_or(Found::Pending, Found::Ready),
        }
    }
}

impl Report {
    pub(crate) const fn dataset(&self) -> Option<&Dataset> {
        if let Self::Dataset(dataset) = self { Some(dataset) } else { None }
    }

    pub(crate) const fn churn(&self) -> Option<&ChurnReport> {
        if let Self::Churn(report) = self { Some(report) } else { None }
    }

    pub(crate) const fn tests(&self) -> Option<&StageTests> {
        if let Self::Tests(tests) = self { Some(tests) } else { None }
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
        assert!(reports.begin(&question(1)) && reports.begin(&question(2)));
        assert!(!reports.begin(&question(1)) && !reports.begin(&question(3)), "two are being looked into");
        reports.take(question(1), Err(Unusable::new("runs/a", "gone")));
        assert!(!reports.begin(&question(1)), "it is known");
        assert!(matches!(reports.look(&question(1), Report::churn), Found::Failed(_)));
        assert!(matches!(reports.look(&question(2), Report::churn), Found::Pending));
        reports.retry(&question(1));
        assert!(reports.begin(&question(1)));
        for stages in 0..60 {
            reports.take(question(stages), Ok(Report::Tests(StageTests::default())));
        }
        assert_eq!((reports.known.len(), reports.pending.len()), (KEPT, 0));
        assert!(matches!(reports.look(&question(59), Report::tests), Found::Ready(_)));
    }
}
