//! AdamW over named parameters, with clipping by the norm of the whole gradient and a warm-up and cosine schedule.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::project::Schedule;
use crate::method::term::sum;
use crate::model::kernels::{AdamWStep, Kernels};

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
    if squares.is_empty() { 0.0 } else { sum(squares).sqrt() }
}

/// Factor that brings a gradient of norm `norm` down to `most` (PyTorch's `clip_grad_norm_`); 0 turns it off.
pub fn clip_factor(norm: f64, most: f64) -> f64 {
    if most > 0.0 { (most / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

/// Factor on the learning rate at a step (from 0) of `steps`: linear from 0 over the warm-up, then as the schedule says
/// (Transformers' `get_cosine_schedule_with_warmup`).
pub fn schedule(kind: Schedule, step: usize, steps: usize, warm_up_steps: usize) -> f64 {
    if step < warm_up_steps {
        return step as f64 / warm_up_steps as f64;
    }
    match kind {
        Schedule::Constant => 1.0,
        Schedule::Cosine => {
            let share = (step - warm_up_steps) as f64 / (steps.saturating_sub(warm_up_steps)).max(1) as f64;
            0.5 * (1.0 + (std::f64::consts::PI * share).cos())
        }
    }
}

/// Steps of a warm-up that is a share of all steps (rounded up, as Transformers does).
pub fn warm_up_steps(share: f64, steps: usize) -> usize {
    (share * steps as f64).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_rises_and_falls() {
        let at = |step| schedule(Schedule::Cosine, step, 20, 2);
        assert_eq!([at(0), at(1), at(2)], [0.0, 0.5, 1.0]);
        assert!((at(11) - 0.5).abs() < 1e-12, "half-way down: {}", at(11));
        assert!(at(20).abs() < 1e-12);
        assert_eq!(schedule(Schedule::Constant, 19, 20, 2), 1.0);
        assert_eq!(warm_up_steps(0.01, 150), 2);
    }

    #[test]
    fn clipping_only_shrinks() {
        assert_eq!(clip_factor(0.5, 1.0), 1.0);
        assert!((clip_factor(4.0, 1.0) - 0.25).abs() < 1e-6);
        assert_eq!(clip_factor(4.0, 0.0), 1.0);
    }
}
