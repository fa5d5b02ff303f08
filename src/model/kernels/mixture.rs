//! Mixtures of experts: which experts a token goes to, and the operation in burn's own terms.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

use super::Kernels;

/// How the experts of a token are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// So many experts a token, the likeliest ones.
    pub chosen: usize,
    /// Whether the probabilities of those that are chosen are divided by their sum.
    pub normalised: bool,
}

/// A feed-forward part of which each token sees some experts alone. Nothing of it is trained.
#[derive(Debug, Clone)]
pub struct Mixture<B: Backend> {
    /// `[experts, width]`; a token's probabilities are the softmax over all experts of what it gives.
    pub router: Tensor<B, 2>,
    pub experts: Vec<Expert<B>>,
    pub routing: Routing,
}

/// One expert: `down (silu(gate x) * up x)`.
#[derive(Debug, Clone)]
pub struct Expert<B: Backend> {
    /// `[inner, width]`
    pub gate: Tensor<B, 2>,
    /// `[inner, width]`
    pub up: Tensor<B, 2>,
    /// `[width, inner]`
    pub down: Tensor<B, 2>,
}

impl<B: Backend> Mixture<B> {
    /// The same with every tensor mapped.
    pub fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Mixture<C> {
        let expert = |expert: Expert<B>| Expert { gate: f(expert.gate), up: f(expert.up), down: f(expert.down) };
        Mixture {
            router: f(self.router),
            experts: self.experts.into_iter().map(expert).collect(),
            routing: self.routing,
        }
    }
}

/// The places of the largest probabilities of a token, ascending; of equal ones the first.
pub(super) fn likeliest(probabilities: &[f32], chosen: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..probabilities.len()).collect();
    places.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    places.truncate(chosen);
    places.sort_unstable();
    places
}

/// The tokens of each expert, given those of each token.
pub(super) fn by_expert(of_tokens: &[Vec<usize>], experts: usize) -> Vec<Vec<usize>> {
    let mut tokens = vec![Vec::new(); experts];
    for (token, chosen) in of_tokens.iter().enumerate() {
        chosen.iter().for_each(|&expert| tokens[expert].push(token));
    }
    tokens
}

/// See [`Kernels::mixture`]. Which experts a token goes to is decided on the host.
pub(super) fn mixture<B: Kernels>(x: Tensor<B, 2>, mixture: &Mixture<B>) -> Tensor<B, 2> {
    let Mixture { router, experts, routing } = mixture;
    let ([tokens, width], device) = (x.dims(), x.device());
    if tokens == 0 {
        return x;
    }
    let probabilities = activation::softmax(B::project(x.clone(), router.clone()), 1);
    let host = probabilities.clone().into_data().convert::<f32>().into_vec::<f32>().unwrap_or_default();
    let of_tokens: Vec<_> = host.chunks_exact(experts.len()).map(|row| likeliest(row, routing.chosen)).collect();
    let mut mask = vec![0.0f32; tokens * experts.len()];
    for (token, chosen) in of_tokens.iter().enumerate() {
        chosen.iter().for_each(|expert| mask[token * experts.len() + expert] = 1.0);
    }
    let weights = probabilities * Tensor::from_data(TensorData::new(mask, [tokens, experts.len()]), &device);
    let weights = if routing.normalised { weights.clone() / weights.sum_dim(1) } else { weights };
    let index = |places: &[usize]| {
        let places: Vec<i32> = places.iter().map(|&place| place as i32).collect();
        Tensor::<B, 1, Int>::from_data(TensorData::from(places.as_slice()), &device)
    };
    // Where each token's parts lie in what all experts give, one expert after the other.
    let (mut parts, mut places, mut at) = (Vec::new(), vec![Vec::new(); tokens], 0);
    for (number, (expert, own)) in experts.iter().zip(by_expert(&of_tokens, experts.len())).enumerate() {
        if own.is_empty() {
            continue;
        }
        let rows = x.clone().select(0, index(&own));
        let inner = B::swiglu(B::project(rows.clone(), expert.gate.clone()), B::project(rows, expert.up.clone()));
        let weight = weights.clone().narrow(1, number, 1).select(0, index(&own));
        parts.push(B::project(inner, expert.down.clone()) * weight);
        for token in own {
            places[token].push(at);
            at += 1;
        }
    }
    let parts = Tensor::cat(parts, 0).select(0, index(&places.concat()));
    parts.reshape([tokens, routing.chosen, width]).sum_dim(1).reshape([tokens, width])
}
