//! Perturb-and-Merge's coefficient of the whole step (arXiv 2505.22389).
//!
//! The merged state is `θ + α Δ`, with `θ` the state before stage t and `Δ` its step. Each stage's loss is taken as a parabola
//! around the state `θ_i` that the stage left, with curvature `H_i`, so that the rise over all stages
//! `Σ_i ½ (θ + α Δ − θ_i)ᵀ H_i (θ + α Δ − θ_i)` is least at `α = Σ_i Δᵀ H_i (θ_i − θ) / Σ_i Δᵀ H_i Δ`; of stage t itself
//! `θ_t − θ = Δ`. `H_i` is the empirical Fisher information: `Δᵀ H δ` is the mean over examples of the product of their losses'
//! slopes along `Δ` and `δ`, which are taken as differences over a small piece of either way. No gradient is needed.

use burn::tensor::{Int, Tensor, TensorData};

use crate::model::Llama;
use crate::model::kernels::Kernels;
use crate::model::packing::{Packed, Sequence};

/// Share of a way over which slopes are taken, to either side.
pub(super) const PIECE: f32 = 0.05;

/// Targets of a stage whose slopes are taken, at most about so many.
pub(super) const EXAMPLES: usize = 256;

/// Histories that are read together.
const BATCH: usize = 64;

/// What a stage's curvature says of the step `Δ` and of the way `δ = θ_i − θ` from the state before the step to its own state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StageCurvature {
    /// `Δᵀ H Δ`
    pub step: f64,
    /// `Δᵀ H δ`
    pub way: f64,
}

impl StageCurvature {
    /// From examples' slopes along both.
    pub(super) fn of(step: &[f64], way: &[f64]) -> Self {
        let mean = |other: &[f64]| {
            step.iter().zip(other).map(|(one, other)| one * other).sum::<f64>() / step.len().max(1) as f64
        };
        Self { step: mean(step), way: mean(way) }
    }
}

/// The coefficient, between 0 and 1 as the method has it; none where no stage's loss changes along the step.
pub(super) fn coefficient(stages: &[StageCurvature]) -> Option<f64> {
    let sum = |of: fn(&StageCurvature) -> f64| stages.iter().map(of).sum::<f64>();
    let curvature = sum(|stage| stage.step);
    (curvature > 0.0).then(|| (sum(|stage| stage.way) / curvature).clamp(0.0, 1.0))
}

/// The loss of every target, summed over its tokens.
pub(super) fn losses<B: Kernels>(model: &Llama<B>, sequences: &[Sequence], temperature: f64) -> Vec<f64> {
    let mut losses = Vec::new();
    for batch in sequences.chunks(BATCH) {
        let packed = Packed::new(batch);
        let targets: Vec<i32> = packed.targets.iter().map(|&target| target as i32).collect();
        let targets = Tensor::<B, 1, Int>::from_data(TensorData::from(targets.as_slice()), &model.device());
        let tokens = B::negative_log_likelihood(model.logits(&packed, None), targets, temperature, &packed.candidates);
        let tokens = tokens.into_data().convert::<f32>().into_vec::<f32>().unwrap_or_default();
        let mut tokens = tokens.into_iter().map(f64::from);
        let branches = batch.iter().flat_map(|sequence| &sequence.branches);
        losses.extend(branches.map(|branch| tokens.by_ref().take(branch.targets.len()).sum::<f64>()));
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coefficient_is_where_the_sum_of_parabolas_is_least() {
        // θ = 0 and Δ = 1; states of stages and their curvatures, the last being the step's own.
        let stages = [(-0.4, 2.0), (0.1, 1.0), (1.0, 5.0)];
        let curvatures = stages.map(|(state, h)| StageCurvature { step: h, way: h * state });
        let rise = |alpha: f64| stages.iter().map(|(state, h)| 0.5 * h * (alpha - state).powi(2)).sum::<f64>();
        let least = (0..=1000).map(|n| f64::from(n) / 1000.0).min_by(|a, b| rise(*a).total_cmp(&rise(*b))).unwrap();
        let found = coefficient(&curvatures).unwrap();
        assert!((found - least).abs() <= 5e-4, "{found} {least}");
        // Where the earlier stages' states are the one before the step: h_t over the sum.
        let at = |h: f64, own: bool| StageCurvature { step: h, way: if own { h } else { 0.0 } };
        assert_eq!(coefficient(&[at(3.0, false), at(1.0, true)]), Some(0.25));
        assert_eq!(coefficient(&[at(0.0, true)]), None);
    }

    #[test]
    fn curvature_is_the_mean_product_of_slopes() {
        let found = StageCurvature::of(&[1.0, -2.0], &[3.0, 1.0]);
        assert_eq!(found, StageCurvature { step: 2.5, way: 0.5 });
    }
}
