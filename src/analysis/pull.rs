//! How hard PESO's proximal term pulled while the stages of a run were trained.

use serde::{Deserialize, Serialize};

use super::subspace_report::trained_adapters;
use crate::error::InputError;
use crate::method::metric::{GroupStrength, metric};
use crate::method::{Aggregation, Peso, State, Strength};
use crate::run::RunFolder;
use crate::run::observer::Phase;

/// The pull of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StagePull {
    /// From 2.
    pub stage: usize,
    /// What the stage was trained with; the mean over groups where each has its own.
    pub lambda: f64,
    /// Each group's lambda_eff around the state that pulls; empty where the term has no metric, or several states pull.
    pub groups: Vec<GroupStrength>,
    pub ratio: Option<PullRatio>,
    /// `‖λ ∇penalty‖ / ‖∇cross-entropy‖` step by step.
    pub ratios: Vec<f64>,
}

/// The pull ratio over a stage's training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PullRatio {
    pub mean: f64,
    pub last: f64,
}

impl PullRatio {
    /// Over the steps of a stage; none where there is none.
    pub fn of(ratios: &[f64]) -> Option<Self> {
        let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
        ratios.last().map(|&last| Self { mean, last })
    }
}

/// The pull of every stage from 2 on whose adapter is there; nothing for runs of other methods.
///
/// # Errors
/// The run's records or adapters cannot be read.
pub fn pulls(run: &RunFolder) -> Result<Vec<StagePull>, InputError> {
    let Some(peso) = &proximal(run) else { return Ok(Vec::new()) };
    let adapters = trained_adapters(run)?;
    let past = |stage: usize| -> Vec<State> {
        adapters.iter().filter(|(earlier, _)| *earlier < stage).map(|(_, adapter)| adapter.clone().into()).collect()
    };
    let of_stage = |stage: usize| {
        let lambda = strength(run, peso, stage)?;
        let groups = match peso.anchor.states(&past(stage)).as_slice() {
            [anchor] => metric(peso, &lambda, &anchor.adapter).map(|(_, groups)| groups).unwrap_or_default(),
            _ => Vec::new(),
        };
        let ratios = ratios(run, stage)?;
        Ok(StagePull { stage, lambda: lambda.mean(), groups, ratio: PullRatio::of(&ratios), ratios })
    };
    adapters.iter().map(|(stage, _)| *stage).filter(|stage| *stage > 1).map(of_stage).collect()
}

/// The proximal term that a run was trained with: averaged over modules where it was trained as released.
pub fn proximal(run: &RunFolder) -> Option<Peso> {
    let mut peso = run.config().method.proximal()?.clone();
    if run.config().project.training.release_compatible {
        peso.aggregation = Aggregation::Mean;
    }
    Some(peso)
}

/// The weight of the term in a stage: the one of all stages, or what the stage's rule found.
///
/// # Errors
/// The run's records cannot be read, or say nothing of it.
pub fn strength(run: &RunFolder, peso: &Peso, stage: usize) -> Result<Strength, InputError> {
    if let Some(fixed) = peso.lambda.fixed() {
        return Ok(fixed);
    }
    let record = run.reader()?.stages()?.into_iter().find(|record| record.stage == stage);
    record.and_then(|record| record.lambda).map(|lambda| lambda.value).ok_or_else(|| {
        InputError::new(run.path(), format!("the run has no record of the λ that stage {stage} was trained with"))
            .advice("run it over with `--fresh`")
    })
}

/// The pull ratios of a stage's training steps.
///
/// # Errors
/// The run's records cannot be read.
pub fn ratios(run: &RunFolder, stage: usize) -> Result<Vec<f64>, InputError> {
    let steps = run.reader()?.steps_after(0)?.into_iter().map(|(_, step)| step);
    let trained = steps.filter(|step| step.stage == stage && step.phase == Phase::Train);
    Ok(trained.map(|step| step.pull_ratio).filter(|ratio| ratio.is_finite()).collect())
}
