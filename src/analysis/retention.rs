//! The theory of the proximal term, measured on a run's stage: what is kept of the past along the directions that the stage's
//! data speaks about, beside the prediction `λ / (ρ + λ)`.
//!
//! Curvature is the second moment of single examples' gradients. The loss of an example is the mean over its T response
//! tokens; the gradient is taken times √T, so that the second moment is the Fisher information of the training loss: a mean
//! over T tokens, whose scores are uncorrelated for a model that predicts well, has the information of one token.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pull::{proximal, ratios, strength};
use super::twin::twin;
use super::{Unrecorded, analysis_folder, cache};
use crate::error::{InputError, RunError};
use crate::files;
use crate::method::metric::{GroupStrength, flattened, metric};
use crate::method::plan::Data;
use crate::method::term::proximal::has_metric;
use crate::method::{Aggregation, Anchor, Distance, Peso, State};
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::packing::Sequence;
use crate::model::weights::read_peft;
use crate::model::{Adapter, Llama};
use crate::run::RunFolder;
use crate::run::observer::{Level, Observer};
use crate::subspace::curvature::{Constants, Gradients, directions};
use crate::subspace::retention::{Correlations, Outside, Retained, Rise, States, retention};
use crate::train::recorder::{Watcher, guarded};
use crate::train::stage_artifacts::{has_token_rows, main_folder, with_adapter};
use crate::train::stage_data::StageData;
use crate::train::stage_statistics::{example_gradient, response_tokens};
use crate::train::trainer::validation_loss;
use crate::train::{Task, model_loading, stage_statistics};

pub use super::pull::PullRatio;
pub use super::twin::TwinRecord;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionOptions {
    /// Examples whose gradients are taken, or all of the stage where it has fewer.
    pub examples: usize,
    pub at: Point,
}

/// The model at which gradients are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Point {
    /// As training without the pull leaves it, `v*`: the optimum that the quadratic model is around.
    Twin,
    /// As it was before the stage, `v'`.
    Previous,
}

impl Default for RetentionOptions {
    fn default() -> Self {
        Self { examples: 256, at: Point::Twin }
    }
}

/// Predicted and measured retention of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetentionReport {
    pub run: String,
    pub experiment: String,
    /// Whether the data is generated.
    pub synthetic: bool,
    /// From 2.
    pub stage: usize,
    pub lambda: f64,
    pub distance: Distance,
    pub aggregation: Aggregation,
    pub options: RetentionOptions,
    /// Examples whose gradients were taken, of so many in the stage.
    pub examples: usize,
    pub of: usize,
    /// By falling `ρ`.
    pub directions: Vec<Retained>,
    pub outside: Outside,
    pub correlations: Correlations,
    pub groups: Vec<GroupStrength>,
    /// Mean over the stage's steps of `‖λ ∇penalty‖ / ‖∇cross-entropy‖`, and the last step's.
    pub pull_ratio: Option<PullRatio>,
    pub movement: Movement,
    pub quadratic: QuadraticCheck,
    pub twin: TwinRecord,
    /// Epoch that the run kept, from 1.
    pub best_epoch: usize,
}

/// How far the adapter went in the stage: plain norms of differences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// `‖v* - v'‖`
    pub twin: f64,
    /// `‖v - v'‖`
    pub run: f64,
    /// `‖v - v*‖`
    pub apart: f64,
}

/// Whether the loss is as the quadratic model has it: on the way `d = v' - v*` from the twin back to the adapter that pulls,
/// with the twin's token rows at both ends. All losses are means over the response tokens of the examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuadraticCheck {
    pub loss_twin: f64,
    /// Of the twin with the adapter that pulls: the token rows stay the twin's, since the quadratic model is in the adapter.
    pub loss_previous: f64,
    /// Of the whole model from before the stage: the previous stage's adapter with the token rows of that stage.
    pub loss_before_stage: f64,
    /// Whether those rows lie beside the previous stage's adapter, where the twin trained rows; else those of the base model
    /// were taken.
    pub previous_token_rows: bool,
    /// `gᵀ d` with the gradient `g` at the twin, where training ended without being at a minimum.
    pub slope: f64,
    /// The same from losses a little off the twin, `(L(v* + ε d) - L(v* - ε d)) / 2 ε`: a check that is made without a gradient.
    pub slope_measured: f64,
    /// `½ dᵀ Σ d`
    pub curvature: f64,
    /// Their sum, which the quadratic model says that `loss_previous` has more than `loss_twin`.
    pub predicted_rise: f64,
}

/// Gradients are kept in memory as float32.
const MAX_BYTES: usize = 8 << 30;

/// Share of the way back to the adapter that pulls at which the loss is measured on either side of the twin: large enough for
/// losses in float32, small enough for the third order to play no part.
const SMALL_STEP: f64 = 0.02;

/// Examples between two lines about the progress, and checks whether to go on.
const REPORT_EVERY: usize = 32;

/// The report that is kept in a run's folder for a stage, whatever its options were; none where there is none of these
/// adapters.
pub fn cached(run: &RunFolder, stage: usize) -> Option<RetentionReport> {
    let made_from = cache::made_from(run, 1..=stage).ok()?;
    cache::read(&report_file(run, stage), &made_from)
}

fn report_file(run: &RunFolder, stage: usize) -> std::path::PathBuf {
    analysis_folder(run, stage).join("retention.json")
}

/// Whether, and why not, the theory can be measured on a run.
///
/// # Errors
/// Says what the run lacks.
pub fn measurable(run: &RunFolder) -> Result<Peso, InputError> {
    let refused = |problem: String| {
        InputError::new(run.path(), problem).advice(
            "it takes a run of PESO with the softmax divergence or the squared L2 distance, anchored to one state",
        )
    };
    let Some(peso) = proximal(run) else {
        return Err(refused(format!("{} has no proximal term", run.config().method.label())));
    };
    if peso.anchor == Anchor::All {
        return Err(refused("the pull is toward several states".to_owned()));
    }
    has_metric(peso.distance).map_err(refused)?;
    Ok(peso)
}

/// Measures a stage (from 2), or takes what is kept of it.
///
/// The twin is trained where it is not there yet; a stop keeps its state.
///
/// # Errors
/// The run has no such term or stage; the user stops; the device fails; a folder cannot be read or written.
pub fn measure(
    task: &Task<'_>,
    run: &RunFolder,
    stage: usize,
    options: RetentionOptions,
    watcher: &mut dyn Watcher,
) -> Result<RetentionReport, RunError> {
    let peso = measurable(run)?;
    if !super::trained_stages(run)?.contains(&stage) || stage < 2 {
        return Err(InputError::new(run.path(), format!("stage {stage} has no past, or is not trained yet")).into());
    }
    if let Some(report) = cached(run, stage).filter(|report| report.options == options) {
        return Ok(report);
    }
    let folder = analysis_folder(run, stage);
    files::create_folder(&folder)?;
    let busy = || InputError::new(&folder, "another process analyses this stage").advice("wait for it");
    let _lock = files::lock(&folder.join("lock"), Duration::from_secs(1))?.ok_or_else(busy)?;
    let made_from = cache::made_from(run, 1..=stage)?;
    let measurement = Measurement { task, run, stage, peso, options };
    let observer = Unrecorded { watcher };
    let report = guarded(task, || run_on(&task.device, (measurement, observer)))?;
    // An adapter that was trained anew meanwhile is another one.
    if cache::made_from(run, 1..=stage)? == made_from {
        keep(run, &report)?;
    }
    Ok(report)
}

/// Keeps a report in the run's folder, as one of the adapters that are there now.
///
/// # Errors
/// An adapter cannot be read, or the folder cannot be written.
pub fn keep(run: &RunFolder, report: &RetentionReport) -> Result<(), InputError> {
    let made_from = cache::made_from(run, 1..=report.stage)?;
    cache::write(&report_file(run, report.stage), &made_from, report)
}

struct Measurement<'a> {
    task: &'a Task<'a>,
    run: &'a RunFolder,
    stage: usize,
    peso: Peso,
    options: RetentionOptions,
}

impl OnDevice for (Measurement<'_>, Unrecorded<'_>) {
    type Output = Result<RetentionReport, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let (measurement, mut observer) = self;
        measurement.report::<B>(device, &mut observer)
    }
}

impl Measurement<'_> {
    fn report<B: TrainingBackend>(
        &self,
        device: &B::Device,
        observer: &mut Unrecorded<'_>,
    ) -> Result<RetentionReport, RunError> {
        let Self { task, run, stage, peso, options } = self;
        let (stage, seed) = (*stage, run.config().seed);
        let read = |stage| read_peft(&main_folder(run, stage), &task.llama).map(|(adapter, _)| adapter);
        let past = (1..stage).map(read).collect::<Result<Vec<_>, _>>()?;
        let states: Vec<State> = past.iter().cloned().map(State::from).collect();
        let (Some(start), Some(State { adapter: anchor, .. })) = (past.last(), peso.anchor.states(&states).pop())
        else {
            return Err(InputError::new(run.path(), "no state pulls").into());
        };
        let strength = strength(run, peso, stage)?;
        let lambda = strength.one().ok_or_else(|| {
            InputError::new(run.path(), "each group has a λ of its own, and the theory is of one")
                .advice("it takes a run in which `lambda` is a number, `PullRatio` or `Validated`")
        })?;
        let (metric, groups) =
            metric(peso, &strength, &anchor).map_err(|problem| InputError::new(run.path(), problem))?;
        let data = StageData::new(task, stage - 1, Data::Stage, seed);
        let twin = twin::<B>(task, run, (&data, start), device, observer)?;
        let optimum = read_peft(&twin.folder, &task.llama)?.0;
        let (current, previous) = (flattened(&read(stage)?), flattened(&anchor));
        let (optimum_values, start_values) = (flattened(&optimum), flattened(start));

        let examples = stage_statistics::sample(&data, options.examples, seed);
        let load = |folder: &Path, observer: &mut Unrecorded<'_>| {
            with_adapter::<B>(
                task,
                run,
                folder,
                device,
                &mut model_loading::on_progress(observer, stage, task.dataset.stages.len()),
            )
        };
        let mut model = load(&twin.folder, observer)?;
        let loss_twin = validation_loss(&model, &examples, task.project.training.temperature);
        anchor.put_on(&mut model);
        let loss_previous = validation_loss(&model, &examples, task.project.training.temperature);
        let way: Vec<f64> = previous.iter().zip(&optimum_values).map(|(v, w)| v - w).collect();
        let [ahead, behind] = [SMALL_STEP, -SMALL_STEP].map(|step| {
            shifted(&optimum, &way, step).put_on(&mut model);
            validation_loss(&model, &examples, task.project.training.temperature)
        });
        // The quadratic model is around the twin, wherever directions are asked for.
        optimum.put_on(&mut model);
        let at_twin = self.gradients(&mut model, &anchor, &examples, observer)?;
        let rise = Rise::along(&at_twin, &examples.iter().map(response_tokens).collect::<Vec<_>>(), &way);
        let before = main_folder(run, stage - 1);
        let mut model = load(&before, observer)?;
        let loss_before_stage = validation_loss(&model, &examples, task.project.training.temperature);
        let gradients = match options.at {
            Point::Twin => at_twin,
            Point::Previous => self.gradients(&mut model, &anchor, &examples, observer)?,
        };

        observer.event(Level::Info, &format!("stage {stage}: directions of the examples' gradients"))?;
        let found = directions(&gradients, &metric, Constants::Held);
        let states = States { previous: &previous, optimum: &optimum_values, current: &current };
        let retained = retention(&gradients, &metric, &found, lambda, states);
        let record = run.reader()?.stages()?.into_iter().find(|record| record.stage == stage);
        Ok(RetentionReport {
            run: run.config().run.clone(),
            experiment: run.config().experiment.clone(),
            synthetic: run.config().synthetic,
            stage,
            lambda,
            distance: peso.distance,
            aggregation: peso.aggregation,
            options: *options,
            examples: gradients.examples(),
            of: data.examples,
            directions: retained.directions,
            outside: retained.outside,
            correlations: retained.correlations,
            groups,
            pull_ratio: PullRatio::of(&ratios(run, stage)?),
            movement: Movement {
                twin: distance(&optimum_values, &start_values),
                run: distance(&current, &start_values),
                apart: distance(&current, &optimum_values),
            },
            quadratic: QuadraticCheck {
                loss_twin,
                loss_previous,
                loss_before_stage,
                previous_token_rows: has_token_rows(&before) || !has_token_rows(&twin.folder),
                slope: rise.slope,
                slope_measured: (ahead - behind) / (2.0 * SMALL_STEP),
                curvature: rise.curvature,
                predicted_rise: rise.sum(),
            },
            twin: twin.record,
            best_epoch: record.map_or(0, |record| record.best_epoch),
        })
    }

    /// Each example's gradient by the adapter, times the root of its response tokens.
    fn gradients<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        adapter: &Adapter,
        examples: &[Sequence],
        observer: &mut Unrecorded<'_>,
    ) -> Result<Gradients, RunError> {
        let parameters = adapter.parameters().map(|(_, matrix)| matrix.values.len()).sum::<usize>();
        let bytes = parameters.saturating_mul(4).saturating_mul(examples.len());
        if bytes > MAX_BYTES {
            let problem =
                format!("{} gradients of {parameters} values take {} GiB of memory", examples.len(), bytes >> 30);
            let max = MAX_BYTES / (4 * parameters);
            return Err(InputError::new(self.run.path(), problem)
                .advice(format!("ask for at most {max} examples"))
                .into());
        }
        let mut gradients = Gradients::new(parameters);
        for (number, example) in examples.iter().enumerate() {
            if number % REPORT_EVERY == 0 {
                observer.go_on()?;
                let text = format!("stage {}: gradients, {number} of {} examples", self.stage, examples.len());
                observer.event(Level::Info, &text)?;
            }
            gradients.push(&example_gradient(model, adapter, example, self.task.project.training.temperature));
        }
        if gradients.rows().flatten().any(|value| !value.is_finite()) {
            return Err(RunError::Diverged { what: "a gradient", stage: self.stage, step: 0, value: f64::NAN });
        }
        Ok(gradients)
    }
}

/// The adapter moved by a share of `way`, which has the order of [`flattened`].
fn shifted(adapter: &Adapter, way: &[f64], share: f64) -> Adapter {
    let mut moved = adapter.clone();
    let values = moved.parameters_mut().flat_map(|(_, matrix)| &mut matrix.values);
    values.zip(way).for_each(|(value, way)| *value = (f64::from(*value) + share * way) as f32);
    moved
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
