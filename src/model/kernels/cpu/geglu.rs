//! The gate of Gemma's feed-forward part: GELU by a hyperbolic tangent.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::simd;
use super::matrix::{Matrix, ROWS_A_TASK, by_rows, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

pub fn geglu(gate: Tensor<Flex, 2>, up: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    wrap(geglu_forward(&take(gate), &take(up)))
}

/// `√(2/π)`, and the factor on the cube.
const ROOT: f32 = 0.797_884_6;
const CUBE: f32 = 0.044_715;

fn geglu_forward(gate: &Matrix, up: &Matrix) -> FlexTensor {
    let mut out = vec![0.0; gate.values().len()];
    by_rows(&mut out, gate.columns, |first, rows| {
        let from = first * gate.columns;
        activate(rows, &gate.values()[from..], &up.values()[from..]);
    });
    matrix(out, gate.rows, gate.columns)
}

/// With `t = tanh(√(2/π) (x + 0.044715 x³))`: `dgate = g up ((1 + t) / 2 + x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²) / 2)` and
/// `dup = g x (1 + t) / 2`.
fn geglu_backward(gate: &Matrix, up: &Matrix, grad: &Matrix) -> [FlexTensor; 2] {
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
        for ((out, x), up) in out.iter_mut().zip(gate).zip(up) {
            let t = simd::tanh(ROOT * (x + CUBE * x * x * x));
            *out = 0.5 * x * (1.0 + t) * up;
        }
    }

    fn activate_back(dgate: &mut [f32], dup: &mut [f32], gate: &[f32], up: &[f32], grad: &[f32]) {
        for ((dgate, dup), ((x, up), g)) in dgate.iter_mut().zip(dup).zip(gate.iter().zip(up).zip(grad)) {
            let t = simd::tanh(ROOT * (x + CUBE * x * x * x));
            let half = 0.5 * (1.0 + t);
            *dgate = g * up * (half + 0.5 * x * (1.0 - t * t) * ROOT * (1.0 + 3.0 * CUBE * x * x));
            *dup = g * x * half;
        }
    }
}

#[derive(Debug, Clone)]
struct GeGlu {
    gate: Matrix,
    up: Matrix,
}

impl Gradient<2> for GeGlu {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        geglu_backward(&self.gate, &self.up, grad).map(Some)
    }
}

/// [`geglu`], recorded for automatic differentiation.
pub fn geglu_tracked(gate: Tensor<Tracked, 2>, up: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
    let ((gate_node, gate), (up_node, up)) = (input(gate), input(up));
    let output = geglu_forward(&gate, &up);
    record([&gate_node, &up_node], output, GeGlu { gate, up })
}
