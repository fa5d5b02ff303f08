//! An example of a project as its model reads it, before anything is trained.

use super::Task;
use super::stage_data::writer;
use crate::data::{Sequence, Stage};
use crate::error::{InputError, RunError};
use crate::model::prompt::Preview;
use crate::project::Project;
use crate::run::RunOptions;

/// As [`preview_of`], of a project whose data and model's headers are read first.
///
/// # Errors
/// Data or model cannot be used, or nobody is tested.
pub fn prompt_preview(project: &Project) -> Result<Preview, RunError> {
    Ok(preview_of(&Task::load(project, &RunOptions::default())?)?)
}

/// The first test of the first stage, written with the project's prompt.
///
/// # Errors
/// The tokenizer cannot be used, or nobody is tested.
pub fn preview_of(task: &Task<'_>) -> Result<Preview, InputError> {
    let tokenizer = match task.project.prompt.text() {
        None => None,
        Some(_) => Some(task.project.tokenizer()?),
    };
    let mut users = task.dataset.stages.iter().flat_map(Stage::participants);
    let test = users.find_map(Sequence::test);
    let test = test.ok_or_else(|| InputError::new(&task.project.folder, "no user of the data is tested"))?;
    Ok(writer(task).preview(test, tokenizer.as_ref()))
}
