//! The map of regimes: where a method pays, by two swept options.

use std::sync::Arc;

use eframe::egui;
use egui::{Ui, Vec2};

use super::view::{Home, ViewSpec};
use super::{Context, Panel, answered, chart_actions, choice, explanation, protocol_choice, protocol_of};
use crate::app::action::Action;
use crate::app::queries::Answer;
use crate::app::queries::regimes::Regimes;
use crate::app::{theme, widgets};
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::FigureOptions;
use crate::figures::regimes::{SPEC, cell_at, question, regimes};
use crate::figures::words::metric_label;
use crate::measure::UserMetric;
use crate::plot::{Chart, screen};
use crate::project::Project;
use crate::project::board::PinnedFigure;
use crate::results::Results;
use crate::results::regimes::{RegimeAxes, RegimeQuestion, SweptOption, axes, methods};
use crate::schema::Setting;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Regimes",
    title: "Regimes",
    command: "Show regimes",
    tooltip: "Where a method pays: its gain over another by two swept options",
    shortcut: None,
    home: Home::Charts,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct RegimesPanel {
    /// What the user chose; what is open, the project's sweeps say.
    options: FigureOptions,
    /// The project's usual one until the user chooses.
    protocol: Option<Protocol>,
    /// What can be chosen, with what it was found for.
    choices: Option<(Asked, Choices)>,
    metrics: Option<(Arc<Results>, Vec<String>)>,
    /// The map as a chart, with the query that it is for, and whether it answers that or an earlier one.
    chart: Option<(Regimes, bool, Arc<Chart>)>,
}

/// Session and revision of the project, and what is asked of it.
type Asked = ([u64; 2], RegimeQuestion);

/// What a project's sweeps let be chosen.
#[derive(Debug)]
struct Choices {
    project: Arc<Project>,
    axes: Result<Option<RegimeAxes>, InputError>,
    methods: Vec<String>,
}

const EXPLANATION: &str = "What one method gains over another, cell by cell of two options that were swept. A click on a cell shows its runs; how sure a gain is stands below it.";

const ADVICE: &str = "A map needs a sweep over two options: press Sweep options on an experiment, choose Every experiment, and add two of them, for example later interactions and drift of generated data";

impl Panel for RegimesPanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let protocol = protocol_of(context, self.protocol);
        self.options.metric = self.metric(context, protocol);
        let asked = match question(&self.options, protocol) {
            Ok(asked) => asked,
            Err(error) => {
                ui.colored_label(theme::tokens(ui).error, widgets::sentence(&error.to_string()));
                return;
            }
        };
        self.find(context, &asked);
        let Some((_, Choices { project, axes: found, methods })) = &self.choices else { return };
        let (project, methods) = (Arc::clone(project), methods.clone());
        let axes = match found {
            Ok(Some(axes)) => axes.clone(),
            Ok(None) => {
                widgets::empty_state(ui, "No map yet", ADVICE);
                return;
            }
            // What was chosen is no longer in the project: the map is then what the sweeps suggest.
            Err(_) => {
                self.options = FigureOptions { metric: self.options.metric.clone(), ..FigureOptions::default() };
                ui.ctx().request_repaint();
                return;
            }
        };
        let query = Regimes::of(&context.session.rows, project, asked);
        ui.horizontal_wrapped(|ui| {
            self.bar(ui, context, &axes, &methods);
            if let Some(chart) = self.chart(context, &query) {
                chart_actions(ui, context, &chart, pinned(&query, &axes));
                context.charts.insert(0, chart);
            }
        });
        explanation(ui, EXPLANATION);
        self.map(ui, context, &query);
    }
}

/// The figure that makes the chart anew on the board.
fn pinned(query: &Regimes, axes: &RegimeAxes) -> PinnedFigure {
    let options = FigureOptions {
        metric: query.question.metric.to_string(),
        method: Some(axes.method.clone()),
        baseline: Some(axes.baseline.clone()),
        x: Some(axes.x.path.clone()),
        y: Some(axes.y.path.clone()),
        at: query.question.at.clone(),
        ..FigureOptions::default()
    };
    PinnedFigure::new(SPEC.name, options, query.question.protocol)
}

impl RegimesPanel {
    /// The metric that is shown: the chosen one where runs have it.
    fn metric(&mut self, context: &Context<'_>, protocol: Protocol) -> String {
        let results = context.session.results(protocol);
        if self.metrics.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, results)) {
            let stages = results.runs.iter().flat_map(|run| &run.stages);
            let of_users = |metric: &&String| metric.parse::<UserMetric>().is_ok();
            let mut metrics: Vec<String> =
                stages.flat_map(|stage| stage.metrics.keys()).filter(of_users).cloned().collect();
            metrics.sort_unstable();
            metrics.dedup();
            self.metrics = Some((Arc::clone(results), metrics));
        }
        let metrics = self.metrics.as_ref().map_or(&[][..], |(_, metrics)| metrics);
        let chosen = Some(&self.options.metric).filter(|metric| metrics.contains(metric));
        chosen.or(metrics.first()).unwrap_or(&self.options.metric).clone()
    }

    /// Finds what can be chosen, anew where project or question changed.
    fn find(&mut self, context: &Context<'_>, asked: &RegimeQuestion) {
        let revision = [context.session.number, context.session.history.revision()];
        if self.choices.as_ref().is_some_and(|((of, question), _)| *of == revision && question == asked) {
            return;
        }
        let project = match &self.choices {
            Some(((of, _), choices)) if *of == revision => Arc::clone(&choices.project),
            _ => Arc::new(context.session.project().clone()),
        };
        // Sweeps that cannot be used are told where they are edited; they have no points.
        let variants = project.variants().unwrap_or_default();
        let choices =
            Choices { axes: axes(&project, &variants, asked), methods: methods(&project, &variants), project };
        self.choices = Some(((revision, asked.clone()), choices));
    }

    fn bar(&mut self, ui: &mut Ui, context: &Context<'_>, axes: &RegimeAxes, methods: &[String]) {
        let named = |names: &[String]| names.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
        let mut method = axes.method.clone();
        if choice(ui, ("Gain of", 150.0), &mut method, &named(methods)).changed() {
            let baseline = axes.baseline.clone();
            self.options.baseline = (baseline != method).then_some(baseline);
            (self.options.method, self.options.x, self.options.y) = (Some(method), None, None);
            self.options.at.clear();
        }
        let experiments = context.session.project().experiments.iter().map(|experiment| experiment.name.clone());
        let others: Vec<String> = experiments.filter(|name| *name != axes.method).collect();
        let mut baseline = axes.baseline.clone();
        if choice(ui, ("over", 150.0), &mut baseline, &named(&others)).changed() {
            self.options.baseline = Some(baseline);
            self.options.method = Some(axes.method.clone());
        }
        let metrics = self.metrics.as_ref().map(|(_, metrics)| metrics.clone()).unwrap_or_default();
        let metrics: Vec<(String, String)> = metrics.into_iter().map(|key| (key.clone(), metric_label(&key))).collect();
        choice(ui, ("Metric", 90.0), &mut self.options.metric, &metrics);
        protocol_choice(ui, context, &mut self.protocol);
        self.axes_choice(ui, axes);
        for (option, at) in &axes.further {
            self.further_choice(ui, option, at.as_ref());
        }
    }

    /// Which option goes across, and which one down; one that is chosen twice changes places with the other.
    fn axes_choice(&mut self, ui: &mut Ui, axes: &RegimeAxes) {
        let all = [&axes.x, &axes.y].into_iter().chain(axes.further.iter().map(|(option, _)| option));
        let options: Vec<(String, String)> = all.map(|option| (option.path.clone(), option.label.clone())).collect();
        let (mut x, mut y) = (axes.x.path.clone(), axes.y.path.clone());
        let across = choice(ui, ("Across", 130.0), &mut x, &options).changed();
        let down = choice(ui, ("Down", 130.0), &mut y, &options).changed();
        if across && x == y {
            y.clone_from(&axes.x.path);
        }
        if down && x == y {
            x.clone_from(&axes.y.path);
        }
        if across || down {
            self.options.at.retain(|path, _| *path != x && *path != y);
            (self.options.x, self.options.y) = (Some(x), Some(y));
        }
    }

    /// The value that a further option is held at, or that it is averaged over.
    fn further_choice(&mut self, ui: &mut Ui, option: &SweptOption, at: Option<&Setting>) {
        let mut now = at.map(Setting::to_string);
        let values = option.values.iter().map(|value| (Some(value.to_string()), value.to_string()));
        let options: Vec<(Option<String>, String)> = [(None, "mean".to_owned())].into_iter().chain(values).collect();
        if choice(ui, (&option.label, 80.0), &mut now, &options).changed() {
            match now {
                Some(value) => _ = self.options.at.insert(option.path.clone(), value),
                None => _ = self.options.at.remove(&option.path),
            }
        }
    }

    /// The answer to the query as a chart.
    fn chart(&mut self, context: &Context<'_>, query: &Regimes) -> Option<Arc<Chart>> {
        let queries = &context.session.queries;
        let (map, is_own) = match queries.get(query) {
            Answer::Ready(map) => (map, true),
            _ => (queries.earlier(query)?, false),
        };
        match &self.chart {
            Some((of, own, chart)) if of == query && *own == is_own => Some(Arc::clone(chart)),
            _ => {
                let chart = Arc::new(regimes(&query.project, map));
                self.chart = Some((query.clone(), is_own, Arc::clone(&chart)));
                Some(chart)
            }
        }
    }

    fn map(&self, ui: &mut Ui, context: &mut Context<'_>, query: &Regimes) {
        let Some(map) = answered(ui, context, query, "Holding the methods against each other") else { return };
        let Some((.., chart)) = &self.chart else { return };
        theme::panel_frame(ui).show(ui, |ui| {
            let size = ui.available_size().max(Vec2::new(160.0, 120.0));
            let Some((_, clicked)) = screen::show_gain_map(ui, chart, "regimes", size) else { return };
            if let Some(cell) = clicked.and_then(|place| cell_at(map, place)) {
                context.actions.push(Action::FilterRuns(cell.experiments.clone()));
            }
        });
    }
}
