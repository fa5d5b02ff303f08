//! The candidates of [`Lambda::Validated`] against each other, in one stage.

use super::candidates::{Candidate, better, epochs, folder, least_loss, rungs, steps};
use super::recorder::Recorder;
use super::trainer::Job;
use crate::error::{InputError, RunError};
use crate::method::{Guides, Lambda, StageLambda, Strength, Term};
use crate::model::Llama;
use crate::model::backend::TrainingBackend;
use crate::run::checkpoint::{Checkpoint, TrainingCursor};
use crate::run::observer::{Level, Observer, StageRecord};

/// Trainings of one stage that differ by the weight of their terms.
pub struct Trial<'a, B: TrainingBackend> {
    /// The stage's training; the candidates are cut off before its end.
    pub job: &'a Job<'a>,
    /// Its terms with the weight 1.
    pub terms: &'a [Term],
    pub candidates: &'a [f64],
    /// The model that the stage starts with, and the one before it.
    pub start: &'a Llama<B>,
    pub before: &'a Llama<B::InnerBackend>,
}

impl<B: TrainingBackend> Trial<'_, B> {
    /// The weight with the lowest validation loss, and the checkpoint with which its training goes on; from `resume` where the
    /// stage has chosen already.
    ///
    /// # Errors
    /// See [`Job::run`]; a candidate's files cannot be read or written.
    pub fn best(&self, resume: Option<Checkpoint>, recorder: &mut Recorder<'_>) -> Result<(f64, Checkpoint), RunError> {
        if let Some(checkpoint) = resume
            && let Some(chosen) = chosen(&checkpoint)
        {
            return Ok((chosen, checkpoint));
        }
        let mut left: Vec<usize> = (0..self.candidates.len()).collect();
        let (mut to_do, mut from) = (epochs(left.len(), self.job.epochs), 0);
        for (number, rung) in rungs(left.len(), self.job.epochs).into_iter().enumerate() {
            for &index in &left {
                to_do -= rung.epoch - from;
                self.train(index, rung.epoch, to_do, recorder)?;
            }
            from = rung.epoch;
            let losses = left.iter().map(|&index| Ok((index, least_loss(&self.reached(index)?.1))));
            let losses = losses.collect::<Result<Vec<_>, InputError>>()?;
            // The last rung leaves one over, however many were in it.
            let last = rung.epoch == self.job.epochs;
            left = better(losses, if last { 1 } else { left.len().div_ceil(2) });
            let mut names: Vec<String> = left.iter().map(|&index| self.candidates[index].to_string()).collect();
            names.sort();
            let words = format!("stage {}: after round {} of λ: {} left", self.job.stage, number + 1, names.join(", "));
            recorder.event(Level::Info, &words)?;
        }
        let best = left.first().copied().unwrap_or(0);
        let checkpoint = self.chosen(best, recorder)?;
        Ok((self.candidates[best], checkpoint))
    }

    /// Trains a candidate up to the end of an epoch, from wherever it was cut off; so many epochs of the trial come after it.
    fn train(
        &self,
        index: usize,
        until: usize,
        afterwards: usize,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), RunError> {
        let (lambda, folder) = (self.candidates[index], folder(&self.job.checkpoint, index));
        let (mut candidate, checkpoint) = Candidate::open(&folder, recorder)?;
        let epoch =
            checkpoint.as_ref().and_then(|checkpoint| checkpoint.cursor.training.as_ref()).map_or(0, |t| t.epoch);
        if epoch >= until {
            return Ok(());
        }
        let mut model = self.start.clone();
        let terms: Vec<Term> = self.terms.iter().map(|term| term.clone().times(lambda)).collect();
        let mut guides = Guides::new(&terms, &model.device(), self.before);
        let mut job = self.job.candidate(lambda, until, folder);
        job.examples_afterwards += afterwards as u64 * job.examples_an_epoch();
        let mut record = StageRecord { stage: job.stage, ..StageRecord::default() };
        job.run(&mut model, &mut guides, checkpoint, &mut record, &mut candidate)
    }

    /// Where a candidate is.
    fn reached(&self, index: usize) -> Result<(Checkpoint, TrainingCursor), InputError> {
        let folder = folder(&self.job.checkpoint, index);
        let checkpoint = Checkpoint::load(&folder)?;
        let reached = checkpoint.and_then(|checkpoint| {
            let cursor = checkpoint.cursor.training.clone()?;
            Some((checkpoint, cursor))
        });
        reached.ok_or_else(|| InputError::new(folder, "a candidate of λ has no checkpoint").advice("resume the run"))
    }

    /// Makes a candidate's training the stage's: its steps, then its checkpoint.
    fn chosen(&self, best: usize, recorder: &mut Recorder<'_>) -> Result<Checkpoint, RunError> {
        let mut seconds = 0.0;
        for index in (0..self.candidates.len()).filter(|&index| index != best) {
            seconds += self.reached(index)?.1.seconds;
        }
        let (mut checkpoint, mut cursor) = self.reached(best)?;
        let lambda = self.candidates[best];
        cursor.lambda = Some(StageLambda {
            rule: Lambda::Validated(self.candidates.to_vec()),
            value: Strength::One(lambda),
            cost_seconds: seconds,
        });
        let words = format!(
            "stage {}: λ {lambda} has the lowest validation loss, {:.4}, and goes on; the others took {seconds:.0} s",
            self.job.stage,
            least_loss(&cursor)
        );
        recorder.event(Level::Info, &words)?;
        for step in steps(&folder(&self.job.checkpoint, best))? {
            recorder.step(&step)?;
        }
        checkpoint.cursor.training = Some(cursor);
        checkpoint.save(&self.job.checkpoint)?;
        Ok(checkpoint)
    }
}

/// The weight that a checkpoint's stage has chosen.
fn chosen(checkpoint: &Checkpoint) -> Option<f64> {
    checkpoint.cursor.training.as_ref()?.lambda.as_ref()?.value.one()
}
