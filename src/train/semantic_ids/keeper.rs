//! Whoever trains tells the keeper, who writes it down: the log, the checkpoints.

use std::time::{Duration, Instant};

use super::vectors::Reading;
use super::{IdFiles, Making, Watcher};
use crate::device::DeviceChoice;
use crate::error::InputError;
use crate::id_training::checkpoint::Checkpoint;
use crate::id_training::log;
use crate::id_training::observer::{Observer, Step};

/// The control file is read at most this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Keeps what training tells.
pub(super) struct Keeper<'a> {
    pub files: &'a IdFiles,
    pub made_of: &'a str,
    device: DeviceChoice,
    watcher: &'a mut dyn Watcher,
    every: Duration,
    kept: Instant,
    looked: Instant,
    stopped: bool,
}

impl<'a> Keeper<'a> {
    pub fn new(files: &'a IdFiles, made_of: &'a str, making: Making, watcher: &'a mut dyn Watcher) -> Self {
        let now = Instant::now();
        let Making { device, checkpoint_every: every, .. } = making;
        Self { files, made_of, device, watcher, every, kept: now, looked: now, stopped: false }
    }

    pub fn reading(&mut self) -> Reading<'_> {
        Reading { device: self.device, observer: self }
    }
}

impl Observer for Keeper<'_> {
    fn hear(&mut self, step: &Step) {
        if let Step::Epoch(epoch) = step {
            // The log is for looking at; ids can be made without it.
            let _ = log::append(&self.files.log, epoch);
        }
        self.watcher.step(step);
    }

    fn stopped(&mut self) -> bool {
        if self.looked.elapsed() >= LOOK_EVERY {
            self.looked = Instant::now();
            self.stopped |= self.files.asked_to_stop();
        }
        self.stopped || self.watcher.interrupted()
    }

    fn due(&mut self) -> bool {
        self.kept.elapsed() >= self.every
    }

    fn keep(&mut self, state: &Checkpoint) -> Result<(), InputError> {
        self.kept = Instant::now();
        state.save(&self.files.checkpoint, self.made_of)
    }
}
