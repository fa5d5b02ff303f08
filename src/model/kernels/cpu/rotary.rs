//! Rotary embedding.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::super::simd;
use super::matrix::{Matrix, by_rows, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

pub fn rotate(x: Tensor<Flex, 2>, cos: Tensor<Flex, 2>, sin: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    wrap(rotate_forward(&take(x), &take(cos), &take(sin), 1.0))
}

/// The gradient is the rotation back: `direction` -1.
fn rotate_forward(x: &Matrix, cos: &Matrix, sin: &Matrix, direction: f32) -> FlexTensor {
    let mut out = vec![0.0; x.values().len()];
    by_rows(&mut out, x.columns, |first, rows| {
        for (i, out) in rows.chunks_exact_mut(x.columns).enumerate() {
            rotate_row(out, x.row(first + i), cos.row(first + i), sin.row(first + i), direction);
        }
    });
    matrix(out, x.rows, x.columns)
}

simd::vectorised! {
    /// Every head of one token.
    fn rotate_row(out: &mut [f32], x: &[f32], cos: &[f32], sin: &[f32], direction: f32) {
        let half = cos.len();
        for (out, x) in out.chunks_exact_mut(2 * half).zip(x.chunks_exact(2 * half)) {
            let (out1, out2) = out.split_at_mut(half);
            let (x1, x2) = x.split_at(half);
            let pairs = out1.iter_mut().zip(out2).zip(x1.iter().zip(x2)).zip(cos.iter().zip(sin));
            for (((out1, out2), (x1, x2)), (cos, sin)) in pairs {
                let sin = sin * direction;
                *out1 = x1 * cos - x2 * sin;
                *out2 = x2 * cos + x1 * sin;
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Rotate {
    cos: Matrix,
    sin: Matrix,
}

impl Gradient<1> for Rotate {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(rotate_forward(grad, &self.cos, &self.sin, -1.0))]
    }
}

/// [`rotate`], recorded for automatic differentiation.
pub fn rotate_tracked(x: Tensor<Tracked, 2>, cos: Tensor<Tracked, 2>, sin: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
    let (node, x) = input(x);
    let ((_, cos), (_, sin)) = (input(cos), input(sin));
    let output = rotate_forward(&x, &cos, &sin, 1.0);
    record([&node], output, Rotate { cos, sin })
}
