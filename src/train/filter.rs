//! λ by a filter, group by group: what [`kalman`](crate::method::kalman) asks for of a stage and of those before it.

use std::time::Instant;

use super::Task;
use super::recorder::Recorder;
use super::stage_artifacts::{main_folder, own_ranks};
use super::stage_data::StageData;
use super::stage_statistics::{example_gradient, response_tokens, sample};
use crate::error::{InputError, RunError};
use crate::method::kalman::{Held, PastStage, centred, held, supported};
use crate::method::metric::{flattened, metric};
use crate::method::{Lambda, Peso, StageLambda, State, Strength};
use crate::model::backend::TrainingBackend;
use crate::model::weights::read_peft;
use crate::model::{Adapter, Llama};
use crate::run::RunFolder;
use crate::run::observer::{Level, Observer, StageRecord};
use crate::subspace::curvature::{Gradients, Metric};

/// Examples whose gradients are taken before a stage, or all of the stage where it has fewer.
pub const EXAMPLES: usize = 128;

/// Gradients are kept in memory as float32; of a large model fewer examples are taken.
const MAX_BYTES: usize = 2 << 30;

/// A stage (from 2) of a run whose λ is to be found.
pub struct Filter<'a> {
    pub task: &'a Task<'a>,
    pub folder: &'a RunFolder,
    pub stage: usize,
}

/// One parameter of the adapter as a group of the term: its metric around the state that pulled in a stage.
struct Group {
    name: String,
    metric: Metric,
}

impl Filter<'_> {
    /// The weight of each group, from the stage's data under the model before it. It follows from the adapters and records of
    /// the stages before, so a run that was cut off finds the same.
    ///
    /// # Errors
    /// The run's method is none that a filter weighs; adapters or records of earlier stages cannot be read; the gradients are no
    /// numbers.
    pub fn find<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        data: &StageData,
        recorder: &mut Recorder<'_>,
    ) -> Result<StageLambda, RunError> {
        let began = Instant::now();
        let peso = self.peso()?;
        let records = self.folder.reader()?.stages()?;
        let adapters = (1..self.stage).map(|stage| self.adapter(stage)).collect::<Result<Vec<_>, _>>()?;
        let Some(latest) = adapters.last() else {
            return Err(InputError::new(self.folder.path(), "no state pulls").into());
        };
        recorder.event(Level::Info, &format!("stage {}: looking at gradients for λ", self.stage))?;
        let seed = self.folder.config().seed;
        let (gradients, tokens) = gradients(EXAMPLES, model, latest, data, self.task, seed);
        if gradients.rows().flatten().any(|value| !value.is_finite()) {
            return Err(RunError::Diverged { what: "a gradient", stage: self.stage, step: 0, value: f64::NAN });
        }
        let gradients = centred(&gradients);
        let mut past = vec![Vec::new(); self.groups(&peso, &adapters)?.len()];
        for stage in 2..self.stage {
            let moved = self.moved(&peso, &adapters[..stage])?;
            let record = records.iter().find(|record| record.stage == stage);
            let Some((record, lambda)) = record.and_then(|record| Some((record, &record.lambda.as_ref()?.value)))
            else {
                let problem = format!("the run has no record of the λ that stage {stage} was trained with");
                return Err(InputError::new(self.folder.path(), problem).advice("run it over with `--fresh`").into());
            };
            for (past, (name, moved)) in past.iter_mut().zip(moved) {
                past.push(PastStage { lambda: lambda.of(&name), observations: seen(record, tokens), moved });
            }
        }
        let observations = data.examples as f64 * tokens;
        let of_group = |(group, past): (Group, Vec<PastStage>)| {
            let directions = supported(&gradients, &group.metric, observations);
            held(&directions, observations, &past).map(|held| (group.name, held))
        };
        let found: Vec<(String, Held)> =
            self.groups(&peso, &adapters)?.into_iter().zip(past).filter_map(of_group).collect();
        recorder.event(Level::Info, &format!("stage {}: {}", self.stage, words(&found)))?;
        let value = Strength::PerGroup(found.into_iter().map(|(name, held)| (name, written(held.lambda))).collect());
        Ok(StageLambda { rule: Lambda::Kalman, value, cost_seconds: began.elapsed().as_secs_f64() })
    }

    fn peso(&self) -> Result<Peso, InputError> {
        let refused = |problem: &str| {
            InputError::new(self.folder.path(), problem.to_owned()).advice("set `lambda` to a number or another rule")
        };
        if self.task.project.training.release_compatible {
            return Err(refused("a filter cannot find λ where training is as released: that has one for all groups"));
        }
        let peso = self.folder.config().method.proximal();
        peso.cloned().ok_or_else(|| refused("a filter finds λ for PESO alone"))
    }

    /// The adapter after a stage, without what it carries of earlier ones.
    fn adapter(&self, stage: usize) -> Result<Adapter, InputError> {
        let ranks = own_ranks(self.task, self.folder)?;
        read_peft(&main_folder(self.folder, stage), &self.task.llama).map(|(adapter, _)| adapter.cut(&ranks))
    }

    /// The groups around the state that pulls after these stages.
    fn groups(&self, peso: &Peso, adapters: &[Adapter]) -> Result<Vec<Group>, InputError> {
        let anchor = anchor(peso, adapters);
        let (whole, strengths) = metric(peso, &Strength::One(1.0), &anchor)
            .map_err(|problem| InputError::new(self.folder.path(), problem).advice("set `lambda` to a number"))?;
        let mut groups: Vec<Group> = Vec::new();
        for (group, strength) in whole.groups.into_iter().zip(strengths) {
            match groups.last_mut() {
                Some(last) if last.name == strength.parameter => last.metric.groups.push(group),
                _ => groups.push(Group { name: strength.parameter, metric: Metric { groups: vec![group] } }),
            }
        }
        Ok(groups)
    }

    /// How far each group went in the last of these stages from the state that pulled in it, squared.
    fn moved(&self, peso: &Peso, adapters: &[Adapter]) -> Result<Vec<(String, f64)>, InputError> {
        let Some((after, before)) = adapters.split_last() else { return Ok(Vec::new()) };
        let from = flattened(&anchor(peso, before));
        let way: Vec<f64> = flattened(after).iter().zip(&from).map(|(v, w)| v - w).collect();
        let groups = self.groups(peso, before)?.into_iter();
        Ok(groups.map(|group| (group.name, group.metric.inner(&way, &way))).collect())
    }
}

/// The state that pulls after these stages.
fn anchor(peso: &Peso, adapters: &[Adapter]) -> Adapter {
    let states: Vec<State> = adapters.iter().cloned().map(State::from).collect();
    peso.anchor.states(&states).pop().unwrap_or_default().adapter
}

/// Response tokens of a stage.
fn seen(record: &StageRecord, tokens: f64) -> f64 {
    record.train_examples as f64 * tokens
}

/// Gradients of single examples, and the mean number of response tokens of an example.
pub fn gradients<B: TrainingBackend>(
    examples: usize,
    model: &mut Llama<B>,
    adapter: &Adapter,
    data: &StageData,
    task: &Task<'_>,
    seed: u64,
) -> (Gradients, f64) {
    let parameters = adapter.parameters().map(|(_, matrix)| matrix.values.len()).sum::<usize>();
    let room = MAX_BYTES / (4 * parameters.max(1));
    let examples = sample(data, examples.min(room.max(2)), seed);
    let mut gradients = Gradients::new(parameters);
    for example in &examples {
        gradients.push(&example_gradient(model, adapter, example, task.project.training.temperature));
    }
    let tokens: usize = examples.iter().map(response_tokens).sum();
    (gradients, tokens as f64 / examples.len().max(1) as f64)
}

/// A number with six digits: what is written of it is read back as it was.
fn written(lambda: f64) -> f64 {
    format!("{lambda:.5e}").parse().unwrap_or(lambda)
}

/// One sentence for the log.
fn words(found: &[(String, Held)]) -> String {
    let lambdas = || found.iter().map(|(_, held)| held.lambda);
    let (least, most) = (lambdas().fold(f64::INFINITY, f64::min), lambdas().fold(0.0, f64::max));
    let gain = found.iter().map(|(_, held)| held.gain).sum::<f64>() / found.len().max(1) as f64;
    if found.is_empty() {
        return "Kalman: the examples say nothing about any group, so none is held".to_owned();
    }
    let first =
        if found.iter().all(|(_, held)| held.movement.is_none()) { ", as no movement was seen yet" } else { "" };
    format!("Kalman: λ from {least:.3} to {most:.3} over {} groups, mean gain {gain:.2}{first}", found.len())
}
