//! Which files, and in which format: a path that is typed, chosen or dropped, looked at before the project takes it.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{Button, Key, RichText, TextEdit, Ui};

use super::super::super::{Context, choice, failed, pending};
use crate::app::action::Action;
use crate::app::dialogs::desktop;
use crate::app::dialogs::path::expand_home;
use crate::app::queries::Answer;
use crate::app::queries::data::ImportProposal;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::DatasetSource;
use crate::data::formats::{Format, SourceFields};
use crate::data::preview::Preview;
use crate::project::edits::data as edits;
use crate::project::new_project::with_data;

/// The path as it is typed, and what is being looked at.
#[derive(Debug, Default)]
pub(super) struct Picker {
    typed: Option<String>,
    wanted: Option<Wanted>,
    /// Why the desktop's dialog was of no use.
    hint: Option<&'static str>,
}

/// A path that is to become the project's data.
#[derive(Debug)]
struct Wanted {
    path: PathBuf,
    named: Option<Format>,
    /// Whether an answer of before is still to be forgotten: the file may have changed since.
    again: bool,
}

/// What the list of formats says of one; without one the content tells it.
fn format_words(format: Option<Format>) -> String {
    format.map_or_else(|| "Told from the content".to_owned(), Format::long_label)
}

impl Picker {
    /// Has a path looked at; the project takes it when it is clear what it is.
    pub(super) fn pick(&mut self, path: PathBuf, named: Option<Format>) {
        self.wanted = Some(Wanted { path, named, again: true });
        (self.typed, self.hint) = (None, None);
    }

    pub(super) fn no_dialog(&mut self, hint: Option<&'static str>) {
        self.hint = hint;
    }

    /// Draws path and format.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        self.path(ui, context);
        if let Some(hint) = self.hint {
            ui.colored_label(theme::tokens(ui).warning, hint);
        }
        self.looked_at(ui, context);
    }

    fn path(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let dataset = &context.session.project().dataset;
        let current = dataset.path().map(|path| path.display().to_string()).unwrap_or_default();
        ui.horizontal(|ui| {
            let label = ui.label("Path");
            let text = self.typed.get_or_insert_with(|| current.clone());
            let width = (ui.available_width() - 156.0).clamp(120.0, 620.0);
            let field = TextEdit::singleline(text).hint_text("A file or folder of interactions").desired_width(width);
            let field = ui.add(field).labelled_by(label.id);
            let field =
                field.on_hover_text("Relative to the project's folder. A file can also be dropped onto the window");
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let typed = text.trim().to_owned();
            if (entered || field.lost_focus() && typed != current) && !typed.is_empty() {
                self.pick(expand_home(&typed), None);
            } else if !field.has_focus() {
                self.typed = None;
            }
            for (text, question) in
                [("File…", desktop::FileDialog::DataFile), ("Folder…", desktop::FileDialog::DataFolder)]
            {
                if ui.button(text).on_hover_text("Choose with the desktop's dialog").clicked() {
                    context.actions.push(Action::Browse(question));
                }
            }
        });
        if dataset.path().is_some() {
            self.format(ui, context, Path::new(&current));
        }
    }

    fn format(&mut self, ui: &mut Ui, context: &mut Context<'_>, path: &Path) {
        let now = context.session.project().dataset.format();
        let mut format = now;
        ui.horizontal(|ui| {
            // A table is what most people have.
            let others = Format::all().filter(|format| *format != Format::TABLE);
            let formats = [None, Some(Format::TABLE)].into_iter().chain(others.map(Some));
            let formats: Vec<(Option<Format>, String)> = formats.map(|format| (format, format_words(format))).collect();
            choice(ui, ("Format", 200.0), &mut format, &formats);
        });
        if format == now {
            return;
        }
        let path = path.to_path_buf();
        match format {
            Some(format) if format.fields == SourceFields::Stages => {
                super::edit(context, None, |project| edits::with_source(project, DatasetSource::PesoRelease { path }));
            }
            Some(format) => self.pick(path, Some(format)),
            None => super::edit(context, None, |project| edits::with_detected(project, &path)),
        }
    }

    /// What was found at a path that is wanted, which then becomes the project's data.
    fn looked_at(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let Some(wanted) = &mut self.wanted else { return };
        let folder = context.session.project().folder.clone();
        let query = ImportProposal { path: folder.join(&wanted.path), named: wanted.named, folder };
        if std::mem::take(&mut wanted.again) {
            context.actions.push(Action::retry(&query));
            return;
        }
        match context.session.queries.get(&query) {
            Answer::Ready(proposal) => {
                let project = with_data(context.session.project(), proposal);
                context.actions.push(Action::Edit { project: Box::new(project), key: None });
                self.wanted = None;
            }
            Answer::Pending => pending(ui, context, "Looking at what it is", &query),
            Answer::Failed(error) => {
                widgets::remark(ui, format!("{} is not taken", wanted.path.display()));
                failed(ui, context, error, &query);
                let table = wanted.named.is_none() && wanted.path.extension().is_some();
                let path = wanted.path.clone();
                ui.horizontal(|ui| {
                    if table && ui.button("Read it as a table").clicked() {
                        self.pick(path, Some(Format::TABLE));
                    }
                    if ui.add(Button::new("Leave the data as they are")).clicked() {
                        self.wanted = None;
                    }
                });
            }
            Answer::Cancelled => self.wanted = None,
        }
    }

    /// Why the files are taken for their format, and which are read.
    pub(super) fn detected(&self, ui: &mut Ui, preview: &Preview) {
        let format = preview.format.map(|format| format!("{}: ", format.label)).unwrap_or_default();
        if !preview.reason.is_empty() {
            ui.label(RichText::new(format!("{format}{}", preview.reason)).color(theme::tokens(ui).muted));
        }
        if !preview.files.is_empty() {
            let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let files = preview.files.iter();
            let files: Vec<String> =
                files.map(|file| format!("{} ({}, {})", name(&file.path), file.role, size_words(file.bytes))).collect();
            widgets::remark(ui, format!("Files: {}", files.join("; ")));
        }
        if let Some(problem) = &preview.problem {
            ui.colored_label(theme::tokens(ui).error, widgets::sentence(&problem.to_string()));
        }
        ui.add_space(space::XS);
    }
}

/// A file's size, also of small ones.
fn size_words(bytes: u64) -> String {
    match bytes {
        0..1024 => widgets::counted(bytes as usize, "byte"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => widgets::memory_words(bytes),
    }
}
