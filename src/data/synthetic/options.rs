//! Controls of the generator, as a project file has them.

use serde::{Deserialize, Serialize};

/// Controls of the synthetic drift generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyntheticOptions {
    /// Users of all stages together.
    pub users: usize,
    /// Items of all stages together.
    pub items: usize,
    pub stages: usize,
    /// Mean interactions of an active user in stage 1, and in each later stage; every one has at least 2.
    pub interactions: (f64, f64),
    /// Codes per level of the semantic ids (4 levels).
    pub codes: usize,
    /// Dimension of the latent tastes.
    pub latent: usize,
    /// Rank of the planted rotation of preferences between stages.
    pub rotation_rank: usize,
    /// Strength of the drift: angle of the rotation a stage, in radians.
    pub drift: f64,
    /// Whether preferences turn a little from every stage to the next, or all at once.
    pub onset: Onset,
    /// Share of users whose tastes drift; the others keep theirs, and so do recurring users.
    pub drifting_share: f64,
    /// Share of the drifting users whose preferences turn the other way, by the same angle.
    pub contradictory: f64,
    /// Users, or tastes, that come back every so many stages as they were.
    pub recurring: Recurring,
    /// Share of the items that are there only every [`season`](Self::season) stages.
    pub seasonal_items: f64,
    /// Stages from one return of a seasonal item to the next.
    pub season: usize,
    /// Share of the users, and of the items, that first appear in each later stage.
    pub arrivals: f64,
    /// Chance that a user of an earlier stage is active in a later one.
    pub return_chance: f64,
    /// Share of the choices that are made at random among the items that are there.
    pub choice_noise: f64,
    /// Popularity skew: an item's popularity falls with its rank to this power; 0 makes all items equally popular.
    pub popularity_skew: f64,
    pub seed: u64,
}

/// When the preferences of a generated dataset turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Onset {
    /// By `drift` from each stage to the next.
    Gradual,
    /// Once, before this stage (from 2), by as much as a gradual drift turns up to the last stage.
    Abrupt(usize),
}

/// What of the users comes and goes. Each has a phase of its own, so that every stage sees some of it, and all of it is there in the
/// stage in which it first appears.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Recurring {
    /// Nothing.
    None,
    /// A share of the users acts only every so many stages, and comes back with the old taste.
    Users { share: f64, every: usize },
    /// A share of the dimensions of taste counts only every so many stages.
    Tastes { share: f64, every: usize },
}

impl Default for SyntheticOptions {
    fn default() -> Self {
        Self {
            users: 800,
            items: 400,
            stages: 5,
            interactions: (11.0, 5.5),
            codes: 16,
            latent: 16,
            rotation_rank: 2,
            drift: 0.6,
            onset: Onset::Gradual,
            drifting_share: 0.5,
            contradictory: 0.0,
            recurring: Recurring::None,
            seasonal_items: 0.0,
            season: 3,
            arrivals: 0.08,
            return_chance: 0.5,
            choice_noise: 0.0,
            popularity_skew: 0.45,
            seed: 7,
        }
    }
}
