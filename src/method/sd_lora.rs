//! SD-LoRA: as SumLoRA, but every adapter, past or current, has a magnitude that is learned.
//!
//! Source: SD-LoRA (ICLR 2025). One magnitude an adapter, shared by its modules, 1 when a stage begins.

use serde::{Deserialize, Serialize};

use super::sum_lora::{INHERIT, PAST, normalised};
use super::{AdapterMethod, Card, Family, Method, Part, Past, Plan, Stage};

pub const CARD: Card = Card {
    key: "sd_lora",
    name: "SD-LoRA",
    sentence: "Past adapters are added as directions whose magnitudes are learned with the current adapter",
    formula: "W + α/r · (m·B·A + Σ m′ · B′/‖B′‖ · A′/‖A′‖),  m learned, 1 at first",
    source: "SD-LoRA: Scalable Decoupled Low-Rank Adaptation, arXiv 2501.13198",
    family: Family::AddedAdapters,
    fields: &[PAST, INHERIT],
};

/// Options of SD-LoRA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SdLora {
    pub past: Past,
    /// Whether the current adapter starts from the previous one, else freshly.
    pub inherit: bool,
}

impl Default for SdLora {
    fn default() -> Self {
        Self { past: Past::Latest, inherit: true }
    }
}

impl Method for SdLora {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for SdLora {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let start = if self.inherit { stage.latest() } else { (stage.fresh)("adapter") };
        let added = self.past.of(stage).iter().map(normalised).collect();
        Part { added, magnitudes: true, ..Part::from(start) }.into()
    }
}
