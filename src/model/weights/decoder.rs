//! Puts a decoder together from tensors, wherever they come from.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::model::config::{Experts, HEAD_NORMS, LlamaConfig, OUTPUT_NORMS, PROJECTIONS};
use crate::model::kernels::{Expert, Mixture};
use crate::model::llama::{FeedForward, HeadNorms, Layer, Linear, Llama, OutputNorms, Rows};

/// Gives the tensor of a name and a shape.
pub(super) type Source<'a, B, E> = dyn FnMut(&str, [usize; 2]) -> Result<Tensor<B, 2>, E> + 'a;

/// Puts a decoder together from a source of tensors by name and shape.
pub(super) fn assemble<B: Backend, E>(
    config: LlamaConfig,
    embedding: Rows<B>,
    head: Option<Rows<B>>,
    source: &mut Source<'_, B, E>,
) -> Result<Llama<B>, E> {
    let mut layers = Vec::with_capacity(config.layers);
    for i in 0..config.layers {
        let name = |part: &str| format!("model.layers.{i}.{part}");
        let mut tensor = |part: &str, shape| source(&name(part), shape);
        let input_norm = tensor("input_layernorm.weight", [1, config.width])?;
        let post_norm = tensor(&format!("{}.weight", config.ffn_norm()), [1, config.width])?;
        let output_norms = match &config.gemma {
            None => None,
            Some(_) => {
                let mut norm = |name: &str| tensor(&format!("{name}.weight"), [1, config.width]);
                Some(OutputNorms { attention: norm(OUTPUT_NORMS[0])?, ffn: norm(OUTPUT_NORMS[1])? })
            }
        };
        let head_norms = match config.head_norms {
            false => None,
            true => {
                let mut norm = |name: &str| tensor(&format!("{name}.weight"), [1, config.head_width]);
                Some(HeadNorms { q: norm(HEAD_NORMS[0])?, k: norm(HEAD_NORMS[1])? })
            }
        };
        let mut linear = |projection: &str| -> Result<Linear<B>, E> {
            let (output, input) = config.projection(projection);
            let weight = tensor(&format!("{projection}.weight"), [output, input])?;
            let bias = match config.has_bias(projection) {
                false => None,
                true => Some(tensor(&format!("{projection}.bias"), [1, output])?),
            };
            Ok(Linear { weight, bias, lora: None, past: None })
        };
        let [q, k, v, o, gate, up, down] = PROJECTIONS;
        let (q, k, v, o) = (linear(q)?, linear(k)?, linear(v)?, linear(o)?);
        let ffn = match config.experts.as_ref().filter(|_| config.has_experts(i)) {
            None => FeedForward::Dense { gate: linear(gate)?, up: linear(up)?, down: linear(down)? },
            Some(experts) => FeedForward::Mixture(mixture(experts, config.width, &mut tensor)?),
        };
        let slides = config.slides(i);
        layers.push(Layer { input_norm, q, k, v, o, head_norms, post_norm, output_norms, slides, ffn });
    }
    let norm = source("model.norm.weight", [1, config.width])?;
    Ok(Llama { config, lora_scale: 0.0, magnitudes: None, embedding, layers, norm, head })
}

/// The experts of a layer and their router.
fn mixture<B: Backend, E>(
    Experts { count, routing, width: inner, .. }: &Experts,
    width: usize,
    tensor: &mut Source<'_, B, E>,
) -> Result<Mixture<B>, E> {
    let router = tensor("mlp.gate.weight", [*count, width])?;
    let mut experts = Vec::with_capacity(*count);
    for expert in 0..*count {
        let mut part = |name: &str, shape| tensor(&format!("mlp.experts.{expert}.{name}.weight"), shape);
        experts.push(Expert {
            gate: part("gate_proj", [*inner, width])?,
            up: part("up_proj", [*inner, width])?,
            down: part("down_proj", [width, *inner])?,
        });
    }
    Ok(Mixture { router, experts, routing: *routing })
}
