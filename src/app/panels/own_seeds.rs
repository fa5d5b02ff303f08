//! The seeds of one experiment, where they are others than the project's.

use eframe::egui;
use egui::Ui;

use super::Context;
use crate::app::action::Action;
use crate::app::widgets::NumberList;
use crate::project::Experiment;
use crate::project::edits::experiments::with_own_seeds;

/// A field for the seeds of an experiment that has its own, with its place.
pub(super) fn field(
    ui: &mut Ui,
    context: &mut Context<'_>,
    list: &mut NumberList,
    (index, experiment): (usize, &Experiment),
) {
    let Some(seeds) = &experiment.seeds else { return };
    ui.horizontal(|ui| {
        let label = ui.label("Own seeds");
        let name = format!("Own seeds of {}", experiment.name);
        label.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
        let help = "Whole numbers, separated by commas, instead of the project's seeds";
        if let Some(new) = list.ui(ui, label.id, help, seeds) {
            edit(context, index, Some(new));
        }
        if ui.button("Use the project's").on_hover_text("Run it with the seeds of the project").clicked() {
            edit(context, index, None);
        }
    });
}

/// The menu entry that gives an experiment seeds of its own.
pub(super) fn entry(ui: &mut Ui, context: &mut Context<'_>, index: usize, experiment: &Experiment) {
    let own = ui.add_enabled(experiment.seeds.is_none(), egui::Button::new("Own seeds"));
    let own = own.on_hover_text("Seeds for this experiment alone").on_disabled_hover_text("It has its own already");
    if own.clicked() {
        edit(context, index, Some(context.session.project().seeds.clone()));
    }
}

fn edit(context: &mut Context<'_>, index: usize, seeds: Option<Vec<u64>>) {
    let project = Box::new(with_own_seeds(context.session.project(), index, seeds));
    context.actions.push(Action::Edit { project, key: None });
}
