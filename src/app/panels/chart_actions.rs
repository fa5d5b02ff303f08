//! What can be done with a chart: copied, exported, and pinned where it can be made anew.

use std::sync::Arc;

use eframe::egui;
use egui::{Align, Button, Layout, Ui};

use super::Context;
use crate::app::action::Action;
use crate::app::command::{Command, READ_ONLY};
use crate::plot::{Body, Chart};
use crate::project::board::PinnedFigure;

/// Room of what can be done with every chart, and with one that can be pinned.
const CHART_ACTIONS: f32 = 190.0;
const PIN: f32 = 52.0;

/// What can be done with a chart that can be made anew: see [`chart_actions`], and it can be pinned to the board.
pub(super) fn pinnable_actions(ui: &mut Ui, context: &mut Context<'_>, chart: &Arc<Chart>, figure: PinnedFigure) {
    let possible = !matches!(chart.body, Body::Empty(_));
    if ui.available_size_before_wrap().x < CHART_ACTIONS + PIN {
        ui.end_row();
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        export_and_copy(ui, context, chart);
        let read_only = context.session.project().read_only;
        let pin = ui.add_enabled(possible && !read_only, Button::new("Pin"));
        let pin = if read_only { pin.on_disabled_hover_text(READ_ONLY) } else { pin };
        if pin.on_hover_text(Command::PinChart.tooltip()).clicked() {
            context.actions.push(Action::Pin(Arc::clone(chart), Box::new(figure.clone())));
        }
    });
    context.requests.push((Arc::clone(chart), figure));
}

/// The two things that can be done with every chart, at the right end of a bar, or of the next line where it is full.
pub(super) fn chart_actions(ui: &mut Ui, context: &mut Context<'_>, chart: &Arc<Chart>) {
    if ui.available_size_before_wrap().x < CHART_ACTIONS {
        ui.end_row();
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| export_and_copy(ui, context, chart));
}

fn export_and_copy(ui: &mut Ui, context: &mut Context<'_>, chart: &Arc<Chart>) {
    let possible = !matches!(chart.body, Body::Empty(_));
    let export = ui.add_enabled(possible, Button::new("Export…"));
    if export.on_hover_text(Command::ExportChart.tooltip()).clicked() {
        context.actions.push(Action::Export(Arc::clone(chart)));
    }
    let copy = ui.add_enabled(possible, Button::new("Copy data"));
    if copy.on_hover_text(Command::CopyChartData.tooltip()).clicked() {
        context.actions.push(Action::CopyData(Arc::clone(chart)));
    }
}
