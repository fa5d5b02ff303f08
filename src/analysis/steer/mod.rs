//! Steering by hand: what one user is shown and how often a sample's targets are hit with so much of a stage's step.
//!
//! The model is loaded once and stays ([`serve`]); every request puts another state on it ([`crate::train::steering`]).

mod marks;
mod merging;
pub mod protocol;
mod search;
mod serve;

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::Tensor;

use self::merging::StageCurvature;
use self::protocol::{Description, Direction, Ends, Hits, ListedItem, Merged, Request, Search, Tried, UserList};
pub use self::serve::serve;
use super::meaning::{self, NamedItem, Reading};
use crate::data::{Example, Protocol};
use crate::error::{InputError, RunError};
use crate::measure::statistics::wilson;
use crate::method::plan::Data;
use crate::method::steered::Coefficients;
use crate::model::Llama;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::beam::Ensemble;
use crate::model::kernels::Kernels;
use crate::model::packing::Sequence;
use crate::project::UsersPerStage;
use crate::run::RunFolder;
use crate::train::Task;
use crate::train::base_model::load_base;
use crate::train::batches::sample;
use crate::train::evaluate::{Cell, TOP, recommended, tests};
use crate::train::model_loading::unreported;
use crate::train::recorder::guarded;
use crate::train::stage_artifacts::StageState;
use crate::train::stage_data::{StageData, decoder, writer};
use crate::train::steering::{StageStep, combined};
use crate::train::trainer::mean_loss;

/// Test users of a sample, unless it is said otherwise.
pub const USERS: usize = 100;

/// Users of the sample that are tested between two looks at whether something newer is asked.
const SLICE: usize = 34;

/// Items that are named at either end of a direction, and of a history.
const NAMED: usize = 3;
const NAMED_HISTORY: usize = 5;

/// Which step is steered, and what it is measured on.
#[derive(Clone, Copy)]
pub struct Steering<'a> {
    pub task: &'a Task<'a>,
    pub run: &'a RunFolder,
    /// From 2.
    pub stage: usize,
    /// Test users of the sample, at most.
    pub users: usize,
}

/// What one position of the sliders gives.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SteerReport {
    #[serde(flatten)]
    pub coefficients: Coefficients,
    #[serde(flatten)]
    pub description: Description,
    pub list: UserList,
    pub hits: Hits,
    pub ends: Ends,
    /// The search on validation and the closed form, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
}

/// Answers one request whole; with `find_best` the search for the best coefficient too.
///
/// # Errors
/// The stage cannot be steered, the user is not tested in it, or the device fails.
pub fn report(steering: Steering<'_>, request: &Request, find_best: bool) -> Result<SteerReport, RunError> {
    guarded(steering.task, || run_on(&steering.task.device, Reporting { steering, request, find_best }))
}

struct Reporting<'a> {
    steering: Steering<'a>,
    request: &'a Request,
    find_best: bool,
}

impl OnDevice for Reporting<'_> {
    type Output = Result<SteerReport, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let mut scorer = Scorer::load::<B>(self.steering, device)?;
        let model = scorer.model(&self.request.coefficients)?;
        let list = scorer.list(&model, self.request, Instant::now())?;
        let mut search = Search::default();
        while self.find_best && scorer.search(&mut search) {}
        let merged = if self.find_best { scorer.merged()? } else { None };
        Ok(SteerReport {
            coefficients: self.request.coefficients.clone(),
            list,
            hits: scorer.all_hits(&model, self.request.id),
            ends: Ends {
                before: scorer.all_hits(&scorer.model(&Coefficients::whole(0.0))?, 0).hit,
                after: scorer.all_hits(&scorer.model(&Coefficients::whole(1.0))?, 0).hit,
            },
            search: self.find_best.then_some(search),
            merged,
            description: scorer.description,
        })
    }
}

/// The loaded model with the stage's step, and who is asked.
struct Scorer<'a, B: Kernels> {
    steering: Steering<'a>,
    step: StageStep,
    base: Llama<B>,
    /// The sample, and all test users of the stage.
    sample: Vec<Example<'a>>,
    everybody: Vec<Example<'a>>,
    /// Of the stage's validation users.
    validation: Vec<Sequence>,
    description: Description,
    /// By user: the list before the stage.
    before: BTreeMap<u32, Vec<u32>>,
}

impl<'a, B: Kernels> Scorer<'a, B> {
    fn load<T: TrainingBackend<InnerBackend = B>>(
        steering: Steering<'a>,
        device: &T::Device,
    ) -> Result<Self, InputError> {
        let Steering { task, run, stage, users } = steering;
        let step = StageStep::read(task, run, stage)?;
        let base = load_base::<T>(task, run, device, &mut unreported)?.map(&|t: Tensor<T, 2>| t.inner());
        let tests = |users| tests(&task.dataset, Protocol::SameBlock, stage - 1, users);
        let (sample, everybody) = (tests(UsersPerStage::Sample(users)), tests(UsersPerStage::All));
        if sample.is_empty() {
            return Err(InputError::new(run.path(), format!("nobody is tested in stage {stage}")));
        }
        let validation = StageData::new(task, stage - 1, Data::Stage, 0).validation;
        let (marks, notes) = marks::marks(task, run, stage, &step);
        let mut after = base.clone();
        step.after.put_on(&mut after);
        let config = run.config();
        let description = Description {
            run: config.run.clone(),
            experiment: config.experiment.clone(),
            seed: config.seed,
            synthetic: config.synthetic,
            stage,
            directions: directions(task, &after, &step),
            marks,
            notes,
            users: sample.iter().map(|test| task.dataset.users[test.user as usize].clone()).collect(),
            k: TOP.min(task.project.evaluation.beams),
        };
        Ok(Self { steering, step, base, sample, everybody, validation, description, before: BTreeMap::new() })
    }

    /// The model with so much of the step.
    fn model(&self, coefficients: &Coefficients) -> Result<Ensemble<B>, InputError> {
        let directions = self.step.directions.len();
        let bad = |problem: String, advice: String| InputError::new(self.steering.run.path(), problem).advice(advice);
        coefficients.check().map_err(|error| bad(error.problem, error.advice))?;
        match coefficients.directions.iter().find(|own| own.direction > directions) {
            Some(own) => {
                let problem = format!("the step has no direction {}", own.direction);
                Err(bad(problem, format!("it has {directions}")))
            }
            None => Ok(self.with(&self.step.state(coefficients)).into()),
        }
    }

    fn with(&self, state: &StageState) -> Llama<B> {
        let mut model = self.base.clone();
        state.put_on(&mut model);
        model
    }

    /// The user's list.
    fn list(&mut self, model: &Ensemble<B>, request: &Request, began: Instant) -> Result<UserList, InputError> {
        let task = self.steering.task;
        let Example { user, history, target } = self.test_of(request.user.as_deref())?;
        let ranked = |model: &Ensemble<B>| recommended(model, &decoder(task), writer(task), history);
        if !self.before.contains_key(&user) {
            let before = ranked(&self.with(&self.step.before).into());
            self.before.insert(user, before);
        }
        let before = self.before.get(&user).map_or(&[][..], Vec::as_slice);
        let listed = |item: u32| {
            let NamedItem { id, title, .. } = meaning::named(task, item);
            let place = before.iter().position(|other| *other == item);
            ListedItem { id, title, before: place.map(|index| index + 1), target: item == target }
        };
        let items = ranked(model).into_iter().map(listed).collect();
        let newest = &history[history.len().saturating_sub(NAMED_HISTORY)..];
        Ok(UserList {
            id: request.id,
            user: task.dataset.users[user as usize].clone(),
            history: newest.iter().map(|&item| name(meaning::named(task, item))).collect(),
            target: name(meaning::named(task, target)),
            items,
            milliseconds: milliseconds(began),
        })
    }

    fn test_of(&self, name: Option<&str>) -> Result<Example<'a>, InputError> {
        let (task, stage) = (self.steering.task, self.steering.stage);
        let Some(name) = name else { return Ok(self.sample[0]) };
        let found = self.everybody.iter().find(|test| task.dataset.users[test.user as usize] == name);
        found.copied().ok_or_else(|| {
            InputError::new(self.steering.run.path(), format!("no user \"{name}\" is tested in stage {stage}"))
                .advice(format!("for example \"{}\" is", self.description.users[0]))
        })
    }

    /// Asks the next users of the sample; none where all were asked.
    fn ask(&self, model: &Ensemble<B>, asked: &mut Cell) -> Option<()> {
        let task = self.steering.task;
        let slice = self.sample[asked.users()..].chunks(SLICE).next()?;
        asked.test(model, &decoder(task), None, writer(task), slice);
        Some(())
    }

    fn hits(&self, asked: &Cell, id: u64, began: Instant) -> Hits {
        let hits: f64 = asked.outcomes().iter().map(|user| user.whole().hit_corrected(self.description.k)).sum();
        let users = asked.users();
        Hits {
            id,
            users,
            of: self.sample.len(),
            hit: hits / users.max(1) as f64,
            interval: wilson(hits, users),
            milliseconds: milliseconds(began),
        }
    }

    fn all_hits(&self, model: &Ensemble<B>, id: u64) -> Hits {
        let (began, mut asked) = (Instant::now(), Cell::default());
        while self.ask(model, &mut asked).is_some() {}
        self.hits(&asked, id, began)
    }

    /// Tries the next coefficient on the stage's validation users; false where all are tried.
    fn search(&self, search: &mut Search) -> bool {
        let Some(step) = search.next() else { return false };
        let task = self.steering.task;
        let model = self.with(&self.step.state(&Coefficients::whole(step)));
        search.add(Tried { step, loss: mean_loss(&model, &self.validation, task.project.training.temperature) });
        true
    }

    /// The coefficient of Perturb-and-Merge; none where no loss changes along the step.
    fn merged(&self) -> Result<Option<Merged>, InputError> {
        let Steering { task, run, stage, .. } = self.steering;
        let mut curvatures = Vec::new();
        for earlier in 1..=stage {
            let own = StageState::read(task, &run.adapter(earlier))?;
            let data = StageData::new(task, earlier - 1, Data::Stage, 0).sequences;
            let examples = sample(data, merging::EXAMPLES, 0);
            let slopes = |from: &StageState, to: &StageState| -> Vec<f64> {
                let piece = merging::PIECE;
                let loss = |piece: f32| {
                    let model = self.with(&combined(&[(1.0, &own), (piece, to), (-piece, from)]));
                    merging::losses(&model, &examples, task.project.training.temperature)
                };
                let (ahead, behind) = (loss(piece), loss(-piece));
                ahead.iter().zip(behind).map(|(a, b)| (a - b) / (2.0 * f64::from(piece))).collect()
            };
            let step = slopes(&self.step.before, &self.step.after);
            let way = if earlier == stage { step.clone() } else { slopes(&self.step.before, &own) };
            curvatures.push(StageCurvature::of(&step, &way));
        }
        Ok(merging::coefficient(&curvatures).map(|step| Merged { step }))
    }
}

/// The leading directions with what they mean through the model after the stage.
fn directions<B: Kernels>(task: &Task<'_>, after: &Llama<B>, step: &StageStep) -> Vec<Direction> {
    let describe = |(number, found): (usize, &crate::train::steering::StepDirection)| {
        let [writes, reads] = meaning::readings(after, task, &found.module, &found.direction);
        let written = writes.is_some();
        let names = |ends: fn(&Reading) -> &Vec<meaning::ScoredItem>| -> Vec<String> {
            let reading = writes.as_ref().or(reads.as_ref());
            let items = reading.map_or(&[][..], |reading| ends(reading).as_slice());
            items.iter().take(NAMED).map(|scored| name(scored.item.clone())).collect()
        };
        Direction {
            number,
            module: found.module.clone(),
            singular_value: found.direction.value,
            share: found.share,
            writes: written,
            raised: names(|reading| &reading.items.raised),
            lowered: names(|reading| &reading.items.lowered),
        }
    };
    (1..).zip(&step.directions).map(describe).collect()
}

fn name(item: NamedItem) -> String {
    item.title.unwrap_or(item.id)
}

fn milliseconds(began: Instant) -> f64 {
    1e3 * began.elapsed().as_secs_f64()
}
