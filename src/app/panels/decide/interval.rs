//! An interval with the bound that it is held against, as a small picture.

use eframe::egui;
use egui::{Color32, Sense, Stroke, Ui, Vec2, pos2};

use crate::app::theme;
use crate::results::decision::GateResult;

const SIZE: Vec2 = Vec2::new(130.0, 16.0);
/// Room at both ends, as a share of the width.
const MARGIN: f32 = 0.08;

/// Draws the interval as a bar, its value as a dot and the bound as an upright line; of a cost, which has no interval, the dot.
pub(super) fn ui(ui: &mut Ui, gate: &GateResult, colour: Color32) {
    let tokens = theme::tokens(ui);
    let (response, painter) = ui.allocate_painter(SIZE, Sense::hover());
    let Some(value) = gate.value else { return };
    let [low, high] = gate.interval.map_or([value, value], |interval| [interval.low, interval.high]);
    let (left, right) = (low.min(gate.bound).min(value), high.max(gate.bound).max(value));
    let range = if right > left { right - left } else { 1.0 };
    let rect = response.rect;
    let x = |value: f64| {
        let share = ((value - left) / range) as f32;
        rect.left() + rect.width() * (MARGIN + share * (1.0 - 2.0 * MARGIN))
    };
    let middle = rect.center().y;
    let track = Stroke::new(1.0, tokens.border);
    painter.hline(rect.x_range(), middle, track);
    painter.line_segment([pos2(x(low), middle), pos2(x(high), middle)], Stroke::new(3.0, colour));
    painter.circle_filled(pos2(x(value), middle), 4.0, colour);
    painter.vline(x(gate.bound), rect.y_range(), Stroke::new(1.5, tokens.text));
    response.on_hover_text(format!(
        "{} ({}), held against {}: the upright line",
        gate.value_words(),
        gate.interval_words(),
        gate.bound_words()
    ));
}
