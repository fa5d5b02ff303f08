//! A map of gains in the window: a cell says what it is made of, and can be clicked.

use eframe::egui::accesskit::Role;
use eframe::egui::{self, Id, Response, Sense, Ui, WidgetInfo};

use super::{Canvas, tooltip};
use crate::plot::gain_map::{Certainty, GainMap, signed};
use crate::plot::scene::{Rect, Scene, gain_map, heat_map};

/// Row and column of a cell that is clicked.
pub type ClickedCell = Option<[usize; 2]>;

/// Draws `gains` and says what is under the pointer.
pub(super) fn show(
    ui: &Ui,
    scene: &mut Scene,
    gains: &GainMap,
    room: Rect,
    canvas: &Canvas<'_>,
    id: Id,
) -> (Response, ClickedCell) {
    let cells = gain_map::draw(scene, gains, room);
    canvas.paint(&scene.shapes);
    let response = ui.interact(canvas.rect(cells), id, Sense::hover());
    let mut clicked = None;
    for row in 0..gains.map.rows.len() {
        for column in 0..gains.map.columns.len() {
            let at = canvas.rect(heat_map::cell(cells, &gains.map, row, column));
            let cell = ui.interact(at, id.with((row, column)), Sense::click());
            let words = gains.cell_words(row, column);
            cell.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
            if cell.hovered() || cell.has_focus() {
                let stroke = egui::Stroke::new(2.0, ui.visuals().strong_text_color());
                canvas.painter.rect_stroke(at, 0.0, stroke, egui::StrokeKind::Inside);
            }
            if cell.hovered() {
                tooltip(ui, &cell, |ui| cell_ui(ui, gains, [row, column]));
            }
            if cell.clicked() {
                clicked = Some([row, column]);
            }
        }
    }
    (response, clicked)
}

fn cell_ui(ui: &mut Ui, gains: &GainMap, [row, column]: [usize; 2]) {
    let (map, cell, decimals) = (&gains.map, &gains.cells[row][column], gains.decimals());
    ui.label(format!("{} {}", map.column_label, map.columns[column]));
    ui.label(format!("{} {}", map.row_label, map.rows[row]));
    match map.values[row][column] {
        Some(value) => _ = ui.strong(format!("{} {}", map.value.label, signed(value, decimals))),
        None => _ = ui.strong(Certainty::NotEnoughRuns.words()),
    }
    if let Some([low, high]) = cell.interval {
        ui.label(format!("from {} to {}", signed(low, decimals), signed(high, decimals)));
        ui.label(gains.certainty(row, column).words());
    }
    ui.label(&cell.words);
    ui.weak("Click shows its runs");
}
