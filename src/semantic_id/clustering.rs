//! Semantic ids from item vectors by residual clustering: each level's codes are the clusters of what the levels before
//! leave over.

use rand::Rng;
use rand::seq::index;
use rayon::prelude::*;

/// Rounds of the k-means algorithm.
const ROUNDS: usize = 10;
/// Vectors a cluster that the clusters are found on, at most; the others are only assigned.
const SAMPLE: usize = 16;

/// Codes (`items x levels`, row-major, each below `codes`) of vectors of equal length.
///
/// Likely vectors share codes from the first level on; two items may share all of them.
pub fn residual_codes(vectors: &[Vec<f64>], levels: usize, codes: usize, random: &mut impl Rng) -> Vec<u32> {
    let mut residuals = vectors.to_vec();
    let mut numbers = vec![0; vectors.len() * levels];
    for level in 0..levels {
        let centres = clusters(&residuals, codes, random);
        let nearest: Vec<usize> = residuals.par_iter().map(|vector| nearest(&centres, vector)).collect();
        for (item, (residual, centre)) in residuals.iter_mut().zip(nearest).enumerate() {
            numbers[item * levels + level] = centre as u32;
            residual.iter_mut().zip(&centres[centre]).for_each(|(value, centre)| *value -= centre);
        }
    }
    numbers
}

/// At most `count` cluster centres (k-means from k-means++ starting points, on a sample).
fn clusters(vectors: &[Vec<f64>], count: usize, random: &mut impl Rng) -> Vec<Vec<f64>> {
    let sample = index::sample(random, vectors.len(), vectors.len().min(count * SAMPLE));
    let sample: Vec<&Vec<f64>> = sample.iter().map(|at| &vectors[at]).collect();
    let mut centres = starting_points(&sample, count, random);
    for _ in 0..ROUNDS {
        let assigned: Vec<usize> = sample.par_iter().map(|vector| nearest(&centres, vector)).collect();
        for (number, centre) in centres.iter_mut().enumerate() {
            let members = || sample.iter().zip(&assigned).filter(|(_, assigned)| **assigned == number).map(|(v, _)| v);
            let size = members().count();
            if size > 0 {
                centre.fill(0.0);
                members()
                    .for_each(|v| centre.iter_mut().zip(v.iter()).for_each(|(c, value)| *c += value / size as f64));
            }
        }
    }
    centres
}

/// Starting points far from each other: each drawn in proportion to the squared distance to the nearest one before it
/// (Arthur and Vassilvitskii 2007). Fewer than `count` where there are no more distinct vectors.
fn starting_points(sample: &[&Vec<f64>], count: usize, random: &mut impl Rng) -> Vec<Vec<f64>> {
    let mut centres: Vec<Vec<f64>> = Vec::new();
    let mut distances = vec![1.0; sample.len()];
    while centres.len() < count {
        let mut left = random.random::<f64>() * distances.iter().sum::<f64>();
        let drawn = distances.iter().position(|distance| {
            left -= distance;
            *distance > 0.0 && left <= 0.0
        });
        let Some(at) = drawn.or_else(|| distances.iter().rposition(|&distance| distance > 0.0)) else { break };
        let centre = sample[at].clone();
        for (distance, vector) in distances.iter_mut().zip(sample) {
            let to_new = squared_distance(vector, &centre);
            *distance = if centres.is_empty() { to_new } else { distance.min(to_new) };
        }
        centres.push(centre);
    }
    centres
}

/// The nearest centre; the first of several.
fn nearest(centres: &[Vec<f64>], vector: &[f64]) -> usize {
    let mut best = (0, f64::INFINITY);
    for (number, centre) in centres.iter().enumerate() {
        let distance = squared_distance(centre, vector);
        if distance < best.1 {
            best = (number, distance);
        }
    }
    best.0
}

fn squared_distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Three far groups of four near vectors.
    fn groups() -> Vec<Vec<f64>> {
        (0..12u8).map(|i| vec![f64::from(i / 4) * 10.0, f64::from(i % 4), 1.0]).collect()
    }

    #[test]
    fn the_first_level_finds_the_groups_and_the_second_tells_their_members_apart() {
        let codes = residual_codes(&groups(), 2, 4, &mut ChaCha8Rng::seed_from_u64(1));
        let three = residual_codes(&groups(), 1, 3, &mut ChaCha8Rng::seed_from_u64(1));
        for group in three.chunks(4) {
            assert!(group.iter().all(|code| *code == group[0]), "{three:?}");
        }
        let distinct: std::collections::HashSet<&[u32]> = codes.chunks(2).collect();
        assert!(distinct.len() > 6, "{codes:?}");
        assert!(codes.iter().all(|&code| code < 4));
    }

    #[test]
    fn equal_vectors_share_their_codes() {
        let codes = residual_codes(&vec![vec![1.0, 2.0]; 5], 3, 4, &mut ChaCha8Rng::seed_from_u64(2));
        assert!(codes.chunks(3).all(|row| row == &codes[..3]));
    }
}
