//! Retrain: a fresh adapter on everything up to now, the costly reference.

use super::{AdapterMethod, Card, Data, Family, Method, Origin, Part, Plan, Stage};

pub const CARD: Card = Card {
    key: "retrain",
    name: "Retrain",
    sentence: "A fresh adapter is trained on all stages so far: the costly reference",
    formula: "L(t) = CE(1) + … + CE(t),  v(t) starts freshly",
    source: "Reference; epochs and learning rate are those of stage 1",
    family: Family::Memory,
    fields: &[],
};

/// It has no options.
pub struct Retrain;

impl Method for Retrain {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Retrain {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part { data: Data::History, origin: Origin::Base, ..Part::from((stage.fresh)("retrain")) }.into()
    }
}
