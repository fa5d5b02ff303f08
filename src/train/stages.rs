//! The stage loop of one run: start, train, keep, measure; from wherever an earlier worker left it.

use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Tensor;

use super::base_model::load_base;
use super::evaluate::test_user_counts;
use super::federated::Simulation;
use super::filter::Filter;
use super::recorder::{Recorder, rewind_point};
use super::result_matrix::{complete_result_matrix, copy_row, measure_row};
use super::shared::measure_untrained;
use super::stage_artifacts::{
    BESIDE, MAIN, MEMORY_FILE, after_stage, main_folder, own_ranks, read_matrices, read_token_rows, write_adapter,
    write_meetings,
};
use super::stage_data::StageData;
use super::trial::Trial;
use super::work::Work;
use super::{Task, candidates, jobs, model_loading, stage_statistics};
use crate::error::{InputError, RunError};
use crate::method::plan::{Data, Ended, Matrices, Origin, Plan, Stage};
use crate::method::{AdapterMethod, Combination, Guides, Lambda, Part, Rows};
use crate::model::adapter::Adapter;
use crate::model::backend::TrainingBackend;
use crate::model::weights::{self, LoadProgress, write_peft};
use crate::run::RunFolder;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::{Level, Observer, Phase, StageRecord};
use crate::{files, peak_memory};

/// Runs the stages from 2 on.
///
/// # Errors
/// See [`super::trainer::Job::run`].
pub fn run<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    device: &B::Device,
    recorder: &mut Recorder<'_>,
) -> Result<(), RunError> {
    let Some(method) = folder.config().method.adapter_method() else { return Ok(()) };
    let checkpoint = Checkpoint::load(&folder.checkpoint())?.unwrap_or_else(|| Checkpoint::at(2, Phase::Train));
    let (phase, step) = rewind_point(&checkpoint, folder)?;
    let first = checkpoint.cursor.stage;
    recorder.writer.rewind(first, phase, step)?;
    measure_untrained::<B>(task, folder, device, recorder)?;
    complete_result_matrix::<B>(task, folder, 1..first, device, recorder)?;
    let mut resume = Some(checkpoint);
    for stage in first..=task.dataset.stages.len() {
        let run = StageRun { task, folder, stage, method };
        if method.trains() {
            run.trained::<B>(resume.take(), device, recorder)?;
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
    method: &'a dyn AdapterMethod,
    /// From 1.
    stage: usize,
}

impl StageRun<'_> {
    fn trained<B: TrainingBackend>(
        &self,
        resume: Option<Checkpoint>,
        device: &B::Device,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), RunError> {
        let mut record = StageData::new(self.task, self.stage - 1, Data::Stage, 0).record(self.task);
        let mut resume = resume.filter(|c| c.cursor.stage == self.stage);
        if resume.as_ref().is_none_or(|c| c.cursor.phase != Phase::Evaluate) {
            let began = Instant::now();
            let plan = self.plan::<B>(device, recorder)?;
            let first = resume.as_ref().map_or(0, |checkpoint| checkpoint.cursor.part);
            // What a method looks at is a part of what it costs.
            let mut seconds = began.elapsed().as_secs_f64();
            if let Some(there) = self.recorded()?.filter(|_| first > 0) {
                // The adapters that are done already have told their part of it.
                seconds += there.train_seconds;
                record = there;
            }
            let parts: Vec<&Part> = [Some(&plan.main), plan.beside.as_ref()].into_iter().flatten().collect();
            for (number, part) in parts.iter().enumerate().skip(first) {
                self.train_part::<B>((number, part), resume.take(), device, &mut record, recorder)?;
                seconds += record.train_seconds;
                record.train_seconds = seconds;
                if number + 1 < parts.len() {
                    recorder.stage(&record)?;
                    let mut next = Checkpoint::at(self.stage, Phase::Train);
                    next.cursor.part = number + 1;
                    next.save(&self.folder.checkpoint())?;
                }
            }
            self.combine()?;
            recorder.stage(&record)?;
            Checkpoint::at(self.stage, Phase::Evaluate).save(&self.folder.checkpoint())?;
        } else if let Some(there) = self.recorded()? {
            record = there;
        }
        measure_row::<B>(self.task, self.folder, &mut record, device, recorder)
    }

    /// What the method wants done, from the past, what it remembers of it, and a look at the stage's data.
    fn plan<B: TrainingBackend>(&self, device: &B::Device, recorder: &mut Recorder<'_>) -> Result<Plan, RunError> {
        let (task, seed) = (self.task, self.folder.config().seed);
        let memories = self.memories::<B>(device, recorder)?;
        let mut statistics = Matrices::new();
        if let Some(request) = self.method.statistics_before() {
            let mut model =
                after_stage::<B>(task, self.folder, self.stage - 1, device, &mut self.on_progress(recorder))?;
            statistics = stage_statistics::collect(
                request,
                &mut model,
                &StageData::new(task, self.stage - 1, Data::Stage, 0),
                task,
                seed,
            );
        }
        let (past, rows) = (self.past()?, self.past_rows()?);
        let ranks = past.first().map(Adapter::ranks).unwrap_or_default();
        let fresh = |name: &str| {
            let stream = format!("{name} {}", self.stage);
            Adapter::fresh(&task.llama, task.project.training.lora, seed, &stream).cut(&ranks)
        };
        Ok(self.method.plan(&Stage {
            number: self.stage,
            past: &past,
            rows: &rows,
            memories: &memories,
            statistics: &statistics,
            fresh: &fresh,
        }))
    }

    /// What the method keeps of each earlier stage; what is not there yet is looked at now.
    fn memories<B: TrainingBackend>(
        &self,
        device: &B::Device,
        recorder: &mut Recorder<'_>,
    ) -> Result<Vec<Matrices>, RunError> {
        let Some(request) = self.method.statistics_after() else { return Ok(Vec::new()) };
        let (task, seed, of) = (self.task, self.folder.config().seed, self.task.dataset.stages.len());
        let mut memories: Vec<Matrices> = Vec::new();
        for number in 1..self.stage {
            let file = self.folder.adapter(number).join(MEMORY_FILE);
            let memory = if file.is_file() {
                read_matrices(&file)?
            } else {
                recorder.event(Level::Info, &format!("stage {number}: looking at what is to be remembered"))?;
                let mut model = after_stage::<B>(task, self.folder, number, device, &mut self.on_progress(recorder))?;
                let data = StageData::new(task, number - 1, Data::Stage, 0);
                let statistics = stage_statistics::collect(request, &mut model, &data, task, seed);
                let memory = self.method.remember(Ended { number, of, statistics, before: memories.last() });
                weights::write_matrices(&file, &memory)?;
                memory
            };
            memories.push(memory);
        }
        Ok(memories)
    }

    /// Trains one of the stage's adapters and writes it.
    fn train_part<B: TrainingBackend>(
        &self,
        (number, part): (usize, &Part),
        resume: Option<Checkpoint>,
        device: &B::Device,
        record: &mut StageRecord,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), RunError> {
        let (task, seed) = (self.task, self.folder.config().seed);
        let data = StageData::new(task, self.stage - 1, part.data, seed);
        record.train_examples = record.train_examples.max(data.examples as u64);
        let before = after_stage::<B>(task, self.folder, self.stage - 1, device, &mut self.on_progress(recorder))?;
        let mut model = match part.origin {
            Origin::Latest => before.clone(),
            Origin::First => after_stage::<B>(task, self.folder, 1, device, &mut self.on_progress(recorder))?,
            Origin::Base => load_base::<B>(task, self.folder, device, &mut self.on_progress(recorder))?,
        };
        jobs::put(part, &mut model, device);
        let mut met = Vec::new();
        if let Some(ahead) = &part.ahead {
            let gradient = stage_statistics::gradient(ahead.examples, &mut model, &data, task, seed);
            let (started, meetings) = ahead.started(&part.start, &gradient);
            started.put_on(&mut model);
            met = meetings;
        }
        if part.lambda == Lambda::Kalman {
            // What an earlier worker found stays.
            record.lambda = self.recorded()?.and_then(|there| there.lambda);
        }
        recorder.stage(record)?;
        let mut job = jobs::stage_job(task, &data, part, number, seed, self.folder.checkpoint());
        let parts = &Work::of(task, self.method).train[self.stage - 1];
        job.examples_afterwards = parts.iter().skip(number + 1).sum();
        let before = before.map(&|t: Tensor<B, 2>| t.inner());
        let (mut terms, mut resume) = (jobs::terms(part, task.project.training.release_compatible), resume);
        if let Some(options) = &part.federation {
            let simulation = Simulation::new(task, &job, options, &terms)?;
            let folder = self.folder.federation(self.stage);
            simulation.run(&mut model, &before, resume, record, &folder, recorder)?;
            return Ok(write_adapter(task, &mut model, &part.added, &self.adapter_folder(number))?);
        }
        if let Lambda::Validated(candidates) = &part.lambda {
            let trial = Trial { job: &job, terms: &terms, candidates, start: &model, before: &before };
            let (chosen, checkpoint) = trial.best(resume, recorder)?;
            terms = terms.into_iter().map(|term| term.times(chosen)).collect();
            resume = Some(checkpoint);
        }
        if part.lambda == Lambda::Kalman {
            let found = match record.lambda.take() {
                Some(found) => found,
                None => Filter { task, folder: self.folder, stage: self.stage }.find(&mut model, &data, recorder)?,
            };
            terms = terms.into_iter().map(|term| term.by_group(&found.value)).collect();
            record.lambda = Some(found);
            recorder.stage(record)?;
        }
        let mut guides = Guides::new(&terms, device, &before);
        job.run(&mut model, &mut guides, resume, record, recorder)?;
        if part.lambda == Lambda::Kalman {
            record.train_seconds += record.lambda.as_ref().map_or(0.0, |lambda| lambda.cost_seconds);
        }
        candidates::remove(&job.checkpoint);
        write_adapter(task, &mut model, &part.added, &self.adapter_folder(number))?;
        if !met.is_empty() {
            write_meetings(&met, &self.folder.adapter(self.stage))?;
        }
        Ok(())
    }

    /// Tells the recorder how far the base model is read for this stage.
    fn on_progress(&self, recorder: &mut Recorder<'_>) -> impl FnMut(LoadProgress<'_>) {
        model_loading::on_progress(recorder, self.stage, self.task.dataset.stages.len())
    }

    /// Folder of one of the stage's adapters. Where both become one, that one lies above them.
    fn adapter_folder(&self, number: usize) -> PathBuf {
        let folder = self.folder.adapter(self.stage);
        match (number, self.method.combination()) {
            (0, Some((Combination::Weights, _))) => folder.join(MAIN),
            (0, _) => folder,
            _ => folder.join(BESIDE),
        }
    }

    /// Makes one adapter of two, where the method wants that.
    fn combine(&self) -> Result<(), InputError> {
        let Some((Combination::Weights, share)) = self.method.combination() else { return Ok(()) };
        let shape = self.task.project.training.lora;
        let read =
            |number| weights::read_peft(&self.adapter_folder(number), &self.task.llama).map(|(adapter, _)| adapter);
        let (main, beside) = (read(0)?.scaled(1.0 - share as f32), read(1)?.scaled(share as f32));
        let (mut rows, others) = (read_token_rows(&self.adapter_folder(0))?, read_token_rows(&self.adapter_folder(1))?);
        for (name, matrix) in &mut rows.parameters {
            let other = others.parameters.get(name).map_or(&[][..], |other| &other.values);
            let mean = |(value, other): (&mut f32, &f32)| *value += share as f32 * (other - *value);
            matrix.values.iter_mut().zip(other).for_each(mean);
        }
        write_peft(&self.folder.adapter(self.stage), &main.concatenated(&beside), shape, &rows.parameters)
    }

    /// The stage's record as an earlier worker left it.
    fn recorded(&self) -> Result<Option<StageRecord>, InputError> {
        Ok(self.folder.reader()?.stages()?.into_iter().find(|record| record.stage == self.stage))
    }

    /// The adapters after all earlier stages, without what they carried of even earlier ones.
    fn past(&self) -> Result<Vec<Adapter>, InputError> {
        let ranks = own_ranks(self.task, self.folder)?;
        let read = |stage| weights::read_peft(&main_folder(self.folder, stage), &self.task.llama);
        (1..self.stage).map(|stage| read(stage).map(|(adapter, _)| adapter.cut(&ranks))).collect()
    }

    /// The trained token rows after all earlier stages, where the method holds them.
    fn past_rows(&self) -> Result<Vec<Matrices>, InputError> {
        if self.method.rows() == Rows::Free {
            return Ok(Vec::new());
        }
        let read = |stage| read_token_rows(&main_folder(self.folder, stage)).map(|rows| rows.parameters);
        (1..self.stage).map(read).collect()
    }

    /// A stage in which nothing is trained: everything is as after the one before.
    fn repeated(&self, recorder: &mut Recorder<'_>) -> Result<(), RunError> {
        files::copy_files(&self.folder.adapter(self.stage - 1), &self.folder.adapter(self.stage))?;
        copy_row(self.task, self.folder, self.stage, recorder)?;
        let counts = test_user_counts(&self.task.dataset, self.task.project.evaluation.users);
        let test_users = counts[self.stage - 1] as u64;
        let peak_memory_bytes = peak_memory::peak_bytes();
        let record =
            StageRecord { stage: self.stage, test_users, peak_memory_bytes, finished: true, ..StageRecord::default() };
        Ok(recorder.stage(&record)?)
    }
}
