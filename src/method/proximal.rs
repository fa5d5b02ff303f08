//! The proximal term: value and gradient of the distance between an adapter and its previous state.
//!
//! The gradient is written out rather than left to automatic differentiation: it is cheaper, and its norm beside the
//! cross-entropy's (the *pull ratio*) tells at every step whether the term acts at all.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::options::{Aggregation, Distance};
use crate::model::kernels::Kernels;

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
        let mut gradients = BTreeMap::new();
        let mut values = Vec::with_capacity(anchor.len());
        for (name, previous) in anchor {
            let Some(now) = current.get(name) else { continue };
            let (value, gradient) = match self.distance {
                Distance::SoftmaxKl { temperature } => {
                    B::softmax_kl(now.clone(), previous.clone(), temperature, smoothing)
                }
                Distance::L2 => half_squared(now.clone(), previous.clone()),
            };
            values.push(value);
            gradients.insert(name.clone(), gradient.mul_scalar(weight));
        }
        let total: f64 = if values.is_empty() { 0.0 } else { sum(values) };
        Pull { penalty: weight * total, gradients }
    }
}

/// `½ ‖now - previous‖²` and its gradient.
fn half_squared<B: Backend>(now: Tensor<B, 2>, previous: Tensor<B, 2>) -> (Tensor<B, 1>, Tensor<B, 2>) {
    let difference = now - previous;
    ((difference.clone() * difference.clone()).sum().mul_scalar(0.5), difference)
}

/// Sum of scalars, read from the device once and added in float64.
pub fn sum<B: Backend>(values: Vec<Tensor<B, 1>>) -> f64 {
    let values = Tensor::cat(values, 0).into_data().convert::<f32>().into_vec::<f32>().unwrap_or_default();
    values.into_iter().map(f64::from).sum()
}
