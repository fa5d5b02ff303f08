//! What the proximal term keeps of the past in each direction: predicted by curvature, and measured on what was trained.
//!
//! With a quadratic loss of curvature `Σ` around its optimum `v*`, the minimum of
//! `½ (v - v*)ᵀ Σ (v - v*) + ½ λ ‖v - v'‖²_H` has, along the generalised eigenvectors `Σ q = ρ H q`,
//! `<v, q>_H = ρ/(ρ+λ) <v*, q>_H + λ/(ρ+λ) <v', q>_H` (arXiv 2510.25093): directions that the data supports move, the others
//! stay. Of the way from `v*` back to `v'` so much is kept as `λ/(ρ+λ)`: the *retention*.

use serde::{Deserialize, Serialize};

use super::curvature::{Directions, Gradients, Metric};

/// The states of an adapter that a measurement is of, flattened.
#[derive(Debug, Clone, Copy)]
pub struct States<'a> {
    /// `v'`: the state that pulls.
    pub previous: &'a [f64],
    /// `v*`: where training goes without the pull.
    pub optimum: &'a [f64],
    /// `v`: where it goes with it.
    pub current: &'a [f64],
}

/// One direction: how strongly the data supports it, and what is kept of the past along it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retained {
    /// The generalised eigenvalue.
    pub rho: f64,
    /// `λ / (ρ + λ)`.
    pub predicted: f64,
    /// `<v - v*, q>_H / <v' - v*, q>_H`; none where training without the pull moved too little to tell.
    pub measured: Option<f64>,
    /// Share of `‖v' - v*‖²_H`, the movement without the pull, that lies along the direction.
    pub weight: f64,
}

/// What is kept outside all directions that were looked at, where the prediction is 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    pub measured: Option<f64>,
    pub weight: f64,
}

/// How prediction and measurement go together over directions; none where either is the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Correlations {
    /// Directions that have a measurement.
    pub directions: usize,
    pub pearson: Option<f64>,
    pub spearman: Option<f64>,
    /// Each direction counting by its [`Retained::weight`].
    pub weighted_pearson: Option<f64>,
    pub weighted_spearman: Option<f64>,
}

/// Predicted and measured retention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    /// By falling `ρ`.
    pub directions: Vec<Retained>,
    pub outside: Outside,
    pub correlations: Correlations,
}

/// How much a loss rises along a step, by its expansion to second order around a point that need not be a minimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rise {
    /// `gᵀ d` of the mean loss a token.
    pub slope: f64,
    /// `½ dᵀ Σ d`
    pub curvature: f64,
}

impl Rise {
    /// Along `step`, from the examples' gradients at its start. A row of `gradients` is that of the mean over the example's
    /// tokens, times the root of their number (`tokens`, one an example).
    pub fn along(gradients: &Gradients, tokens: &[usize], step: &[f64]) -> Self {
        let dots = gradients.dots(step);
        // The loss is a mean over all tokens: an example's mean counts T times, and √T is in its row already.
        let all = tokens.iter().sum::<usize>().max(1) as f64;
        let slope = dots.iter().zip(tokens).map(|(dot, &tokens)| dot * (tokens as f64).sqrt()).sum::<f64>() / all;
        let curvature = dots.iter().map(|dot| dot * dot).sum::<f64>() / (2 * dots.len().max(1)) as f64;
        Self { slope, curvature }
    }

    /// Slope and curvature together.
    pub fn sum(self) -> f64 {
        self.slope + self.curvature
    }
}

/// A movement below this share of the whole one is rounding: states are float32.
const MIN_MOVEMENT: f64 = 1e-6;

/// The retention `λ / (ρ + λ)` that the quadratic model predicts; 1 where neither data nor term act, since nothing moves.
pub fn predicted(rho: f64, lambda: f64) -> f64 {
    if rho + lambda > 0.0 { lambda / (rho + lambda) } else { 1.0 }
}

/// `<v, q>_H` from those of optimum and previous state.
pub fn interpolated(rho: f64, lambda: f64, optimum: f64, previous: f64) -> f64 {
    let kept = predicted(rho, lambda);
    (1.0 - kept) * optimum + kept * previous
}

/// Holds the prediction against what was trained.
pub fn retention(
    gradients: &Gradients,
    metric: &Metric,
    directions: &Directions,
    lambda: f64,
    states: States<'_>,
) -> Retention {
    let from_optimum = |state: &[f64]| -> Vec<f64> { state.iter().zip(states.optimum).map(|(v, w)| v - w).collect() };
    let (way, left) = (from_optimum(states.previous), from_optimum(states.current));
    let whole = metric.inner(&way, &way);
    let along = |d: &[f64]| directions.coordinates(gradients, metric, d);
    let (ways, lefts) = (along(&way), along(&left));
    let measured = |way: f64, left: f64| (way.abs() > MIN_MOVEMENT * whole.sqrt()).then(|| left / way);
    let share = |squared: f64| if whole > 0.0 { squared / whole } else { 0.0 };
    let retained = directions.rho.iter().zip(ways.iter().zip(&lefts)).map(|(&rho, (&way, &left))| Retained {
        rho,
        predicted: predicted(rho, lambda),
        measured: measured(way, left),
        weight: share(way * way),
    });
    let retained: Vec<Retained> = retained.collect();
    let outside = whole - ways.iter().map(|way| way * way).sum::<f64>();
    let kept = metric.inner(&way, &left) - ways.iter().zip(&lefts).map(|(way, left)| way * left).sum::<f64>();
    let tells = outside > MIN_MOVEMENT * whole;
    let outside = Outside { measured: tells.then(|| kept / outside), weight: share(outside.max(0.0)) };
    Retention { correlations: Correlations::of(&retained), directions: retained, outside }
}

impl Correlations {
    /// Over the directions that have a measurement.
    pub fn of(directions: &[Retained]) -> Self {
        let told: Vec<(&Retained, f64)> = directions.iter().filter_map(|d| Some((d, d.measured?))).collect();
        let predicted: Vec<f64> = told.iter().map(|(direction, _)| direction.predicted).collect();
        let measured: Vec<f64> = told.iter().map(|(_, measured)| *measured).collect();
        let weights: Vec<f64> = told.iter().map(|(direction, _)| direction.weight).collect();
        let ones = vec![1.0; told.len()];
        let (ranked, measured_ranks) = (ranks(&predicted), ranks(&measured));
        Self {
            directions: told.len(),
            pearson: pearson(&predicted, &measured, &ones),
            spearman: pearson(&ranked, &measured_ranks, &ones),
            weighted_pearson: pearson(&predicted, &measured, &weights),
            weighted_spearman: pearson(&ranked, &measured_ranks, &weights),
        }
    }
}

/// Pearson's correlation of weighted pairs; none where either side does not vary.
pub fn pearson(x: &[f64], y: &[f64], weights: &[f64]) -> Option<f64> {
    let total: f64 = weights.iter().sum();
    let mean = |values: &[f64]| values.iter().zip(weights).map(|(v, w)| w * v).sum::<f64>() / total;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for ((x, y), w) in x.iter().zip(y).zip(weights) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += w * dx * dx;
        yy += w * dy * dy;
        xy += w * dx * dy;
    }
    // What is left of a constant after its mean is taken off is rounding.
    let varies = |square: f64, mean: f64| square > total * (1e-12 * mean).powi(2);
    (varies(xx, mean_x) && varies(yy, mean_y)).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

/// Ranks from 1; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let mean = from as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&index| ranks[index] = mean);
        from += equal.len();
    }
    ranks
}
