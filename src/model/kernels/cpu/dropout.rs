//! Dropout whose mask is a function of its seed.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::{Dropout, simd};
use super::matrix::{Matrix, matrix, take, wrap};
use super::record::{Gradient, Tracked, input, record};

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
pub(super) fn dropped(values: &[f32], dropout: Dropout) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    add_kept(&mut out, values, dropout);
    out
}

/// `out += dropout(values)`: the gradient goes back through the same mask.
pub(super) fn add_kept(out: &mut [f32], values: &[f32], dropout: Dropout) {
    const BLOCKS_A_TASK: usize = 128;
    let (seed, threshold, scale) = (dropout.seed32(), dropout.threshold(), dropout.kept_scale());
    let task = BLOCKS_A_TASK * simd::MASK_BLOCK;
    out.par_chunks_mut(task).zip(values.par_chunks(task)).enumerate().for_each(|(i, (out, values))| {
        add_blocks(out, values, seed, (i * BLOCKS_A_TASK) as u32, threshold, scale);
    });
}

simd::vectorised! {
    /// [`add_kept`] from a block on.
    fn add_blocks(out: &mut [f32], values: &[f32], seed: u32, first: u32, threshold: u32, scale: f32) {
        let blocks = out.chunks_mut(simd::MASK_BLOCK).zip(values.chunks(simd::MASK_BLOCK));
        for (block, (out, values)) in (first..).zip(blocks) {
            let factors = simd::dropout_factors(seed, block, threshold, scale);
            for ((out, value), factor) in out.iter_mut().zip(values).zip(&factors) {
                *out += value * factor;
            }
        }
    }
}

#[derive(Debug, Clone)]
struct DropOut(Dropout);

impl Gradient<1> for DropOut {
    fn gradients(self, grad: &Matrix, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(drop_out_forward(grad, self.0))]
    }
}

/// [`drop_out`], recorded for automatic differentiation.
pub fn drop_out_tracked(x: Tensor<Tracked, 2>, dropout: Dropout) -> Tensor<Tracked, 2> {
    let (node, x) = input(x);
    record([&node], drop_out_forward(&x, dropout), DropOut(dropout))
}
