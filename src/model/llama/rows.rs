//! Embedding tokens and scoring them: the rows that a decoder came with, and those of added tokens.

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::Rows;
use crate::model::kernels::Kernels;
use crate::model::kernels::plain::float32;

/// Rows of half precision that are float32 at the same time while logits are computed.
pub const ROWS_AT_ONCE: usize = 1 << 13;

impl<B: Kernels> Rows<B> {
    /// Embeds tokens: `[tokens, width]`.
    pub(super) fn embed(&self, tokens: &[u32], device: &B::Device) -> Tensor<B, 2> {
        let index = |f: &dyn Fn(u32) -> i32| {
            let values: Vec<i32> = tokens.iter().map(|&t| f(t)).collect();
            Tensor::<B, 1, Int>::from_data(TensorData::from(values.as_slice()), device)
        };
        match (&self.base, &self.added) {
            (Some(rows), None) | (None, Some(rows)) => float32(rows.clone().select(0, index(&|t| t as i32))),
            (Some(base), Some(added)) => {
                let first = base.dims()[0] as u32;
                let from_base = float32(base.clone().select(0, index(&|t| if t < first { t as i32 } else { 0 })));
                let from_added = added.clone().select(0, index(&|t| t.saturating_sub(first) as i32));
                let is_added: Vec<f32> = tokens.iter().map(|&t| if t < first { 0.0 } else { 1.0 }).collect();
                let is_added = Tensor::<B, 2>::from_data(TensorData::new(is_added, [tokens.len(), 1]), device);
                from_base * is_added.clone().neg().add_scalar(1.0) + from_added * is_added
            }
            (None, None) => unreachable!("a model has base rows or added rows"),
        }
    }

    /// Logits of hidden states: `[rows, vocabulary]`.
    pub(super) fn logits(&self, hidden: Tensor<B, 2>) -> Tensor<B, 2> {
        let parts: Vec<_> = [&self.base, &self.added]
            .into_iter()
            .flatten()
            .flat_map(pieces)
            .map(|rows| B::project(hidden.clone(), rows))
            .collect();
        if parts.len() == 1 { parts.into_iter().next().unwrap_or(hidden) } else { Tensor::cat(parts, 1) }
    }
}

/// Rows in the pieces that are multiplied at once: whole, but where a float32 copy of all of them would take much memory.
fn pieces<B: Kernels>(rows: &Tensor<B, 2>) -> Vec<Tensor<B, 2>> {
    let count = rows.dims()[0];
    if rows.dtype() == DType::F32 {
        return vec![rows.clone()];
    }
    let starts = (0..count).step_by(ROWS_AT_ONCE);
    starts.map(|start| rows.clone().narrow(0, start, ROWS_AT_ONCE.min(count - start))).collect()
}
