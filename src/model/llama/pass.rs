//! What is the same for all layers of one forward pass.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::dropout::{Dropouts, StepDropout};
use super::{Layer, Llama};
use crate::model::config::{Activation, LlamaConfig, Rope, Sliding};
use crate::model::kernels::{Heads, Kernels};
use crate::model::packing::{AttentionPlan, Packed};

/// What is the same for all layers of one forward pass.
pub(super) struct Pass<'a, B: Backend> {
    pub(super) heads: Heads,
    pub(super) scale: f64,
    pub(super) norms: Norms,
    pub(super) activation: Activation,
    full: Sight<'a, B>,
    /// Of layers with a window, where they see less than the others or turn otherwise.
    sliding: Option<Sight<'a, B>>,
    pub(super) dropouts: Dropouts,
    pub(super) factors: Option<Factors<B>>,
    pub(super) inputs: Option<InputTap<'a, B>>,
}

/// What is taken of the projections' inputs.
pub(super) struct InputTap<'a, B: Backend> {
    /// From an input `[tokens, in]`.
    pub(super) take: &'a dyn Fn(&Tensor<B, 2>) -> Tensor<B, 2>,
    /// Four a layer, in the order of the layers: what the attention, its output, the MLP and its output read; two where the MLP
    /// is a mixture of experts.
    pub(super) taken: Vec<Tensor<B, 2>>,
}

/// How a decoder's norms are computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norms {
    epsilon: f64,
    /// Whether they multiply by 1 + w, as Gemma's.
    from_one: bool,
}

impl Norms {
    pub(super) fn of(config: &LlamaConfig) -> Self {
        Self { epsilon: config.norm_epsilon, from_one: config.gemma.is_some() }
    }

    /// What a norm multiplies by, from its weights.
    pub(super) fn factors<B: Backend>(self, weights: &Tensor<B, 2>) -> Tensor<B, 2> {
        if self.from_one { weights.clone().add_scalar(1.0) } else { weights.clone() }
    }

    /// A norm of every row of `x`, by its weights `[1, width]`.
    pub(super) fn apply<B: Kernels>(self, x: Tensor<B, 2>, weights: &Tensor<B, 2>) -> Tensor<B, 2> {
        B::rms_norm(x, self.factors(weights), self.epsilon)
    }
}

impl<'a, B: Backend> Pass<'a, B> {
    /// What a layer's queries see, and how its keys are turned.
    pub(super) fn sight(&self, slides: bool) -> &Sight<'a, B> {
        self.sliding.as_ref().filter(|_| slides).unwrap_or(&self.full)
    }

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
    fn new(rope: &Rope, head_width: usize, positions: &[u32], device: &B::Device) -> Self {
        let (frequencies, magnitude) = (rope.frequencies(head_width), rope.magnitude());
        let table = |f: fn(f64) -> f64| {
            let of = |p: u32| frequencies.iter().map(move |w| (f(f64::from(p) * w) * magnitude) as f32);
            let values: Vec<f32> = positions.iter().flat_map(|&p| of(p)).collect();
            Tensor::from_data(TensorData::new(values, [positions.len(), frequencies.len()]), device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }
}

/// What layers of one kind share: how tokens at their positions are turned, and what they see.
pub(super) struct Sight<'a, B: Backend> {
    pub(super) rotations: Rotations<B>,
    pub(super) plan: Cow<'a, AttentionPlan<B>>,
}

impl<'a, B: Backend> Sight<'a, B> {
    /// Of layers that see everything before them.
    fn full(config: &LlamaConfig, positions: &[u32], plan: &'a AttentionPlan<B>, device: &B::Device) -> Self {
        let rotations = Rotations::new(&config.rope, config.head_width, positions, device);
        Self { rotations, plan: Cow::Borrowed(plan) }
    }

    /// Of layers with a window, where they are unlike the others.
    fn sliding(
        config: &LlamaConfig,
        positions: &[u32],
        full: &Sight<'a, B>,
        plan: &'a AttentionPlan<B>,
        device: &B::Device,
    ) -> Option<Self> {
        let Sliding { window, rope, .. } = config.sliding.as_ref()?;
        let within = plan.within(*window);
        if within.is_none() && rope.is_none() {
            return None;
        }
        let rotations = match rope {
            None => full.rotations.clone(),
            Some(rope) => Rotations::new(rope, config.head_width, positions, device),
        };
        Some(Self { rotations, plan: within.map_or(Cow::Borrowed(plan), Cow::Owned) })
    }
}

/// The tokens that a layer's output is needed at: indices among all, rotations, and what they see.
pub(super) struct Chosen<'a, B: Backend> {
    pub(super) index: Tensor<B, 1, Int>,
    pub(super) sight: Sight<'a, B>,
}

impl<'a, B: Backend> Chosen<'a, B> {
    /// The scored tokens of a batch, which the last layer alone is asked for.
    pub(super) fn scored(config: &LlamaConfig, packed: &'a Packed<B>, device: &B::Device) -> Self {
        let indices: Vec<i32> = packed.scored.iter().map(|&s| s as i32).collect();
        let positions: Vec<u32> = packed.scored.iter().map(|&s| packed.positions[s as usize]).collect();
        let full = Sight::full(config, &positions, &packed.scored_plan, device);
        let slides = config.slides(config.layers.saturating_sub(1));
        let sliding = || Sight::sliding(config, &positions, &full, &packed.scored_plan, device);
        let sliding = slides.then(sliding).flatten();
        Self { index: Tensor::from_data(TensorData::from(indices.as_slice()), device), sight: sliding.unwrap_or(full) }
    }
}

/// Magnitudes as factors on the columns of B.
pub(super) struct Factors<B: Backend> {
    /// `[1, 1]`
    pub(super) current: Tensor<B, 2>,
    /// By the ranks that all past adapters of a module have together: `[1, ranks]`.
    past: BTreeMap<usize, Tensor<B, 2>>,
}

impl<B: Backend> Factors<B> {
    /// The magnitudes of a model whose past adapters have so many ranks together, in one module or another.
    fn new(magnitudes: &Tensor<B, 2>, ranks: BTreeSet<usize>) -> Self {
        let current = magnitudes.clone().narrow(1, 0, 1);
        let adapters = magnitudes.dims()[1] - 1;
        let of = |ranks: usize| {
            let each = magnitudes.clone().narrow(1, 1, adapters).reshape([adapters, 1]);
            each.expand([adapters, ranks / adapters]).reshape([1, ranks])
        };
        let past = if adapters == 0 { BTreeMap::new() } else { ranks.into_iter().map(|r| (r, of(r))).collect() };
        Self { current, past }
    }

    /// The factors on the columns of B of a module's past adapters, `[1, ranks]`; none where all are 1.
    pub(super) fn of_past(&self, ranks: usize) -> Option<&Tensor<B, 2>> {
        self.past.get(&ranks)
    }
}

impl<B: Kernels> Llama<B> {
    pub(super) fn factors(&self) -> Option<Factors<B>> {
        let magnitudes = self.magnitudes.as_ref()?;
        let past = self.layers.iter().flat_map(Layer::projections).filter_map(|linear| linear.past.as_ref());
        Some(Factors::new(magnitudes, past.map(|past| past.a.dims()[0]).collect()))
    }

    pub(super) fn pass<'a>(
        &self,
        positions: &[u32],
        plan: &'a AttentionPlan<B>,
        dropout: Option<StepDropout>,
    ) -> Pass<'a, B> {
        let device = self.device();
        let full = Sight::full(&self.config, positions, plan, &device);
        let sliding = Sight::sliding(&self.config, positions, &full, plan, &device);
        Pass {
            heads: self.config.attention_heads(),
            scale: self.lora_scale,
            norms: Norms::of(&self.config),
            activation: self.config.activation,
            full,
            sliding,
            dropouts: Dropouts(dropout.unwrap_or_default()),
            factors: self.factors(),
            inputs: None,
        }
    }
}
