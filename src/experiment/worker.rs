//! The worker: runs a project's experiments one after another, each into its run folder.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::counting;
use super::hybrid;
use super::memory;
use super::observer::{EvaluationRecord, Level, Observer, Progress, StageRecord, StepRecord, Wanted};
use super::planned::{PlannedRun, planned};
use super::project::Project;
use super::recommender;
use super::results::Status;
use super::rows;
use super::run_folder::{RunConfig, RunFolder, RunMethod, RunWriter};
use super::shared::{self, Shared};
use super::stages;
use super::start;
use super::work::Work;
use crate::data::Dataset;
use crate::data::formats::{self, Watch};
use crate::device::{self, Device, DeviceChoice};
use crate::error::{Failure, Unusable};
use crate::method::{Method, MethodOptions};
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::llama::PROJECTIONS;
use crate::model::prompt::Continuations;
use crate::model::{BaseModel, LlamaConfig, Storage, Vocabulary, VocabularyMode};
use crate::semantic_id::Trie;

/// Which runs, where, and from where on.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Names of experiments; all where empty.
    pub experiments: Vec<String>,
    /// The project's seeds where empty.
    pub seeds: Vec<u64>,
    /// Ids of runs; of those that experiments and seeds choose, all where empty.
    pub runs: Vec<String>,
    pub device: DeviceChoice,
    /// Folder of the runs, instead of `runs` beside the project.
    pub out: Option<PathBuf>,
    /// Starts over what is finished or half done.
    pub fresh: bool,
    /// Time between two checkpoints: what a killed worker loses at most, beside a step.
    pub checkpoint_every: Duration,
}

/// Checkpoints are small beside a stage's work, and this much work is soon done again.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);

/// Watches a worker from the same process.
pub trait Watcher {
    /// How far the import of the data is, before the first run; small data needs no word.
    fn importing(&mut self, _: formats::Progress) {}
    /// A run begins or is resumed: its number from 1, of how many.
    fn run_started(&mut self, number: usize, of: usize, config: &RunConfig);
    /// How far the current run is.
    fn progress(&mut self, progress: &Progress);
    /// Something worth a line.
    fn event(&mut self, level: Level, text: &str);
    /// Whether the user has interrupted the process.
    fn interrupted(&self) -> bool;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    pub run: String,
    pub experiment: String,
    pub status: Status,
    pub reason: Option<String>,
}

/// What all runs of a project share: its data, and the tokens made of it. A clone shares them too.
#[derive(Clone)]
pub struct Task<'a> {
    pub project: &'a Project,
    pub dataset: Arc<Dataset>,
    pub trie: Arc<Trie>,
    pub vocabulary: Vocabulary,
    /// What follows at each node of the trie, as tokens.
    pub continuations: Arc<Continuations>,
    /// Shape of the base model.
    pub llama: LlamaConfig,
    pub device: Device,
    pub device_name: String,
    pub runs_dir: PathBuf,
    pub fresh: bool,
    pub checkpoint_every: Duration,
}

impl<'a> Task<'a> {
    /// Loads a project's data and looks at its base model.
    ///
    /// # Errors
    /// Data or model cannot be used, or the device is not there.
    pub fn load(project: &'a Project, options: &RunOptions) -> Result<Self, Failure> {
        Self::load_watched(project, options, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, with the progress of an import told to `watch`.
    ///
    /// # Errors
    /// As [`Task::load`], or stopped where `watch` ended the import.
    pub fn load_watched(project: &'a Project, options: &RunOptions, watch: Watch<'_>) -> Result<Self, Failure> {
        let index = project.index_path();
        let dataset = Dataset::load_watched(&project.dataset, index.as_deref(), &project.folder, watch)?.dataset;
        Self::of(project, Arc::new(dataset), options)
    }

    /// As [`Self::load`], of data that are read already.
    ///
    /// # Errors
    /// The base model cannot be used, or the device is not there.
    pub fn of(project: &'a Project, dataset: Arc<Dataset>, options: &RunOptions) -> Result<Self, Failure> {
        let llama = project.architecture()?;
        let choice = options.device;
        let (device, survey) = device::choose(choice).map_err(|message| Failure::Device {
            device: choice.to_string(),
            message,
            next: "cpu".to_owned(),
        })?;
        let trie = Trie::new(&dataset.index);
        let vocabulary = project.vocabulary(&llama, &dataset.index)?;
        Ok(Self {
            project,
            continuations: Arc::new(Continuations::new(&trie, &vocabulary)),
            trie: Arc::new(trie),
            vocabulary,
            dataset,
            llama,
            device_name: format!("{} ({})", survey.chosen, survey.name),
            device,
            runs_dir: project.runs_dir(options.out.as_deref()),
            fresh: options.fresh,
            checkpoint_every: options.checkpoint_every,
        })
    }

    /// Parameters that a method trains in a stage: the adapter's and the chosen rows of embedding and head.
    pub fn trainable_parameters(&self, method: &dyn Method) -> u64 {
        let rank = self.project.training.lora.rank;
        let widths = PROJECTIONS.map(|projection| self.llama.projection(projection));
        let factor = |width: fn(&(usize, usize)) -> usize| {
            (self.llama.layers * rank * widths.iter().map(width).sum::<usize>()) as u64
        };
        let (a, b) = (factor(|&(_, input)| input), factor(|&(output, _)| output));
        let rows = match self.project.training.vocabulary {
            VocabularyMode::Frozen => 0,
            VocabularyMode::NewTokens => self.vocabulary.added,
            VocabularyMode::Full => self.vocabulary.tokens(),
        };
        let tables = if self.llama.tied { 1 } else { 2 };
        method.trainable([a, b], (tables * rows * self.llama.width) as u64)
    }

    /// The configuration of a run of this task.
    pub(super) fn config(&self, experiment: &str, method: RunMethod, seed: u64) -> Result<RunConfig, Unusable> {
        let config_hash = RunConfig::hash_of(self.project, &method)?;
        let learned = method.is_learned();
        Ok(RunConfig {
            format: RunConfig::FORMAT,
            run: RunConfig::id_of(experiment, &method, seed, &config_hash),
            experiment: experiment.to_owned(),
            trainable_parameters: match &method {
                RunMethod::Learned(MethodOptions::SasRec(options)) => options.parameters(self.dataset.items.len()),
                RunMethod::Learned(MethodOptions::TwoTower(options)) => {
                    (options.width * (self.dataset.users.len() + self.dataset.items.len())) as u64
                }
                other => other.adapter_method().map_or(0, |method| self.trainable_parameters(method.as_ref())),
            },
            device: if learned { self.device_name.clone() } else { "cpu".to_owned() },
            model_hash: if method.adapts_model() { self.start_hash(seed)? } else { String::new() },
            method,
            seed,
            project: self.project.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash,
            data_hash: self.dataset.hash.clone(),
            synthetic: self.dataset.synthetic,
            stages: self.dataset.stages.len(),
            created_unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        })
    }

    /// Identifies what stage 1 begins with: the base model, and the adapter that others made.
    fn start_hash(&self, seed: u64) -> Result<String, Unusable> {
        let base = self.model_hash(seed);
        Ok(match start::hash(self.project)? {
            None => base,
            Some(adapter) => hex(Sha256::digest(format!("{base} {adapter}").as_bytes())),
        })
    }

    /// Identifies the base model before stage 1: its description and the seed of its weights, or its files' sizes.
    pub(super) fn model_hash(&self, seed: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{:?} {:?}", self.llama, self.vocabulary));
        match &self.project.base_model {
            BaseModel::Compact(compact) => hash.update(format!("{compact:?} {seed}")),
            BaseModel::Gguf(path) => {
                let length = self.project.folder.join(path).metadata().map_or(0, |m| m.len());
                hash.update(format!("{length}"));
            }
            BaseModel::HuggingFace(path) => {
                let folder = self.project.folder.join(path);
                let mut files: Vec<_> = std::fs::read_dir(folder)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .filter(|f| f.path().extension().is_some_and(|e| e == "safetensors"))
                    .map(|f| (f.file_name(), f.metadata().map_or(0, |m| m.len())))
                    .collect();
                files.sort();
                hash.update(format!("{files:?}"));
            }
        }
        hex(hash.finalize())
    }
}

/// A digest in hexadecimal digits.
pub(super) fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs experiments of a project, one after another; what is finished is left alone, what is half done is resumed.
///
/// A run that fails does not stop the others; a stop by the user does.
///
/// # Errors
/// Nothing could be started: data, model, device or an experiment's name cannot be used.
pub fn run(project: &Project, options: &RunOptions, watcher: &mut dyn Watcher) -> Result<Vec<RunOutcome>, Failure> {
    let runs = planned(project, options)?;
    let task = Task::load_watched(project, options, &mut |progress| watched(watcher, progress))?;
    crate::files::create_folder(&task.runs_dir)?;
    let mut outcomes = Vec::with_capacity(runs.len());
    for (run, number) in runs.iter().zip(1..) {
        let outcome = run_planned(&task, run, (number, runs.len()), watcher)?;
        let stopped = outcome.status == Status::Stopped;
        outcomes.push(outcome);
        if stopped {
            break;
        }
    }
    Ok(outcomes)
}

/// Tells a watcher how far an import is, and ends it where the user has interrupted the process.
pub fn watched(watcher: &mut dyn Watcher, progress: formats::Progress) -> ControlFlow<()> {
    watcher.importing(progress);
    if watcher.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Does one of the runs, its number from 1 of how many; the task is that of the whole project.
///
/// # Errors
/// It could not be started.
pub fn run_planned(
    task: &Task<'_>,
    run: &PlannedRun,
    (number, of): (usize, usize),
    watcher: &mut dyn Watcher,
) -> Result<RunOutcome, Failure> {
    let project = run.project(task.project);
    let task = Task { project: &project, ..task.clone() };
    let config = task.config(&run.experiment, run.method.clone(), run.seed)?;
    if config.method.adapts_model() {
        // Better told now than after a base model was trained.
        start::read(&project, &task.llama, &task.vocabulary)?;
    }
    watcher.run_started(number, of, &config);
    one_run(&task, &config, watcher)
}

fn one_run(task: &Task<'_>, config: &RunConfig, watcher: &mut dyn Watcher) -> Result<RunOutcome, Failure> {
    let outcome = |status, reason: Option<String>| RunOutcome {
        run: config.run.clone(),
        experiment: config.experiment.clone(),
        status,
        reason,
    };
    let there = task.runs_dir.join(&config.run);
    if task.fresh && there.exists() {
        RunFolder::open(&there)?.delete()?;
    }
    let folder = RunFolder::create(&task.runs_dir, config)?;
    if folder.status() == Status::Finished && rows::are_complete(task, &folder)? {
        return Ok(outcome(Status::Finished, None));
    }
    let lock = match folder.lock() {
        Ok(lock) => lock,
        Err(busy) if !config.method.is_learned() => return Ok(outcome(Status::Running, Some(busy.to_string()))),
        Err(busy) => return Err(busy.into()),
    };
    // What was wanted of an earlier worker does not bind this one.
    folder.set_control(Wanted::Run)?;
    let work = config.method.adapter_method().map(|method| Work::of(task, method.as_ref()));
    let mut recorder = Recorder { writer: folder.writer()?, watcher, work };
    recorder.writer.set_status(Status::Running, None)?;
    rows::record_test_sets(task, &folder, &mut recorder.writer)?;
    recorder.event(Level::Info, &format!("started on {}", task.device_name))?;
    let result = guarded(task, || match &config.method {
        RunMethod::Learned(_) => run_on(&task.device, LearnedRun { task, folder: &folder, recorder: &mut recorder }),
        _ => counting::run(task, &folder, &mut recorder.writer),
    });
    let (status, reason) = match result {
        Ok(()) => (Status::Finished, None),
        Err(Failure::Stopped) => (Status::Stopped, Some(Failure::Stopped.to_string())),
        Err(failure) => (Status::Failed, Some(failure.to_string())),
    };
    let level = if status == Status::Failed { Level::Error } else { Level::Info };
    let text = reason.clone().unwrap_or_else(|| format!("finished; peak memory {} MiB", memory::peak_bytes() >> 20));
    recorder.event(level, &text)?;
    recorder.writer.set_status(status, reason.as_deref())?;
    drop(lock);
    Ok(outcome(status, reason))
}

/// Turns a panic of a device's driver or of the computation into a failure of the run.
pub(super) fn guarded<T>(task: &Task<'_>, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(Failure::Device {
            device: task.device_name.clone(),
            message: text.unwrap_or_else(|| "the computation was cut off".to_owned()),
            next: task.device.next().to_owned(),
        })
    })
}

struct LearnedRun<'a, 'w> {
    task: &'a Task<'a>,
    folder: &'a RunFolder,
    recorder: &'a mut Recorder<'w>,
}

impl OnDevice for LearnedRun<'_, '_> {
    type Output = Result<(), Failure>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let RunConfig { method, seed, .. } = self.folder.config();
        if let RunMethod::Learned(options) = method {
            if let MethodOptions::Hybrid(hybrid) = options {
                return hybrid::run::<B>(self.task, self.folder, hybrid, device, self.recorder);
            }
            if let Some(mut made) = recommender::make::<B>(self.task, options, *seed, device)? {
                return recommender::run(self.task, self.folder, made.as_mut(), self.recorder);
            }
        }
        if let (Storage::Half, Some(path)) = (self.task.project.training.storage, self.task.project.base_model.path())
            && let Some(half) = shared::pretrained::<B>(self.task, path, device)?.stored_types().half()
        {
            self.recorder.event(Level::Info, &format!("weights that are not trained are stored as {half}"))?;
        }
        if !shared::is_imported(self.folder)? {
            let shared = Shared::ensure::<B>(self.task, self.folder.config().seed, device, self.recorder)?;
            shared.import(self.folder, &mut self.recorder.writer)?;
        }
        stages::run::<B>(self.task, self.folder, device, self.recorder)
    }
}

/// Writes into a run's folder and tells the watcher; stops where either wants it.
pub struct Recorder<'w> {
    pub writer: RunWriter,
    pub watcher: &'w mut dyn Watcher,
    /// What the run has to do, for the time that is left; none where it only counts.
    pub work: Option<Work>,
}

impl Observer for Recorder<'_> {
    fn step(&mut self, step: &StepRecord) -> Result<(), Unusable> {
        self.writer.step(step)
    }

    fn evaluation(&mut self, evaluation: &EvaluationRecord) -> Result<(), Unusable> {
        self.writer.evaluation(evaluation)
    }

    fn stage(&mut self, stage: &StageRecord) -> Result<(), Unusable> {
        self.writer.stage(stage)
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), Unusable> {
        let afterwards = self.work.as_ref().map_or(0, |work| work.after(progress.phase, progress.stage));
        let eta_seconds = progress.eta_seconds.map(|phase| phase + afterwards as f64 / progress.rate);
        let progress = Progress { eta_seconds, ..progress.clone() };
        self.watcher.progress(&progress);
        self.writer.progress(&progress)
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), Unusable> {
        self.watcher.event(level, text);
        self.writer.event(level, text)
    }

    fn is_pausing(&mut self) -> bool {
        self.writer.is_pausing()
    }

    fn wanted(&mut self) -> Wanted {
        let mut paused = false;
        loop {
            if self.watcher.interrupted() {
                return Wanted::Stop;
            }
            let wanted = self.writer.wanted_now();
            if wanted == Wanted::Pause || paused {
                // A status that cannot be written must not change what the user wants; the next record reports it.
                let status = if wanted == Wanted::Pause { Status::Paused } else { Status::Running };
                let _ = self.writer.set_status(status, None);
            }
            if wanted != Wanted::Pause {
                return wanted;
            }
            paused = true;
            thread::sleep(Duration::from_millis(100));
        }
    }
}
