//! Only items that drift may move (DACT, Feng et al., SIGIR 2026, as we read it).
//!
//! Of the items that were there, the share that moved farthest since the stage before drifts; all others are stationary. They keep
//! their ids, and hold the codebooks where they are, which go on with the drifting and the new items. Then codes are reassigned,
//! relaxed to strict: a drifting item may take another first code; if that stays, the whole id stays, else the item gets the nearest
//! free codes. New items get the nearest free codes too.

use super::Ids;
use crate::id_training::append::Appending;
use crate::semantic_id::clustering::{refined, squared_distance};

/// Share of the items that were there that may drift, as in the code of DACT.
pub(super) const DRIFTING: f64 = 0.3;

/// Ids of items with these vectors, the earlier ones first, whose vectors were `before`; none where `stopped` ended it.
pub(super) fn updated(
    last: &Ids,
    before: &[Vec<f64>],
    vectors: &[Vec<f64>],
    share: f64,
    stopped: &mut dyn FnMut() -> bool,
) -> Option<Ids> {
    let levels = last.quantiser.books.levels();
    let old = last.quantiser.encode(before);
    let mut latent = last.quantiser.encode(vectors);
    let drifting = drifting(&old, &latent, share);
    let id = |item: usize| &last.ids[item * levels..(item + 1) * levels];
    let mut held: Vec<Option<&[u32]>> = vec![None; vectors.len()];
    for item in (0..before.len()).filter(|&item| !drifting[item]) {
        held[item] = Some(id(item));
        latent[item].clone_from(&old[item]);
    }
    let found = refined(&latent, &last.quantiser.books.entries(), &held);
    let moves = |&item: &usize| item >= before.len() || drifting[item] && found.numbers[item * levels] != id(item)[0];
    let (given, stay): (Vec<usize>, Vec<usize>) = (0..vectors.len()).partition(moves);
    let published: Vec<u32> = stay.iter().flat_map(|&item| id(item)).copied().collect();
    let quantiser = last.quantiser.with_entries(&found.centres);
    let wanted: Vec<Vec<f64>> = given.iter().map(|&item| vectors[item].clone()).collect();
    let appended = Appending::among(&quantiser, &last.ids, &published).append(&wanted, stopped)?;
    let mut ids = [&last.ids[..], &vec![0; (vectors.len() - before.len()) * levels]].concat();
    for (item, id) in given.into_iter().zip(appended.ids.chunks(levels)) {
        ids[item * levels..(item + 1) * levels].copy_from_slice(id);
    }
    Some(Ids::of(quantiser, ids, vectors))
}

/// By item that was there: whether it is among the share that moved farthest; one that did not move is not. Of equal ones the first
/// are.
fn drifting(before: &[Vec<f64>], now: &[Vec<f64>], share: f64) -> Vec<bool> {
    let moved: Vec<f64> = before.iter().zip(now).map(|(before, now)| squared_distance(before, now)).collect();
    let mut order: Vec<usize> = (0..moved.len()).filter(|&item| moved[item] > 0.0).collect();
    order.sort_by(|&one, &other| moved[other].total_cmp(&moved[one]));
    let mut drifting = vec![false; moved.len()];
    let most = (share * moved.len() as f64) as usize;
    order.into_iter().take(most).for_each(|item| drifting[item] = true);
    drifting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id_training::quantiser::Quantiser;
    use crate::semantic_id::Codebooks;

    fn column(values: &[f64]) -> Vec<Vec<f64>> {
        values.iter().map(|&value| vec![value]).collect()
    }

    /// Items at 0, 1, 10 and 11 under codes for 0 and 10, then 0 and 1.
    fn last() -> (Ids, Vec<Vec<f64>>) {
        let books = Codebooks::new(&[column(&[0.0, 10.0]), column(&[0.0, 1.0])]).unwrap();
        let vectors = column(&[0.0, 1.0, 10.0, 11.0]);
        let ids = vec![0, 0, 0, 1, 1, 0, 1, 1];
        (Ids::of(Quantiser { books, autoencoder: None }, ids, &vectors), vectors)
    }

    fn updated_ids(now: &[f64], share: f64) -> Vec<u32> {
        let (last, before) = last();
        updated(&last, &before, &column(now), share, &mut || false).unwrap().ids
    }

    #[test]
    fn nobody_moves_whose_drift_is_not_among_the_largest() {
        let moved = [9.0, 2.0, 1.0, 3.0];
        assert_eq!(updated_ids(&moved, 0.0), last().0.ids);
        assert_eq!(updated_ids(&[0.0, 1.0, 10.0, 11.0], 1.0), last().0.ids, "who does not move does not drift");
        // One of four: the first moved as far as the third, by 9.
        assert_eq!(updated_ids(&moved, 0.25)[2..], last().0.ids[2..]);
    }

    #[test]
    fn an_item_that_keeps_its_first_code_keeps_its_id() {
        // By hand: 1 goes to 0.1, whose own codes would be (0, 0); the first code stays, and so does the id.
        assert_eq!(updated_ids(&[0.0, 0.1, 10.0, 11.0], 0.25), last().0.ids);
        // 1 goes to 10.4, where the first code is another. Both ids there are taken by stationary items, so that the nearest that is
        // free is the one it left; with 11 gone to -1, it is not.
        assert_eq!(updated_ids(&[0.0, 10.4, 10.0, 11.0], 0.25), last().0.ids);
        assert_eq!(updated_ids(&[0.0, 10.9, 10.0, 0.8], 0.5), [0, 0, 1, 1, 1, 0, 0, 1]);
    }

    #[test]
    fn new_items_get_the_nearest_free_codes() {
        let (last, before) = last();
        let mut last = last;
        last.ids.truncate(6);
        let found = updated(&last, &before[..3], &column(&[0.0, 1.0, 10.0, 10.8]), DRIFTING, &mut || false).unwrap();
        assert_eq!(found.ids, [0, 0, 0, 1, 1, 0, 1, 1]);
        assert_eq!(updated(&last, &before[..3], &column(&[0.0, 1.0, 10.0, 10.8]), DRIFTING, &mut || true), None);
    }
}
