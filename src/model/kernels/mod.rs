//! The few operations that a packed decoder step is made of.
//!
//! Each has one plain form in burn's own operations ([`plain`]), which wgpu and CUDA run and which defines the result,
//! and on the CPU a fused form with a hand-written gradient (`cpu`). A step works on *packed* tokens: the rows of a
//! batch one after another, `[tokens, width]`, without padding.

mod cpu;
pub mod plain;
mod simd;

use burn::backend::{Autodiff, Cuda, Flex, Wgpu};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use super::packing::AttentionPlan;

/// Heads of an attention layer; queries of consecutive heads share a key-value head (grouped-query attention).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    pub query: usize,
    pub key_value: usize,
    /// Width of a head.
    pub width: usize,
}

/// Dropout of one use of an adapter. The mask is a function of the seed, so that a step can be repeated exactly.
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

/// A backend that can run the decoder. The defaults are the plain forms.
pub trait Kernels: Backend {
    /// `x / sqrt(mean(x²) + epsilon) * weight`, row by row; `x` `[tokens, width]`, `weight` `[1, width]`.
    fn rms_norm(x: Tensor<Self, 2>, weight: Tensor<Self, 2>, epsilon: f64) -> Tensor<Self, 2> {
        plain::rms_norm(x, weight, epsilon)
    }

    /// `x Wᵀ`; `x` `[tokens, in]`, `weight` `[out, in]`.
    fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::linear(x, weight)
    }

    /// `x Wᵀ + scale · dropout(x) Aᵀ Bᵀ`; `a` `[rank, in]`, `b` `[out, rank]`.
    fn lora_linear(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        a: Tensor<Self, 2>,
        b: Tensor<Self, 2>,
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Tensor<Self, 2> {
        plain::lora_linear(x, weight, a, b, scale, dropout)
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

    /// `-log softmax(logits / temperature)[target]` row by row; `logits` `[rows, vocabulary]`, result `[rows, 1]`.
    fn negative_log_likelihood(
        logits: Tensor<Self, 2>,
        targets: Tensor<Self, 1, Int>,
        temperature: f64,
    ) -> Tensor<Self, 2> {
        plain::negative_log_likelihood(logits, targets, temperature)
    }

    /// `log Σ exp(logits)` row by row; `logits` `[rows, vocabulary]`, result `[rows, 1]`.
    fn log_sum_exp(logits: Tensor<Self, 2>) -> Tensor<Self, 2> {
        plain::log_sum_exp(logits)
    }

    /// `KL(softmax(current / temperature) || softmax(previous / temperature))` over all elements together, `[1]`, and its
    /// gradient by `current`. `smoothing` is added to every probability of both before they are renormalised.
    ///
    /// Computed from the difference of both, since near the previous state the probabilities agree in all their digits.
    fn softmax_kl(
        current: Tensor<Self, 2>,
        previous: Tensor<Self, 2>,
        temperature: f64,
        smoothing: f64,
    ) -> (Tensor<Self, 1>, Tensor<Self, 2>) {
        plain::softmax_kl(current, previous, temperature, smoothing)
    }

    /// One AdamW step (decoupled weight decay, as PyTorch's) of one parameter.
    fn adamw(parameter: Moments<Self>, gradient: Tensor<Self, 2>, step: AdamWStep) -> Moments<Self> {
        plain::adamw(parameter, gradient, step)
    }
}

impl Kernels for Wgpu {}
impl Kernels for Autodiff<Wgpu> {}
impl Kernels for Cuda {}
impl Kernels for Autodiff<Cuda> {}

impl Kernels for Flex {
    fn rms_norm(x: Tensor<Self, 2>, weight: Tensor<Self, 2>, epsilon: f64) -> Tensor<Self, 2> {
        cpu::rms_norm(x, weight, epsilon)
    }

    fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::linear(x, weight)
    }

    fn lora_linear(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        a: Tensor<Self, 2>,
        b: Tensor<Self, 2>,
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Tensor<Self, 2> {
        cpu::lora_linear(x, weight, a, b, scale, dropout)
    }

    fn rotate(x: Tensor<Self, 2>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::rotate(x, cos, sin)
    }

    fn attend(
        query: Tensor<Self, 2>,
        key: Tensor<Self, 2>,
        value: Tensor<Self, 2>,
        heads: Heads,
        plan: &AttentionPlan<Self>,
    ) -> Tensor<Self, 2> {
        cpu::attention(query, key, value, heads, plan)
    }

    fn swiglu(gate: Tensor<Self, 2>, up: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::swiglu(gate, up)
    }

    fn negative_log_likelihood(
        logits: Tensor<Self, 2>,
        targets: Tensor<Self, 1, Int>,
        temperature: f64,
    ) -> Tensor<Self, 2> {
        cpu::negative_log_likelihood(logits, targets, temperature)
    }

    fn log_sum_exp(logits: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::log_sum_exp(logits)
    }

    fn softmax_kl(
        current: Tensor<Self, 2>,
        previous: Tensor<Self, 2>,
        temperature: f64,
        smoothing: f64,
    ) -> (Tensor<Self, 1>, Tensor<Self, 2>) {
        cpu::softmax_kl(current, previous, temperature, smoothing)
    }

    fn adamw(parameter: Moments<Self>, gradient: Tensor<Self, 2>, step: AdamWStep) -> Moments<Self> {
        cpu::adamw(parameter, gradient, step)
    }
}

impl Kernels for Autodiff<Flex> {
    fn rms_norm(x: Tensor<Self, 2>, weight: Tensor<Self, 2>, epsilon: f64) -> Tensor<Self, 2> {
        cpu::tracked::rms_norm(x, weight, epsilon)
    }

    fn project(x: Tensor<Self, 2>, weight: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::tracked::linear(x, weight)
    }

    fn lora_linear(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        a: Tensor<Self, 2>,
        b: Tensor<Self, 2>,
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Tensor<Self, 2> {
        cpu::tracked::lora_linear(x, weight, a, b, scale, dropout)
    }

    fn rotate(x: Tensor<Self, 2>, cos: Tensor<Self, 2>, sin: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::tracked::rotate(x, cos, sin)
    }

    fn attend(
        query: Tensor<Self, 2>,
        key: Tensor<Self, 2>,
        value: Tensor<Self, 2>,
        heads: Heads,
        plan: &AttentionPlan<Self>,
    ) -> Tensor<Self, 2> {
        cpu::tracked::attention(query, key, value, heads, plan)
    }

    fn swiglu(gate: Tensor<Self, 2>, up: Tensor<Self, 2>) -> Tensor<Self, 2> {
        cpu::tracked::swiglu(gate, up)
    }

    fn negative_log_likelihood(
        logits: Tensor<Self, 2>,
        targets: Tensor<Self, 1, Int>,
        temperature: f64,
    ) -> Tensor<Self, 2> {
        cpu::tracked::negative_log_likelihood(logits, targets, temperature)
    }
}

#[cfg(test)]
mod tests;
