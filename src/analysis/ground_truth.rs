//! How much of the planted drift a run has picked up, on generated data: the subspace in which its scores turned against the
//! planes in which preferences turned.
//!
//! What can be compared: planes lie in the latent space of items, adapters in the model's. So the change of what the model
//! predicts, from stage 1 to stage t, is carried to the latent space: for drifting users with their newest histories, and the
//! items of stage 1, the change of the items' log-probabilities is written as `xᵢᵀ M pᵤ` by least squares (`x` the item's latent vector, `p`
//! the user's preference before any turn). GroundTruth is `M ∝ Rᵗ⁻¹ - 1`, whose column and row spaces are the planes. Adapters, token rows
//! and all that a method adds take part, since they predict together. A model also goes on learning what did not turn, so
//! that neither angle nor distance reach zero even where the drift is learned.
//!
//! The angle between `M` and the planted operator asks for the planes and for the way things turn in them, each direction counting by
//! its strength; it is held against the same turn in random planes. The distance of subspaces asks for the planes alone, of which the
//! weakest counts as much as the strongest.

use std::sync::atomic::{AtomicBool, Ordering};

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::subspace_report::SidedAngles;
use crate::data::synthetic::{Truth, generate};
use crate::data::{DatasetSource, Example, Sequence, Stage};
use crate::error::{InputError, RunError};
use crate::linalg::svd;
use crate::measure::statistics::{mean, quantile};
use crate::model::adapter::Matrix;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::beam::Ensemble;
use crate::model::kernels::Kernels;
use crate::model::packing::{self, Packed};
use crate::run::{RunFolder, RunOptions};
use crate::seeds;
use crate::subspace::operator::angle;
use crate::subspace::{change_operator, principal_angles, random_angles, random_distances};
use crate::train::Task;
use crate::train::model_loading::unreported;
use crate::train::stage_artifacts::predicting;
use crate::train::stage_data::writer;

/// What a run has picked up of the planted drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroundTruth {
    pub run: String,
    /// Drifting users and items that were asked.
    pub users: usize,
    pub items: usize,
    /// Dimensions of the latent space, and of the planes together.
    pub latent: usize,
    pub planted: usize,
    /// From stage 2 on.
    pub stages: Vec<GroundTruthStage>,
    /// Grassmann distances of random subspaces of as many dimensions to the planes.
    pub random_distance: Chance,
}

/// What comes of chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    pub mean: f64,
    /// What 5 % stay below.
    pub fifth: f64,
}

impl Chance {
    fn of(sorted: &[f64]) -> Self {
        Self { mean: mean(sorted), fifth: quantile(sorted, 0.05) }
    }
}

/// The change of the model from stage 1 to a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroundTruthStage {
    pub stage: usize,
    /// Between the planes and the leading left subspace of `M`: what is preferred more or less.
    pub left: SidedAngles,
    /// Between the planes and its leading right subspace: whose preferences change.
    pub right: SidedAngles,
    /// Angle between `M` and the planted `Rᵗ⁻¹ - 1`, as vectors, in radians.
    pub angle: f64,
    /// The same angle to the same turn in random planes.
    pub random_angle: Chance,
}

/// Users and items that are asked, at most.
const MAX_USERS: usize = 200;
const MAX_ITEMS: usize = 400;
/// Random subspaces and turns that distances and angles are held against.
const DRAWS: usize = 1_000;

/// Holds a run on generated data against what was planted; none where `cancelled` was set meanwhile. It asks the model for the
/// probability of every item for every user in every stage, which takes about as long as evaluating a few cells.
///
/// # Errors
/// The data are not generated or nothing was planted, or the run's files or the device cannot be used.
pub fn ground_truth(
    run: &RunFolder,
    options: &RunOptions,
    cancelled: &AtomicBool,
) -> Result<Option<GroundTruth>, RunError> {
    let project = &run.config().project;
    let nothing = |problem: &str| {
        InputError::new(run.path(), problem)
            .advice("only generated data with a rotation know what a model should pick up")
    };
    let DatasetSource::Synthetic(synthetic) = &project.dataset else {
        return Err(nothing("the run's data are not generated").into());
    };
    let (_, truth) = generate(synthetic).map_err(|error| nothing(&error.to_string()))?;
    if truth.planes.is_empty() || truth.drifting_users.is_empty() {
        return Err(nothing("no drift was planted in the run's data").into());
    }
    let stages = (1..=run.config().stages).take_while(|&stage| run.adapter(stage).is_dir()).count();
    if stages < 2 {
        return Err(InputError::new(run.path(), "the run has no adapter after stage 1 yet").into());
    }
    let task = Task::load(project, options)?;
    let sample = Sample::of(&task, &truth);
    if sample.users.is_empty() {
        return Err(nothing("no drifting user takes part in the last stage").into());
    }
    let device = task.device.clone();
    let ask = Ask { task: &task, run, sample: &sample, stages, cancelled };
    Ok(run_on(&device, ask)?.map(|scores| measured(run, &truth, &sample, &scores)))
}

/// Who and what is asked.
struct Sample {
    users: Vec<Sequence>,
    items: Vec<u32>,
}

impl Sample {
    /// Users of the last stage that drift the one way, and the items of stage 1: later ones are new to the first model, and what is learned of them is
    /// no turn.
    fn of(task: &Task<'_>, truth: &Truth) -> Self {
        let stages = &task.dataset.stages;
        let participants = stages.last().into_iter().flat_map(Stage::participants);
        let is_one = |users: &[u32], user: &Sequence| users.binary_search(&user.user).is_ok();
        let drifts =
            |user: &&Sequence| is_one(&truth.drifting_users, user) && !is_one(&truth.contradictory_users, user);
        let users = participants.filter(drifts).take(MAX_USERS).cloned().collect();
        let first = stages.first().into_iter().flat_map(|stage| &stage.sequences);
        let mut items: Vec<u32> = first.flat_map(|sequence| &sequence.items).copied().collect();
        items.sort_unstable();
        items.dedup();
        items.truncate(MAX_ITEMS);
        Self { users, items }
    }
}

/// What a user has done before the last interaction, which is the test.
fn history(user: &Sequence) -> &[u32] {
    &user.items[..user.items.len() - 1]
}

struct Ask<'a> {
    task: &'a Task<'a>,
    run: &'a RunFolder,
    sample: &'a Sample,
    stages: usize,
    cancelled: &'a AtomicBool,
}

impl OnDevice for Ask<'_> {
    /// `[users, items]` for each stage.
    type Output = Result<Option<Vec<Mat<f64>>>, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let writer = writer(self.task);
        let mut scores = Vec::new();
        for stage in 1..=self.stages {
            let ensemble = predicting::<B>(self.task, self.run, stage, device, &mut unreported)?;
            let mut of_stage = Mat::zeros(self.sample.users.len(), self.sample.items.len());
            for (row, user) in self.sample.users.iter().enumerate() {
                if self.cancelled.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                let example =
                    |&target: &u32| writer.example(Example { user: user.user, history: history(user), target });
                let mut examples = self.sample.items.iter().map(example);
                let Some(mut all) = examples.next() else { return Ok(None) };
                all.branches.extend(examples.flat_map(|example| example.branches));
                for (column, score) in log_probabilities(&ensemble, &all).into_iter().enumerate() {
                    of_stage[(row, column)] = score;
                }
            }
            scores.push(of_stage);
        }
        Ok(Some(scores))
    }
}

/// The log-probability of each branch of a sequence: of all its targets.
fn log_probabilities<B: Kernels>(ensemble: &Ensemble<B>, sequence: &packing::Sequence) -> Vec<f64> {
    let packed = Packed::<B>::new(std::slice::from_ref(sequence));
    let mut likelihoods = vec![0.0; packed.targets.len()];
    for (weight, model) in &ensemble.models {
        let logits = Matrix::from_tensor(model.logits(&packed, None));
        for (row, likelihood) in likelihoods.iter_mut().enumerate() {
            let logits = &logits.values[row * logits.columns..(row + 1) * logits.columns];
            *likelihood +=
                weight * probability(logits, packed.targets[row], packed.candidates.get(row).map(AsRef::as_ref));
        }
    }
    let mut rows = likelihoods.into_iter();
    let branch = |branch: &packing::Branch| {
        rows.by_ref().take(branch.targets.len()).map(|value| value.max(f64::MIN_POSITIVE).ln()).sum::<f64>()
    };
    sequence.branches.iter().map(branch).collect()
}

/// The probability of a token among all, or among the candidates.
fn probability(logits: &[f32], token: u32, candidates: Option<&[u32]>) -> f64 {
    let over =
        |each: &mut dyn Iterator<Item = f32>| each.map(|logit| f64::from(logit - logits[token as usize]).exp()).sum();
    let sum: f64 = match candidates {
        None => over(&mut logits.iter().copied()),
        Some(candidates) => over(&mut candidates.iter().map(|&token| logits[token as usize])),
    };
    1.0 / sum
}

fn measured(run: &RunFolder, truth: &Truth, sample: &Sample, scores: &[Mat<f64>]) -> GroundTruth {
    let latent = truth.item_vectors.first().map_or(0, Vec::len);
    let rows = |rows: &[Vec<f64>]| Mat::from_fn(rows.len(), latent, |row, column| rows[row][column]);
    let preferences: Vec<Vec<f64>> =
        sample.users.iter().map(|user| truth.preference(user.user, history(user))).collect();
    let items: Vec<Vec<f64>> = sample.items.iter().map(|&item| truth.item_vectors[item as usize].clone()).collect();
    let (preferences, items) = (rows(&preferences), rows(&items));
    let basis: Vec<Vec<f64>> = truth.planes.iter().flatten().cloned().collect();
    let planes = rows(&basis).transpose().to_owned();
    let dimensions = planes.ncols();
    let stage = |stage: usize| {
        let change = &scores[stage - 1] - &scores[0];
        let operator = change_operator(change.as_ref(), preferences.as_ref(), items.as_ref());
        let decomposed = svd(operator.as_ref());
        let to_planes =
            |vectors: &Mat<f64>| SidedAngles::from(principal_angles(vectors.subcols(0, dimensions), planes.as_ref()));
        let turn = turn(truth, latent, stage - 1);
        let seed = seeds::derive(run.config().seed, &["random turns", &stage.to_string()]);
        GroundTruthStage {
            stage,
            left: to_planes(&decomposed.u),
            right: to_planes(&decomposed.v),
            angle: angle(operator.as_ref(), turn.as_ref()),
            random_angle: Chance::of(&random_angles(operator.as_ref(), turn.as_ref(), DRAWS, seed)),
        }
    };
    let random = random_distances(planes.as_ref(), DRAWS, seeds::derive(run.config().seed, &["random subspaces"]));
    GroundTruth {
        run: run.config().run.clone(),
        users: sample.users.len(),
        items: sample.items.len(),
        latent,
        planted: dimensions,
        stages: (2..=scores.len()).map(stage).collect(),
        random_distance: Chance::of(&random),
    }
}

/// The planted `R - 1` of so many stages.
fn turn(truth: &Truth, latent: usize, stages: usize) -> Mat<f64> {
    let axis = |index: usize| (0..latent).map(|at| f64::from(u8::from(at == index))).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..latent).map(|index| truth.turned(&axis(index), stages)).collect();
    Mat::from_fn(latent, latent, |row, column| columns[column][row] - f64::from(u8::from(row == column)))
}
