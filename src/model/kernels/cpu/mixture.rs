//! Mixtures of experts: the tokens of each expert are gathered, so that it takes one product a projection.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::super::mixture::{by_expert, likeliest};
use super::super::{Mixture, Routing};
use super::matrix::{Matrix, View, matrix, multiply, product, take, wrap};
use super::record::{Gradient, Tracked, input, node, record};
use super::swiglu::{swiglu_backward, swiglu_forward};

pub fn mixture(x: Tensor<Flex, 2>, mixture: &Mixture<Flex>) -> Tensor<Flex, 2> {
    let weights = Weights::of(mixture, |tensor| tensor.into_primitive().tensor());
    wrap(forward(&take(x), &weights).0)
}

/// The weights as they are stored: those of half precision are widened expert by expert.
#[derive(Debug, Clone)]
struct Weights {
    router: FlexTensor,
    /// Gate, up and down of each expert.
    experts: Vec<[FlexTensor; 3]>,
    routing: Routing,
}

impl Weights {
    fn of<B: Backend>(mixture: &Mixture<B>, primitive: impl Fn(Tensor<B, 2>) -> FlexTensor) -> Self {
        let Mixture { router, experts, routing } = mixture;
        let experts = experts.iter().map(|expert| [&expert.gate, &expert.up, &expert.down]);
        Self {
            router: primitive(router.clone()),
            experts: experts.map(|parts| parts.map(|part| primitive(part.clone()))).collect(),
            routing: *routing,
        }
    }
}

/// What the gradient needs of the forward pass.
#[derive(Debug, Clone)]
struct Kept {
    /// Of all experts, `[tokens, experts]`.
    probabilities: Vec<f32>,
    /// What divides the probabilities of a token's experts.
    sums: Vec<f32>,
    experts: Vec<OfExpert>,
}

/// An expert's tokens, and what its gate and up projection gave of them.
#[derive(Debug, Clone)]
struct OfExpert {
    tokens: Vec<usize>,
    gate: Matrix,
    up: Matrix,
}

fn forward(x: &Matrix, weights: &Weights) -> (FlexTensor, Kept) {
    let (tokens, width, count) = (x.rows, x.columns, weights.experts.len());
    let mut probabilities = product(x.view(), Matrix::of(&weights.router).view().t(), 1.0);
    probabilities.chunks_exact_mut(count).for_each(softmax);
    let rows = probabilities.chunks_exact(count);
    let chosen: Vec<Vec<usize>> = rows.clone().map(|row| likeliest(row, weights.routing.chosen)).collect();
    let sum = |(row, chosen): (&[f32], &Vec<usize>)| match weights.routing.normalised {
        false => 1.0,
        true => chosen.iter().map(|&expert| row[expert]).sum(),
    };
    let sums: Vec<f32> = rows.zip(&chosen).map(sum).collect();
    let mut out = vec![0.0; tokens * width];
    let mut experts = Vec::with_capacity(count);
    for (number, (own, [gate, up, down])) in by_expert(&chosen, count).into_iter().zip(&weights.experts).enumerate() {
        let kept = OfExpert::of(x, own, gate, up);
        if !kept.tokens.is_empty() {
            let inner = Matrix::of(&swiglu_forward(&kept.gate, &kept.up));
            let given = product(inner.view(), Matrix::of(down).view().t(), 1.0);
            for (&token, given) in kept.tokens.iter().zip(given.chunks_exact(width)) {
                add(&mut out[token * width..][..width], given, probabilities[token * count + number] / sums[token]);
            }
        }
        experts.push(kept);
    }
    (matrix(out, tokens, width), Kept { probabilities, sums, experts })
}

impl OfExpert {
    fn of(x: &Matrix, tokens: Vec<usize>, gate: &FlexTensor, up: &FlexTensor) -> Self {
        if tokens.is_empty() {
            let none = || Matrix::of(&matrix(Vec::new(), 0, 0));
            return Self { tokens, gate: none(), up: none() };
        }
        let rows = gathered(x, &tokens);
        let project = |weight: &FlexTensor| {
            let weight = Matrix::of(weight);
            let rows = View::new(&rows, tokens.len(), x.columns);
            Matrix::of(&matrix(product(rows, weight.view().t(), 1.0), tokens.len(), weight.rows))
        };
        let (gate, up) = (project(gate), project(up));
        Self { tokens, gate, up }
    }
}

fn gathered(x: &Matrix, tokens: &[usize]) -> Vec<f32> {
    tokens.iter().flat_map(|&token| x.row(token)).copied().collect()
}

fn add(out: &mut [f32], values: &[f32], factor: f32) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out += factor * value);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(row: &mut [f32]) {
    let top = row.iter().fold(f32::NEG_INFINITY, |top, value| top.max(*value));
    row.iter_mut().for_each(|value| *value = (*value - top).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}

#[derive(Debug, Clone)]
struct Recorded {
    weights: Weights,
    kept: Arc<Kept>,
}

impl Gradient<1> for Recorded {
    /// With the weight `w` of an expert, `h` what its halves give and `b = g down`: `dh = w b` goes on through gate and up, and
    /// `dw = b · h` through the router: divided by the sum of the token's probabilities, less its mean `Σ w dw`, where that
    /// divides the weights, and through the softmax.
    fn gradients(self, grad: &Matrix, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let (width, count) = (grad.columns, self.weights.experts.len());
        let Kept { probabilities, sums, experts } = &*self.kept;
        let mut dx = vec![0.0; grad.rows * width];
        // By the weights of chosen experts; 0 elsewhere.
        let mut towards = vec![0.0; probabilities.len()];
        let mut weights = vec![0.0; probabilities.len()];
        for (number, (own, [gate, up, down])) in experts.iter().zip(&self.weights.experts).enumerate() {
            if own.tokens.is_empty() {
                continue;
            }
            let rows = gathered(grad, &own.tokens);
            let down = Matrix::of(down);
            let mut back = product(View::new(&rows, own.tokens.len(), width), down.view(), 1.0);
            let inner = Matrix::of(&swiglu_forward(&own.gate, &own.up));
            for (row, (&token, back)) in own.tokens.iter().zip(back.chunks_exact_mut(down.columns)).enumerate() {
                let place = token * count + number;
                weights[place] = probabilities[place] / sums[token];
                towards[place] = dot(back, inner.row(row));
                back.iter_mut().for_each(|value| *value *= weights[place]);
            }
            let back = Matrix::of(&matrix(back, own.tokens.len(), down.columns));
            let [dgate, dup] = swiglu_backward(&own.gate, &own.up, &back).map(|slope| Matrix::of(&slope));
            let mut own_dx = product(dgate.view(), Matrix::of(gate).view(), 1.0);
            multiply(&mut own_dx, dup.view(), Matrix::of(up).view(), 1.0, true);
            for (&token, own_dx) in own.tokens.iter().zip(own_dx.chunks_exact(width)) {
                add(&mut dx[token * width..][..width], own_dx, 1.0);
            }
        }
        for (token, towards) in towards.chunks_exact_mut(count).enumerate() {
            let row = token * count..(token + 1) * count;
            if self.weights.routing.normalised {
                let mean = dot(towards, &weights[row.clone()]);
                let chosen = towards.iter_mut().zip(&weights[row.clone()]).filter(|(_, weight)| **weight > 0.0);
                chosen.for_each(|(slope, _)| *slope = (*slope - mean) / sums[token]);
            }
            let mean = dot(towards, &probabilities[row.clone()]);
            towards.iter_mut().zip(&probabilities[row]).for_each(|(slope, p)| *slope = p * (*slope - mean));
        }
        let towards = View::new(&towards, grad.rows, count);
        multiply(&mut dx, towards, Matrix::of(&self.weights.router).view(), 1.0, true);
        [Some(matrix(dx, grad.rows, width))]
    }
}

/// [`mixture`], recorded for automatic differentiation; experts and router are not trained.
pub fn mixture_tracked(x: Tensor<Tracked, 2>, mixture: &Mixture<Tracked>) -> Tensor<Tracked, 2> {
    let (x_node, x) = input(x);
    let weights = Weights::of(mixture, |tensor| node(tensor).primitive);
    let (output, kept) = forward(&x, &weights);
    record([&x_node], output, Recorded { weights, kept: Arc::new(kept) })
}
