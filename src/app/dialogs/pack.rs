//! Packing the open project: which file, what of it, and how much that is.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::{Button, ProgressBar, RichText, TextEdit, Ui};

use super::destination::Destination;
use super::dialog::{DialogAction, DialogContents, OnEscape, PackKind, right_buttons, right_row};
use super::path::expand_home;
use crate::app::launcher::{JobHandle, JobProgress};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, memory_words};
use crate::error::InputError;
use crate::pack::{Contents, OutsideFiles};

impl PackKind {
    const ALL: [Self; 4] = [Self::Whole, Self::WithData, Self::ReadOnly, Self::ReadOnlyWithoutTitles];

    const fn text(self) -> &'static str {
        match self {
            Self::Whole => "Whole project",
            Self::WithData => "Whole project with all data and models",
            Self::ReadOnly => "Read-only results",
            Self::ReadOnlyWithoutTitles => "Read-only results without titles",
        }
    }

    const fn remark(self) -> &'static str {
        match self {
            Self::Whole => {
                "Project file, runs, trained ids, and the data and models in the project's folder. Training can go on elsewhere"
            }
            Self::WithData => "The same, with data and models from other folders",
            Self::ReadOnly => {
                "Results and figures. No interactions, models, checkpoints, prompts, notes or paths; pseudonyms for users. It can only be looked at"
            }
            Self::ReadOnlyWithoutTitles => "The same, and items have their ids alone",
        }
    }
}

/// What a zip would hold.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) contents: Arc<Contents>,
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum PackState {
    /// What would be packed is being found out.
    Looking,
    Ready(Look),
    Packing,
    /// The file and its size.
    Done(PathBuf, u64),
    Failed(InputError),
}

/// State of the dialog. When it is dropped, nobody wants its work any more.
#[derive(Debug)]
pub(crate) struct PackDialog {
    /// Tells its answers from those of a dialog that was closed.
    pub(crate) number: u64,
    pub(crate) kind: PackKind,
    pub(crate) path: String,
    suggested: String,
    destination: Destination,
    pub(crate) state: PackState,
    pub(crate) job: Arc<JobHandle>,
}

impl Drop for PackDialog {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

impl PackDialog {
    pub(crate) fn new(number: u64, path: String) -> Self {
        let job = Arc::default();
        Self {
            number,
            kind: PackKind::Whole,
            suggested: path.clone(),
            destination: Destination::default(),
            path,
            state: PackState::Looking,
            job,
        }
    }

    fn choose(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let before = self.kind;
        let possible = !matches!(self.state, PackState::Packing);
        ui.add_enabled_ui(possible, |ui| {
            for kind in PackKind::ALL {
                ui.radio_value(&mut self.kind, kind, kind.text()).on_hover_text(kind.remark());
            }
        });
        widgets::remark(ui, self.kind.remark());
        if self.kind == before {
            return None;
        }
        self.state = PackState::Looking;
        Some(DialogAction::LookAtPack(self.kind))
    }

    fn what(&self, ui: &mut Ui) {
        match &self.state {
            PackState::Looking => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    widgets::remark(ui, "Looking at what it will hold");
                });
            }
            PackState::Ready(look) => {
                let contents = &look.contents;
                let (files, runs) = (counted(contents.entries.len(), "file"), counted(contents.runs, "run"));
                ui.label(format!("{runs} in {files}, {} before it is compressed", memory_words(contents.bytes())));
                for (outside, _) in &contents.outside {
                    let OutsideFiles { field, path, .. } = outside;
                    let size = memory_words(outside.bytes());
                    let words = format!("Named and not packed: {path} ({field}, {size})");
                    ui.label(RichText::new(words).small().color(theme::tokens(ui).warning));
                }
            }
            PackState::Packing => progress(ui, &self.job, "Packing"),
            PackState::Done(path, bytes) => {
                ui.label(format!("Written: {} ({})", path.display(), memory_words(*bytes)));
            }
            PackState::Failed(error) => widgets::problem(ui, error),
        }
    }
}

/// How far a job is, with what it does.
pub(super) fn progress(ui: &mut Ui, job: &JobHandle, doing: &str) {
    let JobProgress { share, .. } = job.progress();
    let bar = ui.add(ProgressBar::new(share.unwrap_or(0.0)).fill(theme::tokens(ui).accent).desired_height(8.0));
    widgets::named(ui, &bar, doing);
    widgets::remark(ui, format!("{doing}, {:.0} %", 100.0 * share.unwrap_or(0.0)));
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
}

impl DialogContents for PackDialog {
    fn width(&self) -> f32 {
        600.0
    }

    fn on_escape(&self) -> OnEscape {
        match self.state {
            PackState::Packing => OnEscape::Stays,
            _ => OnEscape::of_form(self.path != self.suggested),
        }
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Pack the project");
        if let PackState::Done(path, _) = &self.state {
            let folder = path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
            self.what(ui);
            ui.add_space(space::M);
            return right_row(ui, |ui| {
                let close = ui.button("Close").clicked().then_some(DialogAction::Cancel);
                let open = widgets::primary_button(ui, "Open folder").clicked();
                if open { Some(DialogAction::ShowFolder(folder)) } else { close }
            });
        }
        let mut action = self.choose(ui);
        ui.add_space(space::S);
        let label = ui.label("File");
        ui.horizontal(|ui| {
            let browse = ui.add(Button::new("Browse…"));
            if browse.on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            ui.add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY)).labelled_by(label.id);
        });
        let typed = self.path.trim();
        let to = expand_home(typed);
        let go = self.destination.ui(ui, &to, "Pack");
        ui.add_space(space::XS);
        self.what(ui);
        ui.add_space(space::M);
        let ready = match &self.state {
            PackState::Ready(look) if !typed.is_empty() => Some(Arc::clone(&look.contents)),
            _ => None,
        };
        right_buttons(ui, go, ready.is_some(), &mut action, || {
            ready.map_or(DialogAction::Cancel, |contents| DialogAction::Pack(contents, to))
        });
        action
    }
}
