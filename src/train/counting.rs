//! Runs of the two non-learned baselines, which stand in every comparison.

use std::time::Instant;

use super::evaluate::{metrics, test_user_counts, tests};
use super::{Task, result_matrix};
use crate::baseline::{self, ChosenOptions, CoOccurrence, CountingBaseline, Popularity};
use crate::data::KnownItems;
use crate::error::RunError;
use crate::peak_memory;
use crate::run::observer::{EvaluationRecord, Level, Observer, StageRecord};
use crate::run::{RunFolder, RunMethod, RunWriter};

/// Chooses the options that the baseline has, counts on each stage and measures the matrix `R[i, j]`.
///
/// # Errors
/// The records cannot be written.
pub fn run(task: &Task<'_>, folder: &RunFolder, writer: &mut RunWriter) -> Result<(), RunError> {
    let evaluation = &task.project.evaluation;
    let chosen = (folder.config().method == RunMethod::CoOccurrence).then(|| ChosenOptions::of(&task.dataset));
    if let Some(chosen) = &chosen {
        writer.chosen_options(chosen)?;
        writer.event(Level::Info, &chosen.to_string())?;
    }
    for trained in 0..task.dataset.stages.len() {
        let began = Instant::now();
        let counted: Box<dyn CountingBaseline> = match chosen {
            Some(chosen) => Box::new(CoOccurrence::fit(&task.dataset, trained, chosen.options)),
            None => Box::new(Popularity::fit(&task.dataset, trained)),
        };
        let train_seconds = began.elapsed().as_secs_f64();
        let eval_began = Instant::now();
        for at in result_matrix::row(task, trained + 1) {
            let began = Instant::now();
            let tests = tests(&task.dataset, at.protocol, at.tested - 1, evaluation.users);
            let known = evaluation.known_items.then(|| KnownItems::by(&task.dataset, at.tested - 1));
            let users = baseline::answers(counted.as_ref(), tests, evaluation.beams, known.as_ref());
            let metrics = metrics(&users, evaluation);
            writer.evaluation(&EvaluationRecord { at, metrics, users, seconds: began.elapsed().as_secs_f64() })?;
        }
        writer.stage(&StageRecord {
            stage: trained + 1,
            train_examples: task.dataset.stages[trained].training_examples() as u64,
            test_users: test_user_counts(&task.dataset, evaluation.users)[trained] as u64,
            train_seconds,
            eval_seconds: eval_began.elapsed().as_secs_f64(),
            peak_memory_bytes: peak_memory::peak_bytes(),
            finished: true,
            ..StageRecord::default()
        })?;
    }
    Ok(())
}
