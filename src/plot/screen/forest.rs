//! A forest plot in the window: what a row says shows when the pointer is on it.

use eframe::egui::{Id, Response, Sense, Ui};

use super::{Canvas, tooltip};
use crate::plot::forest::Forest;
use crate::plot::scale::value_label;
use crate::plot::scene::{Rect, Scene, forest};

/// Draws `forest` into `room`.
pub(super) fn show(ui: &Ui, scene: &mut Scene, plot: &Forest, room: Rect, canvas: &Canvas<'_>, id: Id) -> Response {
    let rows = forest::draw(scene, plot, room);
    canvas.paint(&scene.shapes);
    let response = ui.interact(canvas.rect(room), id, Sense::hover());
    let pointed = response.hover_pos().and_then(|pointer| rows.at(canvas.scene_position(pointer)[1]));
    if let Some(row) = pointed.and_then(|index| plot.rows.get(index)) {
        tooltip(ui, &response, |ui| {
            ui.strong(&row.name);
            if let Some(value) = row.value {
                ui.label(format!("{} {}", plot.x.label, value_label(value)));
            }
            if let Some([low, high]) = row.interval {
                ui.label(format!("from {} to {}", value_label(low), value_label(high)));
            }
            ui.label(&row.sentence);
        });
    }
    response
}
