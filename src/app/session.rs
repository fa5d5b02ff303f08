//! The open project: what it says, what its runs do, and what waits to be run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::autosave::Autosave;
use super::dock::Layout;
use super::gate_watch::GateWatch;
use super::history::History;
use super::queries::Queries;
use super::queue_time::{QueueEnd, QueueStory, TimeLeft};
use super::rows::{Planned, other_row, planned_runs, sweep_points};
use super::steering::Steering;
use super::watch::{EachProtocol, FollowedRun, LiveCharts, Reading, RunView, Snapshot, Watcher, no_results};
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::styles::{curve_styles, run_styles};
use crate::pack::MissingPath;
use crate::plot::{Chart, SeriesStyle};
use crate::project::Project;
use crate::project::edits::change::{Change, Place};
use crate::project::styles::StyleSlots;
use crate::results::Results;
use crate::run::marks::{Mark, Marks};
use crate::run::queue::{Entries, Queue, RunKey};
use crate::run::trash::Deleted;
use crate::run::{Event, Status};

pub(crate) use super::rows::{Origin, Row, RowState};

/// A change of runs that can be taken back.
#[derive(Debug, Clone)]
pub(crate) enum RunsChange {
    /// What was said of runs before, by their ids.
    Marked(Vec<(String, Mark)>),
    Deleted(Vec<Deleted>),
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
    /// Data and models that the project named when it was opened, and that are not there.
    pub(crate) missing: Vec<MissingPath>,
    /// Whether it is being written now.
    pub(crate) saving: bool,
    pub(crate) layout: Layout,
    pub(crate) runs: Vec<Arc<RunView>>,
    results: EachProtocol<Arc<Results>>,
    pub(crate) results_revision: u64,
    pub(crate) live: Option<LiveCharts>,
    pub(crate) unreadable: Vec<InputError>,
    pub(crate) rows: Vec<Row>,
    /// The rows of archived runs, unless these are among the others.
    archived: Vec<Row>,
    /// Changes when the rows, or what is said of them, do.
    pub(crate) rows_revision: u64,
    /// While folders of runs are read that were not read before.
    pub(crate) reading: Option<Reading>,
    /// Tags, notes, and which runs are pinned or archived.
    pub(crate) marks: Arc<Marks>,
    /// What was changed of runs beside the project, which can be taken back, last change last.
    pub(crate) changes: Vec<RunsChange>,
    /// Whether archived runs are in the table, comparisons and charts.
    pub(crate) archived_shown: bool,
    /// The runs that the project asks for, and the revision of the history that asks for them: their ids are hashes, too dear
    /// to make again with every snapshot of a long sweep.
    planned: (u64, Vec<Planned>),
    /// By the name of a sweep's point, the experiment that it is a point of.
    points: BTreeMap<String, String>,
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
    /// The step that is steered by hand; none until somebody does.
    pub(crate) steering: Option<Steering>,
    queue_story: QueueStory,
    /// What workers said when they failed, by run.
    pub(crate) last_words: BTreeMap<RunKey, String>,
    pub(crate) watcher: Option<Watcher>,
    /// What the window itself has to say in the log.
    pub(crate) said: Vec<Event>,
    /// Why runs of the queue failed, until it ends.
    pub(crate) failures: Vec<String>,
    /// What the gates of the project said last.
    pub(crate) gates: GateWatch,
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
        let (planned, points) = ((0, planned_runs(&project)), sweep_points(&project));
        let mut session = Self {
            number,
            autosave: Autosave::beside(&file),
            file,
            saved: project.clone(),
            history: History::new(project),
            undo: None,
            redo: None,
            spotlight: None,
            missing: Vec::new(),
            saving: false,
            layout,
            runs: Vec::new(),
            results,
            results_revision: 0,
            live: None,
            unreadable: Vec::new(),
            rows: Vec::new(),
            archived: Vec::new(),
            rows_revision: 0,
            reading: Some(Reading::default()),
            marks: Arc::default(),
            changes: Vec::new(),
            archived_shown: false,
            planned,
            points,
            selected: BTreeSet::new(),
            adding: Vec::new(),
            queue: Entries::default(),
            working: false,
            launching: false,
            queries: Queries::default(),
            steering: None,
            queue_story: QueueStory::default(),
            last_words: BTreeMap::new(),
            watcher: None,
            said: Vec::new(),
            failures: Vec::new(),
            gates: GateWatch::default(),
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
        self.reading = snapshot.reading;
        self.marks = snapshot.marks;
        self.arrange_rows();
        failed
    }

    /// How long the queue still takes; nothing where nothing is under way, or nothing can be told of it.
    pub(crate) fn time_left(&self, now_unix: u64) -> Option<TimeLeft> {
        TimeLeft::of(&self.rows, now_unix)
    }

    /// What the queue came to, once when it has ended.
    pub(crate) fn queue_end(&mut self, now_unix: u64) -> Option<QueueEnd> {
        if self.reading.is_some() {
            return None;
        }
        let busy = self.is_busy() || self.launching || self.queue != Entries::default();
        self.queue_story.look(busy, &self.runs, now_unix)
    }

    /// Makes the rows anew: the project's runs in its order, then the baselines, then runs of earlier settings.
    pub(crate) fn arrange_rows(&mut self) {
        if self.planned.0 != self.history.revision() {
            self.planned = (self.history.revision(), planned_runs(self.project()));
            self.undo = self.history.before().and_then(|before| Change::between(before, self.project()));
            self.redo = self.history.after().and_then(|after| Change::between(self.project(), after));
            self.points = sweep_points(self.project());
        }
        let by_id: BTreeMap<&str, &Arc<RunView>> = self.runs.iter().map(|run| (run.id.as_str(), run)).collect();
        let planned = self.planned.1.iter().cloned();
        let mut rows: Vec<Row> = planned
            .map(|Planned { id, key, method, settings }| {
                let run = by_id.get(id.as_str()).map(|&run| Arc::clone(run));
                Row { state: self.state(&key, run.as_deref()), id, key, run, origin: Origin::Planned, method, settings }
            })
            .collect();
        let planned: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let others = self.runs.iter().filter(|run| !planned.contains(run.id.as_str()));
        let mut others: Vec<Row> = others.map(other_row).collect();
        others.sort_by_key(|row| row.origin == Origin::Earlier);
        rows.append(&mut others);
        // While folders are read a selected row may be one of those to come.
        if self.reading.is_none() {
            let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            self.selected.retain(|id| ids.contains(id.as_str()));
        }
        let shown = |row: &Row| self.archived_shown || !self.marks.of(&row.id).archived;
        (self.rows, self.archived) = rows.into_iter().partition(shown);
        self.rows_revision += 1;
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
            None if self.reading.is_some() => RowState::Reading,
            None => RowState::NotRun,
        }
    }

    /// Ids of the runs that the project asks for and that have begun.
    pub(crate) fn started(&self) -> BTreeSet<String> {
        let begun = self.rows.iter().filter(|row| row.origin == Origin::Planned && row.run.is_some());
        begun.map(|row| row.id.clone()).collect()
    }

    /// The experiment that a run's name is of: its own, or that of the sweep that it is a point of.
    pub(crate) fn experiment_of<'n>(&'n self, name: &'n str) -> &'n str {
        self.points.get(name).map_or(name, String::as_str)
    }

    /// The rows, with those of archived runs behind the others.
    pub(crate) fn all_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.archived)
    }

    /// The row at an index of [`Self::all_rows`].
    pub(crate) fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(index).or_else(|| self.archived.get(index.checked_sub(self.rows.len())?))
    }

    /// The rows that a command is about: the selected ones, or all if none is selected.
    pub(crate) fn concerned(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.selected.is_empty() || self.selected.contains(&row.id))
    }

    /// The runs of the project that are not done, among those that a command is about.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &Row> {
        let done = |state| matches!(state, RowState::Reading | RowState::Run(Status::Finished));
        self.concerned().filter(move |row| row.origin == Origin::Planned && !done(row.state))
    }

    /// The runs whose curves are of interest: the first of the selected ones, else those under way, else the newest.
    pub(crate) fn curves_of_interest(&self) -> Vec<Arc<RunView>> {
        let mut runs = self.all_of_interest();
        runs.truncate(MOST_CURVES);
        runs
    }

    /// Runs that are of interest beside those, and have no curves.
    pub(crate) fn curves_left_out(&self) -> usize {
        self.all_of_interest().len().saturating_sub(MOST_CURVES)
    }

    fn all_of_interest(&self) -> Vec<Arc<RunView>> {
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

/// Curves at once: more lines than these nobody can tell apart, and each is tens of thousands of steps to be read.
const MOST_CURVES: usize = 12;
