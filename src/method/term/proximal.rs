//! The proximal term: value and gradient of the distance between an adapter and past states of it.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::super::Strength;
use super::{Parameters, Pull, sum};
use crate::model::Adapter;
use crate::model::kernels::{Divergence, Group, Kernels};

/// A weighted distance. Each parameter (a module's A or B, a table of token rows) is one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proximal {
    pub lambda: f64,
    pub distance: Distance,
    pub aggregation: Aggregation,
}

/// The distance between an adapter `v` and a past state `v'` of it, group by group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Distance {
    /// `KL(softmax(v / temperature) || softmax(v' / temperature))`.
    SoftmaxKl {
        temperature: f64,
    },
    /// The same with every row of A and every column of B (a rank's own values) a group.
    PerRankKl {
        temperature: f64,
    },
    /// `½ ‖v - v'‖²`, or `‖v - v'‖` (as released); divided by the group's number of values where asked.
    L2 {
        squared: bool,
        per_element: bool,
    },
    /// `Σ |A' (A - A')ᵀ|` and `Σ |B'ᵀ (B - B')|`, entry by entry: movement within the past directions.
    Orthogonal,
    /// A divergence of the predictions instead of the parameters: a [`super::Teacher`].
    OutputKl,
    None,
}

/// Whether a distance is a metric to second order.
///
/// # Errors
/// In words: why it is not.
pub fn has_metric(distance: Distance) -> Result<(), String> {
    let problem = match distance {
        Distance::SoftmaxKl { .. } | Distance::PerRankKl { .. } | Distance::L2 { squared: true, .. } => return Ok(()),
        Distance::L2 { squared: false, .. } => "a norm that is not squared has no metric",
        Distance::Orthogonal => "a sum of absolute values has no metric",
        Distance::OutputKl => "a divergence of predictions has no metric of the parameters",
        Distance::None => "there is no proximal term",
    };
    Err(problem.to_owned())
}

/// How the groups' distances are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregation {
    /// The paper: the sum over all groups.
    Sum,
    /// The release: A and B of a module are added, modules averaged, probabilities smoothed by 1e-8.
    Mean,
}

/// What the release adds to every probability before it renormalises them.
pub const RELEASED_SMOOTHING: f64 = 1e-8;

impl Proximal {
    /// Value and gradient of the mean distance to the states; parameters that a state does not know are left alone.
    pub fn pull<B: Kernels>(&self, current: &Parameters<B>, states: &[Parameters<B>]) -> Pull<B> {
        self.pull_by_group(current, states, &Strength::One(1.0))
    }

    /// The same with each group's distance weighted once more, by the name of the parameter.
    pub fn pull_by_group<B: Kernels>(
        &self,
        current: &Parameters<B>,
        states: &[Parameters<B>],
        weights: &Strength,
    ) -> Pull<B> {
        let mut pull = Pull::default();
        for state in states {
            pull.add(self.toward(current, state, 1.0 / states.len() as f64, weights));
        }
        pull
    }

    fn toward<B: Kernels>(
        &self,
        current: &Parameters<B>,
        state: &Parameters<B>,
        share: f64,
        weights: &Strength,
    ) -> Pull<B> {
        let (weight, smoothing) = match self.aggregation {
            Aggregation::Sum => (share * self.lambda, 0.0),
            Aggregation::Mean => (share * self.lambda / modules(state), RELEASED_SMOOTHING),
        };
        let (names, groups): (Vec<_>, Vec<_>) = state
            .iter()
            .filter_map(|(name, previous)| {
                let group = Group { current: current.get(name)?.clone(), previous: previous.clone() };
                Some((name.clone(), group))
            })
            .unzip();
        let divergences: Vec<Divergence<B>> = match self.distance {
            Distance::SoftmaxKl { temperature } => B::softmax_kl(groups, temperature, smoothing),
            Distance::PerRankKl { temperature } => per_rank(&names, groups, temperature, smoothing),
            Distance::L2 { squared, per_element } => {
                let factor = |group: &Group<B>| if per_element { 1.0 / elements(group) } else { 1.0 };
                let distance = if squared { half_squared } else { norm };
                groups.into_iter().map(|group| (factor(&group), group)).map(|(f, g)| scaled(distance(g), f)).collect()
            }
            Distance::Orthogonal => names.iter().zip(groups).map(|(name, group)| within_past(name, group)).collect(),
            Distance::OutputKl | Distance::None => return Pull::default(),
        };
        let weighted = |(divergence, name): (Divergence<B>, &String)| {
            let own = weights.of(name);
            (divergence.value.mul_scalar(own), divergence.gradient.mul_scalar(weight * own))
        };
        let (values, gradients): (Vec<_>, Vec<_>) = divergences.into_iter().zip(&names).map(weighted).unzip();
        Pull { penalty: weight * sum(values), gradients: names.into_iter().zip(gradients).collect() }
    }
}

/// A module has two groups, A and B, whose sum is averaged over modules; a table of token rows counts as one.
pub(super) fn modules<B: Backend>(state: &Parameters<B>) -> f64 {
    state.keys().filter(|name| !name.ends_with(Adapter::B)).count().max(1) as f64
}

/// Whether a group is tall as a module's B is: token rows, `[tokens, width]`, are taken as a B of rank `width`.
fn is_b(name: &str) -> bool {
    !name.ends_with(Adapter::A)
}

fn elements<B: Backend>(group: &Group<B>) -> f64 {
    let [rows, columns] = group.current.dims();
    (rows * columns) as f64
}

/// See [`Distance::L2`].
fn half_squared<B: Backend>(group: Group<B>) -> Divergence<B> {
    let difference = group.current - group.previous;
    Divergence { value: (difference.clone() * difference.clone()).sum().mul_scalar(0.5), gradient: difference }
}

/// See [`Distance::L2`]. Where nothing has moved the norm has no gradient, and nothing is pulled.
fn norm<B: Backend>(group: Group<B>) -> Divergence<B> {
    let difference = group.current - group.previous;
    let norm = (difference.clone() * difference.clone()).sum().sqrt();
    let gradient = difference / norm.clone().clamp_min(f32::MIN_POSITIVE).unsqueeze();
    Divergence { value: norm, gradient }
}

fn scaled<B: Backend>(divergence: Divergence<B>, factor: f64) -> Divergence<B> {
    let Divergence { value, gradient } = divergence;
    Divergence { value: value.mul_scalar(factor), gradient: gradient.mul_scalar(factor) }
}

/// See [`Distance::Orthogonal`].
fn within_past<B: Backend>(name: &str, Group { current, previous }: Group<B>) -> Divergence<B> {
    let difference = current - previous.clone();
    if is_b(name) {
        let overlap = previous.clone().transpose().matmul(difference);
        Divergence { value: overlap.clone().abs().sum(), gradient: previous.matmul(overlap.sign()) }
    } else {
        let overlap = difference.matmul(previous.clone().transpose());
        Divergence { value: overlap.clone().abs().sum(), gradient: overlap.sign().matmul(previous) }
    }
}

/// See [`Distance::PerRankKl`].
fn per_rank<B: Kernels>(
    names: &[String],
    groups: Vec<Group<B>>,
    temperature: f64,
    smoothing: f64,
) -> Vec<Divergence<B>> {
    // A rank is a row of A and a row of B transposed.
    let turned = |name: &str, matrix: Tensor<B, 2>| if is_b(name) { matrix.transpose() } else { matrix };
    let rows = |matrix: Tensor<B, 2>| {
        let ranks = matrix.dims()[0];
        matrix.chunk(ranks, 0)
    };
    let mut ranks = Vec::new();
    let mut counts = Vec::with_capacity(groups.len());
    for (name, group) in names.iter().zip(groups) {
        let (current, previous) = (turned(name, group.current), turned(name, group.previous));
        counts.push(current.dims()[0]);
        let pairs = rows(current).into_iter().zip(rows(previous));
        ranks.extend(pairs.map(|(current, previous)| Group { current, previous }));
    }
    let mut divergences = B::softmax_kl(ranks, temperature, smoothing).into_iter();
    let whole = |(name, count): (&String, usize)| {
        let own = divergences.by_ref().take(count);
        let (values, gradients): (Vec<_>, Vec<_>) = own.map(|d| (d.value, d.gradient)).unzip();
        Divergence { value: Tensor::cat(values, 0).sum(), gradient: turned(name, Tensor::cat(gradients, 0)) }
    };
    names.iter().zip(counts).map(whole).collect()
}
