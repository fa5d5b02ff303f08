//! What the speaker sees below the slide: what to say, what comes, and for how long it has been told.

use eframe::egui;
use egui::accesskit::Role;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, ScrollArea, Ui, WidgetInfo};

use crate::app::theme;

/// Of one slide.
pub(super) struct Notes<'n> {
    pub(super) told: &'n str,
    /// Heading of the next slide; none after the last.
    pub(super) next: Option<String>,
    /// Seconds since the timer began.
    pub(super) elapsed: f64,
}

/// Share of the window's height, and of its width that timer and next slide take.
const HEIGHT: f32 = 0.24;
const SIDE: f32 = 0.3;

/// Draws them, `scale` times as large as on a slide of the size that text is set for.
pub(super) fn ui(ui: &mut Ui, notes: &Notes<'_>, scale: f32) {
    let tokens = theme::tokens(ui);
    let Notes { told, next, elapsed } = notes;
    let height = HEIGHT * ui.available_height();
    let margin = Margin::symmetric((40.0 * scale) as i8, (16.0 * scale) as i8);
    let frame = Frame::new().fill(tokens.sunken).inner_margin(margin);
    Panel::bottom("speaker's notes").frame(frame).exact_size(height).resizable(false).show_separator_line(false).show(
        ui,
        |ui| {
            let width = ui.available_width();
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                ui.allocate_ui(egui::Vec2::new(SIDE * width, ui.available_height()), |ui| {
                    ui.vertical(|ui| {
                        timer(ui, *elapsed, 34.0 * scale);
                        coming(ui, next.as_deref(), 16.0 * scale);
                    });
                });
                ui.vertical(|ui| to_tell(ui, told, 20.0 * scale));
            });
        },
    );
}

/// For how long it has been told.
pub(super) fn timer(ui: &mut Ui, elapsed: f64, size: f32) {
    let timer = ui.label(RichText::new(clock(elapsed)).size(size).family(theme::semi_bold()));
    timer.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("Timer {}", clock(elapsed))));
}

/// What comes, by its heading.
pub(super) fn coming(ui: &mut Ui, next: Option<&str>, size: f32) {
    let words = next.map_or_else(|| "The last slide".to_owned(), |next| format!("Next: {next}"));
    ui.label(RichText::new(words).size(size).color(theme::tokens(ui).muted));
}

/// What to say, however long.
pub(super) fn to_tell(ui: &mut Ui, told: &str, size: f32) {
    let tokens = theme::tokens(ui);
    ScrollArea::vertical().id_salt("notes").auto_shrink(false).show(ui, |ui| {
        let (told, colour) =
            if told.trim().is_empty() { ("No notes on this slide", tokens.muted) } else { (told, tokens.text) };
        ui.label(RichText::new(told).size(size).color(colour));
    });
}

/// `4:07`, `1:02:03`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn the_timer_reads_as_clocks_do() {
        assert_eq!([0.4, 247.9, 3723.0].map(clock), ["0:00", "4:07", "1:02:03"]);
    }
}
