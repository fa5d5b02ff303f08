//! The board is shown to a room, in place of the window.

use eframe::egui;
use egui::{Ui, ViewportCommand};

use crate::app::presentation::Presentation;
use crate::app::workbench::Workbench;

impl Workbench {
    /// Shows the board to a room, from a figure on.
    pub(super) fn start_presentation(&mut self, ctx: &egui::Context, from: Option<usize>) {
        if self.session.as_ref().is_some_and(|session| !session.project().board.is_empty()) {
            self.presentation = Some(Presentation::new(ctx, from));
            ctx.send_viewport_cmd(ViewportCommand::Fullscreen(true));
            // No key is to reach what had the keyboard.
            ctx.memory_mut(egui::Memory::stop_text_input);
        }
    }

    /// Draws the presentation, if there is one, instead of everything else. A question of the window ends it.
    pub(in crate::app) fn present(&mut self, ui: &mut Ui) -> bool {
        let Some(mut presentation) = self.presentation.take() else { return false };
        let session = self.session.as_ref();
        let session = session.filter(|session| self.dialog.is_none() && !session.project().board.is_empty());
        let mut actions = Vec::new();
        let goes_on = session.is_some_and(|session| presentation.ui(ui, session, &mut actions));
        for action in actions {
            self.perform(ui.ctx(), action);
        }
        if goes_on {
            self.presentation = Some(presentation);
        } else {
            ui.ctx().send_viewport_cmd(ViewportCommand::Fullscreen(presentation.was_full_screen()));
            self.apply_settings(ui.ctx());
            ui.ctx().request_repaint();
        }
        true
    }
}
