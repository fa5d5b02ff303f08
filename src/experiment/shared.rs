//! What all methods of a seed share: the base model and stage 1, trained once, in a folder beside the runs.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::observer::{EvaluationRecord, Level, Observer, Phase, StageRecord};
use super::results::Status;
use super::run_folder::{RunFolder, RunMethod, RunWriter, SHARED_PREFIX, WorkerLock};
use super::stages::{self, StageData};
use super::step::StepOptions;
use super::trainer::Job;
use super::worker::{Recorder, Task};
use crate::error::{Failure, Unusable};
use crate::files;
use crate::method::MethodOptions;
use crate::model::adapter::Adapter;
use crate::model::backend::TrainingBackend;
use crate::model::llama::Kind;
use crate::model::{BaseModel, Compact, Llama, weights};
use crate::seeds;

/// The finished base model and stage 1 of a seed.
pub struct Shared {
    pub folder: RunFolder,
}

impl Shared {
    /// Trains base model and stage 1 of a seed, or takes them where they are there already.
    ///
    /// # Errors
    /// See [`Job::run`].
    pub fn ensure<B: TrainingBackend>(
        task: &Task<'_>,
        seed: u64,
        device: &B::Device,
        recorder: &mut Recorder<'_>,
    ) -> Result<Self, Failure> {
        let mut config = task.config("Stage 1", RunMethod::Learned(MethodOptions::Frozen), seed)?;
        let identity =
            format!("{} {} {} {}", config.config_hash, config.data_hash, config.model_hash, task.device.kind());
        let digest = Sha256::digest(identity.as_bytes());
        let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        config.run = format!("{SHARED_PREFIX}s{seed}-{short}");
        let folder = RunFolder::create(&task.runs_dir, &config)?;
        let shared = Self { folder };
        if shared.folder.status() == Status::Finished {
            return Ok(shared);
        }
        let _lock = shared.wait_for_lock(recorder)?;
        if shared.folder.status() == Status::Finished {
            return Ok(shared);
        }
        let mut inner = SharedRecorder { writer: shared.folder.writer()?, run: recorder };
        inner.writer.set_status(Status::Running, None)?;
        let result = shared.train::<B>(task, seed, device, &mut inner);
        let status = if result.is_ok() { Status::Finished } else { Status::Stopped };
        inner.writer.set_status(status, None)?;
        result.map(|()| shared)
    }

    /// Another worker may be at it: its work is ours too.
    fn wait_for_lock(&self, recorder: &mut Recorder<'_>) -> Result<WorkerLock, Failure> {
        let mut told = false;
        loop {
            match self.folder.lock() {
                Ok(lock) => return Ok(lock),
                Err(_) if recorder.wanted() == super::observer::Wanted::Stop => return Err(Failure::Stopped),
                Err(_) if told => thread::sleep(Duration::from_millis(500)),
                Err(_) => {
                    recorder.event(Level::Info, "waiting for another worker that trains the shared stage 1")?;
                    told = true;
                }
            }
        }
    }

    fn train<B: TrainingBackend>(
        &self,
        task: &Task<'_>,
        seed: u64,
        device: &B::Device,
        recorder: &mut SharedRecorder<'_, '_>,
    ) -> Result<(), Failure> {
        let checkpoint = Checkpoint::load(&self.folder.checkpoint())?;
        let first_phase =
            if matches!(task.project.base_model, BaseModel::Compact(_)) { Phase::Base } else { Phase::Train };
        let checkpoint = checkpoint.unwrap_or_else(|| Checkpoint::at(1, first_phase));
        let (phase, step) = stages::rewind_point(&checkpoint, &self.folder)?;
        recorder.writer.rewind(1, phase, step)?;
        recorder.run.writer.rewind(1, phase, step)?;
        let data = StageData::new(task, 0);
        let mut checkpoint = Some(checkpoint);
        if phase == Phase::Base
            && let BaseModel::Compact(compact) = &task.project.base_model
        {
            self.train_base::<B>(task, compact, seed, device, &data, checkpoint.take(), recorder)?;
            Checkpoint::at(1, Phase::Train).save(&self.folder.checkpoint())?;
        }
        let mut record = data.record(task);
        if phase != Phase::Evaluate {
            let mut model = load_base::<B>(task, &self.folder, device)?;
            Adapter::fresh(&task.llama, task.project.training.lora, seed, "adapter 1").put_on(&mut model);
            let job = stages::job(task, &data, None, seed, self.folder.checkpoint());
            let resume = checkpoint.take().filter(|c| c.cursor.phase == Phase::Train);
            job.run(&mut model, resume, &mut record, recorder)?;
            stages::keep(task, &mut model, None, &self.folder.adapter(1))?;
            recorder.stage(&record)?;
            Checkpoint::at(1, Phase::Evaluate).save(&self.folder.checkpoint())?;
        } else if let Some(there) = self.folder.reader()?.stages()?.into_iter().next() {
            record = there;
        }
        stages::measure_row::<B>(task, &self.folder, &mut record, device, recorder)
    }

    /// Trains all parameters of a compact model on stage 1 and writes it.
    #[allow(clippy::too_many_arguments, reason = "one call, each argument a different thing")]
    fn train_base<B: TrainingBackend>(
        &self,
        task: &Task<'_>,
        compact: &Compact,
        seed: u64,
        device: &B::Device,
        data: &StageData,
        resume: Option<Checkpoint>,
        recorder: &mut SharedRecorder<'_, '_>,
    ) -> Result<(), Failure> {
        let training = &task.project.training;
        let mut model: Llama<B> = weights::initialise_compact(&task.llama, task.vocabulary.added, seed, device);
        let job = Job {
            phase: Phase::Base,
            stage: 1,
            stages: task.dataset.stages.len(),
            sequences: &data.sequences,
            validation: &data.validation,
            trains: &|kind| matches!(kind, Kind::Base | Kind::BaseRows | Kind::AddedRows),
            proximal: None,
            epochs: compact.epochs,
            batch: training.batch,
            learning_rate: compact.learning_rate,
            schedule: training.schedule,
            warm_up: training.warm_up,
            weight_decay: training.weight_decay,
            step: StepOptions { temperature: training.temperature, clip: training.clip, dropout: 0.0 },
            seed: seeds::derive(seed, &["base"]),
            checkpoint: self.folder.checkpoint(),
            checkpoint_every: task.checkpoint_every,
            examples_afterwards: stages::work_after(task, 0) + (training.epochs * data.examples) as u64,
        };
        let mut record = StageRecord { stage: 1, ..StageRecord::default() };
        job.run(&mut model, resume, &mut record, recorder)?;
        Ok(weights::write_compact(&base_folder(&self.folder), &mut model)?)
    }
}

/// Folder of the compact base model in a run's folder or the shared one.
pub fn base_folder(folder: &RunFolder) -> PathBuf {
    folder.path().join("base")
}

/// The base model with rows for the new tokens, as it was before any adapter. A compact one lies in every run's folder.
///
/// # Errors
/// Its files cannot be used.
pub fn load_base<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    device: &B::Device,
) -> Result<Llama<B>, Unusable> {
    let added = task.vocabulary.added;
    let mut model = match &task.project.base_model {
        BaseModel::Compact(_) => weights::load_compact(&base_folder(folder), &task.llama, added, device)?,
        BaseModel::HuggingFace(path) => {
            let path = task.project.folder.join(path);
            weights::load_hugging_face(&path, added, folder.config().seed, device)?
        }
    };
    model.lora_scale = task.project.training.lora.scale();
    Ok(model)
}

/// Whether a run has its own copy of the shared stage 1.
///
/// # Errors
/// Its records cannot be read.
pub fn is_imported(run: &RunFolder) -> Result<bool, Unusable> {
    Ok(run.reader()?.stages()?.first().is_some_and(|stage| stage.finished))
}

/// Writes into the shared folder; steps, progress and events also go to the run that waits for it, which is what people
/// watch, pause and stop.
struct SharedRecorder<'a, 'w> {
    writer: RunWriter,
    run: &'a mut Recorder<'w>,
}

impl Observer for SharedRecorder<'_, '_> {
    fn step(&mut self, step: &super::observer::StepRecord) -> Result<(), Unusable> {
        self.writer.step(step)?;
        self.run.step(step)
    }

    fn evaluation(&mut self, evaluation: &EvaluationRecord) -> Result<(), Unusable> {
        self.writer.evaluation(evaluation)
    }

    fn stage(&mut self, stage: &StageRecord) -> Result<(), Unusable> {
        self.writer.stage(stage)
    }

    fn progress(&mut self, progress: &super::observer::Progress) -> Result<(), Unusable> {
        self.run.progress(progress)
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), Unusable> {
        self.writer.event(level, text)?;
        self.run.event(level, text)
    }

    fn is_pausing(&mut self) -> bool {
        self.run.is_pausing()
    }

    fn wanted(&mut self) -> super::observer::Wanted {
        self.run.wanted()
    }
}

/// Copies the shared stage 1 into a run, so that its folder is whole by itself.
///
/// # Errors
/// Either folder cannot be read or written.
pub fn import(shared: &Shared, run: &RunFolder, writer: &mut RunWriter) -> Result<(), Unusable> {
    let from = shared.folder.reader()?;
    writer.rewind(1, Phase::Base, 0)?;
    for (_, step) in from.steps_after(0)? {
        writer.step(&step)?;
    }
    for cell in from.evaluations()? {
        let users = from.user_outcomes(cell.trained_stage, cell.test_stage)?;
        writer.evaluation(&EvaluationRecord {
            trained_stage: cell.trained_stage,
            test_stage: cell.test_stage,
            metrics: cell.metrics,
            users,
            seconds: 0.0,
        })?;
    }
    copy_files(&shared.folder.adapter(1), &run.adapter(1))?;
    let base = base_folder(&shared.folder);
    if base.is_dir() {
        copy_files(&base, &base_folder(run))?;
    }
    // The stage's record comes last: where it says finished, everything before it is there.
    from.stages()?.iter().try_for_each(|stage| writer.stage(stage))
}

/// Copies the files of a folder (not its folders).
pub(super) fn copy_files(from: &Path, to: &Path) -> Result<(), Unusable> {
    files::create_folder(to)?;
    let entries = std::fs::read_dir(from).map_err(|e| Unusable::io(from, "read", &e))?;
    for entry in entries.flatten().filter(|e| e.path().is_file()) {
        let bytes = std::fs::read(entry.path()).map_err(|e| Unusable::io(entry.path(), "read", &e))?;
        files::write_atomically(&to.join(entry.file_name()), &bytes)?;
    }
    Ok(())
}
