//! Negative log-likelihood and log-sums of logits.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Int, Tensor};

use super::super::simd;
use super::matrix::{Matrix, by_rows, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

pub fn negative_log_likelihood(
    logits: Tensor<Flex, 2>,
    targets: Tensor<Flex, 1, Int>,
    temperature: f64,
    candidates: &[Arc<[u32]>],
) -> Tensor<Flex, 2> {
    let softmax = TargetSoftmax { targets: target_list(targets), temperature: temperature as f32, candidates };
    wrap(softmax.loss(&take(logits)))
}

pub fn log_sum_exp(logits: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    let logits = take(logits);
    let mut out = vec![0.0; logits.rows];
    by_rows(&mut out, 1, |first, rows| {
        let mut row = vec![0.0; logits.columns];
        for (i, out) in rows.iter_mut().enumerate() {
            row.copy_from_slice(logits.row(first + i));
            let (top, sum) = exponentials(&mut row);
            *out = sum.ln() + top;
        }
    });
    wrap(matrix(out, logits.rows, 1))
}

simd::vectorised! {
    /// Replaces logits by `e^(logit - top)`; the top of them, and the sum.
    fn exponentials(logits: &mut [f32]) -> (f32, f32) {
        let top = simd::max(logits);
        (top, simd::exp_shifted(logits, top))
    }

    fn divide(out: &mut Vec<f32>, logits: &[f32], temperature: f32) {
        out.extend(logits.iter().map(|x| x / temperature));
    }

    fn scale(values: &mut [f32], factor: f32) {
        for value in values {
            *value *= factor;
        }
    }
}

fn target_list(targets: Tensor<Flex, 1, Int>) -> Vec<usize> {
    targets.into_primitive().to_contiguous().storage::<i32>().iter().map(|&t| t as usize).collect()
}

/// A softmax a row, over the row's candidates or over everything, and the target in it.
struct TargetSoftmax<'a> {
    targets: Vec<usize>,
    temperature: f32,
    /// None where it is over everything.
    candidates: &'a [Arc<[u32]>],
}

impl TargetSoftmax<'_> {
    /// The logits that compete in a row, divided by the temperature, into `scaled`.
    fn competing(&self, row: usize, logits: &[f32], scaled: &mut Vec<f32>) {
        scaled.clear();
        match self.candidates.get(row) {
            None => divide(scaled, logits, self.temperature),
            Some(tokens) => scaled.extend(tokens.iter().map(|&token| logits[token as usize] / self.temperature)),
        }
    }

    fn loss(&self, logits: &Matrix) -> FlexTensor {
        let mut out = vec![0.0; logits.rows];
        by_rows(&mut out, 1, |first, rows| {
            let mut scaled = Vec::with_capacity(logits.columns);
            for (i, out) in rows.iter_mut().enumerate() {
                let row = logits.row(first + i);
                self.competing(first + i, row, &mut scaled);
                let (top, sum) = exponentials(&mut scaled);
                let target = row[self.targets[first + i]] / self.temperature;
                *out = sum.ln() + top - target;
            }
        });
        matrix(out, logits.rows, 1)
    }

    /// `(softmax(logits / temperature) - one-hot(target)) g / temperature`.
    fn gradient(&self, logits: &Matrix, grad: &Matrix) -> FlexTensor {
        let mut out = vec![0.0; logits.values().len()];
        by_rows(&mut out, logits.columns, |first, rows| {
            let mut scaled = Vec::with_capacity(logits.columns);
            for (i, out) in rows.chunks_exact_mut(logits.columns).enumerate() {
                let row = first + i;
                self.competing(row, logits.row(row), &mut scaled);
                let (_, sum) = exponentials(&mut scaled);
                let factor = grad.values()[row] / self.temperature;
                scale(&mut scaled, factor / sum);
                match self.candidates.get(row) {
                    None => out.copy_from_slice(&scaled),
                    Some(tokens) => tokens.iter().zip(&scaled).for_each(|(&token, value)| out[token as usize] = *value),
                }
                out[self.targets[row]] -= factor;
            }
        });
        matrix(out, logits.rows, logits.columns)
    }
}

#[derive(Debug, Clone)]
struct Likelihood {
    logits: Matrix,
    targets: Vec<usize>,
    temperature: f32,
    candidates: Vec<Arc<[u32]>>,
}

impl Gradient<1> for Likelihood {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let Self { logits, targets, temperature, candidates } = self;
        [Some(TargetSoftmax { targets, temperature, candidates: &candidates }.gradient(&logits, grad))]
    }
}

/// [`negative_log_likelihood`], recorded for automatic differentiation.
pub fn negative_log_likelihood_tracked(
    logits: Tensor<Tracked, 2>,
    targets: Tensor<Tracked, 1, Int>,
    temperature: f64,
    candidates: &[Arc<[u32]>],
) -> Tensor<Tracked, 2> {
    let (node, logits) = input(logits);
    let targets = target_list(Tensor::from_primitive(targets.into_primitive()));
    let softmax = TargetSoftmax { targets, temperature: temperature as f32, candidates };
    let output = softmax.loss(&logits);
    let TargetSoftmax { targets, temperature, .. } = softmax;
    record([&node], output, Likelihood { logits, targets, temperature, candidates: candidates.to_vec() })
}
