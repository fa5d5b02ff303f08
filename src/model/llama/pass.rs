//! What is the same for all layers of one forward pass.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::Llama;
use super::dropout::{Dropouts, StepDropout};
use crate::model::config::{Activation, LlamaConfig};
use crate::model::kernels::{Heads, Kernels};
use crate::model::packing::{AttentionPlan, Packed};

/// What is the same for all layers of one forward pass.
pub(super) struct Pass<'a, B: Backend> {
    pub(super) heads: Heads,
    pub(super) scale: f64,
    pub(super) epsilon: f64,
    pub(super) activation: Activation,
    pub(super) keys: Rotations<B>,
    pub(super) plan: &'a AttentionPlan<B>,
    pub(super) dropouts: Dropouts,
    pub(super) factors: Option<Factors<B>>,
    pub(super) inputs: Option<InputTap<'a, B>>,
}

/// What is taken of the projections' inputs.
pub(super) struct InputTap<'a, B: Backend> {
    /// From an input `[tokens, in]`.
    pub(super) take: &'a dyn Fn(&Tensor<B, 2>) -> Tensor<B, 2>,
    /// Four a layer, in the order of the layers: what the attention, its output, the MLP and its output read.
    pub(super) taken: Vec<Tensor<B, 2>>,
}

impl<B: Backend> Pass<'_, B> {
    /// Takes what a projection reads, where that is asked for.
    pub(super) fn tap(&mut self, x: &Tensor<B, 2>) {
        if let Some(inputs) = &mut self.inputs {
            let taken = (inputs.take)(x);
            inputs.taken.push(taken);
        }
    }
}

/// Rotations of packed tokens, `[tokens, head width / 2]`.
#[derive(Debug, Clone)]
pub(super) struct Rotations<B: Backend> {
    pub(super) cos: Tensor<B, 2>,
    pub(super) sin: Tensor<B, 2>,
}

impl<B: Backend> Rotations<B> {
    pub(super) fn new(config: &LlamaConfig, positions: &[u32], device: &B::Device) -> Self {
        let (frequencies, magnitude) = (config.rope.frequencies(config.head_width), config.rope.magnitude());
        let table = |f: fn(f64) -> f64| {
            let of = |p: u32| frequencies.iter().map(move |w| (f(f64::from(p) * w) * magnitude) as f32);
            let values: Vec<f32> = positions.iter().flat_map(|&p| of(p)).collect();
            Tensor::from_data(TensorData::new(values, [positions.len(), frequencies.len()]), device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }
}

/// The tokens that a layer's output is needed at: indices among all, rotations, and the plan of what they see.
pub(super) struct Chosen<'a, B: Backend> {
    pub(super) index: &'a Tensor<B, 1, Int>,
    pub(super) rotations: &'a Rotations<B>,
    pub(super) plan: &'a AttentionPlan<B>,
}

/// The scored tokens of a batch: where they lie, and their rotations.
pub(super) struct Scored<B: Backend> {
    pub(super) index: Tensor<B, 1, Int>,
    pub(super) rotations: Rotations<B>,
}

impl<B: Backend> Scored<B> {
    pub(super) fn new(config: &LlamaConfig, packed: &Packed<B>, device: &B::Device) -> Self {
        let indices: Vec<i32> = packed.scored.iter().map(|&s| s as i32).collect();
        let positions: Vec<u32> = packed.scored.iter().map(|&s| packed.positions[s as usize]).collect();
        Self {
            index: Tensor::from_data(TensorData::from(indices.as_slice()), device),
            rotations: Rotations::new(config, &positions, device),
        }
    }

    pub(super) fn chosen<'a>(&'a self, packed: &'a Packed<B>) -> Chosen<'a, B> {
        Chosen { index: &self.index, rotations: &self.rotations, plan: &packed.scored_plan }
    }
}

/// Magnitudes as factors on the columns of B.
pub(super) struct Factors<B: Backend> {
    /// `[1, 1]`
    pub(super) current: Tensor<B, 2>,
    /// `[1, ranks of all past adapters]`
    pub(super) past: Tensor<B, 2>,
}

impl<B: Backend> Factors<B> {
    /// The magnitudes of a model whose past adapters have so many ranks together.
    pub(super) fn new(magnitudes: &Tensor<B, 2>, ranks: usize) -> Self {
        let current = magnitudes.clone().narrow(1, 0, 1);
        let adapters = magnitudes.dims()[1] - 1;
        let past = match adapters {
            0 => current.clone(),
            _ => magnitudes
                .clone()
                .narrow(1, 1, adapters)
                .reshape([adapters, 1])
                .expand([adapters, ranks / adapters])
                .reshape([1, ranks]),
        };
        Self { current, past }
    }
}

impl<B: Kernels> Llama<B> {
    pub(super) fn factors(&self) -> Option<Factors<B>> {
        let past = self.layers.first().and_then(|layer| layer.q.past.as_ref());
        let ranks = past.map_or(0, |past| past.a.dims()[0]);
        self.magnitudes.as_ref().map(|magnitudes| Factors::new(magnitudes, ranks))
    }

    pub(super) fn pass<'a>(
        &self,
        positions: &[u32],
        plan: &'a AttentionPlan<B>,
        dropout: Option<StepDropout>,
    ) -> Pass<'a, B> {
        Pass {
            heads: self.config.attention_heads(),
            scale: self.lora_scale,
            epsilon: self.config.norm_epsilon,
            activation: self.config.activation,
            keys: Rotations::new(&self.config, positions, &self.device()),
            plan,
            dropouts: Dropouts(dropout.unwrap_or_default()),
            factors: self.factors(),
            inputs: None,
        }
    }
}
