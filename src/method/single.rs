//! Single evolving LoRA: each stage goes on from the last one's adapter, with cross-entropy alone.

use super::{Method, Part, Plan, Stage};
use crate::schema::Card;

pub const CARD: Card = Card {
    key: "single",
    name: "Single evolving LoRA",
    sentence: "One adapter goes on learning from stage to stage, with nothing that holds it back",
    formula: "L(t) = CE(t),  v(t) starts from v(t−1)",
    source: "arXiv 2510.25093",
    fields: &[],
};

/// It has no options.
pub struct Single;

impl Method for Single {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part::from(stage.latest()).into()
    }
}
