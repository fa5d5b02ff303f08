//! The base model of a run, as it was before any adapter.

use std::path::{Path, PathBuf};

use super::Task;
use super::model_loading::OnProgress;
use crate::error::InputError;
use crate::model::backend::TrainingBackend;
use crate::model::weights::{self, Pretrained};
use crate::model::{BaseModel, Llama};
use crate::project::Training;
use crate::run::RunFolder;

/// Folder of the compact base model in a run's folder or the shared one.
pub fn base_folder(folder: &RunFolder) -> PathBuf {
    folder.path().join("base")
}

/// The base model with rows for the new tokens, as it was before any adapter. A compact one lies in every run's folder.
///
/// # Errors
/// Its files cannot be used.
pub fn load_base<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    device: &B::Device,
    on_progress: &mut OnProgress<'_>,
) -> Result<Llama<B>, InputError> {
    let added = task.vocabulary.added;
    let mut model = match &task.project.base_model {
        BaseModel::Compact(_) => weights::load_compact(&base_folder(folder), &task.llama, added, device)?,
        BaseModel::HuggingFace(path) | BaseModel::Gguf(path) => {
            pretrained::<B>(task, path, device)?.load(added, folder.config().seed, device, on_progress)?
        }
    };
    model.lora_scale = task.project.training.lora.scale();
    Ok(model)
}

/// A base model that others trained, looked at and not yet loaded; `path` as the project names it.
///
/// # Errors
/// Its files cannot be used, or the device does not store numbers as the project wants it.
pub fn pretrained<B: TrainingBackend>(
    task: &Task<'_>,
    path: &Path,
    device: &B::Device,
) -> Result<Pretrained, InputError> {
    let Training { storage, vocabulary, .. } = task.project.training;
    Pretrained::open(&task.project.folder.join(path))?.stored_as::<B>(storage, vocabulary, device)
}
