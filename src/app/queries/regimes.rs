//! What a method gains over another by two swept options.

use std::sync::Arc;

use super::{Pool, Query, QueryContext, same_project};
use crate::app::rows::{Row, RowState};
use crate::error::InputError;
use crate::project::Project;
use crate::results::regimes::{RegimeMap, RegimeQuestion};
use crate::run::Status;

/// The map of regimes; takes from a part of a second to many.
#[derive(Debug, Clone)]
pub(crate) struct Regimes {
    pub(crate) project: Arc<Project>,
    pub(crate) question: RegimeQuestion,
    /// Ids of the finished runs, and when each was started: a run that is started over keeps its id.
    runs: Vec<(String, u64)>,
}

impl Regimes {
    pub(crate) fn of(rows: &[Row], project: Arc<Project>, question: RegimeQuestion) -> Self {
        let finished = rows.iter().filter(|row| row.state == RowState::Run(Status::Finished));
        let started = |row: &Row| Some((row.id.clone(), row.run.as_ref()?.config.created_unix));
        Self { project, question, runs: finished.filter_map(started).collect() }
    }
}

impl PartialEq for Regimes {
    fn eq(&self, other: &Self) -> bool {
        self.runs == other.runs && self.question == other.question && same_project(&self.project, &other.project)
    }
}

impl Query for Regimes {
    type Answer = RegimeMap;

    const POOL: Pool = Pool::Verdicts;

    fn follows(&self, earlier: &Self) -> bool {
        self.question == earlier.question && self.project.runs_dir(None) == earlier.project.runs_dir(None)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<RegimeMap>, InputError> {
        RegimeMap::of(&self.project, &self.project.runs_dir(None), &self.question)
    }
}
