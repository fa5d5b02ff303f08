//! What this program is.

use eframe::egui;
use egui::Ui;

use super::dialog::{DialogAction, DialogContents};
use crate::app::theme::space;
use crate::app::widgets;

/// The dialog.
#[derive(Debug)]
pub(crate) struct AboutDialog;

impl DialogContents for AboutDialog {
    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("PESO Workbench");
        ui.label(format!("Version {}", env!("CARGO_PKG_VERSION")));
        ui.add_space(space::S);
        ui.label("Continual LoRA adaptation of language-model recommenders: train stage by stage, see what moves, compare methods honestly, export what you found");
        ui.add_space(space::S);
        ui.label("Something is wrong? In a terminal, `peso doctor` checks program, machine and fonts, and `peso doctor --bundle report.zip` packs what a report of a bug needs");
        ui.add_space(space::S);
        widgets::remark(ui, "Text is set in Inter, under the SIL Open Font License 1.1");
        ui.add_space(space::M);
        let mut action = None;
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if widgets::primary_button(ui, "Close").clicked() {
                action = Some(DialogAction::Cancel);
            }
        });
        action
    }
}
