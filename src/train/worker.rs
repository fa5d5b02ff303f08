//! The worker: runs a project's experiments one after another, each into its run folder.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::base_model::pretrained;
use super::preflight::preflight;
use super::recorder::{Recorder, Watcher, guarded};
use super::shared::{self, Shared};
use super::work::Work;
use super::{Task, counting, federated, hybrid, recommender, result_matrix, stages, start, steered};
use crate::error::RunError;
use crate::model::Storage;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::peak_memory;
use crate::project::Project;
use crate::run::observer::{Control, Level, Observer};
use crate::run::planned::{PlannedRun, planned};
use crate::run::queue::Queue;
use crate::run::shared_part::{self, BASE, FIRST};
use crate::run::{RunConfig, RunFolder, RunMethod, RunOptions, RunOutcome, RunSelection, Status};

/// Runs experiments of a project, one after another; what is finished is left alone, what is half done is resumed.
///
/// A run that fails or cannot be started does not stop the others; a stop by the user does. Runs that another worker is at
/// come last. Where it is not done by then they are left to it, or waited for where the worker is patient.
///
/// # Errors
/// Nothing could be started: data, model, device or an experiment's name cannot be used.
pub fn run(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    watcher: &mut dyn Watcher,
) -> Result<Vec<RunOutcome>, RunError> {
    let runs = planned(project, selection)?;
    let task = Task::load_watched(project, options, &mut |progress| watcher.import_progress(progress))?;
    for warning in preflight(&task, &runs)?.warnings {
        watcher.event(Level::Warning, &warning.to_string());
    }
    crate::files::create_folder(&task.runs_dir)?;
    let (mut outcomes, mut failures, mut busy) = (Vec::with_capacity(runs.len()), Vec::new(), BTreeSet::new());
    let numbered = runs.iter().zip(1..).map(|(run, number)| (run, RunNumber { number, of: runs.len() }));
    let mut waiting: VecDeque<_> = numbered.collect();
    while let Some((run, number)) = waiting.pop_front() {
        let was_busy = busy.contains(&number.number);
        // One of several that wait for each other takes over what another was cut off from, and nothing else.
        let leaves = options.patient && was_busy;
        let outcome = match run_or_leave(&task, run, number, leaves, watcher) {
            Ok(outcome) if outcome.status == Status::Running && (options.patient || !was_busy) => {
                busy.insert(number.number);
                // What is made of it comes after it.
                let (made_of_it, others): (VecDeque<_>, _) =
                    waiting.into_iter().partition(|(other, _)| other.is_made_of(run));
                let all_wait = was_busy && others.iter().all(|(_, other)| busy.contains(&other.number));
                waiting = others;
                waiting.push_back((run, number));
                waiting.extend(made_of_it);
                if all_wait && !rest(watcher) {
                    outcomes.push(RunOutcome { status: Status::Stopped, ..outcome });
                    break;
                }
                continue;
            }
            Ok(outcome) => outcome,
            Err(RunError::Stopped) => return Err(RunError::Stopped),
            Err(failure) => {
                let outcome = RunOutcome::not_started(&run.experiment, run.seed, &failure);
                failures.push(failure);
                outcome
            }
        };
        let stopped = outcome.status == Status::Stopped;
        outcomes.push(outcome);
        if stopped && !leaves {
            break;
        }
    }
    // Where nothing could be started, an input of the whole command is wrong.
    if failures.len() == outcomes.len() && !failures.is_empty() { Err(failures.swap_remove(0)) } else { Ok(outcomes) }
}

/// Does a run. With `leaves` it is one that another worker had until now: where it failed there or was stopped by the user,
/// what happened to it is told, and it is not begun again.
fn run_or_leave(
    task: &Task<'_>,
    run: &PlannedRun,
    number: RunNumber,
    leaves: bool,
    watcher: &mut dyn Watcher,
) -> Result<RunOutcome, RunError> {
    if leaves {
        let folder = RunFolder::open(&RunFolder::path_of(&task.runs_dir, &run.id(task.project)?))?;
        let reader = folder.reader()?;
        let status = reader.recorded_status()?;
        if matches!(status, Status::Failed | Status::Stopped) {
            return Ok(outcome_of(folder.config(), status, reader.reason()?));
        }
    }
    run_planned(task, run, number, watcher)
}

/// Between two looks at runs that others have.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Waits a little; false where the user interrupts it.
fn rest(watcher: &dyn Watcher) -> bool {
    let began = Instant::now();
    while began.elapsed() < LOOK_AGAIN && !watcher.interrupted() {
        thread::sleep(Duration::from_millis(50));
    }
    !watcher.interrupted()
}

/// Makes what the selected runs share and what is not there yet, each part in the name of the first run that needs it: base
/// models, and with `first_stage` the adapters of stage 1 as well.
///
/// # Errors
/// Data, model or device cannot be used, a part cannot be made, or the user stops it.
pub fn prepare(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    first_stage: bool,
    watcher: &mut dyn Watcher,
) -> Result<(), RunError> {
    let runs = planned(project, selection)?;
    let task = Task::load_watched(project, options, &mut |progress| watcher.import_progress(progress))?;
    crate::files::create_folder(&task.runs_dir)?;
    let makers = shared_part::makers(project, &runs, if first_stage { FIRST } else { BASE })?;
    for (number, run) in (1..).zip(&makers) {
        let own = run.project(project);
        let task = task.of_run(&own)?;
        let config = task.config(&run.experiment, run.method.clone(), run.seed)?;
        watcher.run_started(number, makers.len(), &config);
        let folder = RunFolder::create(&task.runs_dir, &config)?;
        if shared::is_imported(&folder)? {
            continue;
        }
        let lock = folder.lock()?;
        folder.set_control(Control::Run)?;
        let work = config.method.adapter_method().map(|method| Work::of(&task, method));
        let mut recorder = Recorder { writer: folder.writer()?, watcher, work };
        recorder.writer.set_status(Status::Running, None)?;
        let preparing = Preparing { task: &task, seed: run.seed, first_stage, recorder: &mut recorder };
        let result = guarded(&task, || run_on(&task.device, preparing));
        let (status, reason) = match &result {
            Ok(()) => (Status::Queued, "what it shares with others is made".to_owned()),
            Err(RunError::Stopped) => (Status::Stopped, RunError::Stopped.to_string()),
            Err(failure) => (Status::Failed, failure.to_string()),
        };
        recorder.writer.set_status(status, Some(&reason))?;
        drop(lock);
        result?;
    }
    Ok(())
}

struct Preparing<'a, 'w> {
    task: &'a Task<'a>,
    seed: u64,
    first_stage: bool,
    recorder: &'a mut Recorder<'w>,
}

impl OnDevice for Preparing<'_, '_> {
    type Output = Result<(), RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        if self.first_stage {
            Shared::ensure::<B>(self.task, self.seed, device, self.recorder).map(drop)
        } else {
            Shared::ensure_base::<B>(self.task, self.seed, device, self.recorder).map(drop)
        }
    }
}

/// Runs what is in the queue of a project until it is empty; nothing where another worker is at it. The project is read
/// anew for every run.
///
/// A run that fails, that the user stops or that cannot be started does not stop the others; an interruption does.
///
/// # Errors
/// A run could not be started: why the first of them could not, once the others are done.
pub fn run_queue(path: &Path, options: &RunOptions, watcher: &mut dyn Watcher) -> Result<Vec<RunOutcome>, RunError> {
    let queue = Queue::new(&Project::load(path)?.runs_dir(options.out.as_deref()));
    let (mut outcomes, mut not_started) = (Vec::new(), None);
    let Some(mut worker) = queue.work()? else { return Ok(outcomes) };
    while let Some((still, next)) = worker.next()? {
        worker = still;
        let only =
            RunSelection { experiments: vec![next.experiment], seeds: vec![next.seed], ..RunSelection::default() };
        let project = Project::load(path).map_err(RunError::from);
        match project.and_then(|project| run(&project, &only, options, watcher)) {
            Ok(mut ended) => outcomes.append(&mut ended),
            Err(failure) => not_started = not_started.or(Some(failure)),
        }
        if watcher.interrupted() {
            break;
        }
    }
    not_started.map_or(Ok(outcomes), Err)
}

/// Which of how many runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunNumber {
    /// From 1.
    pub number: usize,
    pub of: usize,
}

/// Does one of the runs; the task is that of the whole project.
///
/// # Errors
/// It could not be started, or the data that it has of its own cannot be made.
pub fn run_planned(
    task: &Task<'_>,
    run: &PlannedRun,
    number: RunNumber,
    watcher: &mut dyn Watcher,
) -> Result<RunOutcome, RunError> {
    let project = run.project(task.project);
    let task = task.of_run(&project)?;
    let config = task.config(&run.experiment, run.method.clone(), run.seed)?;
    if config.method.adapts_model() {
        // Better told now than after a base model was trained.
        start::read(&project, &task.llama, &task.vocabulary)?;
        if let RunMethod::Learned(options) = &config.method
            && let Some(options) = options.method().federated()
        {
            federated::check(&task, options, run.seed)?;
        }
    }
    watcher.run_started(number.number, number.of, &config);
    one_run(&task, &config, watcher)
}

fn one_run(task: &Task<'_>, config: &RunConfig, watcher: &mut dyn Watcher) -> Result<RunOutcome, RunError> {
    let outcome = |status, reason| outcome_of(config, status, reason);
    let there = RunFolder::path_of(&task.runs_dir, &config.run);
    if task.fresh && there.exists() {
        RunFolder::open(&there)?.delete()?;
    }
    let folder = RunFolder::create(&task.runs_dir, config)?;
    let is_done = || -> Result<bool, RunError> {
        Ok(folder.status() == Status::Finished && result_matrix::is_complete(task, &folder)?)
    };
    if is_done()? {
        return Ok(outcome(Status::Finished, None));
    }
    let Some(lock) = folder.try_lock()? else {
        return Ok(outcome(Status::Running, Some(folder.busy().to_string())));
    };
    // Whoever had it may have finished it since, and what is made of it reads its status at this moment.
    if is_done()? {
        return Ok(outcome(Status::Finished, None));
    }
    // What was wanted of an earlier worker does not bind this one.
    folder.set_control(Control::Run)?;
    let work = config.method.adapter_method().map(|method| Work::of(task, method));
    let mut recorder = Recorder { writer: folder.writer()?, watcher, work };
    recorder.writer.set_status(Status::Running, None)?;
    result_matrix::record_test_sets(task, &folder, &mut recorder.writer)?;
    recorder.event(Level::Info, &format!("started on {}", task.device_name))?;
    let result = guarded(task, || match &config.method {
        RunMethod::Learned(_) => run_on(&task.device, LearnedRun { task, folder: &folder, recorder: &mut recorder }),
        _ => counting::run(task, &folder, &mut recorder.writer),
    });
    let (status, reason) = match result {
        Ok(()) => (Status::Finished, None),
        Err(RunError::Stopped) => (Status::Stopped, Some(RunError::Stopped.to_string())),
        Err(failure) => (Status::Failed, Some(failure.to_string())),
    };
    let level = if status == Status::Failed { Level::Error } else { Level::Info };
    let text =
        reason.clone().unwrap_or_else(|| format!("finished; peak memory {} MiB", peak_memory::peak_bytes() >> 20));
    let told = recorder.event(level, &text).and_then(|()| recorder.writer.set_status(status, reason.as_deref()));
    drop(lock);
    match told {
        // A disk that took no record takes none of that either: the run reads as cut off, and why is told here.
        Err(failure) if status == Status::Finished => Ok(outcome(Status::Failed, Some(failure.to_string()))),
        _ => Ok(outcome(status, reason)),
    }
}

fn outcome_of(config: &RunConfig, status: Status, reason: Option<String>) -> RunOutcome {
    RunOutcome { run: config.run.clone(), experiment: config.experiment.clone(), status, reason, unusable_input: false }
}

struct LearnedRun<'a, 'w> {
    task: &'a Task<'a>,
    folder: &'a RunFolder,
    recorder: &'a mut Recorder<'w>,
}

impl OnDevice for LearnedRun<'_, '_> {
    type Output = Result<(), RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let RunConfig { method, seed, .. } = self.folder.config();
        if let RunMethod::Learned(options) = method {
            if let Some(hybrid) = options.method().fusion() {
                return hybrid::run::<B>(self.task, self.folder, hybrid, device, self.recorder);
            }
            if let Some(mut made) = recommender::make::<B>(self.task, options, *seed, device)? {
                return recommender::run(self.task, self.folder, made.as_mut(), self.recorder);
            }
        }
        if let (Storage::Half, Some(path)) = (self.task.project.training.storage, self.task.project.base_model.path())
            && let Some(half) = pretrained::<B>(self.task, path, device)?.stored_types().half()
        {
            self.recorder.event(Level::Info, &format!("weights that are not trained are stored as {half}"))?;
        }
        if !shared::is_imported(self.folder)? {
            let shared = Shared::ensure::<B>(self.task, self.folder.config().seed, device, self.recorder)?;
            shared.import(self.folder, &mut self.recorder.writer)?;
        }
        if let RunMethod::Learned(options) = method
            && let Some(options) = options.method().steered()
        {
            return steered::run::<B>(self.task, self.folder, options, device, self.recorder);
        }
        stages::run::<B>(self.task, self.folder, device, self.recorder)
    }
}
