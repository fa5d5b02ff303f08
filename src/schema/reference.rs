//! Fields as entries of a reference: what there is, what it is by default, what it may be.

use serde_json::Value;

use super::json::at;
use super::{Choice, Field, Setting};

/// What a reference says of a field.
#[derive(Debug, Clone)]
pub struct FieldReference {
    pub field: &'static Field,
    /// Its value where nobody sets it; of an option that a choice brings, its value there. None where it is not set.
    pub default: Option<Setting>,
    /// The choices that bring it; empty for an option that is always there.
    pub only_with: Vec<&'static str>,
}

/// The entries of all fields, of options whose defaults are `defaults`.
pub fn reference(fields: &'static [Field], defaults: &Value) -> Vec<FieldReference> {
    fields.iter().map(|field| FieldReference::of(field, fields, defaults)).collect()
}

impl FieldReference {
    fn of(field: &'static Field, fields: &'static [Field], defaults: &Value) -> Self {
        let brought = brought_by(field, fields);
        let default = at(defaults, field.path).or(brought.first().map(|(_, value)| value));
        Self {
            field,
            default: default.filter(|value| !value.is_null()).and_then(Setting::of),
            only_with: brought.iter().map(|(choice, _)| choice.key).collect(),
        }
    }

    /// A line of the table that [`Self::HEAD`] begins.
    pub fn markdown(&self) -> String {
        let Self { field, default, only_with } = self;
        let default = default.as_ref().map_or_else(|| "–".to_owned(), |default| format!("`{}`", in_file(default)));
        let mut meaning = vec![field.help.to_owned()];
        if !only_with.is_empty() {
            meaning.push(format!("Only with {}", only_with.join(", ")));
        }
        meaning.extend(field.kind.choices().iter().map(|Choice { key, help, .. }| format!("`{key}`: {help}")));
        let meaning = meaning.join("<br>").replace('|', "\\|");
        format!("| `{}` | {} | {default} | {} | {meaning} |\n", field.path, field.label, field.kind.range())
    }

    /// The first lines of a table of fields in Markdown.
    pub const HEAD: &str = "| Option | Name | Default | Values | Meaning |\n|---|---|---|---|---|\n";
}

/// The choices that bring a field, each with the field's value there.
fn brought_by(field: &Field, fields: &'static [Field]) -> Vec<(&'static Choice, Value)> {
    let Some((parent, name)) = field.path.rsplit_once('.') else { return Vec::new() };
    let choices = fields.iter().find(|other| other.path == parent).map_or(&[][..], |other| other.kind.choices());
    choices.iter().filter_map(|choice| Some((choice, choice.default_of(name)?))).collect()
}

/// A setting as the project file has it.
fn in_file(setting: &Setting) -> String {
    match setting {
        Setting::Switch(on) => on.to_string(),
        other => other.to_string(),
    }
}
