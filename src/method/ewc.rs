//! EWC: parameters that mattered to earlier stages, by their Fisher information, are held back most.

use serde::{Deserialize, Serialize};

use super::plan::{Ended, Matrices, StatisticsRequest};
use super::term::{Fisher, Term};
use super::{AdapterMethod, Card, Family, Lambda, Method, Part, Plan, Rows, Stage, lambda, state};
use crate::model::adapter::Matrix;
use crate::schema::{Choice, Field, FieldError, Kind};

pub const CARD: Card = Card {
    key: "ewc",
    name: "EWC",
    sentence: "Parameters that mattered to earlier stages, by their Fisher information, are held back most",
    formula: "L(t) = CE(t) + λ Σ F (v(t) − v(i))², over earlier stages i, or online over the last",
    source: "Kirkpatrick et al., arXiv 1612.00796; online: Schwarz et al., arXiv 1805.06370",
    family: Family::Regularised,
    fields: &[
        lambda::field("Weight of the pull: 0 is a single evolving LoRA", 1e12),
        lambda::RATIO,
        lambda::CANDIDATES,
        Field {
            path: "variant",
            label: "Variant",
            help: "Plain keeps a Fisher matrix and a state for each earlier stage, online one of each",
            kind: Kind::Choice(&[
                Choice::plain("Plain", "Plain", "One term for each earlier stage"),
                Choice {
                    key: "Online",
                    label: "Online",
                    help: "One term toward the last state; older Fisher matrices decay",
                    defaults: "{\"decay\": 0.9}",
                },
            ]),
        },
        Field {
            path: "variant.decay",
            label: "Decay",
            help: "Factor on the older Fisher matrices at each stage",
            kind: Kind::Number { min: 0.0, max: 1.0 },
        },
        Field {
            path: "examples",
            label: "Examples",
            help: "Examples that the Fisher information is estimated from",
            kind: Kind::Whole { min: 1, max: 1_000_000 },
        },
        state::ROWS,
    ],
};

/// Options of EWC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ewc {
    pub lambda: Lambda,
    pub variant: Variant,
    /// Examples a stage that the Fisher information is estimated from.
    pub examples: usize,
    pub rows: Rows,
}

/// How earlier stages are put together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Variant {
    /// One term for each.
    Plain,
    /// One term toward the last state, with `F ← decay F + F(t)`.
    Online { decay: f64 },
}

impl Default for Ewc {
    fn default() -> Self {
        Self { lambda: Lambda::Fixed(1_000.0), variant: Variant::Plain, examples: 256, rows: Rows::Free }
    }
}

impl Method for Ewc {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }

    fn check_options(&self) -> Result<(), FieldError> {
        if self.lambda == Lambda::Kalman {
            let problem = "a filter finds λ for PESO alone: EWC weighs each parameter by its own information";
            return Err(FieldError::new("lambda", problem, "choose another rule, or a number"));
        }
        Ok(())
    }
}

impl AdapterMethod for Ewc {
    fn rows(&self) -> Rows {
        self.rows
    }

    fn statistics_after(&self) -> Option<StatisticsRequest> {
        Some(StatisticsRequest::Fisher { examples: self.examples, rows: self.rows })
    }

    fn remember(&self, ended: Ended<'_>) -> Matrices {
        let mut fisher = ended.statistics;
        if let (Variant::Online { decay }, Some(before)) = (self.variant, ended.before) {
            for (name, matrix) in &mut fisher {
                add(matrix, before.get(name), decay);
            }
        }
        fisher
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let from = match self.variant {
            Variant::Plain => 0,
            Variant::Online { .. } => stage.past.len().saturating_sub(1),
        };
        let kept = stage.states().into_iter().zip(stage.memories.iter().cloned());
        let anchors = kept.skip(from).collect();
        let terms = vec![Term::Fisher(Fisher { lambda: self.lambda.planned(), anchors })];
        Part { terms, lambda: self.lambda.clone(), ..Part::from(stage.latest()) }.into()
    }
}

fn add(matrix: &mut Matrix, other: Option<&Matrix>, factor: f64) {
    let others = other.map_or(&[][..], |other| &other.values);
    matrix.values.iter_mut().zip(others).for_each(|(value, other)| *value += factor as f32 * other);
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{adapter, stage};
    use super::*;

    fn fisher(value: f32) -> Matrices {
        [("m.lora_A.weight".to_owned(), Matrix { rows: 1, columns: 2, values: vec![value; 2] })].into()
    }

    #[test]
    fn plain_keeps_every_stage_and_online_decays_them_into_one() {
        let past = [adapter([1.0, 0.0], [0.0, 0.0]), adapter([2.0, 0.0], [0.0, 0.0])];
        let memories = [fisher(1.0), fisher(2.0)];
        let terms = |variant| {
            let ewc = Ewc { variant, ..Ewc::default() };
            let Term::Fisher(term) = ewc.plan(&Stage { memories: &memories, ..stage(&past) }).main.terms.remove(0)
            else {
                unreachable!("EWC has one term");
            };
            term.anchors
        };
        assert_eq!(terms(Variant::Plain).len(), 2);
        assert_eq!(terms(Variant::Online { decay: 0.5 }), [(past[1].clone().into(), fisher(2.0))]);
        let before = fisher(4.0);
        let ended = |statistics| Ended { number: 2, of: 3, statistics, before: Some(&before) };
        let online = Ewc { variant: Variant::Online { decay: 0.5 }, ..Ewc::default() };
        assert_eq!(online.remember(ended(fisher(1.0))), fisher(3.0));
        assert_eq!(Ewc::default().remember(ended(fisher(1.0))), fisher(1.0));
    }
}
