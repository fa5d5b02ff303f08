//! A run as TensorBoard reads it: a folder with one event file.

mod record;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use self::record::{Event, Value, write_event};
use crate::error::InputError;
use crate::files;
use crate::project::file::to_ron;
use crate::run::observer::{Phase, StageRecord, StepRecord};
use crate::run::{EvaluationSummary, RunFolder};

/// Writes the event file of a run into a folder, and gives its path. Scalars are:
///
/// - `train/…` (and `base/…`, of the compact base model) by optimiser step, counted through all stages
/// - `validation/loss` by epoch, counted through all stages
/// - `<protocol>/<metric>` by stage, of the model that its tests are due to, and `<protocol>/<metric>/tests_of_stage_<j>` by
///   the stage that the model was trained on: the whole matrix
///
/// The run's settings stand beside them as the text `settings`. What is no number is left out.
///
/// # Errors
/// The run cannot be read, or the folder cannot be written.
pub fn write_events(run: &RunFolder, folder: &Path) -> Result<PathBuf, InputError> {
    let reader = run.reader()?;
    let config = run.config();
    let began = config.created_unix as f64;
    let mut events = vec![Event { wall_time: began, step: 0, value: Value::Version }];
    let settings = format!("```\n{}```", to_ron(config, run.path())?);
    events.push(Event { wall_time: began, step: 0, value: Value::Text { tag: "settings", text: &settings } });
    let steps: Vec<StepRecord> = reader.steps_after(0)?.into_iter().map(|(_, step)| step).collect();
    let stages = reader.stages()?;
    let mut scalars = of_steps(&steps, began);
    scalars.extend(of_validation(&stages, began));
    scalars.extend(of_metrics(&reader.evaluations()?, &ends(&stages, began)));
    let scalar = |s: &'_ Scalar| s.value.is_finite();
    events.extend(scalars.iter().filter(|s| scalar(s)).map(Scalar::event));
    files::create_folder(folder)?;
    let file = folder.join(format!("events.out.tfevents.{:010}.{}", config.created_unix, config.run));
    files::write_pieces_atomically(&file, |file| {
        let mut file = std::io::BufWriter::new(file);
        events.iter().try_for_each(|event| write_event(&mut file, event))?;
        file.flush()
    })?;
    Ok(file)
}

/// A number at a step.
#[derive(Debug, Clone, PartialEq)]
struct Scalar {
    tag: String,
    step: u64,
    /// Seconds since 1970.
    wall_time: f64,
    value: f64,
}

impl Scalar {
    fn event(&self) -> Event<'_> {
        let value = Value::Scalar { tag: &self.tag, value: self.value as f32 };
        Event { wall_time: self.wall_time, step: self.step, value }
    }
}

/// What every step says, at its number among all steps of its kind.
fn of_steps(steps: &[StepRecord], began: f64) -> Vec<Scalar> {
    let (mut scalars, mut wall_time) = (Vec::new(), began);
    // Steps of the stages before, of the base model and of adapters.
    let (mut offsets, mut last): ([u64; 2], Option<(usize, bool, u64)>) = ([0; 2], None);
    for record in steps.iter().filter(|record| matches!(record.phase, Phase::Base | Phase::Train)) {
        let base = record.phase == Phase::Base;
        if let Some((stage, was_base, reached)) = last
            && (stage, was_base) != (record.stage, base)
        {
            offsets[usize::from(was_base)] += reached;
        }
        last = Some((record.stage, base, record.step as u64));
        if record.seconds.is_finite() {
            wall_time += record.seconds;
        }
        let step = offsets[usize::from(base)] + record.step as u64;
        let named = [
            ("loss", record.loss),
            ("penalty", record.penalty),
            ("pull_ratio", record.pull_ratio),
            ("gradient_norm", record.gradient_norm),
            ("learning_rate", record.learning_rate),
        ];
        let kind = if base { "base" } else { "train" };
        scalars.extend(named.map(|(name, value)| Scalar { tag: format!("{kind}/{name}"), step, wall_time, value }));
    }
    scalars
}

/// Seconds since 1970 at which each stage (from 1) had ended, as far as its records tell.
fn ends(stages: &[StageRecord], began: f64) -> BTreeMap<usize, f64> {
    let mut end = began;
    let spent = |record: &StageRecord| {
        [record.train_seconds, record.eval_seconds].iter().filter(|s| s.is_finite()).sum::<f64>()
    };
    stages
        .iter()
        .map(|record| {
            end += spent(record);
            (record.stage, end)
        })
        .collect()
}

fn of_validation(stages: &[StageRecord], began: f64) -> Vec<Scalar> {
    let ends = ends(stages, began);
    let losses = stages.iter().flat_map(|record| record.validation_losses.iter().map(|loss| (record.stage, *loss)));
    let scalar =
        |((stage, value), step)| Scalar { tag: "validation/loss".to_owned(), step, wall_time: ends[&stage], value };
    losses.zip(1..).map(scalar).collect()
}

fn of_metrics(cells: &[EvaluationSummary], ends: &BTreeMap<usize, f64>) -> Vec<Scalar> {
    let mut scalars = Vec::new();
    for cell in cells {
        let at = cell.at;
        let wall_time = ends.get(&at.trained).or(ends.values().next()).copied().unwrap_or(0.0);
        for (metric, &value) in &cell.metrics {
            let tag = format!("{}/{metric}", at.protocol.key());
            if at.trained == at.protocol.newest(at.tested) {
                scalars.push(Scalar { tag: tag.clone(), step: at.tested as u64, wall_time, value });
            }
            let tag = format!("{tag}/tests_of_stage_{}", at.tested);
            scalars.push(Scalar { tag, step: at.trained as u64, wall_time, value });
        }
    }
    scalars
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(stage: usize, phase: Phase, step: usize, loss: f64) -> StepRecord {
        StepRecord {
            phase,
            stage,
            epoch: 1,
            step,
            steps: 2,
            loss,
            penalty: 0.5,
            penalty_share: 0.0,
            pull_ratio: f64::NAN,
            gradient_norm: 1.0,
            learning_rate: 0.1,
            examples: 1,
            seconds: 2.0,
        }
    }

    #[test]
    fn steps_are_counted_through_the_stages_and_apart_from_the_base_model() {
        let steps = [
            step(1, Phase::Base, 1, 9.0),
            step(1, Phase::Base, 2, 8.0),
            step(1, Phase::Train, 1, 7.0),
            step(1, Phase::Train, 2, 6.0),
            step(2, Phase::Train, 1, 5.0),
            step(3, Phase::Train, 1, 4.0),
        ];
        let scalars = of_steps(&steps, 100.0);
        let of = |tag: &str| -> Vec<(u64, f64, f64)> {
            scalars.iter().filter(|s| s.tag == tag).map(|s| (s.step, s.wall_time, s.value)).collect()
        };
        assert_eq!(of("base/loss"), [(1, 102.0, 9.0), (2, 104.0, 8.0)]);
        assert_eq!(of("train/loss"), [(1, 106.0, 7.0), (2, 108.0, 6.0), (3, 110.0, 5.0), (4, 112.0, 4.0)]);
        assert_eq!(of("train/penalty").len(), 4);
    }
}
