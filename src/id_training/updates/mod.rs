//! How ids would live from stage to stage under several ways to update the tokenizer: how many move, how well they describe the
//! items, and what the move costs a model that knows the old ones.

mod aligned;
mod append;
mod count_model;
mod dact;
mod figures;
mod fine_tune;
mod refresh;

use serde::{Serialize, Serializer};

pub(super) use self::aligned::matching;
pub use self::count_model::Pair;
pub use self::figures::{Level, StageFigures, WayFigures};
use super::observer::Observer;
use super::quantiser::Quantiser;
use super::train::TrainIds;
use crate::error::InputError;

/// A way to update the tokenizer after a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Codebooks stay, and new items get the nearest free ids: what `on: Stage1` does.
    Append,
    /// Codebooks are trained anew on all that is known.
    Refresh,
    /// Codebooks go on from the last ones.
    FineTune,
    /// [`Self::Refresh`], then each level's codes take old names, one to one, so that most items keep theirs (Baikalov et al., arXiv
    /// 2604.13273, as we read it).
    Aligned,
    /// Only items that drift most may move, and only where their first code changes (DACT, Feng et al., SIGIR 2026, as we read it).
    Dact,
}

impl Way {
    pub const ALL: [Self; 5] = [Self::Append, Self::Refresh, Self::FineTune, Self::Aligned, Self::Dact];

    /// Its name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Refresh => "refresh",
            Self::FineTune => "fine-tune",
            Self::Aligned => "aligned",
            Self::Dact => "dact",
        }
    }

    /// What it does, in a line.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Append => "codebooks stay, and new items get the nearest free ids (what this program does)",
            Self::Refresh => "codebooks are trained anew on all that is known",
            Self::FineTune => "codebooks go on from the last ones",
            Self::Aligned => "refresh, then codes take old names (arXiv 2604.13273, our reading)",
            Self::Dact => "items that drift most move if their first code changes (DACT, our reading)",
        }
    }
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What is known when a stage is over. Items are rows, in the order in which they came: those of earlier stages first.
#[derive(Debug, Clone, PartialEq)]
pub struct Known<'c> {
    /// The items' vectors with the statistics of stage 1: as what is known by now places them among the items of stage 1.
    pub placed: Vec<Vec<f64>>,
    /// Their vectors made anew of all that is known by now.
    pub anew: Vec<Vec<f64>>,
    /// The first of each item.
    pub categories: Vec<Option<&'c str>>,
    /// Which item followed which among the training targets of the stages before.
    pub pairs: Vec<Pair>,
    /// The tests of the stage: the last item before, and the target.
    pub tests: Vec<Pair>,
}

/// Ids by one way, with what made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Ids {
    pub quantiser: Quantiser,
    /// `items x levels`, row-major.
    pub ids: Vec<u32>,
    /// By level: mean squared error of the items' vectors as their ids describe them up to this level.
    pub errors: Vec<f64>,
    /// Share of the vectors' variance that the ids tell.
    pub explained: f64,
}

impl Ids {
    /// Of items with these vectors.
    fn of(quantiser: Quantiser, ids: Vec<u32>, vectors: &[Vec<f64>]) -> Self {
        let errors = quantiser.errors(vectors, &ids);
        let (items, width) = (vectors.len().max(1) as f64, vectors.first().map_or(0, Vec::len));
        let variance = |at: usize| {
            let mean = vectors.iter().map(|vector| vector[at]).sum::<f64>() / items;
            vectors.iter().map(|vector| (vector[at] - mean).powi(2)).sum::<f64>() / items
        };
        let variance = (0..width).map(variance).sum::<f64>() / width.max(1) as f64;
        let error = errors.last().copied().unwrap_or(0.0);
        let explained = if variance > 0.0 { 1.0 - error / variance } else { 1.0 };
        Self { quantiser, ids, errors, explained }
    }
}

/// All ways side by side, after a stage.
#[derive(Debug, Clone)]
pub struct Comparison {
    options: TrainIds,
    /// Codes that a level may use: those of stage 1 all along.
    codes: usize,
    /// Stages that are over.
    stages: usize,
    /// By way.
    ids: [Ids; Way::ALL.len()],
    /// The items' vectors with the statistics of stage 1, as they were after the stage.
    placed: Vec<Vec<f64>>,
}

impl Comparison {
    /// All ways begin with the same ids of stage 1; none where the observer ended it.
    ///
    /// # Errors
    /// The ids cannot be trained.
    pub fn begin(
        options: &TrainIds,
        vectors: Vec<Vec<f64>>,
        observer: &mut dyn Observer,
    ) -> Result<Option<Self>, InputError> {
        let codes = options.codes(vectors.len());
        let options = TrainIds { codes: Some(codes), ..options.clone() };
        let Some(first) = options.train(&vectors, &vec![None; vectors.len()], None, observer)? else {
            return Ok(None);
        };
        let first = Ids::of(first.quantiser, first.numbers, &vectors);
        Ok(Some(Self { options, codes, stages: 1, ids: Way::ALL.map(|_| first.clone()), placed: vectors }))
    }

    /// The ids after the last stage, by one way.
    pub fn ids(&self, way: Way) -> &Ids {
        &self.ids[way as usize]
    }

    /// Goes on to the next stage, and says what each way comes to; none where the observer ended it.
    ///
    /// # Errors
    /// Codebooks cannot be trained.
    pub fn update(
        &mut self,
        known: &Known<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Option<StageFigures>, InputError> {
        let (codes, placed) = (self.codes, &known.placed);
        let last = |way: Way| &self.ids[way as usize];
        let Some(append) = append::updated(last(Way::Append), placed, &mut || observer.stopped()) else {
            return Ok(None);
        };
        let Some(refresh) = refresh::updated(&self.options, self.stages + 1, &known.anew, observer)? else {
            return Ok(None);
        };
        let fine_tune = fine_tune::updated(last(Way::FineTune), placed, codes);
        let aligned = Ids { ids: aligned::renamed(&refresh, &last(Way::Aligned).ids, codes), ..refresh.clone() };
        let dact = dact::updated(last(Way::Dact), &self.placed, placed, dact::DRIFTING, &mut || observer.stopped());
        let Some(dact) = dact else { return Ok(None) };
        let now = [append, refresh, fine_tune, aligned, dact];
        let ways = Way::ALL.map(|way| WayFigures::of(way, last(way), &now[way as usize], known, codes));
        let (items, new) = (placed.len(), placed.len() - self.placed.len());
        self.stages += 1;
        self.ids = now;
        self.placed.clone_from(placed);
        Ok(Some(StageFigures { stage: self.stages, items, new, tests: known.tests.len(), ways: ways.to_vec() }))
    }
}

#[cfg(test)]
mod tests;
