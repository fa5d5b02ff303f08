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

/// The items of stage 1 by who goes for what, among which others are placed.
///
/// They have the leading eigenvectors of their positive pointwise mutual information
/// `max(0, ln(n(a, b) n / (n(a) n(b))))`, each scaled by the root of its eigenvalue (Levy and Goldberg 2014); n(a, b) counts pairs of
/// training targets. An item that comes later is placed among them by its pairs with them in the stage in which it first has
/// any. So no vector knows what users did after the item came, nor any validation or test target.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Values of a vector.
    pub width: usize,
    /// By item of stage 1: the pairs that it is in.
    pub totals: Vec<f64>,
    /// By leading eigenvector: its eigenvalue, falling.
    pub values: Vec<f64>,
    /// By item: its entry in each of them.
    pub vectors: Vec<Vec<f64>>,
}

impl Map {
    /// Of the training targets of stage 1, whose items are numbered from 0 to below `items`.
    pub fn of(first: &Stage, items: usize, width: usize) -> Self {
        let base = pairs(first, items);
        let totals: Vec<f64> = base.iter().map(|row| row.values().sum()).collect();
        let map = Self { width, totals, values: Vec::new(), vectors: Vec::new() };
        let rows: Vec<SparseRow> = base.iter().map(|row| map.information(row, Some)).collect();
        let Basis { vectors, values } = leading(&rows, width);
        let entries = |row: usize| (0..values.len()).map(|column| vectors[(row, column)]).collect();
        Self { vectors: (0..items).map(entries).collect(), values, ..map }
    }

    /// A vector an item (of length 1, or all 0 for items that are in no pair). `row_of` says which row of the map an item has, if any; `counts(stage, item)` whether the item may be placed
    /// by what users did in that stage (from 0).
    pub fn placed(
        &self,
        stages: &[Stage],
        items: usize,
        row_of: impl Fn(usize) -> Option<usize>,
        counts: &dyn Fn(usize, usize) -> bool,
    ) -> Vec<Vec<f64>> {
        let mut rows: Vec<SparseRow> = vec![Vec::new(); items];
        for (number, stage) in stages.iter().enumerate() {
            for (item, (row, pairs)) in rows.iter_mut().zip(pairs(stage, items)).enumerate() {
                if row.is_empty() && counts(number, item) {
                    *row = self.information(&pairs, &row_of);
                }
            }
        }
        rows.iter().map(|row| self.place(row)).collect()
    }

    /// What pairs with the items of the map say, by their rows.
    fn information(&self, pairs: &BTreeMap<usize, f64>, row_of: impl Fn(usize) -> Option<usize>) -> SparseRow {
        let all: f64 = self.totals.iter().sum();
        let known = |(&item, &count): (&usize, &f64)| {
            let row = row_of(item).filter(|&row| self.totals.get(row).is_some_and(|total| *total > 0.0))?;
            Some((row, count))
        };
        let own: f64 = pairs.iter().filter_map(known).map(|(_, count)| count).sum();
        let value = |(row, count): (usize, f64)| {
            let value = (count * all / (own * self.totals[row])).ln();
            (value > 0.0).then_some((row, value))
        };
        let mut row: SparseRow = pairs.iter().filter_map(known).filter_map(value).collect();
        row.sort_unstable_by_key(|(row, _)| *row);
        row
    }

    /// The coordinates of an item with this row: the row's product with each eigenvector over the root of its eigenvalue.
    fn place(&self, row: &SparseRow) -> Vec<f64> {
        let coordinate = |(direction, value): (usize, &f64)| {
            row.iter().map(|&(item, entry)| entry * self.vectors[item][direction]).sum::<f64>() / value.sqrt()
        };
        let mut vector: Vec<f64> = self.values.iter().enumerate().map(coordinate).collect();
        vector.resize(self.width, 0.0);
        let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            vector.iter_mut().for_each(|value| *value /= length);
        }
        vector
    }
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

    fn vectors(stages: &[Stage], items: usize, width: usize) -> Vec<Vec<f64>> {
        let map = Map::of(stages.first().unwrap_or(&Stage::default()), items, width);
        map.placed(stages, items, Some, &|_, _| true)
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
    fn items_are_placed_by_the_stages_that_count_whatever_rows_they_have() {
        let first: &[&[u32]] = &[&[0, 1, 2, 7, 7], &[1, 2, 0, 7, 7], &[3, 4, 5, 7, 7], &[5, 3, 4, 7, 7], &[2, 3, 7, 7]];
        let stages = [stage(first), stage(&[&[6, 0, 1, 3, 4], &[2, 6, 3, 4]])];
        let map = Map::of(&stages[0], 8, 4);
        let all = map.placed(&stages, 8, Some, &|_, _| true);
        assert_eq!(all, groups());
        // Of six items in another order, under other numbers, the vector is the same.
        let few = Map {
            totals: map.totals[..6].iter().rev().copied().collect(),
            vectors: map.vectors[..6].iter().rev().cloned().collect(),
            ..map.clone()
        };
        let found = few.placed(&stages, 8, |item| 5_usize.checked_sub(item), &|_, _| true);
        found.iter().flatten().zip(all.iter().flatten()).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
        // What came in stage 2 has no place by stage 1.
        let none = map.placed(&stages, 8, Some, &|stage, _| stage == 0);
        assert!(none[6].iter().all(|value| *value == 0.0) && none[0] == all[0]);
    }

    #[test]
    fn without_pairs_all_is_zero() {
        assert_eq!(vectors(&[], 2, 3), vec![vec![0.0; 3]; 2]);
        assert_eq!(vectors(&[stage(&[&[0, 1]])], 2, 3), vec![vec![0.0; 3]; 2]);
    }
}
