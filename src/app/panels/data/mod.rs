//! The data of the project.

mod overview;
mod source;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::Ui;

use super::{Context, found};
use crate::app::dialogs;
use crate::app::reports::{Question, Report};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Overview,
    Source,
}

impl Tab {
    const ALL: [Self; 2] = [Self::Overview, Self::Source];

    const fn text(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Source => "Source",
        }
    }

    const fn tooltip(self) -> &'static str {
        match self {
            Self::Overview => "Stages, users and items in figures",
            Self::Source => "Where the data come from, how they are read and prepared, and what could not be read",
        }
    }
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct DataPanel {
    tab: Tab,
    source: source::SourceTab,
}

impl DataPanel {
    /// Brings the tab on the source to the front.
    pub(crate) fn show_source(&mut self) {
        self.tab = Tab::Source;
    }

    /// Takes a path for the project's data, once it is clear what it is.
    pub(crate) fn pick(&mut self, path: PathBuf) {
        self.show_source();
        self.source.pick(path);
    }

    /// What the desktop's dialog chose; without a path, why it was of no use.
    pub(crate) fn chosen(&mut self, question: &dialogs::Question, path: Option<PathBuf>, hint: Option<&'static str>) {
        self.source.chosen(question, path, hint);
    }

    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.horizontal_wrapped(|ui| {
            for tab in Tab::ALL {
                ui.selectable_value(&mut self.tab, tab, tab.text()).on_hover_text(tab.tooltip());
            }
        });
        if self.tab == Tab::Source {
            // It is where data are mended that cannot be read.
            self.source.ui(ui, context);
            return;
        }
        let question = Arc::new(Question::dataset_of(context.session.project()));
        let Some(report) = found(ui, context, (&question, Report::data), "Reading the dataset") else { return };
        match self.tab {
            Tab::Overview | Tab::Source => overview::ui(ui, report),
        }
    }
}
