//! One optimiser step: loss and gradients of a packed batch, the method's pull, clipping, AdamW.

use std::collections::BTreeMap;

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{ElementConversion, Int, Tensor, TensorData};

use crate::method::Guides;
use crate::method::term::{Parameters, add_gradient};
use crate::model::Llama;
use crate::model::backend::TrainingBackend;
use crate::model::kernels::Kernels;
use crate::model::llama::{Kind, StepDropout};
use crate::model::optimizer::{AdamW, clip_factor, norm};
use crate::model::packing::Packed;

/// What is the same at every step of a stage.
#[derive(Debug, Clone, Default)]
pub struct StepOptions {
    pub temperature: f64,
    pub clip: f64,
    /// Probability of dropout on the adapters' inputs.
    pub adapter_dropout: f64,
    /// Probability of dropout on what the residual stream is given.
    pub residual_dropout: f64,
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
    let mut leaves = BTreeMap::new();
    model.visit(&mut |name, kind, tensor| {
        if trains(kind) {
            *tensor = Tensor::from_inner(tensor.clone().inner()).require_grad();
            leaves.insert(name.to_owned(), tensor.clone());
        }
    });
    let dropout = StepDropout { adapters: options.adapter_dropout, residual: options.residual_dropout, seed };
    let logits = model.logits(packed, Some(dropout));
    let loss = mean_likelihood_loss(logits.clone(), packed, options.temperature);
    let taught = guides.teacher.as_ref().map(|(teacher, before)| {
        let theirs = Tensor::from_inner(before.logits(&packed.on(), None));
        teacher.divergence(logits, theirs, &packed.candidates)
    });
    let total = taught.iter().fold(loss.clone(), |total, taught| total + taught.clone());
    let mut grads = total.backward();
    let mut by_name: Parameters<B::InnerBackend> =
        leaves.iter().filter_map(|(name, leaf)| Some((name.clone(), leaf.grad_remove(&mut grads)?))).collect();
    let mut pull_ratio = if taught.is_some() { f64::NAN } else { 0.0 };
    let mut penalty = taught.map_or(0.0, |taught| taught.into_scalar().elem::<f64>());
    let current = leaves.iter().map(|(name, leaf)| (name.clone(), leaf.clone().inner())).collect();
    if let Some(pull) = guides.pull(&current) {
        penalty += pull.penalty;
        let own = norm(by_name.iter().filter(|(name, _)| pull.gradients.contains_key(*name)).map(|(_, g)| g));
        pull_ratio = if own > 0.0 { norm(pull.gradients.values()) / own } else { 0.0 };
        for (name, gradient) in pull.gradients.into_iter().filter(|(name, _)| leaves.contains_key(name)) {
            add_gradient(&mut by_name, name, gradient);
        }
    }
    let figures = StepFigures {
        loss: loss.into_scalar().elem::<f64>(),
        penalty,
        pull_ratio,
        gradient_norm: norm(by_name.values()),
    };
    Gradients { by_name, figures }
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
