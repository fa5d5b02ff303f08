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
    /// Share of users whose tastes drift; the others keep theirs.
    pub drifting_share: f64,
    /// Share of the users, and of the items, that first appear in each later stage.
    pub arrivals: f64,
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
            arrivals: 0.08,
            popularity_skew: 0.45,
            seed: 7,
        }
    }
}
