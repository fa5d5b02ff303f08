//! Who hears how a run goes: its folder, and whoever watches the worker.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use super::Task;
use super::work::Work;
use crate::data::formats;
use crate::error::{InputError, RunError};
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::{Control, EvaluationRecord, Level, Observer, Phase, Progress, StageRecord, StepRecord};
use crate::run::{RunConfig, RunFolder, RunWriter, Status};

/// Watches a worker from the same process.
pub trait Watcher {
    /// How far the import of the data is, before the first run; small data needs no word.
    fn importing(&mut self, _: formats::Progress) {}
    /// A run begins or is resumed: its number from 1, of how many.
    fn run_started(&mut self, number: usize, of: usize, config: &RunConfig);
    /// How far the current run is.
    fn progress(&mut self, progress: &Progress);
    /// Something worth a line.
    fn event(&mut self, level: Level, text: &str);
    /// Whether the user has interrupted the process.
    fn interrupted(&self) -> bool;

    /// Tells how far an import is, and ends it where the user has interrupted the process.
    fn import_progress(&mut self, progress: formats::Progress) -> ControlFlow<()> {
        self.importing(progress);
        if self.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Writes into a run's folder and tells the watcher; stops where either wants it.
pub struct Recorder<'w> {
    pub writer: RunWriter,
    pub watcher: &'w mut dyn Watcher,
    /// What the run has to do, for the time that is left; none where it only counts.
    pub work: Option<Work>,
}

impl Observer for Recorder<'_> {
    fn step(&mut self, step: &StepRecord) -> Result<(), InputError> {
        self.writer.step(step)
    }

    fn evaluation(&mut self, evaluation: &EvaluationRecord) -> Result<(), InputError> {
        self.writer.evaluation(evaluation)
    }

    fn stage(&mut self, stage: &StageRecord) -> Result<(), InputError> {
        self.writer.stage(stage)
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), InputError> {
        let afterwards = self.work.as_ref().map_or(0, |work| work.after(progress.phase, progress.stage));
        let eta_seconds = progress.eta_seconds.map(|phase| phase + afterwards as f64 / progress.rate);
        let progress = Progress { eta_seconds, ..progress.clone() };
        self.watcher.progress(&progress);
        self.writer.progress(&progress)
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), InputError> {
        self.watcher.event(level, text);
        self.writer.event(level, text)
    }

    fn is_pausing(&mut self) -> bool {
        self.writer.is_pausing()
    }

    fn control(&mut self) -> Control {
        let mut paused = false;
        loop {
            if self.watcher.interrupted() {
                return Control::Stop;
            }
            let control = self.writer.control_now();
            if control == Control::Pause || paused {
                // A status that cannot be written must not change what the user wants; the next record reports it.
                let status = if control == Control::Pause { Status::Paused } else { Status::Running };
                let _ = self.writer.set_status(status, None);
            }
            if control != Control::Pause {
                return control;
            }
            paused = true;
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Phase and step to which the records of a checkpoint's stage go back.
///
/// # Errors
/// The records cannot be read.
pub fn rewind_point(checkpoint: &Checkpoint, folder: &RunFolder) -> Result<(Phase, usize), InputError> {
    let cursor = &checkpoint.cursor;
    let step = match cursor.phase {
        Phase::Evaluate => {
            let cells = folder.reader()?.evaluations()?;
            cells.iter().filter(|cell| cell.at.trained == cursor.stage).count()
        }
        _ => cursor.training.as_ref().map_or(0, |training| training.step),
    };
    Ok((cursor.phase, step))
}

/// Turns a panic of a device's driver or of the computation into a failure of the run.
pub(crate) fn guarded<T>(task: &Task<'_>, work: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(RunError::Device {
            device: task.device_name.clone(),
            message: text.unwrap_or_else(|| "the computation was cut off".to_owned()),
            next: task.device.next().to_owned(),
        })
    })
}
