//! A toy: a button that counts.

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, Ui};

use super::view::{Home, ViewSpec};
use super::{Context, Panel};

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Toy",
    title: "Toy",
    command: "Show toy",
    tooltip: "A button that counts how often it was pressed",
    shortcut: Some(KeyboardShortcut::new(Modifiers::ALT, egui::Key::T)),
    home: Home::Charts,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct ToyPanel {
    pressed: usize,
}

impl Panel for ToyPanel {
    fn ui(&mut self, ui: &mut Ui, _: &mut Context<'_>) {
        if ui.button("Press").clicked() {
            self.pressed += 1;
        }
        ui.label(format!("Pressed {} times", self.pressed));
    }
}
