//! The dialog of the window that is open.

use eframe::egui;
use egui::{Frame, Id, Key, Margin, Modifiers, Ui};

use super::about::AboutDialog;
use super::dialog::{DialogAction, DialogContents};
use super::estimate::EstimateDialog;
use super::export::ExportDialog;
use super::method_picker::MethodPicker;
use super::new_project::NewProjectDialog;
use super::path::PathDialog;
use super::sweep_editor::SweepEditor;
use super::unsaved::UnsavedDialog;
use crate::app::theme;

/// The dialog that is open.
#[derive(Debug)]
pub(crate) enum Dialog {
    Path(PathDialog),
    New(NewProjectDialog),
    Export(Box<ExportDialog>),
    Method(MethodPicker),
    Sweep(Box<SweepEditor>),
    Estimate(EstimateDialog),
    Unsaved(UnsavedDialog),
    About(AboutDialog),
}

impl Dialog {
    fn contents(&mut self) -> &mut dyn DialogContents {
        match self {
            Self::Path(dialog) => dialog,
            Self::New(dialog) => dialog,
            Self::Export(dialog) => dialog.as_mut(),
            Self::Method(dialog) => dialog,
            Self::Sweep(dialog) => dialog.as_mut(),
            Self::Estimate(dialog) => dialog,
            Self::Unsaved(dialog) => dialog,
            Self::About(dialog) => dialog,
        }
    }

    /// Draws the dialog.
    pub(crate) fn ui(&mut self, ui: &Ui) -> Option<DialogAction> {
        let contents = self.contents();
        let tokens = theme::tokens(ui);
        let frame = Frame::popup(ui.style()).fill(tokens.surface).inner_margin(Margin::same(20));
        let width = contents.width().min(ui.ctx().content_rect().width() - 80.0);
        let modal =
            egui::Modal::new(Id::unique("dialog")).backdrop_color(tokens.scrim).frame(frame).show(ui.ctx(), |ui| {
                ui.set_width(width);
                contents.ui(ui)
            });
        let escaped = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        modal.inner.or((escaped || modal.backdrop_response.clicked()).then_some(DialogAction::Cancel))
    }
}
