//! Questions about the lines of a comparison that take a while: a background job looks into each once, answers are kept.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::Protocol;

/// Which lines a question is about, and by what. Equal subjects have equal answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) runs_dir: PathBuf,
    pub(crate) lines: Vec<Asked>,
    pub(crate) metric: String,
    pub(crate) protocol: Protocol,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    /// Ids of its runs, and when each was started: a run that is started over keeps its id.
    pub(crate) runs: Vec<(String, u64)>,
}

impl Subject {
    /// The lines as names with run ids.
    pub(crate) fn names_and_runs(&self) -> Vec<(String, Vec<String>)> {
        let ids = |line: &Asked| line.runs.iter().map(|(id, _)| id.clone()).collect();
        self.lines.iter().map(|line| (line.name.clone(), ids(line))).collect()
    }
}

/// Answers that were found, and the question that is being looked into.
#[derive(Debug)]
pub(crate) struct Answers<Q, A> {
    /// The newest last.
    known: Vec<(Arc<Q>, Arc<A>)>,
    pending: Option<Arc<Q>>,
}

// Derived, it would ask for defaults of both.
impl<Q, A> Default for Answers<Q, A> {
    fn default() -> Self {
        Self { known: Vec::new(), pending: None }
    }
}

/// Answers that are kept: as many metrics and baselines as someone looks at in turn.
const KEPT: usize = 32;

impl<Q: PartialEq, A> Answers<Q, A> {
    /// The answer, if it is known.
    pub(crate) fn of(&self, question: &Q) -> Option<&Arc<A>> {
        self.known.iter().find(|(known, _)| **known == *question).map(|(_, answer)| answer)
    }

    /// Whether someone should look into the question now: one is looked into at a time, and none twice.
    pub(crate) fn begin(&mut self, question: &Arc<Q>) -> bool {
        let new = self.pending.is_none() && self.of(question).is_none();
        if new {
            self.pending = Some(Arc::clone(question));
        }
        new
    }

    pub(crate) fn take(&mut self, question: Arc<Q>, answer: A) {
        self.pending = None;
        self.known.push((question, Arc::new(answer)));
        let surplus = self.known.len().saturating_sub(KEPT);
        self.known.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(metric: &str, started: u64, protocol: Protocol) -> Arc<Subject> {
        let line = Asked { name: "PESO".to_owned(), runs: vec![("peso-s1".to_owned(), started)] };
        Arc::new(Subject { runs_dir: PathBuf::new(), lines: vec![line], metric: metric.to_owned(), protocol })
    }

    #[test]
    fn one_question_at_a_time_and_none_twice() {
        let mut answers = Answers::default();
        let (hit, ndcg) = (subject("hit@10", 1, Protocol::SameBlock), subject("ndcg@10", 1, Protocol::SameBlock));
        assert!(answers.begin(&hit) && !answers.begin(&ndcg), "the second waits");
        answers.take(Arc::clone(&hit), 1);
        assert!(!answers.begin(&subject("hit@10", 1, Protocol::SameBlock)), "it is known");
        assert_eq!(answers.of(&hit).map(|found| **found), Some(1));
        assert!(answers.of(&subject("hit@10", 2, Protocol::SameBlock)).is_none(), "started over");
        assert!(answers.of(&subject("hit@10", 1, Protocol::NextBlock)).is_none(), "another protocol");
        assert!(answers.begin(&ndcg));
        for started in 0..40 {
            answers.take(subject("ndcg@5", started, Protocol::SameBlock), 2);
        }
        assert_eq!(answers.known.len(), KEPT);
    }
}
