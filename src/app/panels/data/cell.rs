//! Small things that cells of the data's tables show.

use eframe::egui;
use egui::{Rect, Sense, Ui, Vec2};

use crate::app::theme;
use crate::app::widgets::grouped;

/// Width of the bars of a row.
pub(super) const BARS_WIDTH: f32 = 76.0;

/// A small bar for each stage, the highest over the whole height; the counts are in words where the pointer is.
pub(super) fn stage_bars(ui: &mut Ui, counts: &[u32]) {
    let tokens = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(BARS_WIDTH, 16.0), Sense::hover());
    let words = || counts_words(counts);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, words()));
    let highest = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let step = rect.width() / counts.len().max(1) as f32;
    let gap = (0.2 * step).min(2.0);
    for (index, &count) in counts.iter().enumerate() {
        let left = rect.left() + index as f32 * step;
        let height = if count > 0 { (rect.height() * count as f32 / highest).max(1.5) } else { 1.0 };
        let at =
            Rect::from_min_max(egui::pos2(left, rect.bottom() - height), egui::pos2(left + step - gap, rect.bottom()));
        ui.painter().rect_filled(at, 0.0, if count > 0 { tokens.accent } else { tokens.border_strong });
    }
    response.on_hover_ui(|ui| {
        ui.label(words());
    });
}

fn counts_words(counts: &[u32]) -> String {
    let stage = |(index, &count): (usize, &u32)| format!("stage {}: {}", index + 1, grouped(count.into()));
    counts.iter().enumerate().map(stage).collect::<Vec<_>>().join(", ")
}

/// A share of all interactions: `1.2 %`, with as many digits as small ones need.
pub(super) fn share_words(count: u64, all: u64) -> String {
    let percent = 100.0 * count as f64 / all.max(1) as f64;
    match percent {
        0.0 => "0 %".to_owned(),
        p if p < 0.01 => "<0.01 %".to_owned(),
        p if p < 1.0 => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_the_digits_that_tell_them_apart() {
        let words =
            [(0, 10), (1, 1_000_000), (5, 1000), (123, 1000), (5, 0)].map(|(count, all)| share_words(count, all));
        assert_eq!(words, ["0 %", "<0.01 %", "0.50 %", "12.3 %", "500.0 %"]);
        assert_eq!(counts_words(&[3, 0]), "stage 1: 3, stage 2: 0");
    }
}
