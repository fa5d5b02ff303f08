//! Projects of more and more stages, and of more and more runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Bench, Costs, costs, with_memory};
use crate::data::Protocol;
use crate::error::{InputError, RunError};
use crate::files;
use crate::measure::UserMetric;
use crate::peak_memory;
use crate::project::Project;
use crate::results::Results;
use crate::results::comparison::verdicts;
use crate::results::paired_scores::{Selection, UserScores, user_scores};
use crate::results::seeds::SeedChoice;
use crate::run::observer::{CellIndex, EvaluationRecord, Observer as _, StageRecord, UserOutcome};
use crate::run::{RunConfig, RunFolder, RunMethod, Status};

/// A whole run of one method, trained and tested on all stages by a process of its own.
pub(super) fn stages(size: usize, Bench { device, peso, work }: Bench<'_>) -> Result<Costs, RunError> {
    let project = written(
        work,
        &format!(
            "dataset: Synthetic(users: 100, items: 500, stages: {size}, interactions: (11.0, 5.5), arrivals: 0.0), \
             base_model: Compact(width: 32, layers: 2, heads: 4, kv_heads: 2, ffn: 96, epochs: 1), \
             training: (epochs: 1, batch: 16), evaluation: (beams: 10, k: [5, 10]), \
             experiments: [(name: \"PESO\", method: Peso())], seeds: [1],"
        ),
    )?;
    let began = Instant::now();
    let output = Command::new(peso)
        .arg("run")
        .arg(work)
        .args(["--device", &device.to_string(), "--experiment", "PESO"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| InputError::new(peso, format!("cannot be started: {error}")))?;
    let seconds = began.elapsed().as_secs_f64();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(InputError::new(peso, format!("the run ended early: {words}")).into());
    }
    let runs_dir = project.runs_dir(None);
    let (results, _) = Results::read(&project, &runs_dir, Protocol::SameBlock);
    let stages = results.runs.iter().flat_map(|run| &run.stages);
    let memory = stages.map(|stage| stage.peak_memory_bytes).max().unwrap_or(0);
    let bytes = files::tree_bytes(&runs_dir);
    let mut costs = costs([("run_seconds", seconds), ("disk_bytes", bytes as f64)]);
    if memory > 0 {
        costs.insert("process_bytes".to_owned(), memory as f64);
    }
    Ok(costs)
}

/// Of each pretended run.
const STAGES: usize = 3;
const USERS: u32 = 200;

/// What a project of so many finished runs takes to be listed, read and compared.
pub(super) fn runs(size: usize, work: &Path) -> Result<Costs, RunError> {
    // Two methods have a run a seed each.
    let seeds = (1..=size.div_ceil(2)).map(|seed| seed.to_string()).collect::<Vec<_>>().join(", ");
    let project = written(
        work,
        &format!(
            "dataset: Synthetic(users: {USERS}, stages: {STAGES}), base_model: Compact(width: 32), evaluation: (k: [10]), \
             experiments: [(name: \"PESO\", method: Peso()), (name: \"Single\", method: Single)], seeds: [{seeds}],"
        ),
    )?;
    let planned = project.seeds.iter().flat_map(|&seed| project.experiments.iter().map(move |of| (of, seed)));
    for (experiment, seed) in planned.take(size) {
        pretend(&project, &experiment.name, &RunMethod::Learned(experiment.method.clone()), seed)?;
    }
    let runs_dir = project.runs_dir(None);
    let before = peak_memory::peak_bytes();
    let began = Instant::now();
    let (listed, unusable) = RunFolder::list_all(&runs_dir);
    let states = listed.iter().filter(|run| run.status() == Status::Finished).count();
    let listed = began.elapsed().as_secs_f64();
    if let Some(problem) = unusable.into_iter().next() {
        return Err(problem.into());
    }
    if states != size {
        return Err(InputError::new(&runs_dir, format!("{states} finished runs and not {size}")).into());
    }
    let began = Instant::now();
    Results::read(&project, &runs_dir, Protocol::SameBlock);
    let read = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let selection = Selection {
        metric: UserMetric::ndcg(10),
        protocol: Protocol::SameBlock,
        slice: None,
        seeds: SeedChoice::of(false),
    };
    let lines = user_scores(&project, &runs_dir, selection)?;
    verdicts(&lines.iter().collect::<Vec<&UserScores>>(), 0);
    let compared = began.elapsed().as_secs_f64();
    let costs = costs([("list_seconds", listed), ("results_seconds", read), ("comparison_seconds", compared)]);
    Ok(with_memory(costs, before))
}

fn written(folder: &Path, settings: &str) -> Result<Project, InputError> {
    let text = format!("(format: 1, name: \"Growth\", {settings})");
    files::create_folder(folder)?;
    files::write_atomically(&folder.join("project.ron"), text.as_bytes())?;
    Project::load(folder)
}

/// A run folder as a worker leaves it, with outcomes that nobody computed.
fn pretend(project: &Project, name: &str, method: &RunMethod, seed: u64) -> Result<(), RunError> {
    let config_hash = RunConfig::hash_of(project, method)?;
    let config = RunConfig {
        format: RunConfig::FORMAT,
        identity: RunConfig::IDENTITY,
        run: RunConfig::id_of(name, method, seed, &config_hash),
        experiment: name.to_owned(),
        method: method.clone(),
        seed,
        project: project.clone(),
        device: "cpu".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash,
        data_hash: "da7a".to_owned(),
        model_hash: "0de1".to_owned(),
        synthetic: true,
        stages: STAGES,
        catalogue: None,
        trainable_parameters: 1,
        created_unix: 0,
    };
    let run = RunFolder::create(&project.runs_dir(None), &config)?;
    let mut writer = run.writer()?;
    for trained in 1..=STAGES {
        for tested in 1..=STAGES {
            let outcome = |user: u32| UserOutcome {
                user,
                target: 1,
                rank: (user + seed as u32 + (trained * tested) as u32) % 11,
                before: 0,
                sharing: 1,
                top: (0..10).collect(),
                known: None,
            };
            let metrics = ["hit@10", "ndcg@10"].map(|metric| (metric.to_owned(), 0.5)).into();
            let users = (0..USERS).map(outcome).collect();
            let at = CellIndex { protocol: Protocol::SameBlock, trained, tested };
            writer.evaluation(&EvaluationRecord { at, metrics, users, seconds: 0.5 })?;
        }
        writer.stage(&StageRecord { stage: trained, finished: true, ..StageRecord::default() })?;
    }
    writer.set_status(Status::Finished, None)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretended_runs_are_read_and_compared_as_real_ones() {
        let folder = tempfile::tempdir().unwrap();
        let costs = runs(4, folder.path()).unwrap();
        for cost in ["list_seconds", "results_seconds", "comparison_seconds"] {
            assert!(costs[cost] > 0.0, "{costs:?}");
        }
    }
}
