//! The stage loop of one run: start, train, keep, measure; from wherever an earlier worker left it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Tensor;

use super::checkpoint::Checkpoint;
use super::evaluate::{Cell, USERS_A_BATCH, chosen_users, test_user_counts, test_users};
use super::memory;
use super::observer::{EvaluationRecord, Observer, Phase, Progress, StageRecord, Wanted};
use super::run_folder::{RunFolder, RunMethod};
use super::shared::{copy_files, load_base};
use super::step::StepOptions;
use super::trainer::Job;
use super::worker::{Recorder, Task};
use crate::error::{Failure, Unusable};
use crate::method::Method;
use crate::model::adapter::{Adapter, Matrix, Snapshot};
use crate::model::backend::TrainingBackend;
use crate::model::beam::Decoder;
use crate::model::kernels::Kernels;
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

fn writer<'t>(task: &'t Task<'_>) -> PromptWriter<'t> {
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
    let row: usize = test_user_counts(dataset, task.project.evaluation.users).iter().sum();
    let later = dataset.stages.iter().enumerate().skip(index + 1);
    let examples: usize = later.map(|(i, s)| s.training_examples() * task.project.training.epochs_of(i)).sum();
    (examples + row * (dataset.stages.len() - index)) as u64
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
            cells.iter().filter(|cell| cell.trained_stage == cursor.stage).count()
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
        let reader = self.folder.reader()?;
        copy_files(&self.folder.adapter(self.stage - 1), &self.folder.adapter(self.stage))?;
        let before = self.stage - 1;
        for cell in reader.evaluations()?.into_iter().filter(|cell| cell.trained_stage == before) {
            let users = reader.user_outcomes(before, cell.test_stage)?;
            recorder.evaluation(&EvaluationRecord {
                trained_stage: self.stage,
                test_stage: cell.test_stage,
                metrics: cell.metrics,
                users,
                seconds: 0.0,
            })?;
        }
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

fn read_rows(folder: &Path) -> Result<Snapshot, Unusable> {
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

/// Measures what is missing of a row `R[stage, ·]` and finishes the stage.
pub fn measure_row<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    record: &mut StageRecord,
    device: &B::Device,
    recorder: &mut dyn Observer,
) -> Result<(), Failure> {
    let stage = record.stage;
    let mut model = load_base::<B>(task, folder, device)?;
    read_rows(&folder.adapter(stage))?.restore(&mut model);
    weights::read_peft(&folder.adapter(stage), &task.llama)?.0.put_on(&mut model);
    let model = model.map(&|t: Tensor<B, 2>| t.inner());
    let measured: Vec<usize> =
        folder.reader()?.evaluations()?.iter().filter(|c| c.trained_stage == stage).map(|c| c.test_stage).collect();
    let began = Instant::now();
    let mut done = 0;
    for tested in (1..=task.dataset.stages.len()).filter(|tested| !measured.contains(tested)) {
        let cell = measure_cell(task, &model, [stage, tested], (began, &mut done), recorder)?;
        recorder.evaluation(&cell)?;
    }
    record.eval_seconds += began.elapsed().as_secs_f64();
    record.peak_memory_bytes = memory::peak_bytes();
    record.finished = true;
    Ok(recorder.stage(record)?)
}

fn measure_cell<B: Kernels>(
    task: &Task<'_>,
    model: &Llama<B>,
    [trained, tested]: [usize; 2],
    (began, done): (Instant, &mut u64),
    recorder: &mut dyn Observer,
) -> Result<EvaluationRecord, Failure> {
    let evaluation = &task.project.evaluation;
    let decoder = Decoder {
        vocabulary: &task.vocabulary,
        index: &task.dataset.index,
        trie: &task.trie,
        decoding: evaluation.decoding,
        softmax: task.project.training.softmax,
        beams: evaluation.beams,
    };
    let stages = task.dataset.stages.len();
    let row = test_user_counts(&task.dataset, evaluation.users).iter().sum::<usize>() as u64;
    let afterwards = work_after(task, trained - 1).saturating_sub(row);
    let users = test_users(&task.dataset, tested - 1, evaluation.users);
    let mut cell = Cell::default();
    for batch in users.chunks(USERS_A_BATCH) {
        cell.test(model, &decoder, writer(task), batch);
        *done += batch.len() as u64;
        let rate = *done as f64 / began.elapsed().as_secs_f64().max(1e-9);
        let left = row.saturating_sub(*done) + afterwards;
        recorder.progress(&Progress {
            phase: Phase::Evaluate,
            stage: trained,
            stages,
            done: *done,
            total: row,
            rate,
            eta_seconds: Some(left as f64 / rate),
            memory_bytes: memory::peak_bytes(),
        })?;
        if recorder.wanted() == Wanted::Stop {
            return Err(Failure::Stopped);
        }
    }
    Ok(cell.record(trained, tested, evaluation))
}
