//! The softmax-KL as the released code computes it: in bfloat16, every operation rounded, backward as well as forward.
//!
//! The penalty of a real update is far below what bfloat16 resolves, so value and gradient are mostly rounding. That is what
//! the released runs were trained with, and the reason for `release_compatible` alone.

use burn::tensor::backend::Backend;
use half::bf16;

use super::proximal::modules;
use super::{Parameters, Proximal, Pull};
use crate::model::adapter::Matrix;

/// What the release adds to every probability, in bfloat16.
const SMOOTHING: f32 = 1e-8;

/// Value and gradient of the mean over modules of `KL(A) + KL(B)`, and over the states.
pub(super) fn pull<B: Backend>(
    proximal: &Proximal,
    temperature: f64,
    current: &Parameters<B>,
    states: &[Parameters<B>],
) -> Pull<B> {
    let mut whole = Pull::default();
    for state in states {
        let weight = proximal.lambda / (states.len() as f64 * modules(state));
        for (name, previous) in state {
            let Some(now) = current.get(name) else { continue };
            let matrix = Matrix::from_tensor(now.clone());
            let previous = Matrix::from_tensor(previous.clone()).values;
            let Divergence { value, gradient } = divergence(&matrix.values, &previous, temperature as f32);
            let gradient = Matrix { values: gradient, ..matrix }.to_tensor::<B>(&now.device());
            let gradients = [(name.clone(), gradient.mul_scalar(weight))].into();
            whole.add(Pull { penalty: weight * f64::from(value), gradients });
        }
    }
    whole
}

/// A group's divergence and its gradient by the current values.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    pub value: f32,
    pub gradient: Vec<f32>,
}

/// `max(0, Σ p (log p - log q))` of `p` and `q` of two groups, as PyTorch computes it and its gradient in bfloat16: each
/// operation's result is rounded, sums and the softmax are made in float32 first.
pub fn divergence(current: &[f32], previous: &[f32], temperature: f32) -> Divergence {
    let (now, before) = (Probabilities::of(current, temperature), Probabilities::of(previous, temperature));
    let logs = now.normalised.iter().zip(&before.normalised);
    let differences: Vec<f32> = logs.map(|(p, q)| round(round(p.ln()) - round(q.ln()))).collect();
    let value = round(now.normalised.iter().zip(&differences).map(|(p, d)| round(p * d)).sum());
    if value < 0.0 {
        return Divergence { value: 0.0, gradient: vec![0.0; current.len()] };
    }
    // By p: through the product, and through its own logarithm, which gives p / p.
    let by_p: Vec<f32> = differences.iter().map(|d| round(d + 1.0)).collect();
    Divergence { value, gradient: now.backward(&by_p, temperature) }
}

/// A softmax, smoothed and normalised again.
struct Probabilities {
    softmax: Vec<f32>,
    smoothed: Vec<f32>,
    sum: f32,
    normalised: Vec<f32>,
}

impl Probabilities {
    fn of(values: &[f32], temperature: f32) -> Self {
        let values: Vec<f32> = values.iter().map(|value| round(round(*value) / temperature)).collect();
        let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = values.iter().map(|value| (value - most).exp()).collect();
        let all: f32 = powers.iter().sum();
        let softmax: Vec<f32> = powers.iter().map(|power| round(power / all)).collect();
        let smoothed: Vec<f32> = softmax.iter().map(|p| round(p + SMOOTHING)).collect();
        let sum = round(smoothed.iter().sum());
        let normalised = smoothed.iter().map(|p| round(p / sum)).collect();
        Self { softmax, smoothed, sum, normalised }
    }

    /// The gradient by the values, of the gradient by the normalised probabilities.
    fn backward(&self, by_p: &[f32], temperature: f32) -> Vec<f32> {
        let by_sum = by_p.iter().zip(&self.smoothed).map(|(g, s)| round(-g * round(round(s / self.sum) / self.sum)));
        let by_sum = round(by_sum.sum());
        let by_softmax: Vec<f32> = by_p.iter().map(|g| round(round(g / self.sum) + by_sum)).collect();
        let mean: f32 = by_softmax.iter().zip(&self.softmax).map(|(g, p)| g * p).sum();
        let by_value = by_softmax.iter().zip(&self.softmax).map(|(g, p)| round(p * (g - mean)));
        by_value.map(|g| round(g / temperature)).collect()
    }
}

fn round(value: f32) -> f32 {
    bf16::from_f32(value).to_f32()
}
