//! How far a measured gain may lie from the true one, where both the test users and the seeds are samples.
//!
//! A gain varies with the users who are tested and with the seeds that were trained. The users are thousands, so their
//! part of the variance is known well; the seeds are two to ten, so theirs is not, and a percentile bootstrap over seeds,
//! or a normal interval, is too short: with three seeds whose spread outweighs the users' it holds the true gain 75 times
//! in 100. Student's t with `seeds - 1` degrees of freedom is right where only seeds vary and twelve times too wide with
//! two of them where only users do. The critical value used here goes from one to the other with the seeds' share of the
//! variance, in such a way that the interval's coverage is what it says (see [`Uncertainty::critical_value`]).

use serde::{Deserialize, Serialize};

use super::distribution::{mean, t_quantile, t_two_sided};
use super::{Interval, Paired};

/// The least p-value that has a quantile.
const LEAST: f64 = 1e-150;

/// Halvings of the range that a p-value lies in: enough for ten digits.
const HALVINGS: usize = 40;

/// The variance of a gain by what it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Uncertainty {
    /// Over samples of users, without what a user's chance under one seed adds: that is part of the spread over seeds.
    /// Of a single seed, with it.
    pub users: Variance,
    /// Over samples of seeds; absent of a single one.
    pub seeds: Option<Variance>,
}

/// An estimated variance, in the squared unit of the gain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    pub variance: f64,
    /// Degrees of freedom of the estimate.
    pub freedom: f64,
}

impl Uncertainty {
    /// Of the gain of `paired`, in the crossed model `difference[user, seed] = gain + user + seed + rest`.
    ///
    /// With S seeds, the variance of the seeds' gains by S estimates `seed/S + rest/(S·users)`, and the variance of the
    /// users' means by the number of users `user/users + rest/(S·users)`. The rest is in both; it is estimated from what
    /// users and seeds leave of each stage, and taken out of the second.
    pub fn of(paired: &Paired) -> Self {
        let stages = paired.stages.len();
        let over_users = paired.variance_over_users();
        let freedom = (paired.users() - stages) as f64;
        let seeds = paired.seeds();
        if seeds < 2 {
            return Self { users: Variance { variance: over_users, freedom }, seeds: None };
        }
        let gains = paired.gain_of_seeds();
        let gain = mean(&gains);
        let squares: f64 = gains.iter().map(|of_seed| (of_seed - gain).powi(2)).sum();
        let rounding = paired.rounding();
        let over_seeds = squares / ((seeds - 1) * seeds) as f64;
        Self {
            users: Variance { variance: (over_users - paired.residual_variance()).max(0.0), freedom },
            seeds: Some(Variance {
                variance: if over_seeds <= rounding * rounding { 0.0 } else { over_seeds },
                freedom: (seeds - 1) as f64,
            }),
        }
    }

    /// Standard deviation of the gain.
    pub fn standard_error(&self) -> f64 {
        (self.users.variance + self.seeds.map_or(0.0, |seeds| seeds.variance)).sqrt()
    }

    /// The seeds' share of the variance, in 0..=1; 0 where nothing varies.
    fn share_of_seeds(&self) -> f64 {
        match self.seeds {
            Some(seeds) if seeds.variance > 0.0 => seeds.variance / (seeds.variance + self.users.variance),
            _ => 0.0,
        }
    }

    /// Half the length of the interval of this coverage, in standard errors.
    ///
    /// With the seeds' share r of the variance it is `q² = u² + (s² - u²)·9r³/(1 + 8r³)`, where u and s are the two-sided
    /// quantiles of Student's t with the users' and the seeds' degrees of freedom. For r = 0 and r = 1 that is exact. Between
    /// them no exact interval exists (it is the problem of Behrens and Fisher with one variance known); the form was chosen
    /// so that a nominal 95 % lies between 93.6 and 96.4 % with two seeds, and between 95.0 and 96.3 % with three to ten,
    /// whatever the true share. The tests simulate it.
    pub fn critical_value(&self, level: f64) -> f64 {
        self.critical_value_at(1.0 - level)
    }

    /// [`Self::critical_value`] by what lies outside the interval, which may be too small to be told from 0 beside 1.
    fn critical_value_at(&self, alpha: f64) -> f64 {
        let two_sided = |freedom: f64| -t_quantile(0.5 * alpha, freedom);
        let of_users = two_sided(self.users.freedom);
        let Some(seeds) = self.seeds else { return of_users };
        let cube = self.share_of_seeds().powi(3);
        let weight = 9.0 * cube / (1.0 + 8.0 * cube);
        if weight == 0.0 {
            return of_users;
        }
        let of_seeds = two_sided(seeds.freedom);
        (of_users.powi(2) + (of_seeds.powi(2) - of_users.powi(2)) * weight).sqrt()
    }

    /// The interval around `gain` with this coverage, in (0, 1).
    pub fn interval(&self, gain: f64, level: f64) -> Interval {
        let error = self.standard_error();
        let half = if error > 0.0 { self.critical_value(level) * error } else { 0.0 };
        Interval { low: gain - half, high: gain + half, level }
    }

    /// The two-sided p-value of `gain`: one less the coverage at which the interval's end reaches 0, so that it is below alpha
    /// exactly where the interval of coverage 1 - alpha does not hold 0. It is 1 for no gain, and 0 for one without any
    /// spread.
    pub fn p_value(&self, gain: f64) -> f64 {
        if gain == 0.0 {
            return 1.0;
        }
        let distance = gain.abs() / self.standard_error();
        let of_users = t_two_sided(distance, self.users.freedom);
        let Some(seeds) = self.seeds.filter(|seeds| seeds.variance > 0.0) else { return of_users };
        // The critical value lies between both quantiles, so the p-value lies between both p-values.
        let (mut low, mut high) = (of_users.max(LEAST), t_two_sided(distance, seeds.freedom));
        let halvings = if low < high { HALVINGS } else { 0 };
        for _ in 0..halvings {
            // The geometric mean, without the underflow of a product
            let middle = low.sqrt() * high.sqrt();
            if self.critical_value_at(middle) > distance { low = middle } else { high = middle }
        }
        high
    }
}
