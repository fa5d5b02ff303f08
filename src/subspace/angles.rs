//! Principal angles between subspaces, and the distances made of them.

use std::f64::consts::FRAC_1_SQRT_2;

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use crate::linalg::svd;

/// The principal angles between two subspaces.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Angles {
    /// In radians, ascending, from 0 to π/2; as many as the smaller subspace has dimensions.
    pub radians: Vec<f64>,
}

impl Angles {
    /// The Grassmann (geodesic) distance `√Σ θ²`. Between subspaces of different dimension it is the distance to the
    /// nearest subspace that contains, or lies in, the other (Ye & Lim 2016).
    pub fn grassmann(&self) -> f64 {
        self.radians.iter().map(|angle| angle * angle).sum::<f64>().sqrt()
    }

    /// The chordal distance `√Σ sin² θ`.
    pub fn chordal(&self) -> f64 {
        self.radians.iter().map(|angle| angle.sin().powi(2)).sum::<f64>().sqrt()
    }

    /// The largest angle; none between subspaces of which one is empty.
    pub fn largest(&self) -> Option<f64> {
        self.radians.last().copied()
    }

    /// The mean of the squared cosines: 1 where the smaller subspace lies in the other, and the larger dimension over the width
    /// for random ones. None between subspaces of which one is empty.
    pub fn overlap(&self) -> Option<f64> {
        let sum: f64 = self.radians.iter().map(|angle| angle.cos().powi(2)).sum();
        (!self.radians.is_empty()).then(|| sum / self.radians.len() as f64)
    }
}

/// The principal angles between the column spaces of two orthonormal bases of the same height.
///
/// Angles up to π/4 come from sines, larger ones from cosines, since the cosine of a small angle has lost its digits
/// (Björck & Golub 1973; Knyazev & Argentati 2002).
pub fn principal_angles(one: MatRef<'_, f64>, other: MatRef<'_, f64>) -> Angles {
    let (large, small) = if one.ncols() >= other.ncols() { (one, other) } else { (other, one) };
    if small.ncols() == 0 {
        return Angles::default();
    }
    let inside = large.transpose() * small;
    let cosines = svd(inside.as_ref()).values;
    let mut sines = svd((small - large * &inside).as_ref()).values;
    sines.reverse();
    let angle = |(cosine, sine): (f64, f64)| {
        if cosine >= FRAC_1_SQRT_2 { sine.min(1.0).asin() } else { cosine.min(1.0).acos() }
    };
    Angles { radians: cosines.into_iter().zip(sines).map(angle).collect() }
}

/// An orthonormal basis of the column space of any matrix of finite numbers. Singular values below
/// `max(rows, columns) · ε` of the largest are rounding.
pub fn orthonormal(columns: MatRef<'_, f64>) -> Mat<f64> {
    let decomposed = svd(columns);
    let largest = decomposed.values.first().copied().unwrap_or(0.0);
    let threshold = largest * columns.nrows().max(columns.ncols()) as f64 * f64::EPSILON;
    let rank = decomposed.values.iter().take_while(|value| **value > threshold).count();
    decomposed.u.subcols(0, rank).to_owned()
}
