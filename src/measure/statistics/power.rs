//! How much data a gain takes to be seen.

use serde::{Deserialize, Serialize};

use super::distribution::{normal_cdf, normal_quantile, t_quantile};
use super::{ALPHA, Paired, ROUNDING, SeedMean, Unanswerable, checked_level};

/// Seeds beyond which a corrected normal approximation gives the number that Student's t does, but for one.
const MANY: f64 = 1e4;

/// What a planned comparison should reach: the chance `power` to find a true gain by a two-sided test at `alpha`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Aim {
    alpha: f64,
    power: f64,
}

impl Default for Aim {
    /// 80 % power at 0.05.
    fn default() -> Self {
        Self { alpha: ALPHA, power: 0.8 }
    }
}

impl Aim {
    /// # Errors
    /// Where one of the two does not lie in (0, 1).
    pub fn new(alpha: f64, power: f64) -> Result<Self, Unanswerable> {
        Ok(Self { alpha: checked_level(alpha)?, power: checked_level(power)? })
    }

    /// The chance to find a true gain.
    pub(super) const fn power(&self) -> f64 {
        self.power
    }

    /// Distance between no gain and the gain that is found with the wanted power, in standard errors.
    fn distance(&self) -> f64 {
        normal_quantile(1.0 - 0.5 * self.alpha) + normal_quantile(self.power)
    }

    /// The smallest gain that this many test users reveal, at the variance of these differences. Normal approximation.
    pub fn detectable_gain(&self, paired: &Paired) -> f64 {
        self.distance() * paired.variance_over_users().sqrt()
    }

    /// Test cases (see [`Paired::users`]) that would reveal a gain as large as the observed one, at the variance of these
    /// differences and with the stages in the same proportion; `None` where no gain was observed. Normal approximation;
    /// never fewer than two a stage.
    pub fn users(&self, paired: &Paired) -> Option<u64> {
        let gain = paired.gain();
        let ratio = self.detectable_gain(paired) / gain;
        let min = 2 * paired.stages.len() as u64;
        (gain.abs() > paired.rounding()).then(|| ((paired.users() as f64 * ratio * ratio).ceil() as u64).max(min))
    }

    /// Seeds with which a paired t-test would reveal a gain as large as the observed one, at its spread over seeds; `None`
    /// where no gain was observed. Never fewer than two.
    pub fn seeds(&self, gain: &SeedMean) -> Option<u64> {
        if gain.mean.abs() <= ROUNDING * gain.standard_deviation {
            return None;
        }
        let effect = (gain.mean / gain.standard_deviation).abs();
        let normal = (self.distance() / effect).powi(2);
        if normal > MANY {
            // Half the squared critical value is what estimating the spread costs (Guenther 1981).
            return Some((normal + 0.5 * normal_quantile(1.0 - 0.5 * self.alpha).powi(2)).ceil() as u64);
        }
        let enough = |seeds: u64| power_of_t_test(effect, seeds as f64, self.alpha) >= self.power;
        // The t-test takes more than the normal approximation: that is where the search starts.
        let (mut few, mut many) = (1, (normal.ceil() as u64).max(2));
        while !enough(many) {
            (few, many) = (many, 2 * many);
        }
        while many - few > 1 {
            let middle = few + (many - few) / 2;
            if enough(middle) { many = middle } else { few = middle }
        }
        Some(many)
    }
}

/// Chance that a two-sided paired t-test of `n > 1` pairs rejects at `alpha`, where the mean difference is `effect`
/// standard deviations.
///
/// The noncentral t probability is the mean of `Φ(c·s - δ) - Φ(-c·s - δ)` over `s = sqrt(χ²_ν / ν)`, with the critical
/// value c, ν = n - 1, δ = effect·√n. In `x = ln s` the density is `exp(ν (x - (e^{2x} - 1) / 2))` but for a factor, and
/// smooth on the whole line, where sums over equal steps converge fastest.
fn power_of_t_test(effect: f64, n: f64, alpha: f64) -> f64 {
    let freedom = n - 1.0;
    let distance = effect * n.sqrt();
    if !distance.is_finite() {
        return 1.0;
    }
    let critical = t_quantile(1.0 - 0.5 * alpha, freedom);
    let step = 0.25 * (2.0 * freedom).sqrt().recip().min((1.0 + distance).recip());
    let (mut missed, mut total) = (0.0, 0.0);
    let mut add = |x: f64| {
        let weight = (freedom * (x - 0.5 * (2.0 * x).exp_m1())).exp();
        let limit = critical * x.exp();
        missed += weight * (normal_cdf(limit - distance) - normal_cdf(-limit - distance));
        total += weight;
        weight > 1e-20
    };
    add(0.0);
    for side in [step, -step] {
        let mut places = 1u32..;
        while places.next().is_some_and(|index| add(side * f64::from(index))) {}
    }
    1.0 - missed / total
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const REFERENCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/statistics/power.json"));

    #[test]
    fn the_power_of_the_t_test_is_that_of_statsmodels() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        let number = |case: &Value, name: &str| case[name].as_f64().unwrap();
        for case in reference["t_powers"].as_array().unwrap() {
            let found = power_of_t_test(number(case, "effect"), number(case, "n"), number(case, "alpha"));
            assert!((found / number(case, "power") - 1.0).abs() < 1e-6, "{found} for {case}");
        }
        for case in reference["t_solutions"].as_array().unwrap() {
            // Solved there for a number of seeds with a fraction: at that number, the power is the wanted one.
            let found = power_of_t_test(number(case, "effect"), number(case, "seeds"), number(case, "alpha"));
            assert!((found / number(case, "power") - 1.0).abs() < 1e-6, "{found} for {case}");
        }
    }

    fn seed_mean(mean: f64, standard_deviation: f64) -> SeedMean {
        let values = [mean - standard_deviation, mean, mean + standard_deviation];
        SeedMean::of(&values, 0.95).unwrap()
    }

    #[test]
    fn without_a_gain_nothing_suffices() {
        let hits = [vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]];
        let none = Paired::of_one_stage(&hits[..1], &hits[1..]).unwrap();
        assert_eq!(Aim::default().users(&none), None);
        assert!(Aim::default().detectable_gain(&none) > 0.0);
        assert_eq!(Aim::default().seeds(&seed_mean(0.0, 0.1)), None);
        // 0.1 + 0.2 - 0.3 is not quite 0
        let rounded = Paired::of_one_stage(&[vec![0.1, 0.2, 0.0]], &[vec![0.0, 0.0, 0.3]]).unwrap();
        assert_eq!(Aim::default().users(&rounded), None);
    }

    #[test]
    fn a_gain_without_spread_needs_the_least() {
        let a = [vec![1.0, 1.0, 1.0]];
        let paired = Paired::of_one_stage(&a, &[vec![0.0, 0.0, 0.0]]).unwrap();
        assert_eq!(Aim::default().users(&paired), Some(2));
        assert_eq!(Aim::default().seeds(&seed_mean(0.1, 0.0)), Some(2));
    }

    #[test]
    fn half_the_gain_takes_four_times_the_users() {
        let of = |gain: f64| {
            let differences: Vec<f64> = (0..1000).map(|i| gain + if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
            Paired::of_one_stage(&[differences], &[vec![0.0; 1000]]).unwrap()
        };
        let (one, half) = (Aim::default().users(&of(0.1)).unwrap(), Aim::default().users(&of(0.05)).unwrap());
        // (1.9600 + 0.8416)² · (1000 / 999) / 0.01
        assert_eq!(one, 786);
        assert!(half.abs_diff(4 * one) <= 4);
    }

    #[test]
    fn the_t_test_needs_more_seeds_than_the_normal_one() {
        let needed = Aim::default().seeds(&seed_mean(1.0, 1.0)).unwrap();
        assert!(power_of_t_test(1.0, needed as f64, 0.05) >= 0.8);
        assert!(power_of_t_test(1.0, (needed - 1) as f64, 0.05) < 0.8);
        assert!(needed > 8);
        let far = Aim::default().seeds(&seed_mean(1e-6, 1.0)).unwrap();
        assert!((far as f64 / 7.8489e12 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn without_an_effect_the_power_is_alpha() {
        for n in [2.0, 3.0, 10.0, 1000.0] {
            assert!((power_of_t_test(0.0, n, 0.05) - 0.05).abs() < 1e-9, "n {n}");
        }
    }
}
