//! Retrain: a fresh adapter on everything up to now, the costly reference.

use super::plan::Data;
use super::{Method, Part, Plan, Stage};
use crate::schema::Card;

pub const CARD: Card = Card {
    key: "retrain",
    name: "Retrain",
    sentence: "A fresh adapter is trained on all stages so far: the costly reference",
    formula: "L(t) = CE(1) + … + CE(t),  v(t) starts freshly",
    source: "Reference; epochs and learning rate are those of stage 1",
    fields: &[],
};

/// It has no options.
pub struct Retrain;

impl Method for Retrain {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part { data: Data::History, from_scratch: true, ..Part::from((stage.fresh)("retrain")) }.into()
    }
}
