//! A basis of three dimensions in which directions of several stages and methods can be drawn together.

use faer::{Mat, MatRef};

use crate::linalg::svd;

/// Three orthonormal axes, by how much of the directions' energy they show.
#[derive(Debug, Clone)]
pub struct Basis {
    /// `[width, 3]`; columns of zeros where the directions have fewer dimensions.
    pub axes: Mat<f64>,
    /// Share of the energy (sum of squared lengths) along each axis; what is missing to 1 cannot be seen.
    pub explained: [f64; 3],
}

/// The basis that shows most of the energy of all directions (columns, as long as they weigh): the leading left singular
/// vectors of the matrix of them.
///
/// Each axis points to where the entry of its largest size is positive, so that the same directions are always drawn the
/// same way.
pub fn shared_basis(directions: MatRef<'_, f64>) -> Basis {
    let mut axes = Mat::zeros(directions.nrows(), 3);
    let mut explained = [0.0; 3];
    if directions.ncols() == 0 || directions.nrows() == 0 {
        return Basis { axes, explained };
    }
    // The small triangle has the singular values, and the rotation that goes with them.
    let decomposed = directions.qr();
    let small = svd(decomposed.thin_R());
    let vectors = decomposed.compute_thin_Q() * small.u;
    let energy: f64 = small.values.iter().map(|value| value * value).sum();
    let shown = small.values.iter().take(3).take_while(|value| **value > 0.0).count();
    for (axis, share) in explained.iter_mut().enumerate().take(shown) {
        let column = vectors.col(axis);
        let sign = pointing(column.iter().copied());
        axes.col_mut(axis).iter_mut().zip(column.iter()).for_each(|(to, value)| *to = sign * value);
        *share = small.values[axis].powi(2) / energy;
    }
    Basis { axes, explained }
}

impl Basis {
    /// Where vectors (columns) of the full width end in the three dimensions.
    pub fn coordinates(&self, vectors: MatRef<'_, f64>) -> Vec<[f64; 3]> {
        let product = self.axes.transpose() * vectors;
        (0..product.ncols()).map(|column| [0, 1, 2].map(|axis| product[(axis, column)])).collect()
    }
}

/// 1 or -1: the sign of the entry of the largest size (the first of equal ones).
pub fn pointing(entries: impl Iterator<Item = f64>) -> f64 {
    let largest = entries.fold(0.0f64, |largest, entry| if entry.abs() > largest.abs() { entry } else { largest });
    if largest < 0.0 { -1.0 } else { 1.0 }
}
