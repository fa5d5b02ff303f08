//! Item vectors without texts and models: which items the same users go for.

use std::collections::BTreeMap;

use faer::{Mat, MatRef};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::data::Stage;
use crate::linalg::symmetric_eigen;
use crate::seeds;

/// Two training targets of one user in one stage are a pair when they are at most this far apart.
const WINDOW: usize = 5;
/// Directions beyond the wanted ones that the iteration carries along, and its rounds (Halko, Martinsson, Tropp 2011).
const OVERSAMPLING: usize = 8;
const ROUNDS: usize = 6;

/// A row of a sparse matrix: column and value, by rising column.
type SparseRow = Vec<(usize, f64)>;

/// A vector an item (`width` values, of length 1, or all 0 for items that are in no pair).
///
/// The items of stage 1 have the leading eigenvectors of their positive pointwise mutual information
/// `max(0, ln(n(a, b) n / (n(a) n(b))))`, each scaled by the root of its eigenvalue (Levy and Goldberg 2014); n(a, b) counts pairs of
/// training targets. An item that comes later is placed among them by its pairs with them in the stage in which it first has
/// any. So no vector knows what users did after the item came, nor any validation or test target.
pub fn vectors(stages: &[Stage], items: usize, width: usize) -> Vec<Vec<f64>> {
    let Some(base) = stages.first().map(|stage| pairs(stage, items)) else { return vec![vec![0.0; width]; items] };
    let total = |row: &BTreeMap<usize, f64>| row.values().sum::<f64>();
    let totals: Vec<f64> = base.iter().map(total).collect();
    let all: f64 = totals.iter().sum();
    let information = |row: &BTreeMap<usize, f64>| -> SparseRow {
        let own: f64 = row.iter().filter(|(column, _)| totals[**column] > 0.0).map(|(_, count)| count).sum();
        let value = |(&column, &count): (&usize, &f64)| {
            let value = (count * all / (own * totals[column])).ln();
            (totals[column] > 0.0 && value > 0.0).then_some((column, value))
        };
        row.iter().filter_map(value).collect()
    };
    let mut rows: Vec<SparseRow> = base.iter().map(information).collect();
    let basis = leading(&rows, width);
    for stage in &stages[1..] {
        for (row, counts) in rows.iter_mut().zip(pairs(stage, items)) {
            if row.is_empty() {
                *row = information(&counts);
            }
        }
    }
    rows.iter().map(|row| placed(row, &basis, width)).collect()
}

/// How often each item is paired with each other one in a stage.
fn pairs(stage: &Stage, items: usize) -> Vec<BTreeMap<usize, f64>> {
    let mut counts = vec![BTreeMap::new(); items];
    for sequence in &stage.sequences {
        let targets = &sequence.items[sequence.training_targets()];
        for (at, &later) in targets.iter().enumerate() {
            for &earlier in targets[at.saturating_sub(WINDOW)..at].iter().filter(|&&earlier| earlier != later) {
                *counts[earlier as usize].entry(later as usize).or_insert(0.0) += 1.0;
                *counts[later as usize].entry(earlier as usize).or_insert(0.0) += 1.0;
            }
        }
    }
    counts
}

/// The leading eigenvectors of a symmetric sparse matrix with their eigenvalues, as far as these are positive.
struct Basis {
    /// `[items, values.len()]`
    vectors: Mat<f64>,
    values: Vec<f64>,
}

/// By subspace iteration from random directions, always the same ones.
fn leading(rows: &[SparseRow], width: usize) -> Basis {
    let known = rows.iter().filter(|row| !row.is_empty()).count();
    let carried = (width + OVERSAMPLING).min(known);
    let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(0, &["vectors of interactions"]));
    let draws: Vec<f64> = (0..rows.len() * carried).map(|_| StandardNormal.sample(&mut random)).collect();
    let mut basis = Mat::from_fn(rows.len(), carried, |row, column| draws[row * carried + column]);
    for _ in 0..ROUNDS {
        basis = orthonormal(product(rows, basis.as_ref()).as_ref());
    }
    let inner = basis.transpose() * product(rows, basis.as_ref());
    let symmetric = Mat::from_fn(carried, carried, |row, column| (inner[(row, column)] + inner[(column, row)]) / 2.0);
    let (values, rotation) = symmetric_eigen(symmetric.as_ref());
    let least = values.first().map_or(0.0, |first| 1e-9 * first);
    let kept = values.iter().take(width).take_while(|value| **value > least).count();
    let vectors = &basis * rotation;
    Basis {
        vectors: Mat::from_fn(rows.len(), kept, |row, column| vectors[(row, column)]),
        values: values[..kept].to_vec(),
    }
}

fn product(rows: &[SparseRow], matrix: MatRef<'_, f64>) -> Mat<f64> {
    let mut found = Mat::zeros(rows.len(), matrix.ncols());
    for (at, row) in rows.iter().enumerate() {
        for &(column, value) in row {
            for direction in 0..matrix.ncols() {
                found[(at, direction)] += value * matrix[(column, direction)];
            }
        }
    }
    found
}

fn orthonormal(matrix: MatRef<'_, f64>) -> Mat<f64> {
    matrix.qr().compute_thin_Q()
}

/// The coordinates of an item with this row: the row's product with each eigenvector over the root of its eigenvalue.
fn placed(row: &SparseRow, basis: &Basis, width: usize) -> Vec<f64> {
    let coordinate = |(direction, value): (usize, &f64)| {
        row.iter().map(|&(column, entry)| entry * basis.vectors[(column, direction)]).sum::<f64>() / value.sqrt()
    };
    let mut vector: Vec<f64> = basis.values.iter().enumerate().map(coordinate).collect();
    vector.resize(width, 0.0);
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Sequence;

    /// Users who each do this in a stage; the last two items are for validation and test.
    fn stage(users: &[&[u32]]) -> Stage {
        let sequence = |(user, items): (u32, &&[u32])| Sequence { user, items: items.to_vec(), current_from: 0 };
        Stage { sequences: (0..).zip(users).map(sequence).collect() }
    }

    fn cosine(one: &[f64], other: &[f64]) -> f64 {
        one.iter().zip(other).map(|(a, b)| a * b).sum()
    }

    /// Two groups of items, 0 to 2 and 3 to 5; 6 comes in stage 2 among the first; 7 is in no pair.
    fn groups() -> Vec<Vec<f64>> {
        let first: &[&[u32]] = &[&[0, 1, 2, 7, 7], &[1, 2, 0, 7, 7], &[3, 4, 5, 7, 7], &[5, 3, 4, 7, 7], &[2, 3, 7, 7]];
        vectors(&[stage(first), stage(&[&[6, 0, 1, 3, 4], &[2, 6, 3, 4]])], 8, 4)
    }

    #[test]
    fn items_of_the_same_users_are_near_and_later_ones_are_placed_among_them() {
        let found = groups();
        let near = cosine(&found[0], &found[1]);
        let far = cosine(&found[0], &found[4]);
        assert!(near > 0.8 && far < 0.2, "{near} {far}");
        let (own, other) = (cosine(&found[6], &found[1]), cosine(&found[6], &found[4]));
        assert!(own > 0.7 && other < 0.2, "{own} {other}");
        assert!(found[7].iter().all(|value| *value == 0.0), "validation and test targets make no pair");
        assert_eq!(found, groups(), "the same data have the same vectors");
    }

    /// The product of two items' coordinates, before they are brought to length 1, is their information where all directions are kept.
    #[test]
    fn all_directions_together_are_the_information() {
        // One user with 0, 1, one with 1, 2: n(0, 1) = n(1, 2) = 1 in both orders, n = 4, n(1) = 2.
        let rows: Vec<SparseRow> = {
            let counts = pairs(&stage(&[&[0, 1, 9, 9], &[1, 2, 9, 9]]), 10);
            counts.iter().map(|row| row.iter().map(|(&column, &count)| (column, count)).collect()).collect()
        };
        assert_eq!(rows[1], [(0, 1.0), (2, 1.0)]);
        let basis = leading(&rows, 3);
        // The path of three has eigenvalues √2, 0 and -√2.
        assert_eq!(basis.values.len(), 1);
        assert!((basis.values[0] - 2f64.sqrt()).abs() < 1e-9, "{:?}", basis.values);
        let entry = |row: usize| basis.vectors[(row, 0)].abs();
        assert!((entry(0) - 0.5).abs() < 1e-9 && (entry(1) - 0.5f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn without_pairs_all_is_zero() {
        assert_eq!(vectors(&[], 2, 3), vec![vec![0.0; 3]; 2]);
        assert_eq!(vectors(&[stage(&[&[0, 1]])], 2, 3), vec![vec![0.0; 3]; 2]);
    }
}
