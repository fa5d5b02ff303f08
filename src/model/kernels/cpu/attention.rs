//! Attention of packed queries over the keys that they see: one task a row and key-value head.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::{Heads, simd};
use super::matrix::{Matrix, View, matrix, multiply_here, take, wrap};
use super::record::{Gradient, Tracked, input, record};
use super::soft_cap::{hold_within, slopes_within};
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
    /// The row's queries by blocks, the same for every head.
    blocks: &'a [Block],
    heads: Heads,
    head: usize,
}

impl HeadTask<'_> {
    /// Query heads that share the task's keys.
    fn group(&self) -> usize {
        self.heads.query / self.heads.key_value
    }

    /// The row's keys (or values) of this head, gathered together: `[keys, width]`.
    fn gather(&self, from: &Matrix) -> Vec<f32> {
        gather(from, self.row.all_keys(), self.head * self.heads.width, self.heads.width)
    }

    /// What some queries have of this head's group, `[queries * group, width]`.
    fn gather_queries(&self, from: &Matrix, queries: Range<usize>) -> Vec<f32> {
        let columns = self.group() * self.heads.width;
        gather(from, queries, self.head * columns, columns)
    }
}

/// Columns `at..at + width` of some rows.
fn gather(from: &Matrix, rows: impl Iterator<Item = usize>, at: usize, width: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(rows.size_hint().0 * width);
    for row in rows {
        out.extend_from_slice(&from.row(row)[at..at + width]);
    }
    out
}

/// Queries of a row that are multiplied with their keys at once.
const BLOCK: usize = 32;

/// Neighbouring queries of one row, and the keys that any of them sees.
struct Block {
    queries: Range<usize>,
    /// Places of the keys among the row's, in order, without gaps within a range.
    seen: Vec<Range<usize>>,
    /// For each query the ranges of the block's keys that it sees, in order.
    ranges: Vec<[Range<usize>; 3]>,
}

impl Block {
    /// A row's queries, [`BLOCK`] at a time.
    fn all_of(row: &PackedRow, spans: &[Span]) -> Vec<Self> {
        let Range { start, end } = row.queries;
        (start..end).step_by(BLOCK).map(|first| Self::new(row, spans, first..end.min(first + BLOCK))).collect()
    }

    fn new(row: &PackedRow, spans: &[Span], queries: Range<usize>) -> Self {
        let local = |query: usize| spans[query].0.each_ref().map(|range| row.local(range));
        let ranges: Vec<[Range<usize>; 3]> = queries.clone().map(local).collect();
        let mut all: Vec<Range<usize>> = ranges.iter().flatten().filter(|range| !range.is_empty()).cloned().collect();
        all.sort_unstable_by_key(|range| range.start);
        let mut seen: Vec<Range<usize>> = Vec::new();
        for range in all {
            match seen.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => seen.push(range),
            }
        }
        let ranges = ranges.into_iter().map(|ranges| ranges.map(|range| among(&seen, range))).collect();
        Self { queries, seen, ranges }
    }

    /// Number of keys.
    fn keys(&self) -> usize {
        self.seen.iter().map(ExactSizeIterator::len).sum()
    }

    /// The block's rows of a row's keys or values, `[keys, width]`.
    fn of<'a>(&self, rows: &'a [f32], width: usize) -> Cow<'a, [f32]> {
        match self.seen.as_slice() {
            [seen] => Cow::Borrowed(&rows[seen.start * width..seen.end * width]),
            several => several.iter().flat_map(|seen| &rows[seen.start * width..seen.end * width]).copied().collect(),
        }
    }

    /// Adds what was computed for the block's keys to the row's, both `[keys, width]`.
    fn add(&self, to: &mut [f32], computed: &[f32], width: usize) {
        let mut computed = computed;
        for seen in &self.seen {
            let (own, others) = computed.split_at(seen.len() * width);
            add(&mut to[seen.start * width..seen.end * width], own);
            computed = others;
        }
    }

    /// Scores of every query with every key of the block: `[queries * group, keys]`.
    fn scores(queries: View<'_>, keys: View<'_>, heads: Heads) -> Vec<f32> {
        let mut scores = vec![0.0; queries.rows * keys.rows];
        multiply_here(&mut scores, queries, keys.t(), score_scale(heads), false);
        if let Some(cap) = heads.cap {
            hold_within(&mut scores, cap as f32);
        }
        scores
    }

    /// Softmax weights of every query over its keys, 0 for keys that it does not see, from `keys` scores of each.
    fn weights(&self, mut scores: Vec<f32>, keys: usize) -> Vec<f32> {
        let group = scores.len() / keys / self.ranges.len();
        for (i, row) in scores.chunks_exact_mut(keys).enumerate() {
            normalise(row, &self.ranges[i / group]);
        }
        scores
    }
}

/// The factor on the product of a query and a key.
fn score_scale(heads: Heads) -> f32 {
    1.0 / (heads.scalar as f32).sqrt()
}

/// Where a range of the row's keys lies among those that are seen.
fn among(seen: &[Range<usize>], range: Range<usize>) -> Range<usize> {
    let mut before = 0;
    for keys in seen {
        if !range.is_empty() && range.start < keys.end {
            return before + range.start - keys.start..before + range.end - keys.start;
        }
        before += keys.len();
    }
    0..0
}

simd::vectorised! {
    fn add(to: &mut [f32], values: &[f32]) {
        simd::add_scaled(to, 1.0, values);
    }

    /// The softmax of scores in ranges, 0 between these.
    fn normalise(scores: &mut [f32], ranges: &[Range<usize>; 3]) {
        let mut top = f32::NEG_INFINITY;
        for range in ranges {
            top = top.max(simd::max(&scores[range.clone()]));
        }
        let (mut sum, mut end) = (0.0, 0);
        for range in ranges {
            // An empty range lies anywhere.
            if range.is_empty() {
                continue;
            }
            scores[end..range.start].fill(0.0);
            sum += simd::exp_shifted(&mut scores[range.clone()], top);
            end = range.end;
        }
        scores[end..].fill(0.0);
        let inverse = 1.0 / sum;
        for range in ranges {
            for weight in &mut scores[range.clone()] {
                *weight *= inverse;
            }
        }
    }

    /// The slopes of a row's scores, from those of its weights: `dS = p (dp - Σ p dp) scale`.
    fn slopes_of_scores(slopes: &mut [f32], weights: &[f32], scale: f32) {
        let mean = simd::dot(weights, slopes);
        for (slope, weight) in slopes.iter_mut().zip(weights) {
            *slope = weight * (*slope - mean) * scale;
        }
    }
}

/// The blocks of every row.
fn blocks(rows: &[PackedRow], spans: &[Span]) -> Vec<Vec<Block>> {
    rows.iter().map(|row| Block::all_of(row, spans)).collect()
}

fn tasks<'a>(rows: &'a [PackedRow], blocks: &'a [Vec<Block>], heads: Heads) -> Vec<HeadTask<'a>> {
    let of_row = |(row, blocks)| (0..heads.key_value).map(move |head| HeadTask { row, blocks, heads, head });
    rows.iter().zip(blocks.iter().map(Vec::as_slice)).flat_map(of_row).collect()
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
    let blocks = blocks(rows, spans);
    let tasks = tasks(rows, &blocks, heads);
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

fn head_forward(task: &HeadTask<'_>, query: &Matrix, key: &Matrix, value: &Matrix) -> Vec<f32> {
    let (width, group) = (task.heads.width, task.group());
    let (keys, values) = (task.gather(key), task.gather(value));
    let mut out = vec![0.0; task.row.queries.len() * group * width];
    for (block, out) in task.blocks.iter().zip(out.chunks_mut(BLOCK * group * width)) {
        let rows = block.queries.len() * group;
        let (queries, keys, values) =
            (task.gather_queries(query, block.queries.clone()), block.of(&keys, width), block.of(&values, width));
        let keys = View::new(&keys, block.keys(), width);
        let weights = block.weights(Block::scores(View::new(&queries, rows, width), keys, task.heads), keys.rows);
        multiply_here(out, View::new(&weights, rows, keys.rows), View::new(&values, keys.rows, width), 1.0, false);
    }
    out
}

/// Gradients of one task: its queries `[queries, group * width]`, its keys and values `[keys, width]`.
struct HeadGradients {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

/// With weights `p`, `dp = dO Vᵀ`: `dS = p (dp - Σ p dp)`, `dQ = dS K s`, `dK = dSᵀ Q s`, `dV = pᵀ dO`. Of scores that are held within
/// a cap `c`, `dS` is times `1 - (S / c)²`.
fn head_backward(task: &HeadTask<'_>, query: &Matrix, key: &Matrix, value: &Matrix, grad: &Matrix) -> HeadGradients {
    let (width, group) = (task.heads.width, task.group());
    let scale = score_scale(task.heads);
    let (keys, values) = (task.gather(key), task.gather(value));
    let mut out = HeadGradients {
        query: vec![0.0; task.row.queries.len() * group * width],
        key: vec![0.0; keys.len()],
        value: vec![0.0; values.len()],
    };
    let mut of_keys = Vec::new();
    for (block, dq) in task.blocks.iter().zip(out.query.chunks_mut(BLOCK * group * width)) {
        let (rows, seen) = (block.queries.len() * group, block.keys());
        let queries = task.gather_queries(query, block.queries.clone());
        let grad = task.gather_queries(grad, block.queries.clone());
        let (keys, values) = (block.of(&keys, width), block.of(&values, width));
        let (queries, grad) = (View::new(&queries, rows, width), View::new(&grad, rows, width));
        let (keys, values) = (View::new(&keys, seen, width), View::new(&values, seen, width));
        let scores = Block::scores(queries, keys, task.heads);
        let capped = task.heads.cap.map(|cap| (cap as f32, scores.clone()));
        let weights = block.weights(scores, seen);
        let mut slopes = vec![0.0; rows * seen];
        multiply_here(&mut slopes, grad, values.t(), 1.0, false);
        for (slopes, weights) in slopes.chunks_exact_mut(seen).zip(weights.chunks_exact(seen)) {
            slopes_of_scores(slopes, weights, scale);
        }
        if let Some((cap, scores)) = &capped {
            slopes_within(&mut slopes, scores, *cap);
        }
        let (weights, slopes) = (View::new(&weights, rows, seen), View::new(&slopes, rows, seen));
        multiply_here(dq, slopes, keys, 1.0, false);
        of_keys.resize(seen * width, 0.0);
        multiply_here(&mut of_keys, slopes.t(), queries, 1.0, false);
        block.add(&mut out.key, &of_keys, width);
        multiply_here(&mut of_keys, weights.t(), grad, 1.0, false);
        block.add(&mut out.value, &of_keys, width);
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
    let blocks = blocks(rows, spans);
    let tasks = tasks(rows, &blocks, heads);
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
