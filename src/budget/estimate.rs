//! Time and memory of runs before they are started: from a short measurement, or from runs that are finished.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::memory_estimate::{MemoryEstimate, memory_estimates};
use super::warm_up::{Speed, WarmUp};
use crate::error::{InputError, RunError};
use crate::method::{AdapterMethod, MethodOptions};
use crate::model::backend::run_on;
use crate::project::{Evaluation, Project, Training};
use crate::run::observer::StageRecord;
use crate::run::planned::{PlannedRun, planned};
use crate::run::schedule::Room;
use crate::run::shared_part::{self, SharedPart};
use crate::run::{EvaluationSummary, RunFolder, RunMethod, RunOptions, RunSelection, Status};
use crate::schema::{FieldSetting, Kind, Setting};
use crate::train::Task;
use crate::train::preflight::{Preflight, preflight};
use crate::train::work::Work;
use crate::{device, peak_memory};

/// What runs are expected to take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub project: String,
    pub device: String,
    pub runs: Vec<RunEstimate>,
    /// Of all runs, one after another.
    pub seconds: f64,
    /// Of the run that needs most.
    pub peak_memory_bytes: u64,
    /// Memory that is free now, where the system tells.
    pub memory_free_bytes: Option<u64>,
    /// How many workers there is room for at once.
    pub workers: usize,
    /// What takes memory in training, from the shapes alone, by device.
    pub memory: Vec<MemoryEstimate>,
    /// What will be lacking, and the disk that is needed and free.
    #[serde(default)]
    pub preflight: Preflight,
}

/// What one run is expected to take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEstimate {
    pub run: String,
    pub experiment: String,
    /// The method's key.
    pub method: String,
    pub seed: u64,
    pub status: Status,
    /// What is left of it, with what it is the first to need of what runs share; none where it is only counted, which
    /// takes moments, and where it trains no language model: SASRec, two towers and hybrids take minutes.
    pub seconds: Option<f64>,
    pub peak_memory_bytes: Option<u64>,
    pub basis: Basis,
    /// What the seconds are made of; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<RunWork>,
}

/// What is left to do in a run, and how long each part of it takes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RunWork {
    /// Training examples of all adapters, over all epochs.
    pub examples: u64,
    pub train_seconds: f64,
    /// Test users, once for each stage that they are tested after.
    pub tests: u64,
    pub test_seconds: f64,
    /// Loading, and looking at examples between the stages.
    pub beside_seconds: f64,
    /// What it makes for the other runs of its seed: base model and stage 1.
    pub shared_seconds: f64,
}

impl RunWork {
    /// All of it.
    pub fn seconds(&self) -> f64 {
        self.train_seconds + self.test_seconds + self.beside_seconds + self.shared_seconds
    }
}

/// What an estimate rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A few steps and a few users.
    WarmUp,
    /// Finished runs of the same kind.
    FinishedRuns,
    /// Nothing: the run is done, or it trains no language model.
    None,
}

/// Estimates the selected runs of a project, on a machine with so many cores. Takes some seconds for each
/// method that has no finished run.
///
/// # Errors
/// Data, model or device cannot be used.
pub fn estimate(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    cores: usize,
) -> Result<Estimate, RunError> {
    let runs = planned(project, selection)?;
    let task = Task::load(project, options)?;
    let memory = memory_estimates(&task);
    let preflight = preflight(&task, &runs)?;
    let shared = shared_part::folders(&task.runs_dir).into_iter().filter(|folder| folder.status() == Status::Finished);
    let mut estimator = Estimator {
        ready: shared.map(|folder| SharedPart::of(folder.config())).collect(),
        fresh: options.fresh,
        speeds: BTreeMap::new(),
        task,
    };
    estimator.read_finished()?;
    let runs = runs.iter().map(|run| estimator.run(run)).collect::<Result<Vec<_>, _>>()?;
    let peak_memory_bytes = runs.iter().filter_map(|run| run.peak_memory_bytes).max().unwrap_or(0);
    let room = Room {
        runs: runs.iter().filter(|run| run.status != Status::Finished).count(),
        cpu: estimator.task.device.kind() == "cpu",
        cores,
        memory_bytes: peak_memory::available_bytes(),
        worker_bytes: peak_memory_bytes,
    };
    Ok(Estimate {
        project: project.name.clone(),
        device: estimator.task.device_name,
        seconds: runs.iter().filter_map(|run| run.seconds).sum(),
        peak_memory_bytes,
        memory_free_bytes: room.memory_bytes,
        workers: room.workers(),
        memory,
        preflight,
        runs,
    })
}

/// How many workers there is room for, on a machine with so many cores.
///
/// # Errors
/// As [`estimate`].
pub fn room(project: &Project, selection: &RunSelection, options: &RunOptions, cores: usize) -> Result<Room, RunError> {
    let runs_dir = project.runs_dir(options.out.as_deref());
    let mut left = 0;
    for run in planned(project, selection)? {
        let folder = RunFolder::open(&RunFolder::path_of(&runs_dir, &run.id(project)?));
        left += usize::from(options.fresh || !folder.is_ok_and(|folder| folder.status() == Status::Finished));
    }
    let cpu = device::choose(options.device).is_ok_and(|(device, _)| device.kind() == "cpu");
    let mut room = Room { runs: left, cpu, cores, memory_bytes: peak_memory::available_bytes(), worker_bytes: 0 };
    if room.workers() > 1 {
        room.worker_bytes = match peak_of_finished(project, &runs_dir) {
            0 => estimate(project, selection, options, cores)?.peak_memory_bytes,
            bytes => bytes,
        };
    }
    Ok(room)
}

/// Most memory that a finished run of the project had.
fn peak_of_finished(project: &Project, runs_dir: &Path) -> u64 {
    let runs = RunFolder::list(runs_dir);
    let own = runs.iter().filter(|run| run.config().belongs_to(project) && run.status() == Status::Finished);
    let stages = own.filter_map(|run| run.reader().and_then(|reader| reader.stages()).ok()).flatten();
    stages.map(|stage| stage.peak_memory_bytes).max().unwrap_or(0)
}

struct Estimator<'a> {
    task: Task<'a>,
    /// Shared parts that are there, or that a run before makes.
    ready: BTreeSet<SharedPart>,
    fresh: bool,
    /// By kind of run: as fast runs are taken to be.
    speeds: BTreeMap<String, (Speed, Basis)>,
}

impl Estimator<'_> {
    fn folder(&self, run: &PlannedRun) -> Result<Option<RunFolder>, InputError> {
        let path = RunFolder::path_of(&self.task.runs_dir, &run.id(self.task.project)?);
        Ok(if self.fresh || !path.is_dir() { None } else { Some(RunFolder::open(&path)?) })
    }

    /// Takes the speeds of all finished runs on these data with this base model and these tests, whatever is to be estimated: those
    /// of other seeds, of other weights of a term, and of settings that the project has no more.
    fn read_finished(&mut self) -> Result<(), RunError> {
        if self.fresh {
            return Ok(());
        }
        let shared = shared_part::folders(&self.task.runs_dir);
        for folder in RunFolder::list(&self.task.runs_dir) {
            let config = folder.config();
            let RunMethod::Learned(method) = &config.method else { continue };
            let Some(adapts) = method.adapter_method().filter(|method| method.trains()) else { continue };
            if !has_same_work(&config.project, self.task.project) || folder.status() != Status::Finished {
                continue;
            }
            let training = &config.project.training;
            let project = Project { training: training.clone(), ..self.task.project.clone() };
            let work = Work::of(&Task { project: &project, ..self.task.clone() }, adapts);
            let parts = shared_part::parts(&project, config.seed)?;
            let base = shared
                .iter()
                .find(|folder| parts.first() == Some(&SharedPart::of(folder.config())))
                .map_or(Ok(Vec::new()), |folder| folder.reader()?.stages())?;
            let reader = folder.reader()?;
            let mut speed = measured(&work, &reader.stages()?, base.first());
            let has_known = reader.evaluations()?.iter().any(EvaluationSummary::has_known_items);
            if self.task.project.evaluation.known_items && !has_known {
                // A second search a test, which takes at most as long as the first.
                speed.test = speed.test.map(|seconds| 2.0 * seconds);
            }
            self.speeds.insert(kind_of(method, training), (speed, Basis::FinishedRuns));
        }
        Ok(())
    }

    fn run(&mut self, run: &PlannedRun) -> Result<RunEstimate, RunError> {
        let folder = self.folder(run)?;
        let status = folder.as_ref().map_or(Status::Queued, RunFolder::status);
        let mut estimate = RunEstimate {
            run: run.id(self.task.project)?,
            experiment: run.experiment.clone(),
            method: run.method.key().to_owned(),
            seed: run.seed,
            status,
            seconds: None,
            peak_memory_bytes: None,
            basis: Basis::None,
            work: None,
        };
        let RunMethod::Learned(method) = &run.method else { return Ok(estimate) };
        if status == Status::Finished {
            estimate.seconds = Some(0.0);
            return Ok(estimate);
        }
        let Some(adapts) = method.adapter_method() else { return Ok(estimate) };
        let done = folder.map_or(Ok(Vec::new()), |folder| folder.reader()?.stages())?;
        let done = done.iter().filter(|stage| stage.finished).count();
        let project = run.project(self.task.project);
        let task = self.task.of_run(&project)?;
        let (speed, basis) = self.speed(method, adapts, &task)?;
        let work = Work::of(&task, adapts);
        let mut left = later(&work, &speed, done.max(1));
        if done == 0 {
            for part in shared_part::parts(&project, run.seed)? {
                let name = part.name();
                // The first run that needs a part makes it for the others.
                if self.ready.insert(part) {
                    left.shared_seconds +=
                        if name == shared_part::BASE { work.base as f64 * speed.base } else { first(&work, &speed) };
                }
            }
        }
        estimate.seconds = Some(left.seconds());
        estimate.work = Some(left);
        estimate.peak_memory_bytes = Some(speed.peak_memory_bytes);
        estimate.basis = basis;
        Ok(estimate)
    }

    /// The speed of runs of this kind, measured now where it is not known.
    fn speed(
        &mut self,
        options: &MethodOptions,
        method: &dyn AdapterMethod,
        task: &Task<'_>,
    ) -> Result<(Speed, Basis), RunError> {
        let kind = kind_of(options, &task.project.training);
        if let Some(known) = self.speeds.get(&kind) {
            return Ok(known.clone());
        }
        let speed = run_on(&task.device, WarmUp { task, method })?;
        self.speeds.insert(kind, (speed.clone(), Basis::WarmUp));
        Ok((speed, Basis::WarmUp))
    }
}

/// Whether a run of one project has the data, the model and the tests of another's.
fn has_same_work(one: &Project, other: &Project) -> bool {
    let tests = |project: &Project| Evaluation { known_items: false, ..project.evaluation.clone() };
    (&one.dataset, &one.semantic_ids, &one.base_model) == (&other.dataset, &other.semantic_ids, &other.base_model)
        && tests(one) == tests(other)
}

/// What runs agree on that are equally fast: the method with its choices and counts but without its weights, and the shape of
/// training.
fn kind_of(method: &MethodOptions, training: &Training) -> String {
    let is_weight = |field: &FieldSetting| match field.field.kind {
        Kind::Number { .. } => true,
        Kind::NumberOr { .. } => matches!(field.setting, Setting::Number(_)),
        _ => false,
    };
    let fields = method.fields().into_iter().filter(|field| !is_weight(field));
    let choices: Vec<String> = fields.map(|field| format!("{} {}", field.path, field.setting)).collect();
    let Training { batch, accumulation, checkpointing, storage, max_history, softmax, vocabulary, lora, .. } = training;
    let dropout = training.dropout > 0.0;
    format!(
        "{} {choices:?} {batch} {accumulation} {checkpointing} {storage:?} {max_history} {softmax:?} {vocabulary:?} {} {dropout}",
        method.card().key,
        lora.rank
    )
}

/// The speed of a finished run, by its stages' records and the base model's.
fn measured(work: &Work, stages: &[StageRecord], base: Option<&StageRecord>) -> Speed {
    let ratio = |seconds: f64, count: u64| if count > 0 { seconds / count as f64 } else { 0.0 };
    let (first, later) = stages.split_at(stages.len().min(1));
    let sum = |records: &[StageRecord], seconds: fn(&StageRecord) -> f64| records.iter().map(seconds).sum::<f64>();
    let trained: u64 = work.train.iter().skip(1).flatten().sum();
    let later_train = ratio(sum(later, |record| record.train_seconds), trained);
    Speed {
        base: base.map_or(0.0, |base| ratio(base.train_seconds, work.base)),
        first: ratio(
            sum(first, |record| record.train_seconds),
            work.train.first().map_or(0, |parts| parts.iter().sum()),
        ),
        later: vec![later_train; work.train.get(1).map_or(0, Vec::len)],
        test: [
            ratio(sum(first, |record| record.eval_seconds), work.test.first().copied().unwrap_or(0)),
            ratio(sum(later, |record| record.eval_seconds), work.test.iter().skip(1).sum()),
        ],
        stage: 0.0,
        peak_memory_bytes: stages.iter().map(|record| record.peak_memory_bytes).max().unwrap_or(0),
    }
}

/// Seconds for stage 1.
fn first(work: &Work, speed: &Speed) -> f64 {
    let trained = work.train.first().map_or(0, |parts| parts.iter().sum::<u64>());
    trained as f64 * speed.first + work.test.first().map_or(0, |users| *users) as f64 * speed.test[0]
}

/// What is to be done in the stages after the first `done`.
fn later(work: &Work, speed: &Speed, done: usize) -> RunWork {
    let mut left = RunWork::default();
    for (parts, users) in work.train.iter().zip(&work.test).skip(done) {
        left.examples += parts.iter().sum::<u64>();
        left.train_seconds +=
            parts.iter().zip(&speed.later).map(|(examples, speed)| *examples as f64 * speed).sum::<f64>();
        left.tests += users;
        left.test_seconds += *users as f64 * speed.test[1];
        left.beside_seconds += if parts.is_empty() { 0.0 } else { speed.stage };
    }
    left
}
