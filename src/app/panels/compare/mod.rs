//! Methods against each other: a metric over the stages, the table with its verdicts, what quality costs, the matrix
//! R[i,j], slices of users and targets, and what lines were run with.

mod bar;
mod cells;
mod contents;
mod fairness;
mod gains_view;
mod lines;
mod options;
mod pinning;
mod slices;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, Ui, Vec2};

use self::lines::{Lines, LinesKey};
use self::options::Differences;
use self::table::TableState;
use super::view::{Home, ViewSpec};
use super::{Context, Panel};
use crate::app::queries::Answer;
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::comparison::{self, ComparisonOptions};
use crate::figures::cost::{self, Cost};
use crate::figures::words::usual_metric;
use crate::figures::{FigureSpec, Provenance as _, Styled, gains, matrix, parallel};
use crate::figures::{fairness as fairness_figure, slices as slices_figure, table as table_figure};
use crate::measure::{Dimension, Gain, UserMetric};
use crate::plot::{Chart, Highlight};
use crate::results::RunResult;
use crate::results::comparison::{ComparisonLine, Standing};
use crate::results::config_diff::differences;
use crate::results::seeds::SeedChoice;
use crate::run::RunConfig;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Compare",
    title: "Compare",
    command: "Show comparison",
    tooltip: "Methods against each other over the stages",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num4)),
    home: Home::Charts,
};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Stages,
    Gains,
    Table,
    Cost,
    Parallel,
    Matrix,
    Slices,
    Fairness,
    Settings,
}

impl View {
    const ALL: [Self; 9] = [
        Self::Stages,
        Self::Gains,
        Self::Table,
        Self::Cost,
        Self::Parallel,
        Self::Matrix,
        Self::Slices,
        Self::Fairness,
        Self::Settings,
    ];

    /// The figure that it shows, of those that `peso export` writes too.
    fn figure(self) -> Option<&'static FigureSpec> {
        match self {
            Self::Stages => Some(&comparison::SPEC),
            Self::Gains => Some(&gains::SPEC),
            Self::Cost => Some(&cost::SPEC),
            Self::Parallel => Some(&parallel::SPEC),
            Self::Matrix => Some(&matrix::SPEC),
            Self::Table => Some(&table_figure::SPEC),
            Self::Slices => Some(&slices_figure::SPEC),
            Self::Fairness => Some(&fairness_figure::SPEC),
            Self::Settings => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            _ => self.figure().map_or("", |figure| figure.label),
        }
    }

    fn tooltip(self) -> &'static str {
        match self {
            Self::Settings => "The options and training settings in which lines differ, side by side",
            _ => self.figure().map_or("", |figure| figure.tooltip),
        }
    }
}

/// State of the panel.
#[derive(Debug)]
pub(crate) struct ComparePanel {
    metric: String,
    /// Metrics that the table shows beside the first.
    others: BTreeSet<String>,
    /// Keys of the continual measures that the table shows.
    continual: BTreeSet<&'static str>,
    view: View,
    /// Name of the line that the others are held against; until the user chooses, the usual one.
    baseline: Option<String>,
    cost: Cost,
    /// How the tests were made, where the user has chosen.
    protocol: Option<Protocol>,
    /// Whether lines are over their own seeds, instead of over those that all have.
    all_seeds: bool,
    /// What the slices are of; all kinds where nothing is chosen.
    slices_of: Option<Dimension>,
    /// Whether slices are a table, where there is no room for both.
    slices_as_table: bool,
    fairness: fairness::Choice,
    /// Names of the lines whose matrices are shown, the first and the one beside it.
    matrix_of: [Option<String>; 2],
    table: TableState,
    /// What is marked on the parallel axes.
    marked: Highlight,
    differences: Differences,
    lines: Option<Arc<Lines>>,
    chart: Option<(ChartKey, Arc<Chart>)>,
    /// The table as a chart, where the view is the table alone.
    listed: Option<Arc<Chart>>,
}

impl Default for ComparePanel {
    fn default() -> Self {
        Self {
            metric: UserMetric::default().to_string(),
            others: BTreeSet::from([UserMetric::hit(10).to_string()]),
            continual: BTreeSet::from(["average_accuracy", "forgetting"]),
            view: View::default(),
            baseline: None,
            cost: Cost::default(),
            protocol: None,
            all_seeds: false,
            slices_of: None,
            slices_as_table: false,
            fairness: fairness::Choice::default(),
            matrix_of: [None, None],
            table: TableState::default(),
            marked: Highlight::default(),
            differences: Differences::default(),
            lines: None,
            chart: None,
            listed: None,
        }
    }
}

/// All that a chart is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChartKey {
    lines: LinesKey,
    metric: String,
    view: View,
    cost: Cost,
    matrix_of: [Option<String>; 2],
    one_a_method: bool,
    others: BTreeSet<String>,
    slices_of: Option<Dimension>,
    /// Whether the slices are known.
    sliced: bool,
    fairness: fairness::Choice,
    /// Whether the groups are known.
    grouped: bool,
    /// The line that gains are over, and whether these are known.
    baseline: Option<usize>,
    judged: bool,
}

/// A line in the style that it has in every chart.
fn styled(lines: &Lines, index: usize) -> Styled<'_, ComparisonLine> {
    Styled { item: &lines.all[index], style: lines.styles[index] }
}

/// Height from which a chart has the table below it.
const TALL: f32 = 620.0;
/// Height of a table that must do with little, and from which height it has a caption.
const SHORT: f32 = 112.0;

impl Panel for ComparePanel {
    fn tabs(&self) -> Vec<&'static str> {
        View::ALL.map(View::text).into()
    }

    fn show_tab(&mut self, title: &str) {
        let named = View::ALL.into_iter().find(|tab| tab.text() == title);
        self.view = named.unwrap_or(self.view);
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let protocol = super::protocol_of(context, self.protocol);
        if context.session.results(protocol).runs.iter().all(|run| run.stages.is_empty()) {
            let advice =
                "Methods appear here as soon as their first stage is trained and tested. Press Run all to start";
            widgets::empty_state(ui, "Nothing to compare yet", advice);
            return;
        }
        let seeds = SeedChoice::of(self.all_seeds);
        let lines = Lines::refresh(&mut self.lines, context, protocol, seeds);
        if !lines.metrics.is_empty() && !lines.metrics.contains(&self.metric) {
            self.metric = usual_metric(lines.metrics.iter().map(String::as_str));
            // Hit at the same cut-off stays beside it.
            self.others.extend(
                self.metric.parse::<UserMetric>().map(|usual| UserMetric { gain: Gain::Hit, ..usual }.to_string()),
            );
        }
        let chart = self.chart(context, &lines);
        // The table is drawn below the bar, so that the bar has it as it was a frame ago.
        if self.view != View::Table {
            self.listed = None;
        }
        let listed = self.listed.clone();
        self.bar(ui, context, &lines, listed.as_ref().unwrap_or(&chart));
        ui.add_space(space::XS);
        match self.view {
            View::Table => self.table(ui, context, &lines, ui.available_height()),
            View::Settings => self.settings(ui, &lines),
            View::Slices => {
                self.slices(ui, context, &lines, &chart);
                context.charts.insert(0, chart);
            }
            View::Fairness => {
                self.fairness(ui, context, &lines, &chart);
                context.charts.insert(0, chart);
            }
            View::Gains => {
                self.gains(ui, context, &lines, &chart);
                context.charts.insert(0, chart);
            }
            View::Stages | View::Cost | View::Parallel | View::Matrix => {
                self.chart_and_table(ui, context, &lines, &chart);
                context.charts.insert(0, chart);
            }
        }
    }
}

impl ComparePanel {
    /// The chart, with the table below it where that has room, or belongs to it.
    fn chart_and_table(&mut self, ui: &mut Ui, context: &mut Context<'_>, lines: &Lines, chart: &Chart) {
        let height = ui.available_height();
        let below = match self.view {
            View::Parallel if height < TALL => SHORT,
            View::Parallel => (0.45 * height).min(420.0),
            View::Stages | View::Cost if height >= TALL => (0.42 * height).min(420.0),
            _ => 0.0,
        };
        // The row under the pointer stands out in the chart, and the chart's line in the table.
        self.marked.pointed = self.table.pointed.take();
        ui.allocate_ui(Vec2::new(ui.available_width(), height - below), |ui| {
            ui.set_max_height(height - below - space::S);
            super::marked_chart_card(ui, chart, "comparison chart", &mut self.marked);
        });
        self.table.pointed = self.marked.pointed.take();
        if below > 0.0 {
            self.table(ui, context, lines, below);
        }
    }

    /// The chart of the view, made anew when the lines or the choices have changed.
    fn chart(&mut self, context: &Context<'_>, lines: &Lines) -> Arc<Chart> {
        let key = ChartKey {
            lines: lines.stamp(),
            metric: self.metric.clone(),
            view: self.view,
            cost: self.cost,
            matrix_of: self.matrix_of.clone(),
            one_a_method: self.table.one_a_method,
            others: self.others.clone(),
            slices_of: self.slices_of,
            baseline: self.baseline_place(lines),
            judged: self.judged(context, lines).is_some(),
            fairness: self.fairness.clone(),
            grouped: self.view == View::Fairness
                && self.groups_query(context, lines).is_some_and(|query| {
                    !matches!(context.session.queries.get(&query), Answer::Pending | Answer::Cancelled)
                }),
            sliced: !matches!(context.session.queries.get(&self.slices_query(context, lines)), Answer::Pending),
        };
        if let Some((made, chart)) = &self.chart
            && *made == key
        {
            return Arc::clone(chart);
        }
        let synthetic = context.session.synthetic();
        let chart = match self.view {
            View::Cost => self.cost_chart(lines, synthetic),
            View::Parallel => self.parallel_chart(lines, synthetic),
            View::Matrix => self.matrix_chart(lines).synthetic(synthetic),
            View::Slices => self.slices_chart(context, lines, synthetic),
            View::Fairness => self.fairness_chart(context, lines, synthetic),
            View::Gains => self.gains_chart(context, lines, synthetic),
            View::Stages | View::Table | View::Settings => {
                let options = ComparisonOptions { synthetic, ..Default::default() };
                comparison::over_stages(context.session.project(), &lines.results, &self.metric, &options)
            }
        };
        let chart = Arc::new(chart.under(lines.protocol()).over(&lines.basis));
        self.chart = Some((key, Arc::clone(&chart)));
        chart
    }

    /// The places of the lines that charts show.
    fn places(&self, lines: &Lines) -> impl Iterator<Item = usize> {
        let hidden = |index: usize| self.table.one_a_method && lines.standings[index] == Standing::Passed;
        (0..lines.all.len()).filter(move |&index| !hidden(index))
    }

    fn cost_chart(&self, lines: &Lines, synthetic: bool) -> Chart {
        let points: Vec<_> = self.places(lines).map(|index| styled(lines, index)).collect();
        cost::against_quality(&points, &self.metric, self.cost, synthetic)
    }

    fn parallel_chart(&self, lines: &Lines, synthetic: bool) -> Chart {
        let learned = self.places(lines).filter_map(|index| Some((index, lines.configurations[index].as_deref()?)));
        let learned: Vec<(usize, &RunConfig)> = learned.filter(|(index, _)| !lines.all[*index].counted).collect();
        let configurations: Vec<&RunConfig> = learned.iter().map(|(_, configuration)| *configuration).collect();
        let points: Vec<_> = learned.iter().map(|(index, _)| styled(lines, *index)).collect();
        parallel::across(&points, &differences(&configurations), &self.metrics(lines), synthetic)
    }

    fn matrix_chart(&self, lines: &Lines) -> Chart {
        let of = |name: &String| -> Option<(String, Vec<&RunResult>)> {
            let line = &lines.all[lines.index(name)?];
            let runs = lines.results.runs.iter().filter(|run| line.runs.contains(&run.run));
            Some((line.name.clone(), runs.collect()))
        };
        let chosen: Vec<_> = self.matrix_lines(lines).iter().flatten().filter_map(of).collect();
        if chosen.is_empty() {
            return Chart::empty(matrix::SPEC.title, "No run is finished yet: the matrix is that of finished runs");
        }
        matrix::matrices(&chosen, &self.metric)
    }

    /// The names of the lines whose matrices are shown: those that were chosen, as far as they are there.
    fn matrix_lines(&self, lines: &Lines) -> [Option<String>; 2] {
        let there = |name: &Option<String>| name.clone().filter(|name| lines.index(name).is_some());
        let first = there(&self.matrix_of[0]).or_else(|| lines.all.first().map(|line| line.name.clone()));
        [first, there(&self.matrix_of[1])]
    }

    fn baseline_place(&self, lines: &Lines) -> Option<usize> {
        let chosen = self.baseline.as_deref().and_then(|name| lines.index(name));
        chosen.or_else(|| (!lines.all.is_empty()).then(|| lines.usual_baseline()))
    }

    /// The metrics of the table: the one that gains are of, then the others in their usual order.
    fn metrics(&self, lines: &Lines) -> Vec<String> {
        let others = lines.metrics.iter().filter(|metric| self.others.contains(*metric) && **metric != self.metric);
        std::iter::once(&self.metric).chain(others).cloned().collect()
    }

    /// The continual measures of the table, as far as some line has them.
    fn continual(&self, lines: &Lines) -> Vec<&'static str> {
        let has = |key: &&str| {
            let measures = lines.all.iter().filter_map(|line| line.continual.get(&self.metric));
            self.continual.contains(*key) && measures.into_iter().any(|of| of.contains_key(*key))
        };
        cells::CONTINUAL.into_iter().filter(has).collect()
    }

    /// The lines that the user chose, or all learned ones where fewer than two are chosen, and what they differ in.
    fn settings(&mut self, ui: &mut Ui, lines: &Lines) {
        ui.horizontal_wrapped(|ui| {
            ui.label("Lines");
            for line in lines.all.iter().filter(|line| !line.counted) {
                let selected = self.table.selected.contains(&line.name);
                if ui.selectable_label(selected, &line.name).clicked() && !self.table.selected.remove(&line.name) {
                    self.table.selected.insert(line.name.clone());
                }
            }
        });
        let learned = || (0..lines.all.len()).filter(|&index| !lines.all[index].counted);
        let mut places: Vec<usize> =
            learned().filter(|&index| self.table.selected.contains(&lines.all[index].name)).collect();
        if places.is_empty() {
            places = learned().collect();
        }
        let differences = self.differences.refresh(lines, &places);
        options::ui(ui, lines, &places, differences);
    }
}
