//! How many directions of a weight are more than noise: singular values against what a matrix of noise would have, whose level
//! is estimated by their median.
//!
//! The squared singular values of an `m x n` matrix (`β = m/n ≤ 1`) of independent noise of standard deviation σ, divided by
//! `n σ²`, follow the Marchenko-Pastur law between `(1 - √β)²` and `(1 + √β)²`. Few strong directions leave their median where it
//! is. The threshold is Gavish and Donoho's for noise of unknown level ("The Optimal Hard Threshold for Singular Values is 4/√3",
//! IEEE Trans. Inf. Theory 60, 2014): it lies above the law's edge by as much as a direction needs to be told from noise well
//! enough to be worth keeping.

use std::f64::consts::PI;

/// Parts of the integral over the Marchenko-Pastur law.
const PARTS: usize = 2000;

/// The median of the Marchenko-Pastur law of a ratio `β` in `(0, 1]` of a matrix' sides, for σ = 1.
pub fn median_of_noise(ratio: f64) -> f64 {
    // With x = 1 + β + 2 √β cos θ the density times dx is 2 sin² θ / (π x) dθ, which has no singular ends.
    let step = PI / PARTS as f64;
    let (mut below, mut left) = (0.0, 0.0);
    // From the lower end of the law, θ = π.
    for part in (0..PARTS).rev() {
        let angle = (part as f64 + 0.5) * step;
        let x = 1.0 + ratio + 2.0 * ratio.sqrt() * angle.cos();
        let mass = 2.0 * angle.sin().powi(2) / (PI * x) * step;
        if below + mass >= 0.5 {
            left = part as f64 * step + step * (1.0 - (0.5 - below) / mass);
            break;
        }
        below += mass;
    }
    1.0 + ratio + 2.0 * ratio.sqrt() * left.cos()
}

/// Gavish and Donoho's threshold for noise of a known level, in units of `√n σ`.
fn known_noise_threshold(ratio: f64) -> f64 {
    let root = (ratio * ratio + 14.0 * ratio + 1.0).sqrt();
    (2.0 * (ratio + 1.0) + 8.0 * ratio / (ratio + 1.0 + root)).sqrt()
}

/// The threshold in units of the median singular value.
pub fn threshold_by_median(ratio: f64) -> f64 {
    known_noise_threshold(ratio) / median_of_noise(ratio).sqrt()
}

/// How many of a matrix' singular values (all of them, descending) are above the threshold.
pub fn signal_rank(values: &[f64], [rows, columns]: [usize; 2]) -> usize {
    let count = values.len();
    if count == 0 {
        return 0;
    }
    let median = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
    let ratio = rows.min(columns) as f64 / rows.max(columns) as f64;
    let threshold = threshold_by_median(ratio) * median;
    values.iter().take_while(|value| **value > threshold).count()
}

#[cfg(test)]
mod tests {
    use faer::Mat;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::linalg::svd;

    #[test]
    fn medians_and_thresholds_are_the_published_ones() {
        // Gavish and Donoho 2014: 4/√3 for a known level, 2.858 for an unknown one; their table IV for other ratios.
        assert!((known_noise_threshold(1.0) - 4.0 / 3.0_f64.sqrt()).abs() < 1e-12);
        for (ratio, published) in [(0.05, 1.5194), (0.25, 1.8371), (0.5, 2.1711), (0.75, 2.5011), (1.0, 2.8582)] {
            let found = threshold_by_median(ratio);
            assert!((found - published).abs() < 2e-3, "{ratio}: {found}, not {published}");
        }
        // The edge of the law of a square matrix, 2 √n σ, is at 2.475 medians.
        assert!((2.0 / median_of_noise(1.0).sqrt() - 2.475).abs() < 1e-3);
    }

    /// Noise of standard deviation 1, and planted directions of these singular values in units of √n.
    fn planted(rows: usize, columns: usize, values: &[f64], seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = |rows, columns| Mat::from_fn(rows, columns, |_, _| StandardNormal.sample(&mut random));
        let noise: Mat<f64> = normal(rows, columns);
        let left = normal(rows, values.len()).qr().compute_thin_Q();
        let right = normal(columns, values.len()).qr().compute_thin_Q();
        let scale = (rows.max(columns) as f64).sqrt();
        let strong = Mat::from_fn(rows, values.len(), |row, k| left[(row, k)] * values[k] * scale);
        svd((noise + strong * right.transpose()).as_ref()).values
    }

    #[test]
    fn planted_directions_are_counted_and_noise_is_not() {
        for (seed, [rows, columns]) in (1..).zip([[100, 100], [60, 200], [200, 60]]) {
            assert_eq!(signal_rank(&planted(rows, columns, &[], seed), [rows, columns]), 0, "{rows} x {columns}");
            // One of them so weak that it drowns: below β^(1/4) no direction can be told from noise.
            let strong = planted(rows, columns, &[6.0, 5.0, 4.0, 3.5, 0.3], seed);
            assert_eq!(signal_rank(&strong, [rows, columns]), 4, "{rows} x {columns}");
        }
        assert_eq!(signal_rank(&[], [0, 4]), 0);
    }
}
