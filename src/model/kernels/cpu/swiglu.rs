//! SwiGLU.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::simd;
use super::matrix::{Matrix, ROWS_A_TASK, by_rows, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

pub fn swiglu(gate: Tensor<Flex, 2>, up: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    wrap(swiglu_forward(&take(gate), &take(up)))
}

pub(super) fn swiglu_forward(gate: &Matrix, up: &Matrix) -> FlexTensor {
    let mut out = vec![0.0; gate.values().len()];
    by_rows(&mut out, gate.columns, |first, rows| {
        let from = first * gate.columns;
        activate(rows, &gate.values()[from..], &up.values()[from..]);
    });
    matrix(out, gate.rows, gate.columns)
}

/// With `σ = sigmoid(gate)`: `dgate = g up σ (1 + gate (1 - σ))`, `dup = g gate σ`.
pub(super) fn swiglu_backward(gate: &Matrix, up: &Matrix, grad: &Matrix) -> [FlexTensor; 2] {
    let (mut dgate, mut dup) = (vec![0.0; gate.values().len()], vec![0.0; gate.values().len()]);
    let piece = ROWS_A_TASK * gate.columns;
    dgate.par_chunks_mut(piece).zip(dup.par_chunks_mut(piece)).enumerate().for_each(|(i, (dgate, dup))| {
        let from = i * piece;
        activate_back(dgate, dup, &gate.values()[from..], &up.values()[from..], &grad.values()[from..]);
    });
    [matrix(dgate, gate.rows, gate.columns), matrix(dup, gate.rows, gate.columns)]
}

simd::vectorised! {
    fn activate(out: &mut [f32], gate: &[f32], up: &[f32]) {
        for ((out, g), u) in out.iter_mut().zip(gate).zip(up) {
            *out = g / (1.0 + simd::exp(-g)) * u;
        }
    }

    fn activate_back(dgate: &mut [f32], dup: &mut [f32], gate: &[f32], up: &[f32], grad: &[f32]) {
        for ((dgate, dup), ((x, up), g)) in dgate.iter_mut().zip(dup).zip(gate.iter().zip(up).zip(grad)) {
            let sigmoid = 1.0 / (1.0 + simd::exp(-x));
            *dgate = g * up * sigmoid * (1.0 + x * (1.0 - sigmoid));
            *dup = g * x * sigmoid;
        }
    }
}

#[derive(Debug, Clone)]
struct SwiGlu {
    gate: Matrix,
    up: Matrix,
}

impl Gradient<2> for SwiGlu {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        swiglu_backward(&self.gate, &self.up, grad).map(Some)
    }
}

/// [`swiglu`], recorded for automatic differentiation.
pub fn swiglu_tracked(gate: Tensor<Tracked, 2>, up: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
    let ((gate_node, gate), (up_node, up)) = (input(gate), input(up));
    let output = swiglu_forward(&gate, &up);
    record([&gate_node, &up_node], output, SwiGlu { gate, up })
}
