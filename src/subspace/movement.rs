//! How far an update moved, and how much of the move lies in the subspace that was there before.

use faer::MatRef;
use serde::{Deserialize, Serialize};

use super::factors::Factors;
use super::spectrum::Spectrum;

/// The move `D = ΔW' - ΔW` from one update of a weight to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// `‖D‖_F`
    pub norm: f64,
    /// Share of `‖D‖_F²` that writes into the column space of the update before: `‖U Uᵀ D‖² / ‖D‖²`. 0 where nothing moved.
    pub inside_left: f64,
    /// Share that reads from its row space: `‖D V Vᵀ‖² / ‖D‖²`.
    pub inside_right: f64,
    /// Share that does both: `‖U Uᵀ D V Vᵀ‖² / ‖D‖²`.
    pub inside_both: f64,
}

/// Differences below this share of both norms are rounding.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// The move from one update, with its spectrum, to another.
pub fn movement(before: &Factors, spectrum: &Spectrum, now: &Factors) -> Movement {
    let moved = now.minus(before);
    // What is left of equal updates is rounding, and has a direction all the same.
    let threshold = ROUNDING * (before.norm() + now.norm());
    let norm = Some(moved.norm()).filter(|norm| *norm > threshold).unwrap_or(0.0);
    let (left, right) = (spectrum.left_subspace(), spectrum.right_subspace());
    let b_inside = left.transpose() * &moved.b;
    let a_inside = &moved.a * right;
    let share = |b: MatRef<'_, f64>, a: MatRef<'_, f64>| {
        let part = Factors { b: b.to_owned(), a: a.to_owned() }.norm();
        if norm > 0.0 { (part / norm).powi(2).min(1.0) } else { 0.0 }
    };
    Movement {
        norm,
        inside_left: share(b_inside.as_ref(), moved.a.as_ref()),
        inside_right: share(moved.b.as_ref(), a_inside.as_ref()),
        inside_both: share(b_inside.as_ref(), a_inside.as_ref()),
    }
}

/// The move of the rows of a matrix, such as an embedding, from one state to another of the same shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowMovement {
    /// Frobenius norm of the state before.
    pub norm_before: f64,
    /// Frobenius norm of the difference.
    pub norm: f64,
    /// Euclidean length of each row's move.
    pub rows: Vec<f64>,
}

/// The move of rows of `width` values, row-major.
pub fn row_movement(before: &[f32], now: &[f32], width: usize) -> RowMovement {
    let square = |values: &[f32]| values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
    let moved = |(before, now): (&[f32], &[f32])| {
        let squares = before.iter().zip(now).map(|(before, now)| (f64::from(*now) - f64::from(*before)).powi(2));
        squares.sum::<f64>()
    };
    let width = width.max(1);
    let squares: Vec<f64> = before.chunks_exact(width).zip(now.chunks_exact(width)).map(moved).collect();
    RowMovement {
        norm_before: square(before).sqrt(),
        norm: squares.iter().sum::<f64>().sqrt(),
        rows: squares.into_iter().map(f64::sqrt).collect(),
    }
}
