//! Elastic weight consolidation: `λ Σ_i Σ F_i (v - v_i)²` over states `v_i` with their Fisher information `F_i`.

use burn::tensor::backend::Backend;

use super::super::State;
use super::{Parameters, Pull, add_gradient, matrices_on_device, state_on_device, sum};
use crate::model::adapter::Matrices;

/// A pull toward past states, parameter by parameter as strong as its Fisher information.
#[derive(Debug, Clone, PartialEq)]
pub struct Fisher {
    pub lambda: f64,
    /// States with the diagonal of their Fisher information, by parameter name.
    pub anchors: Vec<(State, Matrices)>,
}

/// A state and its Fisher information on a device.
pub(super) struct Anchor<B: Backend> {
    state: Parameters<B>,
    information: Parameters<B>,
}

impl Fisher {
    pub(super) fn on_device<B: Backend>(&self, device: &B::Device) -> Vec<Anchor<B>> {
        let anchor = |(state, information): &(State, Matrices)| Anchor {
            state: state_on_device(state, device),
            information: matrices_on_device(information, device),
        };
        self.anchors.iter().map(anchor).collect()
    }
}

pub(super) fn pull<B: Backend>(lambda: f64, anchors: &[Anchor<B>], current: &Parameters<B>) -> Pull<B> {
    let (mut values, mut gradients) = (Vec::new(), Parameters::new());
    for Anchor { state, information } in anchors {
        for (name, information) in information {
            let (Some(now), Some(then)) = (current.get(name), state.get(name)) else { continue };
            let difference = now.clone() - then.clone();
            let force = information.clone() * difference.clone();
            values.push((force.clone() * difference).sum());
            add_gradient(&mut gradients, name.clone(), force.mul_scalar(2.0 * lambda));
        }
    }
    Pull { penalty: lambda * sum(values), gradients }
}
