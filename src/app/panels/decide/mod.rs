//! Ship or hold: the gates of the project, and what they say of every method, gate by gate; and which values of lambda are certified.

mod certificate;
mod gates;
mod harmed;
mod interval;
mod method;

use std::sync::Arc;

use eframe::egui;
use egui::{ScrollArea, Ui, UiBuilder};

use self::certificate::CertificateTab;
use self::gates::GatesForm;
use self::harmed::Listed;
use super::view::{Home, ViewSpec};
use super::{Context, Panel, answered, chart_actions, choice, explanation, protocol_choice, protocol_of};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::queries::Answer;
use crate::app::queries::decision::{Decided, baselines};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::decision::{SPEC, table};
use crate::figures::{FigureOptions, FigureSpec, certificate as certificate_figure};
use crate::plot::Chart;
use crate::project::Project;
use crate::project::board::PinnedFigure;
use crate::results::decision::Decision;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Decide",
    title: "Decide",
    command: "Show decision",
    tooltip: "Ship, hold, or how much more data: every method by the gates of the project",
    shortcut: None,
    home: Home::Charts,
};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Gates,
    Certificate,
}

impl View {
    const ALL: [Self; 2] = [Self::Gates, Self::Certificate];

    fn figure(self) -> &'static FigureSpec {
        match self {
            Self::Gates => &SPEC,
            Self::Certificate => &certificate_figure::SPEC,
        }
    }
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct DecidePanel {
    view: View,
    certificate: CertificateTab,
    /// The project's usual one until the user chooses.
    protocol: Option<Protocol>,
    gates: GatesForm,
    /// The gate of a method whose harmed users are listed.
    listed: Option<Listed>,
    /// The project as queries have it, with session and revision that it is of.
    project: Option<([u64; 2], Arc<Project>)>,
    /// The decision as a table, with the query that it answers.
    chart: Option<(Decided, Arc<Chart>)>,
}

const EXPLANATION: &str = "What each method may claim against the one that holds now. It ships where it passes every gate for certain, is held where it fails one for certain, and otherwise this says how many more users or seeds would tell.";

/// Width of the list of harmed users.
const LIST: f32 = 230.0;

impl Panel for DecidePanel {
    fn tabs(&self) -> Vec<&'static str> {
        View::ALL.map(|view| view.figure().label).into()
    }

    fn show_tab(&mut self, title: &str) {
        let named = View::ALL.into_iter().find(|tab| tab.figure().label == title);
        self.view = named.unwrap_or(self.view);
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let names = baselines(&context.session.rows, context.session.project());
        if names.len() < 2 {
            self.not_yet(ui, context);
            return;
        }
        let chosen = context.selection.baseline.clone().filter(|name| names.contains(name));
        let baseline = chosen.unwrap_or_else(|| names[0].clone());
        let protocol = protocol_of(context, self.protocol);
        let project = self.project(context);
        let query = Decided::of(&context.session.rows, Arc::clone(&project), baseline.clone(), protocol);
        let certified = self.certificate.query(context, project, &baseline, protocol);
        ui.horizontal_wrapped(|ui| {
            for view in View::ALL {
                ui.selectable_value(&mut self.view, view, view.figure().label).on_hover_text(view.figure().tooltip);
            }
            let options: Vec<(String, String)> = names.iter().map(|name| (name.clone(), name.clone())).collect();
            let mut now = baseline;
            let against = choice(ui, ("Baseline", 190.0), &mut now, &options);
            if against.on_hover_text("What holds now, and what every method is held against").changed() {
                context.selection.baseline = Some(now);
                self.listed = None;
            }
            protocol_choice(ui, context, &mut self.protocol);
            match self.view {
                View::Gates => {
                    if let Some(chart) = self.chart(context, &query) {
                        chart_actions(ui, context, &chart, pinned(&query));
                        context.charts.insert(0, chart);
                    }
                }
                View::Certificate => self.certificate.actions(ui, context, &certified),
            }
        });
        match self.view {
            View::Gates => self.gates(ui, context, &query),
            View::Certificate => self.certificate.ui(ui, context, &certified),
        }
    }
}

/// The figure that makes the chart anew on the board.
fn pinned(query: &Decided) -> PinnedFigure {
    let options = FigureOptions { baseline: Some(query.baseline.clone()), ..FigureOptions::default() };
    PinnedFigure::new(SPEC.name, options, query.protocol)
}

impl DecidePanel {
    /// The gates, and beside them those who lose by one.
    fn gates(&mut self, ui: &mut Ui, context: &mut Context<'_>, query: &Decided) {
        explanation(ui, EXPLANATION);
        let whole = ui.available_rect_before_wrap();
        let list = if self.listed.is_some() { LIST + space::M } else { 0.0 };
        let (cards, harmed) = whole.split_left_right_at_x(whole.right() - list);
        ui.scope_builder(UiBuilder::new().max_rect(cards), |ui| {
            ScrollArea::both().id_salt("decision").auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width().min(cards.width()));
                self.gates.ui(ui, context, false);
                ui.add_space(space::S);
                if let Some(decision) = answered(ui, context, query, "Holding every method against the gates") {
                    self.decision(ui, context, decision);
                }
            });
        });
        if let Some(listed) = self.listed.clone() {
            let right = harmed.with_min_x(harmed.left() + space::M);
            ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
                let decision = context.session.queries.get(query).ready();
                if harmed::ui(ui, context, decision, &listed) {
                    self.listed = None;
                }
            });
        }
    }

    /// What to do before there is anything to decide; gates are set best now.
    fn not_yet(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ScrollArea::vertical().id_salt("no decision").auto_shrink(false).show(ui, |ui| {
            self.gates.ui(ui, context, true);
            let advice = "Set the gates above before the runs, so that no result has a part in them. A decision appears as soon as two methods are finished: press Run all to start";
            widgets::empty_state(ui, "Nothing to decide yet", advice);
        });
    }

    /// The project, copied once a revision.
    fn project(&mut self, context: &Context<'_>) -> Arc<Project> {
        let now = [context.session.number, context.session.history.revision()];
        match &self.project {
            Some((of, project)) if *of == now => Arc::clone(project),
            _ => {
                let project = Arc::new(context.session.project().clone());
                self.project = Some((now, Arc::clone(&project)));
                project
            }
        }
    }

    /// The answer to the query as a chart, for files and the clipboard.
    fn chart(&mut self, context: &Context<'_>, query: &Decided) -> Option<Arc<Chart>> {
        let Answer::Ready(decision) = context.session.queries.get(query) else { return None };
        match &self.chart {
            Some((of, chart)) if of == query => Some(Arc::clone(chart)),
            _ => {
                let chart = Arc::new(table(decision));
                self.chart = Some((query.clone(), Arc::clone(&chart)));
                Some(chart)
            }
        }
    }

    fn decision(&mut self, ui: &mut Ui, context: &mut Context<'_>, decision: &Decision) {
        let tokens = theme::tokens(ui);
        if decision.gates != context.session.project().gates() {
            ui.horizontal(|ui| {
                ui.spinner();
                widgets::remark(ui, "The gates have changed: what follows is of those before");
            });
        }
        if decision.runs_before_gates > 0 {
            let runs = widgets::counted(decision.runs_before_gates, "run");
            ui.colored_label(
                tokens.warning,
                format!("⚠ Gates were set after these runs: {runs} started before that day"),
            );
        }
        if !decision.missing.is_empty() {
            ui.horizontal_wrapped(|ui| {
                let missing = decision.missing.join(" and ");
                ui.colored_label(
                    tokens.warning,
                    format!("⚠ {missing} without a finished run: what only counts belongs among the candidates"),
                );
                if ui.button("Run all").on_hover_text("Every run counts them beside the methods").clicked() {
                    context.actions.push(Action::Command(Command::RunAll));
                }
            });
        }
        for method in &decision.methods {
            if let Some(gate) = method::ui(ui, method, self.listed.as_ref()) {
                self.listed = Some(Listed { method: method.name.clone(), gate });
            }
            ui.add_space(space::XS);
        }
        for remark in decision.remarks().into_iter().filter(|remark| !remark.starts_with("Gates were set after")) {
            widgets::remark(ui, remark);
        }
    }
}
