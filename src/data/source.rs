//! Where a dataset comes from, as the project file says it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the interactions come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DatasetSource {
    /// A folder of the paper's release: `<name>.all.block_<k>.json`, `<name>.index.*.json`, optional `<name>.item.json`.
    PesoRelease { path: PathBuf },
    /// Generated users whose tastes drift; labelled as synthetic wherever it is shown.
    Synthetic(SyntheticOptions),
}

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
    /// Angle of the rotation a stage, in radians.
    pub drift: f64,
    /// Share of users whose tastes drift; the others keep theirs.
    pub drifting_share: f64,
    /// Share of the users, and of the items, that first appear in each later stage.
    pub arrivals: f64,
    pub seed: u64,
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
            drifting_share: 0.5,
            arrivals: 0.08,
            seed: 7,
        }
    }
}
