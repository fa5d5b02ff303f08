//! What statistics say of the lines of a comparison: the compare view asks, a background job finds out.

use super::answers::Subject;
use crate::error::InputError;
use crate::results::comparison::{Judged, judge};
use crate::results::paired_scores::UserMetric;
use crate::results::slices::{Sliced, sliced_runs};

/// Which lines are to be compared with which of them, by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inquiry {
    pub(crate) subject: Subject,
    /// Place of the baseline among the lines.
    pub(crate) baseline: usize,
}

/// A judgement of each line, or why there is none.
pub(crate) type Answer = Result<Vec<Judged>, InputError>;

/// What there is to say of a metric that is not one of single users.
const NOT_OF_USERS: &str = "this metric is not one of single users, so that no test pairs them";

impl Inquiry {
    /// Finds the answer; this takes from a part of a second to many.
    pub(crate) fn answer(&self) -> Answer {
        let Subject { runs_dir, lines, metric, protocol } = &self.subject;
        match metric.parse::<UserMetric>() {
            Ok(metric) => judge(runs_dir, &self.subject.names_and_runs(), self.baseline, (metric, *protocol)),
            Err(_) => {
                let judged = |place| match place == self.baseline {
                    true => Judged::Baseline,
                    false => Judged::Incomparable(NOT_OF_USERS.to_owned()),
                };
                Ok((0..lines.len()).map(judged).collect())
            }
        }
    }
}

impl Subject {
    /// Its lines by slice; this takes from a part of a second to many.
    pub(crate) fn sliced(&self) -> Result<Sliced, InputError> {
        let metric = self.metric.parse::<UserMetric>().map_err(|_| {
            InputError::new(&self.runs_dir, "this metric is not one of single users, so that it has no slices")
                .advice("choose Hit or NDCG")
        })?;
        sliced_runs(&self.runs_dir, &self.names_and_runs(), (metric, self.protocol))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::answers::Asked;
    use super::*;
    use crate::data::Protocol;

    #[test]
    fn a_metric_without_users_has_no_test_and_no_slices() {
        let line = Asked { name: "PESO".to_owned(), runs: vec![("peso-s1".to_owned(), 1)] };
        let metric = "invalid_rate".to_owned();
        let subject = Subject { runs_dir: PathBuf::new(), lines: vec![line], metric, protocol: Protocol::SameBlock };
        assert!(subject.sliced().unwrap_err().problem.contains("no slices"));
        assert_eq!(Inquiry { subject, baseline: 0 }.answer().unwrap(), [Judged::Baseline]);
    }
}
