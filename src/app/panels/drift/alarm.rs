//! The drift alarm: since when the model of stage 1 serves its users worse.

use std::sync::Arc;

use eframe::egui;
use egui::{DragValue, Ui};

use crate::app::panels::{
    Context, answered, chart_actions, choice, explained_chart_card, explanation, protocol_choice, protocol_of,
    run_label,
};
use crate::app::queries::alarm::Alarm;
use crate::app::queries::data::ProjectData;
use crate::app::queries::{Answer, RunStamp};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::FigureOptions;
use crate::figures::alarm::{Beside, SPEC, chart};
use crate::figures::options::variant_name;
use crate::plot::Chart;
use crate::project::board::PinnedFigure;
use crate::results::alarm::AlarmSettings;

/// What is watched, and how.
#[derive(Debug, Default)]
pub(super) struct AlarmTab {
    /// Id of the run; the first one of Frozen until the user chooses.
    run: Option<String>,
    settings: AlarmSettings,
    beside: Beside,
    /// The alarm as a chart, with what it is of.
    chart: Option<(Alarm, Beside, Arc<Chart>)>,
}

const EXPLANATION: &str = "Whether the model of stage 1, which no longer learns, serves its users worse than at first. A gambler bets on it test after test: where nothing changes the capital hardly ever reaches the line, and where it does, an update would pay from there on.";

impl AlarmTab {
    /// Draws what is below the row of tabs. `runs` have finished two stages at least.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        protocol: &mut Option<Protocol>,
    ) {
        let adapted: Vec<&Arc<RunView>> =
            runs.iter().copied().filter(|run| run.config.method.adapter_method().is_some()).collect();
        let frozen = || adapted.iter().find(|run| run.config.method.key() == "frozen").or(adapted.first());
        let chosen = adapted.iter().find(|run| Some(&run.id) == self.run.as_ref()).or_else(frozen);
        let Some(&run) = chosen else {
            let advice = "The alarm is of a language model that an experiment adapts. Press Run all to start";
            widgets::empty_state(ui, "No model to watch yet", advice);
            return;
        };
        let query = Alarm {
            run: RunStamp::of(run),
            data: ProjectData::of(context.session.project()),
            protocol: protocol_of(context, *protocol),
            settings: self.settings,
        };
        ui.horizontal_wrapped(|ui| {
            let mut now = run.id.clone();
            let options: Vec<_> = adapted.iter().map(|run| (run.id.clone(), run_label(run, &adapted))).collect();
            let of_run = choice(ui, ("Run", 190.0), &mut now, &options);
            if of_run.on_hover_text("Its model as it was after stage 1, whatever it learned later").changed() {
                self.run = Some(now);
            }
            self.choices(ui, run.config.stages);
            protocol_choice(ui, context, protocol);
            if let Some(chart) = self.chart(context, &query) {
                chart_actions(ui, context, &chart, self.pinned(run, &query));
                context.charts.insert(0, chart);
            }
        });
        explanation(ui, EXPLANATION);
        if answered(ui, context, &query, "Watching the model of stage 1").is_none() {
            return;
        }
        if let Some((_, _, chart)) = &self.chart {
            explained_chart_card(ui, chart, "alarm chart");
        }
    }

    fn choices(&mut self, ui: &mut Ui, stages: usize) {
        choice(ui, ("Show", 110.0), &mut self.beside, &Beside::ALL.map(|beside| (beside, beside.label().to_owned())));
        let references: Vec<_> = (1..stages).map(|stage| (stage, format!("stage {stage}"))).collect();
        choice(ui, ("Against", 90.0), &mut self.settings.reference, &references).on_hover_text(
            "The stage that later ones are held against. In stage 1 the model does better than later whatever drifts, as it has learned from these users",
        );
        let label = ui.label("False alarms");
        let mut percent = 100.0 * (1.0 - self.settings.confidence);
        let drag = DragValue::new(&mut percent).range(0.1..=50.0).speed(0.2).max_decimals(1).suffix(" %");
        let chance = ui.add(drag.update_while_editing(false)).labelled_by(label.id);
        if chance
            .on_hover_text("In how many of 100 projects in which nothing changes an alarm is raised, at most")
            .changed()
        {
            self.settings.confidence = 1.0 - percent / 100.0;
        }
    }

    /// What makes the chart anew.
    fn pinned(&self, run: &RunView, query: &Alarm) -> PinnedFigure {
        let options = FigureOptions {
            run: Some(run.id.clone()),
            variant: variant_name(self.beside),
            confidence: Some(self.settings.confidence),
            reference: Some(self.settings.reference),
            ..FigureOptions::default()
        };
        PinnedFigure::new(SPEC.name, options, query.protocol)
    }

    /// The answer to the query as a chart.
    fn chart(&mut self, context: &Context<'_>, query: &Alarm) -> Option<Arc<Chart>> {
        let Answer::Ready(alarm) = context.session.queries.get(query) else { return None };
        match &self.chart {
            Some((of, beside, chart)) if (of, *beside) == (query, self.beside) => Some(Arc::clone(chart)),
            _ => {
                let made = Arc::new(chart(alarm, self.beside));
                self.chart = Some((query.clone(), self.beside, Arc::clone(&made)));
                Some(made)
            }
        }
    }
}
