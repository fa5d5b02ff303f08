//! The speaker's own window, for the screen that the room does not see: what to say, the slide that comes, and the time.

use eframe::egui;
use egui::{CentralPanel, Frame, Margin, Panel, RichText, Ui, ViewportBuilder, ViewportId};

use super::keys::{self, Key};
use super::notes::{self, Notes};
use crate::app::theme;
use crate::plot::{Chart, screen};

/// What the window shows.
pub(super) struct Speaker<'s> {
    /// Of the project.
    pub(super) project: &'s str,
    /// Of the slide that the room sees.
    pub(super) heading: &'s str,
    /// `2 of 9`.
    pub(super) place: String,
    pub(super) notes: Notes<'s>,
    /// Chart of the next slide, where it has one.
    pub(super) next: Option<&'s Chart>,
}

/// What was done in it.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Keys lead from here as they do from the slides.
    pub(super) keys: Vec<Key>,
    pub(super) closed: bool,
}

/// Size at first, in points.
const SIZE: [f32; 2] = [960.0, 600.0];
/// Share of the width that the next slide takes.
const NEXT: f32 = 0.42;
/// Height of a slide by its width.
const ASPECT: f32 = 9.0 / 16.0;
const MARGIN: Margin = Margin::same(20);

impl Speaker<'_> {
    /// Shows the window. Where the system has one window alone it lies over the slides.
    pub(super) fn show(&self, ctx: &egui::Context) -> Said {
        let builder =
            ViewportBuilder::default().with_title(format!("{} – speaker's notes", self.project)).with_inner_size(SIZE);
        ctx.show_viewport_immediate(ViewportId::from_hash_of("speaker's window"), builder, |ui, _| {
            self.ui(ui);
            let closed = ui.input(|input| input.viewport().close_requested());
            Said { keys: keys::pressed(ui.ctx()), closed }
        })
    }

    fn ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        let next = Frame::new().fill(tokens.sunken).inner_margin(MARGIN);
        let width = NEXT * ui.available_width();
        Panel::right("next slide").frame(next).exact_size(width).resizable(false).show_separator_line(false).show(
            ui,
            |ui| {
                notes::timer(ui, self.notes.elapsed, 40.0);
                ui.label(RichText::new(&self.place).size(16.0).color(tokens.muted));
                ui.add_space(24.0);
                notes::coming(ui, self.notes.next.as_deref(), 18.0);
                if let Some(chart) = self.next {
                    ui.add_space(8.0);
                    let width = ui.available_width();
                    let bare = Chart { title: String::new(), subtitle: None, note: None, ..chart.clone() };
                    screen::show(ui, &bare, "next slide", egui::vec2(width, ASPECT * width));
                }
            },
        );
        CentralPanel::default().frame(Frame::new().fill(tokens.surface).inner_margin(MARGIN)).show(ui, |ui| {
            ui.label(RichText::new(self.heading).size(22.0).family(theme::semi_bold()));
            ui.add_space(12.0);
            notes::to_tell(ui, self.notes.told, 20.0);
        });
    }
}
