//! An update as the product of two thin factors, and several updates of one weight in a common frame.

use faer::{Mat, MatRef};

/// The update `B A` of a weight `[out, in]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// `[out, rank]`; a factor such as alpha / rank is in it.
    pub b: Mat<f64>,
    /// `[rank, in]`
    pub a: Mat<f64>,
}

impl Factors {
    /// The difference `self - other`, of the summed rank.
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            b: beside(&[self.b.as_ref(), (-&other.b).as_ref()]),
            a: beside(&[self.a.transpose(), other.a.transpose()]).transpose().to_owned(),
        }
    }

    /// The Frobenius norm of the product.
    ///
    /// From the triangles of both factors' QR decompositions: squaring the factors would lose half the digits of a
    /// difference.
    pub fn norm(&self) -> f64 {
        self.core().norm_l2()
    }

    /// The inner product `⟨B A, B' A'⟩` of two updates of the same shape.
    pub fn dot(&self, other: &Self) -> f64 {
        let (left, right) = (self.b.transpose() * &other.b, &self.a * other.a.transpose());
        let cells = (0..left.nrows()).flat_map(|row| (0..left.ncols()).map(move |column| (row, column)));
        cells.map(|cell| left[cell] * right[cell]).sum()
    }

    /// A small matrix with the singular values of the product: `R_B R_Aᵀ`.
    fn core(&self) -> Mat<f64> {
        triangle(self.b.as_ref()) * triangle(self.a.transpose()).transpose()
    }
}

/// Several updates of one weight, turned by one rotation a side so that they are as small as their summed rank allows.
///
/// Singular values, norms, angles and cosines within and between the updates are what they were; singular vectors are
/// coordinates in a frame that all share.
pub fn in_common_frame(updates: &[Factors]) -> Vec<Factors> {
    let left: Vec<MatRef<'_, f64>> = updates.iter().map(|update| update.b.as_ref()).collect();
    let right: Vec<MatRef<'_, f64>> = updates.iter().map(|update| update.a.transpose()).collect();
    let (left, right) = (triangle(beside(&left).as_ref()), triangle(beside(&right).as_ref()));
    let mut first = 0;
    let reduced = updates.iter().map(|update| {
        let (from, rank) = (first, update.a.nrows());
        first += rank;
        let a = right.subcols(from, rank).transpose().to_owned();
        Factors { b: left.subcols(from, rank).to_owned(), a }
    });
    reduced.collect()
}

/// The triangle of a QR decomposition, `[min(rows, columns), columns]`.
fn triangle(matrix: MatRef<'_, f64>) -> Mat<f64> {
    matrix.qr().thin_R().to_owned()
}

/// Matrices of equal height side by side.
fn beside(matrices: &[MatRef<'_, f64>]) -> Mat<f64> {
    let rows = matrices.first().map_or(0, MatRef::nrows);
    let mut joined = Mat::zeros(rows, matrices.iter().map(MatRef::ncols).sum());
    let mut from = 0;
    for matrix in matrices {
        joined.as_mut().subcols_mut(from, matrix.ncols()).copy_from(matrix);
        from += matrix.ncols();
    }
    joined
}
