//! The trainings of a run: what each of them trains, from which start, and how.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Tensor;

use super::Task;
use super::stage_data::StageData;
use super::step::StepOptions;
use super::trainer::Job;
use crate::method::plan::Origin;
use crate::method::{Lambda, Part, Term};
use crate::model::backend::TrainingBackend;
use crate::model::llama::Kind;
use crate::model::{Compact, Llama, VocabularyMode};
use crate::project::Keep;
use crate::run::observer::Phase;
use crate::seeds;

/// Which parameters a stage trains, its A among them or not.
pub fn trained(mode: VocabularyMode, a: bool) -> impl Fn(Kind) -> bool {
    move |kind| match kind {
        Kind::LoraA => a,
        Kind::LoraB | Kind::Magnitudes => true,
        Kind::AddedRows => mode != VocabularyMode::Frozen,
        Kind::BaseRows => mode == VocabularyMode::Full,
        Kind::Base | Kind::Past => false,
    }
}

/// The training of a compact base model on the examples of stage 1: all its parameters.
pub fn base_job<'a>(
    task: &Task<'_>,
    compact: &Compact,
    data: &'a StageData,
    seed: u64,
    checkpoint: PathBuf,
) -> Job<'a> {
    let training = &task.project.training;
    Job {
        phase: Phase::Base,
        stage: 1,
        stages: task.dataset.stages.len(),
        sequences: &data.sequences,
        validation: &data.validation,
        part: 0,
        candidate: None,
        trains: Arc::new(|kind| matches!(kind, Kind::Base | Kind::BaseRows | Kind::AddedRows)),
        epochs: compact.epochs,
        keep: Keep::BestEpoch,
        until: compact.epochs,
        lambda: Lambda::Fixed(1.0),
        batch: training.batch,
        accumulation: training.accumulation,
        learning_rate: compact.learning_rate,
        schedule: training.schedule,
        warm_up: training.warm_up,
        weight_decay: training.weight_decay,
        step: StepOptions {
            temperature: training.temperature,
            clip: training.clip,
            adapter_dropout: 0.0,
            residual_dropout: compact.dropout,
            checkpointing: training.checkpointing,
            equal_pieces: false,
        },
        seed: seeds::derive(seed, &["base"]),
        checkpoint,
        checkpoint_every: task.checkpoint_every,
        elastic: None,
        examples_afterwards: 0,
    }
}

/// The training of one of a stage's adapters, by its number from 0.
pub fn stage_job<'a>(
    task: &Task<'_>,
    data: &'a StageData,
    part: &Part,
    number: usize,
    seed: u64,
    checkpoint: PathBuf,
) -> Job<'a> {
    let training = &task.project.training;
    let as_stage = if part.origin == Origin::Base { 0 } else { data.index };
    let factor = if as_stage == 0 { 1.0 } else { training.later_stage_factor };
    Job {
        phase: Phase::Train,
        stage: data.index + 1,
        stages: task.dataset.stages.len(),
        sequences: &data.sequences,
        validation: &data.validation,
        part: number,
        candidate: None,
        trains: Arc::new(trained(training.vocabulary, part.trains_a)),
        epochs: training.epochs_of(as_stage),
        keep: training.keep,
        until: training.epochs_of(as_stage),
        lambda: part.lambda.clone(),
        batch: training.batch,
        accumulation: training.accumulation,
        learning_rate: training.learning_rate * factor,
        schedule: training.schedule,
        warm_up: training.warm_up,
        weight_decay: training.weight_decay,
        step: StepOptions {
            temperature: training.temperature,
            clip: training.clip,
            adapter_dropout: training.dropout,
            residual_dropout: 0.0,
            checkpointing: training.checkpointing,
            equal_pieces: training.release_compatible,
        },
        seed,
        checkpoint,
        checkpoint_every: task.checkpoint_every,
        elastic: None,
        examples_afterwards: 0,
    }
}

/// The terms of a part, as they are or as the released code has them.
pub fn terms(part: &Part, as_released: bool) -> Vec<Term> {
    let terms = part.terms.iter().cloned();
    if as_released { terms.map(Term::as_released).collect() } else { terms.collect() }
}

/// Puts the adapters on a model with which the training of a part starts.
pub fn put<B: TrainingBackend>(part: &Part, model: &mut Llama<B>, device: &B::Device) {
    part.start.put_on(model);
    if let Some(all) = part.added.iter().cloned().reduce(|all, next| all.concatenated(&next)) {
        all.put_as_past(model);
    }
    if part.magnitudes {
        model.magnitudes = Some(Tensor::ones([1, 1 + part.added.len()], device));
    }
}
