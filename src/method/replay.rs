//! Replay: a sample of earlier examples is trained again beside the stage's own.

use serde::{Deserialize, Serialize};

use super::{AdapterMethod, Card, Data, Family, Method, Part, Plan, Stage};
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "replay",
    name: "Replay",
    sentence: "A sample of earlier examples is trained again beside the new ones",
    formula: "L(t) = CE(t) + CE(sample of 1…t−1)",
    source: "Experience replay; a uniform sample (reservoir) of all earlier training targets",
    family: Family::Memory,
    fields: &[Field {
        path: "examples",
        label: "Examples",
        help: "Earlier examples in the sample: more forgets less and takes longer",
        kind: Kind::Whole { min: 1, max: 100_000_000 },
    }],
};

/// Options of Replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replay {
    /// Earlier training targets in a stage's sample.
    pub examples: usize,
}

impl Default for Replay {
    fn default() -> Self {
        Self { examples: 1_000 }
    }
}

impl Method for Replay {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Replay {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part { data: Data::Replay { examples: self.examples }, ..Part::from(stage.latest()) }.into()
    }
}
