//! The settings of runs side by side: what differs between configurations, and nothing else.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::project::Project;
use crate::run::{RunConfig, RunMethod};
use crate::schema::{Kind, Setting};

/// One setting, of several configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where it is set: `Method`, `Training`.
    pub part: &'static str,
    /// `Weight`, `Learning rate`.
    pub name: String,
    /// By configuration; none where it has no such setting.
    pub values: Vec<Option<SettingValue>>,
}

/// A setting's value.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingValue {
    /// As people read it: a choice by its label.
    pub text: String,
    /// Where it is a number.
    pub number: Option<f64>,
}

/// The settings of a run, each under the last step of its path: `lambda`, `learning_rate`, `users`.
pub type Settings = BTreeMap<String, SettingValue>;

/// All settings of a method in a project. Of two with one name the method's comes before those of training, evaluation, model,
/// prompt and data.
pub fn settings(method: &RunMethod, project: &Project) -> Settings {
    let mut named = Settings::new();
    for (_, path, _, value) in settings_of(method, project).into_iter().skip(1) {
        let name = path.rsplit('.').next().unwrap_or(&path);
        named.entry(name.to_lowercase()).or_insert(value);
    }
    named
}

impl SettingValue {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: None }
    }

    fn number(number: f64) -> Self {
        Self { text: number.to_string(), number: Some(number) }
    }
}

impl Difference {
    /// Whether all configurations have it alike, so that it is none.
    pub fn is_common(&self) -> bool {
        self.values.windows(2).all(|pair| pair[0] == pair[1])
    }
}

/// Key of a setting: its part of the project file by place, its path there, and its name.
type Key = (usize, String);

/// The settings that differ between `configurations`, in the project file's order; there are none of one configuration.
pub fn differences(configurations: &[&RunConfig]) -> Vec<Difference> {
    side_by_side(configurations).into_iter().filter(|found| !found.is_common()).collect()
}

/// All settings of `configurations`, in the project file's order.
pub fn side_by_side(configurations: &[&RunConfig]) -> Vec<Difference> {
    let mut names: BTreeMap<Key, (usize, String)> = BTreeMap::new();
    let mut all: Vec<BTreeMap<Key, SettingValue>> = Vec::new();
    for configuration in configurations {
        let mut settings = BTreeMap::new();
        for (part, path, name, value) in settings_of(&configuration.method, &configuration.project) {
            let order = names.len();
            names.entry((part, path.clone())).or_insert((order, name));
            settings.insert((part, path), value);
        }
        all.push(settings);
    }
    let mut keys: Vec<(&Key, &(usize, String))> = names.iter().collect();
    keys.sort_by_key(|((part, _), (order, _))| (*part, *order));
    let difference = |(key, (_, name)): (&Key, &(usize, String))| Difference {
        part: PARTS[key.0],
        name: name.clone(),
        values: all.iter().map(|settings| settings.get(key).cloned()).collect(),
    };
    keys.into_iter().map(difference).collect()
}

/// The parts of the settings, in their order.
const PARTS: [&str; 6] = ["Method", "Training", "Evaluation", "Base model", "Prompt", "Data"];

/// All settings that decide a run's numbers: part, path, name and value.
fn settings_of(method: &RunMethod, project: &Project) -> Vec<(usize, String, String, SettingValue)> {
    let mut settings = vec![(0, String::new(), "Method".to_owned(), SettingValue::text(method.label()))];
    let RunMethod::Learned(options) = method else { return settings };
    for field in options.fields() {
        let path = format!("{}.{}", options.card().key, field.path);
        settings.push((0, path, field.field.label.to_owned(), shown(field.field.kind, &field.setting)));
    }
    let mut part = |index: usize, value: Value| flatten(index, PARTS[index], "", &value, &mut settings);
    part(1, as_value(&project.training));
    part(2, as_value(&project.evaluation));
    part(3, as_value(&project.base_model));
    part(4, as_value(&project.prompt));
    part(5, as_value(&(&project.dataset, &project.semantic_ids)));
    settings
}

/// Options always have a JSON form; what has none would be no setting.
fn as_value(options: &impl Serialize) -> Value {
    serde_json::to_value(options).unwrap_or_default()
}

fn shown(kind: Kind, setting: &Setting) -> SettingValue {
    match (kind, setting) {
        (Kind::Choice(choices) | Kind::NumberOr { choices, .. }, Setting::Choice(key)) => {
            let chosen = choices.iter().find(|choice| choice.key == key);
            SettingValue::text(chosen.map_or(key.as_str(), |choice| choice.label))
        }
        (_, Setting::Number(number)) => SettingValue::number(*number),
        _ => SettingValue::text(setting.to_string()),
    }
}

/// Adds the leaves of `value`, each under its path and named by the last step of it.
fn flatten(
    part: usize,
    name: &str,
    path: &str,
    value: &Value,
    settings: &mut Vec<(usize, String, String, SettingValue)>,
) {
    let leaf = match value {
        Value::Object(object) => {
            for (step, value) in object {
                flatten(part, step, &format!("{path}.{step}"), value, settings);
            }
            return;
        }
        Value::Array(list) if list.iter().any(|entry| entry.is_object() || entry.is_array()) => {
            for (index, value) in list.iter().enumerate() {
                flatten(part, name, &format!("{path}.{index}"), value, settings);
            }
            return;
        }
        Value::Array(list) => SettingValue::text(list.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")),
        Value::Null => SettingValue::text("not set"),
        Value::Bool(on) => SettingValue::text(if *on { "on" } else { "off" }),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| SettingValue::text(number.to_string()), SettingValue::number)
        }
        Value::String(text) => SettingValue::text(text),
    };
    settings.push((part, path.to_owned(), in_words(name), leaf));
}

/// A field's name as people read it: `learning_rate` is `Learning rate`.
fn in_words(field: &str) -> String {
    let mut letters = field.replace('_', " ").chars().collect::<Vec<_>>();
    if let Some(first) = letters.first_mut() {
        *first = first.to_ascii_uppercase();
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{MethodOptions, Peso};
    use crate::project::Project;
    use crate::project::file::DEMO;

    fn configuration(project: &Project, method: MethodOptions) -> RunConfig {
        RunConfig {
            format: RunConfig::FORMAT,
            identity: RunConfig::IDENTITY,
            run: String::new(),
            experiment: String::new(),
            method: RunMethod::Learned(method),
            seed: 0,
            project: project.clone(),
            device: String::new(),
            version: String::new(),
            config_hash: String::new(),
            data_hash: String::new(),
            model_hash: String::new(),
            synthetic: true,
            stages: 5,
            catalogue: None,
            trainable_parameters: 0,
            created_unix: 0,
        }
    }

    fn demo() -> Project {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("project.ron");
        std::fs::write(&file, DEMO).unwrap();
        Project::load(&file).unwrap()
    }

    #[test]
    fn only_what_differs_is_listed_side_by_side() {
        let project = demo();
        let usual = configuration(&project, MethodOptions::Peso(Peso::default()));
        let mut changed = usual.clone();
        changed.method = RunMethod::Learned(MethodOptions::Peso(Peso { lambda: 5.0.into(), ..Peso::default() }));
        changed.project.training.learning_rate = 0.5;
        changed.project.name = "Another name is no setting".to_owned();
        let found = differences(&[&usual, &changed]);
        let rows: Vec<(&str, &str)> = found.iter().map(|found| (found.part, found.name.as_str())).collect();
        assert_eq!(rows.len(), 2, "{found:?}");
        assert_eq!(rows[1], ("Training", "Learning rate"));
        assert_eq!(found[0].values[1].as_ref().map(|value| value.number), Some(Some(5.0)));
        assert!(differences(&[&usual]).is_empty());
    }

    #[test]
    fn methods_have_their_options_apart() {
        let project = demo();
        let peso = configuration(&project, MethodOptions::Peso(Peso::default()));
        let single = configuration(&project, MethodOptions::Single);
        let found = differences(&[&peso, &single]);
        let names: Vec<Option<&str>> = found[0].values.iter().map(|v| v.as_ref().map(|v| v.text.as_str())).collect();
        assert_eq!(names, [Some("PESO"), Some("Single evolving LoRA")]);
        assert!(found.len() > 1 && found[1..].iter().all(|found| found.part == "Method" && found.values[1].is_none()));
    }
}
