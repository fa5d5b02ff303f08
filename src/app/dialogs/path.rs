//! Asking for a path: of a project to open, for the demo, or for the figures of the board.

use std::path::PathBuf;

use eframe::egui;
use egui::{Key, RichText, TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, OnEscape, PathPurpose, right_buttons};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::error::InputError;
use crate::project::file::Demo;

/// Asks for a path, by typing or through the desktop.
#[derive(Debug)]
pub(crate) struct PathDialog {
    pub(crate) purpose: PathPurpose,
    pub(crate) text: String,
    /// What stood in the field at first.
    pub(crate) suggested: String,
    /// Why what was typed cannot be used, until it is changed.
    pub(crate) problem: Option<InputError>,
    /// Why the desktop's dialog was of no use.
    pub(crate) hint: Option<&'static str>,
    /// Whether the field has had the keyboard.
    pub(crate) focused: bool,
}

impl DialogContents for PathDialog {
    fn on_escape(&self) -> OnEscape {
        OnEscape::of_form(self.text.trim() != self.suggested)
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let (title, advice, go) = match self.purpose {
            PathPurpose::OpenProject => {
                ("Open a project", "A project file (.ron), or the folder that holds project.ron", "Open")
            }
            PathPurpose::DemoFolder(demo) => (
                match demo {
                    Demo::Drift => "Open the demo",
                    Demo::LongUpdates => "Open the demo of long updates",
                },
                "Folder to write the demo project and its runs into; an existing demo there is opened as it is",
                "Create and open",
            ),
            PathPurpose::SteeredAdapter => {
                ("Export the steered adapter", "New folder to write it into, as Hugging Face PEFT loads it", "Export")
            }
            PathPurpose::BoardFolder(_) => {
                ("Export the board", "Folder to write the figures into, numbered in the order of the board", "Export")
            }
        };
        ui.heading(title);
        let label = ui.label(advice);
        let response = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY)).labelled_by(label.id);
        if !std::mem::replace(&mut self.focused, true) {
            response.request_focus();
        }
        if response.changed() {
            self.problem = None;
        }
        match &self.problem {
            Some(problem) => widgets::problem(ui, problem),
            None => {
                let hint = self.hint.map(|hint| RichText::new(hint).color(theme::tokens(ui).warning));
                widgets::message_line(ui, hint);
            }
        }
        ui.add_space(space::M);
        let typed = self.text.trim();
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            right_buttons(ui, go, !typed.is_empty(), &mut action, || {
                DialogAction::Path(self.purpose, expand_home(typed))
            });
        });
        if entered && !typed.is_empty() {
            action = Some(DialogAction::Path(self.purpose, expand_home(typed)));
        }
        action
    }
}

/// A path with a leading `~` replaced by the home folder, as people type it.
pub(crate) fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix('~'), std::env::var_os("HOME")) {
        (Some(""), Some(home)) => PathBuf::from(home),
        (Some(rest), Some(home)) if rest.starts_with('/') => PathBuf::from(home).join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}
