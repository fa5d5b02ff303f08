//! Lambda as the gain of a filter: each group is held as firmly as the noise of what a stage shows, and the movement of what
//! it should show, ask for. `docs/concepts/kalman.md` has the derivation.
//!
//! Along a direction of curvature `ρ` a stage ends at `κ v* + (1 - κ) v'` with `κ = ρ / (ρ + λ)`: `v*`, where its data alone
//! lead, is an observation of the true optimum `θ` with noise of variance `R`, and `κ` is the gain of a filter that follows
//! `θ`. That moves by `Q` a stage. Where `v'` is off by the variance `P`, the next state is off by `(1 - κ)² P + κ² R`.

mod support;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use support::{centred, supported};

/// One direction in which a stage's data supports a group, of length 1 in the proximal term's metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// `ρ`: curvature of the stage's loss, as one of the term.
    pub curvature: f64,
    /// `R`: variance of the stage's optimum around the true one, `qᵀ H⁻¹ S H⁻¹ q / N`.
    pub noise: f64,
}

/// An earlier stage in which the group was held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PastStage {
    pub lambda: f64,
    /// Observations that the stage's optimum rested on.
    pub observations: f64,
    /// `‖v - v'‖²` in the term's metric: how far the group went, held as it was.
    pub moved: f64,
}

/// How firmly a group is held in a stage, and why.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Held {
    pub lambda: f64,
    /// Mean `ρ / (ρ + λ)` over the directions: 1 follows the stage's data, 0 keeps the past.
    pub gain: f64,
    /// Directions that the stage's data supports.
    pub directions: usize,
    /// `Q`: variance of the true optimum's movement a stage, along one direction. None before any stage has shown a movement.
    pub movement: Option<f64>,
    /// Mean `P` over the directions: variance of the state before the stage around the true optimum of the stage.
    pub prior: f64,
    /// Mean `R` over the directions.
    pub noise: f64,
}

/// Lambda is looked for from this share of the least curvature to as many times the largest.
const BEYOND: f64 = 1e4;

/// Steps of the first, coarse search for lambda.
const COARSE: usize = 80;

/// Halvings of an interval: enough for double precision.
const HALVINGS: usize = 60;

/// How firmly to hold a group in a stage with so many observations, given its directions in the stage and what earlier stages
/// did to it, oldest first. None where the stage's data say nothing about the group: then nothing would move it.
pub fn held(directions: &[Direction], observations: f64, past: &[PastStage]) -> Option<Held> {
    if directions.is_empty() {
        return None;
    }
    let even = even_prior(directions);
    let history = History::of(directions, observations, past);
    let movement = (!past.is_empty()).then(|| history.movement(even));
    // Before the first movement is seen, past and stage are trusted alike.
    let priors = movement.map_or_else(|| vec![even; directions.len()], |movement| history.priors(movement));
    let lambda = least_risk(directions, &priors);
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / directions.len() as f64;
    Some(Held {
        lambda,
        gain: mean(&mut directions.iter().map(|direction| direction.gain(lambda))),
        directions: directions.len(),
        movement,
        prior: mean(&mut priors.iter().copied()),
        noise: mean(&mut directions.iter().map(|direction| direction.noise)),
    })
}

impl Direction {
    /// `κ = ρ / (ρ + λ)`
    pub fn gain(&self, lambda: f64) -> f64 {
        self.curvature / (self.curvature + lambda)
    }

    /// The variance around the true optimum that a stage leaves, of that before it.
    pub fn left(&self, lambda: f64, prior: f64) -> f64 {
        let gain = self.gain(lambda);
        (1.0 - gain).powi(2) * prior + gain.powi(2) * self.noise
    }
}

/// The lambda that leaves the least variance, the sum over directions. With `R = 1 / (N ρ)` and the same prior `P` along all of
/// them it is `1 / (N P)`, and every direction has the gain `P / (P + R)` of its own Kalman filter.
fn least_risk(directions: &[Direction], priors: &[f64]) -> f64 {
    let risk = |log_lambda: f64| -> f64 {
        directions.iter().zip(priors).map(|(direction, prior)| direction.left(log_lambda.exp(), *prior)).sum()
    };
    let curvatures = || directions.iter().map(|direction| direction.curvature);
    let least = (curvatures().fold(f64::INFINITY, f64::min) / BEYOND).ln();
    let most = (curvatures().fold(0.0, f64::max) * BEYOND).ln();
    let step = (most - least) / COARSE as f64;
    let at = |index: usize| least + step * index as f64;
    let risks: Vec<f64> = (0..=COARSE).map(|index| risk(at(index))).collect();
    let best = (0..=COARSE).min_by(|a, b| risks[*a].total_cmp(&risks[*b])).unwrap_or(0);
    // The risk has its least value between the neighbours of the best point, where its slope changes its sign.
    let slope = |log_lambda: f64| -> f64 {
        let lambda = log_lambda.exp();
        let of = |(direction, prior): (&Direction, &f64)| {
            let gain = direction.gain(lambda);
            // Of κ by log λ: -κ (1 - κ).
            gain * (1.0 - gain) * ((1.0 - gain) * prior - gain * direction.noise)
        };
        directions.iter().zip(priors).map(of).sum()
    };
    root(slope, at(best.saturating_sub(1)), at((best + 1).min(COARSE))).exp()
}

/// The variance, the same along all directions, at which the mean of `P / (P + R)` is one half.
fn even_prior(directions: &[Direction]) -> f64 {
    let noises = || directions.iter().map(|direction| direction.noise);
    let excess = |log_prior: f64| {
        let prior = log_prior.exp();
        noises().map(|noise| prior / (prior + noise) - 0.5).sum::<f64>()
    };
    let (least, most) = (noises().fold(f64::INFINITY, f64::min), noises().fold(0.0, f64::max));
    root(excess, least.ln(), most.ln()).exp()
}

/// Where a function that rises from below 0 to above 0 crosses it.
fn root(function: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if function(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// What earlier stages say about the movement `Q`. Variances are linear in it: `P = fixed + growth Q`. A direction is taken to
/// have been supported in earlier stages as it is now, but by their numbers of observations.
struct History {
    /// By direction, before the present stage.
    priors: Vec<Linear>,
    seen: Vec<Seen>,
}

/// `fixed + growth Q`
#[derive(Debug, Clone, Copy)]
struct Linear {
    fixed: f64,
    growth: f64,
}

/// What one stage showed: that it moved so far, where `fixed + growth Q` was to be expected.
struct Seen {
    moved: f64,
    expected: Linear,
    /// Variance of `moved`, if it is Gaussian: coefficients of 1, Q and Q².
    variance: [f64; 3],
}

impl History {
    fn of(directions: &[Direction], observations: f64, past: &[PastStage]) -> Self {
        // The state after stage 1 is taken for its true optimum: it has by far the most data.
        let mut priors = vec![Linear { fixed: 0.0, growth: 1.0 }; directions.len()];
        let mut seen = Vec::with_capacity(past.len());
        for stage in past {
            let mut of_stage =
                Seen { moved: stage.moved, expected: Linear { fixed: 0.0, growth: 0.0 }, variance: [0.0; 3] };
            for (direction, prior) in directions.iter().zip(&mut priors) {
                let noise = direction.noise * observations / stage.observations;
                let then = Direction { noise, ..*direction };
                let gain = then.gain(stage.lambda);
                // The group moves by κ (v* - v'), of variance κ² (P + R).
                of_stage.add(gain.powi(2) * (prior.fixed + noise), gain.powi(2) * prior.growth);
                *prior = Linear {
                    fixed: then.left(stage.lambda, prior.fixed),
                    growth: (1.0 - gain).powi(2) * prior.growth + 1.0,
                };
            }
            seen.push(of_stage);
        }
        Self { priors, seen }
    }

    /// `Q` by the method of moments: each stage's movement is held against what is expected of it, and counts by how certain it
    /// is; at least 0. Beside them the guess that `Q` is `guess` counts as a single number seen amid noise of that size, so that
    /// one quiet stage does not hold a group for good.
    fn movement(&self, guess: f64) -> f64 {
        let excess = |movement: f64| {
            let of = |seen: &Seen| {
                let [fixed, linear, square] = seen.variance;
                let expected = seen.expected.fixed + seen.expected.growth * movement;
                seen.expected.growth * (expected - seen.moved)
                    / (fixed + linear * movement + square * movement * movement)
            };
            let guessed = (movement - guess) / (2.0 * (movement + guess).powi(2));
            self.seen.iter().map(of).filter(|value| value.is_finite()).sum::<f64>() + guessed
        };
        if excess(0.0) >= 0.0 {
            return 0.0;
        }
        let mut most = guess;
        // Far enough out the expectation is above all that was seen.
        while excess(most) < 0.0 {
            most *= 4.0;
        }
        root(excess, 0.0, most)
    }

    fn priors(&self, movement: f64) -> Vec<f64> {
        self.priors.iter().map(|prior| prior.fixed + prior.growth * movement).collect()
    }
}

impl Seen {
    /// Adds a direction along which the movement's variance is `fixed + growth Q`. The variance of the square of a Gaussian
    /// number is twice the square of its variance.
    fn add(&mut self, fixed: f64, growth: f64) {
        self.expected.fixed += fixed;
        self.expected.growth += growth;
        self.variance[0] += 2.0 * fixed * fixed;
        self.variance[1] += 4.0 * fixed * growth;
        self.variance[2] += 2.0 * growth * growth;
    }
}
