//! Options as fields, of which a form, a sweep, a check and a page of the reference can be made.

mod field;
pub(crate) mod json;
mod reference;
mod setting;

pub use self::field::{Choice, Field, FieldSetting, Kind};
pub use self::reference::{FieldReference, reference};
pub use self::setting::Setting;

/// A field whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Its path, from whatever was checked: `distance.temperature`, in a project file `training.lora.rank`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What a usable value is.
    pub advice: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), advice: advice.into() }
    }

    /// The same, where the field is one of `whole`'s.
    pub fn within(self, whole: &str) -> Self {
        Self { field: format!("{whole}.{}", self.field), ..self }
    }
}
