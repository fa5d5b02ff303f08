//! Which direction of one update continues as which of another.

use faer::MatRef;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use serde::{Deserialize, Serialize};

use super::spectrum::Spectrum;

/// Which singular vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left ones: what the update writes.
    Left,
    /// Right ones: what the update reads.
    Right,
    /// Both at once, by the product of their cosines, which is the cosine between the directions' matrices `u vᵀ`.
    #[default]
    Both,
}

impl Side {
    /// Its name in files: `left`, `right`, `both`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Both => "both",
        }
    }
}

/// The direction of an earlier update that a direction continues.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Its index there, from 0.
    pub previous: usize,
    /// Cosine between the left singular vectors, after [`Self::sign`].
    pub left: f64,
    /// Cosine between the right singular vectors, after [`Self::sign`].
    pub right: f64,
    /// 1 or -1: what both vectors of the later direction are multiplied by to point as the earlier ones do. A singular
    /// pair has no sign of its own; where one cosine stays negative after it, the direction writes the opposite.
    pub sign: f64,
}

/// Matches the directions of `now` (as many as [`Spectrum::rank`]) one to one with those of `before`, so that the sum of
/// the absolute cosines on a side is largest. By index in `now`; none where `before` has fewer directions.
pub fn match_directions(before: &Spectrum, now: &Spectrum, side: Side) -> Vec<Option<Match>> {
    let left = cosines(now.left_subspace(), before.left_subspace());
    let right = cosines(now.right_subspace(), before.right_subspace());
    let weight = |row: usize, column: usize| match side {
        Side::Left => left[row][column].abs(),
        Side::Right => right[row][column].abs(),
        Side::Both => (left[row][column] * right[row][column]).abs(),
    };
    let partners = assignment(now.rank(), before.rank(), weight);
    let found = |(row, partner): (usize, Option<usize>)| {
        let previous = partner?;
        let (left, right) = (left[row][previous], right[row][previous]);
        let decides = match side {
            Side::Left => left,
            Side::Right => right,
            Side::Both => left + right,
        };
        let sign = if decides < 0.0 { -1.0 } else { 1.0 };
        Some(Match { previous, left: sign * left, right: sign * right, sign })
    };
    partners.into_iter().enumerate().map(found).collect()
}

/// Cosines between orthonormal columns: `[of one][of other]`.
pub fn cosines(one: MatRef<'_, f64>, other: MatRef<'_, f64>) -> Vec<Vec<f64>> {
    let product = one.transpose() * other;
    (0..product.nrows()).map(|row| (0..product.ncols()).map(|column| product[(row, column)]).collect()).collect()
}

/// The partner of each row, such that the sum of the weights (from 0 to 1) is largest; none for rows that are left over.
fn assignment(rows: usize, columns: usize, weight: impl Fn(usize, usize) -> f64) -> Vec<Option<usize>> {
    // The algorithm compares exactly, and wants no more rows than columns.
    let whole = |row, column| (weight(row, column) * 1e12).round() as i64;
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    if rows <= columns {
        let weights = Matrix::from_fn(rows, columns, |(row, column)| whole(row, column));
        return kuhn_munkres(&weights).1.into_iter().map(Some).collect();
    }
    let weights = Matrix::from_fn(columns, rows, |(column, row)| whole(row, column));
    let mut partners = vec![None; rows];
    for (column, row) in kuhn_munkres(&weights).1.into_iter().enumerate() {
        partners[row] = Some(column);
    }
    partners
}
