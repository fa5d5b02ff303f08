//! Training of the autoencoder, an epoch at a time.

use std::collections::BTreeSet;

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::network::{Network, numbers};
use super::{Cpu, EPSILON, RqVae};
use crate::id_training::checkpoint::Checkpoint;
use crate::id_training::observer::Epoch;
use crate::id_training::quality::Collisions;
use crate::model::adapter::Matrix;
use crate::model::optimizer::AdamW;
use crate::seeds;
use crate::semantic_id::clustering::CodeShape;

/// The vectors as the network reads them: moved and scaled alike, so that their mean is 0 and their mean square 1. Losses then
/// weigh alike whatever vectors are measured in.
#[derive(Debug, Clone)]
pub(super) struct Data<'v> {
    vectors: &'v [Vec<f64>],
    pub mean: Vec<f64>,
    /// Factor on the distance to the mean.
    pub scale: f64,
}

impl<'v> Data<'v> {
    pub fn new(vectors: &'v [Vec<f64>]) -> Self {
        let width = vectors.first().map_or(0, Vec::len);
        let mut mean = vec![0.0; width];
        for vector in vectors {
            mean.iter_mut().zip(vector).for_each(|(mean, value)| *mean += value / vectors.len() as f64);
        }
        let square = |vector: &Vec<f64>| -> f64 { vector.iter().zip(&mean).map(|(v, m)| (v - m) * (v - m)).sum() };
        let squares: f64 = vectors.iter().map(square).sum();
        let scale = if squares > 0.0 { ((vectors.len() * width) as f64 / squares).sqrt() } else { 1.0 };
        Self { vectors, mean, scale }
    }

    pub fn items(&self) -> usize {
        self.vectors.len()
    }

    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// `[items, width]`
    pub fn batch(&self, items: &[usize]) -> Tensor<Cpu, 2> {
        let scaled = |item: &usize| {
            self.vectors[*item].iter().zip(&self.mean).map(|(value, mean)| ((value - mean) * self.scale) as f32)
        };
        let values: Vec<f32> = items.iter().flat_map(scaled).collect();
        Tensor::from_data(TensorData::new(values, [items.len(), self.width()]), &Default::default())
    }
}

/// Losses of a step, or their mean over steps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Losses {
    pub reconstruction: f64,
    pub quantisation: f64,
}

/// Training between two epochs.
#[derive(Debug, Clone)]
pub(super) struct Training<'d> {
    options: RqVae,
    data: &'d Data<'d>,
    seed: u64,
    network: Network<Cpu>,
    optimizer: AdamW<Flex>,
    epochs: usize,
}

impl<'d> Training<'d> {
    /// Random layers, and codebooks that are clusters of what the untrained encoder makes of the first batch.
    pub fn begin(options: &RqVae, data: &'d Data<'d>, shape: CodeShape, seed: u64) -> Self {
        let CodeShape { levels, codes } = shape;
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["rq-vae"]));
        let mut order: Vec<usize> = (0..data.items()).collect();
        order.shuffle(&mut random);
        let first = &order[..order.len().min(options.batch.max(codes))];
        let network = Network::random(&data.batch(first), levels, codes, &mut random);
        Self { options: *options, data, seed, network, optimizer: AdamW::new(options.weight_decay), epochs: 0 }
    }

    /// Goes on from a state; none where it is of a network of another shape.
    pub fn resume(
        options: &RqVae,
        data: &'d Data<'d>,
        CodeShape { levels, codes }: CodeShape,
        seed: u64,
        state: &Checkpoint,
    ) -> Option<Self> {
        let shapes = Network::<Cpu>::shapes(data.width(), levels, codes);
        if !state.fits(&shapes) || state.epoch > options.epochs {
            return None;
        }
        let device = Default::default();
        let parameters = state.parameters.iter().map(|matrix| matrix.to_tensor(&device)).collect();
        let mut optimizer = AdamW::new(options.weight_decay);
        optimizer.step = state.steps;
        let moments = state.first.iter().zip(&state.second).enumerate();
        optimizer.moments = moments
            .map(|(index, (first, second))| {
                (index.to_string(), (first.to_tensor(&Default::default()), second.to_tensor(&Default::default())))
            })
            .collect();
        let network = Network { parameters, depth: (shapes.len() - levels) / 4 };
        Some(Self { options: *options, data, seed, network, optimizer, epochs: state.epoch })
    }

    pub fn epochs_done(&self) -> usize {
        self.epochs
    }

    pub fn network(&self) -> &Network<Cpu> {
        &self.network
    }

    /// All that [`Self::resume`] goes on from.
    pub fn state(&self) -> Checkpoint {
        let parameters: Vec<Matrix> =
            self.network.parameters.iter().map(|parameter| Matrix::from_tensor(parameter.clone())).collect();
        let moments = (0..parameters.len()).filter_map(|index| self.optimizer.moments.get(&index.to_string()));
        let (first, second) = moments
            .map(|(first, second)| (Matrix::from_tensor(first.clone()), Matrix::from_tensor(second.clone())))
            .unzip();
        Checkpoint { epoch: self.epochs, steps: self.optimizer.step, parameters, first, second }
    }

    /// One pass over all items in an order of this epoch's own; none where `stopped` ended it between two steps. What is left then is
    /// of no use.
    pub fn epoch(&mut self, stopped: &mut dyn FnMut() -> bool) -> Option<Epoch> {
        let mut order: Vec<usize> = (0..self.data.items()).collect();
        let stream = seeds::derive(self.seed, &["rq-vae", "epoch", &self.epochs.to_string()]);
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(stream));
        let mut sum = Losses::default();
        for items in order.chunks(self.options.batch) {
            if stopped() {
                return None;
            }
            let step = self.network.step(self.data.batch(items), &mut self.optimizer, self.options.learning_rate);
            let share = items.len() as f64 / order.len() as f64;
            sum.reconstruction += step.reconstruction * share;
            sum.quantisation += step.quantisation * share;
        }
        self.epochs += 1;
        let (used, collisions) = self.codes_in_use();
        Some(Epoch {
            epoch: self.epochs,
            of: self.options.epochs,
            loss: sum.reconstruction + sum.quantisation,
            reconstruction: sum.reconstruction,
            quantisation: sum.quantisation,
            codes: self.network.books().first().map_or(0, |book| book.dims()[0]),
            used,
            collisions,
        })
    }

    /// Codes of each level that are some item's, and the share of items that share all of theirs.
    fn codes_in_use(&self) -> (Vec<usize>, f64) {
        let levels = self.network.books().len();
        let order: Vec<usize> = (0..self.data.items()).collect();
        let codes: Vec<u32> =
            order.chunks(self.options.batch).flat_map(|items| self.network.codes(self.data.batch(items))).collect();
        let used = |level: usize| codes.iter().skip(level).step_by(levels).collect::<BTreeSet<_>>().len();
        let together = Collisions::of(&codes, levels).items;
        ((0..levels).map(used).collect(), together as f64 / self.data.items().max(1) as f64)
    }
}

impl Network<Cpu> {
    /// One step on a batch; returns its losses.
    pub fn step(&mut self, x: Tensor<Cpu, 2>, optimizer: &mut AdamW<Flex>, learning_rate: f64) -> Losses {
        self.parameters = self.parameters.drain(..).map(Tensor::require_grad).collect();
        let forward = self.forward(x, Some(EPSILON));
        let value = |loss: &Tensor<Cpu, 1>| numbers(loss.clone()).first().copied().unwrap_or(f64::NAN);
        let losses =
            Losses { reconstruction: value(&forward.reconstruction), quantisation: value(&forward.quantisation) };
        let mut gradients = (forward.reconstruction + forward.quantisation).backward();
        optimizer.begin_step();
        for (index, parameter) in self.parameters.iter_mut().enumerate() {
            let inner = parameter.clone().inner();
            let gradient = parameter.grad_remove(&mut gradients).unwrap_or_else(|| inner.zeros_like());
            let updated = optimizer.update(&index.to_string(), inner, gradient, learning_rate, 1.0);
            *parameter = Tensor::from_inner(updated);
        }
        losses
    }
}
