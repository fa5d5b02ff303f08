//! What can be done with a chart: copied, exported, and pinned to the board.

use std::sync::Arc;

use eframe::egui;
use egui::{Align, Button, Layout, Ui};

use super::Context;
use crate::app::action::Action;
use crate::app::command::{Command, READ_ONLY};
use crate::plot::{Body, Chart};
use crate::project::board::PinnedFigure;

/// Room of the three buttons.
const WIDTH: f32 = 242.0;

/// What can be done with a chart, at the right end of a bar, or of the next line where it is full; the board makes it anew as
/// `figure`.
pub(super) fn chart_actions(ui: &mut Ui, context: &mut Context<'_>, chart: &Arc<Chart>, figure: PinnedFigure) {
    let possible = !matches!(chart.body, Body::Empty(_));
    if ui.available_size_before_wrap().x < WIDTH {
        ui.end_row();
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let export = ui.add_enabled(possible, Button::new("Export…"));
        if export.on_hover_text(Command::ExportChart.tooltip()).clicked() {
            context.actions.push(Action::Export(Arc::clone(chart)));
        }
        let copy = ui.add_enabled(possible, Button::new("Copy data"));
        if copy.on_hover_text(Command::CopyChartData.tooltip()).clicked() {
            context.actions.push(Action::CopyData(Arc::clone(chart)));
        }
        let read_only = context.session.project().read_only;
        let pin = ui.add_enabled(possible && !read_only, Button::new("Pin"));
        let pin = if read_only { pin.on_disabled_hover_text(READ_ONLY) } else { pin };
        if pin.on_hover_text(Command::PinChart.tooltip()).clicked() {
            context.actions.push(Action::Pin(Arc::clone(chart), Box::new(figure.clone())));
        }
    });
    context.requests.push((Arc::clone(chart), figure));
}
