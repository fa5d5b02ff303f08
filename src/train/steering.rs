//! A stage's step taken in part: the state before it, moved by coefficients along the whole step and along its leading
//! directions.
//!
//! With the coefficient `w` of the whole step and `c_k` of direction k, which goes with the step unless it has its own,
//! `ΔW = (1 − w) ΔW_before + w ΔW_after + Σ_k (c_k − w) σ_k u_k v_kᵀ`, where `Σ σ_k u_k v_kᵀ` are the greatest parts of
//! `ΔW_after − ΔW_before` over all modules. Token rows go with the whole step. The parts stand beside each other as factors of an
//! adapter of the summed rank. A part whose coefficient is 0 is left out and one whose coefficient is 1 stays as it is, so at 0
//! and 1 the model is the one before and after the stage, bit for bit.

use std::collections::BTreeMap;

use super::Task;
use super::stage_artifacts::{BESIDE, StageState};
use crate::error::InputError;
use crate::linalg;
use crate::method::steered::{Coefficients, LEADING};
use crate::method::{AdapterMethod, Combination};
use crate::model::adapter::{Adapter, Matrices, Matrix, Pair, Snapshot};
use crate::run::RunFolder;
use crate::subspace::factors::Factors;
use crate::subspace::meaning::{SingularDirection, singular_directions};

/// Singular values below this share of both updates' norms are what rounding leaves of equal updates.
const ROUNDING: f64 = 1e-10;

/// What a stage changed.
#[derive(Debug, Clone)]
pub struct StageStep {
    pub before: StageState,
    pub after: StageState,
    /// The leading directions over all modules, by falling strength, at most [`LEADING`].
    pub directions: Vec<StepDirection>,
    /// The factor `alpha / rank` on adapters' updates.
    scale: f64,
}

/// A direction `σ u vᵀ` of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDirection {
    /// `model.layers.0.mlp.down_proj`
    pub module: String,
    /// Its share of the squared norm of what the stage changed in all modules.
    pub share: f64,
    pub direction: SingularDirection,
}

impl StageStep {
    /// The step of a stage (from 2) of a run.
    ///
    /// # Errors
    /// There is no such stage, it predicts with two models, or its files cannot be used.
    pub fn read(task: &Task<'_>, run: &RunFolder, stage: usize) -> Result<Self, InputError> {
        let config = run.config();
        let Some(method) = config.method.adapter_method() else {
            return Err(InputError::new(run.path(), "the run has no adapter of a language model"));
        };
        if !(2..=config.stages).contains(&stage) {
            let problem = format!("stage {stage} has no step that can be taken in part");
            return Err(InputError::new(run.path(), problem).advice(format!("stages go from 2 to {}", config.stages)));
        }
        let state = |stage: usize| {
            let folder = run.adapter(stage);
            if !folder.join("adapter_config.json").is_file() {
                return Err(InputError::new(run.path(), format!("the run has no adapter of stage {stage}"))
                    .advice("stages that are trained have one"));
            }
            if predicts_with_two(method) && folder.join(BESIDE).is_dir() {
                return Err(InputError::new(&folder, "the stage predicts with two models, which have no one step")
                    .advice("steer a run of a method with one adapter"));
            }
            StageState::read(task, &folder)
        };
        let (before, after) = (state(stage - 1)?, state(stage)?);
        Ok(Self::between(before, after, task.project.training.lora.scale()))
    }

    /// The step from one state to another; `scale` is the factor on the adapters' updates.
    fn between(before: StageState, after: StageState, scale: f64) -> Self {
        Self { directions: leading(&before.adapter, &after.adapter, scale), before, after, scale }
    }

    /// The state with so much of the step.
    pub fn state(&self, coefficients: &Coefficients) -> StageState {
        let step = coefficients.step as f32;
        let mut state = combined(&[(1.0 - step, &self.before), (step, &self.after)]);
        for (found, number) in self.directions.iter().zip(1..) {
            let own = coefficients.of(number) - coefficients.step;
            if own != 0.0 {
                let part = Adapter { modules: BTreeMap::from([(found.module.clone(), self.pair(found, own))]) };
                state.adapter = state.adapter.concatenated(&part);
            }
        }
        state
    }

    /// A direction times a coefficient, as factors of rank 1.
    fn pair(&self, found: &StepDirection, coefficient: f64) -> Pair {
        let SingularDirection { value, left, right } = &found.direction;
        let factor = coefficient * value / self.scale;
        let a: Vec<f32> = right.iter().map(|v| *v as f32).collect();
        let b: Vec<f32> = left.iter().map(|u| (factor * u) as f32).collect();
        Pair { a: Matrix { rows: 1, columns: a.len(), values: a }, b: Matrix { rows: b.len(), columns: 1, values: b } }
    }

    /// The place on this step of another run's step from the same state: its projection, and the share of the other step's
    /// squared length that lies along this one. None where the other began elsewhere, or this step goes nowhere.
    pub fn place_of(&self, other: &Self) -> Option<Place> {
        if self.before != other.before {
            return None;
        }
        if self.before == self.after {
            return None;
        }
        let (own, square, theirs) = (self.dot(self), self.dot(other), other.dot(other));
        let along = if theirs > 0.0 { square * square / (own * theirs) } else { 1.0 };
        (own > 0.0).then(|| Place { step: square / own, along })
    }

    /// The inner product of both steps, over the updates of all modules and the token rows.
    fn dot(&self, other: &Self) -> f64 {
        let moved = |step: &Self, module: &String| {
            let factors = |state: &StageState| state.adapter.modules.get(module).map(|pair| factors(pair, step.scale));
            Some(factors(&step.after)?.minus(&factors(&step.before)?))
        };
        let module = |name: &String| Some(moved(self, name)?.dot(&moved(other, name)?));
        let modules: f64 = self.before.adapter.modules.keys().filter_map(module).sum();
        let row = |name: &String| {
            let values = |state: &StageState| state.rows.parameters.get(name).map(|rows| rows.values.clone());
            let moved = |step: &Self| -> Option<Vec<f64>> {
                let (before, after) = (values(&step.before)?, values(&step.after)?);
                Some(before.iter().zip(&after).map(|(b, a)| f64::from(*a) - f64::from(*b)).collect())
            };
            Some(moved(self)?.iter().zip(moved(other)?).map(|(one, other)| one * other).sum::<f64>())
        };
        modules + self.before.rows.parameters.keys().filter_map(row).sum::<f64>()
    }
}

/// Where another state lies on a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Coefficient of the whole step.
    pub step: f64,
    /// Share of the way to it that goes along the step, from 0 to 1.
    pub along: f64,
}

/// Whether a stage of a method may predict with the mean of two models.
pub fn predicts_with_two(method: &dyn AdapterMethod) -> bool {
    matches!(method.combination(), Some((Combination::Predictions, _)))
}

fn factors(pair: &Pair, scale: f64) -> Factors {
    let mut b = linalg::from_rows(pair.b.rows, pair.b.columns, &pair.b.values);
    b *= faer::Scale(scale);
    Factors { b, a: linalg::from_rows(pair.a.rows, pair.a.columns, &pair.a.values) }
}

/// The greatest directions of the change of all modules.
fn leading(before: &Adapter, after: &Adapter, scale: f64) -> Vec<StepDirection> {
    let (mut found, mut whole) = (Vec::new(), 0.0);
    for (module, after) in &after.modules {
        let Some(before) = before.modules.get(module) else { continue };
        let (before, after) = (factors(before, scale), factors(after, scale));
        let rounding = ROUNDING * (before.norm() + after.norm());
        let moved = after.minus(&before);
        for direction in singular_directions(&moved.a, &moved.b, 1.0) {
            whole += direction.value.powi(2);
            if direction.value > rounding {
                found.push(StepDirection { module: module.clone(), share: direction.value.powi(2), direction });
            }
        }
    }
    // Stable: of equal ones the first module's comes first.
    found.sort_by(|one, other| other.direction.value.total_cmp(&one.direction.value));
    found.truncate(LEADING);
    found.iter_mut().for_each(|direction| direction.share /= whole);
    found
}

/// A sum of states with coefficients: of their updates, side by side, and of their token rows.
///
/// A state with the coefficient 0 is left out, and one with 1 goes in as it is.
pub fn combined(parts: &[(f32, &StageState)]) -> StageState {
    let parts = || parts.iter().filter(|(coefficient, _)| *coefficient != 0.0);
    let scaled = |(coefficient, state): &(f32, &StageState)| match coefficient {
        1.0 => state.adapter.clone(),
        _ => state.adapter.clone().scaled(*coefficient),
    };
    let adapter = parts().map(scaled).reduce(|one, other| one.concatenated(&other)).unwrap_or_default();
    let mut rows = Matrices::new();
    for (coefficient, state) in parts() {
        for (name, matrix) in &state.rows.parameters {
            let times = |value: &f32| if *coefficient == 1.0 { *value } else { coefficient * value };
            match rows.get_mut(name) {
                Some(sum) => sum.values.iter_mut().zip(&matrix.values).for_each(|(sum, value)| *sum += times(value)),
                None => {
                    let values = matrix.values.iter().map(times).collect();
                    rows.insert(name.clone(), Matrix { values, ..*matrix });
                }
            }
        }
    }
    StageState { adapter, rows: Snapshot { parameters: rows } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::steered::DirectionCoefficient;

    const SCALE: f64 = 2.0;

    /// A state of two modules of other shapes and some rows, of numbers without a pattern.
    fn state(seed: f32) -> StageState {
        let matrix = |rows: usize, columns: usize, of: f32| {
            let value = |index: usize| ((index as f32 + 1.0) * (12.9898 + of + 7.31 * seed)).sin();
            Matrix { rows, columns, values: (0..rows * columns).map(value).collect() }
        };
        let pair = |output, input, of| Pair { a: matrix(2, input, of), b: matrix(output, 2, of + 0.5) };
        let modules = [("one".to_owned(), pair(5, 4, 1.0)), ("two".to_owned(), pair(3, 6, 2.0))];
        let rows = [("embedding".to_owned(), matrix(4, 3, 3.0))];
        StageState { adapter: Adapter { modules: modules.into() }, rows: Snapshot { parameters: rows.into() } }
    }

    fn step() -> StageStep {
        StageStep::between(state(1.0), state(2.0), SCALE)
    }

    /// `ΔW` of a module, row-major.
    fn update(state: &StageState, module: &str) -> Vec<f64> {
        let factors = factors(&state.adapter.modules[module], SCALE);
        let whole = &factors.b * &factors.a;
        (0..whole.nrows()).flat_map(|row| (0..whole.ncols()).map(|c| whole[(row, c)]).collect::<Vec<_>>()).collect()
    }

    fn apart(one: &[f64], other: &[f64]) -> f64 {
        one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn at_the_ends_the_states_are_those_of_the_run_bit_for_bit() {
        let step = step();
        assert_eq!(step.state(&Coefficients::whole(0.0)), step.before);
        assert_eq!(step.state(&Coefficients::whole(1.0)), step.after);
        // A direction that is set to where it is anyway changes nothing.
        let same = vec![DirectionCoefficient { direction: 2, coefficient: 1.0 }];
        assert_eq!(step.state(&Coefficients { step: 1.0, directions: same }), step.after);
    }

    #[test]
    fn between_and_beyond_updates_and_rows_lie_on_the_line() {
        let step = step();
        for w in [-0.5, 0.3, 1.5] {
            let steered = step.state(&Coefficients::whole(w));
            for module in ["one", "two"] {
                let (before, after) = (update(&step.before, module), update(&step.after, module));
                let line: Vec<f64> = before.iter().zip(&after).map(|(b, a)| b + w * (a - b)).collect();
                assert!(apart(&update(&steered, module), &line) < 1e-6, "{w} {module}");
            }
            let rows = |state: &StageState| state.rows.parameters["embedding"].values.clone();
            for ((before, after), steered) in rows(&step.before).iter().zip(rows(&step.after)).zip(rows(&steered)) {
                let line = f64::from(*before) + w * f64::from(after - before);
                assert!((f64::from(steered) - line).abs() < 1e-6, "{w}: {steered} {line}");
            }
        }
    }

    #[test]
    fn a_direction_moves_its_module_by_its_outer_product_and_nothing_else() {
        let step = step();
        assert_eq!(step.directions.len(), LEADING);
        assert!(step.directions.is_sorted_by(|one, other| one.direction.value >= other.direction.value));
        let shares: f64 = step.directions.iter().map(|direction| direction.share).sum();
        assert!(shares > 0.5 && shares < 1.0, "{shares}");
        let whole = step.state(&Coefficients::whole(0.6));
        for (number, StepDirection { module, direction, .. }) in (1..).zip(&step.directions) {
            let own = vec![DirectionCoefficient { direction: number, coefficient: -0.25 }];
            let steered = step.state(&Coefficients { step: 0.6, directions: own });
            assert_eq!(steered.rows, whole.rows);
            let product = direction.left.iter().flat_map(|u| direction.right.iter().map(move |v| u * v));
            let expected: Vec<f64> = product.map(|uv| (-0.25 - 0.6) * direction.value * uv).collect();
            let (now, then) = (update(&steered, module), update(&whole, module));
            let moved: Vec<f64> = now.iter().zip(&then).map(|(now, then)| now - then).collect();
            assert!(apart(&moved, &expected) < 1e-6, "direction {number}: {}", apart(&moved, &expected));
            let other = if module == "one" { "two" } else { "one" };
            assert_eq!(steered.adapter.modules[other], whole.adapter.modules[other]);
        }
    }

    #[test]
    fn all_directions_back_leave_the_state_before_where_the_step_has_no_more() {
        // Of rank 1 in each module, a step has two directions.
        let before = state(1.0);
        let mut after = before.clone();
        for pair in after.adapter.modules.values_mut() {
            pair.b.values.iter_mut().step_by(2).for_each(|value| *value += 1.0);
        }
        let step = StageStep::between(before, after, SCALE);
        assert_eq!(step.directions.len(), 2);
        let own = |direction| DirectionCoefficient { direction, coefficient: 0.0 };
        let steered = step.state(&Coefficients { step: 1.0, directions: vec![own(1), own(2)] });
        for module in ["one", "two"] {
            assert!(apart(&update(&steered, module), &update(&step.before, module)) < 1e-6, "{module}");
        }
    }

    #[test]
    fn other_steps_from_the_same_state_have_a_place_on_it() {
        let step = step();
        let to = |w: f64| StageStep::between(step.before.clone(), step.state(&Coefficients::whole(w)), SCALE);
        for w in [0.0, 0.4, 1.0, 1.3] {
            let place = step.place_of(&to(w)).unwrap();
            assert!((place.step - w).abs() < 1e-6 && (w == 0.0 || place.along > 1.0 - 1e-6), "{w}: {place:?}");
        }
        let aside = step.place_of(&StageStep::between(step.before.clone(), state(3.0), SCALE)).unwrap();
        assert!(aside.along < 0.9, "{aside:?}");
        assert_eq!(step.place_of(&StageStep::between(state(3.0), state(2.0), SCALE)), None, "it began elsewhere");
        assert_eq!(to(0.0).place_of(&step), None, "a step that goes nowhere has no places");
        assert_eq!(to(0.0).directions, []);
    }

    #[test]
    fn what_lies_in_a_folder_has_one_rank_and_the_same_update() {
        let step = step();
        let own = vec![DirectionCoefficient { direction: 1, coefficient: 0.0 }];
        let steered = step.state(&Coefficients { step: 0.5, directions: own });
        let padded = StageState { adapter: steered.adapter.clone().of_one_rank(), rows: steered.rows.clone() };
        assert!(padded.adapter.modules.values().all(|pair| (pair.a.rows, pair.b.columns) == (5, 5)));
        for module in ["one", "two"] {
            assert_eq!(apart(&update(&steered, module), &update(&padded, module)), 0.0);
        }
    }
}
