//! Orthogonal subspaces: `λ Σ_i Σ |A_i Aᵀ|`, entry by entry, over the modules of past adapters `A_i` (O-LoRA).

use burn::tensor::backend::Backend;

use super::{Parameters, Pull, add_gradient, sum};
use crate::model::Adapter;

/// Holds every module's A orthogonal to those of past adapters.
#[derive(Debug, Clone, PartialEq)]
pub struct Orthogonal {
    pub lambda: f64,
    pub past: Vec<Adapter>,
}

pub(super) fn pull<B: Backend>(lambda: f64, past: &[Parameters<B>], current: &Parameters<B>) -> Pull<B> {
    let (mut values, mut gradients) = (Vec::new(), Parameters::new());
    for adapter in past {
        for (name, a) in adapter.iter().filter(|(name, _)| name.ends_with(Adapter::A)) {
            let Some(now) = current.get(name) else { continue };
            let overlap = now.clone().matmul(a.clone().transpose());
            values.push(overlap.clone().abs().sum());
            let gradient = overlap.sign().matmul(a.clone()).mul_scalar(lambda);
            add_gradient(&mut gradients, name.clone(), gradient);
        }
    }
    Pull { penalty: lambda * sum(values), gradients }
}
