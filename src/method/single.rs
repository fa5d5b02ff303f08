//! Single evolving LoRA: each stage goes on from the last one's adapter, with cross-entropy alone.

use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};

pub const CARD: Card = Card {
    key: "single",
    name: "Single evolving LoRA",
    sentence: "One adapter goes on learning from stage to stage, with nothing that holds it back",
    formula: "L(t) = CE(t),  v(t) starts from v(t−1)",
    source: "arXiv 2510.25093",
    family: Family::OneAdapter,
    fields: &[],
};

/// It has no options.
pub struct Single;

impl Method for Single {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Single {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part::from(stage.latest()).into()
    }
}
