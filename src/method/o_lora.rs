//! O-LoRA: each stage learns a fresh adapter whose A is held orthogonal to those of all past adapters, which are added.

use serde::{Deserialize, Serialize};

use super::term::{Orthogonal, Term};
use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "o_lora",
    name: "O-LoRA",
    sentence: "Each stage learns a fresh adapter in a subspace held orthogonal to those of the past, which are added",
    formula: "L(t) = CE(t) + λ Σ |A′·A^T|,  W + α/r · (B·A + Σ B′·A′)",
    source: "Orthogonal Subspace Learning for Language Model Continual Learning, arXiv 2310.14152",
    family: Family::AddedAdapters,
    fields: &[Field {
        path: "lambda",
        label: "λ",
        help: "Weight of the overlap between the new adapter's directions and the old ones'",
        kind: Kind::Number { min: 0.0, max: 1e6 },
    }],
};

/// Options of O-LoRA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OLora {
    pub lambda: f64,
}

impl Default for OLora {
    fn default() -> Self {
        Self { lambda: 0.5 }
    }
}

impl Method for OLora {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for OLora {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let past = stage.past.to_vec();
        let terms = vec![Term::Orthogonal(Orthogonal { lambda: self.lambda, past: past.clone() })];
        Part { added: past, terms, ..Part::from((stage.fresh)("adapter")) }.into()
    }
}
