//! RMS norm.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::super::simd;
use super::matrix::{Matrix, by_rows, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

pub fn rms_norm(x: Tensor<Flex, 2>, weight: Tensor<Flex, 2>, epsilon: f64) -> Tensor<Flex, 2> {
    wrap(rms_norm_forward(&take(x), &take(weight), epsilon))
}

#[inline(always)]
fn inverse_rms(row: &[f32], epsilon: f64) -> f32 {
    (1.0 / (f64::from(simd::dot(row, row)) / row.len() as f64 + epsilon).sqrt()) as f32
}

fn rms_norm_forward(x: &Matrix, weight: &Matrix, epsilon: f64) -> FlexTensor {
    let mut out = vec![0.0; x.values().len()];
    let w = weight.values();
    by_rows(&mut out, x.columns, |first, rows| {
        for (i, out) in rows.chunks_exact_mut(x.columns).enumerate() {
            norm_row(out, x.row(first + i), w, epsilon);
        }
    });
    matrix(out, x.rows, x.columns)
}

/// With `s = 1/rms`: `dx = s (w g - x s² mean(w g x))`, `dw = Σ g x s`.
fn rms_norm_backward(
    x: &Matrix,
    weight: &Matrix,
    epsilon: f64,
    grad: &Matrix,
    wanted: [bool; 2],
) -> [Option<FlexTensor>; 2] {
    let w = weight.values();
    let dx = wanted[0].then(|| {
        let mut dx = vec![0.0; x.values().len()];
        by_rows(&mut dx, x.columns, |first, rows| {
            for (i, out) in rows.chunks_exact_mut(x.columns).enumerate() {
                norm_row_back(out, x.row(first + i), w, grad.row(first + i), epsilon);
            }
        });
        matrix(dx, x.rows, x.columns)
    });
    let dw = wanted[1].then(|| {
        let mut dw = vec![0.0; x.columns];
        for i in 0..x.rows {
            add_weight_gradient(&mut dw, x.row(i), grad.row(i), epsilon);
        }
        matrix(dw, 1, x.columns)
    });
    [dx, dw]
}

simd::vectorised! {
    fn norm_row(out: &mut [f32], row: &[f32], weight: &[f32], epsilon: f64) {
        let scale = inverse_rms(row, epsilon);
        for ((out, x), w) in out.iter_mut().zip(row).zip(weight) {
            *out = x * scale * w;
        }
    }

    fn norm_row_back(out: &mut [f32], row: &[f32], weight: &[f32], grad: &[f32], epsilon: f64) {
        let scale = inverse_rms(row, epsilon);
        for ((out, g), w) in out.iter_mut().zip(grad).zip(weight) {
            *out = g * w;
        }
        let mean = simd::dot(out, row) / row.len() as f32 * scale * scale;
        for (out, x) in out.iter_mut().zip(row) {
            *out = scale * (*out - x * mean);
        }
    }

    fn add_weight_gradient(dw: &mut [f32], row: &[f32], grad: &[f32], epsilon: f64) {
        let scale = inverse_rms(row, epsilon);
        for ((dw, x), g) in dw.iter_mut().zip(row).zip(grad) {
            *dw += g * x * scale;
        }
    }
}

#[derive(Debug, Clone)]
struct RmsNorm {
    x: Matrix,
    weight: Matrix,
    epsilon: f64,
}

impl Gradient<2> for RmsNorm {
    fn gradients(self, grad: &Matrix, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        rms_norm_backward(&self.x, &self.weight, self.epsilon, grad, wanted)
    }
}

/// [`rms_norm`], recorded for automatic differentiation.
pub fn rms_norm_tracked(x: Tensor<Tracked, 2>, weight: Tensor<Tracked, 2>, epsilon: f64) -> Tensor<Tracked, 2> {
    let ((x_node, x), (w_node, weight)) = (input(x), input(weight));
    let output = rms_norm_forward(&x, &weight, epsilon);
    record([&x_node, &w_node], output, RmsNorm { x, weight, epsilon })
}
