//! Restart: stages start from the adapter of stage 1 again, so that nothing accumulates from update to update.

use serde::{Deserialize, Serialize};

use super::{AdapterMethod, Card, Family, Method, Origin, Part, Plan, Stage};
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "restart",
    name: "Restart",
    sentence: "Stages start from the adapter of stage 1 again, so that nothing accumulates from update to update",
    formula: "L(t) = CE(t),  v(t) starts at v(1)",
    source: "The restart of FADE, arXiv 2308.15651, by our reading: without its fairness loss",
    family: Family::OneAdapter,
    fields: &[Field {
        path: "every",
        label: "Every",
        help: "Stages from one restart to the next: 1 restarts each; a stage between goes on from the one before it",
        kind: Kind::Whole { min: 1, max: 1_000 },
    }],
};

/// Options of Restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Restart {
    /// Stages from one restart to the next, the first of them in stage 2.
    pub every: usize,
}

impl Default for Restart {
    fn default() -> Self {
        Self { every: 1 }
    }
}

impl Method for Restart {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Restart {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let restarts = (stage.number - 2).is_multiple_of(self.every.max(1));
        match stage.past.first() {
            Some(first) if restarts => Part { origin: Origin::First, ..Part::from(first.clone()) }.into(),
            _ => Part::from(stage.latest()).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{adapter, stage};
    use super::*;

    #[test]
    fn every_second_stage_starts_at_stage_1_again() {
        let past = [1.0, 2.0, 3.0].map(|value| adapter([value; 2], [value; 2]));
        let start = |every: usize, stages: usize| {
            let part = Restart { every }.plan(&stage(&past[..stages])).main;
            (part.start.modules["m"].a.values[0], part.origin)
        };
        assert_eq!([1, 2, 3].map(|stages| start(1, stages)), [(1.0, Origin::First); 3]);
        assert_eq!([1, 2, 3].map(|stages| start(2, stages).0), [1.0, 2.0, 1.0], "stages 2 and 4 restart");
        assert_eq!(start(2, 2).1, Origin::Latest);
    }
}
