//! Bars in the window: the one under the pointer says what it is stacked of.

use eframe::egui::{self, Response, Sense, Ui};

use super::{Canvas, tooltip};
use crate::plot::bars::{Bar, Bars};
use crate::plot::scale::{self, Range};
use crate::plot::scene::{Rect, Scene, bars};

/// People read times of bars that are longer to the minute.
const MINUTE: i64 = 60_000;

/// Where bars are in the window.
#[derive(Debug, Clone, Copy)]
pub struct BarsArea {
    /// Between the axes.
    pub at: egui::Rect,
    /// The upper end of the bands.
    pub top: f32,
    x: Range,
}

impl BarsArea {
    /// Where a value of the x axis is.
    pub fn x(&self, value: f64) -> f32 {
        self.at.left() + self.at.width() * self.x.part(value) as f32
    }

    /// The value of the x axis that is here.
    pub fn value(&self, x: f32) -> f64 {
        let part = f64::from((x - self.at.left()) / self.at.width().max(1.0));
        self.x.low + part * (self.x.high - self.x.low)
    }
}

/// Draws `bars` and says what is under the pointer.
pub(super) fn show(
    ui: &Ui,
    scene: &mut Scene,
    bars: &Bars,
    room: Rect,
    canvas: &Canvas<'_>,
    id: egui::Id,
) -> (Response, BarsArea) {
    let (area, above) = bars::frame(scene, bars, room);
    bars::data(scene, bars, &area);
    canvas.paint(&scene.shapes);
    let at = canvas.rect(area.at);
    let shown = BarsArea { at, top: at.top() - above, x: area.x };
    // What is laid over the bars may open a menu on them.
    let response = ui.interact(shown.at, id, Sense::CLICK);
    let value = response.hover_pos().map(|pointer| shown.value(pointer.x));
    let hovered = value.and_then(|value| bars.bars.iter().find(|bar| (bar.from..bar.to).contains(&value)));
    if let Some(bar) = hovered.filter(|bar| bar.height() > 0.0) {
        tooltip(ui, &response, |ui| bar_values(ui, bars, bar));
    }
    (response, shown)
}

fn bar_values(ui: &mut Ui, bars: &Bars, bar: &Bar) {
    ui.strong(bars.bar_name(bar, MINUTE));
    let parts = bars.parts.iter().zip(&bar.heights).filter(|(_, height)| **height > 0.0);
    for (part, height) in parts.clone() {
        ui.label(format!("{} {}", part.name, scale::grouped(*height, 0)));
    }
    if parts.count() > 1 {
        ui.label(format!("All {}", scale::grouped(bar.height(), 0)));
    }
}
