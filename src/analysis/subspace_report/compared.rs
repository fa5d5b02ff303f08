//! Two updates of one base model against each other: two methods after a stage, or two stages.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::directions::Source;
use super::is_set;
use super::measured::{angles, cosine};
use super::report::SidedAngles;
use super::updates::{Module, Updates};
use crate::error::InputError;
use crate::subspace::{Match, Side, Spectrum, in_common_frame, match_directions};

/// Two updates compared, module by module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Run and stage of both.
    pub one: (String, usize),
    pub other: (String, usize),
    pub modules: Vec<ComparedModule>,
}

/// One module of two updates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedModule {
    pub name: String,
    pub layer: usize,
    pub projection: String,
    pub output: usize,
    pub input: usize,
    /// Directions of both.
    pub ranks: [usize; 2],
    /// `‖ΔW‖_F` of both.
    pub norms: [f64; 2],
    /// `‖ΔW - ΔW'‖_F`
    pub distance: f64,
    /// Cosine between both updates as vectors; 0 where one is zero.
    pub cosine: f64,
    pub left: SidedAngles,
    pub right: SidedAngles,
    /// For each direction of the second update the one of the first that it is like.
    pub matches: Vec<Option<Match>>,
}

/// Compares two updates; none where `cancelled` was set meanwhile. Only modules that both have are compared.
///
/// # Errors
/// An adapter is missing or damaged, or the two belong to models of different shapes.
pub fn compare(one: &Source<'_>, other: &Source<'_>, cancelled: &AtomicBool) -> Result<Option<Comparison>, InputError> {
    let (first, second) = (Updates::open(one.run)?, Updates::open(other.run)?);
    let places = (first.index(one.run, one.stage)?, second.index(other.run, other.stage)?);
    let compared = |module: &Module| {
        if is_set(cancelled) {
            return Ok(None);
        }
        let twin = second.module(other.run, &module.name)?;
        if (twin.output, twin.input) != (module.output, module.input) {
            let problem = format!(
                "`{}` is [{}, {}] here and [{}, {}] in the other run",
                module.name, twin.output, twin.input, module.output, module.input
            );
            return Err(InputError::new(other.run.path(), problem).advice("compare runs of one base model"));
        }
        let both = [first.factors(places.0, module)?, second.factors(places.1, twin)?];
        let both = in_common_frame(&both);
        let spectra: Vec<Spectrum> = both.iter().map(Spectrum::of).collect();
        let (left, right) = angles(&spectra[0], &spectra[1]);
        Ok(Some(ComparedModule {
            name: module.name.clone(),
            layer: module.layer,
            projection: module.projection.clone(),
            output: module.output,
            input: module.input,
            ranks: [spectra[0].rank(), spectra[1].rank()],
            norms: [both[0].norm(), both[1].norm()],
            distance: both[1].minus(&both[0]).norm(),
            cosine: cosine(&both[0], &both[1]),
            left,
            right,
            matches: match_directions(&spectra[0], &spectra[1], Side::Both),
        }))
    };
    let modules: Option<Vec<ComparedModule>> =
        first.modules.par_iter().map(compared).collect::<Result<Vec<_>, InputError>>()?.into_iter().collect();
    let name = |source: &Source<'_>| (source.run.config().run.clone(), source.stage);
    Ok(modules.map(|modules| Comparison { one: name(one), other: name(other), modules }))
}
