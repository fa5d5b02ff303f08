//! The state of the window: the open project, panels, dialogs, and what runs beside them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;

use super::background::Background;
use super::command::Situation;
use super::dialogs::export::ChartPlace;
use super::dialogs::modal::Dialog;
use super::dialogs::palette::Palette;
use super::fonts::MachineFonts;
use super::message::Message;
use super::panels::Panels;
use super::panels::selection::Selection;
use super::panels::start::StartPage;
use super::place::PlaceWatch;
use super::presentation::Presentation;
use super::recent::{RecentLooks, Thumbnail};
use super::services::Services;
use super::session::{Row, Session};
use super::settings::{Settings, ThemeChoice};
use super::theme;
use super::tour::Tour;
use super::watch::{OtherQueue, OthersWatcher};
use super::widgets::Notices;
use crate::plot::Chart;
use crate::project::board::PinnedFigure;

/// The window's title without a project.
pub(crate) const TITLE: &str = "PESO Workbench";

/// The application.
pub struct Workbench {
    pub(super) services: Services,
    pub(super) background: Background<Message>,
    pub(super) settings: Settings,
    pub(super) session: Option<Session>,
    /// Counts the sessions of this window.
    pub(super) sessions: u64,
    /// Counts the estimates of this window.
    pub(super) estimates: u64,
    /// Counts the dialogs that pack, unpack and locate.
    pub(super) jobs: u64,
    /// Looks at the queues of other projects; none where the system refuses another thread.
    pub(super) others: Option<OthersWatcher>,
    /// Those that are being emptied.
    pub(super) other_queues: Vec<OtherQueue>,
    /// The project that is being opened.
    pub(super) opening: Option<PathBuf>,
    pub(super) start: StartPage,
    pub(super) panels: Panels,
    /// What the panels look at together.
    pub(super) selection: Selection,
    pub(super) notices: Notices,
    /// Of this machine, for letters that the window's own lack.
    pub(super) fonts: Arc<MachineFonts>,
    pub(super) dialog: Option<Dialog>,
    pub(super) palette: Option<Palette>,
    /// The charts on screen, the most important of each view first.
    pub(super) shown: Vec<(ChartPlace, Arc<Chart>)>,
    /// Whether the user is being asked if the open dialog may go although something was typed into it.
    pub(super) asks_to_close: bool,
    /// The dialog whose request is under way: it comes back with what was typed if that fails.
    pub(super) asked: Option<Dialog>,
    pub(super) tour: Option<Tour>,
    /// What is known of the recent projects' folders.
    pub(super) recent: RecentLooks,
    /// When the picture of the open project was drawn last, and of which results.
    pub(super) thumbnail: Thumbnail,
    /// What charts on screen can be made anew with, those that can be.
    pub(super) requests: Vec<(Arc<Chart>, PinnedFigure)>,
    /// The board as it is shown to a room.
    pub(super) presentation: Option<Presentation>,
    /// The most important chart on screen, which the export and copy commands are about.
    pub(super) chart: Option<Arc<Chart>>,
    /// The name that is typed for the layout.
    pub(super) layout_name: String,
    pub(super) place: PlaceWatch,
    /// What the window's title says.
    pub(super) title: String,
    /// Whether the window may close although changes are not saved.
    pub(super) may_close: bool,
    /// Whether to close at the next frame.
    pub(super) quit: bool,
    /// What the last frame had above its views: menus, dialogs, tooltips.
    pub(super) layers: HashSet<egui::LayerId>,
}

impl Workbench {
    /// A window on a project, on the one that was open last, or on the start page.
    pub fn new(ctx: &egui::Context, services: Services, project: Option<PathBuf>) -> Self {
        theme::install(ctx);
        let fonts = MachineFonts::install(ctx);
        let settings = services.configuration_folder.as_deref().map(Settings::load).unwrap_or_default();
        let mut workbench = Self {
            services,
            background: Background::new(ctx.clone()),
            settings,
            session: None,
            sessions: 0,
            estimates: 0,
            jobs: 0,
            others: None,
            other_queues: Vec::new(),
            opening: None,
            start: StartPage::default(),
            panels: Panels::default(),
            selection: Selection::default(),
            notices: Notices::default(),
            fonts,
            dialog: None,
            palette: None,
            shown: Vec::new(),
            asks_to_close: false,
            asked: None,
            tour: None,
            recent: RecentLooks::default(),
            thumbnail: Thumbnail::default(),
            requests: Vec::new(),
            presentation: None,
            chart: None,
            layout_name: String::new(),
            place: PlaceWatch::default(),
            title: TITLE.to_owned(),
            may_close: false,
            quit: false,
            layers: HashSet::new(),
        };
        workbench.apply_settings(ctx);
        workbench.others = OthersWatcher::start(workbench.background.outbox(), Message::OtherQueues).ok();
        workbench.watch_others();
        workbench.tell_crash();
        let last = workbench.settings.last.clone().filter(|file| workbench.settings.reopen_last && file.is_file());
        if let Some(path) = project.or(last) {
            workbench.open_project(path);
        }
        workbench
    }

    pub(super) fn apply_settings(&self, ctx: &egui::Context) {
        ctx.set_theme(match self.settings.theme {
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
            ThemeChoice::System => egui::ThemePreference::System,
        });
        ctx.set_zoom_factor(self.settings.zoom);
        ctx.all_styles_mut(|style| style.interaction.tooltip_delay = self.settings.tooltip_delay);
    }

    /// The most important chart on screen with what it can be made anew with, where it can be.
    pub(super) fn pinnable_chart(&self) -> Option<&(Arc<Chart>, PinnedFigure)> {
        let chart = self.chart.as_ref()?;
        self.requests.iter().find(|(pinnable, _)| Arc::ptr_eq(pinnable, chart))
    }

    /// What commands depend on, as it is now.
    pub(super) fn situation(&self) -> Situation {
        let Some(session) = &self.session else { return Situation::default() };
        let selected = || session.rows.iter().filter(|row| session.selected.contains(&row.id));
        Situation {
            project_open: true,
            unsaved: session.unsaved(),
            undo: session.undo.as_ref().map(|change| change.words.clone()),
            redo: session.redo.as_ref().map(|change| change.words.clone()),
            reading: session.reading.is_some(),
            can_undo_runs: !session.changes.is_empty(),
            something_unfinished: session.unfinished().next().is_some(),
            something_to_run: session.rows.iter().any(Row::can_run),
            selection_to_run: selected().any(Row::can_run),
            can_pause: session.concerned().any(Row::can_pause),
            can_resume: session.concerned().any(Row::can_resume),
            can_stop: session.concerned().any(Row::can_stop),
            chart_shown: self.chart.is_some(),
            chart_pinnable: self.pinnable_chart().is_some(),
            board_filled: !session.project().board.is_empty(),
            read_only: session.project().read_only,
            something_missing: !session.missing.is_empty(),
            something_measured: !session.runs.is_empty(),
        }
    }
}
