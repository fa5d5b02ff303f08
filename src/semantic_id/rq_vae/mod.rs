//! Semantic ids from a residual-quantised autoencoder (RQ-VAE), as in Zheng et al., "Adapting Large Language Models by
//! Integrating Collaborative Semantics for Recommendation" (LC-Rec, ICDE 2024).
//!
//! Codebooks begin as clusters of the untrained encoder's outputs. On the last level, training chooses codes by a transport
//! plan that uses them alike ([`sinkhorn`]); the ids are the nearest codes.

mod network;
pub mod sinkhorn;

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use self::network::{Network, numbers};
use super::clustering::{Clustered, clusters};
use super::train::Step;
use crate::model::optimizer::AdamW;

/// Computes on the CPU: the networks are small.
type Cpu = Autodiff<Flex>;

/// Entropy of the last level's transport plan.
const EPSILON: f64 = 0.003;
/// Width of what is quantised, and of the widest layer.
const LATENT: usize = 32;
const WIDEST: usize = 2048;

/// Options of the autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RqVae {
    pub epochs: usize,
    /// Items a step.
    pub batch: usize,
    pub learning_rate: f64,
    /// Decoupled weight decay (AdamW).
    pub weight_decay: f64,
}

impl Default for RqVae {
    fn default() -> Self {
        Self { epochs: 400, batch: 1024, learning_rate: 1e-3, weight_decay: 1e-4 }
    }
}

/// Widths of the encoder's layers from the vectors' on: powers of two from 2048 down to 32, without those that are wider than the
/// vectors.
fn widths(vector: usize) -> Vec<usize> {
    let halves = std::iter::successors(Some(WIDEST), |width| Some(width / 2)).take_while(|&width| width > LATENT);
    let inner = halves.filter(|&width| width < vector);
    std::iter::once(vector).chain(inner).chain([LATENT.min(vector)]).collect()
}

impl Network<Cpu> {
    /// Random layers, and codebooks that are clusters of what the encoder makes of `x`.
    fn random(x: &Tensor<Cpu, 2>, levels: usize, codes: usize, random: &mut impl Rng) -> Self {
        let widths = widths(x.dims()[1]);
        let device = x.device();
        let mut parameters = Vec::new();
        let backwards: Vec<usize> = widths.iter().rev().copied().collect();
        for pair in widths.windows(2).chain(backwards.windows(2)) {
            // Xavier's deviation.
            let deviation = (2.0 / (pair[0] + pair[1]) as f64).sqrt();
            let normal: Vec<f64> = StandardNormal.sample_iter(&mut *random).take(pair[0] * pair[1]).collect();
            let values: Vec<f32> = normal.into_iter().map(|value| (value * deviation) as f32).collect();
            parameters.push(Tensor::from_data(TensorData::new(values, [pair[1], pair[0]]), &device));
            parameters.push(Tensor::zeros([1, pair[1]], &device));
        }
        let mut network = Self { parameters, depth: widths.len() - 1 };
        for _ in 0..levels {
            // The codebooks so far say what is left over for the next.
            let left = match network.books() {
                [] => network.encode(x.clone()),
                _ => {
                    let forward = network.forward(x.clone(), None);
                    network.encode(x.clone()) - forward.sums[forward.sums.len() - 1].clone()
                }
            };
            let width = left.dims()[1];
            let rows: Vec<Vec<f64>> = numbers(left).chunks(width).map(<[f64]>::to_vec).collect();
            let centres = clusters(&rows, codes, random);
            // Where there are fewer clusters than codes, the others begin near them.
            let values: Vec<f32> = (0..codes)
                .flat_map(|code| {
                    let noise = if code < centres.len() { 0.0 } else { 1e-3 };
                    let normal: Vec<f64> = StandardNormal.sample_iter(&mut *random).take(width).collect();
                    let centre = &centres[code % centres.len()];
                    centre.iter().zip(normal).map(|(value, normal)| (value + noise * normal) as f32).collect::<Vec<_>>()
                })
                .collect();
            network.parameters.push(Tensor::from_data(TensorData::new(values, [codes, width]), &device));
        }
        network
    }

    /// One step on a batch; returns its loss.
    fn step(&mut self, x: Tensor<Cpu, 2>, optimizer: &mut AdamW<Flex>, learning_rate: f64) -> f64 {
        self.parameters = self.parameters.drain(..).map(Tensor::require_grad).collect();
        let forward = self.forward(x, Some(EPSILON));
        let loss = forward.reconstruction + forward.quantisation;
        let value = numbers(loss.clone()).first().copied().unwrap_or(f64::NAN);
        let mut gradients = loss.backward();
        optimizer.begin_step();
        for (place, parameter) in self.parameters.iter_mut().enumerate() {
            let inner = parameter.clone().inner();
            let gradient = parameter.grad_remove(&mut gradients).unwrap_or_else(|| inner.zeros_like());
            let updated = optimizer.update(&place.to_string(), inner, gradient, learning_rate, 1.0);
            *parameter = Tensor::from_inner(updated);
        }
        value
    }
}

impl RqVae {
    /// Trains on vectors of equal length and gives each its nearest codes.
    pub(super) fn train(
        &self,
        vectors: &[Vec<f64>],
        levels: usize,
        codes: usize,
        random: &mut impl Rng,
        told: &mut dyn FnMut(Step),
    ) -> Clustered {
        // Losses weigh alike whatever the vectors are measured in: their mean square is made 1.
        let width = vectors.first().map_or(0, Vec::len);
        let squares: f64 = vectors.iter().flatten().map(|value| value * value).sum();
        let scale = if squares > 0.0 { ((vectors.len() * width) as f64 / squares).sqrt() } else { 1.0 };
        let device = Default::default();
        let batch_of = |items: &[usize]| -> Tensor<Cpu, 2> {
            let values: Vec<f32> =
                items.iter().flat_map(|&item| &vectors[item]).map(|value| (value * scale) as f32).collect();
            Tensor::from_data(TensorData::new(values, [items.len(), width]), &device)
        };
        let mut order: Vec<usize> = (0..vectors.len()).collect();
        order.shuffle(random);
        let first = &order[..order.len().min(self.batch.max(codes))];
        let mut network = Network::random(&batch_of(first), levels, codes, random);
        let mut optimizer = AdamW::new(self.weight_decay);
        for epoch in 0..self.epochs {
            order.shuffle(random);
            let mut loss = 0.0;
            for items in order.chunks(self.batch) {
                let mean = network.step(batch_of(items), &mut optimizer, self.learning_rate);
                loss += mean * items.len() as f64 / order.len() as f64;
            }
            told(Step::Epoch { epoch, of: self.epochs, loss });
        }
        describe(&network, vectors.len(), self.batch, scale, &batch_of, told)
    }
}

/// The nearest codes of all items, and how well they describe them.
fn describe(
    network: &Network<Cpu>,
    items: usize,
    batch: usize,
    scale: f64,
    batch_of: &dyn Fn(&[usize]) -> Tensor<Cpu, 2>,
    told: &mut dyn FnMut(Step),
) -> Clustered {
    let levels = network.books().len();
    let rows = |tensor: &Tensor<Cpu, 2>| {
        let width = tensor.dims()[1];
        numbers(tensor.clone()).chunks(width).map(<[f64]>::to_vec).collect::<Vec<_>>()
    };
    let last_centres = network.books().last().map(rows).unwrap_or_default();
    let mut found =
        Clustered { numbers: Vec::new(), last_residuals: Vec::new(), last_centres, errors: vec![0.0; levels] };
    let order: Vec<usize> = (0..items).collect();
    for items_here in order.chunks(batch) {
        let x = batch_of(items_here);
        let forward = network.forward(x.clone(), None);
        found.numbers.extend(&forward.codes);
        found.last_residuals.extend(forward.residuals.last().map(rows).unwrap_or_default());
        for (error, sum) in found.errors.iter_mut().zip(forward.sums) {
            let apart = network.decode(sum) - x.clone();
            let mean = numbers((apart.clone() * apart).mean()).first().copied().unwrap_or(f64::NAN);
            *error += mean * items_here.len() as f64 / items as f64 / (scale * scale);
        }
    }
    found.errors.iter().enumerate().for_each(|(level, &error)| told(Step::Level { level, error }));
    found
}

#[cfg(test)]
mod tests;
