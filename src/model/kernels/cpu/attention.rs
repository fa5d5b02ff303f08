//! Attention of packed queries over the keys that they see: one task a row and key-value head.

use std::ops::Range;
use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::{Heads, simd};
use super::matrix::{Matrix, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};
use crate::model::packing::{AttentionPlan, PackedRow, Span};

pub fn attention(
    query: Tensor<Flex, 2>,
    key: Tensor<Flex, 2>,
    value: Tensor<Flex, 2>,
    heads: Heads,
    plan: &AttentionPlan<Flex>,
) -> Tensor<Flex, 2> {
    wrap(attention_forward(&take(query), &take(key), &take(value), heads, &plan.rows, &plan.spans))
}

/// One row and one key-value head: the work of one task.
struct HeadTask<'a> {
    row: &'a PackedRow,
    spans: &'a [Span],
    heads: Heads,
    head: usize,
}

impl HeadTask<'_> {
    fn group(&self) -> usize {
        self.heads.query / self.heads.key_value
    }

    /// The row's keys (or values) of this head, gathered together: `[keys, width]`.
    fn gather(&self, from: &Matrix) -> Vec<f32> {
        let width = self.heads.width;
        let columns = self.head * width..(self.head + 1) * width;
        let mut out = Vec::with_capacity(self.row.key_count() * width);
        for key in self.row.all_keys() {
            out.extend_from_slice(&from.row(key)[columns.clone()]);
        }
        out
    }

    /// The gathered keys that a query sees.
    fn ranges(&self, query: usize) -> [Range<usize>; 3] {
        let Span(ranges) = &self.spans[query];
        std::array::from_fn(|i| self.row.local(&ranges[i]))
    }

    /// Softmax weights of one query over the keys of its ranges, one after the other, into `weights`.
    #[inline(always)]
    fn weights(&self, query: &[f32], keys: &[f32], ranges: &[Range<usize>; 3], weights: &mut Vec<f32>) {
        let width = self.heads.width;
        let scale = 1.0 / (width as f32).sqrt();
        weights.clear();
        for range in ranges {
            for key in keys[range.start * width..range.end * width].chunks_exact(width) {
                weights.push(simd::dot(query, key) * scale);
            }
        }
        let top = simd::max(weights);
        let sum = simd::exp_shifted(weights, top);
        let inverse = 1.0 / sum;
        for weight in weights.iter_mut() {
            *weight *= inverse;
        }
    }
}

fn tasks<'a>(rows: &'a [PackedRow], spans: &'a [Span], heads: Heads) -> Vec<HeadTask<'a>> {
    rows.iter().flat_map(|row| (0..heads.key_value).map(move |head| HeadTask { row, spans, heads, head })).collect()
}

fn attention_forward(
    query: &Matrix,
    key: &Matrix,
    value: &Matrix,
    heads: Heads,
    rows: &[PackedRow],
    spans: &[Span],
) -> FlexTensor {
    let width = heads.width;
    let tasks = tasks(rows, spans, heads);
    let pieces: Vec<Vec<f32>> = tasks.par_iter().map(|task| head_forward(task, query, key, value)).collect();
    let mut out = vec![0.0; query.values().len()];
    for (task, piece) in tasks.iter().zip(&pieces) {
        let columns = task.group() * width;
        scatter(&mut out, query.columns, task.head * columns, task.row.queries.clone(), piece, columns);
    }
    matrix(out, query.rows, query.columns)
}

/// Writes a task's `[rows, columns]` piece into the packed matrix at a column.
fn scatter(
    out: &mut [f32],
    out_columns: usize,
    at: usize,
    rows: impl Iterator<Item = usize>,
    piece: &[f32],
    columns: usize,
) {
    for (row, values) in rows.zip(piece.chunks_exact(columns)) {
        out[row * out_columns + at..][..columns].copy_from_slice(values);
    }
}

simd::vectorised! {
    fn head_forward(task: &HeadTask<'_>, query: &Matrix, key: &Matrix, value: &Matrix) -> Vec<f32> {
        let (width, group) = (task.heads.width, task.group());
        let (keys, values) = (task.gather(key), task.gather(value));
        let mut out = vec![0.0; task.row.queries.len() * group * width];
        let mut weights = Vec::new();
        for (i, q) in task.row.queries.clone().enumerate() {
            let ranges = task.ranges(q);
            for g in 0..group {
                let at = (task.head * group + g) * width;
                task.weights(&query.row(q)[at..at + width], &keys, &ranges, &mut weights);
                let out = &mut out[(i * group + g) * width..][..width];
                let mut weights = weights.iter();
                for range in &ranges {
                    let values = values[range.start * width..range.end * width].chunks_exact(width);
                    for (value, weight) in values.zip(weights.by_ref()) {
                        simd::add_scaled(out, *weight, value);
                    }
                }
            }
        }
        out
    }
}

/// Gradients of one task: its queries `[queries, group * width]`, its keys and values `[keys, width]`.
struct HeadGradients {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

simd::vectorised! {
    /// With weights `p`, `dp = dO Vᵀ`: `dS = p (dp - Σ p dp)`, `dQ = dS K s`, `dK = dSᵀ Q s`, `dV = pᵀ dO`.
    fn head_backward(task: &HeadTask<'_>, query: &Matrix, key: &Matrix, value: &Matrix, grad: &Matrix) -> HeadGradients {
        let (width, group) = (task.heads.width, task.group());
        let scale = 1.0 / (width as f32).sqrt();
        let (keys, values) = (task.gather(key), task.gather(value));
        let mut out = HeadGradients {
            query: vec![0.0; task.row.queries.len() * group * width],
            key: vec![0.0; keys.len()],
            value: vec![0.0; values.len()],
        };
        let (mut weights, mut slopes) = (Vec::new(), Vec::new());
        for (i, q) in task.row.queries.clone().enumerate() {
            let ranges = task.ranges(q);
            for g in 0..group {
                let at = (task.head * group + g) * width;
                let (query, grad) = (&query.row(q)[at..at + width], &grad.row(q)[at..at + width]);
                task.weights(query, &keys, &ranges, &mut weights);
                slopes.clear();
                for range in &ranges {
                    for value in values[range.start * width..range.end * width].chunks_exact(width) {
                        slopes.push(simd::dot(grad, value));
                    }
                }
                let mean = simd::dot(&weights, &slopes);
                let dq = &mut out.query[(i * group + g) * width..][..width];
                let mut weights = weights.iter().zip(&slopes);
                for range in &ranges {
                    for (key, (weight, slope)) in range.clone().zip(weights.by_ref()) {
                        let ds = weight * (slope - mean) * scale;
                        let at = key * width;
                        simd::add_scaled(dq, ds, &keys[at..at + width]);
                        simd::add_scaled(&mut out.key[at..at + width], ds, query);
                        simd::add_scaled(&mut out.value[at..at + width], *weight, grad);
                    }
                }
            }
        }
        out
    }
}

fn attention_backward(
    [query, key, value]: [&Matrix; 3],
    heads: Heads,
    rows: &[PackedRow],
    spans: &[Span],
    grad: &Matrix,
) -> [FlexTensor; 3] {
    let width = heads.width;
    let tasks = tasks(rows, spans, heads);
    let pieces: Vec<HeadGradients> =
        tasks.par_iter().map(|task| head_backward(task, query, key, value, grad)).collect();
    let mut dq = vec![0.0; query.values().len()];
    let (mut dk, mut dv) = (vec![0.0; key.values().len()], vec![0.0; value.values().len()]);
    for (task, piece) in tasks.iter().zip(&pieces) {
        let columns = task.group() * width;
        scatter(&mut dq, query.columns, task.head * columns, task.row.queries.clone(), &piece.query, columns);
        scatter(&mut dk, key.columns, task.head * width, task.row.all_keys(), &piece.key, width);
        scatter(&mut dv, value.columns, task.head * width, task.row.all_keys(), &piece.value, width);
    }
    [matrix(dq, query.rows, query.columns), matrix(dk, key.rows, key.columns), matrix(dv, value.rows, value.columns)]
}

#[derive(Debug, Clone)]
struct Attention {
    query: Matrix,
    key: Matrix,
    value: Matrix,
    heads: Heads,
    plan: Arc<(Vec<PackedRow>, Vec<Span>)>,
}

impl Gradient<3> for Attention {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let (rows, spans) = &*self.plan;
        attention_backward([&self.query, &self.key, &self.value], self.heads, rows, spans, grad).map(Some)
    }
}

/// [`attention`], recorded for automatic differentiation.
pub fn attention_tracked(
    query: Tensor<Tracked, 2>,
    key: Tensor<Tracked, 2>,
    value: Tensor<Tracked, 2>,
    heads: Heads,
    plan: &AttentionPlan<Tracked>,
) -> Tensor<Tracked, 2> {
    let ((q_node, query), (k_node, key), (v_node, value)) = (input(query), input(key), input(value));
    let output = attention_forward(&query, &key, &value, heads, &plan.rows, &plan.spans);
    let plan = Arc::new((plan.rows.clone(), plan.spans.clone()));
    record([&q_node, &k_node, &v_node], output, Attention { query, key, value, heads, plan })
}
