//! Semantic ids from item vectors by residual clustering: each level's codes are the clusters of what the levels before
//! leave over.

use std::ops::ControlFlow;

use rand::Rng;
use rand::seq::index;
use rayon::prelude::*;

/// Rounds of the k-means algorithm.
const ROUNDS: usize = 10;
/// Vectors a cluster that the clusters are found on, at most; the others are only assigned.
const SAMPLE: usize = 16;

/// How many codes ids consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeShape {
    /// Codes an item.
    pub levels: usize,
    /// Codes that a level may use.
    pub codes: usize,
}

/// What residual clustering found.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustered {
    /// `items x levels`, row-major, each below the number of codes.
    pub numbers: Vec<u32>,
    /// By item: what the levels before the last one leave over.
    pub last_residuals: Vec<Vec<f64>>,
    /// By level: its centres; fewer than codes where there are no more distinct residuals.
    pub centres: Vec<Vec<Vec<f64>>>,
    /// By level: mean squared error, over items and dimensions, of the vectors as their codes so far describe them.
    pub errors: Vec<f64>,
}

impl Clustered {
    /// The centres of the last level.
    pub fn last_centres(&self) -> &[Vec<f64>] {
        self.centres.last().map_or(&[], Vec::as_slice)
    }

    /// The centres of the level before the last; none where there is one level.
    pub fn previous_centres(&self) -> &[Vec<f64>] {
        self.centres.iter().nth_back(1).map_or(&[], Vec::as_slice)
    }
}

/// Codes (`items x levels`, row-major, each below `codes`) of vectors of equal length.
///
/// Likely vectors share codes from the first level on; two items may share all of them.
pub fn residual_codes(vectors: &[Vec<f64>], levels: usize, codes: usize, random: &mut impl Rng) -> Vec<u32> {
    residual_clusters(vectors, CodeShape { levels, codes }, random, &mut |_, _| ControlFlow::Continue(()))
        .map(|found| found.numbers)
        .unwrap_or_default()
}

/// The same with what it came from. `level_done` hears of each level (from 0) with the mean squared error of the vectors as
/// their codes so far describe them; none where it ends the clustering between two levels.
pub fn residual_clusters(
    vectors: &[Vec<f64>],
    CodeShape { levels, codes }: CodeShape,
    random: &mut impl Rng,
    level_done: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
) -> Option<Clustered> {
    let mut residuals = vectors.to_vec();
    let mut found = Clustered {
        numbers: vec![0; vectors.len() * levels],
        last_residuals: Vec::new(),
        centres: Vec::with_capacity(levels),
        errors: Vec::new(),
    };
    let values: usize = vectors.iter().map(Vec::len).sum();
    for level in 0..levels {
        let centres = clusters(&residuals, codes, random);
        let nearest: Vec<usize> = residuals.par_iter().map(|vector| nearest(&centres, vector)).collect();
        if level + 1 == levels {
            found.last_residuals.clone_from(&residuals);
        }
        for (item, (residual, centre)) in residuals.iter_mut().zip(nearest).enumerate() {
            found.numbers[item * levels + level] = centre as u32;
            residual.iter_mut().zip(&centres[centre]).for_each(|(value, centre)| *value -= centre);
        }
        let squares: f64 = residuals.iter().flatten().map(|value| value * value).sum();
        let error = squares / values.max(1) as f64;
        found.errors.push(error);
        found.centres.push(centres);
        if level_done(level, error).is_break() && level + 1 < levels {
            return None;
        }
    }
    Some(found)
}

/// Goes on from the centres of each level with other vectors, on all of them. An item whose codes are `held` (one entry an item)
/// keeps them, and holds the centres where they are; a centre that no item is near stays where it was.
pub fn refined(vectors: &[Vec<f64>], centres: &[Vec<Vec<f64>>], held: &[Option<&[u32]>]) -> Clustered {
    let levels = centres.len();
    let mut residuals = vectors.to_vec();
    let mut found = Clustered {
        numbers: vec![0; vectors.len() * levels],
        last_residuals: Vec::new(),
        centres: Vec::with_capacity(levels),
        errors: Vec::new(),
    };
    let values: usize = vectors.iter().map(Vec::len).sum();
    for (level, from) in centres.iter().enumerate() {
        let mut centres = from.clone();
        let assigned_to = |centres: &[Vec<f64>]| -> Vec<usize> {
            let code = |(residual, held): (&Vec<f64>, &Option<&[u32]>)| {
                held.map_or_else(|| nearest(centres, residual), |codes| codes[level] as usize)
            };
            residuals.par_iter().zip(held).map(code).collect()
        };
        let mut assigned = assigned_to(&centres);
        for _ in 0..ROUNDS {
            move_to_means(&mut centres, &residuals, &assigned);
            let before = std::mem::replace(&mut assigned, assigned_to(&centres));
            if before == assigned {
                break;
            }
        }
        if level + 1 == levels {
            found.last_residuals.clone_from(&residuals);
        }
        for (item, (residual, code)) in residuals.iter_mut().zip(assigned).enumerate() {
            found.numbers[item * levels + level] = code as u32;
            // A code that was given when no centre was free stands for nothing.
            let centre = centres.get(code).map_or(&[][..], Vec::as_slice);
            residual.iter_mut().zip(centre).for_each(|(value, centre)| *value -= centre);
        }
        let squares: f64 = residuals.iter().flatten().map(|value| value * value).sum();
        found.errors.push(squares / values.max(1) as f64);
        found.centres.push(centres);
    }
    found
}

/// Moves each centre to the mean of the vectors that are assigned to it.
fn move_to_means(centres: &mut [Vec<f64>], vectors: &[Vec<f64>], assigned: &[usize]) {
    let mut sizes = vec![0_usize; centres.len()];
    for &code in assigned.iter().filter(|&&code| code < centres.len()) {
        sizes[code] += 1;
    }
    for (centre, _) in centres.iter_mut().zip(&sizes).filter(|(_, size)| **size > 0) {
        centre.fill(0.0);
    }
    for (vector, &code) in vectors.iter().zip(assigned) {
        let Some(centre) = centres.get_mut(code) else { continue };
        centre.iter_mut().zip(vector).for_each(|(centre, value)| *centre += value / sizes[code] as f64);
    }
}

/// At most `count` cluster centres (k-means from k-means++ starting points, on a sample).
pub(crate) fn clusters(vectors: &[Vec<f64>], count: usize, random: &mut impl Rng) -> Vec<Vec<f64>> {
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

pub(crate) fn squared_distance(one: &[f64], other: &[f64]) -> f64 {
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
    fn the_same_seed_finds_the_same_codes_and_every_level_describes_the_vectors_better() {
        let found = || {
            residual_clusters(
                &groups(),
                CodeShape { levels: 3, codes: 3 },
                &mut ChaCha8Rng::seed_from_u64(3),
                &mut |_, _| ControlFlow::Continue(()),
            )
        };
        let one = found().unwrap();
        assert_eq!(Some(&one), found().as_ref());
        // By hand: three groups of the values 0 to 3 have the variance 1.25 around their centres, on one of three
        // dimensions.
        assert!((one.errors[0] - 1.25 / 3.0).abs() < 1e-12, "{:?}", one.errors);
        assert!(one.errors.is_sorted_by(|before, after| after < before), "{:?}", one.errors);
    }

    #[test]
    fn centres_go_on_from_where_they_were_and_held_items_hold_them() {
        let column = |values: &[f64]| values.iter().map(|&value| vec![value]).collect::<Vec<_>>();
        let centres = [column(&[0.0, 10.0, 99.0])];
        // By hand: 1 and 3 have the mean 2, 11 is alone, and nobody is near 99.
        let found = refined(&column(&[1.0, 3.0, 11.0]), &centres, &[None; 3]);
        assert_eq!((&found.numbers[..], &found.centres[0]), (&[0, 0, 1][..], &column(&[2.0, 11.0, 99.0])));
        assert!((found.errors[0] - 2.0 / 3.0).abs() < 1e-12, "{:?}", found.errors);
        // Held at the second code, 1 draws it to (1 + 11) / 2; then 11 is nearer to 6 than 3 is to 3.
        let found = refined(&column(&[1.0, 3.0, 11.0]), &centres, &[Some(&[1]), None, None]);
        assert_eq!((&found.numbers[..], &found.centres[0]), (&[1, 0, 1][..], &column(&[3.0, 6.0, 99.0])));
        // A code that has no centre is kept, and moves none.
        let found = refined(&column(&[1.0, 3.0, 11.0]), &centres, &[Some(&[7]), None, None]);
        assert_eq!((&found.numbers[..], &found.centres[0]), (&[7, 0, 1][..], &column(&[3.0, 11.0, 99.0])));
    }

    #[test]
    fn equal_vectors_share_their_codes() {
        let codes = residual_codes(&vec![vec![1.0, 2.0]; 5], 3, 4, &mut ChaCha8Rng::seed_from_u64(2));
        assert!(codes.chunks(3).all(|row| row == &codes[..3]));
    }
}
