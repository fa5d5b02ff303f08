//! The distributions that the tests refer to.

use std::f64::consts::PI;

use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::ln_gamma;

/// Chance that a standard normal variable is at most `x`.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value below which a standard normal variable is with chance `p`.
pub fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// Chance that a chi-square variable with 1 degree of freedom exceeds `x >= 0`.
pub fn chi_square_upper(x: f64) -> f64 {
    erfc((0.5 * x).sqrt())
}

/// Chance that the absolute value of a Student t variable with `freedom > 0` degrees of freedom exceeds that of `t`.
pub fn t_two_sided(t: f64, freedom: f64) -> f64 {
    let share = freedom / (freedom + t * t);
    checked_beta_reg(0.5 * freedom, 0.5, share).expect("degrees of freedom are positive and the share is in 0..=1")
}

/// The value below which a Student t variable with `freedom > 0` degrees of freedom is with chance `p` in (0, 1), of which
/// less than 1e-150 on either side is not told apart.
///
/// Newton's method on the logarithm of [`t_two_sided`] by the logarithm of t, which falls ever more steeply, so that steps
/// from the far side never pass the solution. The ready-made inverse is exact to only five digits with 100,000 degrees of
/// freedom.
pub fn t_quantile(p: f64, freedom: f64) -> f64 {
    let tail = 2.0 * p.min(1.0 - p);
    if tail >= 1.0 {
        return 0.0;
    }
    let mut t = 1.0;
    while t_two_sided(t, freedom) > tail {
        t *= 2.0;
    }
    let constant = ln_gamma(0.5 * (freedom + 1.0)) - ln_gamma(0.5 * freedom) - 0.5 * (freedom * PI).ln();
    for _ in 0..100 {
        let outside = t_two_sided(t, freedom);
        let density = (constant - 0.5 * (freedom + 1.0) * (t * t / freedom).ln_1p()).exp();
        let step = (outside / tail).ln() * outside / (2.0 * density * t);
        let next = t * step.exp();
        if !next.is_finite() || (next / t - 1.0).abs() <= 2.0 * f64::EPSILON {
            break;
        }
        t = next;
    }
    if p < 0.5 { -t } else { t }
}

/// Mean; not a number where there is no value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The quantile of sorted values at `p` in 0..=1, interpolated linearly between order statistics (type 7 of Hyndman and
/// Fan 1996).
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const REFERENCE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/statistics/student_t.json"));

    #[test]
    fn student_t_is_that_of_scipy() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        let number = |case: &Value, name: &str| case[name].as_f64().unwrap();
        for case in reference["quantiles"].as_array().unwrap() {
            let found = t_quantile(number(case, "p"), number(case, "freedom"));
            assert!((found / number(case, "value") - 1.0).abs() < 1e-10, "{found} for {case}");
        }
        for case in reference["tails"].as_array().unwrap() {
            let found = t_two_sided(number(case, "t"), number(case, "freedom"));
            assert!((found / number(case, "two_sided") - 1.0).abs() < 1e-10, "{found} for {case}");
        }
    }

    #[test]
    fn far_tails_have_quantiles() {
        for freedom in [1.0, 2.0, 78.0, 1e5] {
            for tail in [1e-150, 1e-40, 1e-12, 0.05, 0.9] {
                let t = -t_quantile(0.5 * tail, freedom);
                assert!((t_two_sided(t, freedom) / tail - 1.0).abs() < 1e-9, "t {t} of {freedom} at {tail}");
            }
            assert_eq!(t_quantile(0.5, freedom), 0.0);
        }
    }

    #[test]
    fn quantiles_lie_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!((quantile(&sorted, 0.0), quantile(&sorted, 0.5), quantile(&sorted, 1.0)), (1.0, 3.0, 8.0));
        assert_eq!(quantile(&[3.0], 0.7), 3.0);
    }
}
