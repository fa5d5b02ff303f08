//! What all methods of a seed share: the base model and stage 1, trained once, in a folder beside the runs.

use std::thread;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;
use serde_json::json;

use super::base_model::{base_folder, load_base};
use super::rank_search::RankChoice;
use super::recorder::{Recorder, rewind_point};
use super::result_matrix::{self, measure_row};
use super::stage_artifacts::write_adapter;
use super::stage_data::StageData;
use super::{Task, jobs, model_loading, start};
use crate::error::{InputError, RunError};
use crate::method::plan::Data;
use crate::method::{Guides, MethodOptions, Part};
use crate::model::adapter::Adapter;
use crate::model::backend::TrainingBackend;
use crate::model::{BaseModel, Compact, Llama, RankSearch, weights};
use crate::project::slug::SHARED_PREFIX;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::{Control, EvaluationRecord, Level, Observer, Phase, Progress, StageRecord, StepRecord};
use crate::run::shared_part::{self, BASE, FIRST, SharedPart};
use crate::run::{RunConfig, RunFolder, RunMethod, RunWriter, Status, WorkerLock};
use crate::{canonical, files};

/// What all runs of a seed start from, each part in a folder beside the runs that whoever comes first fills.
pub struct Shared {
    /// The compact base model; none where the base model came from elsewhere. It depends on fewer settings than
    /// stage 1, so that a change of LoRA's settings does not train it again.
    base: Option<RunFolder>,
    /// The adapter of stage 1 and its measurements.
    first: RunFolder,
}

impl Shared {
    /// Trains base model and stage 1 of a seed, or takes them where they are there already.
    ///
    /// # Errors
    /// See [`super::trainer::Job::run`].
    pub fn ensure<B: TrainingBackend>(
        task: &Task<'_>,
        seed: u64,
        device: &B::Device,
        recorder: &mut Recorder<'_>,
    ) -> Result<Self, RunError> {
        let base = Self::ensure_base::<B>(task, seed, device, recorder)?;
        let config = task.config("Stage 1", RunMethod::Learned(MethodOptions::Frozen), seed)?;
        let first = ensure_part(task, FIRST, config, recorder, |folder, recorder| {
            if let Some(base) = &base {
                files::copy_files(&base_folder(base), &base_folder(folder))?;
            }
            train_first_stage::<B>(task, folder, device, recorder)
        })?;
        Ok(Self { base, first })
    }

    /// Trains the compact base model of a seed, or takes it where it is there already; none where the base model came from
    /// elsewhere.
    ///
    /// # Errors
    /// See [`super::trainer::Job::run`].
    pub fn ensure_base<B: TrainingBackend>(
        task: &Task<'_>,
        seed: u64,
        device: &B::Device,
        recorder: &mut Recorder<'_>,
    ) -> Result<Option<RunFolder>, RunError> {
        let BaseModel::Compact(compact) = &task.project.base_model else { return Ok(None) };
        let mut config = task.config("Base model", RunMethod::Learned(MethodOptions::Frozen), seed)?;
        config.config_hash = RunConfig::hash_of_base(task.project)?;
        config.model_hash = task.model(seed).base_hash()?;
        let train = |folder: &RunFolder, recorder: &mut SharedRecorder<'_, '_>| {
            train_base::<B>(task, compact, folder, device, recorder)
        };
        ensure_part(task, BASE, config, recorder, train).map(Some)
    }

    /// Copies the shared parts into a run, so that its folder is whole by itself.
    ///
    /// # Errors
    /// A folder cannot be read or written.
    pub fn import(&self, run: &RunFolder, writer: &mut RunWriter) -> Result<(), InputError> {
        writer.rewind(1, Phase::Base, 0)?;
        for part in self.base.iter().chain([&self.first]) {
            for (_, step) in part.reader()?.steps_after(0)? {
                writer.step(&step)?;
            }
        }
        let from = self.first.reader()?;
        for cell in from.evaluations()? {
            writer.evaluation(&from.evaluation(&cell)?)?;
        }
        files::copy_files(&self.first.adapter(1), &run.adapter(1))?;
        if self.base.is_some() {
            files::copy_files(&base_folder(&self.first), &base_folder(run))?;
        }
        // The stage's record comes last: where it says finished, everything before it is there.
        from.stages()?.iter().try_for_each(|stage| writer.stage(stage))
    }
}

/// A shared folder in which `work` is done: now, or earlier, or by another worker while this one waits.
fn ensure_part(
    task: &Task<'_>,
    part: &str,
    mut config: RunConfig,
    recorder: &mut Recorder<'_>,
    work: impl FnOnce(&RunFolder, &mut SharedRecorder<'_, '_>) -> Result<(), RunError>,
) -> Result<RunFolder, RunError> {
    let RunConfig { config_hash, data_hash, model_hash, .. } = &config;
    let identity = json!({
        "config": config_hash, "data": data_hash, "model": model_hash, "device": task.device.kind(),
    });
    let hash = canonical::hash(&format!("shared part {}", RunConfig::IDENTITY), &identity);
    config.run = format!("{SHARED_PREFIX}{part}-s{}-{}", config.seed, &hash[..8]);
    let folder = match of_another_identity(task, &config) {
        Some(folder) => folder,
        None => RunFolder::create(&task.runs_dir, &config)?,
    };
    if folder.status() == Status::Finished {
        return Ok(folder);
    }
    let lock = wait_for_lock(&folder, recorder)?;
    if folder.status() != Status::Finished {
        let mut inner = SharedRecorder { writer: folder.writer()?, run: recorder };
        inner.writer.set_status(Status::Running, None)?;
        let result = work(&folder, &mut inner);
        let status = if result.is_ok() { Status::Finished } else { Status::Stopped };
        inner.writer.set_status(status, None)?;
        result?;
    }
    drop(lock);
    Ok(folder)
}

/// The same part as a program with another [identity](RunConfig::IDENTITY) named it.
fn of_another_identity(task: &Task<'_>, config: &RunConfig) -> Option<RunFolder> {
    let part = SharedPart::of(config);
    shared_part::folders(&task.runs_dir).into_iter().find(|folder| {
        let there = folder.config();
        let made_of = |config: &RunConfig| (config.data_hash.clone(), config.device.clone());
        there.identity != config.identity && SharedPart::of(there) == part && made_of(there) == made_of(config)
    })
}

/// Another worker may be at it: its work is ours too.
fn wait_for_lock(folder: &RunFolder, recorder: &mut Recorder<'_>) -> Result<WorkerLock, RunError> {
    let mut reported = false;
    loop {
        if let Some(lock) = folder.try_lock()? {
            return Ok(lock);
        }
        if recorder.control() == Control::Stop {
            return Err(RunError::Stopped);
        }
        if reported {
            thread::sleep(Duration::from_millis(500));
        } else {
            recorder.event(Level::Info, "waiting for another worker that trains what this run shares with it")?;
            reported = true;
        }
    }
}

/// Trains all parameters of a compact model on stage 1 and writes it.
fn train_base<B: TrainingBackend>(
    task: &Task<'_>,
    compact: &Compact,
    folder: &RunFolder,
    device: &B::Device,
    recorder: &mut SharedRecorder<'_, '_>,
) -> Result<(), RunError> {
    let checkpoint = recorder.go_back(folder, Phase::Base)?;
    let (seed, data) = (folder.config().seed, StageData::new(task, 0, Data::Stage, 0));
    let mut model: Llama<B> = weights::initialise_compact(&task.llama, task.vocabulary.added, seed, device);
    let job = jobs::base_job(task, compact, &data, seed, folder.checkpoint());
    let mut record = StageRecord { stage: 1, ..StageRecord::default() };
    job.run(&mut model, &mut Guides::default(), Some(checkpoint), &mut record, recorder)?;
    Ok(weights::write_compact(&base_folder(folder), &mut model)?)
}

/// Trains the adapter of stage 1 and measures it.
fn train_first_stage<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    device: &B::Device,
    recorder: &mut SharedRecorder<'_, '_>,
) -> Result<(), RunError> {
    let checkpoint = recorder.go_back(folder, Phase::Train)?;
    let (seed, data) = (folder.config().seed, StageData::new(task, 0, Data::Stage, 0));
    let (mut record, stages) = (data.record(task), task.dataset.stages.len());
    if checkpoint.cursor.phase == Phase::Train {
        let mut model = load_base::<B>(task, folder, device, &mut model_loading::on_progress(recorder, 1, stages))?;
        start::put_on(task, &mut model, seed)?;
        let (search, mut searched) = (task.project.training.lora.search, None);
        if task.project.training.start.trains() {
            let ranks = RankChoice::of(task, &model);
            if let Some(ranks) = ranks.as_ref().filter(|_| search == RankSearch::Spectrum) {
                model = model.cut(&ranks.space.ranks(&ranks.proposal));
            }
            let mut job = jobs::stage_job(task, &data, &Part::from(Adapter::default()), 0, seed, folder.checkpoint());
            job.elastic = ranks.as_ref().filter(|_| search.is_measured()).map(|ranks| &ranks.space);
            job.run(&mut model, &mut Guides::default(), Some(checkpoint), &mut record, recorder)?;
            if let Some(ranks) = &ranks {
                let began = Instant::now();
                let found = ranks.choose(task, &model, &data, seed, recorder)?;
                model = model.cut(&ranks.space.ranks(&found.configuration(&ranks.space)));
                record.train_seconds += began.elapsed().as_secs_f64();
                searched = Some(found);
            }
        } else {
            record.train_examples = 0;
        }
        write_adapter(task, &mut model, &[], &folder.adapter(1))?;
        searched.map_or(Ok(()), |found| found.write(&folder.adapter(1)))?;
        recorder.stage(&record)?;
        Checkpoint::at(1, Phase::Evaluate).save(&folder.checkpoint())?;
    } else if let Some(there) = folder.reader()?.stages()?.into_iter().next() {
        record = there;
    }
    measure_untrained::<B>(task, folder, device, recorder)?;
    measure_row::<B>(task, folder, &mut record, device, recorder)
}

/// Measures what is missing of the model before any training; see [`result_matrix::measure_untrained`].
///
/// # Errors
/// The base model cannot be read, the records cannot be read or written, or the user stops the run.
pub fn measure_untrained<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    device: &B::Device,
    recorder: &mut dyn Observer,
) -> Result<(), RunError> {
    let (seed, stages) = (folder.config().seed, task.dataset.stages.len());
    let untrained = |observer: &mut dyn Observer| -> Result<Llama<B::InnerBackend>, InputError> {
        let model = match &task.project.base_model {
            BaseModel::Compact(_) => weights::initialise_compact(&task.llama, task.vocabulary.added, seed, device),
            BaseModel::HuggingFace(_) | BaseModel::Gguf(_) => {
                load_base::<B>(task, folder, device, &mut model_loading::on_progress(observer, 1, stages))?
            }
        };
        Ok(model.map(&|t: Tensor<B, 2>| t.inner()))
    };
    result_matrix::measure_untrained(task, folder, untrained, recorder)
}

/// Whether a run has its own copy of the shared stage 1.
///
/// # Errors
/// Its records cannot be read.
pub fn is_imported(run: &RunFolder) -> Result<bool, InputError> {
    Ok(run.reader()?.stages()?.first().is_some_and(|stage| stage.finished))
}

/// Writes into the shared folder; steps, progress and events also go to the run that waits for it, which is what people
/// watch, pause and stop.
struct SharedRecorder<'a, 'w> {
    writer: RunWriter,
    run: &'a mut Recorder<'w>,
}

impl SharedRecorder<'_, '_> {
    /// The checkpoint that the shared work goes on from, `first` where there is none; what was recorded after it is
    /// taken back.
    fn go_back(&mut self, folder: &RunFolder, first: Phase) -> Result<Checkpoint, InputError> {
        let checkpoint = Checkpoint::load(&folder.checkpoint())?.unwrap_or_else(|| Checkpoint::at(1, first));
        let (phase, step) = rewind_point(&checkpoint, folder)?;
        self.writer.rewind(1, phase, step)?;
        self.run.writer.rewind(1, phase, step)?;
        Ok(checkpoint)
    }
}

impl Observer for SharedRecorder<'_, '_> {
    fn step(&mut self, step: &StepRecord) -> Result<(), InputError> {
        self.writer.step(step)?;
        self.run.step(step)
    }

    fn evaluation(&mut self, evaluation: &EvaluationRecord) -> Result<(), InputError> {
        self.writer.evaluation(evaluation)
    }

    fn stage(&mut self, stage: &StageRecord) -> Result<(), InputError> {
        self.writer.stage(stage)
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), InputError> {
        self.run.progress(progress)
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), InputError> {
        self.writer.event(level, text)?;
        self.run.event(level, text)
    }

    fn is_pausing(&mut self) -> bool {
        self.run.is_pausing()
    }

    fn control(&mut self) -> Control {
        self.run.control()
    }
}
