//! The report as plain data.

use serde::{Deserialize, Serialize};

use crate::subspace::{Angles, Match};

/// What moved in a run. Stages count from 1; only those whose adapter is there are in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubspaceReport {
    pub run: String,
    pub experiment: String,
    /// The method's key.
    pub method: String,
    pub seed: u64,
    pub synthetic: bool,
    /// Rank of the adapter that is trained; an update that adds past adapters has more.
    pub rank: usize,
    /// What has to be said of the figures, in one sentence: of a method that predicts with two models.
    pub note: Option<String>,
    pub stages: Vec<usize>,
    /// By layer, then in the order of a layer's projections.
    pub modules: Vec<ModuleReport>,
    /// By layer; the key is its number.
    pub layers: Vec<Group>,
    /// By projection; the key is its name.
    pub projections: Vec<Group>,
    /// All modules together; the key is `all`.
    pub whole: Group,
    /// Trained rows of embedding and head; empty where none are trained.
    pub rows: Vec<RowsReport>,
}

/// One module: a weight `[output, input]` that has an update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleReport {
    /// `model.layers.3.self_attn.q_proj`
    pub name: String,
    /// From 0.
    pub layer: usize,
    /// `q_proj`
    pub projection: String,
    pub output: usize,
    pub input: usize,
    /// By place in [`SubspaceReport::stages`].
    pub stages: Vec<ModuleStage>,
    /// Every pair of stages, the earlier one first, by first and then second.
    pub pairs: Vec<Between>,
}

/// A module's update after a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleStage {
    pub stage: usize,
    /// Of the update, descending; as many as its factors have ranks. Those from [`Self::rank`] on are rounding.
    pub singular_values: Vec<f64>,
    /// Directions of the update: dimension of its subspaces.
    pub rank: usize,
    /// `e` to the entropy of the singular values' shares.
    pub effective_rank: f64,
    /// `‖ΔW‖_F² / ‖ΔW‖₂²`
    pub stable_rank: f64,
    /// `‖ΔW‖_F`
    pub norm: f64,
    /// `‖v‖` of the trained adapter: A and B as one vector.
    pub parameters_norm: f64,
    /// Since the stage before; none in the first.
    pub moved: Option<Moved>,
    /// For each of the update's directions the one of the stage before that it continues, matched by the directions'
    /// matrices `u vᵀ`; empty in the first.
    pub matches: Vec<Option<Match>>,
}

/// A move from one stage to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// `‖ΔW_t - ΔW_{t-1}‖_F`
    pub norm: f64,
    /// `‖v_t - v_{t-1}‖` of the trained adapter.
    pub parameters: f64,
    /// Share of the move's energy that writes into the previous update's column space.
    pub inside_left: f64,
    /// Share that reads from its row space.
    pub inside_right: f64,
    /// Share that does both.
    pub inside_both: f64,
    /// What [`Self::inside_left`] is for a move in a random direction: rank / output.
    pub chance_left: f64,
    /// The same for [`Self::inside_right`]: rank / input.
    pub chance_right: f64,
}

/// Two stages of one module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Between {
    pub from: usize,
    pub to: usize,
    /// `‖ΔW_to - ΔW_from‖_F`
    pub distance: f64,
    /// Cosine between both updates as vectors; 0 where one is zero.
    pub cosine: f64,
    /// Column spaces.
    pub left: SidedAngles,
    /// Row spaces.
    pub right: SidedAngles,
}

/// Principal angles of a side, and the distances made of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SidedAngles {
    /// Radians, ascending.
    pub radians: Vec<f64>,
    /// `√Σ θ²`
    pub grassmann: f64,
    /// `√Σ sin² θ`
    pub chordal: f64,
    /// Mean squared cosine; none where a subspace is empty.
    pub overlap: Option<f64>,
}

impl From<Angles> for SidedAngles {
    fn from(angles: Angles) -> Self {
        let (grassmann, chordal, overlap) = (angles.grassmann(), angles.chordal(), angles.overlap());
        Self { radians: angles.radians, grassmann, chordal, overlap }
    }
}

/// Modules that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub key: String,
    pub modules: usize,
    /// By place in [`SubspaceReport::stages`].
    pub stages: Vec<GroupStage>,
}

/// A group after a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupStage {
    pub stage: usize,
    /// `‖ΔW‖_F` over all its modules as one vector.
    pub norm: f64,
    pub parameters_norm: f64,
    /// Mean over modules.
    pub effective_rank: f64,
    /// The same as for a module, over all its modules as one vector; shares weighted by the modules' moves. None in the first
    /// stage.
    pub moved: Option<Moved>,
    /// Mean over modules of the Grassmann distance to the stage before, left and right; none in the first.
    pub grassmann: Option<[f64; 2]>,
    /// Mean over modules of the Grassmann distance to stage 1, left and right; none in the first.
    pub grassmann_to_first: Option<[f64; 2]>,
}

/// The trained rows of the embedding or the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowsReport {
    /// `model.embed_tokens.weight.added`
    pub name: String,
    pub rows: usize,
    pub width: usize,
    /// By place in [`SubspaceReport::stages`], from the second on.
    pub stages: Vec<RowsStage>,
}

/// Rows after a stage, against the stage before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowsStage {
    pub stage: usize,
    /// Frobenius norm of the rows.
    pub norm: f64,
    /// Frobenius norm of their move since the stage before.
    pub moved: f64,
    /// The same since the first stage.
    pub moved_since_first: f64,
    /// Mean and largest length of one row's move since the stage before.
    pub mean_row: f64,
    pub largest_row: f64,
    /// The rows that moved most (at most 20), with the lengths of their moves, largest first.
    pub most_moved: Vec<(usize, f64)>,
}
