//! Frozen: the adapter of stage 1 serves all stages (the paper's "pretrain").

use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};

pub const CARD: Card = Card {
    key: "frozen",
    name: "Frozen",
    sentence: "The adapter of stage 1 serves all stages: what no update at all would give",
    formula: "v(t) = v(1)",
    source: "arXiv 2510.25093",
    family: Family::OneAdapter,
    fields: &[],
};

/// It has no options.
pub struct Frozen;

impl Method for Frozen {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Frozen {
    fn trains(&self) -> bool {
        false
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part::from(stage.latest()).into()
    }
}
