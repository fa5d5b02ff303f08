//! The dialog on a new project for data: which, under what name, and where.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{TextEdit, Ui};

use super::desktop::FileDialog;
use super::dialog::{DialogAction, DialogContents, OnEscape, right_buttons};
use super::path::expand_home;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::formats::formats_in_words;
use crate::error::InputError;
use crate::project::new_project::NewProject;
use crate::project::slug::slug;

/// State of the dialog.
#[derive(Debug, Default)]
pub(crate) struct NewProjectDialog {
    data: String,
    /// Where projects are suggested.
    documents: PathBuf,
    /// What the user typed; until then name and folder follow from the data.
    name: Option<String>,
    folder: Option<String>,
    /// Why what was entered cannot be used, until it is changed.
    pub(crate) problem: Option<InputError>,
    /// Why the desktop's dialog was of no use.
    hint: Option<&'static str>,
    /// Whether the field has had the keyboard.
    focused: bool,
}

impl NewProjectDialog {
    pub(crate) fn new(data: Option<&Path>, documents: PathBuf) -> Self {
        let data = data.map(|path| path.display().to_string()).unwrap_or_default();
        Self { data, documents, ..Self::default() }
    }

    /// What the desktop's dialog chose.
    pub(crate) fn chosen(&mut self, dialog: &FileDialog, path: &Path) {
        let text = path.display().to_string();
        match dialog {
            FileDialog::ProjectFolder { .. } => self.folder = Some(text),
            _ => self.data = text,
        }
        self.hint = None;
    }

    pub(crate) fn no_dialog(&mut self, hint: Option<&'static str>) {
        self.hint = hint;
    }

    /// The name: what was typed, or what the data are called.
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| name_of(Path::new(self.data.trim())))
    }

    /// The folder: what was typed, or one of that name where projects are suggested.
    fn folder(&self) -> String {
        let suggested = || {
            let name = self.name();
            let known = !name.trim().is_empty();
            if known { self.documents.join(slug(&name)).display().to_string() } else { String::new() }
        };
        self.folder.clone().unwrap_or_else(suggested)
    }
}

impl DialogContents for NewProjectDialog {
    fn on_escape(&self) -> OnEscape {
        OnEscape::of_form(!self.data.trim().is_empty() || self.name.is_some() || self.folder.is_some())
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let mut action = None;
        let before = (self.data.clone(), self.name.clone(), self.folder.clone());
        ui.heading("New project from data");
        let label =
            ui.label(format!("A file or folder of interactions: {}, or the paper's release", formats_in_words()));
        ui.horizontal(|ui| {
            let width = ui.available_width() - 139.0;
            let field = TextEdit::singleline(&mut self.data).hint_text("~/data/ratings.csv").desired_width(width);
            let field = ui.add(field).labelled_by(label.id);
            if !std::mem::replace(&mut self.focused, true) {
                field.request_focus();
            }
            for (text, what, dialog) in [
                ("File…", "Choose a file with the desktop's dialog", FileDialog::DataFile),
                ("Folder…", "Choose a folder with the desktop's dialog", FileDialog::DataFolder),
            ] {
                if ui.button(text).on_hover_text(what).clicked() {
                    action = Some(DialogAction::BrowseFor(dialog));
                }
            }
        });
        ui.add_space(space::S);
        let label = ui.label("Name of the project");
        let mut name = self.name();
        if ui.add(TextEdit::singleline(&mut name).desired_width(f32::INFINITY)).labelled_by(label.id).changed() {
            self.name = Some(name);
        }
        ui.add_space(space::S);
        let label = ui.label("Folder of the project, for its file and its runs");
        ui.horizontal(|ui| {
            let width = ui.available_width() - 86.0;
            let mut folder = self.folder();
            let field = ui.add(TextEdit::singleline(&mut folder).desired_width(width)).labelled_by(label.id);
            if field.changed() {
                self.folder = Some(folder.clone());
            }
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::BrowseFor(FileDialog::ProjectFolder { suggested: PathBuf::from(folder) }));
            }
        });
        if (&self.data, &self.name, &self.folder) != (&before.0, &before.1, &before.2) {
            self.problem = None;
        }
        if let Some(problem) = &self.problem {
            widgets::problem(ui, problem);
        }
        if let Some(hint) = self.hint {
            ui.colored_label(theme::tokens(ui).warning, hint);
        }
        ui.add_space(space::XS);
        widgets::remark(
            ui,
            "It compares PESO with an adapter that only goes on learning and one that is frozen, on a small model. The Data view then shows what was understood of the files",
        );
        ui.add_space(space::M);
        let new = NewProject {
            data: expand_home(self.data.trim()),
            name: self.name().trim().to_owned(),
            folder: expand_home(self.folder().trim()),
        };
        let complete =
            ![new.data.as_os_str(), new.name.as_ref(), new.folder.as_os_str()].iter().any(|part| part.is_empty());
        ui.horizontal(|ui| right_buttons(ui, "Create and open", complete, &mut action, || DialogAction::New(new)));
        action
    }
}

/// What data are called: the name of their file or folder without endings.
fn name_of(data: &Path) -> String {
    let name = data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or_default();
    let words = stem.replace(['_', '-'], " ");
    widgets::sentence(words.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_folder_follow_from_the_data_until_they_are_typed() {
        let mut dialog = NewProjectDialog::new(Some(Path::new("/x/web_shop.ratings.csv.gz")), "/home/me".into());
        assert_eq!((dialog.name().as_str(), dialog.folder().as_str()), ("Web shop", "/home/me/web-shop"));
        dialog.name = Some("Shop 2".into());
        assert_eq!(dialog.folder(), "/home/me/shop-2");
        dialog.chosen(&FileDialog::ProjectFolder { suggested: PathBuf::new() }, Path::new("/projects/a"));
        dialog.chosen(&FileDialog::DataFile, Path::new("/y/b.csv"));
        assert_eq!(
            (dialog.data.as_str(), dialog.name().as_str(), dialog.folder().as_str()),
            ("/y/b.csv", "Shop 2", "/projects/a")
        );
        assert_eq!(NewProjectDialog::new(None, "/home/me".into()).folder(), "");
    }
}
