//! How far each user's preferences have shifted between stages, seen through clusters of items.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::loss::{Towers, dot, row};
use crate::model::adapter::Matrix;
use crate::semantic_id::clustering::residual_codes;

/// The cluster of every item (k-means of the embeddings, see [`residual_codes`]), each below `count`.
pub fn item_clusters(items: &Matrix, count: usize, seed: u64) -> Vec<u32> {
    let vectors: Vec<Vec<f64>> =
        (0..items.rows as u32).map(|item| row(items, item).iter().map(|&value| f64::from(value)).collect()).collect();
    residual_codes(&vectors, 1, count, &mut ChaCha8Rng::seed_from_u64(seed))
}

/// Personalised imitation weights: what a user keeps of the past, `exp(-d)` over its mean, where `d` (0 to 1) is the
/// total variation between the shares of the clusters in what the user chose before and in what he chose now.
///
/// `choices` are both for each user, as items; `clusters` is the cluster of each item.
///
/// Wang et al. (arXiv 2305.01204) learn the weight of each user from the change of interests. Here it is a fixed
/// function that falls with the change: our reading, without a network that could learn to imitate nobody.
///
/// # Panics
/// Where a choice is no item of `clusters`.
pub fn imitation_weights(choices: &[(&[u32], &[u32])], clusters: &[u32]) -> Vec<f32> {
    let count = clusters.iter().max().map_or(0, |last| *last as usize + 1);
    let shares = |items: &[u32]| {
        let mut shares = vec![0.0; count];
        for &item in items {
            shares[clusters[item as usize] as usize] += 1.0 / items.len() as f64;
        }
        shares
    };
    let weight = |(before, now): &(&[u32], &[u32])| {
        let distance: f64 = shares(before).iter().zip(shares(now)).map(|(one, other)| (one - other).abs()).sum();
        (-distance / 2.0).exp()
    };
    let weights: Vec<f64> = choices.iter().map(weight).collect();
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    weights.into_iter().map(|weight| (weight / mean) as f32).collect()
}

/// PISA's division of users into stable (0) and dynamic (1): the share of the other users whose preferences shifted
/// less.
///
/// A user's shift is the sum over clusters of the change of the distance between the user's embedding and the
/// cluster's centre (the mean of its items), from the model `previous` to the model `current`.
///
/// Yoo et al. ("Embracing Plasticity", SIGIR 2025) measure the shift by changes of a user's distances to clusters of
/// items; that the ranks of the shifts divide the users is our reading.
///
/// # Panics
/// Where a user has no embedding.
pub fn plasticity(users: &[u32], previous: &Towers, current: &Towers, clusters: &[u32]) -> Vec<f32> {
    let (before, now) = (centres(&previous.items, clusters), centres(&current.items, clusters));
    let shift = |&user: &u32| {
        let (was, is) = (row(&previous.users, user), row(&current.users, user));
        let change = |(before, now): (&Vec<f32>, &Vec<f32>)| (distance(was, before) - distance(is, now)).abs();
        before.iter().zip(&now).map(change).sum::<f32>()
    };
    let shifts: Vec<f32> = users.iter().map(shift).collect();
    let mut sorted = shifts.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let others = users.len().saturating_sub(1).max(1) as f32;
    shifts.iter().map(|shift| sorted.partition_point(|less| less < shift) as f32 / others).collect()
}

/// Means of the clusters that have items.
fn centres(items: &Matrix, clusters: &[u32]) -> Vec<Vec<f32>> {
    let count = clusters.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sums = vec![(0usize, vec![0.0f64; items.columns]); count];
    for (item, &cluster) in (0..).zip(clusters) {
        let (size, sum) = &mut sums[cluster as usize];
        *size += 1;
        sum.iter_mut().zip(row(items, item)).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let full = sums.into_iter().filter(|(size, _)| *size > 0);
    full.map(|(size, sum)| sum.iter().map(|sum| (sum / size as f64) as f32).collect()).collect()
}

fn distance(one: &[f32], other: &[f32]) -> f32 {
    let difference: Vec<f32> = one.iter().zip(other).map(|(one, other)| one - other).collect();
    dot(&difference, &difference).sqrt()
}
