//! Settings of training and tests as rows of a form, made from their descriptions.

use eframe::egui;
use egui::Ui;

use super::Context;
use super::method_card::{Edited, row, value_row};
use super::spotlight;
use crate::app::action::Action;
use crate::project::edits::change::Place;
use crate::project::{Project, settings};
use crate::schema::{Field, Setting};

/// Changes of one setting are one step of undo while they go on; keys of other forms are below.
const KEY: u64 = 1 << 33;
/// A sample of users that is offered first.
const USUAL_SAMPLE: f64 = 1_000.0;

/// Draws the rows of settings by their paths; what the user sets is asked for as a change of the project.
pub(super) fn rows(ui: &mut Ui, context: &mut Context<'_>, paths: &[&str]) {
    for path in paths {
        let Some(field) = settings::field(path) else { continue };
        let place = Place::Setting((*path).to_owned());
        let session = context.session;
        spotlight::at(ui, session, &place, |ui| one(ui, context, path, field));
    }
}

fn one(ui: &mut Ui, context: &mut Context<'_>, path: &str, field: &'static Field) {
    let project = context.session.project();
    let mut edited = Edited::default();
    // What stands for no value: the form's own word for it, which no setting has.
    let unset = settings::unset_words(path).map(|words| Setting::Choice(words.to_owned()));
    let default = settings::default(path).or_else(|| unset.clone());
    let set = match (settings::value(project, path), default) {
        (Some(now), Some(default)) => value_row(ui, field, now, default, &mut edited),
        (None, _) => unset_row(ui, project, path, field, &mut edited),
        (Some(_), None) => None,
    };
    if let Some(setting) = set.filter(|_| edited.changed) {
        let mut changed = project.clone();
        let value = Some(&setting).filter(|setting| Some(*setting) != unset.as_ref());
        // The form offers what the setting takes; a value that it does not take leaves the project as it is.
        if settings::set(&mut changed, path, value).is_ok() && changed != *project {
            context.actions.push(Action::Edit { project: Box::new(changed), key: Some(key(path)) });
        }
    }
    if edited.done {
        context.actions.push(Action::EditDone);
    }
}

/// A setting that has no value: what that means, and the way to give it one.
fn unset_row(ui: &mut Ui, project: &Project, path: &str, field: &Field, edited: &mut Edited) -> Option<Setting> {
    let words = settings::unset_words(path).unwrap_or_default();
    let clicked = row(ui, field.label, field.help, false, |ui, label| {
        ui.button(words).labelled_by(label).on_hover_text("Set a number").clicked()
    });
    *edited = Edited { changed: clicked, done: clicked };
    let first = if path.ends_with("users") { USUAL_SAMPLE } else { project.training.epochs as f64 };
    clicked.then_some(Setting::Number(first))
}

fn key(path: &str) -> u64 {
    let paths = settings::GROUPS.iter().flat_map(|group| group.paths);
    KEY + paths.into_iter().position(|other| *other == path).map_or(0, |index| index as u64 + 1)
}
