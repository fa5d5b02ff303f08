//! Semantic ids made of what is known of the items.

use std::ops::ControlFlow;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::observer::{Observer, Step};
use super::quality::{Collisions, Quality, Spread};
use super::quantiser::Quantiser;
use super::reassign::{reassign, spread};
use super::rq_vae::RqVae;
use super::source::VectorSource;
use crate::error::InputError;
use crate::seeds;
use crate::semantic_id::Codebooks;
use crate::semantic_id::clustering::{CodeShape, residual_clusters};
use crate::semantic_id::index::MAX_LEVELS;

/// How semantic ids are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainIds {
    pub method: Quantizer,
    pub source: VectorSource,
    /// The items that codebooks are trained on.
    pub on: TrainedOn,
    /// Codes an item.
    pub levels: usize,
    /// Codes that a level may use; none for as many as suit the number of items.
    pub codes: Option<usize>,
    pub seed: u64,
}

/// Which items codebooks are trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TrainedOn {
    /// Those of all stages, as in the paper: items of later stages have a part in the codes of the first.
    #[default]
    All,
    /// Those that occur in stage 1. Later ones are appended, stage by stage, and move no id that is there.
    Stage1,
}

impl TrainedOn {
    /// What ids know of the future, for wherever a result is shown.
    pub const fn note(self) -> &'static str {
        match self {
            Self::All => {
                "Ids were trained on the items of all stages, later ones too, as in the paper; `on: Stage1` knows nothing of the future"
            }
            Self::Stage1 => {
                "Ids were trained on the items of stage 1 alone; items of later stages were appended and moved no id"
            }
        }
    }

    /// Its name in the project file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Stage1 => "Stage1",
        }
    }
}

/// What makes codes of vectors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Quantizer {
    /// Each level's codes are the clusters (k-means) of what the levels before leave over.
    ResidualKMeans,
    /// An autoencoder whose code is a sum of one entry a level.
    RqVae(RqVae),
}

impl Default for TrainIds {
    fn default() -> Self {
        Self {
            method: Quantizer::ResidualKMeans,
            source: VectorSource::Words(256),
            on: TrainedOn::All,
            levels: 4,
            codes: None,
            seed: 42,
        }
    }
}

/// What training comes to.
#[derive(Debug, Clone)]
pub struct Trained {
    /// `items x levels` codes, row-major: the nearest ones, which items may share.
    pub nearest: Vec<u32>,
    /// The ids: the same with other codes for items that shared theirs.
    pub numbers: Vec<u32>,
    pub quality: Quality,
    /// What makes codes of other vectors.
    pub quantiser: Quantiser,
}

/// Codes of a level in the released data, and the most that are chosen where the project names no number.
const RELEASED_CODES: usize = 256;
/// Codes of a level that a project may ask for, at most.
const MAX_CODES: usize = 65_536;

impl TrainIds {
    /// Says which field has no meaning, and why.
    ///
    /// # Errors
    /// Field, problem, advice.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if !(1..=MAX_LEVELS).contains(&self.levels) {
            return Err(("levels", "ids have 1 to 26 codes", "the released data have 4"));
        }
        if self.codes.is_some_and(|codes| !(2..=MAX_CODES).contains(&codes)) {
            return Err(("codes", "a level has 2 to 65536 codes", "leave it out for as many as suit the data"));
        }
        if let Quantizer::RqVae(RqVae { epochs, batch, learning_rate, weight_decay }) = self.method
            && !(epochs > 0
                && batch > 0
                && learning_rate > 0.0
                && learning_rate.is_finite()
                && (0.0..1.0).contains(&weight_decay))
        {
            return Err((
                "method",
                "an option of RqVae has no meaning",
                "epochs, batch and learning_rate are above 0, weight_decay is 0 to below 1",
            ));
        }
        self.source.check().map_err(|(problem, advice)| ("source", problem, advice))
    }

    /// The same without names of sources, which decide nothing: what identities are made of.
    #[must_use]
    pub fn unnamed(&self) -> Self {
        Self { source: self.source.clone().unnamed(), ..self.clone() }
    }

    /// Codes that a level of this many items may use: as many as asked for, else the next power of two of the square root
    /// of the number of items, from 4 to the released data's 256.
    pub fn codes(&self, items: usize) -> usize {
        self.codes.unwrap_or_else(|| items.isqrt().next_power_of_two().clamp(4, RELEASED_CODES))
    }

    /// Trains ids of vectors of equal length, with their figures, from the beginning or, for the autoencoder, from a state; none
    /// where the observer ended it. `categories` are the first of each item, and are
    /// only compared with.
    ///
    /// # Errors
    /// The observer cannot keep a state.
    pub fn train(
        &self,
        vectors: &[Vec<f64>],
        categories: &[Option<&str>],
        from: Option<&Checkpoint>,
        observer: &mut dyn Observer,
    ) -> Result<Option<Trained>, InputError> {
        let codes = self.codes(vectors.len());
        let seed = seeds::derive(self.seed, &["semantic ids"]);
        let shape = CodeShape { levels: self.levels, codes };
        let found = match self.method {
            Quantizer::ResidualKMeans => {
                let mut level_done = |level, error| {
                    observer.hear(&Step::Level { level, error });
                    if observer.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                let found = residual_clusters(vectors, shape, &mut ChaCha8Rng::seed_from_u64(seed), &mut level_done);
                found.map(|found| (found, None))
            }
            Quantizer::RqVae(options) => {
                let found = options.train(vectors, shape, seed, from, observer)?;
                found.map(|(found, autoencoder)| (found, Some(autoencoder)))
            }
        };
        let Some((found, autoencoder)) = found else { return Ok(None) };
        let mut numbers = found.numbers.clone();
        let (residuals, centres) = (&found.last_residuals, found.last_centres());
        // The rounds belong to the published recipe of the autoencoder. Clusters need none: the nearest free code changes less.
        let rounds = matches!(self.method, Quantizer::RqVae(_)).then(|| {
            let rounds = spread(&mut numbers, self.levels, residuals, centres);
            Spread { rounds, after: Collisions::of(&numbers, self.levels) }
        });
        let moved = reassign(&mut numbers, self.levels, codes, &found);
        let quality = Quality::measure(&found.numbers, &numbers, codes, &found.errors, categories);
        let quality = Quality { spread: rounds, reassigned: moved, ..quality };
        let books = Codebooks::new(&found.centres)
            .ok_or_else(|| InputError::new("semantic ids", "the item vectors have no values to make codes of"))?;
        let quantiser = Quantiser { books, autoencoder };
        Ok(Some(Trained { nearest: found.numbers, numbers, quality, quantiser }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::observer::Unobserved;
    use super::*;

    #[test]
    fn codes_grow_with_the_items_up_to_those_of_the_released_data() {
        let options = TrainIds::default();
        assert_eq!([13, 1_349, 25_612, 1_000_000].map(|items| options.codes(items)), [4, 64, 256, 256]);
        assert_eq!(TrainIds { codes: Some(1000), ..options }.codes(13), 1000);
    }

    #[test]
    fn options_without_a_meaning_are_named() {
        let bad = |options: TrainIds| options.check().map_err(|(field, ..)| field);
        assert_eq!(bad(TrainIds { levels: 0, ..TrainIds::default() }), Err("levels"));
        assert_eq!(bad(TrainIds { codes: Some(1), ..TrainIds::default() }), Err("codes"));
        assert_eq!(bad(TrainIds { source: VectorSource::Words(0), ..TrainIds::default() }), Err("source"));
        assert_eq!(
            bad(TrainIds { source: VectorSource::Vectors(PathBuf::new()), ..TrainIds::default() }),
            Err("source")
        );
        assert_eq!(bad(TrainIds::default()), Ok(()));
    }

    #[test]
    fn items_of_one_text_get_ids_of_their_own() {
        let vectors = vec![vec![1.0, 0.0]; 3];
        let rounds = |method: Quantizer| {
            let options = TrainIds { method, ..TrainIds::default() };
            let trained = options.train(&vectors, &[None; 3], None, &mut Unobserved).unwrap().unwrap();
            let (numbers, quality) = (trained.numbers, trained.quality);
            assert_eq!((quality.after.distinct_ids, quality.reassigned), (3, 2));
            assert!(numbers.chunks(4).all(|row| row[..3] == numbers[..3]));
            quality.spread
        };
        assert_eq!(rounds(Quantizer::ResidualKMeans), None);
        // What is alike cannot be spread; only the nearest free codes part it.
        let spread = rounds(Quantizer::RqVae(RqVae { epochs: 1, ..RqVae::default() })).unwrap();
        assert_eq!((spread.rounds, spread.after.distinct_ids), (20, 1));
    }
}
