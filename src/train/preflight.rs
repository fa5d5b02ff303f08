//! What is to be known before a run is started: what nothing can come of, what will not be measured, and the disk that it takes.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Task;
use super::evaluate::test_counts;
use super::result_matrix::row_tests;
use crate::data::dataset::MIN_INTERACTIONS;
use crate::data::{DatasetSource, Protocol};
use crate::error::InputError;
use crate::files;
use crate::model::BaseModel;
use crate::project::Evaluation;
use crate::run::planned::PlannedRun;
use crate::run::{RunFolder, RunMethod, Status};
use crate::semantic_id::IdCounts;
use crate::text::{counted, joined};

/// Something that a run will lack, and the setting that gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub what: String,
    pub change: String,
}

/// In one line.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.change)
    }
}

/// What is known before the first run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preflight {
    pub warnings: Vec<Warning>,
    /// What the runs that are not finished will take on the disk, roughly.
    pub disk_bytes: u64,
    /// What is free where they are written; none where the system does not tell.
    pub disk_free_bytes: Option<u64>,
}

/// Bytes of a number in an adapter or checkpoint.
const NUMBER: u64 = 4;
/// Copies of what is trained in a checkpoint: itself, both moments of the optimiser and the best epoch; and the checkpoint is
/// written anew before the old one goes.
const CHECKPOINT_COPIES: u64 = 2 * 4;
/// Bytes of a test's outcome in a run's records: places, ten items, keys.
const OUTCOME: u64 = 140;
/// Bytes of a step in a run's records.
const STEP: u64 = 100;
/// What a run takes whatever it trains: its configuration, empty tables, a log.
const LEAST: u64 = 400 << 10;

/// Looks at runs before they are started.
///
/// # Errors
/// Nothing could come of them: nobody to train on or to test, or more on the disk than is free.
pub fn preflight(task: &Task<'_>, runs: &[PlannedRun]) -> Result<Preflight, InputError> {
    something_to_choose(task, runs)?;
    let mut warnings = stages(task)?;
    warnings.extend(cut_offs(&task.project.evaluation));
    let disk_bytes = disk_bytes(task, runs)?;
    let disk_free_bytes = files::free_bytes(&task.runs_dir);
    if let Some(free) = disk_free_bytes.filter(|&free| free < disk_bytes) {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let problem =
            format!("the runs take about {} MiB, and {} MiB are free", mebibytes(disk_bytes), mebibytes(free));
        return Err(InputError::new(&task.runs_dir, problem)
            .advice("make room, run fewer experiments or seeds, or write them elsewhere with `--out DIR`"));
    }
    Ok(Preflight { warnings, disk_bytes, disk_free_bytes })
}

/// Refuses a catalogue in which no recommendation is better than another.
fn something_to_choose(task: &Task<'_>, runs: &[PlannedRun]) -> Result<(), InputError> {
    let IdCounts { items, ids } = task.dataset.index.id_counts();
    let refused = |problem: String, advice: &str| Err(InputError::new(data_path(task), problem).advice(advice));
    if items < 2 {
        return refused(format!("the data have {}: there is nothing to choose", counted(items, "item")), "more items");
    }
    if ids < 2 && runs.iter().any(|run| run.method.adapts_model()) {
        let problem = format!("all {items} items have one id: a language model recommends all of them or none");
        return refused(problem, "ids that differ, such as those that `semantic_ids: Train()` makes of the data");
    }
    Ok(())
}

/// Where the data lie, for errors about them.
fn data_path(task: &Task<'_>) -> PathBuf {
    task.project.dataset.path().map_or_else(|| task.project.folder.clone(), Path::to_path_buf)
}

/// Stages that nobody is trained on or tested in.
fn stages(task: &Task<'_>) -> Result<Vec<Warning>, InputError> {
    let (dataset, evaluation) = (&task.dataset, &task.project.evaluation);
    let unusable =
        |problem: String| InputError::new(data_path(task), problem).advice(more_in_a_stage(&task.project.dataset));
    let few = format!("no user has {MIN_INTERACTIONS} interactions");
    if dataset.stages.first().is_none_or(|stage| stage.training_examples() == 0) {
        return Err(unusable(format!("{few} in stage 1: there is nothing to train on")));
    }
    let tests = |protocol: Protocol| test_counts(dataset, protocol, evaluation.users);
    let later: Vec<Vec<usize>> = evaluation.protocol.each().iter().map(|&protocol| tests(protocol)).collect();
    // One stage alone is a base model with its first adapter, and asks nothing of later ones.
    let has_later = dataset.stages.len() > 1;
    if has_later && later.iter().flat_map(|counts| counts.iter().skip(1)).all(|&count| count == 0) {
        return Err(unusable(format!("{few} in any stage after the first: there is nothing to test")));
    }
    let numbers = |empty: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (1..dataset.stages.len()).filter(|&stage| empty(stage)).map(|stage| stage + 1).collect()
    };
    let untrained = numbers(&|stage| dataset.stages[stage].training_examples() == 0);
    let mut warnings = Vec::new();
    if dataset.users.len() == 1 {
        let what = "The data have one user: no difference can be told from chance".to_owned();
        warnings.push(Warning { what, change: "data of more users".to_owned() });
    }
    let mut warn = |stages: &[usize], words: &str| {
        if !stages.is_empty() {
            let what = format!("{} {words}", stages_in_words(stages));
            warnings.push(Warning { what, change: more_in_a_stage(&task.project.dataset).to_owned() });
        }
    };
    warn(&untrained, &format!("cannot be trained on or validated: {few} there"));
    for (&protocol, counts) in evaluation.protocol.each().iter().zip(&later) {
        let untested: Vec<usize> = numbers(&|stage| counts[stage] == 0);
        // Said once: without three interactions there is no same-block test either.
        if protocol == Protocol::NextBlock || untested != untrained {
            warn(&untested, &format!("cannot be tested under {protocol}: no user there was active before"));
        }
    }
    Ok(warnings)
}

/// `Stage 3`, `Stages 3, 4 and 5`.
fn stages_in_words(stages: &[usize]) -> String {
    let numbers: Vec<String> = stages.iter().map(usize::to_string).collect();
    format!("{} {}", if stages.len() == 1 { "Stage" } else { "Stages" }, joined(&numbers, "and"))
}

/// How stages get more interactions.
fn more_in_a_stage(source: &DatasetSource) -> &'static str {
    match source {
        DatasetSource::Synthetic(_) => "more `interactions` a stage, or more `users`",
        DatasetSource::PesoRelease { .. } => "fewer blocks, or data with more interactions a user",
        DatasetSource::Detect(_) | DatasetSource::Interactions(..) | DatasetSource::Table(_) => {
            "fewer or longer stages, such as `prepare: (stages: Fractions(base: 0.5, later: 2))`"
        }
    }
}

/// Cut-offs that no list is long enough for.
fn cut_offs(evaluation: &Evaluation) -> Option<Warning> {
    let above: Vec<String> = evaluation.k.iter().filter(|&&k| k > evaluation.beams).map(usize::to_string).collect();
    // Nobody asked for those of the usual list.
    let asked = evaluation.k != Evaluation::default().k;
    let most = evaluation.k.iter().max().copied().unwrap_or_default();
    (asked && !above.is_empty()).then(|| Warning {
        what: format!(
            "Hit and NDCG at {} are not measured: a list has as many items as there are beams, {}",
            joined(&above, "and"),
            evaluation.beams
        ),
        change: format!("`evaluation: (beams: {most})`, or leave them out of `evaluation.k`"),
    })
}

/// What the runs that are not finished take on the disk.
fn disk_bytes(task: &Task<'_>, runs: &[PlannedRun]) -> Result<u64, InputError> {
    let mut bytes = 0;
    let mut checkpoint = 0;
    let stages = task.dataset.stages.len() as u64;
    let tests: u64 = (1..=stages as usize).map(|stage| row_tests(task, stage)).sum();
    let examples: u64 = task.dataset.stages.iter().map(|stage| stage.training_examples() as u64).sum();
    let training = &task.project.training;
    let steps = examples * training.epochs_of(0).max(training.epochs_of(1)) as u64 / training.batch.max(1) as u64;
    let base = match task.project.base_model {
        BaseModel::Compact(_) => {
            let own: usize = task.llama.tensors().map(|(_, [rows, columns])| rows * columns).sum();
            let tables = if task.llama.tied { 1 } else { 2 };
            NUMBER * (own + tables * task.vocabulary.added * task.llama.width) as u64
        }
        BaseModel::HuggingFace(_) | BaseModel::Gguf(_) => 0,
    };
    for run in runs {
        let folder = RunFolder::open(&RunFolder::path_of(&task.runs_dir, &run.id(task.project)?));
        if !task.fresh && folder.is_ok_and(|folder| folder.status() == Status::Finished) {
            continue;
        }
        bytes += LEAST + OUTCOME * tests;
        let RunMethod::Learned(options) = &run.method else { continue };
        if let Some(method) = options.adapter_method() {
            let trained = NUMBER * task.trainable_parameters(method);
            bytes += base + stages * trained + STEP * steps;
            checkpoint = checkpoint.max(CHECKPOINT_COPIES * trained);
        }
    }
    Ok(bytes + checkpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_offs_above_the_beams_are_told_where_somebody_asked_for_them() {
        let evaluation = |beams, k: &[usize]| Evaluation { beams, k: k.to_vec(), ..Evaluation::default() };
        assert_eq!(cut_offs(&Evaluation::default()), None);
        assert_eq!(cut_offs(&evaluation(5, &[1, 5])), None);
        let told = cut_offs(&evaluation(5, &[1, 5, 10, 20])).map(|warning| warning.change);
        assert_eq!(told, None, "the usual list");
        let told = cut_offs(&evaluation(5, &[5, 10])).unwrap();
        assert!(told.what.starts_with("Hit and NDCG at 10 are not measured"), "{}", told.what);
        assert!(told.change.starts_with("`evaluation: (beams: 10)`"), "{}", told.change);
    }

    #[test]
    fn stages_are_named() {
        assert_eq!(stages_in_words(&[3]), "Stage 3");
        assert_eq!(stages_in_words(&[2, 3, 5]), "Stages 2, 3 and 5");
    }
}
