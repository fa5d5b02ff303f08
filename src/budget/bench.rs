//! Speed of training and evaluation on this machine: PESO with everything that it trains, on real or synthetic data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::Serialize;

use crate::data::{Dataset, DatasetSource, Protocol, SyntheticOptions};
use crate::device::{self, DeviceChoice};
use crate::error::{InputError, RunError};
use crate::method::{Aggregation, Distance, Guides, Proximal, Term};
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::beam::{Decoder, Ensemble};
use crate::model::optimizer::AdamW;
use crate::model::packing::{Packed, Sequence};
use crate::model::{
    Adapter, Compact, Decoding, LlamaConfig, LoraShape, PromptWriter, Softmax, Vocabulary, VocabularyMode, weights,
};
use crate::peak_memory;
use crate::project::UsersPerStage;
use crate::run::observer::CellIndex;
use crate::semantic_id::Trie;
use crate::train::batches;
use crate::train::evaluate::{Cell, USERS_A_BATCH, tests};
use crate::train::jobs::trained;
use crate::train::step::{StepOptions, apply, gradients};

/// What is timed.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    pub device: DeviceChoice,
    /// A folder of the paper's release, and the block of it; block 1 of generated data where there is none.
    pub dataset: Option<PathBuf>,
    pub synthetic: SyntheticOptions,
    pub block: usize,
    pub model: Compact,
    /// Targets a step.
    pub batch: usize,
    /// Training examples and test users that are timed, after a warm-up.
    pub train_examples: usize,
    pub eval_users: usize,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    pub device: String,
    pub data: String,
    pub vocabulary: usize,
    pub base_parameters: usize,
    pub train_examples: usize,
    pub train_examples_per_s: f64,
    pub eval_users: usize,
    pub eval_users_per_s: f64,
    pub peak_memory_bytes: u64,
    /// Mean seconds a step by part.
    pub step_seconds: BTreeMap<String, f64>,
    /// Share of the tested users whose target was among ten (of a random model: only proves that the work was done).
    pub hit_at_10: f64,
}

/// Times training and evaluation.
///
/// # Errors
/// Data or device cannot be used.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, RunError> {
    let (device, survey) = device::required(options.device)?;
    let (source, stage) = match &options.dataset {
        Some(path) => (DatasetSource::PesoRelease { path: path.clone() }, options.block),
        None => (DatasetSource::Synthetic(options.synthetic.clone()), 1),
    };
    let dataset = Dataset::load(&source, None, std::path::Path::new("."))?;
    if stage >= dataset.stages.len() {
        let path = options.dataset.clone().unwrap_or_default();
        let max = dataset.stages.len().saturating_sub(1);
        return Err(InputError::new(path, format!("there is no block {stage}"))
            .advice(format!("blocks go from 0 to {max}"))
            .into());
    }
    let device_name = format!("{} ({})", survey.chosen, survey.name);
    run_on(&device, Bench { options, dataset: &dataset, stage, device_name })
}

struct Bench<'a> {
    options: &'a BenchOptions,
    dataset: &'a Dataset,
    stage: usize,
    device_name: String,
}

const WARM_UP_STEPS: usize = 2;
const SEED: u64 = 0;

impl OnDevice for Bench<'_> {
    type Output = Result<BenchReport, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let Self { options, dataset, stage, .. } = self;
        let config = LlamaConfig::compact(&options.model);
        let vocabulary = Vocabulary::new(0, &dataset.index);
        let writer = PromptWriter { vocabulary: &vocabulary, index: &dataset.index, max_history: 20, existing: None };
        let lora = LoraShape::default();
        let mut model = weights::initialise_compact::<B>(&config, vocabulary.added, SEED, device);
        let base_parameters = parameters(&mut model);
        model.lora_scale = lora.scale();
        Adapter::fresh(&config, lora, SEED, "bench").put_on(&mut model);

        let users = dataset.stages[stage].participants();
        let sequences: Vec<Sequence> = users.flat_map(|user| writer.training(user, options.batch)).collect();
        let steps = batches::epoch(&sequences, options.batch, SEED, "bench", 0);
        let proximal = Proximal {
            lambda: 2.0,
            distance: Distance::SoftmaxKl { temperature: 1.0 },
            aggregation: Aggregation::Mean,
        };
        let before = model.clone().map(&|t: Tensor<B, 2>| t.inner());
        let terms = [Term::Proximal(proximal, vec![Adapter::of(&before).into()])];
        let guides = Guides::new(&terms, device, &before);
        let step_options = StepOptions { temperature: 0.8, clip: 1.0, adapter_dropout: 0.05, ..StepOptions::default() };
        let mut optimizer = AdamW::new(0.01);
        let mut parts = [0.0; 3];
        let (mut timed, mut timed_steps) = (0, 0);
        for (i, places) in steps.iter().enumerate() {
            if timed >= options.train_examples {
                break;
            }
            let began = Instant::now();
            let batch: Vec<Sequence> = places.iter().map(|&p| sequences[p].clone()).collect();
            let packed = Packed::<B>::new(&batch);
            let prepared = Instant::now();
            let gradients = gradients(
                &mut model,
                &packed,
                &trained(VocabularyMode::NewTokens, true),
                &guides,
                &step_options,
                i as u64,
            );
            let differentiated = Instant::now();
            apply(&mut model, gradients, &mut optimizer, 2e-4, step_options.clip);
            wait::<B>(device)?;
            if i >= WARM_UP_STEPS {
                timed += batch.iter().map(|s| s.branches.len()).sum::<usize>();
                timed_steps += 1;
                let ends = [prepared, differentiated, Instant::now()];
                let starts = [began, prepared, differentiated];
                for ((part, start), end) in parts.iter_mut().zip(starts).zip(ends) {
                    *part += (end - start).as_secs_f64();
                }
            }
        }
        let train_seconds: f64 = parts.iter().sum();
        let names = ["pack the batch", "loss, gradients and pull", "clip and AdamW"];
        let step_seconds =
            names.into_iter().zip(parts).map(|(n, s)| (n.to_owned(), s / f64::from(timed_steps.max(1)))).collect();

        let trie = Trie::new(&dataset.index);
        let decoder = Decoder {
            vocabulary: &vocabulary,
            index: &dataset.index,
            trie: &trie,
            decoding: Decoding::Trie,
            softmax: Softmax::AllTokens,
            beams: 10,
        };
        let users = tests(dataset, Protocol::SameBlock, stage, UsersPerStage::Sample(options.eval_users));
        let model = Ensemble::from(model.map(&|t: Tensor<B, 2>| t.inner()));
        Cell::default().test(&model, &decoder, None, writer, &users[..users.len().min(4)]);
        let (mut cell, began) = (Cell::default(), Instant::now());
        for batch in users.chunks(USERS_A_BATCH) {
            cell.test(&model, &decoder, None, writer, batch);
        }
        let eval_seconds = began.elapsed().as_secs_f64();
        let eval_users = cell.users();
        let at = CellIndex { protocol: Protocol::SameBlock, trained: 1, tested: 1 };
        let record = cell.record(at, &crate::project::Evaluation::default());
        Ok(BenchReport {
            device: self.device_name,
            data: format!("{}, block {stage}", dataset.name),
            vocabulary: vocabulary.tokens(),
            base_parameters,
            train_examples: timed,
            train_examples_per_s: timed as f64 / train_seconds.max(1e-9),
            eval_users,
            eval_users_per_s: eval_users as f64 / eval_seconds.max(1e-9),
            peak_memory_bytes: peak_memory::peak_bytes(),
            step_seconds,
            hit_at_10: record.metrics.get("hit@10").copied().unwrap_or(0.0),
        })
    }
}

fn parameters<B: Backend>(model: &mut crate::model::Llama<B>) -> usize {
    let mut count = 0;
    model.visit(&mut |_, _, tensor| count += tensor.shape().num_elements());
    count
}

fn wait<B: Backend>(device: &B::Device) -> Result<(), RunError> {
    B::sync(device).map_err(|error| RunError::Device {
        device: B::name(device),
        message: format!("{error:?}"),
        next: "cpu".to_owned(),
    })
}
