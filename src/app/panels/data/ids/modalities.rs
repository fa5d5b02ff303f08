//! Several sources of item vectors beside each other: whether they agree, and what ids are without each.

use std::sync::Arc;

use eframe::egui;
use egui::{Ui, Vec2};

use super::super::super::{Context, chart_actions, chart_card, failed};
use crate::app::action::Action;
use crate::app::queries::Answer;
use crate::app::queries::semantic_ids::KeptModalities;
use crate::app::theme::space;
use crate::data::Protocol;
use crate::figures::FigureOptions;
use crate::figures::modalities::{ModalitiesChart, SPEC};
use crate::id_training::modalities::Modalities;
use crate::id_training::{TrainIds, VectorSource};
use crate::project::SemanticIds;
use crate::project::board::PinnedFigure;
use crate::train::semantic_ids::IdFiles;

/// Height of a chart, since it stands in a part that scrolls.
const CHART: f32 = 360.0;

/// What each chart is called here, and what it shows.
const fn words(of: ModalitiesChart) -> (&'static str, &'static str) {
    match of {
        ModalitiesChart::Agreement => ("Agreement", "How many neighbours of an item the sources have in common"),
        ModalitiesChart::Groups => ("Without a source", "How alike the groups stay that ids make, level by level"),
        ModalitiesChart::Least => ("Least agreement", "The items whose sources agree least"),
        ModalitiesChart::Moved => ("Changed items", "The items that change codes without a source"),
    }
}

/// Whether the project's item vectors are put together of several sources.
pub(super) fn are_several(context: &Context<'_>) -> bool {
    let SemanticIds::Train(TrainIds { source: VectorSource::Concat(parts), .. }) =
        &context.session.project().semantic_ids
    else {
        return false;
    };
    parts.len() > 1
}

/// Asks for the comparison.
pub(super) fn button(ui: &mut Ui) -> bool {
    let tooltip = "How far the sources agree on which items are alike, and which items change codes without one; no id is changed";
    ui.button("Compare sources").on_hover_text(tooltip).clicked()
}

/// Draws what was found out; nothing before.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, files: &IdFiles, shown: &mut ModalitiesChart) {
    let query = KeptModalities { files: files.clone() };
    let found: Option<&Modalities> = match context.session.queries.get(&query) {
        Answer::Ready(found) => found.as_ref(),
        Answer::Failed(error) => {
            failed(ui, context, error, &query);
            None
        }
        Answer::Pending | Answer::Cancelled => {
            context.actions.push(Action::compute(&query));
            None
        }
    };
    let Some(found) = found else { return };
    let chart = Arc::new(shown.draw(found, context.session.synthetic()));
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        for of in ModalitiesChart::ALL {
            let (text, tooltip) = words(of);
            if ui.selectable_label(of == *shown, text).on_hover_text(tooltip).clicked() {
                *shown = of;
            }
        }
        let options = FigureOptions { chart: Some(shown.name().to_owned()), ..FigureOptions::default() };
        chart_actions(ui, context, &chart, PinnedFigure::new(SPEC.name, options, Protocol::default()));
    });
    let size = Vec2::new(ui.available_width(), CHART);
    ui.allocate_ui(size, |ui| {
        ui.set_max_height(CHART);
        chart_card(ui, &chart, "sources of ids");
    });
    context.charts.push(chart);
}
