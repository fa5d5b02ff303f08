//! What the trainer tells, and whom it asks whether to go on. It knows no file and no screen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::Slices;
pub use crate::measure::ranking::UserOutcome;
use crate::method::StageLambda;

/// Told what happens in a run, in order; asked between steps whether to go on.
pub trait Observer {
    /// One optimiser step is done.
    fn step(&mut self, step: &StepRecord) -> Result<(), InputError>;
    /// One cell is measured.
    fn evaluation(&mut self, evaluation: &EvaluationRecord) -> Result<(), InputError>;
    /// A stage begins or ends (its figures are final when `finished`).
    fn stage(&mut self, stage: &StageRecord) -> Result<(), InputError>;
    /// How far the current phase is.
    fn progress(&mut self, progress: &Progress) -> Result<(), InputError>;
    /// Something worth a line in the log.
    fn event(&mut self, level: Level, text: &str) -> Result<(), InputError>;
    /// Whether [`Self::control`] would block now: the trainer saves its state before that.
    fn is_pausing(&mut self) -> bool;
    /// What the user wants now; a pause blocks inside this call until it ends or becomes a stop.
    fn control(&mut self) -> Control;
}

/// What the user wants of a running worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    Run,
    /// Save and wait.
    Pause,
    /// Save and end; the run can be resumed.
    Stop,
}

/// Weight of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    /// The word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Reading a base model that others trained. Progress alone has this phase: nothing is recorded of it.
    Load,
    /// Training all parameters of a compact base model on stage 1.
    Base,
    /// Training the adapter.
    Train,
    /// Measuring `R[i, j]`.
    Evaluate,
}

impl Phase {
    /// The name in the random streams of a training. Another name would give other numbers.
    pub fn stream(self) -> &'static str {
        match self {
            Self::Load => "Load",
            Self::Base => "Base",
            Self::Train => "Train",
            Self::Evaluate => "Evaluate",
        }
    }
}

/// One optimiser step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    pub phase: Phase,
    /// Stage, from 1.
    pub stage: usize,
    /// Epoch within the stage, from 1.
    pub epoch: usize,
    /// Step within the phase of the stage, from 1.
    pub step: usize,
    /// Steps that the phase of the stage has.
    pub steps: usize,
    /// Mean cross-entropy a response token, in nats, at the training temperature.
    pub loss: f64,
    /// The method's weighted penalty (lambda included), 0 where it has none.
    pub penalty: f64,
    /// `penalty / (loss + penalty)`.
    pub penalty_share: f64,
    /// `‖lambda ∇penalty‖ / ‖∇cross-entropy‖` over the adapter's parameters.
    pub pull_ratio: f64,
    /// Norm of the whole gradient before clipping.
    pub gradient_norm: f64,
    pub learning_rate: f64,
    /// Training targets in the step.
    pub examples: usize,
    /// Wall time of the step.
    pub seconds: f64,
}

/// How a stage went. Written when it begins (zeros) and again as it goes on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StageRecord {
    /// Stage, from 1.
    pub stage: usize,
    pub train_examples: u64,
    /// Test users under the same-block protocol.
    pub test_users: u64,
    pub train_seconds: f64,
    pub eval_seconds: f64,
    pub peak_memory_bytes: u64,
    /// Mean training loss of the last epoch.
    pub final_loss: f64,
    /// Validation loss after each epoch; the adapter of the least one is kept.
    pub validation_losses: Vec<f64>,
    /// Epoch that is kept, from 1; 0 where nothing is trained.
    pub best_epoch: usize,
    /// The weight of the method's term, where a rule of the stage found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<StageLambda>,
    pub finished: bool,
}

/// Which cell `R[trained, tested]`, under which protocol; in the order in which a run measures them within a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CellIndex {
    pub protocol: Protocol,
    /// Stage after which the model is tested, from 1.
    pub trained: usize,
    /// Stage whose tests they are, from 1.
    pub tested: usize,
}

/// The metric values of one cell, and the outcome of every test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    pub at: CellIndex,
    /// `hit@10`, `ndcg@10`, the same with `_corrected`, of lists of known items with `_known` or `_known_corrected`;
    /// `invalid_rate`.
    pub metrics: BTreeMap<String, f64>,
    pub users: Vec<UserOutcome>,
    pub seconds: f64,
}

/// How far the current phase of a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub phase: Phase,
    /// Stage, from 1.
    pub stage: usize,
    /// Number of stages.
    pub stages: usize,
    /// Steps, or users, done of `total` in this phase of the stage.
    pub done: u64,
    pub total: u64,
    /// Training examples, or test users, a second.
    pub rate: f64,
    /// Seconds left, as far as known: in the phase as the trainer tells it, in the whole run as it is recorded.
    pub eta_seconds: Option<f64>,
    pub memory_bytes: u64,
}

/// What is known of the tests of one stage before any model is asked; the same for all runs of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSet {
    pub protocol: Protocol,
    /// Stage, from 1.
    pub stage: usize,
    /// Users active in the stage whom the protocol cannot ask: without three interactions in it (same-block), or
    /// without an earlier one (next-block).
    pub left_out: usize,
    /// The slices of every test, in the order of the tests.
    pub slices: Vec<Slices>,
}
