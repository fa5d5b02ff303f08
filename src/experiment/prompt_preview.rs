//! An example of a project as its model reads it, before anything is trained.

use super::project::Project;
use crate::data::{Dataset, Sequence, Stage};
use crate::error::Unusable;
use crate::model::PromptWriter;
use crate::model::prompt::Preview;

/// The first test of the first stage, written with the project's prompt. Reads the data and the model's headers.
///
/// # Errors
/// Data or model cannot be used, or nobody is tested.
pub fn prompt_preview(project: &Project) -> Result<Preview, Unusable> {
    let dataset = Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)?;
    let vocabulary = project.vocabulary(&project.architecture()?, &dataset.index)?;
    let tokenizer = match project.prompt.text() {
        None => None,
        Some(_) => Some(project.tokenizer()?),
    };
    let writer = PromptWriter {
        vocabulary: &vocabulary,
        index: &dataset.index,
        max_history: project.training.max_history,
        existing: None,
    };
    let mut users = dataset.stages.iter().flat_map(Stage::participants);
    let test = users.find_map(Sequence::test);
    let test = test.ok_or_else(|| Unusable::new(&project.folder, "no user of the data is tested"))?;
    Ok(writer.preview(test, tokenizer.as_ref()))
}
