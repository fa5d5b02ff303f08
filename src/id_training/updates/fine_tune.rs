//! Codebooks go on from the last ones, and every item takes its nearest codes. An encoder stays as it was trained in stage 1.

use super::Ids;
use crate::id_training::reassign::reassign;
use crate::semantic_id::clustering::refined;

/// Ids of items with these vectors under `codes` codes a level.
pub(super) fn updated(last: &Ids, vectors: &[Vec<f64>], codes: usize) -> Ids {
    let books = &last.quantiser.books;
    let latent = last.quantiser.encode(vectors);
    let found = refined(&latent, &books.entries(), &vec![None; latent.len()]);
    let mut ids = found.numbers.clone();
    reassign(&mut ids, books.levels(), codes, &found);
    Ids::of(last.quantiser.with_entries(&found.centres), ids, vectors)
}
