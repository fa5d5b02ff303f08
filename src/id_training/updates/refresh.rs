//! Codebooks are trained anew, and all items get new ids.

use super::Ids;
use crate::error::InputError;
use crate::id_training::observer::Observer;
use crate::id_training::train::TrainIds;
use crate::seeds;

/// Ids of items with these vectors; none where the observer ended it. Each stage (from 1) has random numbers of its own, so that
/// codes are not named as before by chance.
///
/// # Errors
/// They cannot be trained.
pub(super) fn updated(
    options: &TrainIds,
    stage: usize,
    vectors: &[Vec<f64>],
    observer: &mut dyn Observer,
) -> Result<Option<Ids>, InputError> {
    let seed = seeds::derive(options.seed, &["refresh", &stage.to_string()]);
    let options = TrainIds { seed, ..options.clone() };
    let trained = options.train(vectors, &vec![None; vectors.len()], None, observer)?;
    Ok(trained.map(|trained| Ids::of(trained.quantiser, trained.numbers, vectors)))
}
