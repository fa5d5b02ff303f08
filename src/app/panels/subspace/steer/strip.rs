//! What stands under the slider of the whole step: its marks, and the validation loss along it.

use eframe::egui;
use egui::{Pos2, Rect, Shape, Stroke, Ui};

use crate::analysis::steer::protocol::Search;
use crate::app::theme;
use crate::method::steered::{MAX, MIN};

/// A place with a name.
pub(super) struct Stop {
    pub(super) name: String,
    pub(super) step: f64,
    pub(super) details: String,
}

/// Height of the strip.
pub(super) const HEIGHT: f32 = 26.0;

/// Draws below a slider, whose handle goes from end to end less its radius.
pub(super) fn strip(ui: &Ui, slider: Rect, stops: &[Stop], search: Option<&Search>) {
    let radius = slider.height() / 2.5;
    let (left, right) = (slider.left() + radius, slider.right() - radius);
    let x = |step: f64| egui::lerp(left..=right, ((step - MIN) / (MAX - MIN)) as f32);
    let (top, bottom) = (slider.bottom() + 1.0, slider.bottom() + HEIGHT - 3.0);
    let tokens = theme::tokens(ui);
    let painter = ui.painter();
    painter.hline(left..=right, bottom, Stroke::new(1.0, tokens.border));
    for stop in stops.iter().filter(|stop| (MIN..=MAX).contains(&stop.step)) {
        let at = x(stop.step);
        painter.vline(at, top..=bottom, Stroke::new(1.5, tokens.muted));
        let tip = [Pos2::new(at, top), Pos2::new(at - 4.0, top + 6.0), Pos2::new(at + 4.0, top + 6.0)];
        painter.add(Shape::convex_polygon(tip.to_vec(), tokens.muted, Stroke::NONE));
    }
    let tried = search.map_or(&[][..], |search| search.tried.as_slice());
    let losses = || tried.iter().map(|tried| tried.loss).filter(|loss| loss.is_finite());
    let (min, max) = (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
    if max > min {
        let y = |loss: f64| egui::lerp(bottom - 2.0..=top + 7.0, ((loss - min) / (max - min)) as f32);
        let line =
            tried.iter().filter(|tried| tried.loss.is_finite()).map(|tried| Pos2::new(x(tried.step), y(tried.loss)));
        painter.add(Shape::line(line.collect(), Stroke::new(1.5, tokens.accent)));
    }
}
