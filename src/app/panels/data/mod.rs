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

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::Ui;

use super::{Context, found};
use crate::app::dialogs::desktop;
use crate::app::queries::data_report::DataReport;
use crate::app::queries::{Found, Question, Report};

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
    /// The question whose report was shown last.
    shown: Option<Arc<Question>>,
    source: source::SourceTab,
    timeline: timeline::TimelineTab,
    drift: drift::DriftTab,
    items: items::ItemsTab,
    users: users::UsersTab,
    ids: ids::IdsTab,
}

/// The report that is shown.
struct Shown<'a> {
    report: &'a DataReport,
    /// What it answers: the same as long as the report is.
    question: Arc<Question>,
    /// False while the project asks for other data, which are still being read.
    current: bool,
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
    pub(crate) fn chosen(&mut self, question: &desktop::Question, path: Option<PathBuf>, hint: Option<&'static str>) {
        self.source.chosen(question, path, hint);
    }

    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let question = Question::dataset_of(context.session.project());
        let found = ui.horizontal_wrapped(|ui| {
            for tab in Tab::ALL {
                ui.selectable_value(&mut self.tab, tab, tab.text()).on_hover_text(tab.tooltip());
            }
            // Source and ids are where data are mended that cannot be read.
            if matches!(self.tab, Tab::Source | Tab::Ids) { None } else { self.report(ui, context, question) }
        });
        match (self.tab, &found.inner) {
            (Tab::Source, _) => self.source.ui(ui, context),
            (Tab::Ids, _) => self.ids.ui(ui, context),
            (_, None) => {}
            (Tab::Overview, Some(shown)) => overview::ui(ui, shown.report),
            (Tab::Timeline, Some(shown)) => self.timeline.ui(ui, context, shown),
            (Tab::Drift, Some(shown)) => self.drift.ui(ui, context, shown),
            (Tab::Items, Some(shown)) => self.items.ui(ui, context, shown),
            (Tab::Users, Some(shown)) => self.users.ui(ui, context, shown),
        }
    }

    /// The report of the project's data; the last one while the data are read anew.
    fn report<'s>(&mut self, ui: &mut Ui, context: &mut Context<'s>, question: Question) -> Option<Shown<'s>> {
        let asked = match &self.shown {
            Some(shown) if **shown == question => Arc::clone(shown),
            _ => Arc::new(question),
        };
        if let Some(report) = found(ui, context, (&asked, Report::data), "Reading the dataset") {
            self.shown = Some(Arc::clone(&asked));
            return Some(Shown { report, question: asked, current: true });
        }
        let reports = &context.session.reports;
        let last = self.shown.as_ref()?;
        let pending = matches!(reports.look(&asked, Report::data), Found::Pending);
        match reports.look(last, Report::data) {
            Found::Ready(report) if pending => Some(Shown { report, question: Arc::clone(last), current: false }),
            _ => None,
        }
    }
}
