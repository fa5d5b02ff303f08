//! Ship or hold, by the project's gates.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Pool, Query, QueryContext, same_project};
use crate::app::rows::{Origin, Row, RowState};
use crate::data::Protocol;
use crate::error::InputError;
use crate::project::Project;
use crate::results::decision::Decision;
use crate::run::Status;

/// The decision on every method against a baseline; takes from a part of a second to many.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) project: Arc<Project>,
    pub(crate) baseline: String,
    pub(crate) protocol: Protocol,
    /// Ids of the finished runs, and when each was started: a run that is started over keeps its id.
    runs: Vec<(String, u64)>,
}

impl Decided {
    pub(crate) fn of(rows: &[Row], project: Arc<Project>, baseline: String, protocol: Protocol) -> Self {
        let runs = finished_runs(rows, &project);
        Self { project, baseline, protocol, runs }
    }

    fn runs_dir(&self) -> PathBuf {
        self.project.runs_dir(None)
    }
}

/// Ids of the finished runs that a decision is on, and when each was started.
pub(super) fn finished_runs(rows: &[Row], project: &Project) -> Vec<(String, u64)> {
    let started = |row: &Row| Some((row.id.clone(), row.run.as_ref()?.config.created_unix));
    finished(rows, project).filter_map(started).collect()
}

/// The finished runs that a decision is on: those that the project asks for on its own data, and what only counts.
fn finished<'r>(rows: &'r [Row], project: &Project) -> impl Iterator<Item = &'r Row> {
    let counts = |row: &&Row| row.origin != Origin::Earlier && row.state == RowState::Run(Status::Finished);
    let on_own_data = |row: &&Row| {
        row.origin == Origin::Baseline
            || row.run.as_ref().is_some_and(|run| run.config.project.dataset.has_options_of(&project.dataset))
    };
    rows.iter().filter(counts).filter(on_own_data)
}

/// The names that can be the baseline, the usual one first: the method without any pull, where there is one.
pub(crate) fn baselines(rows: &[Row], project: &Project) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in finished(rows, project) {
        let name = &row.key.experiment;
        if names.contains(name) {
            continue;
        }
        let usual = row.method.key() == "single";
        names.insert(if usual { 0 } else { names.len() }, name.clone());
    }
    names
}

impl PartialEq for Decided {
    fn eq(&self, other: &Self) -> bool {
        (&self.baseline, self.protocol, &self.runs) == (&other.baseline, other.protocol, &other.runs)
            && same_project(&self.project, &other.project)
    }
}

impl Query for Decided {
    type Answer = Decision;

    const POOL: Pool = Pool::Verdicts;

    fn follows(&self, earlier: &Self) -> bool {
        (&self.baseline, self.protocol, self.runs_dir()) == (&earlier.baseline, earlier.protocol, earlier.runs_dir())
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Decision>, InputError> {
        Decision::of_project(&self.project, &self.runs_dir(), self.protocol, &self.baseline).map(Some)
    }
}
