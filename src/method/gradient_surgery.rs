//! Gradient-surgery initialisation: a stage starts a step ahead, along its own descent direction with whatever would undo
//! the last stage's movement taken out.
//!
//! Of each group (a module's A or B), with `g` the gradient of the stage's cross-entropy at the start and `u` the
//! group's movement in the last stage: `d = -g`, and where `<d, u> < 0`, `d ← d - <d, u>/‖u‖² u` (PCGrad). The stage
//! starts at `v + η d`, where `η` makes the step as long as a share of the whole last movement: the gradient's own
//! length says little about how far to go.

use serde::{Deserialize, Serialize};

use super::{
    AdapterMethod, Card, Combination, Ended, Family, Matrices, Method, MethodOptions, Peso, Plan, Rows, Single, Stage,
    StatisticsRequest,
};
use crate::model::Adapter;
use crate::model::adapter::Matrix;
use crate::schema::{Field, FieldError, Kind};

pub const CARD: Card = Card {
    key: "gradient_surgery",
    name: "Gradient-surgery start",
    sentence: "Another method that starts each stage a step ahead, in a direction that does not undo the last stage's",
    formula: "v(t) starts at v + η·d,  d = −∇CE(t) without what points against v(t−1) − v(t−2)",
    source: "Pasquali et al.; the projection is PCGrad's, arXiv 2001.06782",
    family: Family::OneAdapter,
    fields: &[
        Field {
            path: "length",
            label: "Length",
            help: "Length of the first step, as a share of the adapter's movement in the last stage",
            kind: Kind::Number { min: 0.0, max: 10.0 },
        },
        Field {
            path: "examples",
            label: "Examples",
            help: "Examples that the gradient is averaged over",
            kind: Kind::Whole { min: 1, max: 1_000_000 },
        },
    ],
};

/// A method with another start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GradientSurgery {
    /// The method whose stages start ahead.
    pub method: Box<MethodOptions>,
    /// Length of the step, as a share of the last movement.
    pub length: f64,
    /// Examples that the gradient is averaged over.
    pub examples: usize,
}

impl Default for GradientSurgery {
    fn default() -> Self {
        Self { method: Box::new(MethodOptions::Peso(Peso::default())), length: 0.5, examples: 512 }
    }
}

/// The step before a stage's training, for whoever can measure the gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    pub length: f64,
    pub examples: usize,
    /// The adapter's movement in the last stage.
    pub movement: Adapter,
}

impl GradientSurgery {
    /// The method inside; a project file with one that adapts no language model is refused.
    fn adapted(&self) -> &dyn AdapterMethod {
        self.method.adapter_method().unwrap_or(&Single)
    }
}

impl Method for GradientSurgery {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }

    fn inner(&self) -> Option<&MethodOptions> {
        Some(&self.method)
    }

    fn with_inner(&self, inner: MethodOptions) -> Option<MethodOptions> {
        Some(MethodOptions::GradientSurgery(Self { method: Box::new(inner), ..self.clone() }))
    }

    fn check_options(&self) -> Result<(), FieldError> {
        match self.method.adapter_method() {
            Some(_) => self.method.method().check_options().map_err(|error| error.within("method")),
            None => {
                let problem = format!("{} adapts no language model", self.method.card().name);
                Err(FieldError::new("method", problem, "choose a method of adapters"))
            }
        }
    }
}

impl AdapterMethod for GradientSurgery {
    fn trains(&self) -> bool {
        self.adapted().trains()
    }

    fn statistics_before(&self) -> Option<StatisticsRequest> {
        self.adapted().statistics_before()
    }

    fn statistics_after(&self) -> Option<StatisticsRequest> {
        self.adapted().statistics_after()
    }

    fn remember(&self, ended: Ended<'_>) -> Matrices {
        self.adapted().remember(ended)
    }

    fn rows(&self) -> Rows {
        self.adapted().rows()
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let mut plan = self.adapted().plan(stage);
        // Before stage 2 nothing has moved but the adapter of stage 1, from a start that added nothing: its B.
        let before = match stage.past {
            [.., before, _] => before.clone(),
            _ => without_b(stage.latest()),
        };
        let movement = difference(&stage.latest(), &before);
        plan.main.ahead = Some(Ahead { length: self.length, examples: self.examples, movement });
        plan
    }

    fn combination(&self) -> Option<(Combination, f64)> {
        self.adapted().combination()
    }

    fn trainable(&self, adapter: [u64; 2], rows: u64) -> u64 {
        self.adapted().trainable(adapter, rows)
    }
}

/// How a stage's descent direction `d` meets the last stage's movement `u` in one group, before anything is taken out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// Name of the parameter, a module's A or B.
    pub parameter: String,
    /// `<d, u> / (‖d‖ ‖u‖)`, from -1 (against each other) to 1; 0 where one of both is 0.
    pub cosine: f64,
    /// `‖d‖`.
    pub descent: f64,
    /// `‖u‖`.
    pub movement: f64,
}

impl Meeting {
    fn of(parameter: &str, descent: &Matrix, movement: &Matrix) -> Self {
        let lengths = descent.norm() * movement.norm();
        let cosine = if lengths > 0.0 { (along(descent, movement) / lengths).clamp(-1.0, 1.0) } else { 0.0 };
        Self { parameter: parameter.to_owned(), cosine, descent: descent.norm(), movement: movement.norm() }
    }

    /// How far it would undo the last movement: from 0 (not at all) to 1 (it leads straight back).
    pub fn conflict(&self) -> f64 {
        (-self.cosine).max(0.0)
    }
}

impl Ahead {
    /// The start, moved, and what met in each group; `gradient` by parameter name, at `start`. Parameters without a gradient stay.
    pub fn started(&self, start: &Adapter, gradient: &Matrices) -> (Adapter, Vec<Meeting>) {
        let mut direction = gradient.clone();
        let (mut length, mut moved, mut meetings) = (0.0, 0.0, Vec::new());
        for (name, movement) in self.movement.parameters() {
            moved += squared(movement);
            let Some(group) = direction.get_mut(&name) else { continue };
            group.values.iter_mut().for_each(|value| *value = -*value);
            meetings.push(Meeting::of(&name, group, movement));
            project_off_conflict(group, movement);
            length += squared(group);
        }
        let step = if length > 0.0 { self.length * (moved / length).sqrt() } else { 0.0 };
        let mut started = start.clone();
        for (name, matrix) in started.parameters_mut() {
            let group = direction.get(&name).map_or(&[][..], |group| &group.values);
            matrix.values.iter_mut().zip(group).for_each(|(value, d)| *value += (step * f64::from(*d)) as f32);
        }
        (started, meetings)
    }
}

/// Takes out of `group` its part along `movement` where they point against each other.
fn project_off_conflict(group: &mut Matrix, movement: &Matrix) {
    let along = along(group, movement);
    let size = squared(movement);
    if along < 0.0 && size > 0.0 {
        let factor = along / size;
        let pairs = group.values.iter_mut().zip(&movement.values);
        pairs.for_each(|(d, u)| *d = (f64::from(*d) - factor * f64::from(*u)) as f32);
    }
}

/// `<group, movement>`.
fn along(group: &Matrix, movement: &Matrix) -> f64 {
    group.values.iter().zip(&movement.values).map(|(d, u)| f64::from(*d) * f64::from(*u)).sum()
}

fn squared(matrix: &Matrix) -> f64 {
    matrix.norm().powi(2)
}

fn without_b(mut adapter: Adapter) -> Adapter {
    adapter.modules.values_mut().for_each(|pair| pair.b.values.fill(0.0));
    adapter
}

fn difference(adapter: &Adapter, other: &Adapter) -> Adapter {
    let mut difference = adapter.clone();
    let others: Matrices = other.parameters().map(|(name, matrix)| (name, matrix.clone())).collect();
    for (name, matrix) in difference.parameters_mut() {
        let other = others.get(&name).map_or(&[][..], |other| &other.values);
        matrix.values.iter_mut().zip(other).for_each(|(value, other)| *value -= other);
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{adapter, stage};
    use super::*;

    fn gradient(a: [f32; 2], b: [f32; 2]) -> Matrices {
        adapter(a, b).parameters().map(|(name, matrix)| (name, matrix.clone())).collect()
    }

    #[test]
    fn a_step_that_would_undo_the_last_movement_goes_beside_it() {
        let ahead = Ahead { length: 1.0, examples: 1, movement: adapter([1.0, 0.0], [0.0, 0.0]) };
        let start = adapter([7.0, 7.0], [0.0, 0.0]);
        let (against, _) = ahead.started(&start, &gradient([3.0, 4.0], [0.0, 0.0]));
        assert_eq!(against.modules["m"].a.values, [7.0, 6.0], "as long as the movement, and orthogonal to it");
        let (along, _) = ahead.started(&start, &gradient([-3.0, 4.0], [0.0, 0.0]));
        let moved = along.modules["m"].a.values.clone();
        assert!((moved[0] - 7.6).abs() < 1e-6 && (moved[1] - 6.2).abs() < 1e-6, "{moved:?}");
    }

    #[test]
    fn what_met_is_told_as_it_was_before_the_surgery() {
        let ahead = Ahead { length: 1.0, examples: 1, movement: adapter([2.0, 0.0], [0.0, 1.0]) };
        let (_, met) = ahead.started(&adapter([7.0, 7.0], [0.0, 0.0]), &gradient([3.0, 4.0], [0.0, -5.0]));
        let [a, b] = met.try_into().expect("A and B of the one module");
        let expected = Meeting { parameter: "m.lora_A.weight".to_owned(), cosine: -0.6, descent: 5.0, movement: 2.0 };
        assert_eq!(a, expected, "the gradient (3, 4) leads down along (-3, -4)");
        assert!((a.conflict() - 0.6).abs() < 1e-12);
        assert_eq!((b.cosine, b.conflict()), (1.0, 0.0), "it goes on where the last stage went");
    }

    #[test]
    fn the_movement_is_the_last_stages() {
        let past = [adapter([1.0, 2.0], [3.0, 4.0]), adapter([2.0, 2.0], [3.0, 9.0])];
        let movement = |past| GradientSurgery::default().plan(&stage(past)).main.ahead.map(|ahead| ahead.movement);
        assert_eq!(movement(&past), Some(adapter([1.0, 0.0], [0.0, 5.0])));
        assert_eq!(movement(&past[..1]), Some(adapter([0.0, 0.0], [3.0, 4.0])), "stage 1 starts with no B");
    }
}
