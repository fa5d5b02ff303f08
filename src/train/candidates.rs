//! λ by validation: candidates are trained from a stage's start, and after each rung the worse half is dropped.
//!
//! A candidate is a training of the whole stage that is cut off at a rung's last epoch and goes on from its checkpoint, with
//! the order, dropout and learning rates that the stage has with that λ alone. So the one that is left over is that training,
//! number for number. What is decided follows from the candidates' checkpoints, so a run that was cut off decides the same.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::InputError;
use crate::files;
use crate::files::lines::Lines;
use crate::run::checkpoint::{Checkpoint, TrainingCursor};
use crate::run::observer::{Control, EvaluationRecord, Level, Observer, Progress, StageRecord, StepRecord};

/// A round of training: which epoch it ends with, and how many candidates are trained in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    pub epoch: usize,
    pub candidates: usize,
}

/// The rungs of so many candidates in a stage of so many epochs, the last of which leaves one candidate over.
pub fn rungs(candidates: usize, epochs: usize) -> Vec<Rung> {
    let halvings = candidates.next_power_of_two().ilog2() as usize;
    let length = (epochs / (halvings + 1)).max(1);
    let mut rungs = Vec::new();
    let mut left = candidates;
    while left > 1 {
        let epoch = ((rungs.len() + 1) * length).min(epochs);
        rungs.push(Rung { epoch, candidates: left });
        // Where no epochs are left, the best is chosen at once.
        left = if epoch == epochs { 1 } else { left.div_ceil(2) };
    }
    rungs
}

/// Epochs that are trained in all until the stage is: of every candidate in its rungs, and the rest of the one that is left.
pub fn epochs(candidates: usize, epochs: usize) -> usize {
    let (mut sum, mut from) = (0, 0);
    for rung in rungs(candidates, epochs) {
        sum += rung.candidates * (rung.epoch - from);
        from = rung.epoch;
    }
    sum + epochs - from
}

/// The better half of candidates (all but one, where `one` is to be left), by the least validation loss so far. Of equal ones
/// the first stays.
pub fn better(mut left: Vec<(usize, f64)>, keep: usize) -> Vec<usize> {
    left.sort_by(|(i, loss), (j, other)| loss.total_cmp(other).then(i.cmp(j)));
    left.into_iter().take(keep).map(|(index, _)| index).collect()
}

/// The least validation loss of a training so far.
pub fn least_loss(cursor: &TrainingCursor) -> f64 {
    cursor.validation_losses.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The folder of a candidate, in that of the run's checkpoint.
pub fn folder(checkpoint: &Path, index: usize) -> PathBuf {
    checkpoint.join("candidates").join((index + 1).to_string())
}

/// Removes all candidates.
pub fn remove(checkpoint: &Path) {
    // They only take room: a stage looks at them only while it has decided nothing.
    let _ = files::remove_folder(&checkpoint.join("candidates"));
}

const STEPS: &str = "steps.jsonl";

/// Hears a candidate's training: its steps are kept beside its checkpoint, its stage is nobody's yet.
pub struct Candidate<'a> {
    steps: Lines,
    path: PathBuf,
    observer: &'a mut dyn Observer,
}

impl<'a> Candidate<'a> {
    /// A candidate that goes on from its checkpoint, if there is one: its steps and the checkpoint. Where the steps of the
    /// checkpoint are not all there, it starts over.
    ///
    /// # Errors
    /// Its folder cannot be read or written.
    pub fn open(folder: &Path, observer: &'a mut dyn Observer) -> Result<(Self, Option<Checkpoint>), InputError> {
        files::create_folder(folder)?;
        let path = folder.join(STEPS);
        let checkpoint = Checkpoint::load(folder)?;
        let done = checkpoint.as_ref().and_then(|checkpoint| checkpoint.cursor.training.as_ref());
        let done = done.map_or(0, |training| training.step);
        let mut steps = if path.is_file() { read_steps(&path)? } else { Vec::new() };
        steps.truncate(done);
        let checkpoint = checkpoint.filter(|_| steps.len() == done);
        if checkpoint.is_none() {
            steps.clear();
        }
        let kept = steps.iter().map(|step| line(&path, step).map(|line| line + "\n")).collect::<Result<String, _>>()?;
        files::write_atomically(&path, kept.as_bytes())?;
        Ok((Self { steps: Lines::open(&path)?, path, observer }, checkpoint))
    }
}

/// The steps of a candidate.
///
/// # Errors
/// They cannot be read.
pub fn steps(folder: &Path) -> Result<Vec<StepRecord>, InputError> {
    read_steps(&folder.join(STEPS))
}

/// The whole lines of a file: the last may have been cut off.
fn read_steps(path: &Path) -> Result<Vec<StepRecord>, InputError> {
    let file = File::open(path).map_err(|error| InputError::new(path, error.to_string()))?;
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    Ok(lines.map_while(|line| serde_json::from_str(&line).ok()).collect())
}

fn line(path: &Path, step: &StepRecord) -> Result<String, InputError> {
    serde_json::to_string(step).map_err(|error| InputError::new(path, error.to_string()))
}

impl Observer for Candidate<'_> {
    fn step(&mut self, step: &StepRecord) -> Result<(), InputError> {
        self.steps.push(&line(&self.path, step)?)
    }

    fn evaluation(&mut self, _: &EvaluationRecord) -> Result<(), InputError> {
        Ok(())
    }

    fn stage(&mut self, _: &StageRecord) -> Result<(), InputError> {
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), InputError> {
        self.observer.progress(progress)
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), InputError> {
        self.observer.event(level, text)
    }

    fn is_pausing(&mut self) -> bool {
        self.observer.is_pausing()
    }

    fn control(&mut self) -> Control {
        self.observer.control()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rung_halves_the_candidates_until_one_is_left() {
        let of = |candidates, epochs| -> Vec<(usize, usize)> {
            rungs(candidates, epochs).iter().map(|rung| (rung.epoch, rung.candidates)).collect()
        };
        assert_eq!(of(2, 4), [(2, 2)]);
        assert_eq!(of(3, 4), [(1, 3), (2, 2)]);
        assert_eq!(of(8, 8), [(2, 8), (4, 4), (6, 2)]);
        assert_eq!(of(4, 1), [(1, 4)], "one epoch decides at once");
        assert_eq!(of(8, 2), [(1, 8), (2, 4)]);
        assert_eq!([epochs(3, 4), epochs(8, 8), epochs(4, 1), epochs(1, 3)], [3 + 2 + 2, 16 + 8 + 4 + 2, 4, 3]);
    }

    #[test]
    fn the_lower_losses_stay_and_of_equal_ones_the_first() {
        assert_eq!(better(vec![(0, 2.0), (1, 1.0), (2, f64::NAN), (3, 1.0)], 2), [1, 3]);
    }
}
