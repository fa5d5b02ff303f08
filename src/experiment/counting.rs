//! Runs of the two counting baselines, which stand in every comparison.

use std::time::Instant;

use super::evaluate::{metrics, test_users};
use super::memory;
use super::observer::{EvaluationRecord, Observer, StageRecord};
use super::run_folder::{RunFolder, RunMethod, RunWriter};
use super::worker::Task;
use crate::baseline::{self, CoOccurrence, CountingBaseline, Popularity};
use crate::error::Failure;

/// Counts on each stage and measures the whole matrix `R[i, j]`.
///
/// # Errors
/// The records cannot be written.
pub fn run(task: &Task<'_>, folder: &RunFolder, writer: &mut RunWriter) -> Result<(), Failure> {
    let evaluation = &task.project.evaluation;
    for trained in 0..task.dataset.stages.len() {
        let began = Instant::now();
        let counted: Box<dyn CountingBaseline> = match folder.config().method {
            RunMethod::CoOccurrence => Box::new(CoOccurrence::fit(&task.dataset, trained)),
            _ => Box::new(Popularity::fit(&task.dataset, trained)),
        };
        let train_seconds = began.elapsed().as_secs_f64();
        let (mut users_tested, eval_began) = (0, Instant::now());
        for tested in 0..task.dataset.stages.len() {
            let began = Instant::now();
            let users = test_users(&task.dataset, tested, evaluation.users);
            let outcomes = baseline::evaluate(counted.as_ref(), users.iter().copied(), evaluation.beams);
            if tested == trained {
                users_tested = outcomes.len();
            }
            writer.evaluation(&EvaluationRecord {
                trained_stage: trained + 1,
                test_stage: tested + 1,
                metrics: metrics(&outcomes, evaluation),
                users: outcomes,
                seconds: began.elapsed().as_secs_f64(),
            })?;
        }
        writer.stage(&StageRecord {
            stage: trained + 1,
            train_examples: task.dataset.stages[trained].training_examples() as u64,
            test_users: users_tested as u64,
            train_seconds,
            eval_seconds: eval_began.elapsed().as_secs_f64(),
            peak_memory_bytes: memory::peak_bytes(),
            finished: true,
            ..StageRecord::default()
        })?;
    }
    Ok(())
}
