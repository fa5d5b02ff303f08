//! The privacy loss of rounds that add Gaussian noise to the sum of a random few: Rényi differential privacy of the
//! Poisson-subsampled Gaussian mechanism, composed and turned into (ε, δ).

use statrs::function::factorial::ln_binomial;

/// Orders that the least ε is looked for at. Every order gives a bound that holds, so more would only make it tighter.
const ORDERS: std::ops::RangeInclusive<u64> = 2..=256;

/// Rounds of one mechanism: each takes every contributor by itself with the same chance, clips what it sends to a norm `C`, and
/// adds Gaussian noise of standard deviation `noise · C` to every number of the sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledGaussian {
    /// Chance of a contributor to take part in a round, above 0 and at most 1.
    pub sampling: f64,
    /// Standard deviation of the noise as a multiple of `C`, above 0.
    pub noise: f64,
}

impl SampledGaussian {
    /// The least ε such that so many rounds together are (ε, δ)-differentially private towards adding or taking away one
    /// contributor; 0 for no round, infinite without noise.
    ///
    /// Mironov, Talwar and Zhang 2019 (arXiv 1908.10530), at whole orders; the step to ε is that of Canonne, Kamath and Steinke
    /// 2020 (arXiv 2004.00010, proposition 12), as in Google's `dp-accounting` and in Opacus.
    pub fn epsilon(&self, rounds: u64, delta: f64) -> f64 {
        if rounds == 0 {
            return 0.0;
        }
        if self.noise <= 0.0 || delta <= 0.0 {
            return f64::INFINITY;
        }
        let at = |order: u64| {
            let alpha = order as f64;
            let composed = rounds as f64 * self.renyi(order);
            composed + (-1.0 / alpha).ln_1p() - (delta.ln() + alpha.ln()) / (alpha - 1.0)
        };
        ORDERS.map(at).fold(f64::INFINITY, f64::min).max(0.0)
    }

    /// The Rényi divergence of one round at a whole order α: `1/(α-1) · ln Σ C(α, k) (1-q)^(α-k) q^k exp((k² - k) / 2z²)`,
    /// and `α / 2z²` where everybody takes part.
    fn renyi(&self, order: u64) -> f64 {
        let Self { sampling: q, noise: z } = *self;
        let alpha = order as f64;
        if q >= 1.0 {
            return alpha / (2.0 * z * z);
        }
        let term = |k: u64| {
            let power = k as f64;
            let moment = (power * power - power) / (2.0 * z * z);
            ln_binomial(order, k) + (alpha - power) * (-q).ln_1p() + power * q.ln() + moment
        };
        let terms: Vec<f64> = (0..=order).map(term).collect();
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()) / (alpha - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Google's `dp-accounting` 0.6.0: `RdpAccountant(orders=list(range(2, 257)))`, which composes so many
    /// `PoissonSampledDpEvent(sampling, GaussianDpEvent(noise))` (without sampling, `GaussianDpEvent(noise)`).
    #[test]
    fn the_loss_is_that_of_dp_accounting() {
        for (sampling, noise, rounds, delta, epsilon) in [
            (1.0, 1.0, 1, 1e-5, 4.752_728_336_819_822),
            (1.0, 2.0, 30, 1e-5, 16.051_691_480_042_894),
            (0.01, 1.0, 1000, 1e-5, 2.107_753_075_451_574_5),
            (0.1, 0.8, 40, 1e-5, 8.604_033_043_089_01),
            (0.5, 1.5, 20, 1e-3, 6.939_983_955_447_467),
            (0.2, 4.0, 100, 1e-6, 2.581_761_336_011_226),
            (0.3, 0.5, 10, 1e-5, 27.746_218_327_840_58),
        ] {
            let found = SampledGaussian { sampling, noise }.epsilon(rounds, delta);
            assert!(
                (found / epsilon - 1.0).abs() < 1e-9,
                "{sampling} {noise} {rounds} {delta}: {found}, not {epsilon}"
            );
        }
    }

    #[test]
    fn more_rounds_cost_more_and_rarer_contributors_less() {
        let of = |sampling, noise, rounds| SampledGaussian { sampling, noise }.epsilon(rounds, 1e-5);
        assert!(of(0.5, 1.0, 10) < of(0.5, 1.0, 11));
        assert!(of(0.2, 1.0, 10) < of(0.5, 1.0, 10) && of(0.5, 1.0, 10) < of(1.0, 1.0, 10));
        assert!(of(0.999_999, 1.0, 10) <= of(1.0, 1.0, 10) && of(0.999_999, 1.0, 10) > 0.999 * of(1.0, 1.0, 10));
        assert!(of(0.5, 2.0, 10) < of(0.5, 1.0, 10));
        assert_eq!((of(0.5, 1.0, 0), of(0.5, 0.0, 1)), (0.0, f64::INFINITY));
    }
}
