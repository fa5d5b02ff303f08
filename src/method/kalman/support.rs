//! The directions that a stage's data supports, from gradients of single examples.

use super::Direction;
use crate::subspace::curvature::{Constants, Gradients, Metric, directions};

/// The directions of a group, by falling curvature.
///
/// A row of `gradients` is the gradient of an example's mean loss a token, times the root of its tokens, so that the second
/// moment of the rows is the curvature of the training loss where the model predicts well, and `S` of the sandwich times the
/// tokens of an example: `H⁻¹ S H⁻¹ / N = 1 / (ρ · observations)` with all response tokens of the stage as observations. They
/// are [`centred`].
pub fn supported(gradients: &Gradients, metric: &Metric, observations: f64) -> Vec<Direction> {
    let examples = gradients.examples();
    if examples < 2 {
        return Vec::new();
    }
    let found = directions(gradients, metric, Constants::Held);
    // Of a variance, one example goes to the mean.
    let unbiased = examples as f64 / (examples - 1) as f64;
    let direction = |rho: f64| Direction { curvature: rho * unbiased, noise: 1.0 / (rho * unbiased * observations) };
    found.rho.into_iter().map(direction).collect()
}

/// The gradients without their mean: before a stage that is the slope toward the stage's optimum, and no curvature.
pub fn centred(gradients: &Gradients) -> Gradients {
    let mut mean = vec![0.0; gradients.parameters()];
    for row in gradients.rows() {
        mean.iter_mut().zip(row).for_each(|(mean, g)| *mean += f64::from(*g) / gradients.examples() as f64);
    }
    let mut centred = Gradients::new(gradients.parameters());
    for row in gradients.rows() {
        let around: Vec<f32> = row.iter().zip(&mean).map(|(g, mean)| (f64::from(*g) - mean) as f32).collect();
        centred.push(&around);
    }
    centred
}
