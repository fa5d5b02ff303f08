//! What the file will look like, made off the window's thread whenever something of it has changed.

use std::sync::Arc;

use eframe::egui;
use egui::{ColorImage, RichText, ScrollArea, TextureHandle, TextureOptions, Ui, Vec2};

use super::choices::Format;
use crate::app::theme;
use crate::app::widgets;
use crate::plot::{Bitmap, Chart, Style, bitmap, table};

/// What a preview is of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PreviewOf {
    pub(crate) chart: Arc<Chart>,
    pub(crate) style: Style,
    pub(crate) format: Format,
}

/// What a preview shows.
#[derive(Debug, Clone)]
pub(crate) enum Previewed {
    Picture(Bitmap),
    /// The first lines of a table.
    Text(String),
    /// Why it cannot be drawn.
    Problem(String),
}

/// The preview of a dialog.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// What the last one that was asked for is of.
    asked: Option<PreviewOf>,
    /// Whether it is being made.
    busy: bool,
    shown: Option<Shown>,
}

enum Shown {
    Picture(TextureHandle),
    Words(String),
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Picture(_) => "Picture",
            Self::Words(_) => "Words",
        })
    }
}

/// Room for it, in points, and dots of its picture along the longer side.
const ROOM: Vec2 = Vec2::new(520.0, 300.0);
const DOTS: f64 = 1040.0;
/// Lines of a table that are shown.
const LINES: usize = 14;

impl PreviewOf {
    /// Makes it; takes from some milliseconds to a second for what the graphics device draws.
    pub(crate) fn make(&self) -> Previewed {
        let first_lines = |text: &str| text.lines().take(LINES).collect::<Vec<_>>().join("\n");
        match self.format {
            Format::Csv => Previewed::Text(first_lines(&table::csv(&self.chart))),
            Format::Latex => Previewed::Text(first_lines(&table::latex(&self.chart))),
            Format::Png | Format::Svg | Format::Pdf => {
                let longer = f64::from(self.style.width.max(self.style.height)).max(1.0);
                let dpi = (96.0 * DOTS / longer).clamp(36.0, 600.0) as u32;
                match bitmap(&self.chart, &Style { dpi, ..self.style }) {
                    Ok(picture) => Previewed::Picture(picture),
                    Err(problem) => Previewed::Problem(problem.to_string()),
                }
            }
        }
    }
}

impl Preview {
    /// What is to be made now: where it is another than the one that was asked for, and none is being made.
    pub(crate) fn wanted(&mut self, now: PreviewOf) -> Option<PreviewOf> {
        if self.busy || self.asked.as_ref() == Some(&now) {
            return None;
        }
        self.busy = true;
        self.asked = Some(now.clone());
        Some(now)
    }

    pub(crate) fn take(&mut self, ctx: &egui::Context, made: Previewed) {
        self.busy = false;
        self.shown = Some(match made {
            Previewed::Picture(Bitmap { size: [width, height], dots }) => {
                let image = ColorImage::from_rgba_premultiplied([width as usize, height as usize], &dots);
                Shown::Picture(ctx.load_texture("export preview", image, TextureOptions::LINEAR))
            }
            Previewed::Text(words) => Shown::Words(words),
            Previewed::Problem(problem) => Shown::Words(widgets::sentence(&problem)),
        });
    }

    /// Draws it in a room that does not change with it.
    pub(crate) fn ui(&self, ui: &mut Ui) {
        let room = Vec2::new(ui.available_width(), ROOM.y);
        let tokens = theme::tokens(ui);
        egui::Frame::new().fill(tokens.background).stroke((1.0, tokens.border)).inner_margin(6).show(ui, |ui| {
            ui.set_min_size(room - Vec2::splat(14.0));
            ui.set_max_size(room - Vec2::splat(14.0));
            match &self.shown {
                None => _ = ui.centered_and_justified(egui::Ui::spinner),
                Some(Shown::Picture(texture)) => {
                    let size = texture.size_vec2();
                    let fit = (ui.available_width() / size.x).min(ui.available_height() / size.y);
                    ui.centered_and_justified(|ui| {
                        let image = egui::Image::new(texture).fit_to_exact_size(size * fit.min(1.0));
                        ui.add(image.alt_text("Preview of the file"))
                    });
                }
                Some(Shown::Words(words)) => {
                    ScrollArea::both().id_salt("export preview").auto_shrink(false).show(ui, |ui| {
                        ui.add(egui::Label::new(RichText::new(words).monospace().small()).extend());
                    });
                }
            }
        });
    }
}
