//! What the window's own dialogs have in common: their shape, what they ask for, and their rows of buttons.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::Ui;

use super::chart_file::{ExportChoices, Format, PreviewOf};
use super::desktop::FileDialog;
use crate::app::settings::Settings;
use crate::app::widgets;
use crate::method::MethodOptions;
use crate::pack::Contents;
use crate::plot::{Chart, Style};
use crate::project::Project;
use crate::project::file::Demo;
use crate::project::new_project::NewProject;
use crate::project::sweep::Sweep;
use crate::run::marks::MarkChange;

/// A dialog of the window.
pub(crate) trait DialogContents {
    /// Width that it takes where the window has that much room.
    fn width(&self) -> f32 {
        520.0
    }

    /// What becomes of it when the user presses Escape, or clicks beside it.
    fn on_escape(&self) -> OnEscape {
        OnEscape::Closes
    }

    /// Draws its inside, and gives what the user asked for.
    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction>;
}

/// What becomes of a dialog when the user presses Escape, or clicks beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnEscape {
    /// It closes: nothing is lost.
    Closes,
    /// It asks, because something was typed; a click beside it does nothing.
    Asks,
    /// It stays until it is answered.
    Stays,
}

impl OnEscape {
    /// Of a form that something was typed into, or nothing yet.
    pub(crate) const fn of_form(filled: bool) -> Self {
        if filled { Self::Asks } else { Self::Closes }
    }
}

/// What a dialog asks for.
#[derive(Debug, Clone)]
pub(crate) enum DialogAction {
    /// Close the dialog.
    Cancel,
    /// Ask the desktop for a path to put into the dialog.
    Browse,
    /// The path is final.
    Path(PathPurpose, PathBuf),
    /// Ask the desktop for a path of the dialog on a new project.
    BrowseFor(FileDialog),
    New(NewProject),
    Export(Box<Export>),
    /// Write a report of the project to this file.
    Report(PathBuf),
    /// Put the picture on the clipboard.
    CopyImage(Box<Export>),
    /// Make what the dialog shows of the file; the dialog stays.
    Preview(Box<PreviewOf>),
    Method(MethodPurpose, MethodOptions),
    /// A new sweep, or another one for the place of one.
    Sweep(Option<usize>, Box<Sweep>),
    /// Make the edits that an earlier window left the present of the project.
    Restore(Box<Project>),
    /// Forget the edits that an earlier window left.
    DiscardLeft,
    /// Keep these settings.
    Settings(Box<Settings>),
    /// Find out what a zip of this kind would hold.
    LookAtPack(PackKind),
    /// Write a zip.
    Pack(Arc<Contents>, PathBuf),
    /// Unpack the zip that the dialog is about into a folder, and open what is in it.
    Unpack(PathBuf),
    /// Compare what is at a path with the first that is missing, and use it if it is the same.
    Compare(PathBuf),
    /// Use what is at a path, whatever it is.
    Located(PathBuf),
    /// Open the project that names files outside its folder.
    ReadOutside,
    /// Close the dialog and show a folder in the desktop's file manager.
    ShowFolder(PathBuf),
    /// Say this of runs, by their ids.
    Mark(Vec<String>, MarkChange),
    /// Save, then estimate.
    SaveAndEstimate,
    /// Save, then go on.
    SaveAnd(Leaving),
    /// Go on without saving.
    DiscardAnd(Leaving),
}

/// What of a project is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackKind {
    Whole,
    WithData,
    ReadOnly,
    ReadOnlyWithoutTitles,
}

/// What the user was about to do when changes were not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaving {
    Close,
    Quit,
    Open(PathBuf),
    Demo(Demo, PathBuf),
    /// Write a project for data, and open it.
    New(NewProject),
}

/// A chart to write, and how.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) chart: Arc<Chart>,
    pub(crate) path: PathBuf,
    pub(crate) style: Style,
    /// What is remembered for the next one.
    pub(crate) choices: ExportChoices,
}

/// What a typed path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathPurpose {
    OpenProject,
    DemoFolder(Demo),
    /// Where the figures of the board are written to, as which kind of file.
    BoardFolder(Format),
    /// Where a steered adapter is written to.
    SteeredAdapter,
}

/// What the chosen method is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MethodPurpose {
    /// Another experiment.
    Add,
    /// The experiment at a place gets this method.
    Change(usize),
}

/// A row of a dialog that is filled from the right.
pub(crate) fn right_row<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let row = |ui: &mut Ui| ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), contents).inner;
    ui.horizontal(row).inner
}

/// Cancel and the button that goes on, on the right.
pub(crate) fn right_buttons(
    ui: &mut Ui,
    go: &str,
    possible: bool,
    action: &mut Option<DialogAction>,
    gone: impl FnOnce() -> DialogAction,
) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if ui.add_enabled_ui(possible, |ui| widgets::primary_button(ui, go)).inner.clicked() {
            *action = Some(gone());
        }
        if ui.button("Cancel").clicked() {
            *action = Some(DialogAction::Cancel);
        }
    });
}
