//! A method for people, and its options as fields that a form, a sweep and a check can be made of.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::options::MethodOptions;

/// What a method is.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Its key in results: `peso`, `sum_lora`.
    pub key: &'static str,
    pub name: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
    /// What it minimises or adds.
    pub formula: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    pub fields: &'static [Field],
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Path in the project file, from the method's options: `lambda`, `distance.temperature`.
    pub path: &'static str,
    pub label: &'static str,
    /// What the option does.
    pub help: &'static str,
    pub kind: Kind,
}

/// What values an option takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A number from `least` to `most`, both included.
    Number {
        least: f64,
        most: f64,
    },
    /// A whole number from `least` to `most`, both included.
    Whole {
        least: u64,
        most: u64,
    },
    Switch,
    Choice(&'static [Choice]),
    /// The name of another experiment.
    Experiment,
}

/// One value of a [`Kind::Choice`].
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Its name in the project file.
    pub key: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    /// Its own options with their defaults as a JSON object; empty where it has none.
    pub defaults: &'static str,
}

impl Choice {
    /// A choice without options of its own.
    pub const fn plain(key: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { key, label, help, defaults: "" }
    }

    fn value(&self) -> Value {
        match serde_json::from_str::<Value>(self.defaults) {
            Ok(defaults) => Value::Object(Map::from_iter([(self.key.to_owned(), defaults)])),
            Err(_) => Value::from(self.key),
        }
    }
}

/// A value of an option, as a sweep lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, true, false, or a choice's name in quotes")]
pub enum Setting {
    Switch(bool),
    Number(f64),
    /// The key of a [`Choice`], or a name.
    Choice(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Number(number) => number.fmt(f),
            Self::Choice(key) => f.write_str(key),
        }
    }
}

/// An option of a method at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldOf {
    /// Path from the method's options: [`Field::path`], behind `method.` for those of the method inside another.
    pub path: String,
    pub field: &'static Field,
    /// Its value now.
    pub setting: Setting,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.label == other.label
    }
}

/// Why an option cannot have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    pub path: String,
    pub problem: String,
    /// What it may be.
    pub advice: String,
}

impl MethodOptions {
    /// The options that there are with what is chosen now: a choice may bring options of its own.
    pub fn fields(&self) -> Vec<FieldOf> {
        let whole = self.as_value();
        let own = self.card().fields.iter().filter_map(|field| {
            let setting = setting(at(&whole, field.path)?)?;
            Some(FieldOf { path: field.path.to_owned(), field, setting })
        });
        let inner = self.inner().into_iter().flat_map(Self::fields);
        own.chain(inner.map(|inner| FieldOf { path: format!("method.{}", inner.path), ..inner })).collect()
    }

    /// Sets an option.
    ///
    /// # Errors
    /// There is no such option now, or the value is none of its values.
    pub fn set(&mut self, path: &str, setting: &Setting) -> Result<(), BadSetting> {
        let bad = |problem: String, advice: String| BadSetting { path: path.to_owned(), problem, advice };
        let fields = self.fields();
        let field = fields.iter().find(|field| field.path == path).ok_or_else(|| {
            let known: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            bad(format!("{} has no such option", self.card().name), known)
        })?;
        let value = field
            .field
            .value(setting)
            .ok_or_else(|| bad(format!("{setting} cannot be used"), field.field.expected()))?;
        let mut whole = self.as_value();
        if let Some(place) = at_mut(&mut whole, path) {
            *place = value;
        }
        *self = serde_json::from_value(whole).map_err(|error| bad(error.to_string(), field.field.expected()))?;
        Ok(())
    }

    /// Refuses values out of their range.
    ///
    /// # Errors
    /// The first option whose value it cannot be.
    pub fn check(&self) -> Result<(), BadSetting> {
        let whole = |problem: &str, advice: &str| BadSetting {
            path: "method".to_owned(),
            problem: problem.to_owned(),
            advice: advice.to_owned(),
        };
        match self {
            Self::GradientSurgery(surgery) if surgery.method.method().is_none() => {
                let problem = format!("{} adapts no language model", surgery.method.card().name);
                return Err(whole(&problem, "choose a method of adapters"));
            }
            Self::SasRec(options) => {
                options.check().map_err(|problem| whole(&problem, "see the method's options"))?;
            }
            Self::TwoTower(options) => {
                options.check().map_err(|problem| whole(&problem, "see the method's options"))?;
            }
            _ => {}
        }
        let bad = self.fields().into_iter().find(|field| field.field.value(&field.setting).is_none());
        bad.map_or(Ok(()), |field| {
            let (problem, advice) = (format!("{} cannot be used", field.setting), field.field.expected());
            Err(BadSetting { path: field.path, problem, advice })
        })
    }

    /// The method inside this one, where it is one that changes another.
    fn inner(&self) -> Option<&Self> {
        match self {
            Self::GradientSurgery(surgery) => Some(&surgery.method),
            _ => None,
        }
    }

    fn as_value(&self) -> Value {
        // Numbers that JSON does not have become null, which no option takes.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Field {
    /// Refuses a setting that is none of the option's.
    ///
    /// # Errors
    /// What it may be.
    pub fn accepts(&self, setting: &Setting) -> Result<(), String> {
        self.value(setting).map(drop).ok_or_else(|| self.expected())
    }

    /// The value in the options that a setting stands for; none where it is none of the option's.
    fn value(&self, setting: &Setting) -> Option<Value> {
        match (self.kind, setting) {
            (Kind::Number { least, most }, Setting::Number(number)) => {
                (least..=most).contains(number).then(|| Value::from(*number))
            }
            (Kind::Whole { least, most }, Setting::Number(number)) => {
                let whole = *number as u64;
                ((least..=most).contains(&whole) && whole as f64 == *number).then(|| Value::from(whole))
            }
            (Kind::Switch, Setting::Switch(on)) => Some(Value::from(*on)),
            (Kind::Choice(choices), Setting::Choice(key)) => {
                choices.iter().find(|choice| choice.key == key).map(Choice::value)
            }
            (Kind::Experiment, Setting::Choice(name)) => (!name.trim().is_empty()).then(|| Value::from(name.as_str())),
            _ => None,
        }
    }

    /// What values there are, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Number { least, most } => format!("it must be a number from {least} to {most}"),
            Kind::Whole { least, most } => format!("it must be a whole number from {least} to {most}"),
            Kind::Switch => "it is true or false".to_owned(),
            Kind::Choice(choices) => {
                let keys: Vec<&str> = choices.iter().map(|choice| choice.key).collect();
                format!("it is one of {}", keys.join(", "))
            }
            Kind::Experiment => "it is the name of an experiment".to_owned(),
        }
    }
}

/// The options inside an enum's variant (`{"Peso": {..}}`), or the options themselves.
fn content(value: &Value) -> &Value {
    match value.as_object() {
        Some(variant) if variant.len() == 1 && is_variant(variant) => variant.values().next().unwrap_or(value),
        _ => value,
    }
}

/// Variants are capitalised, options are not.
fn is_variant(object: &Map<String, Value>) -> bool {
    object.keys().all(|key| key.starts_with(char::is_uppercase))
}

fn at<'v>(whole: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(whole, |value, step| content(value).get(step))
}

fn at_mut<'v>(whole: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(whole, |value, step| {
        let is_variant = value.as_object().is_some_and(|object| object.len() == 1 && is_variant(object));
        let options = if is_variant { value.as_object_mut()?.values_mut().next()? } else { value };
        options.get_mut(step)
    })
}

fn setting(value: &Value) -> Option<Setting> {
    match value {
        Value::Bool(on) => Some(Setting::Switch(*on)),
        Value::Number(number) => Some(Setting::Number(number.as_f64()?)),
        // What is no number in JSON: NaN or an infinity, which no range contains.
        Value::Null => Some(Setting::Number(f64::NAN)),
        Value::String(key) => Some(Setting::Choice(key.clone())),
        Value::Object(variant) => variant.keys().next().map(|key| Setting::Choice(key.clone())),
        Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Distance, GradientSurgery, Peso};
    use super::*;

    #[test]
    fn every_option_of_every_method_is_a_field_and_its_default_is_allowed() {
        let mut keys = Vec::new();
        for method in MethodOptions::all() {
            let card = method.card();
            keys.push(card.key);
            // The window's font of formulas has no raised T.
            assert!(!card.formula.contains('ᵀ'), "{}", card.key);
            assert!(
                !card.sentence.ends_with('.') && !card.formula.is_empty() && !card.source.is_empty(),
                "{}",
                card.key
            );
            method.check().unwrap();
            let whole = method.as_value();
            let options = whole
                .as_object()
                .map_or(0, |variant| content(&whole).as_object().map_or(0, Map::len).max(variant.len() - 1));
            let top: std::collections::BTreeSet<_> =
                method.fields().iter().map(|f| f.path.split('.').next().unwrap().to_owned()).collect();
            assert_eq!(top.len(), options, "{} has options without a field: {top:?}", card.key);
            for field in method.fields() {
                let mut same = method.clone();
                if !matches!(field.field.kind, Kind::Choice(_)) {
                    same.set(&field.path, &field.setting).unwrap();
                    assert_eq!(same, method, "{} {}", card.key, field.path);
                }
                if let Kind::Choice(choices) = field.field.kind {
                    for choice in choices {
                        same.set(&field.path, &Setting::Choice(choice.key.to_owned())).unwrap();
                        same.check().unwrap();
                        assert!(same.fields().iter().any(|f| f.setting == Setting::Choice(choice.key.to_owned())));
                    }
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), MethodOptions::all().len());
    }

    #[test]
    fn a_choice_brings_its_own_options() {
        let mut method = MethodOptions::Peso(Peso::default());
        method.set("distance", &Setting::Choice("L2".to_owned())).unwrap();
        method.set("distance.squared", &Setting::Switch(false)).unwrap();
        let MethodOptions::Peso(peso) = &method else { unreachable!() };
        assert_eq!(peso.distance, Distance::L2 { squared: false, per_element: false });
        let gone = method.set("distance.temperature", &Setting::Number(1.0)).unwrap_err();
        assert!(gone.advice.contains("distance.squared"), "{gone:?}");
    }

    #[test]
    fn the_method_inside_another_is_set_through_it() {
        let mut method = MethodOptions::GradientSurgery(GradientSurgery::default());
        method.set("method.lambda", &Setting::Number(5.0)).unwrap();
        let MethodOptions::GradientSurgery(surgery) = &method else { unreachable!() };
        assert!(matches!(&*surgery.method, MethodOptions::Peso(Peso { lambda, .. }) if *lambda == 5.0));
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_what_may_be() {
        let mut method = MethodOptions::Peso(Peso::default());
        for (path, setting, word) in [
            ("lambda", Setting::Number(-1.0), "from 0"),
            ("lambda", Setting::Switch(true), "number"),
            ("distance", Setting::Choice("Cosine".to_owned()), "SoftmaxKl"),
        ] {
            let before = method.clone();
            let error = method.set(path, &setting).unwrap_err();
            assert!(error.advice.contains(word), "{error:?}");
            assert_eq!(method, before);
        }
        let peso = Peso { lambda: f64::NAN, ..Peso::default() };
        assert_eq!(MethodOptions::Peso(peso).check().unwrap_err().path, "lambda");
        let mut replay = MethodOptions::Replay(Default::default());
        assert!(replay.set("examples", &Setting::Number(1.5)).is_err());
        replay.set("examples", &Setting::Number(7.0)).unwrap();
    }
}
