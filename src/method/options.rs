//! What the project file says of a method.

use serde::{Deserialize, Serialize};

/// A method and its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum MethodOptions {
    /// The adapter of stage 1 for all stages.
    Frozen,
    /// One evolving adapter, cross-entropy only.
    Single,
    /// The previous adapter, normalised and frozen, is added to the evolving one.
    SumLora(SumLora),
    /// One evolving adapter pulled toward its previous state.
    Peso(Peso),
}

/// Options of SumLoRA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SumLora {
    /// Whether the current adapter starts from the previous one, else freshly.
    pub inherit: bool,
}

impl Default for SumLora {
    fn default() -> Self {
        Self { inherit: true }
    }
}

/// Options of PESO.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peso {
    pub lambda: f64,
    pub distance: Distance,
    pub aggregation: Aggregation,
}

impl Default for Peso {
    fn default() -> Self {
        Self { lambda: 2.0, distance: Distance::SoftmaxKl { temperature: 1.0 }, aggregation: Aggregation::Sum }
    }
}

/// The proximal term's distance between the adapter and its previous state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Distance {
    /// KL(softmax(v / temperature) || softmax(previous / temperature)) of each group.
    SoftmaxKl { temperature: f64 },
    /// Half the squared Euclidean distance of each group.
    L2,
}

/// How the groups' distances are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregation {
    /// The paper: the sum over all groups.
    Sum,
    /// The release: A and B of a module are added, modules averaged, probabilities smoothed by 1e-8.
    Mean,
}
