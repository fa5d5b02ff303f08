//! Which runs a worker does, and how.

use std::path::PathBuf;
use std::time::Duration;

use crate::device::DeviceChoice;

/// Which runs, where, and from where on.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Names of experiments; all where empty.
    pub experiments: Vec<String>,
    /// The project's seeds where empty.
    pub seeds: Vec<u64>,
    /// Ids of runs; of those that experiments and seeds choose, all where empty.
    pub runs: Vec<String>,
    pub device: DeviceChoice,
    /// Folder of the runs, instead of `runs` beside the project.
    pub out: Option<PathBuf>,
    /// Starts over what is finished or half done.
    pub fresh: bool,
    /// Time between two checkpoints: what a killed worker loses at most, beside a step.
    pub checkpoint_every: Duration,
}

/// Checkpoints are small beside a stage's work, and this much work is soon done again.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
