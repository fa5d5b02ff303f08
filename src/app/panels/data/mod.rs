//! The data of the project.

mod overview;

use std::sync::Arc;

use eframe::egui::Ui;

use super::{Context, found};
use crate::app::reports::{Question, Report};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Overview,
}

impl Tab {
    const ALL: [Self; 1] = [Self::Overview];

    const fn text(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
        }
    }

    const fn tooltip(self) -> &'static str {
        match self {
            Self::Overview => "Stages, users and items in figures",
        }
    }
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct DataPanel {
    tab: Tab,
}

impl DataPanel {
    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.horizontal_wrapped(|ui| {
            for tab in Tab::ALL {
                ui.selectable_value(&mut self.tab, tab, tab.text()).on_hover_text(tab.tooltip());
            }
        });
        let question = Arc::new(Question::dataset_of(context.session.project()));
        let Some(report) = found(ui, context, (&question, Report::data), "Reading the dataset") else { return };
        match self.tab {
            Tab::Overview => overview::ui(ui, report),
        }
    }
}
