//! Rows of the embedding and the head for tokens that a base model did not come with.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use crate::model::adapter::Matrix;

/// Rows for new tokens, drawn around the mean of the old ones with their spread, so that they start as likely as others.
pub(super) fn new_rows(base: &Matrix, added: usize, seed: u64) -> Matrix {
    let mut mean = vec![0.0f64; base.columns];
    for row in base.values.chunks_exact(base.columns) {
        for (m, v) in mean.iter_mut().zip(row) {
            *m += f64::from(*v) / base.rows as f64;
        }
    }
    let variance = base
        .values
        .chunks_exact(base.columns)
        .flat_map(|row| row.iter().zip(&mean))
        .map(|(v, m)| (f64::from(*v) - m).powi(2));
    let spread = (variance.sum::<f64>() / base.values.len() as f64).sqrt();
    let noise = normal(added * base.columns, spread, seed);
    let values = noise.iter().enumerate().map(|(i, n)| mean[i % base.columns] as f32 + n).collect();
    Matrix { rows: added, columns: base.columns, values }
}

/// Normal values of a standard deviation, from a seed.
pub(super) fn normal(count: usize, deviation: f64, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    match Normal::new(0.0, deviation) {
        Ok(normal) => (0..count).map(|_| normal.sample(&mut random) as f32).collect(),
        Err(_) => vec![0.0; count],
    }
}
