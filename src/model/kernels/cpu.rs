//! The operations fused for the CPU, with their gradients written out.
//!
//! Tensors are contiguous float32; products go to `gemm`, everything between them is one pass over the data. The
//! `tracked` module records the same operations for automatic differentiation.

use std::ops::Range;
use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Int, Shape, Tensor, TensorPrimitive};
use rayon::prelude::*;

use super::simd;
use super::{AdamWStep, Divergence, Dropout, Group, Heads, Moments};
use crate::model::packing::{AttentionPlan, PackedRow, Span};

/// Rows of a tensor that one task works on.
const ROWS_A_TASK: usize = 32;

/// A contiguous `[rows, columns]` float32 matrix, shared.
#[derive(Debug, Clone)]
struct Matrix {
    tensor: FlexTensor,
    rows: usize,
    columns: usize,
}

impl Matrix {
    fn of(tensor: &FlexTensor) -> Self {
        let tensor = tensor.to_contiguous();
        let shape = tensor.layout().shape();
        let (rows, columns) = (shape[0], shape[1]);
        Self { tensor, rows, columns }
    }

    fn values(&self) -> &[f32] {
        &self.tensor.storage::<f32>()[..self.rows * self.columns]
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values()[row * self.columns..(row + 1) * self.columns]
    }

    fn view(&self) -> View<'_> {
        View { values: self.values(), rows: self.rows, columns: self.columns, transposed: false }
    }
}

fn matrix(values: Vec<f32>, rows: usize, columns: usize) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new([rows, columns])), DType::F32)
}

fn take(tensor: Tensor<Flex, 2>) -> Matrix {
    Matrix::of(&tensor.into_primitive().tensor())
}

fn wrap(tensor: FlexTensor) -> Tensor<Flex, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(tensor))
}

/// A matrix to multiply, possibly transposed.
#[derive(Clone, Copy)]
struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> View<'a> {
    fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix has rows x columns values");
        Self { values, rows, columns, transposed: false }
    }

    /// The transposed matrix.
    fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Steps between columns and between rows.
    fn strides(&self) -> (isize, isize) {
        if self.transposed { (self.rows as isize, 1) } else { (1, self.columns as isize) }
    }
}

/// `out = factor · a b`, or `out += factor · a b` where `add`.
#[allow(unsafe_code, reason = "gemm takes pointers; see SAFETY")]
fn multiply(out: &mut [f32], a: View<'_>, b: View<'_>, factor: f32, add: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes of a product agree");
    assert_eq!(out.len(), a.rows * b.columns, "a product has the outer sizes");
    let (a_column, a_row) = a.strides();
    let (b_column, b_row) = b.strides();
    let parallelism = gemm::Parallelism::Rayon(rayon::current_num_threads());
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

fn product(a: View<'_>, b: View<'_>, factor: f32) -> Vec<f32> {
    let mut out = vec![0.0; a.rows * b.columns];
    multiply(&mut out, a, b, factor, false);
    out
}

/// Calls `work(first row, rows of out)` on pieces of `out`, in parallel.
fn by_rows(out: &mut [f32], columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    out.par_chunks_mut(ROWS_A_TASK * columns)
        .enumerate()
        .for_each(|(piece, rows)| simd::vectorised(|| work(piece * ROWS_A_TASK, rows)));
}

// ---------------------------------------------------------------------------------------------------- RMS norm

pub fn rms_norm(x: Tensor<Flex, 2>, weight: Tensor<Flex, 2>, epsilon: f64) -> Tensor<Flex, 2> {
    wrap(rms_norm_forward(&take(x), &take(weight), epsilon))
}

fn inverse_rms(row: &[f32], epsilon: f64) -> f32 {
    (1.0 / (f64::from(simd::dot(row, row)) / row.len() as f64 + epsilon).sqrt()) as f32
}

fn rms_norm_forward(x: &Matrix, weight: &Matrix, epsilon: f64) -> FlexTensor {
    let mut out = vec![0.0; x.values().len()];
    let w = weight.values();
    by_rows(&mut out, x.columns, |first, rows| {
        for (i, out) in rows.chunks_exact_mut(x.columns).enumerate() {
            let row = x.row(first + i);
            let scale = inverse_rms(row, epsilon);
            for ((out, x), w) in out.iter_mut().zip(row).zip(w) {
                *out = x * scale * w;
            }
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
                let (row, g) = (x.row(first + i), grad.row(first + i));
                let scale = inverse_rms(row, epsilon);
                for ((out, g), w) in out.iter_mut().zip(g).zip(w) {
                    *out = g * w;
                }
                let mean = simd::dot(out, row) / x.columns as f32 * scale * scale;
                for (out, x) in out.iter_mut().zip(row) {
                    *out = scale * (*out - x * mean);
                }
            }
        });
        matrix(dx, x.rows, x.columns)
    });
    let dw = wanted[1].then(|| {
        let mut dw = vec![0.0; x.columns];
        simd::vectorised(|| {
            for i in 0..x.rows {
                let (row, g) = (x.row(i), grad.row(i));
                let scale = inverse_rms(row, epsilon);
                for ((dw, x), g) in dw.iter_mut().zip(row).zip(g) {
                    *dw += g * x * scale;
                }
            }
        });
        matrix(dw, 1, x.columns)
    });
    [dx, dw]
}

// ------------------------------------------------------------------------------------------------------ linear

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

// -------------------------------------------------------------------------------------------------------- LoRA

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

impl Dropout {
    fn seed32(self) -> u32 {
        (self.seed ^ (self.seed >> 32)) as u32
    }

    fn threshold(self) -> u32 {
        (self.probability * 65_536.0).round() as u32
    }

    fn kept_scale(self) -> f32 {
        (1.0 / (1.0 - self.probability)) as f32
    }
}

pub fn drop_out(x: Tensor<Flex, 2>, dropout: Dropout) -> Tensor<Flex, 2> {
    wrap(drop_out_forward(&take(x), dropout))
}

/// The gradient goes through the same mask, so this is also the backward pass.
fn drop_out_forward(x: &Matrix, dropout: Dropout) -> FlexTensor {
    matrix(dropped(x.values(), dropout), x.rows, x.columns)
}

/// `values` with dropped elements zeroed and the others scaled up.
fn dropped(values: &[f32], dropout: Dropout) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    add_kept(&mut out, values, dropout);
    out
}

/// `out += dropout(values)`: the gradient goes back through the same mask.
fn add_kept(out: &mut [f32], values: &[f32], dropout: Dropout) {
    const BLOCKS_A_TASK: usize = 128;
    let (seed, threshold, scale) = (dropout.seed32(), dropout.threshold(), dropout.kept_scale());
    let task = BLOCKS_A_TASK * simd::MASK_BLOCK;
    out.par_chunks_mut(task).zip(values.par_chunks(task)).enumerate().for_each(|(i, (out, values))| {
        simd::vectorised(|| {
            let blocks = out.chunks_mut(simd::MASK_BLOCK).zip(values.chunks(simd::MASK_BLOCK));
            for (block, (out, values)) in blocks.enumerate() {
                let factors = simd::dropout_factors(seed, (i * BLOCKS_A_TASK + block) as u32, threshold, scale);
                for ((out, value), factor) in out.iter_mut().zip(values).zip(factors) {
                    *out += value * factor;
                }
            }
        });
    });
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

// ------------------------------------------------------------------------------------------------------ rotary

pub fn rotate(x: Tensor<Flex, 2>, cos: Tensor<Flex, 2>, sin: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    wrap(rotate_forward(&take(x), &take(cos), &take(sin), 1.0))
}

/// The gradient is the rotation back: `direction` -1.
fn rotate_forward(x: &Matrix, cos: &Matrix, sin: &Matrix, direction: f32) -> FlexTensor {
    let half = cos.columns;
    let mut out = vec![0.0; x.values().len()];
    by_rows(&mut out, x.columns, |first, rows| {
        for (i, out) in rows.chunks_exact_mut(x.columns).enumerate() {
            let (cos, sin) = (cos.row(first + i), sin.row(first + i));
            for (out, x) in out.chunks_exact_mut(2 * half).zip(x.row(first + i).chunks_exact(2 * half)) {
                let (out1, out2) = out.split_at_mut(half);
                let (x1, x2) = x.split_at(half);
                for j in 0..half {
                    let s = sin[j] * direction;
                    out1[j] = x1[j] * cos[j] - x2[j] * s;
                    out2[j] = x2[j] * cos[j] + x1[j] * s;
                }
            }
        }
    });
    matrix(out, x.rows, x.columns)
}

// --------------------------------------------------------------------------------------------------- attention

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
    let pieces: Vec<Vec<f32>> =
        tasks.par_iter().map(|task| simd::vectorised(|| head_forward(task, query, key, value))).collect();
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

#[inline(always)]
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
            let seen = ranges.iter().cloned().flatten();
            for (weight, key) in weights.iter().zip(seen) {
                simd::add_scaled(out, *weight, &values[key * width..][..width]);
            }
        }
    }
    out
}

/// Gradients of one task: its queries `[queries, group * width]`, its keys and values `[keys, width]`.
struct HeadGradients {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

/// With weights `p`, `dp = dO Vᵀ`: `dS = p (dp - Σ p dp)`, `dQ = dS K s`, `dK = dSᵀ Q s`, `dV = pᵀ dO`.
#[inline(always)]
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
            for ((weight, slope), key) in weights.iter().zip(&slopes).zip(ranges.iter().cloned().flatten()) {
                let ds = weight * (slope - mean) * scale;
                let at = key * width;
                simd::add_scaled(dq, ds, &keys[at..at + width]);
                simd::add_scaled(&mut out.key[at..at + width], ds, query);
                simd::add_scaled(&mut out.value[at..at + width], *weight, grad);
            }
        }
    }
    out
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
        tasks.par_iter().map(|task| simd::vectorised(|| head_backward(task, query, key, value, grad))).collect();
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

// ------------------------------------------------------------------------------------------------------ SwiGLU

pub fn swiglu(gate: Tensor<Flex, 2>, up: Tensor<Flex, 2>) -> Tensor<Flex, 2> {
    wrap(swiglu_forward(&take(gate), &take(up)))
}

fn swiglu_forward(gate: &Matrix, up: &Matrix) -> FlexTensor {
    let mut out = vec![0.0; gate.values().len()];
    by_rows(&mut out, gate.columns, |first, rows| {
        let from = first * gate.columns;
        for ((out, g), u) in rows.iter_mut().zip(&gate.values()[from..]).zip(&up.values()[from..]) {
            *out = g / (1.0 + simd::exp(-g)) * u;
        }
    });
    matrix(out, gate.rows, gate.columns)
}

/// With `σ = sigmoid(gate)`: `dgate = g up σ (1 + gate (1 - σ))`, `dup = g gate σ`.
fn swiglu_backward(gate: &Matrix, up: &Matrix, grad: &Matrix) -> [FlexTensor; 2] {
    let (mut dgate, mut dup) = (vec![0.0; gate.values().len()], vec![0.0; gate.values().len()]);
    let piece = ROWS_A_TASK * gate.columns;
    dgate.par_chunks_mut(piece).zip(dup.par_chunks_mut(piece)).enumerate().for_each(|(i, (dgate, dup))| {
        simd::vectorised(|| {
            let from = i * piece;
            let inputs = gate.values()[from..].iter().zip(&up.values()[from..]).zip(&grad.values()[from..]);
            for ((dgate, dup), ((x, up), g)) in dgate.iter_mut().zip(dup).zip(inputs) {
                let sigmoid = 1.0 / (1.0 + simd::exp(-x));
                *dgate = g * up * sigmoid * (1.0 + x * (1.0 - sigmoid));
                *dup = g * x * sigmoid;
            }
        });
    });
    [matrix(dgate, gate.rows, gate.columns), matrix(dup, gate.rows, gate.columns)]
}

// ------------------------------------------------------------------------------------ negative log-likelihood

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
            let top = simd::max(&row);
            *out = simd::exp_shifted(&mut row, top).ln() + top;
        }
    });
    wrap(matrix(out, logits.rows, 1))
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
    #[inline(always)]
    fn competing(&self, row: usize, logits: &[f32], scaled: &mut Vec<f32>) {
        scaled.clear();
        match self.candidates.get(row) {
            None => scaled.extend(logits.iter().map(|x| x / self.temperature)),
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
                let top = simd::max(&scaled);
                let target = row[self.targets[first + i]] / self.temperature;
                *out = simd::exp_shifted(&mut scaled, top).ln() + top - target;
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
                let top = simd::max(&scaled);
                let sum = simd::exp_shifted(&mut scaled, top);
                let factor = grad.values()[row] / self.temperature;
                for value in &mut scaled {
                    *value *= factor / sum;
                }
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

// --------------------------------------------------------------------------------------------------- softmax KL

pub fn softmax_kl(groups: Vec<Group<Flex>>, temperature: f64, smoothing: f64) -> Vec<Divergence<Flex>> {
    groups.into_par_iter().map(|group| group_softmax_kl(group, temperature, smoothing)).collect()
}

/// In float64; the formula is explained at [`super::plain::softmax_kl`].
fn group_softmax_kl(group: Group<Flex>, temperature: f64, smoothing: f64) -> Divergence<Flex> {
    let (current, previous) = (take(group.current), take(group.previous));
    let top = f64::from(simd::max(previous.values())) / temperature;
    let mut q: Vec<f64> = previous.values().iter().map(|&v| (f64::from(v) / temperature - top).exp()).collect();
    let sum: f64 = q.iter().sum();
    q.iter_mut().for_each(|q| *q /= sum);
    let pairs = current.values().iter().zip(previous.values());
    let difference: Vec<f64> = pairs.map(|(&v, &w)| (f64::from(v) - f64::from(w)) / temperature).collect();
    let c = q.iter().zip(&difference).map(|(q, d)| q * d.exp_m1()).sum::<f64>().ln_1p();
    let (mut value, mut mean) = (0.0, 0.0);
    let terms: Vec<(f64, f64)> = q
        .iter()
        .zip(&difference)
        .map(|(&q, &d)| {
            let growth = (d - c).exp_m1();
            let (p, log_ratio) = (q * (1.0 + growth), (q * growth / (q + smoothing)).ln_1p());
            value += (p + smoothing) * log_ratio;
            mean += p * log_ratio;
            (p, log_ratio)
        })
        .collect();
    let total = 1.0 + q.len() as f64 * smoothing;
    let gradient = terms.iter().map(|(p, log_ratio)| (p * (log_ratio - mean) / (total * temperature)) as f32).collect();
    let value = Tensor::from_floats([(value / total) as f32], &Default::default());
    Divergence { value, gradient: wrap(matrix(gradient, current.rows, current.columns)) }
}

// ------------------------------------------------------------------------------------------------------- AdamW

pub fn adamw((value, first, second): Moments<Flex>, gradient: Tensor<Flex, 2>, step: AdamWStep) -> Moments<Flex> {
    let gradient = take(gradient);
    let (rows, columns) = (gradient.rows, gradient.columns);
    let owned = |t: Tensor<Flex, 2>| take(t).values().to_vec();
    let (mut value, mut first, mut second) = (owned(value), owned(first), owned(second));
    let correction1 = 1.0 - step.beta1.powf(step.step as f64);
    let correction2 = (1.0 - step.beta2.powf(step.step as f64)) as f32;
    let rate = (step.learning_rate / correction1) as f32;
    let keep = (1.0 - step.learning_rate * step.weight_decay) as f32;
    let (beta1, beta2, epsilon, scale) =
        (step.beta1 as f32, step.beta2 as f32, step.epsilon as f32, step.gradient_scale as f32);
    let piece = 16 * 1024;
    value
        .par_chunks_mut(piece)
        .zip(first.par_chunks_mut(piece))
        .zip(second.par_chunks_mut(piece))
        .zip(gradient.values().par_chunks(piece))
        .for_each(|(((value, first), second), gradient)| {
            simd::vectorised(|| {
                for (((value, m), v), g) in value.iter_mut().zip(first).zip(second).zip(gradient) {
                    let g = g * scale;
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    *value = *value * keep - rate * *m / ((*v / correction2).sqrt() + epsilon);
                }
            });
        });
    let back = |values| wrap(matrix(values, rows, columns));
    (back(value), back(first), back(second))
}

/// The same operations, recorded for automatic differentiation.
pub mod tracked {
    use std::marker::PhantomData;

    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::ops::FloatTensor;
    use burn::tensor::{Int, Tensor, TensorPrimitive};

    use super::*;

    type Tracked = Autodiff<Flex>;
    type Node = FloatTensor<Tracked>;

    /// What an operation keeps for its gradient, and the gradient.
    trait Gradient<const N: usize>: std::fmt::Debug + Clone + Send + 'static {
        /// Gradients of the inputs that are wanted, given the output's.
        fn gradients(self, grad: &Matrix, wanted: [bool; N]) -> [Option<FlexTensor>; N];
    }

    #[derive(Debug)]
    struct Rule<S>(PhantomData<S>);

    impl<S: Gradient<N>, const N: usize> Backward<Flex, N> for Rule<S> {
        type State = S;

        fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
            let wanted = std::array::from_fn(|i| ops.parents[i].is_some());
            let grad = Matrix::of(&grads.consume::<Flex>(&ops.node));
            for (parent, gradient) in ops.parents.into_iter().zip(ops.state.gradients(&grad, wanted)) {
                if let (Some(parent), Some(gradient)) = (parent, gradient) {
                    grads.register::<Flex>(parent.id, gradient);
                }
            }
        }
    }

    fn record<S: Gradient<N>, const N: usize>(inputs: [&Node; N], output: FlexTensor, state: S) -> Tensor<Tracked, 2> {
        let prepared = Rule::<S>(PhantomData).prepare::<NoCheckpointing>(inputs.map(|n| n.node.clone()));
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        Tensor::from_primitive(TensorPrimitive::Float(output))
    }

    /// The tracked node and its values.
    fn input(tensor: Tensor<Tracked, 2>) -> (Node, Matrix) {
        let node = tensor.into_primitive().tensor();
        let values = Matrix::of(&node.primitive);
        (node, values)
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

    pub fn rms_norm(x: Tensor<Tracked, 2>, weight: Tensor<Tracked, 2>, epsilon: f64) -> Tensor<Tracked, 2> {
        let ((x_node, x), (w_node, weight)) = (input(x), input(weight));
        let output = rms_norm_forward(&x, &weight, epsilon);
        record([&x_node, &w_node], output, RmsNorm { x, weight, epsilon })
    }

    #[derive(Debug, Clone)]
    struct Linear {
        x: Matrix,
        weight: Matrix,
    }

    impl Gradient<2> for Linear {
        fn gradients(self, grad: &Matrix, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
            linear_backward(&self.x, &self.weight, grad, wanted)
        }
    }

    pub fn linear(x: Tensor<Tracked, 2>, weight: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
        let ((x_node, x), (w_node, weight)) = (input(x), input(weight));
        let output = linear_forward(&x, &weight);
        record([&x_node, &w_node], output, Linear { x, weight })
    }

    #[derive(Debug, Clone)]
    struct DropOut(Dropout);

    impl Gradient<1> for DropOut {
        fn gradients(self, grad: &Matrix, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
            [Some(drop_out_forward(grad, self.0))]
        }
    }

    pub fn drop_out(x: Tensor<Tracked, 2>, dropout: Dropout) -> Tensor<Tracked, 2> {
        let (node, x) = input(x);
        record([&node], drop_out_forward(&x, dropout), DropOut(dropout))
    }

    #[derive(Debug, Clone)]
    struct LoraLinear {
        x: Matrix,
        weight: Matrix,
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
                let mut dx = product(grad.view(), self.weight.view(), 1.0);
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
            let dw = wanted[1].then(|| matrix(product(grad.view().t(), x.view(), 1.0), self.weight.rows, columns));
            let db = wanted[3].then(|| {
                let down = View::new(&self.down, x.rows, rank);
                matrix(product(grad.view().t(), down, self.scale), b.rows, rank)
            });
            [dx, dw, da, db]
        }
    }

    pub fn lora_linear(
        x: Tensor<Tracked, 2>,
        weight: Tensor<Tracked, 2>,
        a: Tensor<Tracked, 2>,
        b: Tensor<Tracked, 2>,
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Tensor<Tracked, 2> {
        let ((x_node, x), (w_node, weight)) = (input(x), input(weight));
        let ((a_node, a), (b_node, b)) = (input(a), input(b));
        let scale = scale as f32;
        let (output, down) = lora_forward(&x, &weight, &a, &b, scale, dropout);
        let state = LoraLinear { x, weight, a, b, down: Arc::new(down), scale, dropout };
        record([&x_node, &w_node, &a_node, &b_node], output, state)
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

    pub fn rotate(x: Tensor<Tracked, 2>, cos: Tensor<Tracked, 2>, sin: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
        let (node, x) = input(x);
        let ((_, cos), (_, sin)) = (input(cos), input(sin));
        let output = rotate_forward(&x, &cos, &sin, 1.0);
        record([&node], output, Rotate { cos, sin })
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

    pub fn attention(
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

    pub fn swiglu(gate: Tensor<Tracked, 2>, up: Tensor<Tracked, 2>) -> Tensor<Tracked, 2> {
        let ((gate_node, gate), (up_node, up)) = (input(gate), input(up));
        let output = swiglu_forward(&gate, &up);
        record([&gate_node, &up_node], output, SwiGlu { gate, up })
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

    pub fn negative_log_likelihood(
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
}
