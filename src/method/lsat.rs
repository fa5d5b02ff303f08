//! LSAT: a long-term adapter that learns from the whole history, and a short-term one that learns from the stage alone,
//! predict together.

use serde::{Deserialize, Serialize};

use super::{AdapterMethod, Card, Data, Family, Method, Origin, Part, Plan, Stage};
use crate::schema::{Choice, Field, Kind};

pub const CARD: Card = Card {
    key: "lsat",
    name: "LSAT",
    sentence: "A long-term adapter on the whole history and a fresh short-term one on the new stage predict together",
    formula: "(1−s)·p(long: 1…t) + s·p(short: t), or the same mean of their updates",
    source: "Preliminary Study on Incremental Learning for LLM-based Recommender Systems, arXiv 2312.15599",
    family: Family::Memory,
    fields: &[
        Field {
            path: "combination",
            label: "Combine",
            help: "Whether probabilities are averaged, or the adapters' updates and token rows",
            kind: Kind::Choice(&[
                Choice::plain("Predictions", "Predictions", "The mean of both models' next-token probabilities"),
                Choice::plain("Weights", "Weights", "One model with the mean of both updates"),
            ]),
        },
        Field {
            path: "share",
            label: "Short-term share",
            help: "Weight of the short-term adapter; the long-term one has the rest",
            kind: Kind::Number { min: 0.0, max: 1.0 },
        },
    ],
};

/// Options of LSAT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lsat {
    pub combination: Combination,
    /// Weight of the short-term adapter, of 1; the long-term one has the rest.
    pub share: f64,
}

/// How two adapters predict together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combination {
    /// The mean of both models' next-token probabilities.
    Predictions,
    /// One model with the mean of both updates and token rows.
    Weights,
}

impl Default for Lsat {
    fn default() -> Self {
        Self { combination: Combination::Predictions, share: 0.5 }
    }
}

impl Method for Lsat {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Lsat {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let main = Part { data: Data::History, ..Part::from(stage.latest()) };
        let beside = Part { origin: Origin::Base, ..Part::from((stage.fresh)("short-term")) };
        Plan { main, beside: Some(beside) }
    }

    fn combination(&self) -> Option<(Combination, f64)> {
        Some((self.combination, self.share))
    }

    fn trainable(&self, [a, b]: [u64; 2], rows: u64) -> u64 {
        2 * (a + b + rows)
    }
}
