//! AdamW over named parameters, with clipping by the norm of the whole gradient.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::kernels::{AdamWStep, Kernels};

/// PyTorch's defaults, which the paper and its release keep.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Optimiser state: first and second moment of each parameter's gradient.
#[derive(Debug, Clone)]
pub struct AdamW<B: Backend> {
    pub weight_decay: f64,
    /// Steps done.
    pub step: u64,
    pub moments: BTreeMap<String, (Tensor<B, 2>, Tensor<B, 2>)>,
}

impl<B: Kernels> AdamW<B> {
    /// An optimiser that has done no step.
    pub fn new(weight_decay: f64) -> Self {
        Self { weight_decay, step: 0, moments: BTreeMap::new() }
    }

    /// Begins a step; [`Self::update`] is then called for each parameter.
    pub fn begin_step(&mut self) {
        self.step += 1;
    }

    /// The parameter after this step. `gradient_scale` is the clipping factor.
    pub fn update(
        &mut self,
        name: &str,
        value: Tensor<B, 2>,
        gradient: Tensor<B, 2>,
        learning_rate: f64,
        gradient_scale: f64,
    ) -> Tensor<B, 2> {
        let (first, second) = self.moments.remove(name).unwrap_or_else(|| {
            let zeros = Tensor::zeros(value.dims(), &value.device());
            (zeros.clone(), zeros)
        });
        let step = AdamWStep {
            learning_rate,
            beta1: BETA1,
            beta2: BETA2,
            epsilon: EPSILON,
            weight_decay: self.weight_decay,
            step: self.step,
            gradient_scale,
        };
        let (value, first, second) = B::adamw((value, first, second), gradient, step);
        self.moments.insert(name.to_owned(), (first, second));
        value
    }
}

/// Euclidean norm over all tensors together.
pub fn norm<'a, B: Backend>(tensors: impl IntoIterator<Item = &'a Tensor<B, 2>>) -> f64 {
    let squares: Vec<_> = tensors.into_iter().map(|t| (t.clone() * t.clone()).sum()).collect();
    sum(squares).sqrt()
}

/// Factor that brings a gradient of norm `norm` down to `most` (PyTorch's `clip_grad_norm_`); 0 turns it off.
pub fn clip_factor(norm: f64, max: f64) -> f64 {
    if max > 0.0 { (max / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

/// Sum of scalars, read from the device once and added in float64.
pub fn sum<B: Backend>(values: Vec<Tensor<B, 1>>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let values = Tensor::cat(values, 0).into_data().convert::<f32>().into_vec::<f32>().unwrap_or_default();
    values.into_iter().map(f64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_only_shrinks() {
        assert_eq!(clip_factor(0.5, 1.0), 1.0);
        assert!((clip_factor(4.0, 1.0) - 0.25).abs() < 1e-6);
        assert_eq!(clip_factor(4.0, 0.0), 1.0);
    }
}
