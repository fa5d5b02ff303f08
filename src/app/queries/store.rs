//! Answers that were found, and the questions that are being looked into.

use std::sync::Arc;

use super::{Question, Report};
use crate::app::launcher::{Said, Waiting};
use crate::error::InputError;

/// How far a question is.
#[derive(Debug, Clone)]
pub(crate) enum Found<T> {
    /// Nobody looks into it yet, or someone does.
    Pending,
    Ready(T),
    Failed(InputError),
    /// The user no longer wanted to wait.
    Cancelled,
}

/// What came of a question; none where it was cancelled.
type Answer = Result<Option<Report>, InputError>;

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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::RunStamp;
    use super::super::data_report::DataReport;
    use super::*;
    use crate::data::{DatasetSource, Protocol};
    use crate::results::churn::StageTests;

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
        reports.take(question(1), Err(InputError::new("runs/a", "gone")));
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
