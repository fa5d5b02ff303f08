//! Since when the model of stage 1 serves users worse.

use super::data::ProjectData;
use super::{Query, QueryContext, RunStamp};
use crate::data::Protocol;
use crate::error::InputError;
use crate::results::alarm::{AlarmSettings, DriftAlarm};

/// The drift alarm of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) run: RunStamp,
    pub(crate) data: ProjectData,
    pub(crate) protocol: Protocol,
    pub(crate) settings: AlarmSettings,
}

impl Query for Alarm {
    type Answer = DriftAlarm;

    const SUPERSEDES: bool = true;

    fn follows(&self, earlier: &Self) -> bool {
        (&self.data, self.protocol) == (&earlier.data, earlier.protocol)
            && (self.run == earlier.run || self.run.follows(&earlier.run))
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<DriftAlarm>, InputError> {
        DriftAlarm::of_run(&self.run.open()?, self.protocol, &self.data.dataset()?, self.settings).map(Some)
    }
}
