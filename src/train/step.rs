//! One optimiser step: loss and gradients of a packed batch, the method's pull, clipping, AdamW.

use std::collections::BTreeMap;

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{ElementConversion, Int, Tensor, TensorData};

use crate::method::Guides;
use crate::method::pull_ratio::Norms;
use crate::method::term::{Parameters, add_gradient};
use crate::model::Llama;
use crate::model::backend::TrainingBackend;
use crate::model::kernels::Kernels;
use crate::model::llama::{Kind, StepDropout};
use crate::model::optimizer::{AdamW, clip_factor, norm};
use crate::model::packing::{Packed, Sequence};
use crate::seeds;

impl<B: TrainingBackend> Gradients<B> {
    /// The gradients of the whole adapter of `model`, where these are of a [part](Llama::cut) of it: 0 where a direction took no
    /// part.
    #[must_use]
    pub fn of_whole(mut self, model: &mut Llama<B>) -> Self {
        model.visit(&mut |name, kind, tensor| {
            if matches!(kind, Kind::LoraA | Kind::LoraB) {
                let zeros = Tensor::zeros(tensor.dims(), &tensor.device());
                let whole = match self.by_name.remove(name) {
                    None => zeros,
                    Some(part) => {
                        let [rows, columns] = part.dims();
                        zeros.slice_assign([0..rows, 0..columns], part)
                    }
                };
                self.by_name.insert(name.to_owned(), whole);
            }
        });
        self
    }
}

/// What is the same at every step of a stage.
#[derive(Debug, Clone, Default)]
pub struct StepOptions {
    pub temperature: f64,
    pub clip: f64,
    /// Probability of dropout on the adapters' inputs.
    pub adapter_dropout: f64,
    /// Probability of dropout on what the residual stream is given.
    pub residual_dropout: f64,
    /// Whether layers are computed again in the backward pass instead of kept.
    pub checkpointing: bool,
    /// Whether each piece of a step counts alike, however many targets it has, as in the released code.
    pub equal_pieces: bool,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy)]
pub struct StepPlace<'a> {
    /// Of the random numbers.
    pub stream: &'a str,
    /// From 1.
    pub epoch: usize,
    /// Step (from 0) of how many, by which the learning rate goes.
    pub scheduled: (usize, usize),
    /// Step (from 1) of how many, as it is recorded.
    pub recorded: (usize, usize),
}

/// Figures of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepFigures {
    /// Mean cross-entropy a response token.
    pub loss: f64,
    /// The weighted penalty, 0 where there is none.
    pub penalty: f64,
    /// `‖∇penalty‖ / ‖∇cross-entropy‖` over the parameters that are pulled. No number where the penalty is one of the
    /// predictions, whose gradient comes together with the cross-entropy's.
    pub pull_ratio: f64,
    /// Norm of the whole gradient before clipping.
    pub gradient_norm: f64,
    /// Where the terms of the parameters are only measured: what they would pull with the weight that they have.
    pub measured: Option<Norms>,
}

/// The gradients of a step by parameter name, and its figures.
pub struct Gradients<B: AutodiffBackend> {
    pub by_name: Parameters<B::InnerBackend>,
    pub figures: StepFigures,
}

/// Mean cross-entropy a response token at the training temperature, `[1]`.
pub fn cross_entropy<B: Kernels>(
    model: &Llama<B>,
    packed: &Packed<B>,
    temperature: f64,
    dropout: Option<StepDropout>,
) -> Tensor<B, 1> {
    mean_likelihood_loss(model.logits(packed, dropout), packed, temperature)
}

fn mean_likelihood_loss<B: Kernels>(logits: Tensor<B, 2>, packed: &Packed<B>, temperature: f64) -> Tensor<B, 1> {
    let targets: Vec<i32> = packed.targets.iter().map(|&t| t as i32).collect();
    let targets = Tensor::<B, 1, Int>::from_data(TensorData::from(targets.as_slice()), &logits.device());
    B::negative_log_likelihood(logits, targets, temperature, &packed.candidates).mean()
}

/// Loss and gradients of the parameters that `trains` chooses, the method's terms included.
///
/// The model's chosen parameters become fresh leaves of the automatic differentiation.
pub fn gradients<B: TrainingBackend>(
    model: &mut Llama<B>,
    packed: &Packed<B>,
    trains: &dyn Fn(Kind) -> bool,
    guides: &Guides<B::InnerBackend>,
    options: &StepOptions,
    seed: u64,
) -> Gradients<B> {
    let mut step = Step::new(model, trains, guides, options);
    step.add(packed, 1.0, seed);
    step.end()
}

/// As [`gradients`] of all pieces together, one piece after the other: in the memory of the largest. Each has dropout masks of
/// its own.
pub fn accumulated<B: TrainingBackend>(
    model: &mut Llama<B>,
    pieces: &[Vec<Sequence>],
    trains: &dyn Fn(Kind) -> bool,
    guides: &Guides<B::InnerBackend>,
    options: &StepOptions,
    seed: u64,
) -> Gradients<B> {
    let targets = |sequences: &[Sequence]| -> usize {
        sequences.iter().flat_map(|sequence| &sequence.branches).map(|branch| branch.targets.len()).sum()
    };
    let all: usize = pieces.iter().map(|piece| targets(piece)).sum();
    let mut step = Step::new(model, trains, guides, options);
    for (number, piece) in pieces.iter().enumerate() {
        // A step that is not cut keeps its masks.
        let seed = if number == 0 { seed } else { seeds::derive(seed, &["piece", &number.to_string()]) };
        let share =
            if options.equal_pieces { 1.0 / pieces.len() as f64 } else { targets(piece) as f64 / all.max(1) as f64 };
        step.add(&Packed::new(piece), share, seed);
    }
    step.end()
}

/// The gradients of a step while its pieces are added.
struct Step<'a, B: TrainingBackend> {
    model: &'a Llama<B>,
    leaves: BTreeMap<String, Tensor<B, 2>>,
    guides: &'a Guides<B::InnerBackend>,
    options: &'a StepOptions,
    by_name: Parameters<B::InnerBackend>,
    loss: f64,
    /// What the teacher adds to the loss, where there is one.
    taught: Option<f64>,
}

impl<'a, B: TrainingBackend> Step<'a, B> {
    fn new(
        model: &'a mut Llama<B>,
        trains: &dyn Fn(Kind) -> bool,
        guides: &'a Guides<B::InnerBackend>,
        options: &'a StepOptions,
    ) -> Self {
        let mut leaves = BTreeMap::new();
        model.visit(&mut |name, kind, tensor| {
            if trains(kind) {
                *tensor = Tensor::from_inner(tensor.clone().inner()).require_grad();
                leaves.insert(name.to_owned(), tensor.clone());
            }
        });
        Self { model, leaves, guides, options, by_name: Parameters::new(), loss: 0.0, taught: None }
    }

    /// Adds a piece that has this share of the step's response tokens.
    fn add(&mut self, packed: &Packed<B>, share: f64, seed: u64) {
        let Self { model, leaves, guides, options, by_name, .. } = self;
        let dropout = Some(StepDropout { adapters: options.adapter_dropout, residual: options.residual_dropout, seed });
        let objective = |logits: Tensor<B, 2>| {
            let loss = mean_likelihood_loss(logits.clone(), packed, options.temperature);
            let taught = guides.teacher.as_ref().map(|(teacher, before)| {
                let theirs = Tensor::from_inner(before.logits(&packed.on(), None));
                teacher.divergence(logits, theirs, &packed.candidates)
            });
            let total = taught.iter().fold(loss.clone(), |total, taught| total + taught.clone());
            (total.mul_scalar(share), (loss, taught))
        };
        let mut collect = |gradients: &mut B::Gradients| {
            for (name, leaf) in leaves.iter() {
                if let Some(gradient) = leaf.grad_remove(gradients) {
                    add_gradient(by_name, name.clone(), gradient);
                }
            }
        };
        let (loss, taught) = if options.checkpointing {
            model.backward_by_layer(packed, dropout, objective, &mut collect)
        } else {
            let (total, figures) = objective(model.logits(packed, dropout));
            collect(&mut total.backward());
            figures
        };
        let scalar = |tensor: Tensor<B, 1>| share * tensor.into_scalar().elem::<f64>();
        self.loss += scalar(loss);
        if let Some(taught) = taught {
            *self.taught.get_or_insert_default() += scalar(taught);
        }
    }

    /// Adds the terms of the parameters alone.
    fn end(self) -> Gradients<B> {
        let Self { leaves, guides, mut by_name, loss, taught, .. } = self;
        let mut pull_ratio = if taught.is_some() { f64::NAN } else { 0.0 };
        let mut penalty = taught.unwrap_or(0.0);
        let current = leaves.iter().map(|(name, leaf)| (name.clone(), leaf.clone().inner())).collect();
        let mut measured = None;
        if let Some(pull) = guides.pull(&current) {
            let own = norm(by_name.iter().filter(|(name, _)| pull.gradients.contains_key(*name)).map(|(_, g)| g));
            let norms = Norms { cross_entropy: own, pull: norm(pull.gradients.values()) };
            if guides.acts {
                penalty += pull.penalty;
                pull_ratio = if own > 0.0 { norms.pull / own } else { 0.0 };
                for (name, gradient) in pull.gradients.into_iter().filter(|(name, _)| leaves.contains_key(name)) {
                    add_gradient(&mut by_name, name, gradient);
                }
            } else {
                measured = Some(norms);
            }
        }
        let figures = StepFigures { loss, penalty, pull_ratio, gradient_norm: norm(by_name.values()), measured };
        Gradients { by_name, figures }
    }
}

/// Applies one step's gradients.
pub fn apply<B: TrainingBackend>(
    model: &mut Llama<B>,
    gradients: Gradients<B>,
    optimizer: &mut AdamW<B::InnerBackend>,
    learning_rate: f64,
    clip: f64,
) -> StepFigures {
    let Gradients { mut by_name, figures } = gradients;
    let scale = clip_factor(figures.gradient_norm, clip);
    optimizer.begin_step();
    model.visit(&mut |name, _, tensor| {
        if let Some(gradient) = by_name.remove(name) {
            let value = optimizer.update(name, tensor.clone().inner(), gradient, learning_rate, scale);
            *tensor = Tensor::from_inner(value);
        }
    });
    figures
}
