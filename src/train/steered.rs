//! Runs of the method Steered: another experiment's finished run, with one stage's step taken in part.

use super::Task;
use super::parts::finished_run;
use super::recorder::Recorder;
use super::result_matrix::{is_measured, measure_row, test_users_of};
use super::shared::measure_untrained;
use super::steering::{StageStep, predicts_with_two};
use crate::error::{InputError, RunError};
use crate::files;
use crate::method::Steered;
use crate::model::backend::TrainingBackend;
use crate::run::RunFolder;
use crate::run::observer::{Observer, StageRecord};

/// Takes over and measures the stages from 2 on, from wherever an earlier worker left them.
///
/// # Errors
/// The run that is steered is not finished, not one that can be steered, or has no such stage; the user stops; records cannot be
/// read or written.
pub fn run<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    options: &Steered,
    device: &B::Device,
    recorder: &mut Recorder<'_>,
) -> Result<(), RunError> {
    let source = finished_run(task, "a steered run", &options.of, folder.config().seed)?;
    if source.config().method.adapter_method().is_none_or(predicts_with_two) {
        let problem = format!("\"{}\" has no one adapter that could be steered", options.of);
        let place = "a steered run's options";
        return Err(InputError::new(&task.project.folder, problem).at(place).into());
    }
    let steered = StageStep::read(task, &source, options.stage)?.state(&options.coefficients());
    measure_untrained::<B>(task, folder, device, recorder)?;
    for stage in 2..=task.dataset.stages.len() {
        let there = folder.reader()?.stages()?.into_iter().any(|record| record.stage == stage && record.finished);
        if there && is_measured(task, folder, stage)? {
            continue;
        }
        if stage == options.stage {
            steered.clone().write(task, &folder.adapter(stage))?;
        } else {
            files::copy_files(&source.adapter(stage), &folder.adapter(stage))?;
        }
        let mut record = StageRecord { stage, test_users: test_users_of(task, stage), ..StageRecord::default() };
        recorder.stage(&record)?;
        measure_row::<B>(task, folder, &mut record, device, recorder)?;
    }
    Ok(())
}
