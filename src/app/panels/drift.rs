//! How far data and predictions move from stage to stage, on one axis, and which users see the change.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{ComboBox, Ui};

use super::{Context, chart_actions, chart_card, failed, measured_runs, one_an_experiment, run_label, waiting};
use crate::app::action::Action;
use crate::app::reports::{Found, Question, Report, RunStamp};
use crate::app::theme::space;
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::chart::churn::{self, ChurnMeasure};
use crate::chart::look::Look;
use crate::chart::{Chart, comparison};
use crate::experiment::churn::ChurnReport;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Stages,
    Slices,
}

impl View {
    const ALL: [Self; 2] = [Self::Stages, Self::Slices];

    const fn text(self) -> &'static str {
        match self {
            Self::Stages => "Over stages",
            Self::Slices => "Who is affected",
        }
    }

    const fn tooltip(self) -> &'static str {
        match self {
            Self::Stages => "How far the data and each method's recommendations move with every stage",
            Self::Slices => "Which kinds of users and targets see other recommendations, and whether these are better",
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
    measure: ChurnMeasure,
    /// Ids of the runs that are shown; one an experiment until the user chooses.
    shown: Option<BTreeSet<String>>,
    /// Id of the run whose slices are shown.
    sliced: Option<String>,
}

impl DriftPanel {
    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let runs = measured_runs(session, 2);
        if runs.is_empty() {
            let advice = "Drift appears when the second stage of a run is trained and tested. Press Run all to start";
            widgets::empty_state(ui, "No stage to compare with another yet", advice);
            return;
        }
        let shown: Vec<&Arc<RunView>> = match self.view {
            View::Stages => self.shown_runs(&runs),
            View::Slices => vec![self.sliced_run(&runs)],
        };
        let (mut reports, mut problems, mut missing) = (Vec::new(), Vec::new(), 0);
        for run in &shown {
            let question = Arc::new(Question::Churn(RunStamp::of(run)));
            match session.reports.look(&question, Report::churn) {
                Found::Ready(report) => reports.push((*run, report)),
                Found::Failed(error) => problems.push((question, error)),
                Found::Pending => {
                    missing += 1;
                    context.actions.push(Action::Ask(question));
                }
            }
        }
        let chart = Arc::new(self.chart(context, &reports));
        ui.horizontal(|ui| {
            for view in View::ALL {
                ui.selectable_value(&mut self.view, view, view.text()).on_hover_text(view.tooltip());
            }
            chart_actions(ui, context, &chart);
        });
        ui.horizontal_wrapped(|ui| self.choices(ui, &runs));
        widgets::remark(ui, self.view.explanation());
        if missing > 0 {
            waiting(ui, &format!("Comparing the lists of {}", widgets::counted(missing, "run")));
        }
        for (question, error) in &problems {
            failed(ui, context, error, question);
        }
        ui.add_space(space::XS);
        if !reports.is_empty() {
            chart_card(ui, &chart, "drift chart");
            context.charts.push(chart);
        }
    }

    fn chart(&self, context: &Context<'_>, reports: &[(&Arc<RunView>, &ChurnReport)]) -> Chart {
        let synthetic = context.session.synthetic();
        match self.view {
            View::Stages => {
                let looks = comparison::looks(&context.session.results);
                let look = |run: &RunView| looks.get(&run.id).copied().unwrap_or(Look::baseline(0));
                let lines: Vec<_> = reports.iter().map(|(run, report)| (*report, look(run))).collect();
                churn::over_stages(&lines, self.measure, &[], synthetic)
            }
            View::Slices => match reports.first() {
                Some((_, report)) => churn::by_slice(report, synthetic),
                None => Chart::empty("Who is affected", "The lists are being compared"),
            },
        }
    }

    fn shown_runs<'r>(&self, runs: &[&'r Arc<RunView>]) -> Vec<&'r Arc<RunView>> {
        match &self.shown {
            Some(shown) => runs.iter().filter(|run| shown.contains(&run.id)).copied().collect(),
            None => one_an_experiment(runs),
        }
    }

    /// The run that the user chose, if it is still there; else the first that learns.
    fn sliced_run<'r>(&self, runs: &[&'r Arc<RunView>]) -> &'r Arc<RunView> {
        let chosen = runs.iter().find(|run| Some(&run.id) == self.sliced.as_ref());
        let learned = || runs.iter().find(|run| run.config.method.is_learned());
        chosen.or_else(learned).copied().unwrap_or(runs[0])
    }

    fn choices(&mut self, ui: &mut Ui, runs: &[&Arc<RunView>]) {
        match self.view {
            View::Stages => {
                let label = ui.label("Measure");
                let combo = ComboBox::from_id_salt("churn measure").selected_text(self.measure.label()).width(190.0);
                let combo = combo.show_ui(ui, |ui| {
                    for measure in ChurnMeasure::ALL {
                        ui.selectable_value(&mut self.measure, measure, measure.label());
                    }
                });
                combo.response.labelled_by(label.id);
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
            }
            View::Slices => {
                let now = self.sliced_run(runs);
                let label = ui.label("Run");
                let combo = ComboBox::from_id_salt("sliced run").selected_text(run_label(now, runs)).width(220.0);
                let combo = combo.truncate().show_ui(ui, |ui| {
                    for run in runs {
                        if ui.selectable_label(run.id == now.id, run_label(run, runs)).clicked() {
                            self.sliced = Some(run.id.clone());
                        }
                    }
                });
                combo.response.labelled_by(label.id);
            }
        }
    }
}
