//! The training of one stage: epochs of steps, validation, the best or the last epoch kept, a checkpoint to go on from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::{ElementConversion, Tensor};

use super::batches;
use super::learning_rate::{schedule, warm_up_steps};
use super::step::{StepFigures, StepOptions, StepPlace, accumulated, apply, cross_entropy};
use crate::error::{InputError, RunError};
use crate::method::pull_ratio::Window;
use crate::method::{Guides, Lambda, StageLambda, Strength};
use crate::model::Llama;
use crate::model::adapter::{Matrix, Snapshot};
use crate::model::backend::TrainingBackend;
use crate::model::kernels::Kernels;
use crate::model::llama::Kind;
use crate::model::optimizer::AdamW;
use crate::model::packing::{Packed, Sequence};
use crate::model::ranks::RankSpace;
use crate::project::{Keep, Schedule};
use crate::run::checkpoint::{Checkpoint, Cursor, TrainingCursor};
use crate::run::observer::{Control, Level, Observer, Phase, Progress, StageRecord, StepRecord};
use crate::{peak_memory, seeds};

/// A gradient this many times as long as what a step is clipped to tells that the training is about to come apart.
const STEEP: f64 = 1000.0;

/// Validation examples a forward pass.
const VALIDATION_BATCH: usize = 64;

/// What is trained, on what, and how.
pub struct Job<'a> {
    pub phase: Phase,
    /// Stage, from 1, and the number of stages.
    pub stage: usize,
    pub stages: usize,
    pub sequences: &'a [Sequence],
    pub validation: &'a [Sequence],
    /// Which of the stage's adapters it is, from 0.
    pub part: usize,
    /// The weight that is tried, where it is one of several.
    pub candidate: Option<f64>,
    /// Which parameters are trained.
    pub trains: Arc<dyn Fn(Kind) -> bool>,
    pub epochs: usize,
    pub keep: Keep,
    /// Epochs after which it is cut off, to go on from its checkpoint; as many as there are for a whole training.
    pub until: usize,
    /// How the weight of its terms is found, which [`Lambda::PullRatio`] does here.
    pub lambda: Lambda,
    /// Targets a step.
    pub batch: usize,
    /// Pieces that a step is computed in, one after the other.
    pub accumulation: usize,
    pub learning_rate: f64,
    pub schedule: Schedule,
    pub warm_up: f64,
    pub weight_decay: f64,
    pub step: StepOptions,
    pub seed: u64,
    /// Folder of the checkpoint, and the time between two.
    pub checkpoint: PathBuf,
    pub checkpoint_every: Duration,
    /// Where every step trains a part of the adapter: of which ranks parts are drawn.
    pub elastic: Option<&'a RankSpace>,
    /// Examples that are trained after it in the same phase of the stage, for the time that is left.
    pub examples_afterwards: u64,
}

/// The state of a training between two steps.
struct Training<B: TrainingBackend> {
    cursor: TrainingCursor,
    optimizer: AdamW<B::InnerBackend>,
    best: Option<Snapshot>,
    /// The largest norm of a gradient in this epoch, of the steps that this worker did.
    steepest: f64,
    saved: Instant,
    resumed: Instant,
}

impl Job<'_> {
    /// Trains, from a checkpoint of the same job where there is one, and leaves the kept epoch's parameters in the model.
    ///
    /// `record` is told the losses as they come.
    ///
    /// # Errors
    /// The user stops; the loss is no number; records or checkpoint cannot be written.
    pub fn run<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        guides: &mut Guides<B::InnerBackend>,
        resume: Option<Checkpoint>,
        record: &mut StageRecord,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let mut training = Training::<B> {
            cursor: TrainingCursor::default(),
            optimizer: AdamW::new(self.weight_decay),
            best: None,
            steepest: 0.0,
            saved: Instant::now(),
            resumed: Instant::now(),
        };
        if let Some(checkpoint) = resume {
            training.restore(checkpoint, model);
        }
        if let Lambda::PullRatio(_) = self.lambda {
            match training.found() {
                Some(found) => guides.weigh(found),
                None => guides.acts = false,
            }
        }
        let epochs: Vec<_> = (0..self.epochs)
            .map(|epoch| batches::epoch(self.sequences, self.batch, self.seed, &self.stream(), epoch))
            .collect();
        let steps = epochs.iter().map(Vec::len).sum();
        while training.cursor.epoch < self.until {
            let epoch = &epochs[training.cursor.epoch];
            while training.cursor.step_in_epoch < epoch.len() {
                let places = &epoch[training.cursor.step_in_epoch];
                self.one_step(model, &mut training, guides, places, steps, observer)?;
                self.listen(model, &mut training, observer)?;
            }
            self.end_epoch(model, &mut training, record, observer)?;
        }
        if let Lambda::PullRatio(_) = self.lambda
            && training.found().is_none()
        {
            self.settle(0.0, "too few steps to measure the pull, so nothing was pulled", &mut training, observer)?;
        }
        if let Some(best) = &training.best {
            best.restore(model);
        }
        training.tell(record);
        Ok(())
    }

    /// The same training with a weight that is tried, up to the end of an epoch.
    pub fn candidate(&self, lambda: f64, until: usize, checkpoint: PathBuf) -> Job<'_> {
        Job {
            candidate: Some(lambda),
            until,
            checkpoint,
            lambda: Lambda::Fixed(lambda),
            trains: self.trains.clone(),
            step: self.step.clone(),
            ..*self
        }
    }

    /// Training examples of one epoch.
    pub fn examples_an_epoch(&self) -> u64 {
        self.sequences.iter().map(|sequence| sequence.branches.len() as u64).sum()
    }

    /// The name of its streams of random numbers.
    pub fn stream(&self) -> String {
        let part = if self.part > 0 { format!(" part {}", self.part + 1) } else { String::new() };
        format!("{} {}{part}", self.phase.stream(), self.stage)
    }

    /// What is trained, for the log.
    fn what(&self) -> String {
        match (self.phase, self.part, self.candidate) {
            (Phase::Base, ..) => "base model, ".to_owned(),
            (_, _, Some(lambda)) => format!("λ {lambda}, "),
            (_, 0, None) => String::new(),
            _ => "second adapter, ".to_owned(),
        }
    }

    /// Refuses what is no number.
    ///
    /// # Errors
    /// [`RunError::Diverged`].
    pub fn finite(&self, what: &'static str, step: usize, value: f64) -> Result<(), RunError> {
        if value.is_finite() { Ok(()) } else { Err(RunError::Diverged { what, stage: self.stage, step, value }) }
    }

    fn one_step<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        training: &mut Training<B>,
        guides: &mut Guides<B::InnerBackend>,
        places: &[usize],
        steps: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let cursor = &training.cursor;
        let at = StepPlace {
            stream: &self.stream(),
            epoch: cursor.epoch + 1,
            scheduled: (cursor.step, steps),
            recorded: (cursor.step + 1, steps),
        };
        let sequences: Vec<Sequence> = places.iter().map(|&p| self.sequences[p].clone()).collect();
        let examples: usize = sequences.iter().map(|s| s.branches.len()).sum();
        let figures = self.step_on(model, &mut training.optimizer, guides, sequences, at, observer)?;
        training.steepest = training.steepest.max(figures.gradient_norm);
        let cursor = &mut training.cursor;
        cursor.step += 1;
        cursor.step_in_epoch += 1;
        cursor.loss_sum += figures.loss * examples as f64;
        cursor.loss_examples += examples;
        if let (Lambda::PullRatio(ratio), Some(norms)) = (&self.lambda, figures.measured) {
            let window = Window::of(steps);
            let cursor = &mut training.cursor;
            cursor.measured.add(cursor.step - 1, norms, window);
            if let Some(found) = cursor.measured.lambda(*ratio, window) {
                let (from, to) = (cursor.step + 1 - window.measured, cursor.step);
                let words =
                    format!("λ {found:.4e} gives the pull {ratio} of the gradient, measured in steps {from} to {to}");
                self.settle(found, &words, training, observer)?;
                guides.weigh(found);
                guides.acts = true;
            }
        }
        observer.progress(&self.progress(training, steps))?;
        Ok(())
    }

    /// One optimiser step on these sequences, told to the observer.
    ///
    /// # Errors
    /// The loss or the gradient is no number, or the step cannot be recorded.
    pub fn step_on<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        optimizer: &mut AdamW<B::InnerBackend>,
        guides: &Guides<B::InnerBackend>,
        sequences: Vec<Sequence>,
        at: StepPlace<'_>,
        observer: &mut dyn Observer,
    ) -> Result<StepFigures, RunError> {
        let began = Instant::now();
        let StepPlace { stream, epoch, scheduled: (place, of), recorded: (step, steps) } = at;
        let learning_rate = self.learning_rate * schedule(self.schedule, place, of, warm_up_steps(self.warm_up, of));
        let examples = sequences.iter().map(|s| s.branches.len()).sum();
        let pieces = batches::pieces(sequences, self.accumulation);
        let seed = seeds::derive(self.seed, &["dropout", stream, &place.to_string()]);
        let gradients = match self.elastic {
            None => accumulated(model, &pieces, self.trains.as_ref(), guides, &self.step, seed),
            Some(space) => {
                let mut part = model.clone().cut(&space.ranks(&space.draw(self.seed, place)));
                accumulated(&mut part, &pieces, self.trains.as_ref(), guides, &self.step, seed).of_whole(model)
            }
        };
        let figures = gradients.figures;
        for (what, value) in
            [("the loss", figures.loss), ("the penalty", figures.penalty), ("the gradient", figures.gradient_norm)]
        {
            self.finite(what, step, value)?;
        }
        apply(model, gradients, optimizer, learning_rate, self.step.clip);
        observer.step(&StepRecord {
            phase: self.phase,
            stage: self.stage,
            epoch,
            step,
            steps,
            loss: figures.loss,
            penalty: figures.penalty,
            penalty_share: figures.penalty / (figures.loss + figures.penalty).max(f64::MIN_POSITIVE),
            pull_ratio: figures.pull_ratio,
            gradient_norm: figures.gradient_norm,
            learning_rate,
            examples,
            seconds: began.elapsed().as_secs_f64(),
        })?;
        Ok(figures)
    }

    /// Settles the weight for the rest of the stage.
    fn settle<B: TrainingBackend>(
        &self,
        found: f64,
        words: &str,
        training: &mut Training<B>,
        observer: &mut dyn Observer,
    ) -> Result<(), InputError> {
        let value = Strength::One(found);
        training.cursor.lambda = Some(StageLambda { rule: self.lambda.clone(), value, cost_seconds: 0.0 });
        observer.event(Level::Info, &format!("stage {}: {words}", self.stage))
    }

    fn progress<B: TrainingBackend>(&self, training: &Training<B>, steps: usize) -> Progress {
        let cursor = &training.cursor;
        let per_epoch = self.examples_an_epoch();
        let done = cursor.epoch as u64 * per_epoch + cursor.loss_examples as u64;
        let rate = done as f64 / training.seconds().max(1e-9);
        let left = (self.until as u64 * per_epoch).saturating_sub(done) + self.examples_afterwards;
        Progress {
            phase: self.phase,
            stage: self.stage,
            stages: self.stages,
            done: cursor.step as u64,
            total: steps as u64,
            rate,
            eta_seconds: (rate > 0.0).then(|| left as f64 / rate),
            memory_bytes: peak_memory::peak_bytes(),
        }
    }

    /// Saves where it is time, and does what the user wants.
    fn listen<B: TrainingBackend>(
        &self,
        model: &Llama<B>,
        training: &mut Training<B>,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        if training.saved.elapsed() >= self.checkpoint_every || observer.is_pausing() {
            self.save(model, training)?;
        }
        let waited = Instant::now();
        let control = observer.control();
        training.resumed += waited.elapsed();
        if control == Control::Stop {
            self.save(model, training)?;
            return Err(RunError::Stopped);
        }
        Ok(())
    }

    fn end_epoch<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        training: &mut Training<B>,
        record: &mut StageRecord,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let loss = validation_loss(model, self.validation, self.step.temperature);
        // The last step's update may be the one that went too far, and no step after it would tell.
        self.finite("the loss on validation users", training.cursor.step, loss)?;
        let trained = Snapshot::of(model, self.trains.as_ref());
        let broken = trained.parameters.values().flat_map(|matrix| &matrix.values).find(|value| !value.is_finite());
        self.finite("a trained parameter", training.cursor.step, broken.map_or(0.0, |&value| value.into()))?;
        let cursor = &mut training.cursor;
        let best = cursor.validation_losses.iter().copied().fold(f64::INFINITY, f64::min);
        cursor.epoch_loss = cursor.loss_sum / cursor.loss_examples.max(1) as f64;
        cursor.validation_losses.push(loss);
        cursor.epoch += 1;
        (cursor.step_in_epoch, cursor.loss_sum, cursor.loss_examples) = (0, 0.0, 0);
        if self.keep == Keep::LastEpoch || loss < best || training.best.is_none() {
            cursor.best_epoch = cursor.epoch;
            training.best = Some(trained);
        }
        let text = format!(
            "stage {}, {}epoch {} of {}: training loss {:.4}, validation loss {loss:.4}",
            self.stage,
            self.what(),
            training.cursor.epoch,
            self.epochs,
            training.cursor.epoch_loss,
        );
        observer.event(Level::Info, &text)?;
        let steepest = std::mem::take(&mut training.steepest);
        if self.step.clip > 0.0 && steepest > STEEP * self.step.clip {
            let text = format!(
                "stage {}: gradients had a norm of up to {steepest:.1e}, and steps are clipped to {}; the learning rate, or the \
                 weight of the penalty, may be too high",
                self.stage, self.step.clip,
            );
            observer.event(Level::Warning, &text)?;
        }
        training.tell(record);
        observer.stage(record)?;
        Ok(self.save(model, training)?)
    }

    fn save<B: TrainingBackend>(&self, model: &Llama<B>, training: &mut Training<B>) -> Result<(), InputError> {
        let mut cursor = training.cursor.clone();
        cursor.seconds = training.seconds();
        let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
        for (name, moments) in &training.optimizer.moments {
            first.insert(name.clone(), Matrix::from_tensor(moments.0.clone()));
            second.insert(name.clone(), Matrix::from_tensor(moments.1.clone()));
        }
        let checkpoint = Checkpoint {
            cursor: Cursor { stage: self.stage, phase: self.phase, part: self.part, training: Some(cursor) },
            parameters: Snapshot::of(model, self.trains.as_ref()).parameters,
            first,
            second,
            best: training.best.as_ref().map(|b| b.parameters.clone()).unwrap_or_default(),
        };
        checkpoint.save(&self.checkpoint)?;
        training.saved = Instant::now();
        Ok(())
    }
}

impl<B: TrainingBackend> Training<B> {
    fn seconds(&self) -> f64 {
        self.cursor.seconds + self.resumed.elapsed().as_secs_f64()
    }

    /// The weight that the stage has found.
    fn found(&self) -> Option<f64> {
        self.cursor.lambda.as_ref().and_then(|lambda| lambda.value.one())
    }

    /// Tells the stage's record how it goes. What a rule cost is a part of what the stage took.
    fn tell(&self, record: &mut StageRecord) {
        record.final_loss = self.cursor.epoch_loss;
        record.best_epoch = self.cursor.best_epoch;
        record.validation_losses.clone_from(&self.cursor.validation_losses);
        record.train_seconds = self.seconds() + self.cursor.lambda.as_ref().map_or(0.0, |lambda| lambda.cost_seconds);
        record.peak_memory_bytes = peak_memory::peak_bytes();
        if let Some(lambda) = &self.cursor.lambda {
            record.lambda = Some(lambda.clone());
        }
    }

    fn restore(&mut self, checkpoint: Checkpoint, model: &mut Llama<B>) {
        let Some(cursor) = checkpoint.cursor.training else { return };
        let device = model.device();
        Snapshot { parameters: checkpoint.parameters }.restore(model);
        self.optimizer.step = cursor.step as u64;
        self.optimizer.moments = checkpoint
            .first
            .iter()
            .filter_map(|(name, first)| {
                let second = checkpoint.second.get(name)?;
                Some((name.clone(), (first.to_tensor(&device), second.to_tensor(&device))))
            })
            .collect();
        self.best = (cursor.best_epoch > 0).then_some(Snapshot { parameters: checkpoint.best });
        self.cursor = cursor;
    }
}

/// Mean cross-entropy a response token of validation examples, without dropout.
pub fn validation_loss<B: TrainingBackend>(model: &Llama<B>, examples: &[Sequence], temperature: f64) -> f64 {
    mean_loss::<B::InnerBackend>(&model.clone().map(&|t: Tensor<B, 2>| t.inner()), examples, temperature)
}

/// As [`validation_loss`], of a model that is not trained.
pub fn mean_loss<B: Kernels>(model: &Llama<B>, examples: &[Sequence], temperature: f64) -> f64 {
    let (mut sum, mut tokens) = (0.0, 0);
    for batch in examples.chunks(VALIDATION_BATCH) {
        let packed = Packed::new(batch);
        let loss: f64 = cross_entropy(model, &packed, temperature, None).into_scalar().elem();
        sum += loss * packed.targets.len() as f64;
        tokens += packed.targets.len();
    }
    sum / tokens.max(1) as f64
}
