//! Matrices on the host, their products, and loops over their rows.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape, Tensor, TensorPrimitive};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

/// Rows of a tensor that one task works on.
pub(super) const ROWS_A_TASK: usize = 32;

/// A contiguous `[rows, columns]` float32 matrix, shared.
#[derive(Debug, Clone)]
pub(super) struct Matrix {
    pub(super) tensor: FlexTensor,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Matrix {
    /// A tensor's values: shared where they are float32, a copy where they are of half precision.
    pub(super) fn of(tensor: &FlexTensor) -> Self {
        let tensor = tensor.to_contiguous();
        let shape = tensor.layout().shape();
        let (rows, columns) = (shape[0], shape[1]);
        let tensor = match tensor.dtype() {
            DType::BF16 => matrix(widened(&tensor.storage::<bf16>()[..rows * columns]), rows, columns),
            DType::F16 => matrix(widened(&tensor.storage::<f16>()[..rows * columns]), rows, columns),
            _ => tensor,
        };
        Self { tensor, rows, columns }
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.tensor.storage::<f32>()[..self.rows * self.columns]
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values()[row * self.columns..(row + 1) * self.columns]
    }

    pub(super) fn view(&self) -> View<'_> {
        View { values: self.values(), rows: self.rows, columns: self.columns, transposed: false }
    }
}

/// Numbers of half precision as float32.
fn widened<T: Sync>(values: &[T]) -> Vec<f32>
where
    [T]: HalfFloatSliceExt,
{
    const PIECE: usize = 1 << 14;
    let mut wide = vec![0.0; values.len()];
    wide.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE)).for_each(|(to, from)| from.convert_to_f32_slice(to));
    wide
}

pub(super) fn matrix(values: Vec<f32>, rows: usize, columns: usize) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new([rows, columns])), DType::F32)
}

pub(super) fn take(tensor: Tensor<Flex, 2>) -> Matrix {
    Matrix::of(&tensor.into_primitive().tensor())
}

pub(super) fn wrap(tensor: FlexTensor) -> Tensor<Flex, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(tensor))
}

/// A matrix to multiply, possibly transposed.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) values: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) transposed: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix has rows x columns values");
        Self { values, rows, columns, transposed: false }
    }

    /// The transposed matrix.
    pub(super) fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Steps between columns and between rows.
    pub(super) fn strides(&self) -> (isize, isize) {
        if self.transposed { (self.rows as isize, 1) } else { (1, self.columns as isize) }
    }
}

/// `out = factor · a b`, or `out += factor · a b` where `add`.
pub(super) fn multiply(out: &mut [f32], a: View<'_>, b: View<'_>, factor: f32, add: bool) {
    multiply_on(gemm::Parallelism::Rayon(rayon::current_num_threads()), out, a, b, factor, add);
}

/// [`multiply`] on this thread alone, for one of many small products.
pub(super) fn multiply_here(out: &mut [f32], a: View<'_>, b: View<'_>, factor: f32, add: bool) {
    multiply_on(gemm::Parallelism::None, out, a, b, factor, add);
}

#[allow(unsafe_code, reason = "gemm takes pointers; see SAFETY")]
fn multiply_on(parallelism: gemm::Parallelism, out: &mut [f32], a: View<'_>, b: View<'_>, factor: f32, add: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes of a product agree");
    assert_eq!(out.len(), a.rows * b.columns, "a product has the outer sizes");
    let (a_column, a_row) = a.strides();
    let (b_column, b_row) = b.strides();
    // SAFETY: `out`, `a` and `b` are as long as their sizes say (checked above and in `View::new`), their strides
    // stay inside, and `out` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.values.as_ptr(),
            a_column,
            a_row,
            b.values.as_ptr(),
            b_column,
            b_row,
            1.0,
            factor,
            false,
            false,
            false,
            parallelism,
        );
    }
}

pub(super) fn product(a: View<'_>, b: View<'_>, factor: f32) -> Vec<f32> {
    let mut out = vec![0.0; a.rows * b.columns];
    multiply(&mut out, a, b, factor, false);
    out
}

/// Calls `work(first row, rows of out)` on pieces of `out`, in parallel.
pub(super) fn by_rows(out: &mut [f32], columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    out.par_chunks_mut(ROWS_A_TASK * columns).enumerate().for_each(|(piece, rows)| work(piece * ROWS_A_TASK, rows));
}
