//! What statistics say of the lines of a comparison.

use std::path::PathBuf;

use super::data::ProjectData;
use super::{Pool, Query, QueryContext};
use crate::data::{Grouping, Protocol, UserGroups};
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::results::comparison::{Judged, judge};
use crate::results::fairness::{Fairness, fairness};
use crate::results::slices::{Sliced, sliced_runs};

/// Lines of a comparison, and the metric and protocol by which they are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComparedLines {
    pub(crate) runs_dir: PathBuf,
    pub(crate) lines: Vec<ComparedLine>,
    pub(crate) metric: String,
    pub(crate) protocol: Protocol,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComparedLine {
    pub(crate) name: String,
    /// Ids of its runs, and when each was started: a run that is started over keeps its id.
    pub(crate) runs: Vec<(String, u64)>,
}

impl ComparedLines {
    /// The lines as names with run ids.
    fn names_and_runs(&self) -> Vec<(String, Vec<String>)> {
        let ids = |line: &ComparedLine| line.runs.iter().map(|(id, _)| id.clone()).collect();
        self.lines.iter().map(|line| (line.name.clone(), ids(line))).collect()
    }
}

/// Whether each line is better or worse than one of them; takes from a part of a second to many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdicts {
    pub(crate) compared: ComparedLines,
    /// Index of the baseline among the lines.
    pub(crate) baseline: usize,
}

/// What there is to say of a metric that is not one of single users.
const NOT_OF_USERS: &str = "this metric is not one of single users, so that no test pairs them";

impl Query for Verdicts {
    type Answer = Vec<Judged>;

    const POOL: Pool = Pool::Verdicts;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Vec<Judged>>, InputError> {
        let ComparedLines { runs_dir, lines, metric, protocol } = &self.compared;
        let verdicts = match metric.parse::<UserMetric>() {
            Ok(metric) => judge(runs_dir, &self.compared.names_and_runs(), self.baseline, metric, *protocol)?,
            Err(_) => {
                let verdict = |index| match index == self.baseline {
                    true => Judged::Baseline,
                    false => Judged::Incomparable(NOT_OF_USERS.to_owned()),
                };
                (0..lines.len()).map(verdict).collect()
            }
        };
        Ok(Some(verdicts))
    }
}

/// The tests of each line in slices of users and targets; takes from a part of a second to many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slices {
    pub(crate) compared: ComparedLines,
}

impl Query for Slices {
    type Answer = Sliced;

    const POOL: Pool = Pool::Slices;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Sliced>, InputError> {
        let ComparedLines { runs_dir, metric, protocol, .. } = &self.compared;
        let metric = metric.parse::<UserMetric>().map_err(|_| {
            InputError::new(runs_dir, "this metric is not one of single users, so that it has no slices")
                .advice("choose Hit or NDCG")
        })?;
        sliced_runs(runs_dir, &self.compared.names_and_runs(), metric, *protocol).map(Some)
    }
}

/// The tests of each line in groups of users; reads the dataset, and shuffles and resamples the tests: seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Groups {
    pub(crate) compared: ComparedLines,
    /// Index of the baseline among the lines.
    pub(crate) baseline: usize,
    pub(crate) data: ProjectData,
    pub(crate) grouping: Grouping,
}

impl Query for Groups {
    type Answer = Fairness;

    const POOL: Pool = Pool::Slices;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Fairness>, InputError> {
        let ComparedLines { runs_dir, metric, protocol, lines } = &self.compared;
        let metric = metric.parse::<UserMetric>().map_err(|_| {
            InputError::new(runs_dir, "this metric is not one of single users, so that it has no groups")
                .advice("choose Hit or NDCG")
        })?;
        let groups = UserGroups::of(&self.data.dataset()?, *protocol, &self.grouping, self.data.folder())?;
        let baseline = lines.get(self.baseline).map(|line| line.name.as_str());
        let names = self.compared.names_and_runs();
        let (fairness, _) = fairness(runs_dir, &names, baseline, metric, *protocol, &groups)?;
        Ok(Some(fairness))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::tests::without_processes;
    use super::*;

    fn compared(metric: &str, started: u64, protocol: Protocol) -> ComparedLines {
        let line = ComparedLine { name: "PESO".to_owned(), runs: vec![("peso-s1".to_owned(), started)] };
        ComparedLines { runs_dir: PathBuf::new(), lines: vec![line], metric: metric.to_owned(), protocol }
    }

    #[test]
    fn a_metric_without_users_has_no_test_and_no_slices() {
        let compared = compared("invalid_rate", 1, Protocol::SameBlock);
        without_processes(|context| {
            let slices = Slices { compared: compared.clone() };
            assert!(slices.answer(context).unwrap_err().problem.contains("no slices"));
            let verdicts = Verdicts { compared: compared.clone(), baseline: 0 };
            assert_eq!(verdicts.answer(context).unwrap().unwrap(), [Judged::Baseline]);
        });
    }

    #[test]
    fn a_run_that_is_started_over_and_another_protocol_are_other_queries() {
        let slices = |started, protocol| Slices { compared: compared("hit@10", started, protocol) };
        let first = slices(1, Protocol::SameBlock);
        assert_eq!(first, slices(1, Protocol::SameBlock));
        assert_ne!(first, slices(2, Protocol::SameBlock));
        assert_ne!(first, slices(1, Protocol::NextBlock));
    }
}
