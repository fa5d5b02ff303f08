//! One stage's training: the loss and its gradients, the order of the windows, Adam.

use std::collections::BTreeMap;

use burn::tensor::{ElementConversion, Tensor};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::SasRec;
use super::network::{Network, StepDropout};
use super::window::{Batch, Window, integers};
use crate::baseline::epochs::{Learner, Losses};
use crate::data::Stage;
use crate::model::backend::TrainingBackend;
use crate::model::kernels::Kernels;
use crate::model::optimizer::AdamW;
use crate::seeds;

/// Windows of a pass without gradients.
pub(super) const EVALUATION_BATCH: usize = 256;

/// Steps' worth of windows that are sorted by length together, so that little of a batch is padding while every epoch
/// still mixes users anew.
const POOL: usize = 16;

/// Negative log-likelihood of the windows' targets, `[targets, 1]`.
fn losses<B: Kernels>(network: &Network<B>, windows: &[Window<'_>], dropout: Option<StepDropout>) -> Tensor<B, 2> {
    let device = network.device();
    let rows: Vec<_> = windows.iter().map(|window| (window.inputs, window.targets.len())).collect();
    let targets = windows.iter().flat_map(|window| window.targets).map(|&item| item as i32).collect();
    let logits = network.logits(&Batch::new(&rows, &device), dropout);
    B::negative_log_likelihood(logits, integers(targets, &device), 1.0, &[])
}

/// Mean loss a target, and its gradients by parameter name. The parameters become fresh leaves of the automatic
/// differentiation.
pub(super) fn gradients<B: TrainingBackend>(
    network: &mut Network<B>,
    windows: &[Window<'_>],
    dropout: Option<StepDropout>,
) -> (f64, BTreeMap<String, Tensor<B::InnerBackend, 2>>) {
    *network = network.map(&|tensor| Tensor::from_inner(tensor.inner()).require_grad());
    let loss = losses(network, windows, dropout).mean();
    let mut gradients = loss.backward();
    let leaves = network.parameters.iter();
    let by_name = leaves.filter_map(|(name, leaf)| Some((name.clone(), leaf.grad_remove(&mut gradients)?))).collect();
    (loss.into_scalar().elem(), by_name)
}

/// Trains a network on one stage.
pub(super) struct StageTraining<'a, B: TrainingBackend> {
    options: &'a SasRec,
    network: &'a mut Network<B>,
    optimizer: AdamW<B::InnerBackend>,
    windows: Vec<Window<'a>>,
    validation: Vec<Window<'a>>,
    /// Of the stage.
    seed: u64,
}

impl<'a, B: TrainingBackend> StageTraining<'a, B> {
    /// The training of the stage at `index` of the dataset's.
    pub fn new(options: &'a SasRec, seed: u64, network: &'a mut Network<B>, stage: &'a Stage, index: usize) -> Self {
        let cut = |items, targets| Window::over(items, targets, options.max_history, options.stride);
        let windows = stage.participants().flat_map(|user| cut(&user.items, user.training_targets())).collect();
        let validated = stage.participants().filter_map(|user| {
            let example = user.validation()?;
            let at = example.history.len();
            Some(Window {
                inputs: Window::newest(example.history, options.max_history),
                targets: user.items.get(at..=at)?,
            })
        });
        let validation = validated.filter(|window| !window.inputs.is_empty()).collect();
        let optimizer = AdamW::new(options.weight_decay);
        let seed = seeds::derive(seed, &["sasrec stage", &index.to_string()]);
        Self { options, network, optimizer, windows, validation, seed }
    }

    /// Whether the stage has nothing to train on.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }
}

impl<'a, B: TrainingBackend> Learner for StageTraining<'a, B> {
    type Step = Vec<Window<'a>>;
    type Kept = Network<B>;

    fn steps(&self, epoch: usize) -> Vec<Self::Step> {
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(self.seed, &["order", &epoch.to_string()]));
        let mut windows = self.windows.clone();
        windows.shuffle(&mut random);
        let mut steps: Vec<Self::Step> = Vec::new();
        for mut pool in cut(&windows, self.options.batch * POOL) {
            pool.sort_by_key(|window| window.inputs.len());
            steps.extend(cut(&pool, self.options.batch));
        }
        steps.shuffle(&mut random);
        steps
    }

    fn step(&mut self, windows: &Self::Step, number: usize) -> Losses {
        let seed = seeds::derive(self.seed, &["dropout", &number.to_string()]);
        let dropout = StepDropout { probability: self.options.dropout, seed };
        let (loss, mut gradients) = gradients(self.network, windows, Some(dropout));
        self.optimizer.begin_step();
        for (name, tensor) in &mut self.network.parameters {
            if let Some(gradient) = gradients.remove(name) {
                let value = tensor.clone().inner();
                let value = self.optimizer.update(name, value, gradient, self.options.learning_rate, 1.0);
                *tensor = Tensor::from_inner(value);
            }
        }
        Losses { loss, penalty: 0.0, examples: targets(windows) }
    }

    fn validation_loss(&self) -> f64 {
        let network = self.network.map(&|tensor| tensor.inner());
        let batches = self.validation.chunks(EVALUATION_BATCH);
        let sum: f64 = batches.map(|batch| losses(&network, batch, None).sum().into_scalar().elem::<f64>()).sum();
        sum / targets(&self.validation).max(1) as f64
    }

    fn keep(&self) -> Self::Kept {
        self.network.clone()
    }

    fn put_back(&mut self, kept: Self::Kept) {
        *self.network = kept;
    }
}

fn targets(windows: &[Window<'_>]) -> usize {
    windows.iter().map(|window| window.targets.len()).sum()
}

/// Consecutive windows with at least `least` targets, but in the last.
fn cut<'a>(windows: &[Window<'a>], min: usize) -> Vec<Vec<Window<'a>>> {
    let mut parts = Vec::new();
    let (mut part, mut targets) = (Vec::new(), 0);
    for &window in windows {
        part.push(window);
        targets += window.targets.len();
        if targets >= min {
            parts.push(std::mem::take(&mut part));
            targets = 0;
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}
