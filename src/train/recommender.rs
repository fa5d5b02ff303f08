//! Runs of recommenders that are trained stage by stage beside the language model: SASRec and the two towers.

use std::path::PathBuf;
use std::time::Instant;

use super::evaluate::KnownCatalogue;
use super::recorder::Recorder;
use super::{Task, result_matrix};
use crate::baseline::DatasetSize;
use crate::baseline::stage_recommender::{Progress, Query, StageRecommender};
use crate::data::{Example, KnownItems};
use crate::error::{InputError, RunError};
use crate::measure::UserOutcome;
use crate::method::MethodOptions;
use crate::model::backend::TrainingBackend;
use crate::peak_memory;
use crate::run::RunFolder;
use crate::run::observer::{Control, Level, Observer, Phase, StageRecord, StepRecord};

/// The recommender that options describe, with fresh parameters; none where they describe something else.
///
/// # Errors
/// Its options cannot be used.
pub fn make<B: TrainingBackend>(
    task: &Task<'_>,
    options: &MethodOptions,
    seed: u64,
    device: &B::Device,
) -> Result<Option<Box<dyn StageRecommender>>, InputError> {
    let made = options.recommender::<B>(DatasetSize::of(&task.dataset), seed, device).transpose();
    made.map_err(|problem| InputError::new(&task.project.folder, problem).at("field `experiments`"))
}

/// Where a stage (from 1) leaves the recommender.
pub fn state_file(folder: &RunFolder, stage: usize) -> PathBuf {
    folder.adapter(stage).join("recommender.safetensors")
}

/// Trains and measures all stages, from wherever an earlier worker left them.
///
/// # Errors
/// The user stops; the loss is no number; records or parameters cannot be read or written.
pub fn run(
    task: &Task<'_>,
    folder: &RunFolder,
    recommender: &mut dyn StageRecommender,
    recorder: &mut Recorder<'_>,
) -> Result<(), RunError> {
    for stage in 1..=task.dataset.stages.len() {
        let there = folder.reader()?.stages()?.into_iter().find(|record| record.stage == stage);
        let file = state_file(folder, stage);
        let mut record = match there.filter(|_| file.is_file()) {
            Some(record) => {
                recommender.load(&file)?;
                record
            }
            None => {
                recorder.writer.rewind(stage, Phase::Train, 0)?;
                let record = train(task, stage, recommender, recorder)?;
                // The record comes first: where the parameters are there, it says how they came about.
                recorder.stage(&record)?;
                crate::files::create_folder(&folder.adapter(stage))?;
                recommender.save(&file)?;
                record
            }
        };
        let beams = task.project.evaluation.beams;
        let answers = &mut |tests: &[Example<'_>], known: Option<&KnownCatalogue>| {
            answers(recommender, tests, beams, known.map(|known| &known.items))
        };
        result_matrix::measure_row_with(task, folder, &mut record, answers, recorder)?;
    }
    Ok(())
}

/// What a recommender answers to tests, with lists of `length` items, and of known items where these are given.
fn answers(
    recommender: &dyn StageRecommender,
    tests: &[Example<'_>],
    length: usize,
    known: Option<&KnownItems>,
) -> Vec<UserOutcome> {
    let queries: Vec<Query<'_>> = tests.iter().map(|&test| test.into()).collect();
    let ranked = |known| -> Vec<Vec<u32>> {
        let lists = recommender.recommend(&queries, length, known).into_iter();
        lists.map(|list| list.into_iter().map(|scored| scored.item).collect()).collect()
    };
    let (whole, known) = (ranked(None), known.map(|known| ranked(Some(known))));
    let outcome = |(index, test): (usize, &Example<'_>)| {
        UserOutcome::of_items(
            test.user,
            test.target,
            &whole[index],
            known.as_ref().map(|lists| lists[index].as_slice()),
        )
    };
    tests.iter().enumerate().map(outcome).collect()
}

fn train(
    task: &Task<'_>,
    stage: usize,
    recommender: &mut dyn StageRecommender,
    recorder: &mut Recorder<'_>,
) -> Result<StageRecord, RunError> {
    let (began, stages) = (Instant::now(), task.dataset.stages.len());
    let train_examples = task.dataset.stages[stage - 1].training_examples() as u64;
    let test_users = result_matrix::test_users_of(task, stage);
    let started = StageRecord { stage, train_examples, test_users, ..StageRecord::default() };
    recorder.stage(&started)?;
    let mut step_began = Instant::now();
    let on_progress = &mut |progress: Progress| {
        match progress {
            Progress::Step { epoch, step, loss, penalty, examples } => {
                recorder.step(&StepRecord {
                    phase: Phase::Train,
                    stage,
                    epoch,
                    step,
                    steps: step,
                    loss,
                    penalty,
                    penalty_share: penalty / (loss + penalty).max(f64::MIN_POSITIVE),
                    // Nothing pulls an adapter here, and the optimiser keeps its gradients to itself.
                    pull_ratio: f64::NAN,
                    gradient_norm: f64::NAN,
                    learning_rate: f64::NAN,
                    examples,
                    seconds: step_began.elapsed().as_secs_f64(),
                })?;
                step_began = Instant::now();
            }
            Progress::Epoch { epoch, epochs, training_loss, validation_loss } => {
                let text = format!(
                    "stage {stage}, epoch {epoch} of {epochs}: training loss {training_loss:.4}, validation loss \
                     {validation_loss:.4}"
                );
                recorder.event(Level::Info, &text)?;
                let seconds = began.elapsed().as_secs_f64();
                let rate = (epoch as u64 * train_examples) as f64 / seconds.max(1e-9);
                recorder.progress(&crate::run::observer::Progress {
                    phase: Phase::Train,
                    stage,
                    stages,
                    done: epoch as u64,
                    total: epochs as u64,
                    rate,
                    eta_seconds: Some(seconds / epoch as f64 * ((epochs - epoch) + epochs * (stages - stage)) as f64),
                    memory_bytes: peak_memory::peak_bytes(),
                })?;
            }
        }
        if recorder.control() == Control::Stop { Err(RunError::Stopped) } else { Ok(()) }
    };
    let figures = recommender.train_stage(&task.dataset, stage - 1, on_progress)?;
    Ok(StageRecord {
        final_loss: figures.final_loss,
        validation_losses: figures.validation_losses,
        best_epoch: figures.best_epoch,
        train_seconds: began.elapsed().as_secs_f64(),
        peak_memory_bytes: peak_memory::peak_bytes(),
        ..started
    })
}
