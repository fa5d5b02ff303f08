//! Dense linear algebra in float64, over faer.

use faer::{Mat, MatRef, Side};

/// A thin singular value decomposition `U diag(s) Vᵀ`, singular values descending.
#[derive(Debug, Clone)]
pub struct Svd {
    /// `[rows, min(rows, columns)]`
    pub u: Mat<f64>,
    pub values: Vec<f64>,
    /// `[columns, min(rows, columns)]`
    pub v: Mat<f64>,
}

/// The decomposition of a matrix of finite numbers.
///
/// # Panics
/// If the matrix has values that are no numbers.
pub fn svd(matrix: MatRef<'_, f64>) -> Svd {
    let svd = matrix.thin_svd().expect("the decomposition of finite numbers converges");
    let values = svd.S().column_vector().iter().copied().collect();
    Svd { u: svd.U().to_owned(), values, v: svd.V().to_owned() }
}

/// A matrix of float32 values, row-major.
pub fn from_rows(rows: usize, columns: usize, values: &[f32]) -> Mat<f64> {
    Mat::from_fn(rows, columns, |row, column| f64::from(values[row * columns + column]))
}

/// The values of a matrix in float32, row-major.
pub fn to_rows(matrix: MatRef<'_, f64>) -> Vec<f32> {
    let row = |row| (0..matrix.ncols()).map(move |column| matrix[(row, column)] as f32);
    (0..matrix.nrows()).flat_map(row).collect()
}

/// Eigenvalues of a symmetric matrix of finite numbers, descending, and the eigenvectors as columns in the same order.
///
/// # Panics
/// If the matrix has values that are no numbers.
pub fn symmetric_eigen(matrix: MatRef<'_, f64>) -> (Vec<f64>, Mat<f64>) {
    if matrix.nrows() == 0 {
        return (Vec::new(), Mat::new());
    }
    let eigen = matrix.self_adjoint_eigen(Side::Lower).expect("the decomposition of finite numbers converges");
    let ascending: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
    let last = ascending.len().saturating_sub(1);
    let vectors = Mat::from_fn(matrix.nrows(), ascending.len(), |row, column| eigen.U()[(row, last - column)]);
    (ascending.into_iter().rev().collect(), vectors)
}
