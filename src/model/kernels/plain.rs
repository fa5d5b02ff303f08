//! The operations in burn's own terms: what wgpu and CUDA run, and what the fused forms are tested against.

use std::f64::consts::PI;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Distribution, FloatDType, Int, Tensor, TensorData, activation};

use super::{AdamWStep, Divergence, Dropout, Group, Heads, Moments};
use crate::model::packing::AttentionPlan;

/// Scores that a query must not see, and logits that are no candidates; finite, so that a row of padding stays finite too.
const HIDDEN: f64 = -1e30;

/// A tensor in float32, whatever its type was.
pub fn float32<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    x.cast(FloatDType::F32)
}

/// See [`super::Kernels::rms_norm`].
pub fn rms_norm<B: Backend>(x: Tensor<B, 2>, weight: Tensor<B, 2>, epsilon: f64) -> Tensor<B, 2> {
    let scale = (x.clone() * x.clone()).mean_dim(1).add_scalar(epsilon).sqrt().recip();
    x * scale * weight
}

/// See [`super::Kernels::project`].
pub fn linear<B: Backend>(x: Tensor<B, 2>, weight: Tensor<B, 2>) -> Tensor<B, 2> {
    x.matmul(float32(weight).transpose())
}

/// See [`super::Kernels::drop_out`].
pub fn drop_out<B: Backend>(x: Tensor<B, 2>, Dropout { probability, seed }: Dropout) -> Tensor<B, 2> {
    let device = x.device();
    B::seed(&device, seed);
    let keep = Tensor::random(x.dims(), Distribution::Bernoulli(1.0 - probability), &device);
    x * keep.div_scalar(1.0 - probability)
}

/// See [`super::Kernels::lora_linear`].
pub fn lora_linear<B: Backend>(
    x: Tensor<B, 2>,
    weight: Tensor<B, 2>,
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    scale: f64,
    dropout: Option<Dropout>,
) -> Tensor<B, 2> {
    linear(x.clone(), weight) + lora(x, a, b, scale, dropout)
}

/// What an adapter adds to a projection: `scale · dropout(x) Aᵀ Bᵀ`.
pub fn lora<B: Backend>(
    x: Tensor<B, 2>,
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    scale: f64,
    dropout: Option<Dropout>,
) -> Tensor<B, 2> {
    let input = match dropout {
        None => x,
        Some(dropout) => drop_out(x, dropout),
    };
    linear(linear(input, a), b).mul_scalar(scale)
}

/// See [`super::Kernels::rotate`].
pub fn rotate<B: Backend>(x: Tensor<B, 2>, cos: Tensor<B, 2>, sin: Tensor<B, 2>) -> Tensor<B, 2> {
    let [tokens, width] = x.dims();
    let half = cos.dims()[1];
    let heads = width / (2 * half);
    let x = x.reshape([tokens, heads, 2 * half]);
    let (first, second) = (x.clone().narrow(2, 0, half), x.narrow(2, half, half));
    let (cos, sin) = (cos.unsqueeze_dim::<3>(1), sin.unsqueeze_dim::<3>(1));
    let turned = vec![first.clone() * cos.clone() - second.clone() * sin.clone(), second * cos + first * sin];
    Tensor::cat(turned, 2).reshape([tokens, width])
}

/// See [`super::Kernels::attend`]. Rows are padded to the longest, since GPUs want one large product.
pub fn attention<B: Backend>(
    query: Tensor<B, 2>,
    key: Tensor<B, 2>,
    value: Tensor<B, 2>,
    heads: Heads,
    plan: &AttentionPlan<B>,
) -> Tensor<B, 2> {
    let padded = plan.padded(&query.device());
    let (rows, queries, keys) = (padded.rows, padded.queries, padded.keys);
    let group = heads.query / heads.key_value;
    let spread = |x: Tensor<B, 2>, index: &Tensor<B, 1, Int>, length: usize, count: usize| {
        x.select(0, index.clone()).reshape([rows, length, count, heads.width]).swap_dims(1, 2)
    };
    // Queries of one key-value head become rows of one product, so that keys and values are not repeated.
    let q = spread(query, &padded.query_index, queries, heads.query).reshape([
        rows,
        heads.key_value,
        group * queries,
        heads.width,
    ]);
    let k = spread(key, &padded.key_index, keys, heads.key_value);
    let v = spread(value, &padded.key_index, keys, heads.key_value);
    let scores = q.matmul(k.swap_dims(2, 3)).div_scalar(heads.scalar.sqrt());
    let scores = match heads.cap {
        None => scores,
        Some(cap) => soft_cap(scores, cap),
    };
    let hidden = padded.hidden.clone().unsqueeze_dim::<4>(1).expand([rows, heads.query, queries, keys]);
    let scores = scores.reshape([rows, heads.query, queries, keys]).mask_fill(hidden, HIDDEN);
    let weights = activation::softmax(scores, 3).reshape([rows, heads.key_value, group * queries, keys]);
    weights
        .matmul(v)
        .reshape([rows, heads.query, queries, heads.width])
        .swap_dims(1, 2)
        .reshape([rows * queries, heads.query * heads.width])
        .select(0, padded.unpad_index.clone())
}

/// See [`super::Kernels::swiglu`].
pub fn swiglu<B: Backend>(gate: Tensor<B, 2>, up: Tensor<B, 2>) -> Tensor<B, 2> {
    activation::silu(gate) * up
}

/// See [`super::Kernels::geglu`].
pub fn geglu<B: Backend>(gate: Tensor<B, 2>, up: Tensor<B, 2>) -> Tensor<B, 2> {
    // Cubed by products: a power of a negative number is none in some shaders.
    let cubed = gate.clone() * gate.clone() * gate.clone();
    let inner = (gate.clone() + cubed.mul_scalar(0.044_715)).mul_scalar((2.0 / PI).sqrt());
    gate * inner.tanh().add_scalar(1.0).mul_scalar(0.5) * up
}

/// See [`super::Kernels::soft_cap`].
pub fn soft_cap<B: Backend, const D: usize>(x: Tensor<B, D>, cap: f64) -> Tensor<B, D> {
    x.div_scalar(cap).tanh().mul_scalar(cap)
}

/// See [`super::Kernels::negative_log_likelihood`].
pub fn negative_log_likelihood<B: Backend>(
    logits: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
    temperature: f64,
    candidates: &[Arc<[u32]>],
) -> Tensor<B, 2> {
    log_probabilities(logits, temperature, candidates).gather(1, targets.unsqueeze_dim(1)).neg()
}

/// `log softmax(logits / temperature)` row by row: over each row's candidates (others are as good as impossible), or over
/// everything where there are none.
pub fn log_probabilities<B: Backend>(
    logits: Tensor<B, 2>,
    temperature: f64,
    candidates: &[Arc<[u32]>],
) -> Tensor<B, 2> {
    let mut logits = logits.div_scalar(temperature);
    if !candidates.is_empty() {
        let [rows, columns] = logits.dims();
        let mut hidden = vec![true; rows * columns];
        for (row, tokens) in candidates.iter().enumerate() {
            for &token in tokens.iter() {
                hidden[row * columns + token as usize] = false;
            }
        }
        let hidden = Tensor::<B, 2, Bool>::from_data(TensorData::new(hidden, [rows, columns]), &logits.device());
        logits = logits.mask_fill(hidden, HIDDEN);
    }
    activation::log_softmax(logits, 1)
}

/// See [`super::Kernels::log_sum_exp`].
pub fn log_sum_exp<B: Backend>(logits: Tensor<B, 2>) -> Tensor<B, 2> {
    let top = logits.clone().max_dim(1);
    (logits - top.clone()).exp().sum_dim(1).log() + top
}

/// See [`super::Kernels::softmax_kl`].
///
/// With `d = (v - v')/τ` and `q` the previous probabilities, `log p - log q = d - c` where `c = log Σ q e^d`.
pub fn softmax_kl<B: Backend>(group: Group<B>, temperature: f64, smoothing: f64) -> Divergence<B> {
    let shape = group.current.dims();
    let count = shape[0] * shape[1];
    let flat = |t: Tensor<B, 2>| t.reshape([count]).div_scalar(temperature);
    let (now, before) = (flat(group.current), flat(group.previous));
    let q = activation::softmax(before.clone(), 0);
    let difference = now - before;
    let c = (q.clone() * exp_minus_one(difference.clone())).sum().log1p();
    let growth = exp_minus_one(difference - c);
    let p = q.clone() * growth.clone().add_scalar(1.0);
    let log_ratio = (q.clone() * growth / q.add_scalar(smoothing)).log1p();
    let total = 1.0 + count as f64 * smoothing;
    let value = (p.clone().add_scalar(smoothing) * log_ratio.clone()).sum().div_scalar(total);
    let mean = (p.clone() * log_ratio.clone()).sum();
    let gradient = p * (log_ratio - mean);
    Divergence { value, gradient: gradient.div_scalar(total * temperature).reshape(shape) }
}

/// `e^x - 1`, exact for small `x` too: `2 tanh(x/2) / (1 - tanh(x/2))`.
fn exp_minus_one<B: Backend>(x: Tensor<B, 1>) -> Tensor<B, 1> {
    let t = x.div_scalar(2.0).tanh();
    t.clone().mul_scalar(2.0) / t.neg().add_scalar(1.0)
}

/// See [`super::Kernels::adamw`].
pub fn adamw<B: Backend>((value, first, second): Moments<B>, gradient: Tensor<B, 2>, step: AdamWStep) -> Moments<B> {
    let gradient = gradient.mul_scalar(step.gradient_scale);
    let first = first.mul_scalar(step.beta1) + gradient.clone().mul_scalar(1.0 - step.beta1);
    let second = second.mul_scalar(step.beta2) + (gradient.clone() * gradient).mul_scalar(1.0 - step.beta2);
    let (correction1, correction2) = (1.0 - step.beta1.powf(step.step as f64), 1.0 - step.beta2.powf(step.step as f64));
    let denominator = second.clone().div_scalar(correction2).sqrt().add_scalar(step.epsilon);
    let update = first.clone().mul_scalar(step.learning_rate / correction1) / denominator;
    (value.mul_scalar(1.0 - step.learning_rate * step.weight_decay) - update, first, second)
}
