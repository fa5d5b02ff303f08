//! Compact base models: drawn from a seed, written and read as Hugging Face folders whose tokens are all new.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::Weights;
use super::decoder::assemble;
use super::merged::write_model;
use super::rows::normal;
use crate::error::InputError;
use crate::model::adapter::Matrix;
use crate::model::config::LlamaConfig;
use crate::model::llama::{Llama, Rows};
use crate::seeds;

/// A compact model of random weights (standard deviation 0.02, as Llama's), all its tokens new.
pub fn initialise_compact<B: Backend>(config: &LlamaConfig, tokens: usize, seed: u64, device: &B::Device) -> Llama<B> {
    let draw = |name: &str, [rows, columns]: [usize; 2]| {
        let values = if rows == 1 {
            vec![1.0; columns]
        } else {
            normal(rows * columns, 0.02, seeds::derive(seed, &["base", name]))
        };
        Matrix { rows, columns, values }
    };
    let rows = |name: &str| Rows { base: None, added: Some(draw(name, [tokens, config.width]).to_tensor(device)) };
    let embedding = rows("model.embed_tokens.weight");
    let head = (!config.tied).then(|| rows("lm_head.weight"));
    match assemble(config.clone(), embedding, head, &mut |name, shape| {
        Ok::<_, std::convert::Infallible>(draw(name, shape).into_tensor(device))
    }) {
        Ok(model) => model,
        Err(never) => match never {},
    }
}

/// Writes a compact model as a Hugging Face folder.
///
/// # Errors
/// The folder cannot be written.
pub fn write_compact<B: Backend>(folder: &Path, model: &mut Llama<B>) -> Result<(), InputError> {
    let tokens = model.embedding.added.as_ref().map_or(0, |rows| rows.dims()[0]);
    let config = model.config.hugging_face(tokens);
    write_model(folder, model, config)
}

/// Loads a compact model that [`write_compact`] wrote; all its rows are new tokens.
///
/// # Errors
/// Names the tensor that is missing or of the wrong shape.
pub fn load_compact<B: Backend>(
    folder: &Path,
    config: &LlamaConfig,
    tokens: usize,
    device: &B::Device,
) -> Result<Llama<B>, InputError> {
    let weights = Weights::open(folder)?;
    let rows = |name: &str| -> Result<Rows<B>, InputError> {
        Ok(Rows { base: None, added: Some(weights.matrix(name, Some([tokens, config.width]))?.to_tensor(device)) })
    };
    let embedding = rows("model.embed_tokens.weight")?;
    let head = if config.tied { None } else { Some(rows("lm_head.weight")?) };
    assemble(config.clone(), embedding, head, &mut |name, shape| {
        Ok(weights.matrix(name, Some(shape))?.into_tensor(device))
    })
}
