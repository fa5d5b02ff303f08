//! What identifies the model that a run begins with: its settings where it is made here, its files' content where not.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::file_hashes::file_hashes;
use crate::canonical;
use crate::error::InputError;
use crate::model::inspect::weight_files;
use crate::model::prompt::Template;
use crate::model::{BaseModel, LlamaConfig, Vocabulary};
use crate::project::Project;
use crate::run::RunConfig;

/// What a run begins with under a seed.
pub(super) struct ModelIdentity<'a> {
    pub project: &'a Project,
    pub llama: &'a LlamaConfig,
    pub vocabulary: &'a Vocabulary,
    pub seed: u64,
}

impl ModelIdentity<'_> {
    /// Hash of the base model before stage 1: of its settings and the seed of its weights, or of its weights' content; with
    /// its shape and the numbers of its tokens.
    ///
    /// # Errors
    /// A file of the model cannot be read.
    pub fn base_hash(&self) -> Result<String, InputError> {
        let base = match &self.project.base_model {
            BaseModel::Compact(compact) => json!({"compact": self.settings(compact)?, "seed": self.seed}),
            BaseModel::HuggingFace(path) | BaseModel::Gguf(path) => {
                let files = weight_files(&self.project.folder.join(path))?;
                json!({"weights": file_hashes(self.project, &files)?})
            }
        };
        let Vocabulary { base: base_tokens, added, eos, first_code, template } = self.vocabulary;
        let Template { before, between, after } = template;
        let tokens = json!({
            "base": base_tokens, "added": added, "eos": eos, "first_code": first_code,
            "before": before, "between": between, "after": after,
        });
        Ok(hash(&json!({"base": base, "shape": self.settings(self.llama)?, "tokens": tokens})))
    }

    /// Hash of what stage 1 begins with: the base model, and the adapter that others made where there is one.
    ///
    /// # Errors
    /// A file of model or adapter cannot be read.
    pub fn start_hash(&self) -> Result<String, InputError> {
        let base = self.base_hash()?;
        let Some(folder) = start_folder(self.project) else { return Ok(base) };
        let files = ["adapter_config.json", "adapter_model.safetensors"].map(|name| folder.join(name));
        Ok(hash(&json!({"base": base, "adapter": file_hashes(self.project, &files)?})))
    }

    fn settings<T: serde::Serialize + serde::de::DeserializeOwned>(&self, settings: &T) -> Result<Value, InputError> {
        canonical::settings(settings).map_err(|error| InputError::new(&self.project.folder, error.to_string()))
    }
}

/// Folder of the adapter that the project starts from, where it is not a fresh one.
pub(super) fn start_folder(project: &Project) -> Option<PathBuf> {
    project.training.start.path().map(|path| project.folder.join(path))
}

fn hash(model: &Value) -> String {
    canonical::hash(&format!("model {}", RunConfig::IDENTITY), model)
}
