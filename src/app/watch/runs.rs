//! What the watcher keeps between two looks at the folder of runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::curves::Curves;
use super::results::SharedResults;
use super::run::WatchedRun;
use super::{FollowedRun, Reading, RunView, Snapshot};
use crate::error::InputError;
use crate::run::RunFolder;
use crate::run::marks::{Marks, MarksFile};
use crate::run::queue::{Entries, Queue};

/// Folders that are read at once, and how long the window waits to hear of them.
const SLICE: usize = 32;
const TELL_EVERY: Duration = Duration::from_millis(200);

/// The runs in one folder.
pub(super) struct Runs {
    folder: PathBuf,
    runs: BTreeMap<PathBuf, WatchedRun>,
    curves: Curves,
    results: SharedResults,
    marks: MarksFile,
    known_marks: Result<Arc<Marks>, InputError>,
    archived_shown: bool,
    queue: Queue,
    entries: Entries,
    /// Whether anything was told yet: even an empty project says so once.
    told: bool,
}

impl Runs {
    pub(super) fn new(project: String, folder: PathBuf, curves: Curves) -> Self {
        Self {
            runs: BTreeMap::new(),
            curves,
            results: SharedResults::new(project),
            marks: MarksFile::new(&folder),
            known_marks: Ok(Arc::default()),
            archived_shown: false,
            queue: Queue::new(&folder),
            entries: Entries::default(),
            folder,
            told: false,
        }
    }

    pub(super) fn busy(&self) -> bool {
        self.entries.current.is_some() || self.runs.values().any(|run| run.reader().is_some())
    }

    pub(super) fn follow(&mut self, runs: Vec<FollowedRun>) {
        self.curves.follow(runs);
    }

    pub(super) const fn show_archived(&mut self, shown: bool) {
        self.archived_shown = shown;
        self.told = false;
    }

    /// Reads what is new, and tells it: once where there is anything, and more often while many folders are read. False when
    /// nobody listens any more.
    pub(super) fn look(&mut self, tell: &impl Fn(Snapshot) -> bool) -> bool {
        let mut changed = !self.told;
        changed |= self.look_at_queue_and_marks();
        changed |= self.find_runs();
        match self.read_runs(tell) {
            Some(read) => changed |= read,
            None => return false,
        }
        changed |= self.curves.read(self.runs.values());
        if !changed {
            return true;
        }
        self.told = true;
        let snapshot = self.snapshot();
        tell(snapshot)
    }

    fn look_at_queue_and_marks(&mut self) -> bool {
        let entries = self.queue.entries();
        let mut changed = entries != self.entries;
        self.entries = entries;
        if let Some(marks) = self.marks.read_if_changed() {
            changed = true;
            self.known_marks = marks.map(Arc::new);
        }
        changed
    }

    /// Takes up folders that are new, and forgets those that are gone.
    fn find_runs(&mut self) -> bool {
        let paths = RunFolder::paths(&self.folder);
        let before = self.runs.len();
        self.runs.retain(|path, _| paths.binary_search(path).is_ok());
        let changed = self.runs.len() != before;
        for path in paths {
            self.runs.entry(path).or_insert_with_key(|path| WatchedRun::new(path.clone()));
        }
        changed
    }

    /// Reads the runs that have something new, some at once; `None` when nobody listens any more.
    fn read_runs(&mut self, tell: &impl Fn(Snapshot) -> bool) -> Option<bool> {
        let due: Vec<PathBuf> =
            self.runs.iter().filter(|(_, run)| run.is_due()).map(|(path, _)| path.clone()).collect();
        let (mut changed, mut told) = (false, Instant::now());
        for slice in due.chunks(SLICE) {
            let looks = |(path, run): (&PathBuf, &mut WatchedRun)| slice.binary_search(path).is_ok() && run.look();
            changed |= self.runs.par_iter_mut().map(looks).reduce(|| false, |one, other| one || other);
            if told.elapsed() >= TELL_EVERY && self.reading().is_some() {
                if !tell(self.snapshot()) {
                    return None;
                }
                told = Instant::now();
            }
        }
        Some(changed)
    }

    fn reading(&self) -> Option<Reading> {
        let read = self.runs.values().filter(|run| run.is_read()).count();
        (read < self.runs.len()).then_some(Reading { read, of: self.runs.len() })
    }

    fn snapshot(&mut self) -> Snapshot {
        let mut runs: Vec<Arc<RunView>> = self.runs.values().filter_map(WatchedRun::view).cloned().collect();
        runs.sort_by(|a, b| a.id.cmp(&b.id));
        let reading = self.reading();
        let marks = self.known_marks.as_ref().map(Arc::clone).unwrap_or_default();
        // The statistics of half of the runs would be those of no comparison that anybody asked for.
        if reading.is_none() {
            let shown = |run: &&Arc<RunView>| self.archived_shown || !marks.of(&run.id).archived;
            self.results.update(&runs.iter().filter(shown).cloned().collect::<Vec<_>>());
        }
        let damaged = self.known_marks.as_ref().err();
        Snapshot {
            runs,
            reading,
            results: self.results.side_by_side.clone(),
            results_revision: self.results.revision,
            live: self.curves.charts().cloned(),
            marks,
            unreadable: self.runs.values().filter_map(WatchedRun::error).chain(damaged).cloned().collect(),
            queue: self.entries.clone(),
        }
    }
}
