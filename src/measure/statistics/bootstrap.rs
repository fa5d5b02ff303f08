//! The paired bootstrap: how far the gain would be from this one with other users and other seeds.

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

/// What is drawn with replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resampling {
    /// Users within each stage, with the seeds as they are: what holds for other users of these trained models.
    Users,
    /// Users within each stage and, independently, seeds (crossed, the *pigeonhole* bootstrap; Owen 2007): what holds for
    /// other users and other trained models. Needs two seeds.
    UsersAndSeeds,
}

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
    /// and Hinkley 1997, 5.3.2). Only of [`Resampling::Users`], and absent where the resamples do not vary or the
    /// skewness is beyond correction.
    pub bias_corrected: Option<Interval>,
    /// Two-sided: `(1 + count) / (1 + resamples)`, where `count` is the resamples whose gain is at least as far from the
    /// observed gain as that is from 0 (the bootstrap shifted to no gain; Efron and Tibshirani 1993, 16.4). At least
    /// `1 / (1 + resamples)`, and 1 where the gain is 0.
    pub p_value: f64,
    /// Standard deviation of the resampled gains.
    pub standard_error: f64,
    /// Test cases (see [`Paired::users`]) and seeds.
    pub users: usize,
    pub seeds: usize,
    pub resampling: Resampling,
    pub resamples: usize,
}

impl Bootstrap {
    /// The usual bootstrap: 10,000 resamples, an interval of 95 %.
    pub fn new(seed: u64) -> Self {
        Self { resamples: 10_000, level: LEVEL, seed }
    }

    /// Resamples the gain. The same input and seed give the same result, and the methods exchanged give its negative.
    ///
    /// # Errors
    /// Where seeds are to be drawn and there is only one, or the settings are not usable.
    pub fn of(&self, paired: &Paired, resampling: Resampling) -> Result<Bootstrapped, Unanswerable> {
        let level = checked_level(self.level)?;
        if self.resamples == 0 {
            return Err(Unanswerable::NoResamples);
        }
        let averaged = match resampling {
            Resampling::Users => Some(paired.averaged()),
            Resampling::UsersAndSeeds if paired.seeds() < 2 => {
                return Err(Unanswerable::NotEnoughSeeds { seeds: paired.seeds() });
            }
            Resampling::UsersAndSeeds => None,
        };
        let (gain, rounding) = (paired.gain(), paired.rounding());
        let gains = self.resampled(averaged.as_ref().unwrap_or(paired));
        let half = 0.5 * (1.0 - level);
        let spread = gains.iter().map(|other| (other - gain).powi(2)).sum::<f64>() / self.resamples as f64;
        Ok(Bootstrapped {
            gain,
            interval: Interval { low: quantile(&gains, half), high: quantile(&gains, 1.0 - half), level },
            bias_corrected: averaged.and_then(|averaged| bias_corrected(&averaged, &gains, rounding, level)),
            p_value: p_value(gain, &gains, rounding),
            standard_error: spread.sqrt(),
            users: paired.users(),
            seeds: paired.seeds(),
            resampling,
            resamples: self.resamples,
        })
    }

    /// The gains of all resamples, sorted.
    fn resampled(&self, paired: &Paired) -> Vec<f64> {
        let draws: Vec<StageDraws<'_>> = paired.stages.iter().map(|stage| StageDraws::of(stage, paired)).collect();
        let stream = seeds::derive(self.seed, &["paired bootstrap"]);
        let mut gains = vec![0.0; self.resamples];
        gains.par_chunks_mut(BLOCK).enumerate().for_each(|(block, gains)| {
            let mut random = ChaCha8Rng::seed_from_u64(stream);
            random.set_stream(block as u64);
            let mut scratch = Scratch { sums: vec![0.0; paired.seeds()], gains: vec![0.0; paired.seeds()] };
            for gain in gains {
                *gain = resampled_gain(&draws, &mut scratch, &mut random);
            }
        });
        gains.sort_unstable_by(f64::total_cmp);
        gains
    }
}

fn p_value(gain: f64, gains: &[f64], rounding: f64) -> f64 {
    let count = gains.iter().filter(|&&other| (other - gain).abs() + rounding >= gain.abs()).count();
    (1 + count) as f64 / (1 + gains.len()) as f64
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
    fn of(stage: &'a StageDifferences, paired: &Paired) -> Self {
        let rows = stage.differing.len() / paired.seeds();
        let share = rows as f64 / stage.users as f64;
        let number = Binomial::new(stage.users as u64, share).expect("a share lies in 0..=1");
        let weight = ((stage.users * paired.stages.len()) as f64).recip();
        let rows = u32::try_from(rows).expect("users are numbered with 32 bits");
        Self { differing: &stage.differing, rows, number, weight }
    }

    /// The sum for each seed over one resample of this stage's users. With one seed no row has to be cut out.
    fn sum_into(&self, sums: &mut [f64], random: &mut ChaCha8Rng) {
        let number = self.number.sample(random);
        if let [sum] = sums {
            *sum = (0..number).map(|_| self.differing[random.random_range(0..self.rows) as usize]).sum();
            return;
        }
        sums.fill(0.0);
        let seeds = sums.len();
        for _ in 0..number {
            let start = random.random_range(0..self.rows) as usize * seeds;
            sums.iter_mut().zip(&self.differing[start..start + seeds]).for_each(|(sum, difference)| *sum += difference);
        }
    }
}

/// Of each seed: the sum over one stage, and the gain over all.
struct Scratch {
    sums: Vec<f64>,
    gains: Vec<f64>,
}

/// The gain of one resample of users and, where there are several, of seeds.
fn resampled_gain(draws: &[StageDraws<'_>], scratch: &mut Scratch, random: &mut ChaCha8Rng) -> f64 {
    let Scratch { sums, gains } = scratch;
    gains.fill(0.0);
    for stage in draws {
        stage.sum_into(sums, random);
        gains.iter_mut().zip(&*sums).for_each(|(gain, sum)| *gain += sum * stage.weight);
    }
    let seeds = gains.len();
    if seeds == 1 {
        return gains[0];
    }
    // A seed is a trained model, and goes through all stages: it is drawn once for them.
    (0..seeds).map(|_| gains[random.random_range(0..seeds)]).sum::<f64>() / seeds as f64
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
