//! The singular values and vectors of an update, and how many directions it has in effect.

use faer::{Mat, MatRef};

use super::factors::Factors;
use crate::linalg::{Svd, svd};

/// The singular value decomposition of an update `B A`, over its thin factors.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Singular values, descending; as many as the factors' rank, or as the update's shape has.
    pub values: Vec<f64>,
    /// Left singular vectors, `[out, values]`.
    pub left: Mat<f64>,
    /// Right singular vectors, `[in, values]`.
    pub right: Mat<f64>,
}

/// Singular values below this share of the largest one are rounding of factors in float32, not directions.
const NOISE: f64 = 16.0 * f32::EPSILON as f64;

impl Spectrum {
    /// Decomposes an update: QR of both factors, then the SVD of the small `R_B R_Aᵀ`.
    ///
    /// # Panics
    /// If a factor has values that are no numbers.
    pub fn of(update: &Factors) -> Self {
        let (left, right) = (update.b.qr(), update.a.transpose().qr());
        let core = left.thin_R() * right.thin_R().transpose();
        let Svd { u, values, v } = svd(core.as_ref());
        Self { values, left: left.compute_thin_Q() * u, right: right.compute_thin_Q() * v }
    }

    /// Directions that are more than rounding; 0 for an update of zeros.
    pub fn rank(&self) -> usize {
        let largest = self.values.first().copied().unwrap_or(0.0);
        self.values.iter().take_while(|value| **value > NOISE * largest).count()
    }

    /// An orthonormal basis of the update's column space, `[out, rank]`.
    pub fn left_subspace(&self) -> MatRef<'_, f64> {
        self.left.subcols(0, self.rank())
    }

    /// An orthonormal basis of the update's row space, `[in, rank]`.
    pub fn right_subspace(&self) -> MatRef<'_, f64> {
        self.right.subcols(0, self.rank())
    }
}

/// The effective rank: e to the entropy of the singular values as shares of their sum (Roy & Vetterli 2007). From 1 to
/// their number; 0 for an update of zeros.
pub fn effective_rank(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    if sum <= 0.0 {
        return 0.0;
    }
    let shares = values.iter().map(|value| value / sum).filter(|share| *share > 0.0);
    (-shares.map(|share| share * share.ln()).sum::<f64>()).exp()
}

/// The stable rank `‖ΔW‖_F² / ‖ΔW‖₂²`; 0 for an update of zeros.
pub fn stable_rank(values: &[f64]) -> f64 {
    let largest = values.first().copied().unwrap_or(0.0);
    if largest <= 0.0 {
        return 0.0;
    }
    values.iter().map(|value| (value / largest).powi(2)).sum()
}
