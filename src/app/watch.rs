//! Following run folders: a thread reads what changes in them and tells the window.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use super::background::Outbox;
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::curves::{CurvePoint, RunCurves};
use crate::figures::{self, FigureSpec, Provenance as _};
use crate::plot::{Chart, SeriesStyle};
use crate::results::{Results, RunResult};
use crate::run::observer::{Progress, StageRecord};
use crate::run::queue::{Entries, Queue};
use crate::run::{Event, RunConfig, RunFolder, RunReader, Status};

/// Between two looks while a run is under way, and while none is.
const BUSY: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_millis(1000);
/// Log lines that are kept of each run.
const EVENTS: usize = 300;

/// One of something for each protocol, in the order of [`Protocol::ALL`].
pub(crate) type EachProtocol<T> = [T; Protocol::ALL.len()];

/// One run as its folder says.
#[derive(Debug, Clone)]
pub(crate) struct RunView {
    pub(crate) id: String,
    pub(crate) folder: PathBuf,
    pub(crate) config: Arc<RunConfig>,
    pub(crate) status: Status,
    /// Why it failed or stopped.
    pub(crate) reason: Option<String>,
    pub(crate) progress: Option<Progress>,
    pub(crate) stages: Vec<StageRecord>,
    pub(crate) results: EachProtocol<Arc<RunResult>>,
    /// The last log lines, oldest first.
    pub(crate) events: Vec<Event>,
}

impl RunView {
    /// Whether a worker holds it.
    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }

    /// What was measured under a protocol.
    pub(crate) fn result(&self, protocol: Protocol) -> &Arc<RunResult> {
        &self.results[protocol as usize]
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (self.status, &self.reason, &self.progress, &self.stages)
            == (other.status, &other.reason, &other.progress, &other.stages)
            && self.results.iter().zip(&other.results).all(|(own, other)| Arc::ptr_eq(own, other))
            && self.events == other.events
    }
}

/// The figures of training curves of the runs that are watched closely.
pub(crate) type LiveCharts = Vec<(&'static FigureSpec, Arc<Chart>)>;

/// All runs of a project at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Sorted by id.
    pub(crate) runs: Vec<Arc<RunView>>,
    pub(crate) results: EachProtocol<Arc<Results>>,
    /// Changes when `results` does.
    pub(crate) results_revision: u64,
    pub(crate) live: Option<LiveCharts>,
    /// Folders that look like runs and cannot be read.
    pub(crate) unreadable: Vec<InputError>,
    /// What waits for a worker that is alive.
    pub(crate) queue: Entries,
}

/// The thread that follows the runs of one project; ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    requests: mpsc::Sender<WatcherRequest>,
}

/// A run whose curves are followed, and what they are drawn with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FollowedRun {
    pub(crate) id: String,
    pub(crate) style: SeriesStyle,
}

/// What the window asks of the thread.
enum WatcherRequest {
    /// Follow the curves of these runs, in this order.
    Curves(Vec<FollowedRun>),
    /// Look now.
    Poll,
}

impl Watcher {
    /// Starts to follow the runs in `runs_folder`; `wrap` makes the window's message of a snapshot.
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub(crate) fn start<M: Send + 'static>(
        project: String,
        runs_folder: PathBuf,
        outbox: Outbox<M>,
        wrap: impl Fn(Snapshot) -> M + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, inbox) = mpsc::channel();
        let mut runs = Runs::new(project, runs_folder);
        std::thread::Builder::new().name("watch runs".to_owned()).spawn(move || {
            loop {
                if let Some(snapshot) = runs.look()
                    && !outbox.send(wrap(snapshot))
                {
                    return;
                }
                let wait = if runs.busy() { BUSY } else { IDLE };
                match inbox.recv_timeout(wait) {
                    Ok(WatcherRequest::Curves(followed)) => runs.follow(followed),
                    Ok(WatcherRequest::Poll) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Self { requests })
    }

    /// Follows the curves of these runs from now on.
    pub(crate) fn follow(&self, runs: Vec<FollowedRun>) {
        // The thread is gone only when the window is.
        let _ = self.requests.send(WatcherRequest::Curves(runs));
    }

    /// Looks now instead of at the next turn.
    pub(crate) fn look(&self) {
        let _ = self.requests.send(WatcherRequest::Poll);
    }
}

/// What the thread keeps between two looks.
struct Runs {
    project: String,
    folder: PathBuf,
    open: BTreeMap<String, OpenRun>,
    followed: Vec<FollowedRun>,
    live: Option<LiveCharts>,
    /// As they were read, to tell whether they have changed.
    results: EachProtocol<Arc<Results>>,
    /// [`Results::side_by_side`] of them, which is what is shown.
    side_by_side: EachProtocol<Arc<Results>>,
    revision: u64,
    unreadable: Vec<InputError>,
    queue: Queue,
    entries: Entries,
    /// What stood in the folder at the last look.
    names: BTreeSet<OsString>,
    /// Number of runs that the last look opened.
    shown: usize,
    /// Whether anything was sent yet: even an empty project says so once.
    told: bool,
}

struct OpenRun {
    reader: RunReader,
    /// When its configuration was written: a run that was started afresh has the same name and another time.
    written_at: Option<SystemTime>,
    view: Arc<RunView>,
    last_event: i64,
    curve: Curve,
}

#[derive(Default)]
struct Curve {
    last_row: i64,
    points: Vec<CurvePoint>,
}

impl Runs {
    fn new(project: String, folder: PathBuf) -> Self {
        let results = no_results(&project);
        Self {
            project,
            queue: Queue::new(&folder),
            entries: Entries::default(),
            folder,
            open: BTreeMap::new(),
            followed: Vec::new(),
            live: None,
            side_by_side: results.clone(),
            results,
            revision: 0,
            unreadable: Vec::new(),
            names: BTreeSet::new(),
            shown: 0,
            told: false,
        }
    }

    fn busy(&self) -> bool {
        self.entries.current.is_some() || self.open.values().any(|run| run.view.is_active())
    }

    fn follow(&mut self, runs: Vec<FollowedRun>) {
        if runs != self.followed {
            self.followed = runs;
            self.live = None;
        }
    }

    /// Reads what is new; `None` when nothing is.
    fn look(&mut self) -> Option<Snapshot> {
        let mut changed = self.find_runs();
        changed |= self.read_runs();
        changed |= self.read_curves();
        let entries = self.queue.entries();
        changed |= entries != self.entries;
        self.entries = entries;
        if !changed && self.told {
            return None;
        }
        self.told = true;
        let runs: Vec<Arc<RunView>> = self.open.values().map(|run| Arc::clone(&run.view)).collect();
        let same = |told: &Arc<Results>| {
            runs.len() == told.runs.len()
                && runs
                    .iter()
                    .zip(&told.runs)
                    .all(|(run, of)| run.id == of.run && same_results(run.result(told.protocol), of))
        };
        if !self.results.iter().all(same) {
            let catalogue = runs.iter().find_map(|run| run.config.catalogue);
            self.results = Protocol::ALL.map(|protocol| {
                let runs = runs.iter().map(|run| RunResult::clone(run.result(protocol))).collect();
                Arc::new(Results { project: self.project.clone(), protocol, catalogue, runs })
            });
            self.side_by_side = self.results.clone().map(|read| Arc::new(Results::clone(&read).side_by_side()));
            self.revision += 1;
        }
        Some(Snapshot {
            runs,
            results: self.side_by_side.clone(),
            results_revision: self.revision,
            live: self.live.clone(),
            unreadable: self.unreadable.clone(),
            queue: self.entries.clone(),
        })
    }

    /// Opens folders that are new and forgets those that are gone.
    fn find_runs(&mut self) -> bool {
        let names = names_in(&self.folder);
        self.open.retain(|_, run| written_at(&run.view.folder) == run.written_at);
        if names == self.names && self.open.len() == self.shown && self.unreadable.is_empty() {
            return false;
        }
        let (folders, mut unreadable) = RunFolder::list_all(&self.folder);
        let present: BTreeSet<&str> = folders.iter().map(|folder| folder.config().run.as_str()).collect();
        self.open.retain(|id, _| present.contains(id.as_str()));
        let mut changed = self.open.len() != self.shown;
        for folder in &folders {
            let id = &folder.config().run;
            if self.open.contains_key(id) {
                continue;
            }
            match OpenRun::new(folder) {
                Ok(run) => {
                    self.open.insert(id.clone(), run);
                    changed = true;
                }
                Err(error) => unreadable.push(error),
            }
        }
        changed |= unreadable != self.unreadable;
        self.names = names;
        self.shown = self.open.len();
        self.unreadable = unreadable;
        changed
    }

    fn read_runs(&mut self) -> bool {
        let mut changed = false;
        for run in self.open.values_mut() {
            // A read that fails now (the worker is writing) succeeds at the next turn; the last view stays until then.
            if let Ok(Some(view)) = run.read() {
                run.view = Arc::new(view);
                changed = true;
            }
        }
        changed
    }

    fn read_curves(&mut self) -> bool {
        let mut changed = self.live.is_none();
        for FollowedRun { id, .. } in &self.followed {
            if let Some(run) = self.open.get_mut(id) {
                changed |= run.read_curve();
            }
        }
        if changed {
            let curves: Vec<RunCurves> = self
                .followed
                .iter()
                .filter_map(|followed| Some((followed.style, self.open.get(&followed.id)?)))
                .map(|(style, run)| RunCurves {
                    name: format!("{}, seed {}", run.view.config.experiment, run.view.config.seed),
                    style,
                    points: run.curve.points.clone(),
                })
                .collect();
            let synthetic =
                self.followed.iter().filter_map(|run| self.open.get(&run.id)).any(|run| run.view.config.synthetic);
            let drawn =
                figures::of_curves().map(|(figure, draw)| (figure, Arc::new(draw(&curves).synthetic(synthetic))));
            self.live = Some(drawn.collect());
        }
        changed
    }
}

/// The results of a project without runs.
pub(crate) fn no_results(project: &str) -> EachProtocol<Arc<Results>> {
    Protocol::ALL.map(|protocol| Arc::new(Results { project: project.to_owned(), protocol, ..Results::default() }))
}

fn results_of(reader: &RunReader) -> Result<EachProtocol<RunResult>, InputError> {
    let [first, second] = Protocol::ALL;
    Ok([RunResult::read(reader, first)?, RunResult::read(reader, second)?])
}

/// What stands in a folder; nothing where it does not exist yet.
fn names_in(folder: &Path) -> BTreeSet<OsString> {
    std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.file_name()).collect())
        .unwrap_or_default()
}

fn written_at(folder: &Path) -> Option<SystemTime> {
    std::fs::metadata(folder.join("run.ron")).and_then(|metadata| metadata.modified()).ok()
}

/// Whether two readings of a run say the same. Cells that are not measured are NaN, so `==` would never hold.
fn same_results(a: &RunResult, b: &RunResult) -> bool {
    let measured = |result: &RunResult| -> usize {
        result.matrix.values().flatten().flatten().filter(|value| value.is_finite()).count()
    };
    a.status == b.status && a.stages == b.stages && measured(a) == measured(b)
}

impl OpenRun {
    fn new(folder: &RunFolder) -> Result<Self, InputError> {
        let reader = folder.reader()?;
        let results = results_of(&reader)?.map(Arc::new);
        let view = RunView {
            id: folder.config().run.clone(),
            folder: folder.path().to_path_buf(),
            config: Arc::new(folder.config().clone()),
            status: Status::Queued,
            reason: None,
            progress: None,
            stages: Vec::new(),
            results,
            events: Vec::new(),
        };
        Ok(Self {
            reader,
            written_at: written_at(folder.path()),
            view: Arc::new(view),
            last_event: 0,
            curve: Curve::default(),
        })
    }

    /// The run as it is now, if that differs from the last view.
    fn read(&mut self) -> Result<Option<RunView>, InputError> {
        let status = self.reader.status()?;
        let view = &self.view;
        let settled = matches!(status, Status::Finished | Status::Failed | Status::Stopped);
        if settled && status == view.status {
            return Ok(None);
        }
        let mut events = view.events.clone();
        for (row, event) in self.reader.events_after(self.last_event)? {
            self.last_event = row;
            events.push(event);
        }
        events.drain(..events.len().saturating_sub(EVENTS));
        let mut results = view.results.clone();
        for (known, read) in results.iter_mut().zip(results_of(&self.reader)?) {
            if !same_results(&read, known) {
                *known = Arc::new(read);
            }
        }
        let next = RunView {
            status,
            reason: self.reader.reason()?,
            progress: self.reader.progress()?,
            stages: self.reader.stages()?,
            results,
            events,
            id: view.id.clone(),
            folder: view.folder.clone(),
            config: Arc::clone(&view.config),
        };
        Ok((!next.says_the_same(view)).then_some(next))
    }

    /// Adds the steps that are new to the curve; true if there were any, or if the run went back to a checkpoint.
    fn read_curve(&mut self) -> bool {
        let Ok(steps) = self.reader.steps_after(self.curve.last_row) else { return false };
        let changed = !steps.is_empty();
        for (row, step) in steps {
            self.curve.last_row = row;
            self.curve.points.push(CurvePoint {
                step: self.curve.points.len() as u64 + 1,
                stage: step.stage,
                loss: step.loss,
                penalty: step.penalty,
                pull_ratio: step.pull_ratio,
            });
        }
        changed
    }
}
