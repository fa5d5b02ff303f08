//! What a worker is asked: which runs of a project, and how it does them.

use std::path::PathBuf;
use std::time::Duration;

use crate::device::DeviceChoice;

/// Which of a project's runs.
#[derive(Debug, Clone, Default)]
pub struct RunSelection {
    /// Names of experiments; all where empty.
    pub experiments: Vec<String>,
    /// The project's seeds where empty.
    pub seeds: Vec<u64>,
    /// Ids of runs; of those that experiments and seeds choose, all where empty.
    pub runs: Vec<String>,
}

/// How runs are done: the same for all runs of a worker.
#[derive(Debug, Clone)]
pub struct RunOptions {
    pub device: DeviceChoice,
    /// Folder of the runs, instead of `runs` beside the project.
    pub out: Option<PathBuf>,
    /// Starts over what is finished or half done.
    pub fresh: bool,
    /// Time between two checkpoints: what a killed worker loses at most, beside a step.
    pub checkpoint_every: Duration,
    /// Waits for runs that another worker has, and takes them over where that one is gone.
    pub patient: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            device: DeviceChoice::default(),
            out: None,
            fresh: false,
            checkpoint_every: CHECKPOINT_EVERY,
            patient: false,
        }
    }
}

/// Checkpoints are small beside a stage's work, and this much work is soon done again.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
