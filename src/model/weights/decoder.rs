//! Puts a decoder together from matrices, wherever they come from.

use burn::tensor::backend::Backend;

use crate::model::adapter::Matrix;
use crate::model::config::LlamaConfig;
use crate::model::llama::{Layer, Linear, Llama, PROJECTIONS, Rows};

/// Gives the matrix of a name and a shape.
pub(super) type Source<'a, E> = dyn FnMut(&str, [usize; 2]) -> Result<Matrix, E> + 'a;

/// Puts a decoder together from a source of matrices by name and shape.
pub(super) fn assemble<B: Backend, E>(
    config: LlamaConfig,
    embedding: Rows<B>,
    head: Option<Rows<B>>,
    device: &B::Device,
    source: &mut Source<'_, E>,
) -> Result<Llama<B>, E> {
    let mut layers = Vec::with_capacity(config.layers);
    for i in 0..config.layers {
        let name = |part: &str| format!("model.layers.{i}.{part}.weight");
        let mut norm = |part: &str| source(&name(part), [1, config.width]).map(|m| m.to_tensor(device));
        let (input_norm, post_norm) = (norm("input_layernorm")?, norm("post_attention_layernorm")?);
        let mut linears = Vec::with_capacity(PROJECTIONS.len());
        for projection in PROJECTIONS {
            let (output, input) = config.projection(projection);
            let weight = source(&name(projection), [output, input])?.to_tensor(device);
            linears.push(Linear { weight, lora: None, past: None });
        }
        let mut linears = linears.into_iter();
        let mut next = || linears.next();
        if let (Some(q), Some(k), Some(v), Some(o), Some(gate), Some(up), Some(down)) =
            (next(), next(), next(), next(), next(), next(), next())
        {
            layers.push(Layer { input_norm, q, k, v, o, post_norm, gate, up, down });
        }
    }
    let norm = source("model.norm.weight", [1, config.width])?.to_tensor(device);
    Ok(Llama { config, lora_scale: 0.0, magnitudes: None, embedding, layers, norm, head })
}
