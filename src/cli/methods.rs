//! `peso methods`: what there is to compare.

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::outcome::{Ended, print, print_json};
use crate::method::MethodOptions;
use crate::schema::{Choice, FieldSetting, Kind, Setting};

/// Show every method: what it does, where it comes from, its options with ranges and defaults
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Method {
    key: &'static str,
    name: &'static str,
    sentence: &'static str,
    formula: &'static str,
    source: &'static str,
    options: Vec<MethodOption>,
}

#[derive(Serialize)]
struct MethodOption {
    /// Path from the method's options, as in the project file and in a sweep.
    option: String,
    label: &'static str,
    help: &'static str,
    default: Setting,
    /// `{"number": [min, max]}`, `{"whole": [min, max]}`, `"switch"` or `{"choice": {key: help}}`.
    values: Value,
    #[serde(skip)]
    range: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let methods: Vec<Method> = MethodOptions::all().iter().map(method).collect();
    if arguments.json {
        print_json(&methods)?;
    } else {
        print(&methods.iter().map(as_text).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Ended::Done)
}

fn method(options: &MethodOptions) -> Method {
    let card = options.card();
    Method {
        key: card.key,
        name: card.name,
        sentence: card.sentence,
        formula: card.formula,
        source: card.source,
        options: options.fields().into_iter().map(option).collect(),
    }
}

fn option(field: FieldSetting) -> MethodOption {
    let values = match field.field.kind {
        Kind::Number { min, max } => json!({"number": [min, max]}),
        Kind::Whole { min, max } => json!({"whole": [min, max]}),
        Kind::NumberOr { min, max, choices } => json!({"number": [min, max], "choice": by_key(choices)}),
        Kind::Numbers { min, max } => json!({"numbers": [min, max]}),
        Kind::Switch => json!("switch"),
        Kind::Choice(choices) => json!({ "choice": by_key(choices) }),
        Kind::Experiment => json!("experiment"),
        Kind::Column => json!("column"),
    };
    let range = field.field.kind.range();
    let (label, help) = (field.field.label, field.field.help);
    MethodOption { option: field.path, label, help, default: field.setting, values, range }
}

/// What each choice does, by its name in the project file.
fn by_key(choices: &[Choice]) -> serde_json::Map<String, Value> {
    choices.iter().map(|choice| (choice.key.to_owned(), Value::from(choice.help))).collect()
}

fn as_text(method: &Method) -> String {
    let Method { key, name, sentence, formula, source, .. } = method;
    let mut text = format!("{name} ({key})\n  {sentence}\n  {formula}\n  {source}\n");
    for MethodOption { option, help, default, range, .. } in &method.options {
        let default = match default {
            Setting::Switch(on) => on.to_string(),
            other => other.to_string(),
        };
        text.push_str(&format!("    {option}: {default} ({range})\n      {help}\n"));
    }
    text
}
