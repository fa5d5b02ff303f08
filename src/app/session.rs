//! The open project: what it says, what its runs do, and what waits to be run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::autosave::Autosave;
use super::dock::Layout;
use super::history::History;
use super::queries::Queries;
use super::watch::{EachProtocol, FollowedRun, LiveCharts, RunView, Snapshot, Watcher, no_results};
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::styles::{curve_styles, run_styles};
use crate::plot::{Chart, SeriesStyle};
use crate::project::Project;
use crate::project::edits::change::{Change, Place};
use crate::project::styles::StyleSlots;
use crate::results::Results;
use crate::run::planned::{PlannedRun, planned};
use crate::run::queue::{Entries, Queue, RunKey};
use crate::run::{RunSelection, Status};

/// Where a row of the runs table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowState {
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

/// Where the user is led: a place that was asked for, or that of an edit that was just taken back or made again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spotlight {
    pub(crate) place: Place,
    /// What the status says of it: `Undone: lambda of PESO`. None of a place that the user asked for.
    pub(crate) words: Option<String>,
    /// When it began, in seconds of the window's clock.
    pub(crate) since: f64,
}

/// Everything that belongs to the open project.
#[derive(Debug)]
pub(crate) struct Session {
    /// Tells messages for this project from those for one that was closed.
    pub(crate) number: u64,
    /// The project file.
    pub(crate) file: PathBuf,
    pub(crate) history: History<Project>,
    /// The project as its file has it.
    pub(crate) saved: Project,
    /// What undo would take back and redo would make again.
    pub(crate) undo: Option<Change>,
    pub(crate) redo: Option<Change>,
    /// Where the user is led now.
    pub(crate) spotlight: Option<Spotlight>,
    pub(crate) autosave: Autosave,
    /// Whether it is being written now.
    pub(crate) saving: bool,
    pub(crate) layout: Layout,
    pub(crate) runs: Vec<Arc<RunView>>,
    results: EachProtocol<Arc<Results>>,
    pub(crate) results_revision: u64,
    pub(crate) live: Option<LiveCharts>,
    pub(crate) unreadable: Vec<InputError>,
    pub(crate) rows: Vec<Row>,
    /// The runs that the project asks for, and the revision of the history that asks for them: their ids are hashes, too dear
    /// to make again with every snapshot of a long sweep.
    planned: (u64, Vec<(String, RunKey)>),
    /// Ids of the selected rows.
    pub(crate) selected: BTreeSet<String>,
    /// Runs on their way into the queue: the project is saved before.
    pub(crate) adding: Vec<RunKey>,
    /// The queue as it was last seen, and what was put into it since.
    pub(crate) queue: Entries,
    /// Whether a worker that this window started is alive, and whether it has yet to reach the queue.
    pub(crate) working: bool,
    pub(crate) launching: bool,
    pub(crate) queries: Queries,
    /// What workers said when they failed, by run.
    pub(crate) last_words: BTreeMap<RunKey, String>,
    pub(crate) watcher: Option<Watcher>,
    /// What the line of each run is drawn with in every chart, by run id, then the slots of names, and the training curves of
    /// runs; made again where the project (first revision) or the results (second) have changed.
    pub(crate) styles: BTreeMap<String, SeriesStyle>,
    pub(crate) style_slots: StyleSlots,
    curve_styles: BTreeMap<String, SeriesStyle>,
    styled: Option<(u64, u64)>,
    /// Runs whose curves the watcher follows.
    followed: Vec<FollowedRun>,
}

impl Session {
    /// A project that was just opened; its runs arrive with the first snapshot.
    pub(crate) fn new(number: u64, file: PathBuf, project: Project, layout: Layout) -> Self {
        let results = no_results(&project.name);
        let planned = (0, planned_runs(&project));
        let mut session = Self {
            number,
            autosave: Autosave::beside(&file),
            file,
            saved: project.clone(),
            history: History::new(project),
            undo: None,
            redo: None,
            spotlight: None,
            saving: false,
            layout,
            runs: Vec::new(),
            results,
            results_revision: 0,
            live: None,
            unreadable: Vec::new(),
            rows: Vec::new(),
            planned,
            selected: BTreeSet::new(),
            adding: Vec::new(),
            queue: Entries::default(),
            working: false,
            launching: false,
            queries: Queries::default(),
            last_words: BTreeMap::new(),
            watcher: None,
            styles: BTreeMap::new(),
            style_slots: StyleSlots::default(),
            curve_styles: BTreeMap::new(),
            styled: None,
            followed: Vec::new(),
        };
        session.arrange_rows();
        session
    }

    pub(crate) const fn project(&self) -> &Project {
        self.history.present()
    }

    /// What the runs measured under a protocol.
    pub(crate) const fn results(&self, protocol: Protocol) -> &Arc<Results> {
        &self.results[protocol as usize]
    }

    /// The protocols that some run has measured, or the project's first where none has.
    pub(crate) fn protocols(&self) -> Vec<Protocol> {
        let usual = self.project().evaluation.protocol.first();
        let runs = &self.results(usual).runs;
        let measured = |protocol: &Protocol| runs.iter().any(|run| run.protocols.contains(protocol));
        let found: Vec<Protocol> = Protocol::ALL.into_iter().filter(measured).collect();
        if found.is_empty() { vec![usual] } else { found }
    }

    /// Whether the project differs from its file; an edit that was taken back leaves nothing to save.
    pub(crate) fn unsaved(&self) -> bool {
        *self.project() != self.saved
    }

    /// Whether what is shown comes from generated data.
    pub(crate) fn synthetic(&self) -> bool {
        matches!(self.project().dataset, crate::data::DatasetSource::Synthetic(_))
    }

    /// Takes over what the run folders say; the runs that have failed since the last time come back.
    pub(crate) fn take(&mut self, snapshot: Snapshot) -> Vec<Arc<RunView>> {
        let was_active: BTreeSet<&str> =
            self.runs.iter().filter(|run| run.is_active()).map(|run| run.id.as_str()).collect();
        let has_failed = |run: &&Arc<RunView>| run.status == Status::Failed && was_active.contains(run.id.as_str());
        let failed = snapshot.runs.iter().filter(has_failed).cloned().collect();
        self.runs = snapshot.runs;
        // Until the worker that was started reaches the queue, nobody seems to work on what was put there.
        self.launching &= snapshot.queue == Entries::default();
        if !self.launching {
            self.queue = snapshot.queue;
        }
        self.results = snapshot.results;
        self.results_revision = snapshot.results_revision;
        self.live = snapshot.live;
        self.unreadable = snapshot.unreadable;
        self.arrange_rows();
        failed
    }

    /// Makes the rows anew: the project's runs in its order, then the baselines, then runs of earlier settings.
    pub(crate) fn arrange_rows(&mut self) {
        if self.planned.0 != self.history.revision() {
            self.planned = (self.history.revision(), planned_runs(self.project()));
            self.undo = self.history.before().and_then(|before| Change::between(before, self.project()));
            self.redo = self.history.after().and_then(|after| Change::between(self.project(), after));
        }
        let by_id: BTreeMap<&str, &Arc<RunView>> = self.runs.iter().map(|run| (run.id.as_str(), run)).collect();
        let planned = self.planned.1.iter().cloned();
        let mut rows: Vec<Row> = planned
            .map(|(id, key)| {
                let run = by_id.get(id.as_str()).map(|&run| Arc::clone(run));
                Row { state: self.state(&key, run.as_deref()), id, key, run, origin: Origin::Planned }
            })
            .collect();
        let planned: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        let mut others: Vec<Row> = self.runs.iter().filter(|run| !planned.contains(&run.id)).map(other_row).collect();
        others.sort_by_key(|row| row.origin == Origin::Earlier);
        rows.append(&mut others);
        self.selected.retain(|id| rows.iter().any(|row| row.id == *id));
        self.rows = rows;
        self.restyle();
        self.follow_curves();
    }

    fn restyle(&mut self) {
        let of = (self.history.revision(), self.results_revision);
        if self.styled.replace(of) != Some(of) {
            let results = self.results(Protocol::SameBlock);
            let (styles, curves) = (run_styles(self.project(), results), curve_styles(self.project(), results));
            (self.styles, self.curve_styles) = (styles, curves);
            self.style_slots = self.project().style_slots();
        }
    }

    fn state(&self, key: &RunKey, run: Option<&RunView>) -> RowState {
        match run {
            Some(run) if run.is_active() || run.status == Status::Finished => RowState::Run(run.status),
            _ if self.adding.contains(key) || self.queue.waiting.contains(key) => RowState::Queued,
            _ if self.queue.current.as_ref() == Some(key) => RowState::Starting,
            Some(run) => RowState::Run(run.status),
            None => RowState::NotRun,
        }
    }

    /// Ids of the runs that the project asks for and that have begun.
    pub(crate) fn started(&self) -> BTreeSet<String> {
        let begun = self.rows.iter().filter(|row| row.origin == Origin::Planned && row.run.is_some());
        begun.map(|row| row.id.clone()).collect()
    }

    /// The rows that a command is about: the selected ones, or all if none is selected.
    pub(crate) fn concerned(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.selected.is_empty() || self.selected.contains(&row.id))
    }

    /// The runs of the project that are not done, among those that a command is about.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &Row> {
        self.concerned().filter(|row| row.origin == Origin::Planned && row.state != RowState::Run(Status::Finished))
    }

    /// The runs whose curves are of interest: the selected ones, else those under way, else the newest.
    pub(crate) fn curves_of_interest(&self) -> Vec<Arc<RunView>> {
        let learned = || self.rows.iter().filter_map(|row| Some((row, row.run.as_ref()?)));
        let selected: Vec<_> =
            learned().filter(|(row, _)| self.selected.contains(&row.id)).map(|(_, run)| Arc::clone(run)).collect();
        if !selected.is_empty() {
            return selected;
        }
        let active: Vec<_> = learned().filter(|(_, run)| run.is_active()).map(|(_, run)| Arc::clone(run)).collect();
        if !active.is_empty() {
            return active;
        }
        // Whether the project still asks for it or not: an edit of the seeds takes no curve away.
        let newest =
            learned().filter(|(row, _)| row.origin != Origin::Baseline).max_by_key(|(_, run)| run.config.created_unix);
        newest.map(|(_, run)| Arc::clone(run)).into_iter().collect()
    }

    /// Tells the watcher which curves to follow, if that changed.
    pub(crate) fn follow_curves(&mut self) {
        let followed = |run: &Arc<RunView>| {
            let style = self.curve_styles.get(&run.id).copied().unwrap_or(SeriesStyle::curve(0));
            FollowedRun { id: run.id.clone(), style }
        };
        let wanted: Vec<FollowedRun> = self.curves_of_interest().iter().map(followed).collect();
        if wanted != self.followed
            && let Some(watcher) = &self.watcher
        {
            watcher.follow(wanted.clone());
            self.followed = wanted;
        }
    }

    /// The runs that a chart names and that are not finished, each with how far it is: what a file of the chart leaves out.
    pub(crate) fn unfinished_in(&self, chart: &Chart) -> Vec<String> {
        let names = chart.names();
        let named = |run: &RunView| names.iter().any(|name| name.contains(run.config.experiment.as_str()));
        let unfinished =
            self.rows.iter().filter(|row| row.origin != Origin::Earlier).filter_map(|row| row.run.as_ref());
        let unfinished = unfinished.filter(|run| run.status != Status::Finished && named(run));
        let words = |run: &Arc<RunView>| {
            let finished = run.stages.iter().filter(|stage| stage.finished).count();
            format!("{}, seed {}, {finished} of {} stages", run.config.experiment, run.config.seed, run.config.stages)
        };
        unfinished.map(words).collect()
    }

    /// The queue that workers of this project empty.
    pub(crate) fn queue_file(&self) -> Queue {
        Queue::new(&self.project().runs_dir(None))
    }

    /// Number of runs that wait.
    pub(crate) const fn queued(&self) -> usize {
        self.adding.len() + self.queue.waiting.len()
    }

    /// Whether a worker runs anywhere, or will at once.
    pub(crate) fn is_busy(&self) -> bool {
        self.working || !self.adding.is_empty() || self.runs.iter().any(|run| run.is_active())
    }
}

/// The runs that a project asks for, in its order, with their ids.
fn planned_runs(project: &Project) -> Vec<(String, RunKey)> {
    // A sweep that cannot be used is told where the project is checked; until then its experiments stand alone.
    let alone = || planned(&Project { sweeps: Vec::new(), ..project.clone() }, &RunSelection::default());
    let runs = planned(project, &RunSelection::default()).or_else(|_| alone()).unwrap_or_default();
    let with_id = |run: PlannedRun| {
        // Only a project that cannot be written down has no hash; its runs then have ids that no folder has.
        let id = run.id(project).unwrap_or_default();
        (id, RunKey { experiment: run.experiment, seed: run.seed })
    };
    runs.into_iter().filter(|run| run.method.is_learned()).map(with_id).collect()
}

fn other_row(run: &Arc<RunView>) -> Row {
    let origin = if run.config.method.is_learned() { Origin::Earlier } else { Origin::Baseline };
    let key = RunKey { experiment: run.config.experiment.clone(), seed: run.config.seed };
    Row { id: run.id.clone(), key, state: RowState::Run(run.status), run: Some(Arc::clone(run)), origin }
}
