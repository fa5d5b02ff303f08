//! The options of generated data as a form.

use eframe::egui;
use egui::{ComboBox, DragValue, Ui};

use super::super::super::Context;
use super::super::super::method_card::{Edited, row, value_row};
use super::key;
use crate::app::action::Action;
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::DatasetSource;
use crate::data::synthetic::{self, Onset, SyntheticOptions};
use crate::project::edits::data::with_source;
use crate::schema::{FieldSetting, Setting};

/// Width of the form from which it has two columns.
const TWO_COLUMNS: f32 = 640.0;

/// Draws the form.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>) {
    let DatasetSource::Synthetic(options) = &context.session.project().dataset else { return };
    let (mut new, mut edited) = (options.clone(), Edited::default());
    widgets::remark(
        ui,
        "Users have lasting tastes; those of some turn by a known angle from stage to stage, while users and items arrive, and may leave and come back. Whatever shows such data says that they are synthetic",
    );
    ui.add_space(space::XS);
    if ui.available_width() >= TWO_COLUMNS {
        ui.columns_const(|[left, right]| {
            rows(left, SIZE, &mut new, &mut edited);
            rows(right, CHANGE, &mut new, &mut edited);
        });
    } else {
        rows(ui, SIZE, &mut new, &mut edited);
        rows(ui, CHANGE, &mut new, &mut edited);
    }
    if edited.changed && new != *options {
        let new = within(new);
        super::edit(context, Some(key::SYNTHETIC), |project| with_source(project, DatasetSource::Synthetic(new)));
    }
    if edited.done {
        context.actions.push(Action::EditDone);
    }
    if let Err(problem) = synthetic::check(&within(options.clone())) {
        widgets::remark(ui, widgets::sentence(&problem.to_string()));
    }
}

/// How many there are of everything.
const SIZE: &[&str] = &[
    "users",
    "items",
    "stages",
    "interactions.0",
    "interactions.1",
    "return_chance",
    "arrivals",
    "codes",
    "latent",
    "popularity_skew",
    "choice_noise",
    "seed",
];

/// What changes from stage to stage.
const CHANGE: &[&str] = &[
    "drift",
    "onset",
    "drifting_share",
    "contradictory",
    "rotation_rank",
    "recurring",
    "recurring.share",
    "recurring.every",
    "seasonal_items",
    "season",
];

/// Draws the options of these paths, those that there are now.
fn rows(ui: &mut Ui, paths: &[&str], options: &mut SyntheticOptions, edited: &mut Edited) {
    let now = options.fields();
    for path in paths {
        let Some(FieldSetting { field, setting, .. }) = now.iter().find(|field| field.path == *path) else { continue };
        if *path == "onset" {
            onset(ui, options, edited);
            continue;
        }
        let default = default_of(options, path).unwrap_or_else(|| setting.clone());
        if let Some(set) = value_row(ui, field, setting.clone(), default, edited) {
            // The form offers what the option takes; a value that it does not take leaves the options as they are.
            let _ = options.set(path, &set);
        }
    }
}

/// The value of an option where nobody changed it, given what recurs.
fn default_of(options: &SyntheticOptions, path: &str) -> Option<Setting> {
    let mut usual = SyntheticOptions::default();
    if path.starts_with("recurring.") {
        let recurring = options.fields().into_iter().find(|field| field.path == "recurring")?;
        usual.set("recurring", &recurring.setting).ok()?;
    }
    usual.fields().into_iter().find(|field| field.path == path).map(|field| field.setting)
}

fn onset(ui: &mut Ui, options: &mut SyntheticOptions, edited: &mut Edited) {
    let last = options.stages;
    let abrupt = matches!(options.onset, Onset::Abrupt(_));
    let help = "Gradual: a little from every stage to the next. Abrupt: once, as far as a gradual drift turns in all";
    row(ui, "Onset", help, abrupt, |ui, label| {
        let words = if abrupt { "Abrupt" } else { "Gradual" };
        let combo = ComboBox::from_id_salt("onset").selected_text(words).width(110.0).show_ui(ui, |ui| {
            let gradual = ui.selectable_label(!abrupt, "Gradual");
            if gradual.clicked() && abrupt {
                options.onset = Onset::Gradual;
                *edited = Edited { changed: true, done: true };
            }
            let at_once = ui.add_enabled(last >= 2, egui::Button::selectable(abrupt, "Abrupt"));
            if at_once.on_disabled_hover_text("It takes at least two stages").clicked() && !abrupt {
                options.onset = Onset::Abrupt(last.min(3));
                *edited = Edited { changed: true, done: true };
            }
        });
        combo.response.labelled_by(label);
        if let Onset::Abrupt(stage) = &mut options.onset {
            let drag = ui.add(DragValue::new(stage).range(2..=last.max(2)).speed(0.05).prefix("before stage "));
            widgets::named(ui, &drag, "Stage before which preferences turn");
            edited.note(&drag);
        }
    });
}

/// The most users that can arrive in a later stage.
fn most_arrivals(stages: usize) -> f64 {
    let later = stages.saturating_sub(1).max(1) as f64;
    (900.0 / later).floor() / 1000.0
}

/// Options that depend on others, held within what those allow.
fn within(mut options: SyntheticOptions) -> SyntheticOptions {
    options.rotation_rank = options.rotation_rank.min(options.latent / 2);
    options.arrivals = options.arrivals.min(most_arrivals(options.stages));
    if let Onset::Abrupt(stage) = options.onset {
        let fits = if options.stages < 2 { Onset::Gradual } else { Onset::Abrupt(stage.clamp(2, options.stages)) };
        options.onset = fits;
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_row_and_is_held_against_its_default() {
        let recurring = synthetic::Recurring::Tastes { share: 0.7, every: 3 };
        let options = SyntheticOptions { recurring, ..SyntheticOptions::default() };
        let mut shown: Vec<&str> = SIZE.iter().chain(CHANGE).copied().collect();
        let mut all: Vec<&str> = synthetic::FIELDS.iter().map(|field| field.path).collect();
        shown.sort_unstable();
        all.sort_unstable();
        assert_eq!(shown, all);
        assert_eq!(default_of(&options, "recurring.share"), Some(Setting::Number(0.5)));
        assert_eq!(default_of(&options, "recurring"), Some(Setting::Choice("None".to_owned())));
    }

    #[test]
    fn options_stay_within_those_that_they_depend_on() {
        let all = SyntheticOptions::default;
        let few = within(SyntheticOptions { latent: 2, stages: 2, onset: Onset::Abrupt(5), ..all() });
        assert_eq!((few.rotation_rank, few.onset), (1, Onset::Abrupt(2)));
        assert_eq!(within(SyntheticOptions { stages: 1, onset: Onset::Abrupt(3), ..all() }).onset, Onset::Gradual);
        let many = within(SyntheticOptions { stages: 50, items: 20_000, ..all() });
        assert!(synthetic::check(&many).is_ok(), "{:?}", synthetic::check(&many));
        assert_eq!(within(all()), all());
    }
}
