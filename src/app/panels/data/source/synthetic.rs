//! The options of generated data as a form.

use std::ops::RangeInclusive;

use eframe::egui;
use egui::{ComboBox, DragValue, Ui};

use super::super::super::Context;
use super::super::super::method_card::{Edited, row};
use super::key;
use crate::app::action::Action;
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::DatasetSource;
use crate::data::synthetic::{self, Onset, SyntheticOptions};
use crate::project::edits::data::with_source;

/// Width of the form from which it has two columns.
const TWO_COLUMNS: f32 = 640.0;

/// Draws the form.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>) {
    let DatasetSource::Synthetic(options) = &context.session.project().dataset else { return };
    let (mut new, mut edited) = (options.clone(), Edited::default());
    widgets::remark(
        ui,
        "Users have lasting tastes; those of some turn by a known angle from stage to stage, while new users and items arrive. Whatever shows such data says that they are synthetic",
    );
    ui.add_space(space::XS);
    if ui.available_width() >= TWO_COLUMNS {
        ui.columns_const(|[left, right]| {
            size(left, &mut new, &mut edited);
            drift(right, &mut new, &mut edited);
        });
    } else {
        size(ui, &mut new, &mut edited);
        drift(ui, &mut new, &mut edited);
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
fn size(ui: &mut Ui, options: &mut SyntheticOptions, edited: &mut Edited) {
    let default = SyntheticOptions::default();
    let SyntheticOptions { users, items, stages, codes, .. } = options;
    whole(ui, "Users", "Users of all stages together", (users, default.users), 1..=1_000_000, edited);
    whole(ui, "Items", "Items of all stages together", (items, default.items), 20..=200_000, edited);
    whole(ui, "Stages", "Stage 1 trains the base, the others are updates", (stages, default.stages), 1..=50, edited);
    let (first, later) = &mut options.interactions;
    let help = "Mean interactions of an active user in stage 1";
    number(ui, "First interactions", help, (first, default.interactions.0), 3.0..=200.0, edited);
    let help = "Mean interactions of an active user in each later stage";
    number(ui, "Later interactions", help, (later, default.interactions.1), 3.0..=200.0, edited);
    whole(
        ui,
        "Codes",
        "Codes per level of the semantic ids, which have 4 levels",
        (codes, default.codes),
        2..=1024,
        edited,
    );
    let seed = &mut options.seed;
    row(ui, "Seed", "Another seed gives other users and items", *seed != default.seed, |ui, label| {
        edited.note(&ui.add(DragValue::new(seed).speed(0.1)).labelled_by(label));
    });
}

/// What changes.
fn drift(ui: &mut Ui, options: &mut SyntheticOptions, edited: &mut Edited) {
    let default = SyntheticOptions::default();
    let help = "Angle by which preferences turn from stage to stage, in radians";
    number(ui, "Drift", help, (&mut options.drift, default.drift), -3.2..=3.2, edited);
    onset(ui, options, edited);
    let help = "Share of the users whose preferences turn; the others keep theirs";
    number(ui, "Drifting share", help, (&mut options.drifting_share, default.drifting_share), 0.0..=1.0, edited);
    let help = "Share of the users, and of the items, that first appear in each later stage";
    let max = most_arrivals(options.stages);
    number(ui, "Arrivals", help, (&mut options.arrivals, default.arrivals), 0.0..=max, edited);
    let help = "Dimensions of the tastes";
    whole(ui, "Latent", help, (&mut options.latent, default.latent), 2..=256, edited);
    let help = "Planes in which preferences turn; each takes two latent dimensions";
    let max = options.latent / 2;
    whole(ui, "Rotation rank", help, (&mut options.rotation_rank, default.rotation_rank), 0..=max, edited);
    let help = "An item's popularity falls with its rank to this power; 0 makes all items equally popular";
    number(ui, "Popularity skew", help, (&mut options.popularity_skew, default.popularity_skew), 0.0..=3.0, edited);
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

fn whole(
    ui: &mut Ui,
    label: &str,
    help: &str,
    (value, default): (&mut usize, usize),
    range: RangeInclusive<usize>,
    edited: &mut Edited,
) {
    let help = format!("{help}\nA whole number from {} to {}. Default: {default}", range.start(), range.end());
    row(ui, label, &help, *value != default, |ui, label| {
        let speed = (*value as f64 * 0.01).max(0.05);
        edited.note(&ui.add(DragValue::new(value).range(range).speed(speed)).labelled_by(label));
    });
}

fn number(
    ui: &mut Ui,
    label: &str,
    help: &str,
    (value, default): (&mut f64, f64),
    range: RangeInclusive<f64>,
    edited: &mut Edited,
) {
    let help = format!("{help}\nFrom {} to {}. Default: {default}", range.start(), range.end());
    row(ui, label, &help, *value != default, |ui, label| {
        edited.note(&ui.add(DragValue::new(value).range(range).speed(0.01).max_decimals(3)).labelled_by(label));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

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
