//! Training and evaluation on more and more generated users.

use std::path::Path;

use super::{Costs, costs, with_memory};
use crate::budget::bench::{BenchOptions, BenchReport, bench};
use crate::data::SyntheticOptions;
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::model::Compact;
use crate::peak_memory;

/// A model that takes little time itself, so that what grows is seen.
pub(super) fn model() -> Compact {
    Compact { width: 64, layers: 2, heads: 4, kv_heads: 2, ffn: 192, ..Compact::default() }
}

/// PESO's steps over so many training targets, after two of warm-up.
pub(super) fn examples(size: usize, device: DeviceChoice) -> Result<Costs, RunError> {
    let before = peak_memory::peak_bytes();
    // A user has fewer than two training targets in a stage.
    let report = measured(size + 200, (size, 4), device)?;
    if report.train_examples < size {
        return Err(too_few(report.train_examples, size, "training examples"));
    }
    let seconds = size as f64 / report.train_examples_per_s;
    Ok(with_memory(costs([("training_seconds", seconds)]), before))
}

/// The search over so many test users.
pub(super) fn users(size: usize, device: DeviceChoice) -> Result<Costs, RunError> {
    let before = peak_memory::peak_bytes();
    // About half of the users have a test in a stage.
    let report = measured(3 * size + 50, (1, size), device)?;
    if report.eval_users < size {
        return Err(too_few(report.eval_users, size, "test users"));
    }
    let seconds = size as f64 / report.eval_users_per_s;
    Ok(with_memory(costs([("evaluation_seconds", seconds)]), before))
}

fn measured(
    users: usize,
    (train_examples, eval_users): (usize, usize),
    device: DeviceChoice,
) -> Result<BenchReport, RunError> {
    let synthetic = SyntheticOptions { users, stages: 2, arrivals: 0.0, ..SyntheticOptions::default() };
    bench(&BenchOptions {
        device,
        dataset: None,
        synthetic,
        block: 1,
        model: model(),
        batch: 8,
        train_examples,
        eval_users,
    })
}

fn too_few(found: usize, wanted: usize, what: &str) -> RunError {
    InputError::new(Path::new("generated data"), format!("{found} {what} and not {wanted}")).into()
}
