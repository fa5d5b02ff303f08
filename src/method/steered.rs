//! Steered: a finished run in which one stage's step is taken in part.
//!
//! Nothing is trained. All stages are as the other experiment's run left them but one, whose state lies where the
//! coefficients say between the state before and the state after, or beyond.

use serde::{Deserialize, Serialize};

use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};
use crate::schema::{Field, FieldError, Kind};

/// Bounds of a coefficient: half a step back, and half a step beyond.
pub const MIN: f64 = -0.5;
pub const MAX: f64 = 1.5;

/// Leading directions of a step that have coefficients of their own.
pub const LEADING: usize = 6;

pub const CARD: Card = Card {
    key: "steered",
    name: "Steered",
    sentence: "A finished run with one stage's step taken in part, as the sliders under Subspace, Steer set it: nothing is trained",
    formula: "ΔW = ΔW(before) + w·(ΔW(after) − ΔW(before)) + Σ (c(k) − w)·σ(k)·u(k)·v(k)",
    source: "Interpolation between two states, as in model merging (arXiv 2505.22389)",
    family: Family::OneAdapter,
    fields: &[
        Field {
            path: "of",
            label: "Run of",
            help: "The experiment whose run is steered; its run is finished first",
            kind: Kind::Experiment,
        },
        Field {
            path: "stage",
            label: "Stage",
            help: "The stage whose step is taken in part; the other stages stay as that run left them",
            kind: Kind::Whole { min: 2, max: 10_000 },
        },
        Field {
            path: "step",
            label: "Step",
            help: "How much of the stage's step is taken: 0 is the state before it, 1 the state after",
            kind: Kind::Number { min: MIN, max: MAX },
        },
    ],
};

/// Options of a steered run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Steered {
    /// The experiment that is steered.
    pub of: String,
    /// From 2.
    pub stage: usize,
    /// See [`Coefficients::step`].
    pub step: f64,
    /// See [`Coefficients::directions`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<DirectionCoefficient>,
}

impl Default for Steered {
    fn default() -> Self {
        Self { of: "PESO".to_owned(), stage: 2, step: 0.5, directions: Vec::new() }
    }
}

/// How much of a stage's step is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficients {
    /// Of the whole step: 0 is the state before the stage, 1 the state after.
    pub step: f64,
    /// Of leading directions that do not go with the whole step.
    #[serde(default)]
    pub directions: Vec<DirectionCoefficient>,
}

/// How much of one direction of a stage's step is taken: 0 leaves it as before the stage, 1 as after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectionCoefficient {
    /// From 1, by falling strength.
    pub direction: usize,
    pub coefficient: f64,
}

impl Coefficients {
    /// The whole step at one coefficient.
    pub fn whole(step: f64) -> Self {
        Self { step, directions: Vec::new() }
    }

    /// The coefficient of a direction (from 1): its own, or that of the whole step.
    pub fn of(&self, direction: usize) -> f64 {
        let own = self.directions.iter().find(|own| own.direction == direction);
        own.map_or(self.step, |own| own.coefficient)
    }

    /// Refuses coefficients out of bounds, and directions that are none or that are given twice.
    ///
    /// # Errors
    /// Which.
    pub fn check(&self) -> Result<(), FieldError> {
        let bounds = format!("a coefficient is a number from {MIN} to {MAX}");
        let allowed = |coefficient: f64| (MIN..=MAX).contains(&coefficient);
        if !allowed(self.step) {
            return Err(FieldError::new("step", format!("{} cannot be used", self.step), bounds));
        }
        for (index, own) in self.directions.iter().enumerate() {
            let bad = |problem: String, advice: &str| Err(FieldError::new("directions", problem, advice));
            if !(1..=LEADING).contains(&own.direction) {
                let advice = format!("directions have numbers from 1 to {LEADING}");
                return bad(format!("there is no direction {}", own.direction), &advice);
            }
            if !allowed(own.coefficient) {
                return bad(format!("{} of direction {} cannot be used", own.coefficient, own.direction), &bounds);
            }
            if self.directions[..index].iter().any(|other| other.direction == own.direction) {
                return bad(format!("direction {} is given twice", own.direction), "each stands once in the list");
            }
        }
        Ok(())
    }
}

impl Steered {
    /// How much of the step is taken.
    pub fn coefficients(&self) -> Coefficients {
        Coefficients { step: self.step, directions: self.directions.clone() }
    }
}

impl Method for Steered {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }

    fn parts(&self) -> Vec<&str> {
        vec![&self.of]
    }

    fn steered(&self) -> Option<&Steered> {
        Some(self)
    }

    fn check_options(&self) -> Result<(), FieldError> {
        self.coefficients().check()
    }
}

impl AdapterMethod for Steered {
    fn trains(&self) -> bool {
        false
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        Part::from(stage.latest()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(direction: usize, coefficient: f64) -> DirectionCoefficient {
        DirectionCoefficient { direction, coefficient }
    }

    #[test]
    fn a_direction_goes_with_the_step_until_it_has_a_coefficient_of_its_own() {
        let coefficients = Coefficients { step: 0.6, directions: vec![own(2, 0.0)] };
        assert_eq!([1, 2, 3].map(|direction| coefficients.of(direction)), [0.6, 0.0, 0.6]);
    }

    #[test]
    fn coefficients_out_of_bounds_and_unknown_directions_are_refused() {
        let refused = |step, directions: &[DirectionCoefficient]| {
            let refused = Coefficients { step, directions: directions.to_vec() }.check();
            refused.err().map(|error| error.problem)
        };
        assert_eq!(refused(1.5, &[own(1, -0.5), own(LEADING, 1.0)]), None);
        assert_eq!(refused(1.6, &[]).as_deref(), Some("1.6 cannot be used"));
        assert_eq!(refused(f64::NAN, &[]).as_deref(), Some("NaN cannot be used"));
        assert_eq!(refused(0.5, &[own(0, 0.5)]).as_deref(), Some("there is no direction 0"));
        assert_eq!(refused(0.5, &[own(LEADING + 1, 0.5)]).as_deref(), Some("there is no direction 7"));
        assert_eq!(refused(0.5, &[own(1, 2.0)]).as_deref(), Some("2 of direction 1 cannot be used"));
        assert_eq!(refused(0.5, &[own(1, 0.0), own(1, 0.1)]).as_deref(), Some("direction 1 is given twice"));
    }
}
