//! Asking what becomes of changes that are not saved.

use eframe::egui;
use egui::{Button, Ui};

use super::dialog::{DialogAction, DialogContents, Leaving, right_buttons};
use crate::app::theme::space;

/// The dialog, with what the user was about to do.
#[derive(Debug)]
pub(crate) struct UnsavedDialog(pub(crate) Leaving);

impl DialogContents for UnsavedDialog {
    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let Self(leaving) = self;
        ui.heading("Save the changes of the project?");
        ui.label("Without saving, the changes since the last save are lost. Runs are kept either way and go on");
        ui.add_space(space::M);
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.add(Button::new("Discard changes")).clicked() {
                action = Some(DialogAction::DiscardAnd(leaving.clone()));
            }
            right_buttons(ui, "Save", true, &mut action, || DialogAction::SaveAnd(leaving.clone()));
        });
        action
    }
}
