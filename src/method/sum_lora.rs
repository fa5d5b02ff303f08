//! SumLoRA: `W + α/r (B A + Σ (B'/‖B'‖)(A'/‖A'‖))` over past adapters, norms Frobenius.

use serde::{Deserialize, Serialize};

use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};
use crate::model::Adapter;
use crate::schema::{Choice, Field, Kind};

pub const CARD: Card = Card {
    key: "sum_lora",
    name: "SumLoRA",
    sentence: "Past adapters, normalised and frozen, are added to the one that learns",
    formula: "W + α/r · (B·A + Σ B′/‖B′‖ · A′/‖A′‖),  ′ = past stages",
    source: "arXiv 2510.25093 and its release",
    family: Family::AddedAdapters,
    fields: &[PAST, INHERIT],
};

/// The field of [`Past`].
pub const PAST: Field = Field {
    path: "past",
    label: "Past",
    help: "Which past adapters are added",
    kind: Kind::Choice(&[
        Choice::plain("Latest", "Latest", "The one before"),
        Choice::plain("All", "All", "Those of all earlier stages"),
    ]),
};

/// The field of what the current adapter starts from.
pub const INHERIT: Field = Field {
    path: "inherit",
    label: "Inherit",
    help: "The adapter of a stage starts from the one before it, else freshly",
    kind: Kind::Switch,
};

/// Options of SumLoRA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SumLora {
    pub past: Past,
    /// Whether the current adapter starts from the previous one, else freshly.
    pub inherit: bool,
}

impl Default for SumLora {
    fn default() -> Self {
        Self { past: Past::Latest, inherit: true }
    }
}

impl Method for SumLora {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for SumLora {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let start = if self.inherit { stage.latest() } else { (stage.fresh)("adapter") };
        let added = self.past.of(stage).iter().map(normalised).collect();
        Part { added, ..Part::from(start) }.into()
    }
}

/// Which past adapters a method adds to the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Past {
    /// The previous stage's.
    Latest,
    /// Those of all earlier stages.
    All,
}

impl Past {
    /// The past adapters that it means.
    pub fn of<'a>(self, stage: &Stage<'a>) -> &'a [Adapter] {
        match self {
            Self::All => stage.past,
            Self::Latest => &stage.past[stage.past.len().saturating_sub(1)..],
        }
    }
}

/// The adapter with every factor divided by its Frobenius norm; a factor of zeros stays.
pub fn normalised(adapter: &Adapter) -> Adapter {
    let mut normalised = adapter.clone();
    for factor in normalised.modules.values_mut().flat_map(|pair| [&mut pair.a, &mut pair.b]) {
        let norm = factor.norm();
        if norm > 0.0 {
            factor.values.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
        }
    }
    normalised
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{adapter, stage};
    use super::*;

    #[test]
    fn past_adapters_are_added_with_unit_factors() {
        let past = [adapter([9.0, 0.0], [9.0, 0.0]), adapter([3.0, 4.0], [0.0, 0.0])];
        let added = |past_adapters| SumLora { past: past_adapters, inherit: true }.plan(&stage(&past)).main.added;
        let latest = added(Past::Latest);
        assert_eq!(latest.len(), 1);
        assert_eq!(latest[0].modules["m"].a.values, [0.6, 0.8]);
        assert_eq!(latest[0].modules["m"].b.values, [0.0, 0.0], "a zero factor stays zero");
        assert_eq!(added(Past::All).len(), 2);
    }

    #[test]
    fn it_inherits_only_where_asked() {
        let past = [adapter([1.0, 2.0], [3.0, 4.0])];
        let start = |inherit| SumLora { inherit, ..SumLora::default() }.plan(&stage(&past)).main.start;
        assert_eq!(start(true), past[0]);
        assert_eq!(start(false), adapter([5.0, 6.0], [0.0, 0.0]), "what `fresh` draws");
    }
}
