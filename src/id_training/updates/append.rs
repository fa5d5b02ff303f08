//! Codebooks stay, no id moves, and new items get the nearest free ids.

use super::Ids;
use crate::id_training::append::Appending;

/// Ids of all items with these vectors, the earlier ones first; none where `stopped` ended it.
pub(super) fn updated(last: &Ids, vectors: &[Vec<f64>], stopped: &mut dyn FnMut() -> bool) -> Option<Ids> {
    let earlier = last.ids.len() / last.quantiser.books.levels();
    let new = Appending::beside(&last.quantiser, &last.ids).append(&vectors[earlier..], stopped)?;
    Some(Ids::of(last.quantiser.clone(), [&last.ids[..], &new.ids].concat(), vectors))
}
