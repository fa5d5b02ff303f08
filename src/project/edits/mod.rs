//! Edits of a project: pure functions from one project to the next. The window's panels say which, its logic keeps the steps
//! for undo.

pub(crate) mod board;
pub(crate) mod change;
pub(crate) mod data;
pub(crate) mod experiments;
pub(crate) mod model;
pub(crate) mod sweeps;

use super::Project;

/// The project after a change.
fn changed(project: &Project, change: impl FnOnce(&mut Project)) -> Project {
    let mut project = project.clone();
    change(&mut project);
    project
}
