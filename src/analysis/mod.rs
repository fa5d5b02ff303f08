//! What is found out about a finished stage on request, and kept in the run's folder: `analysis/stage_<t>/`.
//!
//! A result is kept with the hash of the adapters that it was made from, and is found out anew where they are others.

pub mod ground_truth;
pub mod subspace_report;

pub mod cache;
pub mod clients;
pub mod meaning;
pub mod pull;
pub mod recommend;
pub mod retention;
pub mod steer;
mod twin;

use std::path::PathBuf;

use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::run::observer::{Control, EvaluationRecord, Level, Observer, Progress, StageRecord, StepRecord};
use crate::run::{RunFolder, RunOptions};
use crate::train::Task;
use crate::train::recorder::Watcher;

/// Folder of what is found out about a stage (from 1).
fn analysis_folder(run: &RunFolder, stage: usize) -> PathBuf {
    run.path().join("analysis").join(format!("stage_{stage}"))
}

/// Loads the data and the description of the model that a run was made from.
///
/// # Errors
/// They cannot be used, or are others than the run's.
pub fn load<'r>(run: &'r RunFolder, device: DeviceChoice) -> Result<Task<'r>, RunError> {
    let options = RunOptions { device, ..RunOptions::default() };
    let task = Task::load(&run.config().project, &options)?;
    if task.dataset.hash != run.config().data_hash {
        return Err(InputError::new(run.path(), "the run was made from other data")
            .advice("put the data back as they were, or run the experiment again")
            .into());
    }
    Ok(task)
}

/// The stages (from 1) of a run whose adapters are there.
///
/// # Errors
/// The run's records cannot be read.
pub fn trained_stages(run: &RunFolder) -> Result<Vec<usize>, InputError> {
    let finished = run.reader()?.stages()?.into_iter().filter(|record| record.finished).map(|record| record.stage);
    Ok(finished.filter(|&stage| run.config().project.read_only || run.adapter(stage).is_dir()).collect())
}

/// Tells a watcher of a training that is no part of a run's records.
struct Unrecorded<'w> {
    watcher: &'w mut dyn Watcher,
}

impl Unrecorded<'_> {
    /// Ends the work where the user wants that.
    fn go_on(&self) -> Result<(), RunError> {
        if self.watcher.interrupted() { Err(RunError::Stopped) } else { Ok(()) }
    }
}

impl Observer for Unrecorded<'_> {
    fn step(&mut self, _: &StepRecord) -> Result<(), InputError> {
        Ok(())
    }

    fn evaluation(&mut self, _: &EvaluationRecord) -> Result<(), InputError> {
        Ok(())
    }

    fn stage(&mut self, _: &StageRecord) -> Result<(), InputError> {
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), InputError> {
        self.watcher.progress(progress);
        Ok(())
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), InputError> {
        self.watcher.event(level, text);
        Ok(())
    }

    fn is_pausing(&mut self) -> bool {
        false
    }

    fn control(&mut self) -> Control {
        if self.watcher.interrupted() { Control::Stop } else { Control::Run }
    }
}
