//! What statistics say of the lines of a comparison: the compare view asks, a background job finds out, answers are kept.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::Protocol;
use crate::error::Unusable;
use crate::experiment::comparison::{Judged, judge};
use crate::experiment::paired::UserMetric;

/// Which lines are to be compared with which of them, by what. Equal inquiries have equal answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inquiry {
    pub(crate) runs_dir: PathBuf,
    pub(crate) lines: Vec<Asked>,
    /// Place of the baseline among the lines.
    pub(crate) baseline: usize,
    pub(crate) metric: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    /// Ids of its runs, and when each was started: a run that is started over keeps its id.
    pub(crate) runs: Vec<(String, u64)>,
}

/// A judgement of each line, or why there is none.
pub(crate) type Answer = Result<Vec<Judged>, Unusable>;

impl Inquiry {
    /// Finds the answer; this takes from a part of a second to many.
    pub(crate) fn answer(&self) -> Answer {
        let ids = |line: &Asked| line.runs.iter().map(|(id, _)| id.clone()).collect();
        let lines: Vec<(String, Vec<String>)> = self.lines.iter().map(|line| (line.name.clone(), ids(line))).collect();
        match self.metric.parse::<UserMetric>() {
            Ok(metric) => judge(&self.runs_dir, &lines, self.baseline, (metric, Protocol::SameBlock)),
            Err(_) => {
                let judged = |place| {
                    if place == self.baseline {
                        return Judged::Baseline;
                    }
                    Judged::Incomparable(
                        "this metric is not one of single users, so that no test pairs them".to_owned(),
                    )
                };
                Ok((0..lines.len()).map(judged).collect())
            }
        }
    }
}

/// Answers that were found, and the inquiry that is being looked into.
#[derive(Debug, Default)]
pub(crate) struct Judgements {
    /// The newest last.
    known: Vec<(Arc<Inquiry>, Arc<Answer>)>,
    pending: Option<Arc<Inquiry>>,
}

/// Answers that are kept: as many metrics and baselines as someone looks at in turn.
const KEPT: usize = 32;

impl Judgements {
    /// The answer, if it is known.
    pub(crate) fn of(&self, inquiry: &Inquiry) -> Option<&Arc<Answer>> {
        self.known.iter().find(|(known, _)| **known == *inquiry).map(|(_, answer)| answer)
    }

    /// Whether someone should look into the inquiry now: one is looked into at a time, and none twice.
    pub(crate) fn begin(&mut self, inquiry: &Arc<Inquiry>) -> bool {
        let new = self.pending.is_none() && self.of(inquiry).is_none();
        if new {
            self.pending = Some(Arc::clone(inquiry));
        }
        new
    }

    pub(crate) fn take(&mut self, inquiry: Arc<Inquiry>, answer: Answer) {
        self.pending = None;
        self.known.push((inquiry, Arc::new(answer)));
        let surplus = self.known.len().saturating_sub(KEPT);
        self.known.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inquiry(metric: &str, started: u64) -> Arc<Inquiry> {
        let line = Asked { name: "PESO".to_owned(), runs: vec![("peso-s1".to_owned(), started)] };
        Arc::new(Inquiry { runs_dir: PathBuf::new(), lines: vec![line], baseline: 0, metric: metric.to_owned() })
    }

    #[test]
    fn one_question_at_a_time_and_none_twice() {
        let mut judgements = Judgements::default();
        let (hit, ndcg) = (inquiry("hit@10", 1), inquiry("ndcg@10", 1));
        assert!(judgements.begin(&hit) && !judgements.begin(&ndcg), "the second waits");
        judgements.take(Arc::clone(&hit), Ok(vec![Judged::Baseline]));
        assert!(!judgements.begin(&inquiry("hit@10", 1)), "it is known");
        assert!(judgements.of(&hit).is_some() && judgements.of(&inquiry("hit@10", 2)).is_none(), "started over");
        assert!(judgements.begin(&ndcg));
        for started in 0..40 {
            judgements.take(inquiry("ndcg@5", started), Ok(Vec::new()));
        }
        assert_eq!(judgements.known.len(), KEPT);
    }

    #[test]
    fn a_metric_without_users_has_no_test() {
        let answer = inquiry("invalid_rate", 1).answer().unwrap();
        assert_eq!(answer, [Judged::Baseline]);
    }
}
