//! What is drawn inside the window: the start page and one panel a view.
//!
//! Panels read the session, keep their own filters, and hand [`Action`](super::action::Action)s up; they change nothing.

mod chart_actions;
pub(crate) mod method_card;
mod own_seeds;
pub(crate) mod selection;
mod settings_form;
mod spotlight;
pub(crate) mod start;
mod style_menu;
mod sweep_list;
mod training_card;
pub(crate) mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::{
    Align, Color32, ComboBox, Label, Layout, ProgressBar, Rect, Response, RichText, TextStyle, Ui, UiBuilder, Vec2,
};

use self::chart_actions::chart_actions;
use self::selection::Selection;
use self::view::{View, ViewSpec};
use super::action::Action;
use super::command::READ_ONLY;
use super::dialogs::desktop;
use super::launcher::JobProgress;
use super::queries::{Answer, Query};
use super::session::{Row, Session};
use super::settings::Settings;
use super::watch::RunView;
use super::{theme, widgets};
use crate::data::Protocol;
use crate::error::InputError;
use crate::plot::{Chart, Highlight, SeriesStyle, screen};
use crate::project::board::PinnedFigure;
use crate::project::edits::change::Place;
use crate::results::Results;

/// What a panel may read, and where it puts its actions.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session,
    pub(crate) settings: &'a Settings,
    pub(crate) actions: &'a mut Vec<Action>,
    /// What the views look at together.
    pub(crate) selection: &'a mut Selection,
    /// Charts drawn in this frame, the most important of each panel first.
    pub(crate) charts: &'a mut Vec<Arc<Chart>>,
    /// What charts of this frame can be made anew with, so that they can be pinned.
    pub(crate) requests: &'a mut Vec<(Arc<Chart>, PinnedFigure)>,
    /// Seconds since 1970.
    pub(crate) now_unix: u64,
}

/// What is drawn inside a view, with its state that is not the project's: what is chosen, filtered and unfolded.
pub(crate) trait Panel {
    /// Draws it.
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>);

    /// The titles of its tabs, for those who look for one by its name.
    fn tabs(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Brings the tab of a title to the front.
    fn show_tab(&mut self, _title: &str) {}

    /// Takes in what happened elsewhere in the window, if it concerns it.
    fn receive(&mut self, _event: &PanelEvent) {}
}

/// What happens in the window that panels are told of.
#[derive(Debug, Clone)]
pub(crate) enum PanelEvent {
    /// A project for new data was written and is open.
    ProjectCreated,
    /// Something that looks like data was dropped onto the window.
    DataDropped(PathBuf),
    /// A dialog of the desktop chose a file or folder of data; without a path, why it was of no use.
    DataFileChosen { dialog: desktop::FileDialog, path: Option<PathBuf>, hint: Option<&'static str> },
    /// The runs of these experiments and points are to be seen, and no others.
    FilterRuns(Vec<String>),
    /// A place of the project is to be seen: whatever folds it away opens.
    Reveal(Place),
}

/// Keys of the views that are forms on the project.
const EDITING: [&str; 2] = ["Experiments", "Model"];

/// Draws what edits the project: in a bundle of results it can only be looked at, and says why.
fn as_a_form(ui: &mut Ui, context: &mut Context<'_>, contents: impl FnOnce(&mut Ui, &mut Context<'_>)) {
    let read_only = context.session.project().read_only;
    let drawn = ui.add_enabled_ui(!read_only, |ui| contents(ui, context));
    if read_only {
        drawn.response.on_disabled_hover_text(READ_ONLY);
    }
}

/// A view with what makes its panel.
pub(crate) struct ViewEntry {
    spec: &'static ViewSpec,
    panel: fn() -> Box<dyn Panel>,
}

/// Declares the panels that are views, and lists them in the order of menu and tabs. Each is a module whose `VIEW` says what
/// tab and commands say; these, shortcuts and the layout at first all follow from the list.
macro_rules! views {
    ($($module:ident::$panel:ident,)*) => {
        $(pub(crate) mod $module;)*

        static VIEWS: &[ViewEntry] = &[
            $(ViewEntry { spec: &$module::VIEW, panel: || Box::<$module::$panel>::default() },)*
        ];
    };
}

views![
    experiments::ExperimentsPanel,
    runs::RunsPanel,
    live::LivePanel,
    compare::ComparePanel,
    subspace::SubspacePanel,
    drift::DriftPanel,
    users::UsersPanel,
    data::DataPanel,
    model::ModelPanel,
    log::LogPanel,
    decide::DecidePanel,
    regimes::RegimesPanel,
    board::BoardPanel,
];

/// The panels of all views.
pub(crate) struct Panels(Vec<(View, Box<dyn Panel>)>);

impl Default for Panels {
    fn default() -> Self {
        Self(VIEWS.iter().map(|entry| (View::of(entry.spec), (entry.panel)())).collect())
    }
}

impl Panels {
    /// Draws the panel of a view.
    pub(crate) fn ui(&mut self, view: View, ui: &mut Ui, context: &mut Context<'_>) {
        if let Some((_, panel)) = self.0.iter_mut().find(|(of, _)| *of == view) {
            if EDITING.contains(&view.key) {
                as_a_form(ui, context, |ui, context| panel.ui(ui, context));
            } else {
                panel.ui(ui, context);
            }
        }
    }

    /// Every tab within a view.
    pub(crate) fn tabs(&self) -> Vec<(View, &'static str)> {
        self.0.iter().flat_map(|(view, panel)| panel.tabs().into_iter().map(move |tab| (*view, tab))).collect()
    }

    /// Brings a tab within a view to the front.
    pub(crate) fn show_tab(&mut self, view: View, title: &str) {
        if let Some((_, panel)) = self.0.iter_mut().find(|(of, _)| *of == view) {
            panel.show_tab(title);
        }
    }

    /// Tells all panels what happened.
    pub(crate) fn receive(&mut self, event: &PanelEvent) {
        self.0.iter_mut().for_each(|(_, panel)| panel.receive(event));
    }
}

/// The results as the runs table lists them at first, so that methods keep the project's order.
fn in_project_order(results: &Results, rows: &[Row]) -> Results {
    let places: BTreeMap<&str, usize> = rows.iter().enumerate().map(|(index, row)| (row.id.as_str(), index)).collect();
    let mut results = results.clone();
    results.runs.sort_by_key(|run| places.get(run.run.as_str()).copied().unwrap_or(usize::MAX));
    results
}

/// The style of each run, by its id: the one that its line has in the comparison.
fn styles(session: &Session) -> &BTreeMap<String, SeriesStyle> {
    &session.styles
}

/// The runs that have finished at least `stages` stages, in the order of the runs table.
fn measured_runs(session: &Session, stages: usize) -> Vec<&Arc<RunView>> {
    let finished = |run: &RunView| run.stages.iter().filter(|stage| stage.finished).count();
    session.rows.iter().filter_map(|row| row.run.as_ref()).filter(|run| finished(run) >= stages).collect()
}

/// Whether a run leaves adapters.
fn has_adapters(run: &RunView) -> bool {
    run.config.method.adapter_method().is_some()
}

/// How a run reads among others: its experiment, with the seed where another run has the same.
fn run_label(run: &RunView, among: &[&Arc<RunView>]) -> String {
    let same = among.iter().filter(|other| other.config.experiment == run.config.experiment).count();
    let name = &run.config.experiment;
    if same > 1 { format!("{name}, seed {}", run.config.seed) } else { name.clone() }
}

/// One of each experiment, the first, which is what is shown until the user chooses.
fn one_an_experiment<'r>(runs: &[&'r Arc<RunView>]) -> Vec<&'r Arc<RunView>> {
    let mut first: Vec<&'r Arc<RunView>> = Vec::new();
    for run in runs {
        if !first.iter().any(|other| other.config.experiment == run.config.experiment) {
            first.push(run);
        }
    }
    first
}

/// Width of the bar of something that is being computed.
const BAR: f32 = 160.0;

/// Has a query computed, says how far it is, and lets the user cancel it.
fn pending(ui: &mut Ui, context: &mut Context<'_>, what: &str, query: &impl Query) {
    ui.horizontal(|ui| {
        ui.spinner();
        let JobProgress { words, share } = context.session.queries.progress(query);
        let words = if words.is_empty() { what } else { &words };
        if let Some(share) = share {
            let bar =
                ui.add(ProgressBar::new(share).fill(theme::tokens(ui).accent).desired_width(BAR).desired_height(8.0));
            let value = f64::from(share);
            ui.ctx().accesskit_node_builder(bar.id, |node| {
                node.set_label(words);
                node.set_numeric_value(value);
            });
        }
        widgets::remark(ui, words);
        if ui.button("Cancel").clicked() {
            context.actions.push(Action::cancel(query));
        }
    });
    context.actions.push(Action::compute(query));
}

/// The answer to a query; where there is none, has it computed, or says that it was cancelled or why it failed. While a run goes on,
/// what was shown of it stays until there is more.
fn answered<'s, Q: Query>(ui: &mut Ui, context: &mut Context<'s>, query: &Q, what: &str) -> Option<&'s Q::Answer> {
    let session: &'s Session = context.session;
    match session.queries.get(query) {
        Answer::Ready(answer) => return Some(answer),
        Answer::Pending => match session.queries.earlier(query) {
            Some(earlier) => {
                context.actions.push(Action::compute(query));
                return Some(earlier);
            }
            None => pending(ui, context, what, query),
        },
        Answer::Failed(error) => failed(ui, context, error, query),
        Answer::Cancelled => {
            ui.horizontal(|ui| {
                widgets::remark(ui, "Cancelled");
                if ui.button("Compute").clicked() {
                    context.actions.push(Action::retry(query));
                }
            });
        }
    }
    None
}

/// Says why something cannot be computed, and offers to try again.
fn failed(ui: &mut Ui, context: &mut Context<'_>, error: &InputError, query: &impl Query) {
    ui.horizontal_wrapped(|ui| {
        ui.colored_label(theme::tokens(ui).error, widgets::sentence(&error.to_string()));
        if ui.button("Try again").clicked() {
            context.actions.push(Action::retry(query));
        }
    });
}

/// What a view says, in two sentences for those who decide and do not compute. Where room is short it is one line, which the
/// pointer shows whole.
fn explanation(ui: &mut Ui, text: &str) {
    if is_short(ui) {
        let muted = theme::tokens(ui).muted;
        ui.add(Label::new(RichText::new(text).small().color(muted)).truncate());
    } else {
        widgets::remark(ui, text);
    }
    ui.add_space(theme::space::XS);
}

/// Begins the next line where this one has no room for a label and a field of this width: a label stays with its field.
fn keep_together(ui: &mut Ui, label: &str, width: f32) {
    let label_width = ui
        .painter()
        .layout_no_wrap(label.to_owned(), TextStyle::Body.resolve(ui.style()), Color32::PLACEHOLDER)
        .size()
        .x;
    if ui.available_size_before_wrap().x < label_width + width + 3.0 * theme::space::M {
        ui.end_row();
    }
}

/// Names to choose one from, as a combo box with a label.
fn choice<T: Clone + PartialEq>(
    ui: &mut Ui,
    (label, width): (&str, f32),
    value: &mut T,
    options: &[(T, String)],
) -> Response {
    keep_together(ui, label, width);
    let name = ui.label(label);
    let now = options.iter().find(|(option, _)| option == value).map_or("–", |(_, words)| words.as_str());
    let combo = ComboBox::from_id_salt(label).selected_text(now).width(width).height(420.0).truncate();
    let before = value.clone();
    let mut response = combo
        .show_ui(ui, |ui| {
            for (option, words) in options {
                ui.selectable_value(value, option.clone(), words);
            }
        })
        .response;
    if *value != before {
        response.mark_changed();
    }
    response.labelled_by(name.id)
}

/// The protocol that is looked at: the chosen one, where runs have measured it, else the usual one.
fn protocol_of(context: &Context<'_>, chosen: Option<Protocol>) -> Protocol {
    let measured = context.session.protocols();
    let usual = context.session.project().evaluation.protocol.first();
    let there = |protocol: &Protocol| measured.contains(protocol);
    chosen.filter(there).or(Some(usual).filter(there)).unwrap_or(measured[0])
}

/// Lets the user choose a protocol, where runs have measured several.
fn protocol_choice(ui: &mut Ui, context: &Context<'_>, chosen: &mut Option<Protocol>) {
    let protocols = context.session.protocols();
    if protocols.len() < 2 {
        return;
    }
    let now = protocol_of(context, *chosen);
    ui.label("Protocol");
    for protocol in protocols {
        let (text, tooltip) = protocol_words(protocol);
        if ui.selectable_label(protocol == now, text).on_hover_text(tooltip).clicked() {
            *chosen = Some(protocol);
        }
    }
}

/// A protocol's name, and what it asks.
const fn protocol_words(protocol: Protocol) -> (&'static str, &'static str) {
    match protocol {
        Protocol::SameBlock => (
            "Same-block",
            "Leave-one-out within each stage, as in the paper: the last interaction, asked of the model after the stage",
        ),
        Protocol::NextBlock => (
            "Next-block",
            "The order of deployment: each stage's first interaction, asked of the model after the stage before it",
        ),
        Protocol::GlobalTime => (
            "Global-time",
            "The tests of same-block, asked of the model after the stage before it: nothing that it learned from lies after them",
        ),
    }
}

/// A chart on a card that takes the room that is left.
fn chart_card(ui: &mut Ui, chart: &Chart, id: &str) {
    marked_chart_card(ui, chart, id, &mut Highlight::default());
}

/// Height below which a chart is drawn without the words that stand above it already.
const SHORT: f32 = 330.0;

/// Whether a chart has no room for subtitle and caption.
fn is_short(ui: &Ui) -> bool {
    ui.available_height() < SHORT
}

/// A chart on a card whose explanation stands above it: where room is short, without subtitle and caption.
fn explained_chart_card(ui: &mut Ui, chart: &Chart, id: &str) {
    explained_marked_card(ui, chart, id, &mut Highlight::default());
}

/// The same, with what the user has marked on it.
fn explained_marked_card(ui: &mut Ui, chart: &Chart, id: &str, marked: &mut Highlight) {
    if is_short(ui) {
        marked_chart_card(ui, &Chart { subtitle: None, caption: None, ..chart.clone() }, id, marked);
    } else {
        marked_chart_card(ui, chart, id, marked);
    }
}

/// The same, with what the user has marked on it.
fn marked_chart_card(ui: &mut Ui, chart: &Chart, id: &str, marked: &mut Highlight) {
    theme::panel_frame(ui).show(ui, |ui| {
        let size = ui.available_size().max(Vec2::new(160.0, 120.0));
        screen::show_highlighted(ui, chart, id, size, marked);
    });
}

/// Draws at the lower left of a chart that stands at `at`, over it: what comes and goes there moves nothing.
fn over_chart(ui: &mut Ui, at: Rect, contents: impl FnOnce(&mut Ui)) {
    let mut over =
        ui.new_child(UiBuilder::new().max_rect(at.shrink(theme::space::S)).layout(Layout::bottom_up(Align::Min)));
    let mut card = theme::panel_frame(ui).inner_margin(6).begin(&mut over);
    contents(&mut card.content_ui);
    if card.content_ui.min_rect().height() > 1.0 {
        card.end(&mut over);
    }
}
