//! Means that are held against bounds, together: the one place where p-values and intervals are corrected for it.

use serde::{Deserialize, Serialize};

use super::{Interval, Uncertainty, holm};

/// A mean with the bound that it is held against: a gain with 0, or with the least gain that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    pub value: f64,
    pub uncertainty: Uncertainty,
    pub bound: f64,
}

/// What can be said of a [`Held`] after the correction for its family.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// Of the distance to the bound, two-sided, by Holm.
    pub p_value: f64,
    /// Of the value. It leaves the bound out exactly where the p-value is at most alpha.
    pub interval: Interval,
}

impl Held {
    /// Corrects a family so that the chance of any false claim on which side of its bound a mean lies is at most `alpha`.
    pub fn corrected(family: &[Self], alpha: f64) -> Vec<Corrected> {
        let p_values: Vec<f64> = family.iter().map(|held| held.uncertainty.p_value(held.value - held.bound)).collect();
        let corrected = |((held, p_value), &own): ((&Self, f64), &f64)| {
            // The correction multiplies the p-value, so the interval's part outside is divided.
            let factor = if own > 0.0 { p_value / own } else { family.len() as f64 };
            Corrected { p_value, interval: held.uncertainty.interval(held.value, 1.0 - alpha / factor) }
        };
        family.iter().zip(holm(&p_values)).zip(&p_values).map(corrected).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::statistics::Variance;

    fn held(value: f64, bound: f64) -> Held {
        let users = Variance { variance: 0.01 * 0.01, freedom: 1e6 };
        Held { value, uncertainty: Uncertainty { users, seeds: None }, bound }
    }

    #[test]
    fn an_interval_leaves_its_bound_out_where_the_p_value_says_so() {
        // Errors of 0.01: 2.5, 2.1 and 1 of them from the bounds, by the normal tables p = 0.0124, 0.0357 and 0.3173.
        let found = Held::corrected(&[held(0.035, 0.01), held(-0.011, 0.01), held(0.0, 0.01)], 0.05);
        let p: Vec<f64> = found.iter().map(|found| found.p_value).collect();
        let expected = [3.0 * 0.0124, 2.0 * 0.0357, 0.3173];
        assert!(p.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 2e-4), "{p:?}");
        let out: Vec<bool> = found.iter().map(|found| !found.interval.contains(0.01)).collect();
        assert_eq!(out, [true, false, false]);
        assert!((found[1].interval.level - 0.975).abs() < 1e-9, "second of three: twice corrected");
    }
}
