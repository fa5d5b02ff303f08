//! Projections, plain and with LoRA.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::super::Dropout;
use super::dropout::{add_kept, dropped};
use super::matrix::{Matrix, View, matrix, multiply, product, take, wrap};
use super::record::{Gradient, Tracked, input, node, record};

pub fn linear(x: Tensor<Flex, 2>, weight: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    wrap(linear_forward(&take(x), &take(weight)))
}

fn linear_forward(x: &Matrix, weight: &Matrix) -> FlexTensor {
    matrix(product(x.view(), weight.view().t(), 1.0), x.rows, weight.rows)
}

fn linear_backward(x: &Matrix, weight: &Matrix, grad: &Matrix, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
    [
        wanted[0].then(|| matrix(product(grad.view(), weight.view(), 1.0), x.rows, x.columns)),
        wanted[1].then(|| matrix(product(grad.view().t(), x.view(), 1.0), weight.rows, weight.columns)),
    ]
}

#[derive(Debug, Clone)]
struct Linear {
    x: Matrix,
    /// As it is stored: one of half precision is widened again in the backward pass.
    weight: FlexTensor,
}

impl Gradient<2> for Linear {
    fn gradients(self, grad: &Matrix, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        linear_backward(&self.x, &Matrix::of(&self.weight), grad, wanted)
    }
}

/// [`linear`], recorded for automatic differentiation.
pub fn linear_tracked(x: Tensor<Tracked, 2>, weight: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
    let ((x_node, x), w_node) = (input(x), node(weight));
    let output = linear_forward(&x, &Matrix::of(&w_node.primitive));
    let weight = w_node.primitive.clone();
    record([&x_node, &w_node], output, Linear { x, weight })
}

pub fn lora_linear(
    x: Tensor<Flex, 2>,
    weight: Tensor<Flex, 2>,
    a: Tensor<Flex, 2>,
    b: Tensor<Flex, 2>,
    scale: f64,
    dropout: Option<Dropout>,
) -> Tensor<Flex, 2> {
    let (x, weight, a, b) = (take(x), take(weight), take(a), take(b));
    wrap(lora_forward(&x, &weight, &a, &b, scale as f32, dropout).0)
}

/// The output, and `dropout(x) Aᵀ` `[tokens, rank]` for the gradient.
fn lora_forward(
    x: &Matrix,
    weight: &Matrix,
    a: &Matrix,
    b: &Matrix,
    scale: f32,
    dropout: Option<Dropout>,
) -> (FlexTensor, Vec<f32>) {
    let mut out = product(x.view(), weight.view().t(), 1.0);
    let down = match dropout {
        None => product(x.view(), a.view().t(), 1.0),
        Some(dropout) => {
            let masked = dropped(x.values(), dropout);
            product(View::new(&masked, x.rows, x.columns), a.view().t(), 1.0)
        }
    };
    multiply(&mut out, View::new(&down, x.rows, a.rows), b.view().t(), scale, true);
    (matrix(out, x.rows, weight.rows), down)
}

#[derive(Debug, Clone)]
struct LoraLinear {
    x: Matrix,
    /// See [`Linear`].
    weight: FlexTensor,
    a: Matrix,
    b: Matrix,
    /// `dropout(x) Aᵀ`
    down: Arc<Vec<f32>>,
    scale: f32,
    dropout: Option<Dropout>,
}

impl Gradient<4> for LoraLinear {
    /// With `h = s g B`: `dx = g W + mask(h A)`, `dA = hᵀ dropout(x)`, `dB = s gᵀ down`.
    fn gradients(self, grad: &Matrix, wanted: [bool; 4]) -> [Option<FlexTensor>; 4] {
        let (x, a, b) = (&self.x, &self.a, &self.b);
        let (rank, columns) = (a.rows, x.columns);
        let up = product(grad.view(), b.view(), self.scale);
        let up = View::new(&up, x.rows, rank);
        let dx = wanted[0].then(|| {
            let mut dx = product(grad.view(), Matrix::of(&self.weight).view(), 1.0);
            match self.dropout {
                None => multiply(&mut dx, up, a.view(), 1.0, true),
                Some(dropout) => add_kept(&mut dx, &product(up, a.view(), 1.0), dropout),
            }
            matrix(dx, x.rows, columns)
        });
        let da = wanted[2].then(|| {
            let da = match self.dropout {
                None => product(up.t(), x.view(), 1.0),
                Some(dropout) => {
                    let masked = dropped(x.values(), dropout);
                    product(up.t(), View::new(&masked, x.rows, columns), 1.0)
                }
            };
            matrix(da, rank, columns)
        });
        let dw = wanted[1].then(|| matrix(product(grad.view().t(), x.view(), 1.0), grad.columns, columns));
        let db = wanted[3].then(|| {
            let down = View::new(&self.down, x.rows, rank);
            matrix(product(grad.view().t(), down, self.scale), b.rows, rank)
        });
        [dx, dw, da, db]
    }
}

/// [`lora_linear`], recorded for automatic differentiation.
pub fn lora_linear_tracked(
    x: Tensor<Tracked, 2>,
    weight: Tensor<Tracked, 2>,
    a: Tensor<Tracked, 2>,
    b: Tensor<Tracked, 2>,
    scale: f64,
    dropout: Option<Dropout>,
) -> Tensor<Tracked, 2> {
    let ((x_node, x), w_node) = (input(x), node(weight));
    let ((a_node, a), (b_node, b)) = (input(a), input(b));
    let scale = scale as f32;
    let (output, down) = lora_forward(&x, &Matrix::of(&w_node.primitive), &a, &b, scale, dropout);
    let weight = w_node.primitive.clone();
    let state = LoraLinear { x, weight, a, b, down: Arc::new(down), scale, dropout };
    record([&x_node, &w_node, &a_node, &b_node], output, state)
}
