//! The proximal term: value and gradient of the distance between an adapter and its previous state.
//!
//! The gradient is written out rather than left to automatic differentiation: it is cheaper, and its norm beside the
//! cross-entropy's (the *pull ratio*) tells at every step whether the term acts at all.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::options::{Aggregation, Distance};
use crate::model::kernels::{Divergence, Group, Kernels};

/// A weighted distance to the previous state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proximal {
    pub lambda: f64,
    pub distance: Distance,
    pub aggregation: Aggregation,
}

/// What the release adds to every probability before it renormalises them.
pub const RELEASED_SMOOTHING: f64 = 1e-8;

/// The previous state on the device, by parameter name; each parameter (a module's A or B) is one group.
pub type Anchor<B> = BTreeMap<String, Tensor<B, 2>>;

/// Value and gradient of the weighted term.
#[derive(Debug, Clone)]
pub struct Pull<B: Backend> {
    /// `lambda` times the aggregated distance.
    pub penalty: f64,
    /// Gradient of `penalty` by parameter name.
    pub gradients: BTreeMap<String, Tensor<B, 2>>,
}

impl Proximal {
    /// Value and gradient at the current parameters; those that the anchor does not know are left alone.
    pub fn pull<B: Kernels>(&self, current: &BTreeMap<String, Tensor<B, 2>>, anchor: &Anchor<B>) -> Pull<B> {
        let (weight, smoothing) = match self.aggregation {
            Aggregation::Sum => (self.lambda, 0.0),
            // A module has two groups, A and B: their sum, averaged over modules.
            Aggregation::Mean => (self.lambda / (anchor.len() as f64 / 2.0).max(1.0), RELEASED_SMOOTHING),
        };
        let (names, groups): (Vec<_>, Vec<_>) = anchor
            .iter()
            .filter_map(|(name, previous)| {
                let group = Group { current: current.get(name)?.clone(), previous: previous.clone() };
                Some((name.clone(), group))
            })
            .unzip();
        let divergences = match self.distance {
            Distance::SoftmaxKl { temperature } => B::softmax_kl(groups, temperature, smoothing),
            Distance::L2 => groups.into_iter().map(half_squared).collect(),
        };
        let (values, gradients): (Vec<_>, Vec<_>) =
            divergences.into_iter().map(|d| (d.value, d.gradient.mul_scalar(weight))).unzip();
        let gradients = names.into_iter().zip(gradients).collect();
        let total: f64 = if values.is_empty() { 0.0 } else { sum(values) };
        Pull { penalty: weight * total, gradients }
    }
}

/// `½ ‖now - previous‖²` and its gradient.
fn half_squared<B: Backend>(group: Group<B>) -> Divergence<B> {
    let difference = group.current - group.previous;
    Divergence { value: (difference.clone() * difference.clone()).sum().mul_scalar(0.5), gradient: difference }
}

/// Sum of scalars, read from the device once and added in float64.
pub fn sum<B: Backend>(values: Vec<Tensor<B, 1>>) -> f64 {
    let values = Tensor::cat(values, 0).into_data().convert::<f32>().into_vec::<f32>().unwrap_or_default();
    values.into_iter().map(f64::from).sum()
}
