//! The epochs of a stage: steps, validation, the best epoch kept.

use super::stage_recommender::{OnProgress, Progress, StageFigures};
use crate::error::RunError;

/// Something that is trained in epochs of steps.
pub(super) trait Learner {
    /// What a step reads.
    type Step;
    /// The parameters of an epoch.
    type Kept;

    /// The steps of an epoch (from 0), in the order of training.
    fn steps(&self, epoch: usize) -> Vec<Self::Step>;

    /// Does one step, which is the `number`-th of the stage (from 1).
    fn step(&mut self, step: &Self::Step, number: usize) -> Losses;

    /// Mean loss a validation target.
    fn validation_loss(&self) -> f64;

    /// Copies the parameters.
    fn keep(&self) -> Self::Kept;

    /// Puts the parameters back.
    fn put_back(&mut self, kept: Self::Kept);
}

/// Figures of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Losses {
    /// Mean loss a target.
    pub loss: f64,
    /// The weighted penalty, 0 where there is none.
    pub penalty: f64,
    /// Targets in the step.
    pub examples: usize,
}

/// Trains and leaves the parameters of the epoch with the least validation loss; `stage` is its number, from 1.
///
/// # Errors
/// `on_progress` says so, or the loss is no number.
pub(super) fn train<L: Learner>(
    learner: &mut L,
    stage: usize,
    epochs: usize,
    on_progress: &mut OnProgress<'_>,
) -> Result<StageFigures, RunError> {
    let mut figures = StageFigures::default();
    let mut best: Option<(f64, L::Kept)> = None;
    let mut number = 0;
    for epoch in 1..=epochs {
        let (mut sum, mut examples) = (0.0, 0);
        for step in learner.steps(epoch - 1) {
            number += 1;
            let losses = learner.step(&step, number);
            let value = losses.loss + losses.penalty;
            if !value.is_finite() {
                return Err(RunError::Diverged { what: "the loss", stage, step: number, value });
            }
            sum += losses.loss * losses.examples as f64;
            examples += losses.examples;
            let Losses { loss, penalty, examples } = losses;
            on_progress(Progress::Step { epoch, step: number, loss, penalty, examples })?;
        }
        let (training_loss, validation_loss) = (sum / examples.max(1) as f64, learner.validation_loss());
        if !validation_loss.is_finite() {
            let what = "the loss on validation users";
            return Err(RunError::Diverged { what, stage, step: number, value: validation_loss });
        }
        figures.final_loss = training_loss;
        figures.validation_losses.push(validation_loss);
        if best.as_ref().is_none_or(|(best, _)| validation_loss < *best) {
            figures.best_epoch = epoch;
            best = Some((validation_loss, learner.keep()));
        }
        on_progress(Progress::Epoch { epoch, epochs, training_loss, validation_loss })?;
    }
    if let Some((_, kept)) = best {
        learner.put_back(kept);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its parameter is the number of steps done; validation losses are given.
    struct Counter {
        value: usize,
        validation: Vec<f64>,
        loss: f64,
    }

    impl Learner for Counter {
        type Step = usize;
        type Kept = usize;

        fn steps(&self, epoch: usize) -> Vec<usize> {
            vec![epoch; 2]
        }

        fn step(&mut self, _: &usize, number: usize) -> Losses {
            self.value = number;
            Losses { loss: self.loss * number as f64, penalty: 0.0, examples: number }
        }

        fn validation_loss(&self) -> f64 {
            self.validation[self.value / 2 - 1]
        }

        fn keep(&self) -> usize {
            self.value
        }

        fn put_back(&mut self, kept: usize) {
            self.value = kept;
        }
    }

    #[test]
    fn the_epoch_of_the_least_validation_loss_is_kept() {
        let mut counter = Counter { value: 0, validation: vec![3.0, 1.0, 1.0, 2.0], loss: 1.0 };
        let mut told = vec![];
        let figures = train(&mut counter, 1, 4, &mut |progress| {
            told.push(progress);
            Ok(())
        })
        .unwrap();
        assert_eq!((figures.best_epoch, counter.value), (2, 4));
        assert_eq!(figures.validation_losses, [3.0, 1.0, 1.0, 2.0]);
        // Steps 7 and 8 have as many targets as their number.
        assert_eq!(figures.final_loss, (49.0 + 64.0) / 15.0);
        assert_eq!(told.len(), 12);
        assert_eq!(told[3], Progress::Step { epoch: 2, step: 3, loss: 3.0, penalty: 0.0, examples: 3 });
    }

    #[test]
    fn a_loss_that_is_no_number_and_a_stop_end_it() {
        let mut counter = Counter { value: 0, validation: vec![0.0], loss: f64::NAN };
        let diverged = train(&mut counter, 3, 1, &mut |_| Ok(()));
        assert!(matches!(diverged, Err(RunError::Diverged { stage: 3, step: 1, .. })), "{diverged:?}");
        let mut counter = Counter { value: 0, validation: vec![0.0], loss: 1.0 };
        let stopped = train(&mut counter, 1, 1, &mut |_| Err(RunError::Stopped));
        assert!(matches!(stopped, Err(RunError::Stopped)));
        assert_eq!(counter.value, 1);
    }
}
