//! Base models from Hugging Face folders.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::Weights;
use super::decoder::assemble;
use super::rows::new_rows;
use crate::error::Unusable;
use crate::model::config::LlamaConfig;
use crate::model::llama::{Llama, Rows};
use crate::seeds;

/// Loads a Hugging Face Llama folder; `added` rows for new tokens are drawn from the seed.
///
/// # Errors
/// Names the configuration field or the tensor that is missing, of the wrong shape, or not supported.
pub fn load_hugging_face<B: Backend>(
    folder: &Path,
    added: usize,
    seed: u64,
    device: &B::Device,
) -> Result<Llama<B>, Unusable> {
    if !folder.is_dir() {
        return Err(Unusable::new(folder, "not a folder")
            .advice("expected a Hugging Face folder with config.json and model.safetensors"));
    }
    let config = LlamaConfig::read(&folder.join("config.json"))?;
    let weights = Weights::open(folder)?;
    let rows = |name: &str| -> Result<Rows<B>, Unusable> {
        let base = weights.matrix(name, Some([config.vocabulary, config.width]))?;
        let added =
            (added > 0).then(|| new_rows(&base, added, seeds::derive(seed, &["added rows", name])).to_tensor(device));
        Ok(Rows { base: Some(base.to_tensor(device)), added })
    };
    let embedding = rows("model.embed_tokens.weight")?;
    let head = if config.tied { None } else { Some(rows("lm_head.weight")?) };
    assemble(config.clone(), embedding, head, device, &mut |name, shape| weights.matrix(name, Some(shape)))
}
