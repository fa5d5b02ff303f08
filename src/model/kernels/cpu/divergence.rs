//! The softmax divergence of groups of parameters.

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::{Divergence, Group, simd};
use super::matrix::{matrix, take, wrap};

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
