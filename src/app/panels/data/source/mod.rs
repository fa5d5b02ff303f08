//! Where the data come from: files and their format, columns, first rows, preparation, and what could not be read.

mod columns;
mod events;
mod item_table;
mod picker;
mod preparation;
mod reading;
mod rows;
mod skipped;
mod synthetic;

use std::path::PathBuf;

use eframe::egui;
use egui::{ScrollArea, Ui};

use super::super::{Context, answered, spotlight};
use crate::app::action::Action;
use crate::app::dialogs::desktop;
use crate::app::queries::data::{ProjectData, SourcePreview};
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::synthetic::SyntheticOptions;
use crate::data::{DatasetSource, Protocol};
use crate::project::edits::change::Place;
use crate::project::edits::data as edits;
use crate::project::{Project, Protocols};

/// Edits that go on while something is dragged, each a step of undo of its own.
mod key {
    pub(super) const SYNTHETIC: u64 = 2000;
    pub(super) const PREPARATION: u64 = 2001;
}

/// State of the tab.
#[derive(Debug, Default)]
pub(super) struct SourceTab {
    /// Whether files are wanted in place of generated data, before any is chosen.
    files_wanted: bool,
    picker: picker::Picker,
    items: item_table::ItemPicker,
    preparation: preparation::Preparation,
    skipped: skipped::SkippedLines,
}

impl SourceTab {
    /// Takes a path for the project's data, once it is clear what it is.
    pub(super) fn pick(&mut self, path: PathBuf) {
        self.files_wanted = true;
        self.picker.pick(path, None);
    }

    /// What the desktop's dialog chose; without a path, why it was of no use.
    pub(super) fn chosen(&mut self, question: &desktop::FileDialog, path: Option<PathBuf>, hint: Option<&'static str>) {
        match (question, path) {
            (desktop::FileDialog::ItemFile, Some(path)) => self.items.pick(path),
            (_, Some(path)) => self.pick(path),
            (_, None) => self.picker.no_dialog(hint),
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.add_space(2.0);
            let session = context.session;
            if self.kind(ui, context) {
                spotlight::at(ui, session, &Place::Data, |ui| synthetic::ui(ui, context));
                self.result(ui, context);
            } else {
                spotlight::at(ui, session, &Place::Data, |ui| self.picker.ui(ui, context));
                if !matches!(context.session.project().dataset, DatasetSource::Synthetic(_)) {
                    self.files(ui, context);
                }
            }
            ui.add_space(space::M);
        });
    }

    /// Files or generated data; whether the latter are shown.
    fn kind(&mut self, ui: &mut Ui, context: &mut Context<'_>) -> bool {
        let generated = matches!(context.session.project().dataset, DatasetSource::Synthetic(_));
        self.files_wanted &= generated;
        let shown = generated && !self.files_wanted;
        ui.horizontal(|ui| {
            let files = ui.radio(!shown, "Files").on_hover_text("Interactions in a file or folder");
            if files.clicked() {
                self.files_wanted = generated;
            }
            let made = ui.radio(shown, "Generated").on_hover_text("Users whose tastes drift by a known angle");
            if made.clicked() && generated {
                self.files_wanted = false;
            } else if made.clicked() {
                let generated = DatasetSource::Synthetic(SyntheticOptions::default());
                edit(context, None, |project| edits::with_source(project, generated));
            }
        });
        shown
    }

    fn files(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let query = SourcePreview::of(context.session.project());
        if let Some(preview) = answered(ui, context, &query, "Looking at the files") {
            self.picker.detected(ui, preview);
            if let DatasetSource::Table(table) = &context.session.project().dataset {
                columns::ui(ui, context, table, preview);
            }
            events::ui(ui, context, preview);
            reading::ui(ui, context, preview.delimited);
            rows::ui(ui, preview);
        }
        self.items.ui(ui, context);
        self.result(ui, context);
    }

    /// What becomes of the data: the preparation step by step, and what could not be read.
    fn result(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.add_space(space::S);
        if context.session.project().dataset.prepare().is_some() {
            widgets::section(ui, "Preparation");
        }
        let query = ProjectData::of(context.session.project());
        let report = answered(ui, context, &query, "Reading the dataset");
        let session = context.session;
        spotlight::at(ui, session, &Place::Preparation, |ui| self.preparation.ui(ui, context, report));
        self.skipped.ui(ui, context, &query, report);
    }
}

/// Changes the project; edits with one key are one step of undo until what is dragged is let go.
fn edit(context: &mut Context<'_>, key: Option<u64>, edit: impl FnOnce(&Project) -> Project) {
    let project = edit(context.session.project());
    context.actions.push(Action::Edit { project: Box::new(project), key });
}

/// The protocols in words, with what they test.
fn protocols_words(protocols: Protocols) -> String {
    let words: Vec<&str> = protocols.each().iter().map(|protocol| protocol_words(*protocol)).collect();
    match words.as_slice() {
        [one] => (*one).to_owned(),
        _ => "Both".to_owned(),
    }
}

const fn protocol_words(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::SameBlock => "Same block",
        Protocol::NextBlock => "Next block",
        Protocol::GlobalTime => "Global time",
    }
}
