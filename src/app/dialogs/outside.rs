//! Asking before a project that this window does not know yet reads what lies outside its folder.

use eframe::egui;
use egui::{RichText, ScrollArea, Ui};

use super::dialog::{DialogAction, DialogContents, right_buttons};
use crate::app::message::Opened;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::project::paths::NamedPath;

/// The dialog, with the project that waits for the answer.
#[derive(Debug)]
pub(crate) struct OutsideDialog {
    pub(crate) opened: Box<Opened>,
}

impl DialogContents for OutsideDialog {
    fn width(&self) -> f32 {
        600.0
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let Opened { project, outside, .. } = &*self.opened;
        ui.heading("The project reads files outside its folder");
        ui.label(format!(
            "{} names what lies elsewhere on this machine, and reads it as soon as it is open. Whoever wrote the project chose these:",
            project.name
        ));
        ui.add_space(space::S);
        ScrollArea::vertical().max_height(240.0).show(ui, |ui| {
            for (NamedPath { field, .. }, place) in outside {
                ui.label(RichText::new(place.display().to_string()).family(theme::semi_bold()));
                widgets::remark(ui, format!("Named by `{field}`"));
            }
        });
        ui.add_space(space::S);
        widgets::remark(ui, "It is not asked again for the same files");
        ui.add_space(space::M);
        let mut action = None;
        right_buttons(ui, "Read them and open", true, &mut action, || DialogAction::ReadOutside);
        action
    }
}
