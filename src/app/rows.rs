//! The rows of the runs table: the runs that the project asks for, and those that its folder has beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::watch::RunView;
use crate::project::Project;
use crate::results::config_diff::{self, Settings};
use crate::run::planned::{PlannedRun, planned};
use crate::run::queue::RunKey;
use crate::run::{RunConfig, RunMethod, RunSelection, Status};

/// Where a row of the runs table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowState {
    /// Its folder, if it has one, is not read yet.
    Reading,
    /// Planned by the project, never started.
    NotRun,
    /// Waits for the worker before it.
    Queued,
    /// Its worker was started and has not written a folder yet.
    Starting,
    /// As its folder says.
    Run(Status),
}

/// One row of the runs table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Id of the run, whether it was started or not.
    pub(crate) id: String,
    pub(crate) key: RunKey,
    pub(crate) state: RowState,
    pub(crate) run: Option<Arc<RunView>>,
    pub(crate) origin: Origin,
    pub(crate) method: MethodName,
    /// Those of its run, or with which it is going to be run.
    pub(crate) settings: Arc<Settings>,
}

/// What a method is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MethodName {
    key: &'static str,
    label: &'static str,
}

impl MethodName {
    fn of(method: &RunMethod) -> Self {
        Self { key: method.key(), label: method.label() }
    }

    /// In results: `peso`.
    pub(crate) const fn key(self) -> &'static str {
        self.key
    }

    /// For people.
    pub(crate) const fn label(self) -> &'static str {
        self.label
    }
}

/// A run that the project asks for.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) id: String,
    pub(super) key: RunKey,
    pub(super) method: MethodName,
    pub(super) settings: Arc<Settings>,
}

/// Why a row is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The project asks for it.
    Planned,
    /// Counted beside the experiments.
    Baseline,
    /// Its experiment was changed or removed since it ran.
    Earlier,
}

impl Row {
    /// Whether it can be put into the queue.
    pub(crate) const fn can_run(&self) -> bool {
        matches!(self.origin, Origin::Planned)
            && matches!(self.state, RowState::NotRun | RowState::Run(Status::Stopped | Status::Failed | Status::Queued))
    }

    /// Whether its worker can be asked to wait.
    pub(crate) const fn can_pause(&self) -> bool {
        matches!(self.state, RowState::Run(Status::Running))
    }

    /// Whether it can go on where it was.
    pub(crate) const fn can_resume(&self) -> bool {
        matches!(self.state, RowState::Run(Status::Paused))
            || (matches!(self.origin, Origin::Planned)
                && matches!(self.state, RowState::Run(Status::Stopped | Status::Failed)))
    }

    /// Whether there is a worker, or a place in the queue, to end.
    pub(crate) const fn can_stop(&self) -> bool {
        matches!(self.state, RowState::Queued | RowState::Run(Status::Running | Status::Paused))
    }
}

/// The runs that a project asks for, in its order, with their ids.
pub(super) fn planned_runs(project: &Project) -> Vec<Planned> {
    // A sweep that cannot be used is told where the project is checked; until then its experiments stand alone.
    let alone = || planned(&Project { sweeps: Vec::new(), ..project.clone() }, &RunSelection::default());
    let runs = planned(project, &RunSelection::default()).or_else(|_| alone()).unwrap_or_default();
    // Hash and settings are made once an experiment, whatever its seeds. Only a project that cannot be written down has no hash;
    // its runs then have ids that no folder has.
    let mut variants: BTreeMap<String, (String, Arc<Settings>)> = BTreeMap::new();
    let learned = runs.into_iter().filter(|run| run.method.is_learned());
    let with_id = |run: PlannedRun| {
        let (hash, settings) = variants.entry(run.experiment.clone()).or_insert_with(|| {
            let (project, method) = (run.project(project), &run.method);
            let hash = RunConfig::hash_of(&project, method).unwrap_or_default();
            (hash, Arc::new(config_diff::settings(method, &project)))
        });
        let PlannedRun { experiment, method, seed, .. } = run;
        let id = RunConfig::id_of(&experiment, &method, seed, hash);
        let (settings, method) = (Arc::clone(settings), MethodName::of(&method));
        Planned { id, key: RunKey { experiment, seed }, method, settings }
    };
    learned.map(with_id).collect()
}

/// By the name of a point of a project's sweeps, the experiment that it is a point of.
pub(super) fn sweep_points(project: &Project) -> BTreeMap<String, String> {
    // Where the sweeps cannot be used there are no points; the experiments themselves are always there.
    let variants = project.variants().unwrap_or_default();
    variants.into_iter().map(|variant| (variant.experiment.name, variant.of)).collect()
}

pub(super) fn other_row(run: &Arc<RunView>) -> Row {
    let origin = if run.config.method.is_learned() { Origin::Earlier } else { Origin::Baseline };
    let key = RunKey { experiment: run.config.experiment.clone(), seed: run.config.seed };
    Row {
        id: run.id.clone(),
        key,
        state: RowState::Run(run.status),
        run: Some(Arc::clone(run)),
        origin,
        method: MethodName::of(&run.config.method),
        settings: Arc::clone(&run.settings),
    }
}
