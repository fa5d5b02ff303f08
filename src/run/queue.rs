//! The runs that wait: a file beside them that the window fills and one worker empties, so that closing the window takes
//! nothing out of it.
//!
//! `<runs dir>/.queue.ron` holds the entries, `.queue.edit` is locked around every change of it, and `.queue.worker` as
//! long as the worker lives.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::files::{self, lines};
use crate::project::file::{from_ron, to_ron};

const ENTRIES: &str = ".queue.ron";
const EDIT: &str = ".queue.edit";
const WORKER: &str = ".queue.worker";

/// What the worker that a window started says, in the folder of runs. A line every few seconds: some megabytes a week.
pub const LOG: &str = "worker.log";
/// Bytes that it has when a run begins: what is older goes.
const LONGEST_LOG: u64 = 4 << 20;

const LARGEST: u64 = 1 << 20;

/// A change takes a moment; whoever looks whether a lock is held has it for less.
const PATIENCE: Duration = Duration::from_secs(5);

/// One run of a project: an experiment with a seed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunKey {
    pub experiment: String,
    pub seed: u64,
}

/// What the queue holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entries {
    /// What the worker is at.
    pub current: Option<RunKey>,
    /// What comes after it, first things first.
    pub waiting: Vec<RunKey>,
}

/// The queue of the runs in one folder.
#[derive(Debug, Clone)]
pub struct Queue {
    folder: PathBuf,
}

/// The right to empty a queue; given back when it is dropped, however the process ends.
#[derive(Debug)]
pub struct QueueWorker {
    queue: Queue,
    _lock: File,
}

impl Queue {
    /// The queue of a folder of runs, which need not exist yet.
    pub fn new(runs_dir: &Path) -> Self {
        Self { folder: runs_dir.to_path_buf() }
    }

    /// What the queue holds; nothing where nobody works on it, since what a worker left behind is not going to be run.
    pub fn entries(&self) -> Entries {
        if self.has_worker() { self.read().unwrap_or_default() } else { Entries::default() }
    }

    /// Whether runs wait in it that nobody is going to run.
    pub fn needs_worker(&self) -> bool {
        // In this order: a worker that ends in between has emptied the queue before.
        !self.has_worker() && self.read().is_ok_and(|entries| !entries.waiting.is_empty())
    }

    /// Whether a worker is emptying it.
    pub fn has_worker(&self) -> bool {
        files::is_locked(&self.folder.join(WORKER))
    }

    /// Drops what a worker left behind that is dead. Not to be called while one is starting that has yet to take it up.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn drop_left_behind(&self) -> Result<(), InputError> {
        files::create_folder(&self.folder)?;
        self.change(|entries| {
            if !self.has_worker() {
                *entries = Entries::default();
            }
        })
    }

    /// Puts runs at the end, but for those that are in it already.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn add(&self, runs: &[RunKey]) -> Result<(), InputError> {
        files::create_folder(&self.folder)?;
        self.change(|entries| {
            for run in runs {
                if entries.current.as_ref() != Some(run) && !entries.waiting.contains(run) {
                    entries.waiting.push(run.clone());
                }
            }
        })
    }

    /// Takes runs out that have not been begun.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn remove(&self, runs: &[RunKey]) -> Result<(), InputError> {
        if !self.folder.join(ENTRIES).exists() {
            return Ok(());
        }
        self.change(|entries| entries.waiting.retain(|run| !runs.contains(run)))
    }

    /// Becomes the worker, unless there is one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn work(&self) -> Result<Option<QueueWorker>, InputError> {
        files::create_folder(&self.folder)?;
        let lock = files::lock(&self.folder.join(WORKER), Duration::from_millis(500))?;
        Ok(lock.map(|lock| QueueWorker { queue: self.clone(), _lock: lock }))
    }

    fn read(&self) -> Result<Entries, InputError> {
        let file = self.folder.join(ENTRIES);
        if !file.exists() {
            return Ok(Entries::default());
        }
        from_ron(&files::read_text(&file, LARGEST)?, &file)
    }

    /// Changes the entries while nobody else does.
    fn change<R>(&self, f: impl FnOnce(&mut Entries) -> R) -> Result<R, InputError> {
        let edit = self.folder.join(EDIT);
        let _lock = files::lock(&edit, PATIENCE)?.ok_or_else(|| {
            InputError::new(&edit, "another process holds the queue of runs").advice("end that process")
        })?;
        // Entries that cannot be read are as good as none: the runs themselves know what is done.
        let mut entries = self.read().unwrap_or_default();
        let result = f(&mut entries);
        let file = self.folder.join(ENTRIES);
        files::write_atomically(&file, to_ron(&entries, &file)?.as_bytes())?;
        Ok(result)
    }
}

impl QueueWorker {
    /// The next run, which is now the current one. With the last one gone, the worker is none any more before anybody
    /// can add another, so that nothing is added to a queue that nobody empties.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn next(self) -> Result<Option<(Self, RunKey)>, InputError> {
        let queue = self.queue.clone();
        // A log that is too long keeps no run from being trained.
        let _ = lines::keep_below(&queue.folder.join(LOG), LONGEST_LOG);
        queue.change(|entries| {
            entries.current = (!entries.waiting.is_empty()).then(|| entries.waiting.remove(0));
            entries.current.clone().map(|run| (self, run))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(experiment: &str) -> RunKey {
        RunKey { experiment: experiment.to_owned(), seed: 1 }
    }

    #[test]
    fn a_queue_is_emptied_in_order_by_one_worker() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::new(&folder.path().join("runs"));
        assert_eq!(queue.entries(), Entries::default());
        queue.remove(&[key("a")]).unwrap();
        queue.add(&[key("a")]).unwrap();
        // A second wish, before the worker that was started for the first is there, takes nothing away.
        queue.add(&[key("b"), key("a")]).unwrap();
        assert!(queue.needs_worker());
        let worker = queue.work().unwrap().unwrap();
        assert!(queue.has_worker() && !queue.needs_worker());
        queue.drop_left_behind().unwrap();
        assert!(queue.work().unwrap().is_none(), "there is a worker");
        let (worker, run) = worker.next().unwrap().unwrap();
        assert_eq!(run, key("a"));
        queue.add(&[key("c"), key("a"), key("b")]).unwrap();
        assert_eq!(queue.entries(), Entries { current: Some(key("a")), waiting: vec![key("b"), key("c")] });
        queue.remove(&[key("b"), key("a")]).unwrap();
        let (worker, run) = worker.next().unwrap().unwrap();
        assert_eq!(run, key("c"));
        assert!(worker.next().unwrap().is_none());
        assert!(!queue.has_worker());
    }

    #[test]
    fn the_log_of_a_worker_keeps_below_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let (queue, log) = (Queue::new(folder.path()), folder.path().join(LOG));
        queue.add(&[key("a"), key("b")]).unwrap();
        let (worker, _) = queue.work().unwrap().unwrap().next().unwrap().unwrap();
        assert!(!log.exists(), "who writes none has none");
        std::fs::write(&log, "PESO, seed 1: 10 %\n".repeat(300_000)).unwrap();
        worker.next().unwrap().unwrap();
        let length = std::fs::metadata(&log).unwrap().len();
        assert!((LONGEST_LOG / 3..=LONGEST_LOG).contains(&length), "{length}");
    }

    #[test]
    fn what_a_dead_worker_left_behind_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::new(folder.path());
        queue.add(&[key("a"), key("b")]).unwrap();
        drop(queue.work().unwrap().unwrap().next().unwrap());
        assert_eq!(queue.entries(), Entries::default(), "nobody is going to run it");
        assert!(queue.needs_worker());
        queue.drop_left_behind().unwrap();
        assert!(!queue.needs_worker());
        queue.add(&[key("c")]).unwrap();
        let (_worker, run) = queue.work().unwrap().unwrap().next().unwrap().unwrap();
        assert_eq!(run, key("c"));
        std::fs::write(folder.path().join(ENTRIES), "damaged").unwrap();
        queue.add(&[key("d")]).unwrap();
        assert_eq!(queue.entries().waiting, [key("d")]);
    }
}
