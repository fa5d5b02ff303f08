//! Directions of updates: to be drawn in one space, and with all cosines from stage to stage.

use std::sync::atomic::AtomicBool;

use faer::Mat;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::is_set;
use super::updates::{Module, Updates};
use crate::error::InputError;
use crate::run::RunFolder;
use crate::subspace::basis::pointing;
use crate::subspace::matching::cosines;
use crate::subspace::{Basis, Match, Side, Spectrum, in_common_frame, match_directions, shared_basis};

/// An update: a run after a stage.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub run: &'a RunFolder,
    /// From 1.
    pub stage: usize,
}

/// Directions of several updates in one space of three dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Directions {
    /// Left: what updates write, `[output]`. Right: what they read, `[input]`.
    pub side: Side,
    /// Width of the full space.
    pub width: usize,
    /// Share of the directions' energy (squared singular values) along each axis; what is missing to 1 cannot be seen.
    pub explained: [f64; 3],
    /// By source, then module, then singular value.
    pub arrows: Vec<Arrow>,
}

/// One direction of one update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrow {
    /// Place in the list of sources.
    pub source: usize,
    pub module: String,
    /// Place among the update's directions, from 0.
    pub index: usize,
    pub singular_value: f64,
    /// The singular vector (of length 1) in the three axes. Its length tells how much of it is visible.
    pub tip: [f64; 3],
    /// Whether it points against the direction as its meaning is told, where the entry of the left vector that is largest in
    /// size is positive.
    pub reversed: bool,
    /// What it continues: a direction of the same module in the nearest earlier source of its run, else in the first source.
    pub continues: Option<Continuation>,
}

/// The arrow that an arrow continues.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Continuation {
    /// Place in [`Directions::arrows`].
    pub arrow: usize,
    /// Cosine between both singular vectors in the full space.
    pub cosine: f64,
    /// Whether both are of one run.
    pub same_run: bool,
}

/// A basis is made of the strongest directions, so that it takes no longer for many; its share is of all of them.
const MAX_IN_BASIS: usize = 256;

/// The leading directions of some modules after some stages of some runs, in a basis that all share: the three axes that
/// show most of the energy of all of them. A direction has the sign of the one that it continues; the first of a chain
/// points to where its largest entry is positive. None where `cancelled` was set meanwhile.
///
/// # Errors
/// There is no such stage or module, an adapter is damaged, or the modules differ in width on this side.
pub fn directions(
    sources: &[Source<'_>],
    modules: &[String],
    side: Side,
    leading: usize,
    cancelled: &AtomicBool,
) -> Result<Option<Directions>, InputError> {
    let Some(mut chain) = Chain::read(sources, modules, side, leading, cancelled)? else { return Ok(None) };
    let width = chain.width()?;
    for at in 0..chain.updates.len() {
        chain.link(at);
    }
    let (mut arrows, columns) = (chain.arrows, chain.columns);
    let explained = index(&mut arrows, &columns, width);
    Ok(Some(Directions { side, width, explained, arrows }))
}

/// Updates on their way to arrows, by source and then module.
struct Chain<'a> {
    sources: &'a [Source<'a>],
    side: Side,
    leading: usize,
    updates: Vec<Linked<'a>>,
    arrows: Vec<Arrow>,
    /// Singular vectors of the arrows.
    columns: Vec<Vec<f64>>,
}

/// One module of one source.
struct Linked<'a> {
    source: usize,
    module: &'a str,
    spectrum: Spectrum,
    /// Place of its first arrow.
    first: usize,
}

impl<'a> Chain<'a> {
    fn read(
        sources: &'a [Source<'a>],
        modules: &'a [String],
        side: Side,
        leading: usize,
        cancelled: &AtomicBool,
    ) -> Result<Option<Self>, InputError> {
        let opened: Vec<Updates> = sources.iter().map(|source| Updates::open(source.run)).collect::<Result<_, _>>()?;
        let wanted: Vec<(usize, &str)> =
            (0..sources.len()).flat_map(|source| modules.iter().map(move |module| (source, module.as_str()))).collect();
        let read = |&(source, module): &(usize, &'a str)| {
            if is_set(cancelled) {
                return Ok(None);
            }
            let (updates, Source { run, stage }) = (&opened[source], sources[source]);
            let factors = updates.factors(updates.index(run, stage)?, updates.module(run, module)?)?;
            Ok(Some(Linked { source, module, spectrum: Spectrum::of(&factors), first: 0 }))
        };
        let updates: Option<Vec<Linked<'_>>> =
            wanted.par_iter().map(read).collect::<Result<Vec<_>, InputError>>()?.into_iter().collect();
        let (arrows, columns) = (Vec::new(), Vec::new());
        Ok(updates.map(|updates| Self { sources, side, leading, updates, arrows, columns }))
    }

    /// Width of the space that all directions lie in.
    fn width(&self) -> Result<usize, InputError> {
        let width_of = |update: &Linked<'_>| vectors(&update.spectrum, self.side).nrows();
        let width = self.updates.first().map_or(0, width_of);
        match self.updates.iter().find(|update| width_of(update) != width) {
            None => Ok(width),
            Some(odd) => {
                let problem = format!("`{}` is {} wide, and others {width}", odd.module, width_of(odd));
                Err(InputError::new(self.sources[odd.source].run.path(), problem)
                    .advice("only directions of modules of one width on this side can be drawn in one space"))
            }
        }
    }

    /// The update of the same module that an update continues, and whether it is of the same run: the nearest earlier one
    /// of its run, else the first of all.
    fn before(&self, at: usize) -> Option<(usize, bool)> {
        let path = |other: usize| self.sources[self.updates[other].source].run.path();
        let mut earlier = (0..at).filter(|&other| self.updates[other].module == self.updates[at].module);
        let own = earlier.clone().rfind(|&other| path(other) == path(at));
        own.map(|other| (other, true)).or_else(|| earlier.next().map(|other| (other, false)))
    }

    fn shown(&self, at: usize) -> usize {
        self.updates[at].spectrum.rank().min(self.leading)
    }

    /// Matches an update's directions with those before it, gives them their signs and makes their arrows.
    fn link(&mut self, at: usize) {
        let (side, before, shown) = (self.side, self.before(at), self.shown(at));
        let now = &self.updates[at].spectrum;
        let matches = match before {
            Some((before, _)) => match_directions(&self.updates[before].spectrum, now, side),
            None => vec![None; now.rank()],
        };
        self.updates[at].first = self.arrows.len();
        for (index, found) in matches.into_iter().enumerate() {
            let spectrum = &mut self.updates[at].spectrum;
            let own = || pointing(vectors(spectrum, side).col(index).iter().copied());
            turn(spectrum, index, found.map_or_else(own, |found| found.sign));
            if index >= shown {
                continue;
            }
            let column = vectors(&self.updates[at].spectrum, side).col(index).iter().copied().collect();
            let reversed = pointing(self.updates[at].spectrum.left.col(index).iter().copied()) < 0.0;
            let continues = before.zip(found).filter(|((before, _), found)| found.previous < self.shown(*before));
            let continues = continues.map(|((before, same_run), found)| Continuation {
                arrow: self.updates[before].first + found.previous,
                cosine: cosine_of(&found, side),
                same_run,
            });
            self.columns.push(column);
            self.arrows.push(Arrow {
                source: self.updates[at].source,
                module: self.updates[at].module.to_owned(),
                index,
                singular_value: self.updates[at].spectrum.values[index],
                tip: [0.0; 3],
                reversed,
                continues,
            });
        }
    }
}

/// Gives the arrows their tips, and says how much of the energy is along each axis.
fn index(arrows: &mut [Arrow], columns: &[Vec<f64>], width: usize) -> [f64; 3] {
    let mut strongest: Vec<usize> = (0..arrows.len()).collect();
    strongest.sort_by(|&one, &other| arrows[other].singular_value.total_cmp(&arrows[one].singular_value));
    strongest.truncate(MAX_IN_BASIS);
    let weighted = Mat::from_fn(width, strongest.len(), |row, column| {
        arrows[strongest[column]].singular_value * columns[strongest[column]][row]
    });
    let basis: Basis = shared_basis(weighted.as_ref());
    let all = Mat::from_fn(width, columns.len(), |row, column| columns[column][row]);
    let (mut seen, mut energy) = ([0.0; 3], 0.0);
    for (arrow, tip) in arrows.iter_mut().zip(basis.coordinates(all.as_ref())) {
        let weight = arrow.singular_value.powi(2);
        arrow.tip = tip;
        energy += weight;
        seen.iter_mut().zip(tip).for_each(|(seen, along)| *seen += weight * along * along);
    }
    seen.map(|seen| if energy > 0.0 { seen / energy } else { 0.0 })
}

fn vectors(spectrum: &Spectrum, side: Side) -> &Mat<f64> {
    match side {
        Side::Left | Side::Both => &spectrum.left,
        Side::Right => &spectrum.right,
    }
}

/// Gives both vectors of a direction another sign.
fn turn(spectrum: &mut Spectrum, index: usize, sign: f64) {
    for vectors in [&mut spectrum.left, &mut spectrum.right] {
        vectors.col_mut(index).iter_mut().for_each(|value| *value *= sign);
    }
}

fn cosine_of(found: &Match, side: Side) -> f64 {
    match side {
        Side::Left | Side::Both => found.left,
        Side::Right => found.right,
    }
}

/// A module's directions in every stage with the cosines to all those of the stage before, for a river.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleDirections {
    pub module: String,
    pub stages: Vec<StageDirections>,
}

/// A module's directions after a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageDirections {
    pub stage: usize,
    /// Of the directions, descending.
    pub singular_values: Vec<f64>,
    /// Cosine between each direction's left singular vector and those of the stage before, `[now][before]`; empty in the first.
    pub left: Vec<Vec<f64>>,
    /// The same for right singular vectors.
    pub right: Vec<Vec<f64>>,
    /// See [`super::ModuleStage::matches`].
    pub matches: Vec<Option<Match>>,
}

/// The directions of one module through the stages of a run. A direction splits or joins where its squared cosines spread over
/// several of the next or previous stage. Quick enough to ask for at a click.
///
/// # Errors
/// There is no such module, or an adapter is damaged.
pub fn module_directions(run: &RunFolder, module: &str) -> Result<ModuleDirections, InputError> {
    let updates = Updates::open(run)?;
    let module: &Module = updates.module(run, module)?;
    let stages = updates.stages();
    let factors = (0..stages.len()).map(|index| updates.factors(index, module)).collect::<Result<Vec<_>, _>>()?;
    let spectra: Vec<Spectrum> = in_common_frame(&factors).iter().map(Spectrum::of).collect();
    let stage = |(index, &stage): (usize, &usize)| {
        let now = &spectra[index];
        let before = index.checked_sub(1).map(|before| &spectra[before]);
        let with = |of: fn(&Spectrum) -> faer::MatRef<'_, f64>| {
            before.map_or_else(Vec::new, |before| cosines(of(now), of(before)))
        };
        StageDirections {
            stage,
            singular_values: now.values[..now.rank()].to_vec(),
            left: with(Spectrum::left_subspace),
            right: with(Spectrum::right_subspace),
            matches: before.map_or_else(Vec::new, |before| match_directions(before, now, Side::Both)),
        }
    };
    Ok(ModuleDirections { module: module.name.clone(), stages: stages.iter().enumerate().map(stage).collect() })
}
