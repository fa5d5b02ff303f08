//! What a few seeds say of a mean: Student's t.

use serde::{Deserialize, Serialize};

use super::distribution::{mean, t_quantile, t_two_sided};
use super::{Interval, ROUNDING, Unanswerable, checked_finite, checked_level};

/// A mean over seeds with its t interval. There is none for a single seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeedMean {
    pub mean: f64,
    /// Over the seeds, with divisor n - 1; exactly 0 where they are identical.
    pub standard_deviation: f64,
    /// `mean ± t(n - 1) · standard_deviation / √n`. It holds the spread over seeds on these test users, not over users.
    pub interval: Interval,
    pub seeds: usize,
}

impl SeedMean {
    /// The mean of one value a seed.
    ///
    /// # Errors
    /// [`Unanswerable::NotEnoughSeeds`] with fewer than two; else where a value or the level is not usable.
    pub fn of(values: &[f64], level: f64) -> Result<Self, Unanswerable> {
        let level = checked_level(level)?;
        checked_finite(values)?;
        let seeds = values.len();
        if seeds < 2 {
            return Err(Unanswerable::NotEnoughSeeds { seeds });
        }
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (squares / (seeds - 1) as f64).sqrt();
        let largest = values.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        let standard_deviation = if spread <= ROUNDING * largest { 0.0 } else { spread };
        let half = t_quantile(0.5 + 0.5 * level, (seeds - 1) as f64) * standard_deviation / (seeds as f64).sqrt();
        Ok(Self { mean, standard_deviation, interval: Interval { low: mean - half, high: mean + half, level }, seeds })
    }
}

/// The paired t-test of a gain over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedT {
    /// The gain of the first method over the second.
    pub gain: SeedMean,
    /// `mean / (standard_deviation / √n)`; absent where all seeds have the same gain, from which nothing follows.
    pub statistic: Option<f64>,
    /// Two-sided, with n - 1 degrees of freedom; absent where the statistic is.
    pub p_value: Option<f64>,
}

impl PairedT {
    /// The test on one gain a seed.
    ///
    /// # Errors
    /// Those of [`SeedMean::of`].
    pub fn of(gains: &[f64], level: f64) -> Result<Self, Unanswerable> {
        let gain = SeedMean::of(gains, level)?;
        let statistic =
            (gain.standard_deviation > 0.0).then(|| gain.mean / gain.standard_deviation * (gain.seeds as f64).sqrt());
        let p_value = statistic.map(|statistic| t_two_sided(statistic, (gain.seeds - 1) as f64));
        Ok(Self { gain, statistic, p_value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_has_no_interval() {
        assert_eq!(SeedMean::of(&[0.02], 0.95), Err(Unanswerable::NotEnoughSeeds { seeds: 1 }));
        assert_eq!(PairedT::of(&[], 0.95), Err(Unanswerable::NotEnoughSeeds { seeds: 0 }));
        let words = Unanswerable::NotEnoughSeeds { seeds: 1 }.to_string();
        assert_eq!(words, "not enough seeds (1 of at least 2)");
    }

    #[test]
    fn identical_seeds_are_no_evidence() {
        // 0.1 + 0.2 and 0.3 differ by rounding alone.
        let test = PairedT::of(&[0.1 + 0.2, 0.3, 0.3], 0.95).unwrap();
        assert_eq!((test.gain.standard_deviation, test.statistic, test.p_value), (0.0, None, None));
        assert_eq!(PairedT::of(&[0.0, 0.0], 0.95).unwrap().p_value, None);
    }

    #[test]
    fn two_seeds_by_hand() {
        // One degree of freedom is the Cauchy distribution: its quantile at 0.75 is 1, and P(|t| > 3) = 1 - 2 atan(3) / π.
        let test = PairedT::of(&[1.0, 2.0], 0.5).unwrap();
        assert!((test.gain.interval.low - 1.0).abs() < 1e-12 && (test.gain.interval.high - 2.0).abs() < 1e-12);
        assert!((test.statistic.unwrap() - 3.0).abs() < 1e-12);
        assert!((test.p_value.unwrap() - (1.0 - 2.0 * 3f64.atan() / std::f64::consts::PI)).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        assert!(matches!(SeedMean::of(&[0.1, f64::NAN], 0.95), Err(Unanswerable::NotFinite { .. })));
        for level in [0.0, 1.0, 95.0, f64::NAN] {
            assert!(matches!(SeedMean::of(&[0.1, 0.2], level), Err(Unanswerable::Level { .. })));
        }
    }
}
