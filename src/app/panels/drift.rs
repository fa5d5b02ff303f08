//! How far data and predictions move from stage to stage, on one axis, which users see the change, and when an update would pay.

mod alarm;

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, Ui};

use self::alarm::AlarmTab;
use super::selection::Selection;
use super::view::{Home, ViewSpec};
use super::{
    Context, Panel, answered, chart_actions, choice, explained_chart_card, explanation, has_adapters, measured_runs,
    one_an_experiment, over_chart, protocol_choice, protocol_of, run_label,
};
use crate::app::queries::RunStamp;
use crate::app::queries::data::ProjectData;
use crate::app::queries::predictions::Churn;
use crate::app::queries::subspace::AdapterMovement;
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::adapters::AdapterRun;
use crate::figures::churn::{self, ChurnMeasure, OtherDrift, StageDrift};
use crate::figures::options::variant_name;
use crate::figures::{FigureOptions, FigureSpec, Provenance as _, Styled, affected, alarm as alarm_figure};
use crate::plot::Chart;
use crate::plot::series_style::SeriesStyle;
use crate::project::board::PinnedFigure;
use crate::results::churn::ChurnReport;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Drift",
    title: "Drift",
    command: "Show drift",
    tooltip: "How far data and predictions move from stage to stage, and for whom",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num8)),
    home: Home::Charts,
};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Stages,
    Slices,
}

impl View {
    const ALL: [Self; 2] = [Self::Stages, Self::Slices];

    fn figure(self) -> &'static FigureSpec {
        match self {
            Self::Stages => &churn::SPEC,
            Self::Slices => &affected::SPEC,
        }
    }

    /// For those who decide and do not compute.
    const fn explanation(self) -> &'static str {
        match self {
            Self::Stages => {
                "Each line says how much changed with a stage: at 0 users see the same recommendations as before, at 1 entirely others. A method whose line lies far above the drift of the data moves more than the data ask for."
            }
            Self::Slices => {
                "Each mark is a group of users or of items they went for: the further right, the more their recommendations changed. Above the zero line the change made them better, below it worse; intervals that cross zero leave it open."
            }
        }
    }
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct DriftPanel {
    view: View,
    /// Whether the alarm is shown instead.
    watching: bool,
    alarm: AlarmTab,
    measure: ChurnMeasure,
    /// The project's usual one until the user chooses.
    protocol: Option<Protocol>,
    /// Ids of the runs that are shown; one an experiment until the user chooses.
    shown: Option<BTreeSet<String>>,
    /// The stage whose slices are shown; all together where none is chosen.
    sliced_stage: Option<usize>,
    /// Whether the drift of the data is left out, and whether the moves of adapters are drawn.
    without_data: bool,
    with_adapters: bool,
}

fn churn_of(run: &RunView, protocol: Protocol) -> Churn {
    Churn { run: RunStamp::of(run), protocol }
}

fn movement_of(run: &RunView) -> AdapterMovement {
    AdapterMovement { run: RunStamp::of(run) }
}

/// How a run's lines are named: its experiment, with the seed where another shown run has the same.
fn series_name(run: &Arc<RunView>, reports: &[(&Arc<RunView>, &ChurnReport)]) -> String {
    let among: Vec<&Arc<RunView>> = reports.iter().map(|(run, _)| *run).collect();
    run_label(run, &among)
}

impl Panel for DriftPanel {
    fn tabs(&self) -> Vec<&'static str> {
        View::ALL.into_iter().map(|view| view.figure().label).chain([alarm_figure::SPEC.label]).collect()
    }

    fn show_tab(&mut self, title: &str) {
        let named = View::ALL.into_iter().find(|tab| tab.figure().label == title);
        self.view = named.unwrap_or(self.view);
        self.watching = title == alarm_figure::SPEC.label || (self.watching && named.is_none());
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let runs = measured_runs(session, 2);
        if runs.is_empty() {
            let advice = "Drift appears when the second stage of a run is trained and tested. Press Run all to start";
            widgets::empty_state(ui, "No stage to compare with another yet", advice);
            return;
        }
        if self.watching {
            ui.horizontal_wrapped(|ui| self.tab_row(ui));
            self.alarm.ui(ui, context, &runs, &mut self.protocol);
            return;
        }
        let shown: Vec<&Arc<RunView>> = match self.view {
            View::Stages => self.shown_runs(&runs),
            View::Slices => vec![sliced_run(context.selection, &runs)],
        };
        let protocol = protocol_of(context, self.protocol);
        let reports: Vec<(&Arc<RunView>, &ChurnReport)> = shown
            .iter()
            .filter_map(|&run| {
                let query = churn_of(run, protocol);
                Some((run, session.queries.get(&query).ready().or_else(|| session.queries.earlier(&query))?))
            })
            .collect();
        let chart = Arc::new(self.chart(context, &reports).under(protocol));
        ui.horizontal_wrapped(|ui| {
            self.tab_row(ui);
            let figure = self.pinned(context, &shown, &runs, protocol);
            chart_actions(ui, context, &chart, figure);
        });
        ui.horizontal_wrapped(|ui| {
            self.choices(ui, context.selection, &runs);
            protocol_choice(ui, context, &mut self.protocol);
        });
        explanation(ui, self.view.explanation());
        if reports.is_empty() {
            self.awaited(ui, context, &shown, &runs, protocol);
            return;
        }
        let at = ui.available_rect_before_wrap();
        explained_chart_card(ui, &chart, "drift chart");
        context.charts.push(chart);
        over_chart(ui, at, |ui| self.awaited(ui, context, &shown, &runs, protocol));
    }
}

impl DriftPanel {
    fn tab_row(&mut self, ui: &mut Ui) {
        for view in View::ALL {
            let chosen = !self.watching && view == self.view;
            let tab = ui.selectable_label(chosen, view.figure().label);
            if tab.on_hover_text(view.figure().tooltip).clicked() {
                (self.view, self.watching) = (view, false);
            }
        }
        let tab = ui.selectable_label(self.watching, alarm_figure::SPEC.label);
        self.watching |= tab.on_hover_text(alarm_figure::SPEC.tooltip).clicked();
    }

    /// Has computed what the chart lacks, and says how far that is: one after the other, what is asked first is shown first.
    fn awaited(
        &self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        shown: &[&Arc<RunView>],
        runs: &[&Arc<RunView>],
        protocol: Protocol,
    ) {
        let queries = &context.session.queries;
        let unknown = shown.iter().find(|run| queries.get(&churn_of(run, protocol)).ready().is_none());
        if let Some(run) = unknown {
            let what = format!("Comparing the lists of {}", run_label(run, runs));
            answered(ui, context, &churn_of(run, protocol), &what);
        }
        if self.view == View::Stages {
            self.beside(ui, context, shown, runs);
        }
    }

    fn chart<'r>(&self, context: &Context<'_>, reports: &[(&Arc<RunView>, &'r ChurnReport)]) -> Chart {
        let synthetic = context.session.synthetic();
        match self.view {
            View::Stages => {
                let styles = super::styles(context.session);
                let style = |run: &RunView| styles.get(&run.id).copied().unwrap_or(SeriesStyle::baseline(0));
                let styled = |(run, item): &(&Arc<RunView>, &'r ChurnReport)| Styled { item: *item, style: style(run) };
                let lines: Vec<_> = reports.iter().map(styled).collect();
                churn::over_stages(&lines, self.measure, &self.drawn_beside(context, reports, &style), synthetic)
            }
            View::Slices => match reports.first() {
                Some((_, report)) => affected::by_slice(report, self.sliced_stage, synthetic),
                None => Chart::empty(affected::SPEC.title, "The lists are being compared"),
            },
        }
    }

    /// Asks for what is drawn beside the predictions.
    fn beside(&self, ui: &mut Ui, context: &mut Context<'_>, shown: &[&Arc<RunView>], runs: &[&Arc<RunView>]) {
        if !self.without_data {
            let data = ProjectData::of(context.session.project());
            answered(ui, context, &data, "Measuring the drift of the data");
        }
        let session = context.session;
        let unknown = |run: &&&Arc<RunView>| session.queries.get(&movement_of(run)).ready().is_none();
        let next = shown.iter().filter(|run| self.with_adapters && has_adapters(run)).find(unknown);
        if let Some(run) = next {
            let what = format!("Measuring how far the adapter of {} moved", run_label(run, runs));
            answered(ui, context, &movement_of(run), &what);
        }
    }

    fn drawn_beside(
        &self,
        context: &Context<'_>,
        reports: &[(&Arc<RunView>, &ChurnReport)],
        style: &dyn Fn(&RunView) -> SeriesStyle,
    ) -> OtherDrift {
        let session = context.session;
        let mut beside = OtherDrift::default();
        let data = session.queries.get(&ProjectData::of(session.project()));
        if let (false, Some(report)) = (self.without_data, data.ready()) {
            beside.data = churn::data_drift(&report.drift);
        }
        for (run, _) in reports.iter().filter(|(run, _)| self.with_adapters && has_adapters(run)) {
            if let Some(report) = session.queries.get(&movement_of(run)).ready() {
                let name = series_name(run, reports);
                let adapters = AdapterRun { report, name: &name, style: style(run) };
                beside.adapters.push(churn::adapter_drift(adapters));
            }
        }
        beside
    }

    /// What makes the chart anew.
    fn pinned(
        &self,
        context: &Context<'_>,
        shown: &[&Arc<RunView>],
        runs: &[&Arc<RunView>],
        protocol: Protocol,
    ) -> PinnedFigure {
        let mut options = FigureOptions::default();
        match self.view {
            View::Stages => {
                options.variant = variant_name(self.measure);
                options.adapter_moves = self.with_adapters;
                if shown.len() < runs.len() {
                    options.runs = shown.iter().map(|run| run.id.clone()).collect();
                }
                let data = context.session.queries.get(&ProjectData::of(context.session.project()));
                if let (true, Some(report)) = (self.without_data, data.ready()) {
                    options.hidden = churn::data_drift(&report.drift).iter().map(StageDrift::data_name).collect();
                }
            }
            View::Slices => {
                options.run = shown.first().map(|run| run.id.clone());
                options.stage = self.sliced_stage;
            }
        }
        PinnedFigure::new(self.view.figure().name, options, protocol)
    }

    fn shown_runs<'r>(&self, runs: &[&'r Arc<RunView>]) -> Vec<&'r Arc<RunView>> {
        match &self.shown {
            Some(shown) => runs.iter().filter(|run| shown.contains(&run.id)).copied().collect(),
            None => one_an_experiment(runs),
        }
    }

    fn choices(&mut self, ui: &mut Ui, selection: &mut Selection, runs: &[&Arc<RunView>]) {
        match self.view {
            View::Stages => {
                let measures = ChurnMeasure::ALL.map(|measure| (measure, measure.label().to_owned()));
                choice(ui, ("Measure", 190.0), &mut self.measure, &measures);
                let mut shown: BTreeSet<String> = self.shown_runs(runs).iter().map(|run| run.id.clone()).collect();
                ui.menu_button("Runs…", |ui| {
                    for run in runs {
                        let mut on = shown.contains(&run.id);
                        if ui.checkbox(&mut on, run_label(run, runs)).changed() {
                            if on {
                                shown.insert(run.id.clone());
                            } else {
                                shown.remove(&run.id);
                            }
                            self.shown = Some(shown.clone());
                        }
                    }
                });
                let mut with_data = !self.without_data;
                ui.checkbox(&mut with_data, "Data drift")
                    .on_hover_text("How far the stage's data lies from the stage before");
                self.without_data = !with_data;
                ui.checkbox(&mut self.with_adapters, "Adapter moves")
                    .on_hover_text("How far each adapter's update of the weights moved, as a part of what it was");
            }
            View::Slices => {
                let mut now = sliced_run(selection, runs).id.clone();
                let options: Vec<_> = runs.iter().map(|run| (run.id.clone(), run_label(run, runs))).collect();
                if choice(ui, ("Run", 220.0), &mut now, &options).changed() {
                    selection.run = Some(now);
                }
                let stages = sliced_run(selection, runs).config.stages;
                let stages = (2..=stages).map(|stage| (Some(stage), format!("Stage {stage}")));
                let stages: Vec<_> = std::iter::once((None, "All stages".to_owned())).chain(stages).collect();
                choice(ui, ("Of", 110.0), &mut self.sliced_stage, &stages);
            }
        }
    }
}

/// The run whose slices are shown: the one that is looked at, else the first that learns.
fn sliced_run<'r>(selection: &mut Selection, runs: &[&'r Arc<RunView>]) -> &'r Arc<RunView> {
    let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    let learns = |id: &str| runs.iter().any(|run| run.id == id && run.config.method.is_learned());
    let looked_at = selection.run(&ids, learns);
    runs.iter().find(|run| Some(run.id.as_str()) == looked_at).copied().unwrap_or(runs[0])
}
