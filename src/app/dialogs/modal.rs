//! The dialog of the window that is open.

use eframe::egui;
use egui::{Frame, Id, Key, Margin, Modifiers, RichText, Ui};

use super::about::AboutDialog;
use super::dialog::{DialogAction, DialogContents, OnEscape, right_row};
use super::estimate::EstimateDialog;
use super::export::ExportDialog;
use super::locate::LocateDialog;
use super::marks::MarksDialog;
use super::method_picker::MethodPicker;
use super::new_project::NewProjectDialog;
use super::outside::OutsideDialog;
use super::pack::PackDialog;
use super::path::PathDialog;
use super::report::ReportDialog;
use super::restore::RestoreDialog;
use super::settings::SettingsDialog;
use super::shortcuts::ShortcutsDialog;
use super::sweep_editor::SweepEditor;
use super::unpack::UnpackDialog;
use super::unsaved::UnsavedDialog;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::error::InputError;

/// The dialog that is open.
#[derive(Debug)]
pub(crate) enum Dialog {
    Path(PathDialog),
    New(NewProjectDialog),
    Export(Box<ExportDialog>),
    Report(ReportDialog),
    Method(MethodPicker),
    Sweep(Box<SweepEditor>),
    Estimate(EstimateDialog),
    Marks(MarksDialog),
    Pack(PackDialog),
    Unpack(UnpackDialog),
    Locate(LocateDialog),
    Outside(OutsideDialog),
    Unsaved(UnsavedDialog),
    Restore(RestoreDialog),
    Settings(Box<SettingsDialog>),
    Shortcuts(ShortcutsDialog),
    About(AboutDialog),
}

impl Dialog {
    fn contents(&mut self) -> &mut dyn DialogContents {
        match self {
            Self::Path(dialog) => dialog,
            Self::New(dialog) => dialog,
            Self::Export(dialog) => dialog.as_mut(),
            Self::Report(dialog) => dialog,
            Self::Method(dialog) => dialog,
            Self::Sweep(dialog) => dialog.as_mut(),
            Self::Estimate(dialog) => dialog,
            Self::Marks(dialog) => dialog,
            Self::Pack(dialog) => dialog,
            Self::Unpack(dialog) => dialog,
            Self::Locate(dialog) => dialog,
            Self::Outside(dialog) => dialog,
            Self::Unsaved(dialog) => dialog,
            Self::Restore(dialog) => dialog,
            Self::Settings(dialog) => dialog.as_mut(),
            Self::Shortcuts(dialog) => dialog,
            Self::About(dialog) => dialog,
        }
    }

    /// Says why what a form asked for could not be done.
    pub(crate) fn refuse(&mut self, error: InputError) {
        match self {
            Self::Path(dialog) => dialog.problem = Some(error),
            Self::New(dialog) => dialog.problem = Some(error),
            Self::Export(dialog) => dialog.problem = Some(error),
            Self::Report(dialog) => dialog.problem = Some(error),
            _ => {}
        }
    }

    /// Draws the dialog. `leaving` is whether the user is being asked if a form that is filled in may go; with `confirm` off
    /// nothing is asked.
    pub(crate) fn ui(&mut self, ui: &Ui, leaving: &mut bool, confirm: bool) -> Option<DialogAction> {
        let contents = self.contents();
        let tokens = theme::tokens(ui);
        let frame = Frame::popup(ui.style()).fill(tokens.surface).inner_margin(Margin::same(20));
        let width = contents.width().min(ui.ctx().content_rect().width() - 80.0);
        // Escape closes what is open in the dialog before the dialog itself.
        let inner = egui::Popup::is_any_open(ui.ctx());
        let modal =
            egui::Modal::new(Id::unique("dialog")).backdrop_color(tokens.scrim).frame(frame).show(ui.ctx(), |ui| {
                ui.set_width(width);
                let action = ui.add_enabled_ui(!*leaving, |ui| contents.ui(ui)).inner;
                if *leaving { question(ui, leaving) } else { action }
            });
        let escaped = !inner && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        let clicked_outside = modal.backdrop_response.clicked();
        let left = match contents.on_escape() {
            _ if modal.inner.is_some() => None,
            _ if *leaving && escaped => {
                *leaving = false;
                None
            }
            OnEscape::Asks if confirm && escaped => {
                *leaving = true;
                None
            }
            // What was typed is not lost by a click beside it.
            OnEscape::Asks => escaped.then_some(DialogAction::Cancel),
            OnEscape::Stays => None,
            OnEscape::Closes => (escaped || clicked_outside).then_some(DialogAction::Cancel),
        };
        let action = modal.inner.or(left);
        *leaving &= action.is_none();
        action
    }
}

/// Whether a form that is filled in may go.
fn question(ui: &mut Ui, leaving: &mut bool) -> Option<DialogAction> {
    ui.add_space(space::S);
    ui.separator();
    right_row(ui, |ui| {
        let keep = widgets::primary_button(ui, "Keep editing");
        if keep.clicked() {
            *leaving = false;
        }
        let close = ui.button("Close without it").clicked();
        ui.label(RichText::new("What you entered is lost").color(theme::tokens(ui).warning));
        close.then_some(DialogAction::Cancel)
    })
}
