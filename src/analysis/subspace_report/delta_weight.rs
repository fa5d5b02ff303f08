//! The whole update of a weight, for a heat map.

use rayon::prelude::*;

use super::updates::Updates;
use crate::error::InputError;
use crate::model::adapter::{Matrix, Pair};
use crate::run::RunFolder;

/// Rows that one task computes.
const ROWS: usize = 64;

/// `ΔW` `[output, input]` of a module after a stage; with `since`, the difference to the one after that stage.
///
/// # Errors
/// There is no such stage or module, or its adapter is damaged.
pub fn delta_weight(run: &RunFolder, module: &str, stage: usize, since: Option<usize>) -> Result<Matrix, InputError> {
    let updates = Updates::open(run)?;
    let module = updates.module(run, module)?;
    let mut parts = vec![(updates.stored(updates.index(run, stage)?, module)?, 1.0)];
    if let Some(since) = since {
        parts.push((updates.stored(updates.index(run, since)?, module)?, -1.0));
    }
    let mut whole = Matrix::zeros(module.output, module.input);
    for ((pair, scale), sign) in &parts {
        add(&mut whole, pair, (sign * scale) as f32);
    }
    Ok(whole)
}

/// `whole += factor * B A`
fn add(whole: &mut Matrix, pair: &Pair, factor: f32) {
    let (columns, rank) = (whole.columns, pair.b.columns);
    if columns == 0 || rank == 0 {
        return;
    }
    let rows = pair.b.values.par_chunks(ROWS * rank);
    whole.values.par_chunks_mut(ROWS * columns).zip(rows).for_each(|(out, b)| {
        for (out, b) in out.chunks_exact_mut(columns).zip(b.chunks_exact(rank)) {
            for (weight, a) in b.iter().zip(pair.a.values.chunks_exact(columns)) {
                let weight = factor * weight;
                out.iter_mut().zip(a).for_each(|(out, a)| *out += weight * a);
            }
        }
    });
}
