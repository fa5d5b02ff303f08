//! What the directions of a module's update mean: the codes and items that they raise and lower, and the users whose histories
//! run along them.

use std::path::PathBuf;
use std::time::Duration;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Unrecorded, analysis_folder, cache};
use crate::data::{Example, Protocol};
use crate::error::{InputError, RunError};
use crate::model::Llama;
use crate::model::adapter::Matrix;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::kernels::Kernels;
use crate::model::llama::Rows;
use crate::model::packing::Packed;
use crate::model::weights::read_peft;
use crate::run::RunFolder;
use crate::run::observer::{Level, Observer};
use crate::subspace::meaning::{SingularDirection, code_scores, extremes, item_scores, singular_directions};
use crate::train::Task;
use crate::train::evaluate::{USERS_A_BATCH, tests};
use crate::train::model_loading::unreported;
use crate::train::recorder::{Watcher, guarded};
use crate::train::stage_artifacts::{after_stage, main_folder};
use crate::train::stage_data::writer;
use crate::{files, linalg};

/// Codes, items and users that are named at either end.
const NAMED: usize = 10;

/// Items of a history that are named, the newest.
const NAMED_HISTORY: usize = 5;

/// The directions of one module after a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeaningReport {
    pub run: String,
    pub experiment: String,
    /// Whether the data is generated.
    pub synthetic: bool,
    /// From 1.
    pub stage: usize,
    /// `model.layers.0.mlp.down_proj`
    pub module: String,
    /// Users whose histories were read: those who are tested in the stage.
    pub users: usize,
    /// By falling singular value.
    pub directions: Vec<DirectionMeaning>,
}

/// One direction `σ u vᵀ` of an update `ΔW`; its sign is such that the entry of `u` that is largest in size is positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionMeaning {
    /// `σ`
    pub singular_value: f64,
    /// `σ²` as a share of the sum of all.
    pub share: f64,
    /// `u` through the final norm and the head, of a module that writes the residual stream: what becomes more and less
    /// likely where a history runs along `v`.
    pub writes: Option<Reading>,
    /// `v` through the embedding and the norm before it, of a module that reads the residual stream: the tokens that run
    /// along `v`. Beyond the first layer the stream has more than embeddings in it.
    pub reads: Option<Reading>,
    /// `vᵀ x` of what the module reads at the last token of users' histories.
    pub activation: Activation,
}

/// Scores of codes, each from the mean of its level, and of items, the sums over their codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub codes: Ends<ScoredCode>,
    pub items: Ends<ScoredItem>,
}

/// The greatest scores, greatest first, and the least, least first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ends<T> {
    pub raised: Vec<T>,
    pub lowered: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredCode {
    /// `<a_12>`
    pub code: String,
    /// From 1.
    pub level: usize,
    pub score: f64,
}

/// An item by its id in the files, with its title where the data has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedItem {
    pub id: String,
    pub title: Option<String>,
    /// Its semantic id: `<a_12>`, `<b_3>`, …
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredItem {
    #[serde(flatten)]
    pub item: NamedItem,
    pub score: f64,
}

/// How far users' histories run along a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    pub mean: f64,
    /// Standard deviation over users.
    pub deviation: f64,
    pub users: Ends<ActiveUser>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActiveUser {
    /// As the files name the user.
    pub user: String,
    pub activation: f64,
    /// The newest items of the history, oldest first.
    pub history: Vec<NamedItem>,
    /// What the user turned to next.
    pub target: NamedItem,
}

/// The modules of a run's adapter after a stage (from 1).
///
/// # Errors
/// The adapter cannot be read.
pub fn modules(task: &Task<'_>, run: &RunFolder, stage: usize) -> Result<Vec<String>, InputError> {
    Ok(read_peft(&main_folder(run, stage), &task.llama)?.0.modules.into_keys().collect())
}

/// The report that is kept in a run's folder; none where there is none of this adapter.
pub fn cached(run: &RunFolder, stage: usize, module: &str) -> Option<MeaningReport> {
    let made_from = cache::made_from(run, [stage]).ok()?;
    cache::read(&report_file(run, stage, module), &made_from)
}

fn report_file(run: &RunFolder, stage: usize, module: &str) -> PathBuf {
    analysis_folder(run, stage).join(format!("meaning-{module}.json"))
}

/// Reads the directions of a module after a stage (from 1), or takes what is kept of them.
///
/// # Errors
/// There is no such stage or module; the user stops; the device fails; a folder cannot be read or written.
pub fn read(
    task: &Task<'_>,
    run: &RunFolder,
    (stage, module): (usize, &str),
    watcher: &mut dyn Watcher,
) -> Result<MeaningReport, RunError> {
    if run.config().method.adapter_method().is_none() {
        return Err(InputError::new(run.path(), "the run has no adapter of a language model").into());
    }
    if !super::trained_stages(run)?.contains(&stage) {
        return Err(InputError::new(run.path(), format!("stage {stage} is not trained")).into());
    }
    let known = modules(task, run, stage)?;
    if !known.iter().any(|name| name == module) {
        let problem = format!("the adapter has no module \"{module}\"");
        return Err(InputError::new(run.path(), problem).advice(format!("it has {}", known.join(", "))).into());
    }
    if let Some(report) = cached(run, stage, module) {
        return Ok(report);
    }
    let folder = analysis_folder(run, stage);
    files::create_folder(&folder)?;
    let busy = || InputError::new(&folder, "another process analyses this stage").advice("wait for it");
    let _lock = files::lock(&folder.join("lock"), Duration::from_secs(1))?.ok_or_else(busy)?;
    let made_from = cache::made_from(run, [stage])?;
    let reading = ModuleReading { task, run, stage, module, observer: Unrecorded { watcher } };
    let report = guarded(task, || run_on(&task.device, reading))?;
    // An adapter that was trained anew meanwhile is another one.
    if cache::made_from(run, [stage])? == made_from {
        keep(run, &report)?;
    }
    Ok(report)
}

/// Keeps a report in the run's folder, as one of the adapter that is there now.
///
/// # Errors
/// The adapter cannot be read, or the folder cannot be written.
pub fn keep(run: &RunFolder, report: &MeaningReport) -> Result<(), InputError> {
    let made_from = cache::made_from(run, [report.stage])?;
    cache::write(&report_file(run, report.stage, &report.module), &made_from, report)
}

struct ModuleReading<'a> {
    task: &'a Task<'a>,
    run: &'a RunFolder,
    stage: usize,
    module: &'a str,
    observer: Unrecorded<'a>,
}

impl OnDevice for ModuleReading<'_> {
    type Output = Result<MeaningReport, RunError>;

    fn run<B: TrainingBackend>(mut self, device: &B::Device) -> Self::Output {
        let (adapter, scale) = read_peft(&main_folder(self.run, self.stage), &self.task.llama)?;
        let Some(pair) = adapter.modules.get(self.module) else {
            return Err(InputError::new(self.run.path(), "the adapter lost a module").at(self.module).into());
        };
        let matrix = |m: &Matrix| linalg::from_rows(m.rows, m.columns, &m.values);
        let found = singular_directions(&matrix(&pair.a), &matrix(&pair.b), scale);
        let model = after_stage::<B>(self.task, self.run, self.stage, device, &mut unreported)?;
        let model = model.map(&|t: Tensor<B, 2>| t.inner());
        let rows = StreamRows::of(&model, self.task, self.module);
        let users = tests(&self.task.dataset, Protocol::SameBlock, self.stage - 1, self.task.project.evaluation.users);
        let activations = self.activations(&model, &users, &found)?;
        let whole: f64 = found.iter().map(|direction| direction.value.powi(2)).sum();
        let directions = found.iter().zip(&activations).map(|(direction, activations)| DirectionMeaning {
            singular_value: direction.value,
            share: if whole > 0.0 { direction.value.powi(2) / whole } else { 0.0 },
            writes: rows.writes.as_ref().map(|rows| rows.reading(self.task, &direction.left)),
            reads: rows.reads.as_ref().map(|rows| rows.reading(self.task, &direction.right)),
            activation: self.activation(&users, activations),
        });
        let config = self.run.config();
        Ok(MeaningReport {
            run: config.run.clone(),
            experiment: config.experiment.clone(),
            synthetic: config.synthetic,
            stage: self.stage,
            module: self.module.to_owned(),
            users: users.len(),
            directions: directions.collect(),
        })
    }
}

impl ModuleReading<'_> {
    /// `vᵀ x` of every direction and user, direction by direction.
    fn activations<B: Kernels>(
        &mut self,
        model: &Llama<B>,
        users: &[Example<'_>],
        directions: &[SingularDirection],
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let mut activations = vec![Vec::with_capacity(users.len()); directions.len()];
        for (number, batch) in users.chunks(USERS_A_BATCH).enumerate() {
            self.observer.go_on()?;
            let text = format!("stage {}: histories, {} of {} users", self.stage, number * USERS_A_BATCH, users.len());
            self.observer.event(Level::Info, &text)?;
            let questions: Vec<_> = batch.iter().map(|user| writer(self.task).question(user.history)).collect();
            let packed = Packed::new(&questions);
            let rows = packed.plan.rows.iter().zip(&questions);
            let last: Vec<usize> =
                rows.map(|(row, question)| (row.queries.start + question.prefix.len()).saturating_sub(1)).collect();
            let Some(inputs) = model.inputs_at(&packed, self.module, &last) else { continue };
            let inputs = Matrix::from_tensor(inputs);
            for (direction, activations) in directions.iter().zip(&mut activations) {
                let dot = |row: &[f32]| row.iter().zip(&direction.right).map(|(x, v)| f64::from(*x) * v).sum::<f64>();
                activations.extend(inputs.values.chunks_exact(inputs.columns).map(dot));
            }
        }
        Ok(activations)
    }

    fn activation(&self, users: &[Example<'_>], activations: &[f64]) -> Activation {
        let number = activations.len().max(1) as f64;
        let mean = activations.iter().sum::<f64>() / number;
        let variance = activations.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / number;
        let item = |item: u32| named(self.task, item);
        let user = |place: usize| {
            let Example { user, history, target } = users[place];
            let newest = &history[history.len().saturating_sub(NAMED_HISTORY)..];
            ActiveUser {
                user: self.task.dataset.users[user as usize].clone(),
                activation: activations[place],
                history: newest.iter().map(|&place| item(place)).collect(),
                target: item(target),
            }
        };
        Activation { mean, deviation: variance.sqrt(), users: ends(activations, user) }
    }
}

/// What a direction of a module writes, and what it reads, through a model.
pub(super) fn readings<B: Kernels>(
    model: &Llama<B>,
    task: &Task<'_>,
    module: &str,
    direction: &SingularDirection,
) -> [Option<Reading>; 2] {
    let rows = StreamRows::of(model, task, module);
    [
        rows.writes.map(|rows| rows.reading(task, &direction.left)),
        rows.reads.map(|rows| rows.reading(task, &direction.right)),
    ]
}

/// The rows of codes in embedding or head, with the norm through which the stream reaches them or they reach the module.
struct CodeRows {
    rows: Vec<f32>,
    norm: Vec<f32>,
}

/// What a module's directions are read through.
struct StreamRows {
    writes: Option<CodeRows>,
    reads: Option<CodeRows>,
}

impl StreamRows {
    fn of<B: Kernels>(model: &Llama<B>, task: &Task<'_>, module: &str) -> Self {
        let layer =
            module.split('.').nth(2).and_then(|number| number.parse().ok()).and_then(|n: usize| model.layers.get(n));
        let factors = |norm: &Tensor<B, 2>| Matrix::from_tensor(model.norm_factors(norm)).values;
        let writes = module.ends_with(".o_proj") || module.ends_with(".down_proj");
        let norm = layer
            .filter(|_| !writes)
            .map(|layer| if module.contains(".mlp.") { &layer.post_norm } else { &layer.input_norm });
        // What a module writes goes through a norm of outputs, where there is one, before it reaches the stream.
        let output = layer.and_then(|layer| layer.output_norms.as_ref());
        let output = output.map(|own| factors(if module.contains(".mlp.") { &own.ffn } else { &own.attention }));
        let head = || {
            let mut norm = factors(&model.norm);
            norm.iter_mut().zip(output.into_iter().flatten()).for_each(|(factor, own)| *factor *= own);
            CodeRows { rows: rows_of_codes(model.head.as_ref().unwrap_or(&model.embedding), task), norm }
        };
        Self {
            writes: writes.then(head),
            reads: norm.map(|norm| CodeRows { rows: rows_of_codes(&model.embedding, task), norm: factors(norm) }),
        }
    }
}

/// The rows of all codes, `[codes, width]`. Codes are among the added tokens; a model without such has them among its own.
fn rows_of_codes<B: Kernels>(rows: &Rows<B>, task: &Task<'_>) -> Vec<f32> {
    let (codes, vocabulary) = (task.dataset.index.tokens.len(), &task.vocabulary);
    let (table, first) = match (&rows.added, &rows.base) {
        (Some(added), _) => (added, vocabulary.code(0) as usize - vocabulary.base),
        (None, Some(base)) => (base, vocabulary.code(0) as usize),
        (None, None) => return Vec::new(),
    };
    Matrix::from_tensor(table.clone().narrow(0, first, codes)).values
}

impl CodeRows {
    fn reading(&self, task: &Task<'_>, direction: &[f64]) -> Reading {
        let index = &task.dataset.index;
        let codes = code_scores(&self.rows, &self.norm, direction, &index.token_level);
        let items = item_scores(&index.codes, index.levels, &codes);
        let code = |place: usize| ScoredCode {
            code: index.tokens[place].clone(),
            level: usize::from(index.token_level[place]) + 1,
            score: codes[place],
        };
        let item = |place: usize| ScoredItem { item: named(task, place as u32), score: items[place] };
        Reading { codes: ends(&codes, code), items: ends(&items, item) }
    }
}

pub(super) fn named(task: &Task<'_>, item: u32) -> NamedItem {
    let index = &task.dataset.index;
    let codes = index.item(item).iter().map(|&code| index.tokens[code as usize].clone()).collect();
    let item = &task.dataset.items[item as usize];
    NamedItem { id: item.id.clone(), title: item.title.clone(), codes }
}

fn ends<T>(scores: &[f64], named: impl Fn(usize) -> T) -> Ends<T> {
    let [raised, lowered] = extremes(scores, NAMED).map(|places| places.into_iter().map(&named).collect());
    Ends { raised, lowered }
}
