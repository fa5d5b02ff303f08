//! Semantic ids made of what is known of the items.

use std::path::PathBuf;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::clustering::residual_clusters;
use super::index::MOST_LEVELS;
use super::quality::Quality;
use super::reassign::reassign;
use super::rq_vae::RqVae;
use crate::seeds;

/// How semantic ids are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainIds {
    pub method: Quantizer,
    pub source: VectorSource,
    /// Codes an item.
    pub levels: usize,
    /// Codes that a level may use; none for as many as suit the number of items.
    pub codes: Option<usize>,
    pub seed: u64,
}

/// What makes codes of vectors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Quantizer {
    /// Each level's codes are the clusters (k-means) of what the levels before leave over.
    ResidualKMeans,
    /// An autoencoder whose code is a sum of one entry a level.
    RqVae(RqVae),
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// An epoch (from 0) is done, with its mean loss.
    Epoch { epoch: usize, of: usize, loss: f64 },
    /// A level (from 0) has its codes; the mean squared error of the vectors as the codes so far describe them.
    Level { level: usize, error: f64 },
}

/// What the items' vectors come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VectorSource {
    /// The words of title, categories and description, hashed into this many dimensions; needs no model.
    Words(usize),
    /// A `.npy` file with a row an item, in ascending order of the ids that preparation leaves.
    Vectors(PathBuf),
}

impl Default for TrainIds {
    fn default() -> Self {
        Self { method: Quantizer::ResidualKMeans, source: VectorSource::Words(256), levels: 4, codes: None, seed: 42 }
    }
}

/// Codes of a level in the released data, and the most that are chosen where the project names no number.
const RELEASED_CODES: usize = 256;
/// The most codes of a level, and dimensions of hashed words, that a project may ask for.
const MOST: usize = 65_536;

impl TrainIds {
    /// Says which field has no meaning, and why.
    ///
    /// # Errors
    /// Field, problem, advice.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if !(1..=MOST_LEVELS).contains(&self.levels) {
            return Err(("levels", "ids have 1 to 26 codes", "the released data have 4"));
        }
        if self.codes.is_some_and(|codes| !(2..=MOST).contains(&codes)) {
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
        match &self.source {
            VectorSource::Words(width) if !(1..=MOST).contains(width) => {
                Err(("source", "words are hashed into 1 to 65536 dimensions", "256 do for ten thousand items"))
            }
            VectorSource::Vectors(path) if path.as_os_str().is_empty() => {
                Err(("source", "the path is empty", "name a `.npy` file with a row an item"))
            }
            _ => Ok(()),
        }
    }

    /// Codes that a level of this many items may use: as many as asked for, else the next power of two of the square root
    /// of the number of items, from 4 to the released data's 256.
    pub fn codes(&self, items: usize) -> usize {
        self.codes.unwrap_or_else(|| items.isqrt().next_power_of_two().clamp(4, RELEASED_CODES))
    }

    /// Trains ids of vectors of equal length (`items x levels` codes, row-major), with their figures. `categories` are the
    /// first of each item, and are only compared with. `told` hears how far it is.
    pub fn train(
        &self,
        vectors: &[Vec<f64>],
        categories: &[Option<&str>],
        told: &mut dyn FnMut(Step),
    ) -> (Vec<u32>, Quality) {
        let codes = self.codes(vectors.len());
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(self.seed, &["semantic ids"]));
        let found = match self.method {
            Quantizer::ResidualKMeans => residual_clusters(vectors, self.levels, codes, &mut random, told),
            Quantizer::RqVae(options) => options.train(vectors, self.levels, codes, &mut random, told),
        };
        let mut numbers = found.numbers.clone();
        let moved = reassign(&mut numbers, self.levels, codes, &found.last_residuals, &found.last_centres);
        let quality = Quality::measure((&found.numbers, &numbers), codes, &found.errors, moved, categories);
        (numbers, quality)
    }
}

#[cfg(test)]
mod tests {
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
        let (numbers, quality) = TrainIds::default().train(&vectors, &[None; 3], &mut |_| {});
        assert_eq!((quality.before.distinct_ids, quality.after.distinct_ids, quality.reassigned), (1, 3, 2));
        assert!(numbers.chunks(4).all(|row| row[..3] == numbers[..3]));
    }
}
