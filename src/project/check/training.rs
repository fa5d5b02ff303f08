//! What training settings must fulfil: what their fields say.

use super::values::{Checked, require};
use crate::project::training_fields::{FIELDS, FORM_FIELDS};
use crate::project::{Training, settings};

/// Finds the first training setting whose value cannot be used.
pub(in crate::project) fn training(training: &Training) -> Checked {
    settings::check("training", training, &[FIELDS, FORM_FIELDS])?;
    let no_path = training.start.path().is_some_and(|path| path.as_os_str().is_empty());
    require(!no_path, "training.start", "the path is empty", "name the adapter's folder")
}
