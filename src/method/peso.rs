//! PESO: one evolving adapter, pulled toward its state before the stage by a proximal term.
//!
//! `L_t = CE(D_t) + lambda Σ_g D(v_t^g, v_{t-1}^g)`, arXiv 2510.25093; the paper's `D` is the softmax-KL.

use serde::{Deserialize, Serialize};

use super::term::proximal::{Aggregation, Distance, Proximal, has_metric};
use super::term::{Teacher, Term, Toward};
use super::{AdapterMethod, Card, Family, Lambda, Method, Part, Plan, Rows, Stage, State, lambda, state};
use crate::schema::{Choice, Field, FieldError, Kind};

pub const CARD: Card = Card {
    key: "peso",
    name: "PESO",
    sentence: "One adapter goes on learning, and a proximal term pulls it toward its state before the stage",
    formula: "L(t) = CE(t) + λ Σ D(v(t), v(t−1)),  D = KL(softmax v(t) ‖ softmax v(t−1))",
    source: "arXiv 2510.25093 (ICLR 2026) and its release",
    family: Family::Regularised,
    fields: &[
        lambda::field(
            "Weight of the pull: 0 is a single evolving LoRA, more holds the adapter nearer to its past",
            1e9,
        ),
        lambda::RATIO,
        lambda::CANDIDATES,
        Field {
            path: "distance",
            label: "Distance",
            help: "How far the adapter is from its past",
            kind: Kind::Choice(&[
                Choice {
                    key: "SoftmaxKl",
                    label: "Softmax-KL",
                    help: "The paper's: KL(softmax v ‖ softmax v′) of each group",
                    defaults: "{\"temperature\": 1.0}",
                },
                Choice {
                    key: "PerRankKl",
                    label: "Softmax-KL a rank",
                    help: "The same with every row of A and every column of B a group of its own",
                    defaults: "{\"temperature\": 1.0}",
                },
                Choice {
                    key: "L2",
                    label: "L2",
                    help: "½‖v − v′‖² of each group, or ‖v − v′‖ as released",
                    defaults: "{\"squared\": true, \"per_element\": false}",
                },
                Choice::plain(
                    "Orthogonal",
                    "Orthogonal",
                    "The movement is held orthogonal to the past: Σ |A′(A − A′)^T| + |B′^T(B − B′)|",
                ),
                Choice::plain("OutputKl", "Output KL", "KL(p ‖ p′) of the predictions on the stage's inputs"),
                Choice::plain("None", "None", "Nothing: a single evolving LoRA"),
            ]),
        },
        Field {
            path: "distance.temperature",
            label: "Temperature",
            help: "Divides the adapter's values before the softmax: less makes large values count more",
            kind: Kind::Number { min: 1e-4, max: 1e4 },
        },
        Field {
            path: "distance.squared",
            label: "Squared",
            help: "½‖v − v′‖², else the norm itself, as released",
            kind: Kind::Switch,
        },
        Field {
            path: "distance.per_element",
            label: "Per element",
            help: "Divided by the number of values in the group",
            kind: Kind::Switch,
        },
        Field {
            path: "aggregation",
            label: "Aggregation",
            help: "The paper sums over all groups; the released code averages over modules, which makes λ act far more weakly",
            kind: Kind::Choice(&[
                Choice::plain("Sum", "Sum (paper)", "The sum over all groups"),
                Choice::plain("Mean", "Mean (release)", "A and B of a module are added, modules averaged"),
            ]),
        },
        Field {
            path: "anchor",
            label: "Anchor",
            help: "Which past states pull",
            kind: Kind::Choice(&[
                Choice::plain("Latest", "Latest", "The state before the stage (the paper's)"),
                Choice::plain("All", "All", "The mean of the distances to the states after all earlier stages"),
                Choice {
                    key: "Ema",
                    label: "Moving average",
                    help: "One state: a ← decay·a + (1 − decay)·v, over earlier stages",
                    defaults: "{\"decay\": 0.5}",
                },
            ]),
        },
        Field {
            path: "anchor.decay",
            label: "Decay",
            help: "How much of the older states the moving average keeps at each stage",
            kind: Kind::Number { min: 0.0, max: 1.0 },
        },
        state::ROWS,
    ],
};

/// Options of PESO.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peso {
    pub lambda: Lambda,
    pub distance: Distance,
    pub aggregation: Aggregation,
    pub anchor: Anchor,
    pub rows: Rows,
}

/// Which past states pull.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Anchor {
    /// The state before the stage.
    Latest,
    /// The states after all earlier stages: the mean of the distances to them.
    All,
    /// One state, `a ← decay a + (1 - decay) v` over earlier stages, from the first one's.
    Ema { decay: f64 },
}

impl Default for Peso {
    fn default() -> Self {
        Self {
            lambda: Lambda::Fixed(2.0),
            distance: Distance::SoftmaxKl { temperature: 1.0 },
            aggregation: Aggregation::Sum,
            anchor: Anchor::Latest,
            rows: Rows::Free,
        }
    }
}

impl Method for Peso {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }

    fn proximal(&self) -> Option<&Self> {
        Some(self)
    }

    fn check_options(&self) -> Result<(), FieldError> {
        match self.lambda {
            Lambda::Kalman => return self.check_filter(),
            Lambda::PullRatio(_) => {}
            Lambda::Fixed(_) | Lambda::Validated(_) => return Ok(()),
        }
        match self.distance {
            Distance::OutputKl | Distance::None => Err(FieldError::new(
                "lambda",
                format!("the pull ratio of the distance {:?} cannot be measured", self.distance),
                "choose a distance between parameters, `Validated([0.5, 2, 8])`, or a number",
            )),
            _ => Ok(()),
        }
    }
}

impl Peso {
    /// Refuses terms that are no filter along directions, or of what no curvature is measured.
    fn check_filter(&self) -> Result<(), FieldError> {
        let refused = |problem: String, advice: &str| Err(FieldError::new("lambda", problem, advice));
        if let Err(problem) = has_metric(self.distance) {
            let advice = "choose the distance SoftmaxKl, PerRankKl or squared L2, another rule, or a number";
            return refused(format!("a filter cannot find it: {problem}"), advice);
        }
        if self.anchor == Anchor::All {
            let advice = "choose the anchor Latest or Ema, another rule, or a number";
            return refused("a filter has one state, and here several states pull".to_owned(), advice);
        }
        if self.rows == Rows::Pulled {
            let advice = "leave the rows Free, choose another rule, or a number";
            return refused("a filter measures no token rows, and here they are pulled".to_owned(), advice);
        }
        Ok(())
    }
}

impl AdapterMethod for Peso {
    fn rows(&self) -> Rows {
        self.rows
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let Self { distance, aggregation, .. } = *self;
        let lambda = self.lambda.planned();
        let terms = match distance {
            Distance::None => vec![],
            // The previous predictions are the teacher's, whatever the anchor: there is one model before the stage.
            Distance::OutputKl => vec![Term::Teacher(Teacher { lambda, temperature: 1.0, toward: Toward::Student })],
            _ => {
                let proximal = Proximal { lambda, distance, aggregation };
                vec![Term::Proximal(proximal, self.anchor.states(&stage.states()))]
            }
        };
        Part { terms, lambda: self.lambda.clone(), ..Part::from(stage.latest()) }.into()
    }
}

impl Anchor {
    /// The states that pull, of those after all earlier stages.
    pub fn states(self, past: &[State]) -> Vec<State> {
        match self {
            Self::Latest => past.last().cloned().into_iter().collect(),
            Self::All => past.to_vec(),
            Self::Ema { decay } => {
                let step = |average: State, next: &State| average.weighted(next, decay as f32);
                past.split_first().map(|(first, later)| later.iter().fold(first.clone(), step)).into_iter().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{adapter, stage};
    use super::*;
    use crate::model::adapter::{Matrices, Matrix};

    #[test]
    fn anchors_are_the_latest_all_or_their_moving_average() {
        let state = |a, b, row: f32| {
            let rows = Matrix { rows: 1, columns: 1, values: vec![row] };
            State { adapter: adapter(a, b), rows: [("embedding".to_owned(), rows)].into() }
        };
        let past = [
            state([1.0, 0.0], [0.0, 8.0], 8.0),
            state([2.0, 0.0], [0.0, 0.0], 0.0),
            state([4.0, 0.0], [0.0, 0.0], 2.0),
        ];
        assert_eq!(Anchor::Latest.states(&past), [past[2].clone()]);
        assert_eq!(Anchor::All.states(&past), past);
        assert_eq!(Anchor::Ema { decay: 0.5 }.states(&past), [state([2.75, 0.0], [0.0, 2.0], 3.0)]);
    }

    #[test]
    fn only_rows_that_are_pulled_are_a_part_of_what_pulls() {
        let past = [adapter([1.0, 0.0], [0.0, 8.0])];
        let rows = Matrix { rows: 1, columns: 1, values: vec![5.0] };
        let held = [Matrices::from([("embedding".to_owned(), rows)])];
        let of = |rows: &[Matrices]| {
            let peso = Peso { rows: Rows::Pulled, ..Peso::default() };
            let Term::Proximal(_, states) = peso.plan(&Stage { rows, ..stage(&past) }).main.terms.remove(0) else {
                unreachable!("PESO has one term");
            };
            states[0].parameters().count()
        };
        assert_eq!((of(&held), of(&[])), (3, 2));
    }
}
