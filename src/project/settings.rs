//! Training and tests as one list of settings, by their paths in the project file (`training.epochs`, `evaluation.beams`):
//! read, set, grouped for a form.

use serde_json::Value;

use super::{Evaluation, Project, Training, evaluation_fields, training_fields};
use crate::schema::{Field, FieldError, Setting, json};

/// Settings that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub title: &'static str,
    /// Their paths.
    pub paths: &'static [&'static str],
}

/// The groups of a form.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Steps",
        paths: &[
            "training.epochs",
            "training.later_stage_epochs",
            "training.keep",
            "training.validation_users",
            "training.batch",
            "training.learning_rate",
            "training.later_stage_factor",
            "training.schedule",
            "training.warm_up",
            "training.weight_decay",
            "training.clip",
        ],
    },
    Group { title: "Examples and loss", paths: &["training.max_history", "training.temperature", "training.softmax"] },
    Group {
        title: "Adapters",
        paths: &[
            "training.lora.rank",
            "training.lora.alpha",
            "training.dropout",
            "training.vocabulary",
            "training.lora.search",
            "training.lora.smallest_rank",
            "training.lora.budget",
            "training.lora.candidates",
        ],
    },
    Group {
        title: "Memory and precision",
        paths: &["training.storage", "training.accumulation", "training.checkpointing", "training.release_compatible"],
    },
    Group {
        title: "Tests",
        paths: &[
            "evaluation.protocol",
            "evaluation.beams",
            "evaluation.decoding",
            "evaluation.users",
            "evaluation.known_items",
        ],
    },
];

/// The parts of a project that have such settings.
#[derive(Debug, Clone, Copy)]
enum Part {
    Training,
    Evaluation,
}

impl Part {
    /// The part of a path, and the path within it.
    fn of(path: &str) -> Option<(Self, &str)> {
        let (part, rest) = path.split_once('.')?;
        match part {
            "training" => Some((Self::Training, rest)),
            "evaluation" => Some((Self::Evaluation, rest)),
            _ => None,
        }
    }
}

/// The description of a setting.
pub fn field(path: &str) -> Option<&'static Field> {
    match Part::of(path)? {
        (Part::Training, path) => training_fields::field(path),
        (Part::Evaluation, path) => evaluation_fields::FIELDS.iter().find(|field| field.path == path),
    }
}

/// What a setting is where it has no value, for one that need not have any.
pub fn unset_words(path: &str) -> Option<&'static str> {
    match path {
        "training.later_stage_epochs" => Some("as in stage 1"),
        "training.validation_users" | "evaluation.users" => Some("all"),
        _ => None,
    }
}

/// The value of a setting; none where it has none.
pub fn value(project: &Project, path: &str) -> Option<Setting> {
    let (part, within) = Part::of(path)?;
    let whole = match part {
        Part::Training => serde_json::to_value(&project.training),
        Part::Evaluation => serde_json::to_value(&project.evaluation),
    };
    value_in(&whole.ok()?, path, within)
}

/// The value of a setting where nobody changed it; none where it then has none.
pub fn default(path: &str) -> Option<Setting> {
    let (part, within) = Part::of(path)?;
    let whole = match part {
        Part::Training => serde_json::to_value(Training::default()),
        Part::Evaluation => serde_json::to_value(Evaluation::default()),
    };
    value_in(&whole.ok()?, path, within)
}

fn value_in(whole: &Value, path: &str, within: &str) -> Option<Setting> {
    let value = json::at(whole, within)?;
    if unset_words(path).is_some() {
        // `Sample(500)` is a number of users; `All` and nothing are none.
        return value.get(SAMPLE).unwrap_or(value).as_f64().map(Setting::Number);
    }
    Setting::of(value)
}

/// What a number of users is called in the project file.
const SAMPLE: &str = "Sample";

/// Gives a setting a value, or takes it away from one that need not have any. The project stays as it is on an error.
///
/// # Errors
/// There is no such setting, or it cannot have the value.
pub fn set(project: &mut Project, path: &str, setting: Option<&Setting>) -> Result<(), FieldError> {
    let bad = |problem: String, advice: String| FieldError::new(path, problem, advice);
    let unknown = || bad("there is no such setting".to_owned(), "the reference lists them".to_owned());
    let (part, within) = Part::of(path).ok_or_else(unknown)?;
    let field = field(path).ok_or_else(unknown)?;
    let users = path.ends_with("users");
    let value = match setting {
        Some(setting) => {
            let refused = || bad(format!("{setting} cannot be used"), field.expected());
            let value = field.value(setting).ok_or_else(refused)?;
            if users { Value::Object([(SAMPLE.to_owned(), value)].into_iter().collect()) } else { value }
        }
        None if users => Value::from("All"),
        None if unset_words(path).is_some() => Value::Null,
        None => return Err(bad("it has no value".to_owned(), field.expected())),
    };
    let unwritable = |error: serde_json::Error| bad(error.to_string(), field.expected());
    match part {
        Part::Training => project.training = with(&project.training, within, value).map_err(unwritable)?,
        Part::Evaluation => project.evaluation = with(&project.evaluation, within, value).map_err(unwritable)?,
    }
    Ok(())
}

fn with<T: serde::Serialize + serde::de::DeserializeOwned>(
    options: &T,
    path: &str,
    value: Value,
) -> Result<T, serde_json::Error> {
    let mut whole = serde_json::to_value(options)?;
    if let Some(slot) = json::at_mut(&mut whole, path) {
        *slot = value;
    }
    serde_json::from_value(whole)
}

/// Finds the first setting of a part whose value is none of its field's.
pub(super) fn check(
    part: &str,
    options: &impl serde::Serialize,
    fields: &[&'static [Field]],
) -> Result<(), FieldError> {
    let whole = serde_json::to_value(options).unwrap_or_default();
    for field in fields.iter().copied().flatten() {
        let path = format!("{part}.{}", field.path);
        let Some(setting) = value_in(&whole, &path, field.path) else { continue };
        field
            .accepts(&setting)
            .map_err(|expected| FieldError::new(path, format!("{setting} cannot be used"), expected))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::project::UsersPerStage;
    use crate::project::file::DEMO;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("project.ron")).unwrap()
    }

    #[test]
    fn every_setting_of_training_and_tests_is_in_the_form() {
        let leaves = |part: &str, whole: Value| -> BTreeSet<String> {
            let fields = whole.as_object().unwrap().iter();
            fields
                .flat_map(|(name, value)| match value.as_object() {
                    Some(inner) => inner.keys().map(|key| format!("{part}.{name}.{key}")).collect(),
                    None => vec![format!("{part}.{name}")],
                })
                .collect()
        };
        let mut all = leaves("training", serde_json::to_value(Training::default()).unwrap());
        all.extend(leaves("evaluation", serde_json::to_value(Evaluation::default()).unwrap()));
        let mut shown: BTreeSet<String> =
            GROUPS.iter().flat_map(|group| group.paths).map(|path| (*path).to_owned()).collect();
        // A folder is chosen where the model is; a list of numbers has a field of its own.
        shown.extend(["training.start".to_owned(), "evaluation.k".to_owned()]);
        assert_eq!(shown, all);
        for path in GROUPS.iter().flat_map(|group| group.paths) {
            assert!(field(path).is_some(), "{path}");
            assert_eq!(default(path).is_none(), unset_words(path).is_some(), "{path}");
        }
    }

    #[test]
    fn settings_are_read_and_set_by_their_paths_or_stay() {
        let mut project = project();
        set(&mut project, "training.lora.rank", Some(&Setting::Number(32.0))).unwrap();
        set(&mut project, "training.checkpointing", Some(&Setting::Switch(true))).unwrap();
        set(&mut project, "training.vocabulary", Some(&Setting::Choice("Frozen".to_owned()))).unwrap();
        set(&mut project, "evaluation.decoding", Some(&Setting::Choice("PerPosition".to_owned()))).unwrap();
        assert_eq!((project.training.lora.rank, project.training.checkpointing), (32, true));
        assert_eq!(value(&project, "training.vocabulary"), Some(Setting::Choice("Frozen".to_owned())));
        assert_eq!(project.evaluation.decoding, crate::model::Decoding::PerPosition);
        let before = project.clone();
        for (path, setting) in [("training.accumulation", 0.0), ("training.nothing", 1.0), ("dataset.path", 1.0)] {
            assert!(set(&mut project, path, Some(&Setting::Number(setting))).is_err(), "{path}");
        }
        assert!(set(&mut project, "training.epochs", None).is_err());
        assert_eq!(project, before);
    }

    #[test]
    fn what_need_not_have_a_value_can_be_given_one_and_lose_it() {
        let mut project = project();
        for (path, number) in [("training.later_stage_epochs", 2.0), ("training.validation_users", 50.0)] {
            set(&mut project, path, Some(&Setting::Number(number))).unwrap();
            assert_eq!(value(&project, path), Some(Setting::Number(number)));
        }
        assert_eq!(project.training.later_stage_epochs, Some(2));
        assert_eq!(project.training.validation_users, UsersPerStage::Sample(50));
        set(&mut project, "training.later_stage_epochs", None).unwrap();
        set(&mut project, "training.validation_users", None).unwrap();
        assert_eq!(project.training.later_stage_epochs, None);
        assert_eq!(project.training.validation_users, UsersPerStage::All);
        assert_eq!(value(&project, "training.validation_users"), None);
    }

    #[test]
    fn a_check_refuses_what_a_form_does_not_offer() {
        let check = |project: &Project| super::super::check::check(project);
        check(&project()).unwrap();
        for path in GROUPS.iter().flat_map(|group| group.paths) {
            if let crate::schema::Kind::Whole { .. } = field(path).unwrap().kind {
                let mut project = project();
                let whole = if path.starts_with("training") {
                    let mut value = serde_json::to_value(&project.training).unwrap();
                    *json::at_mut(&mut value, path.strip_prefix("training.").unwrap()).unwrap() =
                        match path.ends_with("users") {
                            true => serde_json::json!({ "Sample": 0 }),
                            false => Value::from(0),
                        };
                    serde_json::from_value(value).map(|training| project.training = training)
                } else {
                    project.evaluation.beams = 0;
                    Ok(())
                };
                whole.unwrap();
                let bad = check(&project).unwrap_err();
                assert!(bad.advice.starts_with("it must be a whole number from 1 to "), "{path}: {bad:?}");
            }
        }
        let mut none = project();
        none.training.learning_rate = f64::NAN;
        assert_eq!(check(&none).unwrap_err().field, "training.learning_rate");
    }
}
