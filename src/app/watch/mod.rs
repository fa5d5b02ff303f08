//! Following run folders: a thread reads what changes in them and tells the window.

mod curves;
mod others;
mod results;
mod run;
mod runs;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use self::curves::Curves;
use self::runs::Runs;
use super::background::Outbox;
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::FigureSpec;
use crate::plot::{Chart, SeriesStyle};
use crate::results::config_diff::Settings;
use crate::results::{Results, RunResult};
use crate::run::marks::Marks;
use crate::run::observer::{Progress, StageRecord};
use crate::run::queue::Entries;
use crate::run::{Event, RunConfig, Status};

pub(crate) use self::others::{OtherQueue, OthersWatcher};
pub(crate) use self::results::no_results;

/// Between two looks while a run is under way, and while none is.
const BUSY: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_millis(1000);

/// One of something for each protocol, in the order of [`Protocol::ALL`].
pub(crate) type EachProtocol<T> = [T; Protocol::ALL.len()];

/// One run as its folder says.
#[derive(Debug, Clone)]
pub(crate) struct RunView {
    pub(crate) id: String,
    pub(crate) folder: PathBuf,
    pub(crate) config: Arc<RunConfig>,
    pub(crate) settings: Arc<Settings>,
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

    /// Seconds that its stages took so far.
    pub(crate) fn seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.train_seconds + stage.eval_seconds).sum()
    }
}

/// The figures of training curves of the runs that are watched closely.
pub(crate) type LiveCharts = Vec<(&'static FigureSpec, Arc<Chart>)>;

/// How many of the run folders are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    pub(crate) read: usize,
    pub(crate) of: usize,
}

/// All runs of a project at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Those that are read, sorted by id.
    pub(crate) runs: Vec<Arc<RunView>>,
    /// Of a project whose folders are not all read yet; its results come with the last of them.
    pub(crate) reading: Option<Reading>,
    /// Of the runs that are not archived, or of all where archived ones are asked for.
    pub(crate) results: EachProtocol<Arc<Results>>,
    /// Changes when `results` does.
    pub(crate) results_revision: u64,
    pub(crate) live: Option<LiveCharts>,
    pub(crate) marks: Arc<Marks>,
    /// Folders that look like runs and cannot be read, and marks that cannot.
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
    /// Whether results are to hold archived runs.
    Archived(bool),
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
        std::thread::Builder::new().name("watch runs".to_owned()).spawn(move || {
            let mut runs = Runs::new(project, runs_folder, Curves::default());
            let tell = |snapshot| outbox.send(wrap(snapshot));
            while runs.look(&tell) {
                let wait = if runs.busy() { BUSY } else { IDLE };
                match inbox.recv_timeout(wait) {
                    Ok(WatcherRequest::Curves(followed)) => runs.follow(followed),
                    Ok(WatcherRequest::Archived(shown)) => runs.show_archived(shown),
                    Ok(WatcherRequest::Poll) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Self { requests })
    }

    /// Follows the curves of these runs from now on.
    pub(crate) fn follow(&self, runs: Vec<FollowedRun>) {
        self.ask(WatcherRequest::Curves(runs));
    }

    /// Takes archived runs into the results, or leaves them out.
    pub(crate) fn show_archived(&self, shown: bool) {
        self.ask(WatcherRequest::Archived(shown));
    }

    /// Looks now instead of at the next turn.
    pub(crate) fn look(&self) {
        self.ask(WatcherRequest::Poll);
    }

    fn ask(&self, request: WatcherRequest) {
        // The thread is gone only when the window is.
        let _ = self.requests.send(request);
    }
}
