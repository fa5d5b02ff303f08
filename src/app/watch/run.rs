//! One run folder as the watcher keeps it: read as a whole when it has changed, and bit by bit while a worker writes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{EachProtocol, RunView};
use crate::error::InputError;
use crate::results::{RunResult, config_diff};
use crate::run::{FolderStamp, RunFolder, RunReader, Status};

/// Log lines that are kept of each run.
const EVENTS: usize = 300;

/// A folder that looks like a run.
pub(super) struct WatchedRun {
    path: PathBuf,
    /// What the folder looked like when it was last read; of a run under way, when that was first seen.
    stamp: Option<FolderStamp>,
    found: Found,
    /// Counts how often it was read from its beginning.
    pub(super) generation: u64,
}

enum Found {
    Unread,
    Unreadable(InputError),
    Run(Box<ReadRun>),
}

struct ReadRun {
    view: Arc<RunView>,
    last_event: i64,
    /// Open while a worker holds the run: a thousand open databases would be more files than a process may have.
    reader: Option<RunReader>,
}

impl WatchedRun {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, stamp: None, found: Found::Unread, generation: 0 }
    }

    pub(super) const fn is_read(&self) -> bool {
        !matches!(self.found, Found::Unread)
    }

    pub(super) const fn view(&self) -> Option<&Arc<RunView>> {
        match &self.found {
            Found::Run(run) => Some(&run.view),
            Found::Unread | Found::Unreadable(_) => None,
        }
    }

    pub(super) const fn error(&self) -> Option<&InputError> {
        match &self.found {
            Found::Unreadable(error) => Some(error),
            Found::Unread | Found::Run(_) => None,
        }
    }

    /// The open records of a run that a worker holds.
    pub(super) fn reader(&self) -> Option<&RunReader> {
        match &self.found {
            Found::Run(run) => run.reader.as_ref(),
            Found::Unread | Found::Unreadable(_) => None,
        }
    }

    /// Whether a look would read anything: a run that nobody holds and whose files are as they were has nothing new.
    pub(super) fn is_due(&self) -> bool {
        match &self.found {
            Found::Unread | Found::Unreadable(_) => true,
            Found::Run(run) => run.reader.is_some() || self.stamp.as_ref() != Some(&FolderStamp::of(&self.path)),
        }
    }

    /// Reads what is new; whether that says something else than before.
    pub(super) fn look(&mut self) -> bool {
        if let Found::Run(run) = &mut self.found
            && let Some(reader) = run.reader.take()
            // The configuration of a run that was started afresh has another time, and the reader is of files that are gone.
            && self.stamp.as_ref().is_some_and(|stamp| stamp.same_configuration(&FolderStamp::of(&self.path)))
        {
            // A read that fails now (the worker is writing) succeeds at the next turn; the last view stays until then.
            let Ok(next) = run.advanced(&reader) else {
                run.reader = Some(reader);
                return false;
            };
            let changed = !next.says_the_same(&run.view);
            if next.is_active() {
                run.reader = Some(reader);
            } else {
                drop(reader);
                self.stamp = Some(FolderStamp::of(&self.path));
            }
            if changed {
                run.view = Arc::new(next);
            }
            return changed;
        }
        self.read_anew()
    }

    fn read_anew(&mut self) -> bool {
        // Taken before: what is written while it is read makes it be read once more.
        self.stamp = Some(FolderStamp::of(&self.path));
        self.generation += 1;
        let next = match ReadRun::open(&self.path) {
            Ok(run) => Found::Run(Box::new(run)),
            Err(error) => Found::Unreadable(error),
        };
        let same = match (&self.found, &next) {
            (Found::Unreadable(before), Found::Unreadable(now)) => before == now,
            (Found::Run(before), Found::Run(now)) => {
                before.view.config == now.view.config && before.view.says_the_same(&now.view)
            }
            _ => false,
        };
        self.found = next;
        !same
    }
}

impl ReadRun {
    fn open(path: &Path) -> Result<Self, InputError> {
        let folder = RunFolder::open(path)?;
        let reader = folder.reader()?;
        let results = RunResult::read_each(&reader)?.map(Arc::new);
        let view = RunView {
            id: folder.config().run.clone(),
            folder: folder.path().to_path_buf(),
            settings: Arc::new(config_diff::settings(&folder.config().method, &folder.config().project)),
            config: Arc::new(folder.config().clone()),
            status: Status::Queued,
            reason: None,
            progress: None,
            stages: Vec::new(),
            results,
            events: Vec::new(),
        };
        let mut run = Self { view: Arc::new(view), last_event: 0, reader: None };
        let view = run.with_records(&reader, run.view.results.clone())?;
        run.view = Arc::new(view);
        run.reader = Some(reader).filter(|_| run.view.is_active());
        Ok(run)
    }

    /// The run as its records say now.
    fn advanced(&mut self, reader: &RunReader) -> Result<RunView, InputError> {
        let mut results = self.view.results.clone();
        for (known, read) in results.iter_mut().zip(RunResult::read_each(reader)?) {
            let read = Arc::new(read);
            if !same_results(&read, known) {
                *known = read;
            }
        }
        self.with_records(reader, results)
    }

    fn with_records(
        &mut self,
        reader: &RunReader,
        results: EachProtocol<Arc<RunResult>>,
    ) -> Result<RunView, InputError> {
        let view = &self.view;
        let mut events = view.events.clone();
        for (row, event) in reader.events_after(self.last_event)? {
            self.last_event = row;
            events.push(event);
        }
        events.drain(..events.len().saturating_sub(EVENTS));
        Ok(RunView {
            status: reader.status()?,
            reason: reader.reason()?,
            progress: reader.progress()?,
            stages: reader.stages()?,
            results,
            events,
            id: view.id.clone(),
            folder: view.folder.clone(),
            config: Arc::clone(&view.config),
            settings: Arc::clone(&view.settings),
        })
    }
}

impl RunView {
    fn says_the_same(&self, other: &Self) -> bool {
        (self.status, &self.reason, &self.progress, &self.stages)
            == (other.status, &other.reason, &other.progress, &other.stages)
            && self.results.iter().zip(&other.results).all(|(own, other)| same_results(own, other))
            && self.events == other.events
    }
}

/// Whether two readings of a run say the same. Cells that are not measured are NaN, so `==` would never hold.
fn same_results(a: &Arc<RunResult>, b: &Arc<RunResult>) -> bool {
    let measured = |result: &RunResult| -> usize {
        result.matrix.values().flatten().flatten().filter(|value| value.is_finite()).count()
    };
    Arc::ptr_eq(a, b) || (a.status == b.status && a.stages == b.stages && measured(a) == measured(b))
}
