//! The nearest items by Euclidean distance, exactly.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Items that are looked at between two questions whether to go on.
const BLOCK: usize = 256;
/// Sums that go on side by side: one alone waits for each addition.
const LANES: usize = 8;

/// The `neighbours` nearest of the other items to each of those that are asked, ascending; none where it was stopped. Of items that
/// are equally far those are taken that come first in an order drawn with `seed`, so that two sources do not agree by the order of
/// their rows. Memory is one row of distances a thread.
pub(super) fn nearest(
    vectors: &[&[f64]],
    asked: &[usize],
    neighbours: usize,
    seed: u64,
    stopped: &mut dyn FnMut() -> bool,
) -> Option<Vec<Vec<u32>>> {
    let mut rank: Vec<u32> = (0..vectors.len() as u32).collect();
    rank.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let of_item = |&item: &usize| {
        let others = (0..vectors.len()).filter(|&other| other != item);
        let mut far: Vec<(f64, u32, u32)> =
            others.map(|other| (squared_distance(vectors[item], vectors[other]), rank[other], other as u32)).collect();
        if neighbours < far.len() {
            far.select_nth_unstable_by(neighbours, |one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            far.truncate(neighbours);
        }
        let mut near: Vec<u32> = far.into_iter().map(|(_, _, other)| other).collect();
        near.sort_unstable();
        near
    };
    let mut found = Vec::with_capacity(asked.len());
    for block in asked.chunks(BLOCK) {
        if stopped() {
            return None;
        }
        found.par_extend(block.par_iter().map(of_item));
    }
    Some(found)
}

fn squared_distance(one: &[f64], other: &[f64]) -> f64 {
    let square = |one: f64, other: f64| (one - other) * (one - other);
    let mut sums = [0.0; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| square(*one, *other)).sum();
    for (one, other) in ones.zip(others) {
        for lane in 0..LANES {
            sums[lane] += square(one[lane], other[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_the_nearest_others() {
        // On a line at 0, 1, 3, 7, 8, each in 11 equal dimensions.
        let vectors: Vec<Vec<f64>> = [0.0, 1.0, 3.0, 7.0, 8.0].map(|at| vec![at; 11]).to_vec();
        let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        let found = nearest(&vectors, &[0, 2, 4], 2, 1, &mut || false).unwrap();
        assert_eq!(found, [[1, 2], [0, 1], [2, 3]]);
        assert_eq!(nearest(&vectors, &[3], 4, 1, &mut || false).unwrap(), [[0, 1, 2, 4]]);
        assert_eq!(nearest(&vectors, &[3], 4, 1, &mut || true), None);
        assert_eq!(squared_distance(&[1.0; 11], &[3.0; 11]), 44.0);
    }

    #[test]
    fn equals_are_chosen_by_the_seed_and_not_by_their_order() {
        let vectors = vec![[1.0].as_slice(); 400];
        let asked: Vec<usize> = (0..400).collect();
        let by = |seed| nearest(&vectors, &asked, 10, seed, &mut || false).unwrap();
        assert_eq!(by(1), by(1));
        // One order for all items: those that come first in both orders are 10 of 400 each, and seldom the same.
        let same = by(1)[0].iter().filter(|item| by(2)[0].contains(item)).count();
        assert!(same <= 3, "{same}");
    }
}
