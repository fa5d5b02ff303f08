//! How a cost grows with a size: a power law through what was measured.

use serde::{Deserialize, Serialize};

use super::distribution::t_quantile;
use super::{Interval, LEVEL, mean};

/// `cost = factor · size^exponent`, fitted by least squares of the logarithms, so that every size counts alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// 1 where twice the size costs twice as much; 0 where it costs the same.
    pub exponent: f64,
    /// Of the exponent, by Student's t with two degrees of freedom less than sizes: none where only two were measured.
    pub interval: Option<Interval>,
    pub factor: f64,
    /// Share of the logarithms' variance that the law explains; 1 where all costs are the same.
    pub r_squared: f64,
}

impl PowerLaw {
    /// The law of costs by size; none of fewer than two different sizes, or where one is not above 0.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if !points.iter().all(|&(size, cost)| positive(size) && positive(cost)) {
            return None;
        }
        let (x, y): (Vec<f64>, Vec<f64>) = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).unzip();
        let (mean_x, mean_y) = (mean(&x), mean(&y));
        let spread = |one: &[f64], one_mean: f64, other: &[f64], other_mean: f64| -> f64 {
            one.iter().zip(other).map(|(a, b)| (a - one_mean) * (b - other_mean)).sum()
        };
        let (xx, xy, yy) =
            (spread(&x, mean_x, &x, mean_x), spread(&x, mean_x, &y, mean_y), spread(&y, mean_y, &y, mean_y));
        if points.len() < 2 || xx <= 1e-12 {
            return None;
        }
        let exponent = xy / xx;
        let left = (yy - exponent * xy).max(0.0);
        let freedom = points.len() - 2;
        let interval = (freedom > 0).then(|| {
            let error = (left / freedom as f64 / xx).sqrt();
            let half = t_quantile(0.5 + LEVEL / 2.0, freedom as f64) * error;
            Interval { low: exponent - half, high: exponent + half, level: LEVEL }
        });
        let r_squared = if yy > 1e-24 { 1.0 - left / yy } else { 1.0 };
        Some(Self { exponent, interval, factor: (mean_y - exponent * mean_x).exp(), r_squared })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_without_noise_is_found_exactly() {
        let points: Vec<(f64, f64)> = [10.0, 30.0, 200.0].map(|size: f64| (size, 0.5 * size.powf(1.5))).into();
        let law = PowerLaw::fit(&points).unwrap();
        assert!((law.exponent - 1.5).abs() < 1e-12 && (law.factor - 0.5).abs() < 1e-12, "{law:?}");
        assert!((law.r_squared - 1.0).abs() < 1e-12);
        let interval = law.interval.unwrap();
        assert!((interval.high - interval.low).abs() < 1e-6, "{interval:?}");
        let flat = PowerLaw::fit(&[(1.0, 7.0), (10.0, 7.0)]).unwrap();
        assert_eq!((flat.exponent, flat.interval, flat.r_squared), (0.0, None, 1.0));
    }

    /// `r = scipy.stats.linregress(log(x), log(y))`: `r.slope`, `r.rvalue ** 2`, `exp(r.intercept)` and
    /// `r.slope ± scipy.stats.t.ppf(0.975, 3) * r.stderr`.
    #[test]
    fn a_law_with_noise_is_that_of_scipy() {
        let points = [(100.0, 0.091), (200.0, 0.191), (400.0, 0.352), (800.0, 0.66), (1600.0, 1.41)];
        let law = PowerLaw::fit(&points).unwrap();
        let interval = law.interval.unwrap();
        assert!((law.exponent - 0.969_626_300_038).abs() < 1e-9, "{law:?}");
        assert!((law.r_squared - 0.998_452_020_338).abs() < 1e-9, "{law:?}");
        assert!((law.factor.ln() + 6.843_167_093_895).abs() < 1e-9, "{law:?}");
        let ends = [interval.low - 0.899_476_914_796, interval.high - 1.039_775_685_281];
        assert!(ends.iter().all(|apart| apart.abs() < 1e-9), "{law:?}");
    }

    #[test]
    fn what_has_no_law_has_none() {
        assert_eq!(PowerLaw::fit(&[]), None);
        assert_eq!(PowerLaw::fit(&[(3.0, 1.0)]), None);
        assert_eq!(PowerLaw::fit(&[(3.0, 1.0), (3.0, 2.0)]), None, "one size");
        assert_eq!(PowerLaw::fit(&[(3.0, 1.0), (4.0, 0.0)]), None, "no logarithm");
        assert_eq!(PowerLaw::fit(&[(3.0, 1.0), (4.0, f64::NAN)]), None);
    }
}
