//! Whether one recommender is better than another, and how sure that is.
//!
//! Two methods are compared on the same test users, the same seeds and the same stages ([`Paired`]). [`Uncertainty`] gives
//! the interval and the p-value of the gain, [`Bootstrap`] a second opinion on the users' part, [`PairedT`] what the seeds
//! alone say, [`McNemar`] what the hits of one seed say, [`holm`] the correction over the methods of one table, [`Aim`] how
//! much data the gain would take.
//! [`certify`] says which settings may be claimed to lose little, [`Martingale`] whether scores in time order have changed.
//! [`Verdict`] is what a table prints of it; only there is a gain called significant.

mod bootstrap;
mod bounded_mean;
mod certificate;
mod distribution;
mod family;
mod holm;
mod martingale;
mod mcnemar;
mod needed;
mod over_seeds;
mod paired;
mod power;
mod power_law;
mod uncertainty;
mod verdict;
mod wilson;

pub use bootstrap::{Bootstrap, Bootstrapped};
pub use bounded_mean::BoundedLosses;
pub use certificate::{Certified, Claim, SettingLosses, certify};
pub use distribution::{mean, quantile};
pub use family::{Corrected, Held};
pub use holm::holm;
pub use martingale::{Crossing, Martingale, conformal_p_values};
pub use mcnemar::{McNemar, McNemarTest};
pub use needed::Needed;
pub use over_seeds::{PairedT, SeedMean};
pub use paired::Paired;
pub use power::Aim;
pub use power_law::PowerLaw;
pub use uncertainty::{Uncertainty, Variance};
pub use verdict::{Comparison, Evidence, Verdict, p_value_text};
pub use wilson::wilson;

use serde::{Deserialize, Serialize};

/// Share of repeated experiments whose interval holds the true value, unless it is said otherwise.
pub const LEVEL: f64 = 0.95;
/// Chance of calling a gain significant where there is none, unless it is said otherwise.
pub const ALPHA: f64 = 0.05;
/// Difference, relative to the values it comes from, that is left to rounding.
const ROUNDING: f64 = 1e-12;

/// A confidence interval, in the unit of the measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// Its nominal coverage, in (0, 1).
    pub level: f64,
}

impl Interval {
    /// Whether `value` lies in it, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Why a comparison has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum Unanswerable {
    /// The spread over seeds is not known from one of them.
    #[error("not enough seeds ({seeds} of at least 2)")]
    NotEnoughSeeds { seeds: usize },
    /// The spread over users is not known from one of them.
    #[error("not enough test users in compared stage {stage} ({users} of at least 2)")]
    NotEnoughUsers { stage: usize, users: usize },
    /// Nothing was compared.
    #[error("no stage to compare")]
    NoStage,
    /// The two methods, or two seeds of them, do not have the same seeds, stages or users.
    #[error("not paired: {found} {what} against {expected}")]
    NotPaired { what: String, found: usize, expected: usize },
    /// A value is infinite or not a number.
    #[error("a value is not finite: {value}")]
    NotFinite { value: String },
    /// A level of confidence, a level of significance or a power outside (0, 1).
    #[error("a level or power lies between 0 and 1: {level}")]
    Level { level: f64 },
    /// A mean of nothing.
    #[error("there is no user")]
    NoUsers,
    /// A loss beyond what a difference of two metrics can be.
    #[error("a loss lies between -1 and 1: {value}")]
    NotBounded { value: String },
    /// A bootstrap without resamples.
    #[error("at least 1 resample is needed")]
    NoResamples,
}

/// `level`, if it is one.
fn checked_level(level: f64) -> Result<f64, Unanswerable> {
    if level > 0.0 && level < 1.0 { Ok(level) } else { Err(Unanswerable::Level { level }) }
}

/// `values`, if all are finite.
fn checked_finite(values: &[f64]) -> Result<(), Unanswerable> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Unanswerable::NotFinite { value: value.to_string() }),
        None => Ok(()),
    }
}
