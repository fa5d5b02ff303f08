//! Opening a packed project: what it is, and where it is to be unpacked.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::{Button, RichText, TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, OnEscape, right_buttons};
use super::pack::progress;
use super::path::expand_home;
use crate::app::launcher::JobHandle;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, memory_words};
use crate::error::InputError;
use crate::pack::Manifest;

/// How far it is.
#[derive(Debug)]
pub(crate) enum UnpackState {
    Reading,
    Ready(Box<Manifest>),
    /// It is being unpacked.
    Unpacking(Box<Manifest>),
    /// The zip cannot be used.
    Unusable(InputError),
}

/// State of the dialog. When it is dropped, nobody wants its work any more.
#[derive(Debug)]
pub(crate) struct UnpackDialog {
    /// Tells its answers from those of a dialog that was closed.
    pub(crate) number: u64,
    pub(crate) file: PathBuf,
    pub(crate) folder: String,
    pub(crate) state: UnpackState,
    /// Why the folder cannot be used, until another one is named.
    pub(crate) problem: Option<InputError>,
    pub(crate) job: Arc<JobHandle>,
}

impl Drop for UnpackDialog {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

impl UnpackDialog {
    pub(crate) fn new(number: u64, file: PathBuf, folder: String) -> Self {
        Self { number, file, folder, state: UnpackState::Reading, problem: None, job: Arc::default() }
    }
}

/// What a zip says of itself.
fn said(ui: &mut Ui, manifest: &Manifest) {
    ui.label(RichText::new(&manifest.project).family(theme::semi_bold()));
    let bytes = manifest.files.iter().map(|file| file.bytes).sum();
    let files = counted(manifest.files.len(), "file");
    ui.label(format!("Packed {} UTC: {files}, {}", manifest.packed, memory_words(bytes)));
    if manifest.read_only {
        ui.label("Read-only: results and figures, without data and models");
    }
    for outside in &manifest.missing {
        let words = format!("Not in it: {} ({}, {})", outside.path, outside.field, memory_words(outside.bytes()));
        ui.label(RichText::new(words).small().color(theme::tokens(ui).warning));
    }
    if !manifest.missing.is_empty() {
        widgets::remark(ui, "Results can be looked at without them; they can be located once it is open");
    }
}

impl DialogContents for UnpackDialog {
    fn width(&self) -> f32 {
        600.0
    }

    fn on_escape(&self) -> OnEscape {
        if matches!(self.state, UnpackState::Unpacking(_)) { OnEscape::Stays } else { OnEscape::Closes }
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Open a packed project");
        widgets::remark(ui, self.file.display().to_string());
        match &self.state {
            UnpackState::Reading => _ = ui.spinner(),
            UnpackState::Ready(manifest) | UnpackState::Unpacking(manifest) => said(ui, manifest),
            UnpackState::Unusable(error) => widgets::problem(ui, error),
        }
        let mut action = None;
        ui.add_space(space::S);
        let label = ui.label("New folder for it");
        ui.horizontal(|ui| {
            let browse = ui.add(Button::new("Browse…"));
            if browse.on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            let field = ui.add(TextEdit::singleline(&mut self.folder).desired_width(f32::INFINITY));
            if field.labelled_by(label.id).changed() {
                self.problem = None;
            }
        });
        if let Some(problem) = &self.problem {
            widgets::problem(ui, problem);
        }
        if matches!(self.state, UnpackState::Unpacking(_)) {
            progress(ui, &self.job, "Checking and unpacking");
        }
        ui.add_space(space::M);
        let typed = self.folder.trim();
        let possible = matches!(self.state, UnpackState::Ready(_)) && !typed.is_empty();
        right_buttons(ui, "Unpack and open", possible, &mut action, || DialogAction::Unpack(expand_home(typed)));
        action
    }
}
