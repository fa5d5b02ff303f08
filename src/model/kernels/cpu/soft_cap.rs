//! Numbers that are held within a cap.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::simd;
use super::matrix::{Matrix, ROWS_A_TASK, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

pub fn soft_cap(x: Tensor<Flex, 2>, cap: f64) -> Tensor<Flex, 2> {
    wrap(soft_cap_forward(&take(x), cap))
}

fn soft_cap_forward(x: &Matrix, cap: f64) -> FlexTensor {
    let mut out = x.values().to_vec();
    out.par_chunks_mut(ROWS_A_TASK * x.columns).for_each(|piece| hold_within(piece, cap as f32));
    matrix(out, x.rows, x.columns)
}

simd::vectorised! {
    /// `cap tanh(x / cap)` in the place of each `x`.
    pub(super) fn hold_within(values: &mut [f32], cap: f32) {
        let inverse = 1.0 / cap;
        for value in values {
            *value = cap * simd::tanh(*value * inverse);
        }
    }

    /// The slopes of what was held within a cap, from those of what came of it: times `1 - (y / cap)²`.
    pub(super) fn slopes_within(slopes: &mut [f32], held: &[f32], cap: f32) {
        let inverse = 1.0 / cap;
        for (slope, held) in slopes.iter_mut().zip(held) {
            let tanh = held * inverse;
            *slope *= 1.0 - tanh * tanh;
        }
    }
}

#[derive(Debug, Clone)]
struct SoftCap {
    held: Matrix,
    cap: f64,
}

impl Gradient<1> for SoftCap {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let mut slopes = grad.values().to_vec();
        let piece = ROWS_A_TASK * grad.columns;
        let held = self.held.values().par_chunks(piece);
        slopes.par_chunks_mut(piece).zip(held).for_each(|(slopes, held)| slopes_within(slopes, held, self.cap as f32));
        [Some(matrix(slopes, grad.rows, grad.columns))]
    }
}

/// [`soft_cap`], recorded for automatic differentiation.
pub fn soft_cap_tracked(x: Tensor<Tracked, 2>, cap: f64) -> Tensor<Tracked, 2> {
    let (node, x) = input(x);
    let output = soft_cap_forward(&x, cap);
    record([&node], output.clone(), SoftCap { held: Matrix::of(&output), cap })
}
