//! Data and models that are not there: what they should be, and where they are instead.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::{Button, RichText, TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, right_row};
use super::pack::progress;
use super::path::expand_home;
use crate::app::launcher::JobHandle;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, memory_words};
use crate::error::InputError;
use crate::pack::{Agreement, MissingPath};

/// How far the search for one of them is.
#[derive(Debug)]
pub(crate) enum LocateState {
    Asking,
    Comparing,
    /// It is there, and this is how it compares.
    Compared(PathBuf, Agreement),
    Failed(InputError),
}

/// State of the dialog, which asks for one after the other.
#[derive(Debug)]
pub(crate) struct LocateDialog {
    /// Tells its answers from those of a dialog that was closed.
    pub(crate) number: u64,
    /// What is still to be located.
    pub(crate) missing: Vec<MissingPath>,
    pub(crate) path: String,
    pub(crate) state: LocateState,
    pub(crate) job: Arc<JobHandle>,
}

impl Drop for LocateDialog {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

impl LocateDialog {
    pub(crate) fn new(number: u64, missing: Vec<MissingPath>) -> Self {
        Self { number, missing, path: String::new(), state: LocateState::Asking, job: Arc::default() }
    }
}

/// What something that is missing should be.
fn described(ui: &mut Ui, missing: &MissingPath) {
    ui.label(RichText::new(missing.named.path.display().to_string()).family(theme::semi_bold()));
    widgets::remark(ui, format!("Named by `{}`, and not there", missing.named.field));
    match &missing.expected {
        None => _ = widgets::remark(ui, "Nothing says what it should be"),
        Some(expected) => {
            for file in &expected.files {
                let words = format!("{}, {}, SHA-256 {}", file.name, memory_words(file.bytes), file.sha256);
                ui.add(egui::Label::new(RichText::new(words).small().monospace()).truncate())
                    .on_hover_text(&file.sha256);
            }
        }
    }
}

impl DialogContents for LocateDialog {
    fn width(&self) -> f32 {
        640.0
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Locate what is missing");
        let Some(missing) = self.missing.first() else { return Some(DialogAction::Cancel) };
        described(ui, missing);
        let mut action = None;
        ui.add_space(space::S);
        let label = ui.label("Where it is");
        ui.horizontal(|ui| {
            let browse = ui.add(Button::new("Browse…"));
            if browse.on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            let field = ui.add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY));
            if field.labelled_by(label.id).changed() {
                self.state = LocateState::Asking;
            }
        });
        let tokens = theme::tokens(ui);
        match &self.state {
            LocateState::Asking => {}
            LocateState::Comparing => progress(ui, &self.job, "Comparing"),
            LocateState::Compared(_, Agreement::Differs(difference)) => {
                ui.colored_label(tokens.warning, format!("It is not the same: {difference}"));
                widgets::remark(ui, "Runs that were made from the old one say so where they are compared");
            }
            LocateState::Compared(_, _) => {
                ui.colored_label(tokens.warning, "Nothing says whether it is the same");
            }
            LocateState::Failed(error) => widgets::problem(ui, error),
        }
        ui.add_space(space::M);
        let typed = self.path.trim();
        let chosen = right_row(ui, |ui| {
            let (words, doubtful) = match &self.state {
                LocateState::Compared(path, _) => ("Use it all the same", Some(path.clone())),
                _ => ("Compare and use", None),
            };
            let possible = !typed.is_empty() && !matches!(self.state, LocateState::Comparing);
            let go = ui.add_enabled_ui(possible, |ui| widgets::primary_button(ui, words)).inner;
            let later = ui.button("Not now").clicked().then_some(DialogAction::Cancel);
            if go.clicked() {
                return Some(match doubtful {
                    Some(path) => DialogAction::Located(path),
                    None => DialogAction::Compare(expand_home(typed)),
                });
            }
            later
        });
        chosen.or(action)
    }
}
