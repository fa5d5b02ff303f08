//! The finished runs that a run is made of.

use super::Task;
use crate::error::InputError;
use crate::run::{RunFolder, RunMethod, Status};

/// The finished run of an experiment of the project, for a run of `kind`: `a hybrid`.
///
/// # Errors
/// There is no such experiment, or its run is not finished.
pub fn finished_run(task: &Task<'_>, kind: &str, experiment: &str, seed: u64) -> Result<RunFolder, InputError> {
    let method = task.project.method_of(experiment).ok_or_else(|| {
        InputError::new(&task.project.folder, format!("no experiment is named \"{experiment}\""))
            .at(format!("{kind}'s options"))
    })?;
    let config = task.config(experiment, RunMethod::Learned(method.clone()), seed)?;
    let path = RunFolder::path_of(&task.runs_dir, &config.run);
    let unfinished = || {
        InputError::new(&path, format!("the run of \"{experiment}\" is not finished"))
            .advice(format!("finish it, then run {kind} again"))
    };
    let folder = RunFolder::open(&path).map_err(|_| unfinished())?;
    if folder.status() == Status::Finished { Ok(folder) } else { Err(unfinished()) }
}
