//! Statistics of a model on a stage's data, for methods that ask for them.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::jobs::trained;
use super::stage_data::StageData;
use super::step::{StepOptions, gradients};
use super::{Task, batches};
use crate::method::plan::{Matrices, StatisticsRequest};
use crate::method::term::{Parameters, add_gradient};
use crate::method::{Guides, Rows};
use crate::model::adapter::Matrix;
use crate::model::backend::TrainingBackend;
use crate::model::kernels::Kernels;
use crate::model::llama::Kind;
use crate::model::packing::{Packed, Sequence};
use crate::model::{Adapter, Llama, VocabularyMode};
use crate::seeds;

/// Examples a batch.
const BATCH: usize = 32;

/// What a method asks for, without dropout, of a sample of the stage's training examples.
pub fn collect<B: TrainingBackend>(
    request: StatisticsRequest,
    model: &mut Llama<B>,
    data: &StageData,
    task: &Task<'_>,
    seed: u64,
) -> Matrices {
    match request {
        StatisticsRequest::Fisher { examples, rows } => {
            let held = match rows {
                Rows::Free => VocabularyMode::Frozen,
                Rows::Pulled => task.project.training.vocabulary,
            };
            fisher(model, &sample(data, examples, seed), task.project.training.temperature, held)
        }
        StatisticsRequest::Inputs { examples } => {
            let model = model.clone().map(&|t: Tensor<B, 2>| t.inner());
            inputs(&model, &sample(data, examples, seed))
        }
    }
}

/// The mean gradient of the cross-entropy by the adapter, over a sample of the stage's training examples.
pub fn gradient<B: TrainingBackend>(
    examples: usize,
    model: &mut Llama<B>,
    data: &StageData,
    task: &Task<'_>,
    seed: u64,
) -> Matrices {
    let sample = sample(data, examples, seed);
    let mut sum = Parameters::new();
    for batch in sample.chunks(BATCH) {
        let share = batch.len() as f64 / sample.len() as f64;
        for (name, gradient) in adapter_gradients(model, batch, task.project.training.temperature) {
            add_gradient(&mut sum, name, gradient.mul_scalar(share));
        }
    }
    on_host(sum)
}

/// Single examples, each with its own history.
pub fn sample(data: &StageData, examples: usize, seed: u64) -> Vec<Sequence> {
    let seed = seeds::derive(seed, &["look", &data.index.to_string()]);
    let sample = batches::sample(data.sequences.clone(), examples, seed).into_iter();
    let single = |sequence: Sequence| {
        let Sequence { prefix, branches } = sequence;
        branches
            .into_iter()
            .map(move |branch| Sequence { prefix: prefix[..branch.at].to_vec(), branches: vec![branch] })
    };
    sample.flat_map(single).collect()
}

/// See [`StatisticsRequest::Fisher`]; `held` says which token rows are a part of it.
pub fn fisher<B: TrainingBackend>(
    model: &mut Llama<B>,
    examples: &[Sequence],
    temperature: f64,
    held: VocabularyMode,
) -> Matrices {
    let mut sum = Parameters::new();
    for example in examples.chunks(1) {
        for (name, gradient) in gradients_of(model, example, temperature, &trained(held, true)) {
            let square = (gradient.clone() * gradient).div_scalar(examples.len() as f64);
            add_gradient(&mut sum, name, square);
        }
    }
    on_host(sum)
}

/// See [`StatisticsRequest::Inputs`].
pub fn inputs<B: Kernels>(model: &Llama<B>, examples: &[Sequence]) -> Matrices {
    let (mut sum, mut tokens) = (Parameters::new(), BTreeMap::<String, usize>::new());
    for batch in examples.chunks(BATCH) {
        for (site, moment) in model.input_moments(&Packed::new(batch)) {
            *tokens.entry(site.clone()).or_default() += moment.tokens;
            add_gradient(&mut sum, site, moment.sum);
        }
    }
    let mean = |(site, sum): (String, Tensor<B, 2>)| {
        let count = tokens.get(&site).copied().unwrap_or(1).max(1);
        (site, sum.div_scalar(count as f64))
    };
    on_host(sum.into_iter().map(mean).collect())
}

/// Gradients of a batch's cross-entropy, the mean over its response tokens, by the adapter.
pub fn adapter_gradients<B: TrainingBackend>(
    model: &mut Llama<B>,
    batch: &[Sequence],
    temperature: f64,
) -> Parameters<B::InnerBackend> {
    gradients_of(model, batch, temperature, &|kind| matches!(kind, Kind::LoraA | Kind::LoraB))
}

/// The gradient of an example's loss by the adapter's values, in the order of [`flattened`](crate::method::metric::flattened), times the root of its tokens.
pub fn example_gradient<B: TrainingBackend>(
    model: &mut Llama<B>,
    adapter: &Adapter,
    example: &Sequence,
    temperature: f64,
) -> Vec<f32> {
    let factor = (response_tokens(example) as f64).sqrt() as f32;
    let mut by_name = adapter_gradients(model, std::slice::from_ref(example), temperature);
    let mut values = Vec::new();
    for (name, matrix) in adapter.parameters() {
        match by_name.remove(&name) {
            Some(gradient) => {
                let gradient = gradient.into_data().convert::<f32>().into_vec().unwrap_or_default();
                values.extend(gradient.iter().map(|value: &f32| factor * value));
            }
            // What the loss does not depend on.
            None => values.resize(values.len() + matrix.values.len(), 0.0),
        }
    }
    values
}

/// Tokens of an example that the loss is over.
pub fn response_tokens(example: &Sequence) -> usize {
    example.branches.iter().map(|branch| branch.targets.len()).sum()
}

fn gradients_of<B: TrainingBackend>(
    model: &mut Llama<B>,
    batch: &[Sequence],
    temperature: f64,
    of: &dyn Fn(Kind) -> bool,
) -> Parameters<B::InnerBackend> {
    let options = StepOptions { temperature, ..StepOptions::default() };
    gradients(model, &Packed::new(batch), of, &Guides::default(), &options, 0).by_name
}

fn on_host<B: Backend>(parameters: Parameters<B>) -> Matrices {
    parameters.into_iter().map(|(name, tensor)| (name, Matrix::from_tensor(tensor))).collect()
}
