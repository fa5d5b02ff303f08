//! The data of the project.

mod cell;
mod cut_handles;
mod drift;
mod history;
mod ids;
mod item_card;
mod items;
mod overview;
mod source;
mod stage_table;
mod timeline;
mod users;

use std::sync::Arc;

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, Ui};

use super::view::{Home, ViewSpec};
use super::{Context, Panel, PanelEvent, answered, as_a_form, spotlight};
use crate::app::queries::Answer;
use crate::app::queries::data::ProjectData;
use crate::app::queries::data_report::DataReport;
use crate::project::edits::change::Place;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Data",
    title: "Data",
    command: "Show data",
    tooltip: "Stages, users and items of the dataset",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num5)),
    home: Home::Charts,
};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Overview,
    Source,
    Timeline,
    Drift,
    Items,
    Users,
    Ids,
}

impl Tab {
    const ALL: [Self; 7] =
        [Self::Overview, Self::Source, Self::Timeline, Self::Drift, Self::Items, Self::Users, Self::Ids];

    const fn text(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Source => "Source",
            Self::Timeline => "Timeline",
            Self::Drift => "Data drift",
            Self::Items => "Items",
            Self::Users => "Histories",
            Self::Ids => "Semantic ids",
        }
    }

    const fn tooltip(self) -> &'static str {
        match self {
            Self::Overview => "Stages, users and items in figures",
            Self::Source => "Where the data come from, how they are read and prepared, and what could not be read",
            Self::Timeline => "Interactions over time, and the cuts between stages to be moved",
            Self::Drift => "How far each stage's data lies from those before it",
            Self::Items => "The items by their semantic ids, with their interactions by stage",
            Self::Users => "The users with all that they did, stage by stage",
            Self::Ids => "Where the codes of the items come from, training them, and how good they are",
        }
    }
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct DataPanel {
    tab: Tab,
    /// The data whose report was drawn last.
    last: Option<Arc<ProjectData>>,
    source: source::SourceTab,
    timeline: timeline::TimelineTab,
    drift: drift::DriftTab,
    items: items::ItemsTab,
    users: users::UsersTab,
    ids: ids::IdsTab,
}

/// The data that the tabs draw.
struct LoadedData<'a> {
    report: &'a DataReport,
    /// Which data: the same as long as the report is.
    query: Arc<ProjectData>,
    /// False while the project asks for other data, which are still being read.
    current: bool,
}

impl Panel for DataPanel {
    fn tabs(&self) -> Vec<&'static str> {
        Tab::ALL.map(Tab::text).into()
    }

    fn show_tab(&mut self, title: &str) {
        let named = Tab::ALL.into_iter().find(|tab| tab.text() == title);
        self.tab = named.unwrap_or(self.tab);
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let query = ProjectData::of(context.session.project());
        let found = ui.horizontal_wrapped(|ui| {
            for tab in Tab::ALL {
                ui.selectable_value(&mut self.tab, tab, tab.text()).on_hover_text(tab.tooltip());
            }
            // Source and ids are where data are mended that cannot be read.
            if matches!(self.tab, Tab::Source | Tab::Ids) { None } else { self.report(ui, context, query) }
        });
        let session = context.session;
        match (self.tab, &found.inner) {
            (Tab::Source, _) => as_a_form(ui, context, |ui, context| self.source.ui(ui, context)),
            (Tab::Ids, _) => spotlight::at(ui, session, &Place::SemanticIds, |ui| {
                as_a_form(ui, context, |ui, context| self.ids.ui(ui, context));
            }),
            (_, None) => {}
            (Tab::Overview, Some(loaded)) => overview::ui(ui, loaded.report, &session.project().semantic_ids),
            (Tab::Timeline, Some(loaded)) => {
                spotlight::at(ui, session, &Place::Stages, |ui| {
                    as_a_form(ui, context, |ui, context| self.timeline.ui(ui, context, loaded));
                });
            }
            (Tab::Drift, Some(loaded)) => self.drift.ui(ui, context, loaded),
            (Tab::Items, Some(loaded)) => self.items.ui(ui, context, loaded),
            (Tab::Users, Some(loaded)) => self.users.ui(ui, context, loaded),
        }
    }

    fn receive(&mut self, event: &PanelEvent) {
        match event {
            PanelEvent::ProjectCreated => self.show_source(),
            PanelEvent::DataDropped(path) => {
                self.show_source();
                self.source.pick(path.clone());
            }
            PanelEvent::DataFileChosen { dialog, path, hint } => self.source.chosen(dialog, path.clone(), *hint),
            PanelEvent::Reveal(Place::Data | Place::Preparation) => self.show_source(),
            PanelEvent::Reveal(Place::Stages) => self.tab = Tab::Timeline,
            PanelEvent::Reveal(Place::SemanticIds) => self.tab = Tab::Ids,
            PanelEvent::Reveal(_) | PanelEvent::FilterRuns(_) => {}
        }
    }
}

impl DataPanel {
    /// Brings the tab on the source to the front.
    fn show_source(&mut self) {
        self.tab = Tab::Source;
    }

    /// The report of the project's data; the last one while the data are read anew.
    fn report<'s>(&mut self, ui: &mut Ui, context: &mut Context<'s>, query: ProjectData) -> Option<LoadedData<'s>> {
        let query = match &self.last {
            Some(last) if **last == query => Arc::clone(last),
            _ => Arc::new(query),
        };
        if let Some(report) = answered(ui, context, query.as_ref(), "Reading the dataset") {
            self.last = Some(Arc::clone(&query));
            return Some(LoadedData { report, query, current: true });
        }
        let queries = &context.session.queries;
        let last = self.last.as_ref()?;
        let pending = matches!(queries.get(query.as_ref()), Answer::Pending);
        match queries.get(last.as_ref()) {
            Answer::Ready(report) if pending => Some(LoadedData { report, query: Arc::clone(last), current: false }),
            _ => None,
        }
    }
}
