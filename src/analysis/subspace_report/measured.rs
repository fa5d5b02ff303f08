//! The report of a run, computed.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::report::{Between, ModuleReport, ModuleStage, Moved, SidedAngles, SubspaceReport};
use super::updates::{Module, Updates};
use super::{grouped, is_set, token_rows};
use crate::error::InputError;
use crate::method::Combination;
use crate::model::adapter::Pair;
use crate::run::RunFolder;
use crate::subspace::spectrum::{effective_rank, stable_rank};
use crate::subspace::{Factors, Side, Spectrum, in_common_frame, match_directions, movement, principal_angles};

/// Computes the report; none where `cancelled` was set meanwhile.
pub fn report(run: &RunFolder, cancelled: &AtomicBool) -> Result<Option<SubspaceReport>, InputError> {
    let updates = Updates::open(run)?;
    let stages = updates.stages();
    let of_module = |module: &Module| {
        if is_set(cancelled) { Ok(None) } else { module_report(&updates, module, &stages).map(Some) }
    };
    let modules: Option<Vec<ModuleReport>> =
        updates.modules.par_iter().map(of_module).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    let Some(modules) = modules else { return Ok(None) };
    let Some(rows) = token_rows::reports(run, &stages, cancelled)? else { return Ok(None) };
    let config = run.config();
    Ok(Some(SubspaceReport {
        run: config.run.clone(),
        experiment: config.experiment.clone(),
        method: config.method.key().to_owned(),
        seed: config.seed,
        synthetic: config.synthetic,
        rank: updates.rank,
        note: note(run),
        layers: grouped::by(&modules, |module| module.layer.to_string()),
        projections: grouped::by(&modules, |module| module.projection.clone()),
        whole: grouped::whole(&modules),
        stages,
        modules,
        rows,
    }))
}

/// What a reader has to know of a method that predicts with two models.
fn note(run: &RunFolder) -> Option<String> {
    match run.config().method.adapter_method()?.combination()? {
        (Combination::Predictions, _) => Some(
            "The long-term adapter; the short-term one predicts beside it as a model of its own, and is not in here"
                .into(),
        ),
        (Combination::Weights, _) => Some(
            "The mean of both adapters' updates, as it predicts; the trained parameters are the long-term adapter's"
                .into(),
        ),
    }
}

fn module_report(updates: &Updates, module: &Module, stages: &[usize]) -> Result<ModuleReport, InputError> {
    let each = 0..stages.len();
    let factors: Vec<Factors> = each.clone().map(|index| updates.factors(index, module)).collect::<Result<_, _>>()?;
    let trained: Vec<Pair> = each.clone().map(|index| updates.trained(index, module)).collect::<Result<_, _>>()?;
    let factors = in_common_frame(&factors);
    let spectra: Vec<Spectrum> = factors.iter().map(Spectrum::of).collect();
    let stage = |index: usize| {
        let spectrum = &spectra[index];
        let before = index.checked_sub(1);
        let moved = before.map(|before| {
            let moved = movement(&factors[before], &spectra[before], &factors[index]);
            let rank = spectra[before].rank() as f64;
            Moved {
                norm: moved.norm,
                parameters: distance(&trained[before], &trained[index]),
                inside_left: moved.inside_left,
                inside_right: moved.inside_right,
                inside_both: moved.inside_both,
                chance_left: rank / module.output as f64,
                chance_right: rank / module.input as f64,
            }
        });
        ModuleStage {
            stage: stages[index],
            rank: spectrum.rank(),
            effective_rank: effective_rank(&spectrum.values),
            stable_rank: stable_rank(&spectrum.values),
            norm: spectrum.values.iter().map(|value| value * value).sum::<f64>().sqrt(),
            singular_values: spectrum.values.clone(),
            parameters_norm: trained[index].a.norm().hypot(trained[index].b.norm()),
            moved,
            matches: before.map_or_else(Vec::new, |before| match_directions(&spectra[before], spectrum, Side::Both)),
        }
    };
    let between = |from: usize, to: usize| Between {
        from: stages[from],
        to: stages[to],
        distance: factors[to].minus(&factors[from]).norm(),
        cosine: cosine(&factors[from], &factors[to]),
        left: angles(&spectra[from], &spectra[to]).0,
        right: angles(&spectra[from], &spectra[to]).1,
    };
    Ok(ModuleReport {
        name: module.name.clone(),
        layer: module.layer,
        projection: module.projection.clone(),
        output: module.output,
        input: module.input,
        stages: each.clone().map(stage).collect(),
        pairs: each
            .clone()
            .flat_map(|from| (from + 1..stages.len()).map(move |to| (from, to)))
            .map(|(from, to)| between(from, to))
            .collect(),
    })
}

/// Angles between the column spaces and between the row spaces.
pub fn angles(one: &Spectrum, other: &Spectrum) -> (SidedAngles, SidedAngles) {
    let left = principal_angles(one.left_subspace(), other.left_subspace());
    let right = principal_angles(one.right_subspace(), other.right_subspace());
    (left.into(), right.into())
}

/// Cosine between two updates as vectors; 0 where one is zero.
pub fn cosine(one: &Factors, other: &Factors) -> f64 {
    let lengths = one.norm() * other.norm();
    if lengths > 0.0 { (one.dot(other) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}

/// Euclidean distance of two adapters of one module as vectors.
fn distance(one: &Pair, other: &Pair) -> f64 {
    let squares = |one: &[f32], other: &[f32]| {
        one.iter().zip(other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>()
    };
    (squares(&one.a.values, &other.a.values) + squares(&one.b.values, &other.b.values)).sqrt()
}
