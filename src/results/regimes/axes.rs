//! Which options a map can be over, and which points are held against each other.

use super::RegimeQuestion;
use crate::data::{DatasetSource, synthetic};
use crate::error::InputError;
use crate::method::MethodOptions;
use crate::project::sweep::{DATASET, TRAINING, Variant};
use crate::project::{Project, settings};
use crate::schema::Setting;

/// An option with the values that sweeps give it.
#[derive(Debug, Clone, PartialEq)]
pub struct SweptOption {
    /// `dataset.drift`.
    pub path: String,
    /// `Drift`.
    pub label: String,
    /// Numbers rise, others are in the order of the sweeps.
    pub values: Vec<Setting>,
}

/// The options of a map before anything is read: what is shown, and what else could be.
#[derive(Debug, Clone, PartialEq)]
pub struct RegimeAxes {
    pub method: String,
    pub baseline: String,
    pub x: SweptOption,
    pub y: SweptOption,
    /// Further options that vary, each with the value that it is held at where it is not averaged over.
    pub further: Vec<(SweptOption, Option<Setting>)>,
}

/// What a map would show, and could; none where no method and baseline have two swept options.
///
/// # Errors
/// The question names an experiment or option that there is not.
pub fn axes(
    project: &Project,
    variants: &[Variant],
    question: &RegimeQuestion,
) -> Result<Option<RegimeAxes>, InputError> {
    let bad = |problem: String, advice: String| Err(InputError::new(&project.folder, problem).advice(advice));
    let methods = methods(project, variants);
    let all: Vec<String> = project.experiments.iter().map(|experiment| experiment.name.clone()).collect();
    let unknown = |asked: &Option<String>, known: &[String]| asked.clone().filter(|name| !known.contains(name));
    if let Some(name) = unknown(&question.method, &methods) {
        return bad(format!("\"{name}\" has no two swept options"), format!("these have: {}", methods.join(", ")));
    }
    if let Some(name) = unknown(&question.baseline, &all) {
        return bad(format!("no experiment is named \"{name}\""), format!("the project has {}", all.join(", ")));
    }
    let key = |name: &String| project.method_of(name).map_or("", |method| method.card().key);
    let usual = |names: &[String], wanted: &str, other: Option<&String>| {
        let mut others = names.iter().filter(|name| Some(*name) != other);
        others.clone().find(|name| key(name) == wanted).or_else(|| others.next()).cloned()
    };
    let method = question.method.clone().or_else(|| usual(&methods, "peso", question.baseline.as_ref()));
    let baseline = question.baseline.clone().or_else(|| usual(&all, "single", method.as_ref()));
    let (Some(method), Some(baseline)) = (method, baseline) else { return Ok(None) };
    if method == baseline {
        return bad(format!("\"{method}\" gains nothing over itself"), "name another baseline".to_owned());
    }
    let mut options = swept(project, variants, &method);
    let mut take = |asked: &Option<String>, other: &Option<String>| {
        let is = |option: &SweptOption| match asked {
            Some(path) => option.path == *path,
            None => Some(&option.path) != other.as_ref() && !question.at.contains_key(&option.path),
        };
        options.iter().position(is).map(|place| options.remove(place))
    };
    let (Some(x), Some(y)) = (take(&question.x, &question.y), take(&question.y, &None)) else {
        let paths: Vec<String> = swept(project, variants, &method).into_iter().map(|option| option.path).collect();
        return bad("there are not both options".to_owned(), format!("{method} is swept over {}", paths.join(", ")));
    };
    let held = |option: SweptOption| {
        let value = question.at.get(&option.path).map(|text| {
            let found = option.values.iter().find(|value| value.to_string() == *text).cloned();
            let values = || option.values.iter().map(Setting::to_string).collect::<Vec<_>>().join(", ");
            found.ok_or_else(|| {
                InputError::new(&project.folder, format!("{} has no value {text}", option.path))
                    .advice(format!("it has {}", values()))
            })
        });
        Ok((option, value.transpose()?))
    };
    let further = options.into_iter().map(held).collect::<Result<_, InputError>>()?;
    Ok(Some(RegimeAxes { method, baseline, x, y, further }))
}

/// The experiments that have two swept options, which a map needs; its baseline need not have the method's own.
pub fn methods(project: &Project, variants: &[Variant]) -> Vec<String> {
    let names = project.experiments.iter().map(|experiment| experiment.name.clone());
    names.filter(|name| swept(project, variants, name).len() > 1).collect()
}

/// The options of an experiment that sweeps give more than one value, in the order of the sweeps.
fn swept(project: &Project, variants: &[Variant], method: &str) -> Vec<SweptOption> {
    let Some(experiment) = project.experiments.iter().find(|experiment| experiment.name == method) else {
        return Vec::new();
    };
    let mut options: Vec<SweptOption> = Vec::new();
    for axis in project.sweeps.iter().filter(|sweep| sweep.is_of(experiment)).flat_map(|sweep| &sweep.options) {
        let place = options.iter().position(|option| option.path == axis.option).unwrap_or_else(|| {
            let label = label(project, method, &axis.option);
            options.push(SweptOption { path: axis.option.clone(), label, values: Vec::new() });
            options.len() - 1
        });
        for value in &axis.values {
            if !options[place].values.contains(value) {
                options[place].values.push(value.clone());
            }
        }
    }
    let own = || variants.iter().filter(|variant| variant.of == method);
    for option in &mut options {
        option
            .values
            .retain(|value| own().any(|variant| setting(project, variant, &option.path).as_ref() == Some(value)));
        if option.values.iter().all(|value| matches!(value, Setting::Number(_))) {
            option.values.sort_by(|one, other| number(one).total_cmp(&number(other)));
        }
    }
    options.retain(|option| option.values.len() > 1);
    options
}

fn number(setting: &Setting) -> f64 {
    if let Setting::Number(number) = setting { *number } else { f64::NAN }
}

/// What a form calls an option.
fn label(project: &Project, method: &str, path: &str) -> String {
    let of_data = |path| synthetic::FIELDS.iter().find(|field| field.path == path).map(|field| field.label);
    let of_method = || {
        let fields = project.method_of(method).map(MethodOptions::fields).unwrap_or_default();
        fields.iter().find(|field| field.path == path).map(|field| field.field.label)
    };
    let label = match path.strip_prefix(DATASET) {
        Some(path) => of_data(path),
        None => settings::field(path).map(|field| field.label).or_else(of_method),
    };
    label.unwrap_or(path).to_owned()
}

/// The value of an option at a point; none where the point has no such option.
pub(super) fn setting(project: &Project, variant: &Variant, path: &str) -> Option<Setting> {
    if let Some(path) = path.strip_prefix(DATASET) {
        let DatasetSource::Synthetic(options) = &variant.dataset else { return None };
        return options.fields().into_iter().find(|field| field.path == path).map(|field| field.setting);
    }
    if path.starts_with(TRAINING) {
        return settings::value(&variant.project(project), path);
    }
    let fields = variant.experiment.method.fields();
    fields.into_iter().find(|field| field.path == path).map(|field| field.setting)
}

/// The point of the baseline that one of the method is held against: the same data and training, and the same values of those options
/// of the method that both have, else the baseline's own.
pub(super) fn partner<'v>(
    project: &Project,
    variants: &'v [Variant],
    axes: &RegimeAxes,
    point: &Variant,
) -> Option<&'v Variant> {
    let same = |other: &&Variant| {
        other.of == axes.baseline && other.dataset == point.dataset && other.training == point.training
    };
    let paths = [&axes.x.path, &axes.y.path].into_iter().chain(axes.further.iter().map(|(option, _)| &option.path));
    let own: Vec<&String> = paths.filter(|path| !path.starts_with(DATASET) && !path.starts_with(TRAINING)).collect();
    let alike = |other: &&Variant| {
        own.iter()
            .all(|path| setting(project, other, path).is_none_or(|value| setting(project, point, path) == Some(value)))
    };
    let plain = |other: &&Variant| project.method_of(&axes.baseline) == Some(&other.experiment.method);
    let mut all = variants.iter().filter(same);
    all.clone().filter(alike).find(plain).or_else(|| all.clone().find(alike)).or_else(|| all.find(plain))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::data::Protocol;
    use crate::measure::UserMetric;
    use crate::project::file::DEMO;

    pub(in crate::results::regimes) fn project(sweeps: &str) -> Project {
        let text = DEMO.replace("seeds: [42],", &format!("seeds: [1, 2], sweeps: [{sweeps}],"));
        Project::parse(&text, Path::new("demo/project.ron")).unwrap()
    }

    pub(in crate::results::regimes) const BLOCKS: &str = r#"(experiment: "*", options: [
        (option: "dataset.interactions.1", values: [8, 3.2]), (option: "dataset.drift", values: [0.2, 0.6]),
        (option: "dataset.seed", values: [7, 8])])"#;

    pub(in crate::results::regimes) fn question() -> RegimeQuestion {
        let metric = UserMetric::default();
        let (method, baseline, x, y) = (None, None, None, None);
        RegimeQuestion { method, baseline, x, y, at: BTreeMap::new(), metric, protocol: Protocol::SameBlock }
    }

    pub(in crate::results::regimes) fn asked(
        project: &Project,
        question: &RegimeQuestion,
    ) -> Result<Option<RegimeAxes>, InputError> {
        axes(project, &project.variants().unwrap(), question)
    }

    #[test]
    fn a_project_says_its_own_map_and_each_part_can_be_chosen() {
        let project = project(BLOCKS);
        let axes = asked(&project, &question()).unwrap().unwrap();
        assert_eq!((axes.method.as_str(), axes.baseline.as_str()), ("PESO", "Single evolving LoRA"));
        let words = |option: &SweptOption| format!("{}: {:?}", option.label, option.values);
        assert_eq!(words(&axes.x), "Later interactions: [Number(3.2), Number(8.0)]");
        assert_eq!((axes.y.label.as_str(), axes.further.len(), axes.further[0].1.is_none()), ("Drift", 1, true));
        let at = BTreeMap::from([("dataset.seed".to_owned(), "8".to_owned())]);
        let other = RegimeQuestion { x: Some("dataset.drift".to_owned()), at, ..question() };
        let axes = asked(&project, &other).unwrap().unwrap();
        assert_eq!((axes.x.label.as_str(), axes.y.label.as_str()), ("Drift", "Later interactions"));
        assert_eq!(axes.further[0].1, Some(Setting::Number(8.0)));
        for wrong in [
            RegimeQuestion { method: Some("Nobody".to_owned()), ..question() },
            RegimeQuestion { x: Some("lambda".to_owned()), ..question() },
            RegimeQuestion { baseline: Some("PESO".to_owned()), method: Some("PESO".to_owned()), ..question() },
        ] {
            assert!(asked(&project, &wrong).is_err(), "{wrong:?}");
        }
        let one = self::project(r#"(experiment: "PESO", options: [(option: "lambda", values: [1, 5])])"#);
        assert_eq!(asked(&one, &question()).unwrap(), None);
    }

    #[test]
    fn a_point_is_held_against_the_baseline_on_its_own_data() {
        let project = project(
            r#"(experiment: "PESO", options: [(option: "lambda", values: [5, 50]), (option: "dataset.choice_noise", values: [0, 0.3])]),
               (experiment: "Single evolving LoRA", options: [(option: "dataset.choice_noise", values: [0, 0.3])])"#,
        );
        let variants = project.variants().unwrap();
        let axes = axes(&project, &variants, &question()).unwrap().unwrap();
        let of = |name: &str| {
            let point = variants.iter().find(|variant| variant.experiment.name == name).unwrap();
            partner(&project, &variants, &axes, point).map(|other| other.experiment.name.as_str())
        };
        assert_eq!(
            of("PESO (lambda 50, dataset.choice_noise 0.3)"),
            Some("Single evolving LoRA (dataset.choice_noise 0.3)")
        );
        assert_eq!(of("PESO (lambda 5, dataset.choice_noise 0)"), Some("Single evolving LoRA"));
    }
}
