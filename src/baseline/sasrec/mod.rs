//! SASRec: self-attention over a user's history that predicts the next item.
//!
//! Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018; the network is that of RecBole's `SASRec`,
//! and so are the parameters' names. The loss is the cross-entropy over all items of the catalogue, not the paper's
//! over one sampled negative: that alone makes it a strong baseline.

mod network;
mod training;
mod window;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use self::network::Network;
use self::training::{EVALUATION_BATCH, StageTraining};
use self::window::{Batch, Window};
use super::epochs;
use super::stage_recommender::{OnProgress, Query, StageFigures, StageRecommender};
use crate::data::Dataset;
use crate::error::{InputError, RunError};
use crate::model::adapter::Matrix;
use crate::model::backend::TrainingBackend;
use crate::model::weights::Weights;
use crate::schema::{Field, Kind};

/// The options as fields.
pub const FIELDS: &[Field] = &[
    whole("width", "Width", "Width of the embeddings", 1, 4096),
    whole("layers", "Layers", "Transformer layers", 1, 64),
    whole("heads", "Heads", "Attention heads a layer; they divide the width", 1, 64),
    whole("inner", "Inner width", "Width of the feed-forward layers", 1, 65_536),
    number("dropout", "Dropout", "On embeddings, attention and what each layer adds", 0.0, 0.99),
    whole("max_history", "History", "Newest items that are read", 1, 10_000),
    whole("stride", "Stride", "Targets that share one pass where a history is longer than is read", 1, 10_000),
    whole("epochs", "Epochs", "Passes over a stage; the one of least validation loss is kept", 1, 10_000),
    whole("batch", "Batch", "Targets a step", 1, 1_000_000),
    number("learning_rate", "Learning rate", "Of Adam, in every stage", 1e-9, 10.0),
    number("weight_decay", "Weight decay", "Decoupled, as in AdamW", 0.0, 10.0),
];

const fn whole(path: &'static str, label: &'static str, help: &'static str, min: u64, max: u64) -> Field {
    Field { path, label, help, kind: Kind::Whole { min, max } }
}

const fn number(path: &'static str, label: &'static str, help: &'static str, min: f64, max: f64) -> Field {
    Field { path, label, help, kind: Kind::Number { min, max } }
}

/// Options of SASRec; the defaults of the network are RecBole's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SasRec {
    /// Width of the embeddings and of the residual stream.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads a layer; they divide `width`.
    pub heads: usize,
    /// Width of the feed-forward layers.
    pub inner: usize,
    /// Probability of dropout on embeddings, attention weights and what each layer adds.
    pub dropout: f64,
    /// Newest items of a history that are read.
    pub max_history: usize,
    /// Targets that share one pass once a history is longer than `max_history`: each then reads between
    /// `max_history - stride + 1` and `max_history` items. 1 lets each read exactly the newest `max_history`, as
    /// RecBole does, and costs as many times more.
    pub stride: usize,
    /// Passes over a stage's training targets; the one of the least validation loss is kept.
    pub epochs: usize,
    /// Targets a step.
    pub batch: usize,
    /// Learning rate of Adam, in every stage.
    pub learning_rate: f64,
    /// Decoupled weight decay (AdamW).
    pub weight_decay: f64,
}

impl Default for SasRec {
    fn default() -> Self {
        Self {
            width: 64,
            layers: 2,
            heads: 2,
            inner: 256,
            dropout: 0.5,
            max_history: 50,
            stride: 10,
            epochs: 30,
            batch: 512,
            learning_rate: 1e-3,
            weight_decay: 0.0,
        }
    }
}

impl SasRec {
    /// Number of parameters on a catalogue of so many items.
    pub fn parameters(&self, items: usize) -> u64 {
        network::parameters(self, items)
    }

    /// Checks the values.
    ///
    /// # Errors
    /// In words: the field, what is wrong with it, what was expected.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [
            ("width", self.width),
            ("heads", self.heads),
            ("inner", self.inner),
            ("max_history", self.max_history),
            ("stride", self.stride),
            ("batch", self.batch),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("`{name}` is 0; expected at least 1"));
        }
        if !self.width.is_multiple_of(self.heads) {
            return Err(format!("`heads` ({}) does not divide `width` ({})", self.heads, self.width));
        }
        if self.stride > self.max_history {
            return Err(format!(
                "`stride` ({}) is greater than `max_history` ({}): some targets would read nothing",
                self.stride, self.max_history
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(format!("`dropout` is {}; expected 0 to below 1", self.dropout));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(format!("`learning_rate` is {}; expected a number above 0", self.learning_rate));
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(format!("`weight_decay` is {}; expected 0 or more", self.weight_decay));
        }
        Ok(())
    }
}

/// SASRec on a catalogue: stage 1 from random parameters, each later stage from the stage before.
///
/// The catalogue is that of the whole dataset, so an item has its embedding before it first occurs. Adam starts anew in
/// every stage.
#[derive(Debug, Clone)]
pub struct SasRecommender<B: TrainingBackend> {
    options: SasRec,
    seed: u64,
    network: Network<B>,
}

impl<B: TrainingBackend> SasRecommender<B> {
    /// A recommender of `items` items with random parameters.
    ///
    /// # Errors
    /// See [`SasRec::check`].
    pub fn new(options: SasRec, items: usize, seed: u64, device: &B::Device) -> Result<Self, String> {
        options.check()?;
        let network = Network::random(&options, items, seed, device);
        Ok(Self { options, seed, network })
    }

    /// Mean cross-entropy of the items that follow, and its gradients by parameter name, without dropout. Each pair is
    /// what is read, oldest first, and the targets that follow its last items, one each.
    pub fn loss_and_gradients(&self, windows: &[(&[u32], &[u32])]) -> (f64, BTreeMap<String, Matrix>) {
        let windows: Vec<Window<'_>> = windows.iter().map(|&(inputs, targets)| Window { inputs, targets }).collect();
        let (loss, gradients) = training::gradients(&mut self.network.clone(), &windows, None);
        (loss, gradients.into_iter().map(|(name, gradient)| (name, Matrix::from_tensor(gradient))).collect())
    }
}

impl<B: TrainingBackend> StageRecommender for SasRecommender<B> {
    fn train_stage(
        &mut self,
        dataset: &Dataset,
        stage: usize,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<StageFigures, RunError> {
        let mut training =
            StageTraining::new(&self.options, self.seed, &mut self.network, &dataset.stages[stage], stage);
        if training.is_empty() {
            return Ok(StageFigures::default());
        }
        epochs::train(&mut training, stage + 1, self.options.epochs, on_progress)
    }

    /// Logits of all items; zeros where a history is empty.
    fn scores(&self, queries: &[Query<'_>]) -> Matrix {
        let network = self.network.map(&|tensor: Tensor<B, 2>| tensor.inner());
        let mut scores = Matrix::zeros(queries.len(), network.items());
        let rows = scores.values.chunks_mut(network.items().max(1)).zip(queries);
        let (mut rows, readable): (Vec<_>, Vec<_>) = rows
            .filter(|(_, query)| !query.history.is_empty())
            .map(|(row, query)| (row, (Window::newest(query.history, self.options.max_history), 1)))
            .unzip();
        for (rows, readable) in rows.chunks_mut(EVALUATION_BATCH).zip(readable.chunks(EVALUATION_BATCH)) {
            let logits = Matrix::from_tensor(network.logits(&Batch::new(readable, &network.device()), None));
            for (row, logits) in rows.iter_mut().zip(logits.values.chunks(logits.columns.max(1))) {
                row.copy_from_slice(logits);
            }
        }
        scores
    }

    fn trainable_parameters(&self) -> u64 {
        self.network.parameters.values().map(|tensor| tensor.dims().iter().product::<usize>() as u64).sum()
    }

    fn state(&self) -> BTreeMap<String, Matrix> {
        let parameters = self.network.parameters.iter();
        parameters.map(|(name, tensor)| (name.clone(), Matrix::from_tensor(tensor.clone()))).collect()
    }

    fn restore(&mut self, state: &Weights) -> Result<(), InputError> {
        let device = self.network.device();
        let mut restored = BTreeMap::new();
        for (name, tensor) in &self.network.parameters {
            restored.insert(name.clone(), state.matrix(name, Some(tensor.dims()))?.to_tensor(&device));
        }
        self.network.parameters = restored;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
