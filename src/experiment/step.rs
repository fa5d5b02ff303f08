//! One optimiser step: loss and gradients of a packed batch, the method's pull, clipping, AdamW.

use std::collections::BTreeMap;

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{ElementConversion, Int, Tensor, TensorData};

use super::optimizer::{AdamW, clip_factor, norm};
use crate::method::Proximal;
use crate::method::proximal::Anchor;
use crate::model::Llama;
use crate::model::backend::TrainingBackend;
use crate::model::kernels::Kernels;
use crate::model::llama::{Kind, StepDropout};
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
    /// `‖∇penalty‖ / ‖∇cross-entropy‖` over the parameters that are pulled.
    pub pull_ratio: f64,
    /// Norm of the whole gradient before clipping.
    pub gradient_norm: f64,
}

/// The gradients of a step by parameter name, and its figures.
pub struct Gradients<B: AutodiffBackend> {
    pub by_name: BTreeMap<String, Tensor<B::InnerBackend, 2>>,
    pub figures: StepFigures,
}

/// Mean cross-entropy a response token at the training temperature, `[1]`.
pub fn cross_entropy<B: Kernels>(
    model: &Llama<B>,
    packed: &Packed<B>,
    temperature: f64,
    dropout: Option<StepDropout>,
) -> Tensor<B, 1> {
    let logits = model.logits(packed, dropout);
    let targets: Vec<i32> = packed.targets.iter().map(|&t| t as i32).collect();
    let targets = Tensor::<B, 1, Int>::from_data(TensorData::from(targets.as_slice()), &model.device());
    B::negative_log_likelihood(logits, targets, temperature, &packed.candidates).mean()
}

/// Loss and gradients of the parameters that `trains` chooses, the method's pull included.
///
/// The model's chosen parameters become fresh leaves of the automatic differentiation.
pub fn gradients<B: TrainingBackend>(
    model: &mut Llama<B>,
    packed: &Packed<B>,
    trains: &dyn Fn(Kind) -> bool,
    pull: Option<(&Proximal, &Anchor<B::InnerBackend>)>,
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
    let loss = cross_entropy(model, packed, options.temperature, Some(dropout));
    let mut grads = loss.backward();
    let mut by_name: BTreeMap<String, Tensor<B::InnerBackend, 2>> =
        leaves.iter().filter_map(|(name, leaf)| Some((name.clone(), leaf.grad_remove(&mut grads)?))).collect();
    let (mut penalty, mut pull_ratio) = (0.0, 0.0);
    if let Some((proximal, anchor)) = pull {
        let current = leaves.iter().map(|(name, leaf)| (name.clone(), leaf.clone().inner())).collect();
        let pull = proximal.pull(&current, anchor);
        penalty = pull.penalty;
        let own = norm(by_name.iter().filter(|(name, _)| anchor.contains_key(*name)).map(|(_, g)| g));
        pull_ratio = if own > 0.0 { norm(pull.gradients.values()) / own } else { 0.0 };
        for (name, gradient) in pull.gradients {
            by_name.entry(name).and_modify(|g| *g = g.clone() + gradient.clone()).or_insert(gradient);
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
