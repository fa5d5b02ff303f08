//! The stage loop of one run: start, train, keep, measure; from wherever an earlier worker left it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::evaluate::{chosen_users, test_user_counts};
use super::memory;
use super::observer::{Observer, Phase, StageRecord};
use super::rows::{complete_rows, copy_row, measure_row, row_tests};
use super::run_folder::{RunFolder, RunMethod};
use super::shared::{copy_files, load_base};
use super::step::StepOptions;
use super::trainer::Job;
use super::worker::{Recorder, Task};
use crate::error::{Failure, Unusable};
use crate::method::Method;
use crate::model::adapter::{Adapter, Matrix, Snapshot};
use crate::model::backend::TrainingBackend;
use crate::model::llama::Kind;
use crate::model::packing::Sequence;
use crate::model::weights::{self, Weights, write_peft};
use crate::model::{Llama, PromptWriter, Softmax, VocabularyMode};

/// The examples of one stage, written for the model.
pub struct StageData {
    /// Stage, from 0.
    pub index: usize,
    pub sequences: Vec<Sequence>,
    pub validation: Vec<Sequence>,
    /// Training targets.
    pub examples: usize,
}

impl StageData {
    /// Writes a stage's training and validation examples.
    pub fn new(task: &Task<'_>, index: usize) -> Self {
        let training = &task.project.training;
        let writer = writer(task);
        let sequences: Vec<Sequence> =
            task.dataset.stages[index].participants().flat_map(|user| writer.training(user, training.batch)).collect();
        let validation = chosen_users(&task.dataset, index, training.validation_users, "validation users");
        let validation = validation.iter().filter_map(|user| user.validation()).map(|e| writer.example(e)).collect();
        let examples = sequences.iter().map(|s| s.branches.len()).sum();
        Self { index, sequences, validation, examples }
    }

    /// The stage's record before anything is trained.
    pub fn record(&self, task: &Task<'_>) -> StageRecord {
        StageRecord {
            stage: self.index + 1,
            train_examples: self.examples as u64,
            test_users: test_user_counts(&task.dataset, task.project.evaluation.users)[self.index] as u64,
            ..StageRecord::default()
        }
    }
}

/// Writes examples for the project's model.
pub fn writer<'t>(task: &'t Task<'_>) -> PromptWriter<'t> {
    PromptWriter {
        vocabulary: &task.vocabulary,
        index: &task.dataset.index,
        max_history: task.project.training.max_history,
        existing: match task.project.training.softmax {
            Softmax::AllTokens => None,
            Softmax::ExistingItems => Some((&task.trie, &task.continuations)),
        },
    }
}

/// Whether a stage trains a parameter.
pub fn trains(mode: VocabularyMode) -> &'static dyn Fn(Kind) -> bool {
    match mode {
        VocabularyMode::Frozen => &|kind| matches!(kind, Kind::LoraA | Kind::LoraB),
        VocabularyMode::NewTokens => &|kind| matches!(kind, Kind::LoraA | Kind::LoraB | Kind::AddedRows),
        VocabularyMode::Full => &|kind| matches!(kind, Kind::LoraA | Kind::LoraB | Kind::AddedRows | Kind::BaseRows),
    }
}

/// Work after a stage's training (index from 0) in training examples; a test user counts as one.
pub fn work_after(task: &Task<'_>, index: usize) -> u64 {
    let dataset = &task.dataset;
    let later = dataset.stages.iter().enumerate().skip(index + 1);
    let examples: usize = later.map(|(i, s)| s.training_examples() * task.project.training.epochs_of(i)).sum();
    let tests: u64 = (index + 1..=dataset.stages.len()).map(|stage| row_tests(task, stage)).sum();
    examples as u64 + tests
}

/// The training of a stage's adapter.
pub fn job<'a>(
    task: &Task<'_>,
    data: &'a StageData,
    method: Option<&dyn Method>,
    seed: u64,
    checkpoint: PathBuf,
) -> Job<'a> {
    let training = &task.project.training;
    let factor = if data.index == 0 { 1.0 } else { training.later_stage_factor };
    Job {
        phase: Phase::Train,
        stage: data.index + 1,
        stages: task.dataset.stages.len(),
        sequences: &data.sequences,
        validation: &data.validation,
        trains: trains(training.vocabulary),
        proximal: method.and_then(Method::proximal),
        epochs: training.epochs_of(data.index),
        batch: training.batch,
        learning_rate: training.learning_rate * factor,
        schedule: training.schedule,
        warm_up: training.warm_up,
        weight_decay: training.weight_decay,
        step: StepOptions {
            temperature: training.temperature,
            clip: training.clip,
            adapter_dropout: training.dropout,
            residual_dropout: 0.0,
        },
        seed,
        checkpoint,
        checkpoint_every: task.checkpoint_every,
        examples_afterwards: work_after(task, data.index),
    }
}

/// Phase and step to which the records of a checkpoint's stage go back.
///
/// # Errors
/// The records cannot be read.
pub fn rewind_point(checkpoint: &Checkpoint, folder: &RunFolder) -> Result<(Phase, usize), Unusable> {
    let cursor = &checkpoint.cursor;
    let step = match cursor.phase {
        Phase::Evaluate => {
            let cells = folder.reader()?.evaluations()?;
            cells.iter().filter(|cell| cell.at.trained == cursor.stage).count()
        }
        _ => cursor.training.as_ref().map_or(0, |training| training.step),
    };
    Ok((cursor.phase, step))
}

/// Runs the stages from 2 on.
///
/// # Errors
/// See [`Job::run`].
pub fn run<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    device: &B::Device,
    recorder: &mut Recorder<'_>,
) -> Result<(), Failure> {
    let RunMethod::Learned(options) = &folder.config().method else { return Ok(()) };
    let method = options.method();
    let checkpoint = Checkpoint::load(&folder.checkpoint())?.unwrap_or_else(|| Checkpoint::at(2, Phase::Train));
    let (phase, step) = rewind_point(&checkpoint, folder)?;
    let first = checkpoint.cursor.stage;
    recorder.writer.rewind(first, phase, step)?;
    complete_rows::<B>(task, folder, 1..first, device, recorder)?;
    let mut resume = Some(checkpoint);
    for stage in first..=task.dataset.stages.len() {
        let run = StageRun { task, folder, stage };
        if method.trains() {
            run.trained::<B>(method.as_ref(), resume.take(), device, recorder)?;
        } else {
            run.repeated(recorder)?;
        }
        Checkpoint::at(stage + 1, Phase::Train).save(&folder.checkpoint())?;
    }
    Ok(())
}

struct StageRun<'a> {
    task: &'a Task<'a>,
    folder: &'a RunFolder,
    /// From 1.
    stage: usize,
}

impl StageRun<'_> {
    fn trained<B: TrainingBackend>(
        &self,
        method: &dyn Method,
        resume: Option<Checkpoint>,
        device: &B::Device,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), Failure> {
        let (task, seed) = (self.task, self.folder.config().seed);
        let resume = resume.filter(|c| c.cursor.stage == self.stage);
        let data = StageData::new(task, self.stage - 1);
        let mut record = data.record(task);
        if resume.as_ref().is_none_or(|c| c.cursor.phase != Phase::Evaluate) {
            let past = self.past()?;
            let mut model = load_base::<B>(task, self.folder, device)?;
            read_rows(&self.folder.adapter(self.stage - 1))?.restore(&mut model);
            let stream = format!("adapter {}", self.stage);
            let fresh = || Adapter::fresh(&task.llama, task.project.training.lora, seed, &stream);
            method.start(&past, &fresh).put_on(&mut model);
            let added = method.added(&past);
            if let Some(added) = &added {
                added.put_as_past(&mut model);
            }
            recorder.stage(&record)?;
            let job = job(task, &data, Some(method), seed, self.folder.checkpoint());
            job.run(&mut model, resume, &mut record, recorder)?;
            keep(task, &mut model, added.as_ref(), &self.folder.adapter(self.stage))?;
            recorder.stage(&record)?;
            Checkpoint::at(self.stage, Phase::Evaluate).save(&self.folder.checkpoint())?;
        } else if let Some(there) = self.folder.reader()?.stages()?.into_iter().find(|s| s.stage == self.stage) {
            record = there;
        }
        measure_row::<B>(task, self.folder, &mut record, device, recorder)
    }

    /// The adapters after all earlier stages, without what they carried of even earlier ones.
    fn past(&self) -> Result<Vec<Adapter>, Unusable> {
        let rank = self.task.project.training.lora.rank;
        let read = |stage| weights::read_peft(&self.folder.adapter(stage), &self.task.llama);
        (1..self.stage).map(|stage| read(stage).map(|(adapter, _)| adapter.first_ranks(rank))).collect()
    }

    /// A stage in which nothing is trained: everything is as after the one before.
    fn repeated(&self, recorder: &mut Recorder<'_>) -> Result<(), Failure> {
        copy_files(&self.folder.adapter(self.stage - 1), &self.folder.adapter(self.stage))?;
        copy_row(self.task, self.folder, self.stage, recorder)?;
        let counts = test_user_counts(&self.task.dataset, self.task.project.evaluation.users);
        let test_users = counts[self.stage - 1] as u64;
        let peak_memory_bytes = memory::peak_bytes();
        let record =
            StageRecord { stage: self.stage, test_users, peak_memory_bytes, finished: true, ..StageRecord::default() };
        Ok(recorder.stage(&record)?)
    }
}

/// Writes a trained stage: the adapter with what past ones add to it, as PEFT, and the trained rows.
pub fn keep<B: TrainingBackend>(
    task: &Task<'_>,
    model: &mut Llama<B>,
    added: Option<&Adapter>,
    folder: &Path,
) -> Result<(), Unusable> {
    let current = Adapter::of(model);
    let whole = added.map_or_else(|| current.clone(), |added| current.concatenated(added));
    let mode = task.project.training.vocabulary;
    let rows = Snapshot::of(model, |kind| trains(mode)(kind) && matches!(kind, Kind::BaseRows | Kind::AddedRows));
    write_peft(folder, &whole, task.project.training.lora, &rows.parameters)
}

/// The trained token rows that lie beside an adapter; none where none were trained.
///
/// # Errors
/// They cannot be read.
pub fn read_rows(folder: &Path) -> Result<Snapshot, Unusable> {
    let file = folder.join(weights::ROWS_FILE);
    if !file.is_file() {
        return Ok(Snapshot::default());
    }
    let rows = Weights::open_file(&file)?;
    let names: Vec<String> = rows.names().map(str::to_owned).collect();
    let parameters =
        names.into_iter().map(|n| rows.matrix(&n, None).map(|m| (n, m))).collect::<Result<BTreeMap<_, Matrix>, _>>()?;
    Ok(Snapshot { parameters })
}
