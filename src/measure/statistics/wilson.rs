//! The interval of a share.

use super::distribution::normal_quantile;
use super::{Interval, LEVEL};

/// Wilson's score interval of a share: `successes` of `trials`, which may count in parts where places are shared. From 0 to 1
/// where there was no trial.
///
/// Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927).
pub fn wilson(successes: f64, trials: usize) -> Interval {
    if trials == 0 {
        return Interval { low: 0.0, high: 1.0, level: LEVEL };
    }
    let (n, z) = (trials as f64, normal_quantile(0.5 + 0.5 * LEVEL));
    let (share, z2) = (successes / n, z * z);
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // Rounding must not take the ends of no and of all successes beyond 0 and 1.
    Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0), level: LEVEL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_scipy() {
        // scipy.stats.binomtest(successes, trials).proportion_ci(method="wilson")
        for (successes, trials, low, high) in
            [(0.0, 128, 0.0, 0.029136956), (25.0, 128, 0.135939613, 0.272440720), (128.0, 128, 0.970863044, 1.0)]
        {
            let Interval { low: l, high: h, .. } = wilson(successes, trials);
            assert!((l - low).abs() < 1e-8 && (h - high).abs() < 1e-8, "{successes}: {l} to {h}");
        }
        assert_eq!(wilson(0.0, 0), Interval { low: 0.0, high: 1.0, level: LEVEL });
    }
}
