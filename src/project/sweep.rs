//! Sweeps: experiments again, with other values of their methods' options, of the training settings or of generated data.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::synthetic::synthetic as check_synthetic;
use super::check::training::training as check_training;
use super::{Experiment, Project, SemanticIds, Training, training_fields};
use crate::data::DatasetSource;
use crate::error::InputError;
use crate::method::MethodOptions;
use crate::schema::{FieldError, Setting};

/// Values of options with which an experiment is run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Name of the experiment that has all other options, or [`EVERY`] for each that the options touch.
    pub experiment: String,
    pub options: Vec<Axis>,
    #[serde(default)]
    pub combine: Combine,
}

/// One option and its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Path of an option of the method (`lambda`, `distance.temperature`), of a field of the training settings behind
    /// `training.` (`training.learning_rate`, `training.lora.rank`), or of an option of generated data behind `dataset.`
    /// (`dataset.drift`, `dataset.interactions.1`).
    pub option: String,
    pub values: Vec<Setting>,
}

/// How the values of several options meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Combine {
    /// Every value of one with every value of the others.
    #[default]
    Grid,
    /// The first values together, then the second ones, and so on.
    List,
}

/// An experiment as it is run: one of the project's, or a point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its own name, `PESO (lambda 0.5, anchor All)` for a point, and its method.
    pub experiment: Experiment,
    pub training: Training,
    pub dataset: DatasetSource,
    /// Name of the experiment in the project that it is made from.
    pub of: String,
    /// Whether it is a point of a sweep; an experiment may itself be one.
    pub swept: bool,
}

/// A sweep that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSweep {
    /// Its index, where one sweep is to blame.
    pub sweep: Option<usize>,
    /// The index of the option in it, where one is to blame.
    pub axis: Option<usize>,
    /// The field of the project file, what is wrong with it, and what to do.
    pub field: FieldError,
}

impl BadSweep {
    /// The sweep at `index`; `part` is the field of it: `experiment`, `options`.
    fn whole(index: usize, part: &str, problem: String, advice: impl Into<String>) -> Self {
        let field = FieldError::new(format!("sweeps[{index}].{part}"), problem, advice);
        Self { sweep: Some(index), axis: None, field }
    }
}

impl From<BadSweep> for FieldError {
    fn from(bad: BadSweep) -> Self {
        bad.field
    }
}

/// More points than this are a mistake rather than a plan.
pub const MAX_POINTS: usize = 500;

/// What an option's path starts with that is a field of the training settings.
pub const TRAINING: &str = "training.";

/// What an option's path starts with that is an option of generated data.
pub const DATASET: &str = "dataset.";

/// In place of an experiment's name: every experiment of the project.
pub const EVERY: &str = "*";

impl Sweep {
    /// Whether an experiment is run again by this sweep. One of every experiment leaves out those that its options do not touch: of
    /// training settings and data those that are made of other runs, of training settings also those that train no language model.
    pub fn is_of(&self, experiment: &Experiment) -> bool {
        let has = |part: &str| self.options.iter().any(|axis| axis.option.starts_with(part));
        let method = experiment.method.method();
        let own = method.parts().is_empty();
        let touched = (!has(TRAINING) || own && experiment.method.adapter_method().is_some()) && (!has(DATASET) || own);
        self.experiment == experiment.name || self.experiment == EVERY && touched
    }

    /// The experiment's name, or words for all of them.
    pub fn of_in_words(&self) -> &str {
        if self.experiment == EVERY { "every experiment" } else { &self.experiment }
    }
}

impl Project {
    /// The experiments, each followed by the points of its sweeps. A point that has the settings of one before it, of its
    /// experiment above all, is that one.
    ///
    /// # Errors
    /// A sweep names an experiment or an option that there is not, or a value that it cannot have.
    pub fn variants(&self) -> Result<Vec<Variant>, InputError> {
        expand(self).map_err(|BadSweep { field: bad, .. }| {
            let field = format!("field `{}`", bad.field);
            InputError::new(&self.folder, bad.problem).at(field).advice(bad.advice)
        })
    }
}

impl Variant {
    /// The project with the variant's training settings and data.
    pub fn project(&self, project: &Project) -> Project {
        Project { training: self.training.clone(), dataset: self.dataset.clone(), ..project.clone() }
    }

    /// Whether it is run on the project's own data: only such runs are held against each other where nothing else is said.
    pub fn is_on_data_of(&self, project: &Project) -> bool {
        self.dataset == project.dataset
    }
}

/// See [`Project::variants`]; the error says which sweep it is.
///
/// # Errors
/// As [`Project::variants`].
pub fn expand(project: &Project) -> Result<Vec<Variant>, BadSweep> {
    let names = || project.experiments.iter().map(|experiment| experiment.name.as_str());
    for (index, sweep) in project.sweeps.iter().enumerate() {
        if sweep.experiment == EVERY {
            every(sweep, index)?;
        } else if !names().any(|name| name == sweep.experiment) {
            let problem = format!("no experiment is named \"{}\"", sweep.experiment);
            let advice = format!("the project has {}", names().collect::<Vec<_>>().join(", "));
            return Err(BadSweep::whole(index, "experiment", problem, advice));
        }
    }
    let mut points = 0;
    let mut variants = Vec::new();
    for experiment in &project.experiments {
        let base = Variant {
            experiment: experiment.clone(),
            training: project.training.clone(),
            dataset: project.dataset.clone(),
            of: experiment.name.clone(),
            swept: false,
        };
        let mut family = vec![base];
        for (index, sweep) in project.sweeps.iter().enumerate().filter(|(_, s)| s.is_of(experiment)) {
            check_data(project, sweep, index, experiment)?;
            for combination in combinations(sweep, index, &mut points)? {
                let point = point(sweep, index, &combination, &family[0])?;
                let settings = |v: &Variant| (v.experiment.method.clone(), v.training.clone(), v.dataset.clone());
                let same = |v: &&mut Variant| settings(v) == settings(&point);
                match family.iter_mut().find(same) {
                    Some(there) => there.swept = true,
                    None => family.push(point),
                }
            }
        }
        variants.append(&mut family);
    }
    let mut taken = HashSet::new();
    match variants.iter().find(|variant| !taken.insert(variant.experiment.name.as_str())) {
        None => Ok(variants),
        Some(twice) => {
            let problem = format!("\"{}\" is both a point of a sweep and an experiment", twice.experiment.name);
            let field = FieldError::new("sweeps", problem, "give the experiment another name");
            Err(BadSweep { sweep: None, axis: None, field })
        }
    }
}

/// Refuses a sweep of every experiment over options that only some methods have.
fn every(sweep: &Sweep, index: usize) -> Result<(), BadSweep> {
    let own = |axis: &Axis| ![TRAINING, DATASET].iter().any(|part| axis.option.starts_with(part));
    match sweep.options.iter().position(own) {
        None => Ok(()),
        Some(axis) => {
            let problem =
                format!("{} is an option of single methods, not of every experiment", sweep.options[axis].option);
            let advice = "name the experiment, or sweep options behind `training.` or `dataset.`";
            let field = FieldError::new(format!("sweeps[{index}].options[{axis}].option"), problem, advice);
            Err(BadSweep { sweep: Some(index), axis: Some(axis), field })
        }
    }
}

/// Refuses a sweep over data of what is bound to one dataset.
fn check_data(project: &Project, sweep: &Sweep, index: usize, experiment: &Experiment) -> Result<(), BadSweep> {
    let Some(axis) = sweep.options.iter().position(|axis| axis.option.starts_with(DATASET)) else { return Ok(()) };
    let bad = |problem: String, advice: &str| {
        let field = FieldError::new(format!("sweeps[{index}].options[{axis}].option"), problem, advice);
        Err(BadSweep { sweep: Some(index), axis: Some(axis), field })
    };
    if !project.is_synthetic() {
        let problem = format!("{}: only generated data have options to vary", sweep.options[axis].option);
        return bad(problem, "real data are what they are; `dataset: Synthetic()` generates some");
    }
    if project.semantic_ids != SemanticIds::Dataset {
        let problem = "the project's semantic ids were made for one dataset".to_owned();
        return bad(problem, "leave out `semantic_ids`: generated data bring ids of their own");
    }
    if !experiment.method.method().parts().is_empty() {
        let problem = format!("\"{}\" joins runs on the project's own data", experiment.name);
        return bad(problem, "sweep the data of the experiments that it joins");
    }
    Ok(())
}

/// For each point the indices of its values, in the order of the axes.
fn combinations(sweep: &Sweep, index: usize, points: &mut usize) -> Result<Vec<Vec<usize>>, BadSweep> {
    let bad = |problem: String, advice: &str| BadSweep::whole(index, "options", problem, advice);
    let lengths: Vec<usize> = sweep.options.iter().map(|axis| axis.values.len()).collect();
    if lengths.is_empty() || lengths.contains(&0) {
        return Err(bad("a list is empty".to_owned(), "for example `[(option: \"lambda\", values: [0.5, 1, 2])]`"));
    }
    let number = match sweep.combine {
        Combine::Grid => lengths.iter().try_fold(1, |product: usize, length| product.checked_mul(*length)),
        Combine::List if lengths.iter().any(|length| *length != lengths[0]) => {
            let advice = "a list takes the values of all options together, so each needs as many; or `combine: Grid`";
            return Err(bad(format!("the options have {lengths:?} values"), advice));
        }
        Combine::List => Some(lengths[0]),
    };
    let sum = number.and_then(|number| points.checked_add(number)).filter(|sum| *sum <= MAX_POINTS);
    let (Some(number), Some(sum)) = (number, sum) else {
        return Err(bad(
            format!("the sweeps have more than {MAX_POINTS} points"),
            "leave out values, or split the sweep into several project files",
        ));
    };
    *points = sum;
    // The last option changes fastest.
    let value_index = |point: usize, axis: usize| match sweep.combine {
        Combine::Grid => point / lengths[axis + 1..].iter().product::<usize>() % lengths[axis],
        Combine::List => point,
    };
    Ok((0..number).map(|point| (0..lengths.len()).map(|axis| value_index(point, axis)).collect()).collect())
}

fn point(sweep: &Sweep, index: usize, combination: &[usize], base: &Variant) -> Result<Variant, BadSweep> {
    let mut variant = Variant { swept: true, ..base.clone() };
    // A choice comes before the options that it brings, in whatever order they are written.
    let mut order: Vec<usize> = (0..sweep.options.len()).collect();
    order.sort_by_key(|&number| sweep.options[number].option.matches('.').count());
    for number in order {
        let (axis, setting) = (&sweep.options[number], &sweep.options[number].values[combination[number]]);
        let set = match (axis.option.strip_prefix(TRAINING), axis.option.strip_prefix(DATASET)) {
            (Some(path), _) => set_training(&mut variant.training, path, setting),
            (None, Some(path)) => set_dataset(&mut variant.dataset, path, setting),
            (None, None) => set_option(&mut variant.experiment.method, &axis.option, setting),
        };
        set.map_err(|Refused { part, problem, advice }| {
            let field = format!("sweeps[{index}].options[{number}].{}", part.field());
            let field = FieldError::new(field, format!("{} = {setting}: {problem}", axis.option), advice);
            BadSweep { sweep: Some(index), axis: Some(number), field }
        })?;
    }
    let written = sweep.options.iter().zip(combination);
    let settings: Vec<String> =
        written.map(|(axis, &index)| format!("{} {}", axis.option, axis.values[index])).collect();
    variant.experiment.name = format!("{} ({})", base.experiment.name, settings.join(", "));
    // Values that are each allowed may not go together: a width that the number of heads does not divide.
    let method = variant.experiment.method.check();
    let method = method.map_err(|error| error.within("method"));
    let data = match &variant.dataset {
        DatasetSource::Synthetic(options) => check_synthetic(options),
        _ => Ok(()),
    };
    method.and(check_training(&variant.training)).and(data).map_err(|FieldError { field, problem, advice }| {
        let problem = format!("{}: {field}: {problem}", variant.experiment.name);
        BadSweep::whole(index, "options", problem, advice)
    })?;
    Ok(variant)
}

/// Why a point cannot have a value.
pub(super) struct Refused {
    part: RefusedPart,
    problem: String,
    advice: String,
}

/// The part of an [`Axis`] that is to blame.
enum RefusedPart {
    Option,
    Value,
}

impl RefusedPart {
    /// Its field in the project file.
    const fn field(&self) -> &'static str {
        match self {
            Self::Option => "option",
            Self::Value => "values",
        }
    }
}

fn set_option(method: &mut MethodOptions, path: &str, setting: &Setting) -> Result<(), Refused> {
    let field = method.fields().into_iter().find(|field| field.path == path);
    // A choice that is made already keeps its own options.
    if field.as_ref().is_some_and(|field| field.setting == *setting) {
        return Ok(());
    }
    let part = if field.is_none() { RefusedPart::Option } else { RefusedPart::Value };
    method.set(path, setting).map_err(|FieldError { problem, advice, .. }| Refused { part, problem, advice })
}

fn set_dataset(dataset: &mut DatasetSource, path: &str, setting: &Setting) -> Result<(), Refused> {
    // Other sources were refused before.
    let DatasetSource::Synthetic(options) = dataset else { return Ok(()) };
    let known = options.fields().iter().any(|field| field.path == path);
    let part = if known { RefusedPart::Value } else { RefusedPart::Option };
    options.set(path, setting).map_err(|FieldError { problem, advice, .. }| Refused { part, problem, advice })
}

pub(super) fn set_training(training: &mut Training, path: &str, setting: &Setting) -> Result<(), Refused> {
    let mut whole = serde_json::to_value(&*training).unwrap_or_default();
    let known = leaves(&whole, TRAINING);
    let Some(field) = path.split('.').try_fold(&mut whole, |value, step| value.get_mut(step)) else {
        let problem = "there is no such setting".to_owned();
        return Err(Refused { part: RefusedPart::Option, problem, advice: format!("there are {}", known.join(", ")) });
    };
    if let Some(described) = training_fields::field(path) {
        described.accepts(setting).map_err(|advice| Refused {
            part: RefusedPart::Value,
            problem: format!("{setting} cannot be used"),
            advice,
        })?;
    }
    *field = match setting {
        Setting::Switch(on) => Value::from(*on),
        Setting::Choice(key) => Value::from(key.as_str()),
        Setting::List(numbers) => Value::from(numbers.clone()),
        // Counts are whole numbers in JSON, and a measure takes one as well.
        Setting::Number(number) if number.fract() == 0.0 && (0.0..9e15).contains(number) => Value::from(*number as u64),
        Setting::Number(number) => Value::from(*number),
    };
    *training = serde_json::from_value(whole).map_err(|error| Refused {
        part: RefusedPart::Value,
        problem: error.to_string(),
        advice: format!("`{TRAINING}{path}` takes what it takes in the project's training"),
    })?;
    Ok(())
}

/// The paths of all settings.
fn leaves(value: &Value, prefix: &str) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    let leaf = |(name, value): (&String, &Value)| match value {
        Value::Object(_) => leaves(value, &format!("{prefix}{name}.")),
        _ => vec![format!("{prefix}{name}")],
    };
    fields.flat_map(leaf).collect()
}
