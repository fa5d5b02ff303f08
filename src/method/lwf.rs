//! LwF: the model keeps predicting on the stage's inputs what it predicted before the stage.

use serde::{Deserialize, Serialize};

use super::term::{Teacher, Term, Toward};
use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "lwf",
    name: "LwF",
    sentence: "The model keeps predicting on the new inputs what it predicted before the stage",
    formula: "L(t) = CE(t) + λ KL(p(t−1) ‖ p(t)) at a temperature",
    source: "Li & Hoiem, Learning without Forgetting, arXiv 1606.09282",
    family: Family::Regularised,
    fields: &[
        Field {
            path: "lambda",
            label: "λ",
            help: "Weight of the previous model's predictions",
            kind: Kind::Number { min: 0.0, max: 1e6 },
        },
        Field {
            path: "temperature",
            label: "Temperature",
            help: "Divides the logits of both models: more makes unlikely items count more",
            kind: Kind::Number { min: 1e-3, max: 1e3 },
        },
    ],
};

/// Options of LwF.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lwf {
    pub lambda: f64,
    pub temperature: f64,
}

impl Default for Lwf {
    fn default() -> Self {
        Self { lambda: 1.0, temperature: 2.0 }
    }
}

impl Method for Lwf {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Lwf {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let Self { lambda, temperature } = *self;
        let terms = vec![Term::Teacher(Teacher { lambda, temperature, toward: Toward::Teacher })];
        Part { terms, ..Part::from(stage.latest()) }.into()
    }
}
