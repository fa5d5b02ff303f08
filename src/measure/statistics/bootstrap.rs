//! The paired bootstrap over users: how far the gain would be from this one with other users of the same trained models.
//!
//! It makes no assumption on how gains are spread, and is shown beside the interval of [`Uncertainty`](super::Uncertainty) as a
//! second opinion on the users' part. Seeds are not resampled: two to ten are too few for it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::distribution::{normal_cdf, normal_quantile, quantile};
use super::paired::StageDifferences;
use super::{Interval, LEVEL, Paired, Unanswerable, checked_level};
use crate::seeds;

/// Resamples that share a stream of random numbers: the unit of work, so that the draws do not depend on the threads.
const BLOCK: usize = 128;

/// A paired bootstrap of the gain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    pub resamples: usize,
    /// Coverage of the interval, in (0, 1).
    pub level: f64,
    /// The run's seed; the bootstrap has its own stream of it.
    pub seed: u64,
}

/// What a bootstrap found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrapped {
    /// The gain itself, not a mean of resamples.
    pub gain: f64,
    /// Percentile interval: the quantiles of the resampled gains at `(1 ± level) / 2`.
    pub interval: Interval,
    /// The interval corrected for bias and skewness (BCa; Efron 1987, with the acceleration of several samples of Davison
    /// and Hinkley 1997, 5.3.2); absent where the resamples do not vary or the skewness is beyond correction.
    pub bias_corrected: Option<Interval>,
    /// Standard deviation of the resampled gains.
    pub standard_error: f64,
    pub resamples: usize,
}

impl Bootstrap {
    /// The usual bootstrap: 10,000 resamples, an interval of 95 %.
    pub fn new(seed: u64) -> Self {
        Self { resamples: 10_000, level: LEVEL, seed }
    }

    /// Resamples the users within each stage, each with the mean of its differences over the seeds. The same input and seed
    /// give the same result, and the methods exchanged give its negative.
    ///
    /// # Errors
    /// The settings are not usable.
    pub fn of(&self, paired: &Paired) -> Result<Bootstrapped, Unanswerable> {
        let level = checked_level(self.level)?;
        if self.resamples == 0 {
            return Err(Unanswerable::NoResamples);
        }
        let averaged = paired.averaged();
        let gain = paired.gain();
        let gains = self.resampled(&averaged);
        let half = 0.5 * (1.0 - level);
        let spread = gains.iter().map(|other| (other - gain).powi(2)).sum::<f64>() / self.resamples as f64;
        Ok(Bootstrapped {
            gain,
            interval: Interval { low: quantile(&gains, half), high: quantile(&gains, 1.0 - half), level },
            bias_corrected: bias_corrected(&averaged, &gains, paired.rounding(), level),
            standard_error: spread.sqrt(),
            resamples: self.resamples,
        })
    }

    /// The gains of all resamples of one value a user, sorted.
    fn resampled(&self, averaged: &Paired) -> Vec<f64> {
        let draws: Vec<StageDraws<'_>> = averaged.stages.iter().map(|stage| StageDraws::of(stage, averaged)).collect();
        let stream = seeds::derive(self.seed, &["paired bootstrap"]);
        let mut gains = vec![0.0; self.resamples];
        gains.par_chunks_mut(BLOCK).enumerate().for_each(|(block, gains)| {
            let mut random = ChaCha8Rng::seed_from_u64(stream);
            random.set_stream(block as u64);
            for gain in gains {
                *gain = draws.iter().map(|stage| stage.resampled_gain(&mut random)).sum();
            }
        });
        gains.sort_unstable_by(f64::total_cmp);
        gains
    }
}

/// How one stage's users are drawn.
struct StageDraws<'a> {
    differing: &'a [f64],
    rows: u32,
    /// How many of the drawn users have a difference. To draw that number, and then which ones, is the same as to draw
    /// all users one by one, and takes as many steps as there are differences.
    number: Binomial,
    /// The share of one user in the gain.
    weight: f64,
}

impl<'a> StageDraws<'a> {
    fn of(stage: &'a StageDifferences, averaged: &Paired) -> Self {
        let rows = stage.differing.len();
        let share = rows as f64 / stage.users as f64;
        let number = Binomial::new(stage.users as u64, share).expect("a share lies in 0..=1");
        let weight = ((stage.users * averaged.stages.len()) as f64).recip();
        let rows = u32::try_from(rows).expect("users are numbered with 32 bits");
        Self { differing: &stage.differing, rows, number, weight }
    }

    /// What this stage adds to the gain of one resample.
    fn resampled_gain(&self, random: &mut ChaCha8Rng) -> f64 {
        let number = self.number.sample(random);
        let sum: f64 = (0..number).map(|_| self.differing[random.random_range(0..self.rows) as usize]).sum();
        sum * self.weight
    }
}

/// The BCa interval of one value a user.
fn bias_corrected(averaged: &Paired, gains: &[f64], rounding: f64, level: f64) -> Option<Interval> {
    let gain = averaged.gain();
    let below = gains.partition_point(|&other| other < gain - rounding);
    let up_to = gains.partition_point(|&other| other <= gain + rounding);
    // Resamples equal to the gain count half: of hits there are many.
    let bias = normal_quantile((below + up_to) as f64 / (2 * gains.len()) as f64);
    let (mut squares, mut cubes) = (0.0, 0.0);
    for stage in &averaged.stages {
        let users = stage.users as f64;
        let mean = stage.differing.iter().sum::<f64>() / users;
        let without = (stage.users - stage.differing.len()) as f64;
        let moment = |power: i32| {
            let sum: f64 = stage.differing.iter().map(|difference| (difference - mean).powi(power)).sum();
            (sum + without * (-mean).powi(power)) / users.powi(power)
        };
        squares += moment(2);
        cubes += moment(3);
    }
    if !bias.is_finite() || squares <= rounding * rounding {
        return None;
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let end = |p: f64| {
        let z = bias + normal_quantile(p);
        let stretch = 1.0 - acceleration * z;
        (stretch > 0.0).then(|| quantile(gains, normal_cdf(bias + z / stretch)))
    };
    let half = 0.5 * (1.0 - level);
    Some(Interval { low: end(half)?, high: end(1.0 - half)?, level })
}
