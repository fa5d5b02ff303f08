//! Speed and memory of a method on this machine: a few steps and a few beam searches with the project's own shapes.

use std::time::Instant;

use burn::tensor::Tensor;

use crate::data::Protocol;
use crate::error::{InputError, RunError};
use crate::method::plan::{Data, Ended, Matrices, Plan, Stage, StatisticsRequest};
use crate::method::{AdapterMethod, Combination, Guides, Lambda, Part};
use crate::model::backend::{OnDevice, TrainingBackend};
use crate::model::beam::Ensemble;
use crate::model::llama::Kind;
use crate::model::optimizer::AdamW;
use crate::model::{Adapter, BaseModel, Llama, weights};
use crate::peak_memory;
use crate::train::base_model::pretrained;
use crate::train::evaluate::{Cell, KnownCatalogue, USERS_A_BATCH, tests};
use crate::train::jobs::{self, trained};
use crate::train::stage_data::{self, StageData};
use crate::train::step::{StepOptions, accumulated, apply};
use crate::train::trainer::validation_loss;
use crate::train::{Task, batches, filter, stage_statistics};

/// Seconds that a method's work takes, and memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Speed {
    /// Seconds an example of the compact base model's training.
    pub base: f64,
    /// Seconds an example of stage 1.
    pub first: f64,
    /// Seconds an example of each adapter that a later stage trains.
    pub later: Vec<f64>,
    /// Seconds a test user, after stage 1 and after later stages.
    pub test: [f64; 2],
    /// Seconds that a later stage takes beside, however much data it has: loading models, looking at examples.
    pub stage: f64,
    pub peak_memory_bytes: u64,
}

/// Measures a method.
pub struct WarmUp<'a> {
    pub task: &'a Task<'a>,
    pub method: &'a dyn AdapterMethod,
}

/// Steps that are timed, after one that is not.
const STEPS: usize = 6;

/// Steps end after this long, so that a large model is measured with fewer.
const LONG_ENOUGH: f64 = 2.0;

/// Examples and validation users that are looked at.
const LOOKED_AT: usize = 16;

const SEED: u64 = 0;

impl OnDevice for WarmUp<'_> {
    type Output = Result<Speed, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        peak_memory::forget_peak();
        let Self { task, method } = self;
        let began = Instant::now();
        let mut model = untrained::<B>(task, device)?;
        let loading = began.elapsed().as_secs_f64();
        let data = StageData::new(task, 0, Data::Stage, SEED);
        let (mut speed, plain) = (Speed::default(), Guides::default());
        if let BaseModel::Compact(_) = task.project.base_model {
            let all = |kind| matches!(kind, Kind::Base | Kind::BaseRows | Kind::AddedRows);
            speed.base = self.example(&mut model.clone(), &data, &all, &plain);
        }
        model.lora_scale = task.project.training.lora.scale();
        let latest = self.fresh("stage 1");
        latest.put_on(&mut model);
        let vocabulary = task.project.training.vocabulary;
        speed.first = self.example(&mut model, &data, &trained(vocabulary, true), &plain);
        speed.test = [self.user(&Ensemble::from(model.clone().map(&|t: Tensor<B, 2>| t.inner()))); 2];
        if task.dataset.stages.len() > 1 && method.trains() {
            // A stage loads the model that it starts from and the one that it tests.
            speed.stage = 2.0 * loading;
            let plan = self.plan(&mut model, latest, &mut speed);
            let mut models = Vec::new();
            for part in [Some(&plan.main), plan.beside.as_ref()].into_iter().flatten() {
                let mut model = model.clone();
                speed.later.push(self.part(&mut model, part, &mut speed.stage, device));
                models.push((0.5, model.map(&|t: Tensor<B, 2>| t.inner())));
            }
            if matches!(method.combination(), Some((Combination::Predictions, _))) {
                speed.test[1] = self.user(&Ensemble { models });
            }
        }
        speed.peak_memory_bytes = peak_memory::peak_bytes();
        Ok(speed)
    }
}

impl WarmUp<'_> {
    fn fresh(&self, name: &str) -> Adapter {
        Adapter::fresh(&self.task.llama, self.task.project.training.lora, SEED, name)
    }

    /// The method's plan of stage 2, and the time for what it looks at.
    fn plan<B: TrainingBackend>(&self, model: &mut Llama<B>, latest: Adapter, speed: &mut Speed) -> Plan {
        let (task, method) = (self.task, self.method);
        let mut collect = |request: Option<StatisticsRequest>, stage: usize| {
            let Some(request) = request else { return Matrices::new() };
            let (request, share) = a_few(request);
            let data = StageData::new(task, stage, Data::Stage, SEED);
            let began = Instant::now();
            let statistics = stage_statistics::collect(request, model, &data, task, SEED);
            speed.stage += share * began.elapsed().as_secs_f64();
            statistics
        };
        let of = task.dataset.stages.len();
        let after = collect(method.statistics_after(), 0);
        let memory = method.remember(Ended { number: 1, of, statistics: after, before: None });
        let statistics = collect(method.statistics_before(), 1);
        let (past, fresh) = (vec![latest], |name: &str| self.fresh(name));
        method.plan(&Stage {
            number: 2,
            past: &past,
            rows: &[],
            memories: &[memory],
            statistics: &statistics,
            fresh: &fresh,
        })
    }

    /// Seconds an example of one of stage 2's adapters.
    fn part<B: TrainingBackend>(&self, model: &mut Llama<B>, part: &Part, beside: &mut f64, device: &B::Device) -> f64 {
        let task = self.task;
        let data = StageData::new(task, 1, part.data, SEED);
        let before = model.clone().map(&|t: Tensor<B, 2>| t.inner());
        jobs::put(part, model, device);
        if let Some(ahead) = &part.ahead {
            let (few, began) = (ahead.examples.min(LOOKED_AT), Instant::now());
            stage_statistics::gradient(few, model, &data, task, SEED);
            *beside += began.elapsed().as_secs_f64() * ahead.examples as f64 / few.max(1) as f64;
        }
        if part.lambda == Lambda::Kalman {
            let (few, began) = (filter::EXAMPLES.min(LOOKED_AT), Instant::now());
            filter::gradients(few, model, &part.start, &data, task, SEED);
            *beside += began.elapsed().as_secs_f64() * filter::EXAMPLES as f64 / few as f64;
        }
        let guides = Guides::new(&jobs::terms(part, task.project.training.release_compatible), device, &before);
        self.example(model, &data, &trained(task.project.training.vocabulary, part.trains_a), &guides)
    }

    /// Seconds an example of training, with its share of the validation.
    fn example<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        data: &StageData,
        trains: &dyn Fn(Kind) -> bool,
        guides: &Guides<B::InnerBackend>,
    ) -> f64 {
        let training = &self.task.project.training;
        let options = StepOptions {
            temperature: training.temperature,
            clip: training.clip,
            adapter_dropout: training.dropout,
            residual_dropout: 0.0,
            checkpointing: training.checkpointing,
            equal_pieces: training.release_compatible,
        };
        let mut optimizer = AdamW::new(training.weight_decay);
        let (mut examples, mut seconds) = (0, 0.0);
        let steps = batches::epoch(&data.sequences, training.batch, SEED, "warm-up", 0);
        for (number, places) in steps.iter().cycle().take((steps.len() * STEPS).min(STEPS + 1)).enumerate() {
            let began = Instant::now();
            let sequences: Vec<_> = places.iter().map(|&index| data.sequences[index].clone()).collect();
            let targets = sequences.iter().map(|sequence| sequence.branches.len()).sum::<usize>();
            let pieces = batches::pieces(sequences, training.accumulation);
            let gradients = accumulated(model, &pieces, trains, guides, &options, number as u64);
            // The learning rate is 0, so that a model that is measured again has not diverged.
            apply(model, gradients, &mut optimizer, 0.0, options.clip);
            if number > 0 {
                examples += targets;
                seconds += began.elapsed().as_secs_f64();
            }
            if seconds > LONG_ENOUGH {
                break;
            }
        }
        let few = &data.validation[..data.validation.len().min(LOOKED_AT)];
        let began = Instant::now();
        validation_loss(model, few, training.temperature);
        let validated = began.elapsed().as_secs_f64() / few.len().max(1) as f64;
        seconds / examples.max(1) as f64 + validated * data.validation.len() as f64 / data.examples.max(1) as f64
    }

    /// Seconds a test user.
    fn user<B: crate::model::kernels::Kernels>(&self, model: &Ensemble<B>) -> f64 {
        let (task, evaluation) = (self.task, &self.task.project.evaluation);
        let decoder = stage_data::decoder(task);
        let users = tests(&task.dataset, Protocol::SameBlock, 0, evaluation.users);
        let batch = &users[..users.len().min(USERS_A_BATCH)];
        let known = evaluation.known_items.then(|| KnownCatalogue::of(&task.dataset, 0));
        let test = |users| Cell::default().test(model, &decoder, known.as_ref(), stage_data::writer(task), users);
        test(&batch[..batch.len().min(4)]);
        let began = Instant::now();
        test(batch);
        began.elapsed().as_secs_f64() / batch.len().max(1) as f64
    }
}

/// The same of a few examples, and how many times as long the whole takes.
fn a_few(request: StatisticsRequest) -> (StatisticsRequest, f64) {
    let few = |examples: usize| (examples.min(LOOKED_AT), examples as f64 / examples.clamp(1, LOOKED_AT) as f64);
    match request {
        StatisticsRequest::Fisher { examples, rows } => {
            (StatisticsRequest::Fisher { examples: few(examples).0, rows }, few(examples).1)
        }
        StatisticsRequest::Inputs { examples } => {
            (StatisticsRequest::Inputs { examples: few(examples).0 }, few(examples).1)
        }
    }
}

/// The base model before it is trained: of the same shape, so as fast.
fn untrained<B: TrainingBackend>(task: &Task<'_>, device: &B::Device) -> Result<Llama<B>, InputError> {
    let added = task.vocabulary.added;
    match &task.project.base_model {
        BaseModel::Compact(_) => Ok(weights::initialise_compact(&task.llama, added, SEED, device)),
        BaseModel::HuggingFace(path) | BaseModel::Gguf(path) => {
            pretrained::<B>(task, path, device)?.load(added, SEED, device, &mut |_| ())
        }
    }
}
