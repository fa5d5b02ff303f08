//! What moved in the adapters: directions in space and through the stages, where they moved, in how many directions, how far
//! they turned, what was kept and what it means; two runs or two stages side by side.

mod analysis;
mod choices;
mod clients;
mod meaning;
mod naming;
mod pinning;
mod player;
mod ranks;
mod rivers;
mod space;
mod steer;
mod tabs;
mod weights;

use std::sync::Arc;

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, Rect, Sense, Ui, UiBuilder, Vec2};

use self::ranks::RankChart;
use self::space::Space;
use self::steer::Steer;
use self::tabs::Tab;
use self::weights::Weights;
use super::selection::Selection;
use super::view::{Home, ViewSpec};
use super::{
    Context, Panel, answered, chart_actions, choice, explained_chart_card, explained_marked_card, explanation,
    has_adapters, measured_runs, run_label,
};
use crate::analysis::subspace_report::SubspaceReport;
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::AdapterMovement;
use crate::app::watch::RunView;
use crate::app::{theme, widgets};
use crate::figures::Provenance as _;
use crate::figures::adapters::{AdapterRun, AdapterStage, AngleOptions, Reference, leading_module, module_words};
use crate::figures::angles::angles;
use crate::figures::directions::pictured;
use crate::figures::distances::distances;
use crate::figures::drift_map::{DriftMapValue, drift_map};
use crate::figures::retention::Movers;
use crate::figures::rounds::RoundsChart;
use crate::figures::spectra::spectra;
use crate::plot::series_style::SeriesStyle;
use crate::plot::{Chart, Picture};
use crate::project::board::PinnedFigure;
use crate::subspace::Side;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Subspace",
    title: "Subspace",
    command: "Show subspace",
    tooltip: "What moved in the adapter: directions, spectra, angles and what they mean",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num7)),
    home: Home::Charts,
};

/// What is shown beside the run and its stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum ComparedWith {
    #[default]
    Nothing,
    /// Another stage of the run.
    Stage(usize),
    /// Another run after the same stage, by its id.
    Run(String),
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct SubspacePanel {
    tab: Tab,
    beside: ComparedWith,
    against: Reference,
    mapped: DriftMapValue,
    /// What is shown of each round.
    charted: RoundsChart,
    space: Space,
    weights: Weights,
    /// What is pointed at in each of two rivers, which stands out in the other one too.
    pointed: [Option<String>; 2],
    movers: Movers,
    ranks: RankChart,
    steer: Steer,
    /// Room beside the names of the views, where what can be done with a chart stands; none where it is too narrow.
    corner: Option<Rect>,
}

/// A run with its report, and what of it is looked at.
#[derive(Clone, Copy)]
struct Reported<'s> {
    run: &'s Arc<RunView>,
    report: &'s SubspaceReport,
    stage: usize,
    /// Name of the module; empty where there is none.
    module: &'s str,
    side: Side,
}

impl<'s> Reported<'s> {
    fn of(run: &'s Arc<RunView>, report: &'s SubspaceReport, selection: &mut Selection) -> Self {
        let stage = selection.stage(&report.stages);
        if selection.module.is_none() {
            selection.module = leading_module(report).map(|module| module.name.clone());
        }
        let chosen = report.modules.iter().find(|module| Some(&module.name) == selection.module.as_ref());
        let module = chosen.or_else(|| leading_module(report)).map_or("", |module| module.name.as_str());
        let side = if selection.side == Side::Right { Side::Right } else { Side::Left };
        Self { run, report, stage, module, side }
    }

    /// The module in words: `Layer 3, q`.
    fn module_words(&self) -> String {
        self.report.modules.iter().find(|found| found.name == self.module).map(module_words).unwrap_or_default()
    }
}

impl Panel for SubspacePanel {
    fn tabs(&self) -> Vec<&'static str> {
        Tab::ALL.map(Tab::text).into()
    }

    fn show_tab(&mut self, title: &str) {
        let named = Tab::ALL.into_iter().find(|tab| tab.text() == title);
        self.tab = named.unwrap_or(self.tab);
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let runs: Vec<&Arc<RunView>> = measured_runs(session, 1).into_iter().filter(|run| has_adapters(run)).collect();
        if runs.is_empty() {
            let advice = "Adapters appear here as soon as the first stage of a run is trained and tested. Press Run all to start";
            widgets::empty_state(ui, "No adapter to look at yet", advice);
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for tab in Tab::ALL.into_iter().filter(|tab| runs.iter().any(|run| tab.is_of(run))) {
                ui.selectable_value(&mut self.tab, tab, tab.text()).on_hover_text(tab.tooltip());
            }
            let room = ui.available_rect_before_wrap();
            self.corner = (room.width() >= CORNER).then(|| room.with_max_y(room.top() + ui.spacing().interact_size.y));
        });
        if !runs.iter().any(|run| self.tab.is_of(run)) {
            self.tab = Tab::default();
        }
        // Only runs that the tab has something to show of.
        let runs: Vec<&Arc<RunView>> = runs.into_iter().filter(|run| self.tab.is_of(run)).collect();
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
        let looked_at = context.selection.run(&ids, |_| true);
        let Some(run) = runs.iter().find(|run| Some(run.id.as_str()) == looked_at).or(runs.first()).copied() else {
            return;
        };
        let other = match &self.beside {
            ComparedWith::Run(id) => runs.iter().find(|other| other.id == *id && other.id != run.id).copied(),
            _ => None,
        };
        let query = AdapterMovement { run: RunStamp::of(run) };
        let what = format!("Measuring the adapters of {}", run_label(run, &runs));
        let Some(report) = answered(ui, context, &query, &what) else { return };
        let one = Reported::of(run, report, context.selection);
        self.choices(ui, context.selection, &runs, one);
        let one = Reported::of(run, report, context.selection);
        explanation(ui, self.tab.explanation());
        if let Some(note) = &report.note {
            ui.colored_label(theme::tokens(ui).warning, widgets::sentence(note));
        }
        let second = other.and_then(|run| {
            let query = AdapterMovement { run: RunStamp::of(run) };
            let what = format!("Measuring the adapters of {}", run_label(run, &runs));
            answered(ui, context, &query, &what).map(|report| Reported { run, report, ..one })
        });
        match self.tab {
            Tab::River => self.rivers(ui, context, &runs, [Some(one), second]),
            Tab::Space => self.spaces(ui, context, &runs, (one, second)),
            Tab::Weights => self.weights(ui, context, &runs, (one, second)),
            Tab::Retention => self.retention(ui, context, &runs, one),
            Tab::Conflicts => self.conflicts(ui, context, &runs, one),
            Tab::Meaning => self.meaning(ui, context, &runs, one),
            Tab::Ranks => self.ranks(ui, context, one),
            Tab::Steer => self.steering(ui, context, one),
            Tab::Distances => self.distances(ui, context, &runs, one.side),
            Tab::Clients => self.clients(ui, context, &runs, one),
            Tab::Rounds => self.rounds(ui, context, &runs),
            Tab::Map | Tab::Spectra | Tab::Angles => {
                let chart = self.chart(context, &runs, (one, second));
                self.show(ui, context, chart, self.pinned(one));
            }
        }
    }
}

impl SubspacePanel {
    /// The map, spectra or angles of what is chosen.
    fn chart(&self, context: &Context<'_>, runs: &[&Arc<RunView>], of: (Reported<'_>, Option<Reported<'_>>)) -> Chart {
        let synthetic = context.session.synthetic();
        let (one, second) = of;
        let stage = one.stage;
        let label = run_label(one.run, runs);
        let beside_label = second.map(|second| run_label(second.run, runs)).unwrap_or_default();
        let at = |stage| AdapterStage { report: one.report, run: &label, stage };
        let shown: Vec<AdapterStage<'_>> = match (&self.beside, second) {
            (ComparedWith::Run(_), Some(second)) => {
                vec![at(stage), AdapterStage { report: second.report, run: &beside_label, stage }]
            }
            (ComparedWith::Stage(other), _) if *other != stage => vec![at(stage), at(*other)],
            // Lines of all stages do not cover each other as maps would.
            _ if self.tab == Tab::Map => vec![at(stage)],
            _ => one.report.stages.iter().map(|&stage| at(stage)).collect(),
        };
        match self.tab {
            Tab::Map => drift_map(&shown, self.mapped, synthetic),
            Tab::Spectra => spectra(&shown, one.module, synthetic),
            _ => angles(&shown, one.module, self.angle_options(one.side), synthetic),
        }
    }

    fn angle_options(&self, side: Side) -> AngleOptions {
        AngleOptions { side, reference: self.against }
    }

    fn distances(&self, ui: &mut Ui, context: &mut Context<'_>, runs: &[&Arc<RunView>], side: Side) {
        let styles = super::styles(context.session);
        let mut lines = Vec::new();
        let mut asked = false;
        for run in super::one_an_experiment(runs) {
            let query = AdapterMovement { run: RunStamp::of(run) };
            if let Some(report) = context.session.queries.get(&query).ready() {
                let style = styles.get(&run.id).copied().unwrap_or(SeriesStyle::baseline(0));
                lines.push(AdapterRun { report, name: &run.config.experiment, style });
            } else if !asked {
                // One after the other, so that the message is about one run.
                asked = true;
                let what = format!("Measuring the adapters of {}", run_label(run, runs));
                answered(ui, context, &query, &what);
            }
        }
        let chart = distances(&lines, self.angle_options(side), context.session.synthetic());
        let figure = self.pinned_distances(&super::one_an_experiment(runs), runs.len(), side);
        self.show(ui, context, chart, figure);
    }

    /// A chart with what can be done with it.
    fn show(&self, ui: &mut Ui, context: &mut Context<'_>, chart: Chart, figure: PinnedFigure) {
        let chart = Arc::new(chart);
        actions(ui, context, &chart, figure, self.corner);
        explained_chart_card(ui, &chart, "subspace chart");
        context.charts.push(chart);
    }
}

/// Width that what can be done with a chart takes.
const CORNER: f32 = 242.0;

/// What can be done with a chart: in a corner, or on a line of its own where there is none.
fn actions(ui: &mut Ui, context: &mut Context<'_>, chart: &Arc<Chart>, figure: PinnedFigure, corner: Option<Rect>) {
    match corner {
        Some(corner) => chart_actions(&mut ui.new_child(UiBuilder::new().max_rect(corner)), context, chart, figure),
        None => _ = ui.horizontal(|ui| chart_actions(ui, context, chart, figure)),
    }
}

/// Columns of one width beside each other, in all the room that is left.
fn side_by_side(ui: &mut Ui, count: usize, mut column: impl FnMut(&mut Ui, usize)) {
    let size = ui.available_size();
    let width = (size.x - theme::space::S * count.saturating_sub(1) as f32) / count.max(1) as f32;
    ui.horizontal_top(|ui| {
        for index in 0..count {
            ui.allocate_ui(Vec2::new(width, size.y), |ui| {
                ui.set_max_width(width);
                ui.vertical(|ui| column(ui, index));
            });
        }
    });
}

/// Pictures as a panel has them, and the chart that is exported of them.
struct Pictured {
    title: String,
    caption: String,
    /// Each with its name.
    pictures: Vec<(String, Picture)>,
    /// What makes the chart anew.
    figure: PinnedFigure,
    /// For what can be done with the chart.
    corner: Option<Rect>,
}

/// Pictures on cards beside each other; `show` draws the one at a place.
fn pictures(ui: &mut Ui, context: &mut Context<'_>, of: Pictured, mut show: impl FnMut(&mut Ui, usize, Rect)) {
    let names: Vec<String> = of.pictures.iter().map(|(name, _)| name.clone()).collect();
    let chart = pictured(of.title, of.caption, of.pictures);
    let chart = Arc::new(chart.synthetic(context.session.synthetic()));
    actions(ui, context, &chart, of.figure, of.corner);
    side_by_side(ui, names.len(), |ui, index| {
        if names.len() > 1 {
            ui.label(egui::RichText::new(&names[index]).family(theme::semi_bold()));
        }
        theme::panel_frame(ui).show(ui, |ui| {
            // The ground of a picture is that of its card.
            ui.visuals_mut().panel_fill = theme::tokens(ui).surface;
            let room = ui.available_size().max(Vec2::new(160.0, 120.0));
            let (at, _) = ui.allocate_exact_size(room, Sense::hover());
            show(ui, index, at);
        });
    });
    context.charts.push(chart);
}
