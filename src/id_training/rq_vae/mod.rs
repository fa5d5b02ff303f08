//! Semantic ids from a residual-quantised autoencoder (RQ-VAE), as in Zheng et al., "Adapting Large Language Models by
//! Integrating Collaborative Semantics for Recommendation" (LC-Rec, ICDE 2024).
//!
//! Codebooks begin as clusters of the untrained encoder's outputs. On the last level, training chooses codes by a transport
//! plan that uses them alike ([`sinkhorn`]); the ids are the nearest codes.

mod frozen;
mod network;
pub mod sinkhorn;
mod training;

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

pub use self::frozen::Autoencoder;
use super::checkpoint::Checkpoint;
use super::observer::{Observer, Step};
use crate::error::InputError;
use crate::semantic_id::clustering::{Clustered, CodeShape, clusters};
use network::{Network, numbers};
use training::{Data, Training};

/// Computes on the CPU: the networks are small.
type Cpu = Autodiff<Flex>;

/// Entropy of the last level's transport plan.
pub(super) const EPSILON: f64 = 0.003;
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
    /// Shapes of the parameters, in their order.
    fn shapes(vector: usize, levels: usize, codes: usize) -> Vec<[usize; 2]> {
        let widths = widths(vector);
        let backwards: Vec<usize> = widths.iter().rev().copied().collect();
        let layers = widths.windows(2).chain(backwards.windows(2)).flat_map(|pair| [[pair[1], pair[0]], [1, pair[1]]]);
        layers.chain(std::iter::repeat_n([codes, LATENT.min(vector)], levels)).collect()
    }

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
}

impl RqVae {
    /// Trains on vectors of equal length, from the beginning or from a state, and gives each its nearest codes; none where the
    /// observer ended it. Data order and first weights are functions of `seed` and epoch, so that training that was
    /// stopped and goes on gives the numbers of one that was not.
    pub(super) fn train(
        &self,
        vectors: &[Vec<f64>],
        shape: CodeShape,
        seed: u64,
        from: Option<&Checkpoint>,
        observer: &mut dyn Observer,
    ) -> Result<Option<(Clustered, Autoencoder)>, InputError> {
        let data = Data::new(vectors);
        let begun = from.and_then(|state| Training::resume(self, &data, shape, seed, state));
        let mut training = begun.unwrap_or_else(|| Training::begin(self, &data, shape, seed));
        while training.epochs_done() < self.epochs {
            // A copy of a tensor is a count: the weights themselves are shared until one of both changes.
            let before = training.clone();
            let Some(epoch) = training.epoch(&mut || observer.stopped()) else {
                observer.keep(&before.state())?;
                return Ok(None);
            };
            observer.hear(&Step::Epoch(epoch));
            if observer.due() {
                observer.keep(&training.state())?;
            }
        }
        // What follows may be ended too, and need not train again then.
        observer.keep(&training.state())?;
        let found = describe(training.network(), &data, self.batch, observer);
        Ok(Some((found, Autoencoder::of(training.network(), &data))))
    }
}

/// The nearest codes of all items, and how well they describe them.
fn describe(network: &Network<Cpu>, data: &Data<'_>, batch: usize, observer: &mut dyn Observer) -> Clustered {
    let levels = network.books().len();
    let rows = |tensor: &Tensor<Cpu, 2>| {
        let width = tensor.dims()[1];
        numbers(tensor.clone()).chunks(width).map(<[f64]>::to_vec).collect::<Vec<_>>()
    };
    let mut found = Clustered {
        numbers: Vec::new(),
        last_residuals: Vec::new(),
        centres: network.books().iter().map(rows).collect(),
        errors: vec![0.0; levels],
    };
    let order: Vec<usize> = (0..data.items()).collect();
    for items_here in order.chunks(batch) {
        let x = data.batch(items_here);
        let forward = network.forward(x.clone(), None);
        found.numbers.extend(&forward.codes);
        found.last_residuals.extend(forward.residuals.last().map(rows).unwrap_or_default());
        for (error, sum) in found.errors.iter_mut().zip(forward.sums) {
            let apart = network.decode(sum) - x.clone();
            let mean = numbers((apart.clone() * apart).mean()).first().copied().unwrap_or(f64::NAN);
            *error += mean * items_here.len() as f64 / data.items() as f64 / (data.scale * data.scale);
        }
    }
    found.errors.iter().enumerate().for_each(|(level, &error)| observer.hear(&Step::Level { level, error }));
    found
}

#[cfg(test)]
mod tests;
