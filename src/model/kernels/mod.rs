//! The few operations that a packed decoder step is made of.
//!
//! Each has one plain form in burn's own operations ([`plain`]), which wgpu and CUDA run and which defines the result,
//! and on the CPU a fused form with a hand-written gradient (`cpu`). A step works on *packed* tokens: the rows of a
//! batch one after another, `[tokens, width]`, without padding.

mod cpu;
mod mixture;
pub mod plain;
mod simd;
pub mod stored;

use std::sync::Arc;

#[cfg(feature = "cuda")]
use burn::backend::Cuda;
#[cfg(feature = "wgpu")]
use burn::backend::Wgpu;
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

pub use self::mixture::{Expert, Mixture, Routing};

use super::packing::AttentionPlan;

/// Heads of an attention layer; queries of consecutive heads share a key-value head (grouped-query attention).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heads {
    pub query: usize,
    pub key_value: usize,
    /// Width of a head.
    pub width: usize,
    /// Scores are divided by its root: the width of a head, but in Gemma.
    pub scalar: f64,
    /// Scores are held within this before the softmax: `cap tanh(score / cap)`.
    pub cap: Option<f64>,
}

/// Dropout of one matrix. The mask is a function of the seed, so that a step can be repeated exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    pub probability: f64,
    pub seed: u64,
}

/// Constants of one AdamW step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    /// Number of this step, from 1 (for the bias correction).
    pub step: u64,
    /// Factor on the gradient (clipping).
    pub gradient_scale: f64,
}

/// A parameter with its optimiser state: value, first and second moment.
pub type Moments<B> = (Tensor<B, 2>, Tensor<B, 2>, Tensor<B, 2>);

/// One parameter now and as it was at the end of the previous stage.
#[derive(Debug, Clone)]
pub struct Group<B: Backend> {
    pub current: Tensor<B, 2>,
    pub previous: Tensor<B, 2>,
}

/// How far a group has moved, `[1]`, and the gradient of that by its current state.
#[derive(Debug, Clone)]
pub struct Divergence<B: Backend> {
    pub value: Tensor<B, 1>,
    pub gradient: Tensor<B, 2>,
}

/// A backend that can run the decoder. The defaults are the plain forms.
pub trait Kernels: Backend {
    /// `x / sqrt(mean(x²) + epsilon) * weight`, row by row; `x` `[tokens, width]`, `weight` `[1, width]`.
    fn rms_norm(x: Tensor<Self, 2>, weight: Tensor<Self, 2>, epsilon: f64) -> Tensor<Self, 2> {
        plain::rms_norm(x, weight, epsilon)
    }

    /// `x Wᵀ`; `x` `[tokens, in]`, `weight` `[out, in]`. A frozen `weight` may be in half precision: it is read as float32.
    fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::linear(x, weight)
    }

    /// `x` with dropped elements zeroed and the others scaled up so that the expectation stays.
    fn drop_out(x: Tensor<Self, 2>, dropout: Dropout) -> Tensor<Self, 2> {
        plain::drop_out(x, dropout)
    }

    /// `x Wᵀ + scale · dropout(x) Aᵀ Bᵀ`; `a` `[rank, in]`, `b` `[out, rank]`, `weight` as in [`Self::project`].
    fn lora_linear(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        a: Tensor<Self, 2>,
        b: Tensor<Self, 2>,
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Tensor<Self, 2> {
        Self::project(x.clone(), weight) + plain::lora(x, a, b, scale, dropout)
    }

    /// Rotary embedding of every head; `x` `[tokens, heads * width]`, `cos` and `sin` `[tokens, width / 2]`.
    fn rotate(x: Tensor<Self, 2>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::rotate(x, cos, sin)
    }

    /// Softmax attention of the packed queries over the keys that `plan` lets each of them see.
    fn attend(
        query: Tensor<Self, 2>,
        key: Tensor<Self, 2>,
        value: Tensor<Self, 2>,
        heads: Heads,
        plan: &AttentionPlan<Self>,
    ) -> Tensor<Self, 2> {
        plain::attention(query, key, value, heads, plan)
    }

    /// `silu(gate) * up`.
    fn swiglu(gate: Tensor<Self, 2>, up: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::swiglu(gate, up)
    }

    /// `gelu(gate) * up`, with GELU by a hyperbolic tangent.
    fn geglu(gate: Tensor<Self, 2>, up: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::geglu(gate, up)
    }

    /// A mixture of experts: of each token, the weighted sum of what its likeliest experts give. Gradients flow to `x` alone.
    fn mixture(x: Tensor<Self, 2>, mixture: &Mixture<Self>) -> Tensor<Self, 2> {
        mixture::mixture(x, mixture)
    }

    /// `cap tanh(x / cap)`.
    fn soft_cap(x: Tensor<Self, 2>, cap: f64) -> Tensor<Self, 2> {
        plain::soft_cap(x, cap)
    }

    /// `-log softmax(logits / temperature)[target]` row by row; `logits` `[rows, vocabulary]`, result `[rows, 1]`.
    ///
    /// The softmax is over each row's `candidates`, the target among them, or over everything where there are none.
    fn negative_log_likelihood(
        logits: Tensor<Self, 2>,
        targets: Tensor<Self, 1, Int>,
        temperature: f64,
        candidates: &[Arc<[u32]>],
    ) -> Tensor<Self, 2> {
        plain::negative_log_likelihood(logits, targets, temperature, candidates)
    }

    /// `log Σ exp(logits)` row by row; `logits` `[rows, vocabulary]`, result `[rows, 1]`.
    fn log_sum_exp(logits: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::log_sum_exp(logits)
    }

    /// `KL(softmax(current / temperature) || softmax(previous / temperature))` of each group, over all its elements
    /// together, and its gradient by `current`. `smoothing` is added to every probability of both before they are
    /// renormalised.
    ///
    /// Computed from the difference of both, since near the previous state the probabilities agree in all their digits.
    fn softmax_kl(groups: Vec<Group<Self>>, temperature: f64, smoothing: f64) -> Vec<Divergence<Self>> {
        groups.into_iter().map(|group| plain::softmax_kl(group, temperature, smoothing)).collect()
    }

    /// One AdamW step (decoupled weight decay, as PyTorch's) of one parameter.
    fn adamw(parameter: Moments<Self>, gradient: Tensor<Self, 2>, step: AdamWStep) -> Moments<Self> {
        plain::adamw(parameter, gradient, step)
    }
}

#[cfg(feature = "wgpu")]
impl Kernels for Wgpu {}
#[cfg(feature = "wgpu")]
impl Kernels for Autodiff<Wgpu> {
    fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
        stored::project(x, weight)
    }
}
#[cfg(feature = "cuda")]
impl Kernels for Cuda {}
#[cfg(feature = "cuda")]
impl Kernels for Autodiff<Cuda> {
    fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
        stored::project(x, weight)
    }
}

/// The fused operations of a module, as methods of [`Kernels`].
macro_rules! fused {
    ($module:path) => {
        fn rms_norm(x: Tensor<Self, 2>, weight: Tensor<Self, 2>, epsilon: f64) -> Tensor<Self, 2> {
            use $module as fused;
            fused::rms_norm(x, weight, epsilon)
        }

        fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
            use $module as fused;
            fused::linear(x, weight)
        }

        fn drop_out(x: Tensor<Self, 2>, dropout: Dropout) -> Tensor<Self, 2> {
            use $module as fused;
            fused::drop_out(x, dropout)
        }

        fn lora_linear(
            x: Tensor<Self, 2>,
            weight: Tensor<Self, 2>,
            a: Tensor<Self, 2>,
            b: Tensor<Self, 2>,
            scale: f64,
            dropout: Option<Dropout>,
        ) -> Tensor<Self, 2> {
            use $module as fused;
            fused::lora_linear(x, weight, a, b, scale, dropout)
        }

        fn rotate(x: Tensor<Self, 2>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 2> {
            use $module as fused;
            fused::rotate(x, cos, sin)
        }

        fn attend(
            query: Tensor<Self, 2>,
            key: Tensor<Self, 2>,
            value: Tensor<Self, 2>,
            heads: Heads,
            plan: &AttentionPlan<Self>,
        ) -> Tensor<Self, 2> {
            use $module as fused;
            fused::attention(query, key, value, heads, plan)
        }

        fn swiglu(gate: Tensor<Self, 2>, up: Tensor<Self, 2>) -> Tensor<Self, 2> {
            use $module as fused;
            fused::swiglu(gate, up)
        }

        fn geglu(gate: Tensor<Self, 2>, up: Tensor<Self, 2>) -> Tensor<Self, 2> {
            use $module as fused;
            fused::geglu(gate, up)
        }

        fn mixture(x: Tensor<Self, 2>, mixture: &Mixture<Self>) -> Tensor<Self, 2> {
            use $module as fused;
            fused::mixture(x, mixture)
        }

        fn soft_cap(x: Tensor<Self, 2>, cap: f64) -> Tensor<Self, 2> {
            use $module as fused;
            fused::soft_cap(x, cap)
        }

        fn negative_log_likelihood(
            logits: Tensor<Self, 2>,
            targets: Tensor<Self, 1, Int>,
            temperature: f64,
            candidates: &[Arc<[u32]>],
        ) -> Tensor<Self, 2> {
            use $module as fused;
            fused::negative_log_likelihood(logits, targets, temperature, candidates)
        }
    };
}

impl Kernels for Flex {
    fused!(cpu);

    fn log_sum_exp(logits: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::log_sum_exp(logits)
    }

    fn softmax_kl(groups: Vec<Group<Self>>, temperature: f64, smoothing: f64) -> Vec<Divergence<Self>> {
        cpu::softmax_kl(groups, temperature, smoothing)
    }

    fn adamw(parameter: Moments<Self>, gradient: Tensor<Self, 2>, step: AdamWStep) -> Moments<Self> {
        cpu::adamw(parameter, gradient, step)
    }
}

impl Kernels for Autodiff<Flex> {
    fused!(cpu::tracked);
}

#[cfg(test)]
mod tests;
