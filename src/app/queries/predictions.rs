//! What runs recommended to single users, and how far training changed that.

use super::{Query, QueryContext, RunStamp};
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::results::churn::{ChurnReport, StageTests, churn, stage_tests};

/// How far training on each stage changed what users see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Churn {
    pub(crate) run: RunStamp,
    pub(crate) protocol: Protocol,
}

impl Query for Churn {
    type Answer = ChurnReport;

    fn follows(&self, earlier: &Self) -> bool {
        self.protocol == earlier.protocol && self.run.follows(&earlier.run)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<ChurnReport>, InputError> {
        churn(&self.run.open()?, self.protocol, UserMetric::default()).map(Some)
    }
}

/// What runs recommended in the tests of a stage (from 1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recommendations {
    pub(crate) runs: Vec<RunStamp>,
    pub(crate) protocol: Protocol,
    pub(crate) stage: usize,
}

impl Query for Recommendations {
    type Answer = StageTests;

    fn follows(&self, earlier: &Self) -> bool {
        let same = (self.protocol, self.stage) == (earlier.protocol, earlier.stage);
        same && earlier.runs.iter().all(|run| self.runs.contains(run))
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<StageTests>, InputError> {
        let folders = self.runs.iter().map(RunStamp::open).collect::<Result<Vec<_>, _>>()?;
        stage_tests(&folders, self.protocol, self.stage).map(Some)
    }
}
