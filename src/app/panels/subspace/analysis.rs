//! What is computed on request, by a process of its own: retention as theory predicts it, here, and the meaning of directions.

use std::sync::Arc;

use eframe::egui;
use egui::Ui;

use super::super::{Context, answered, is_short, run_label};
use super::{Reported, SubspacePanel};
use crate::app::action::Action;
use crate::app::queries::analyses::{AnalysisSource, Retention};
use crate::app::queries::subspace::Conflicts;
use crate::app::queries::{Answer, Query, RunStamp};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::figures::conflicts::conflicts;
use crate::figures::retention;

/// What is said of an analysis that is not there yet.
pub(super) struct Offer<'t> {
    pub(super) button: &'t str,
    pub(super) advice: &'t str,
    /// While it is computed.
    pub(super) doing: &'t str,
}

/// An analysis: from the run's folder where it is there; else offered, and computed when the user wants it.
pub(super) fn analysis<'s, Q: Query>(
    ui: &mut Ui,
    context: &mut Context<'s>,
    query: impl Fn(AnalysisSource) -> Q,
    offer: &Offer<'_>,
) -> Option<&'s Q::Answer> {
    let [cached, computed] = [AnalysisSource::Cached, AnalysisSource::Computed].map(query);
    let session = context.session;
    if session.queries.was_requested(&computed) {
        return answered(ui, context, &computed, offer.doing);
    }
    if matches!(session.queries.get(&cached), Answer::Cancelled) {
        // It was looked up, and is not there.
        widgets::empty_state(ui, "Not computed yet", offer.advice);
        ui.vertical_centered(|ui| {
            if widgets::primary_button(ui, offer.button).clicked() {
                context.actions.push(Action::compute(&computed));
            }
        });
        return None;
    }
    answered(ui, context, &cached, "Looking into the run's folder")
}

impl SubspacePanel {
    pub(super) fn retention(&self, ui: &mut Ui, context: &mut Context<'_>, runs: &[&Arc<RunView>], one: Reported<'_>) {
        let stage = one.stage;
        if one.run.config.method.key() != "peso" || stage < 2 {
            let advice = "Retention is that of PESO's proximal term: choose a run of PESO, and a stage from 2 on";
            widgets::empty_state(ui, "Nothing pulls toward the past here", advice);
            return;
        }
        let query = |source| Retention { run: RunStamp::until(one.run, stage), stage, source };
        let offer = Offer {
            button: "Measure retention",
            advice: "A process trains the stage again without the pull and takes the gradients of single examples. It takes about as long as the stage took, and the result is kept",
            doing: "Measuring retention",
        };
        if let Some(report) = analysis(ui, context, query, &offer) {
            let chart = retention::retention(report, &run_label(one.run, runs), self.movers);
            // How well the theory holds is said even where the chart has no room for it.
            if let Some(caption) = chart.caption.as_ref().filter(|_| is_short(ui)) {
                widgets::remark(ui, caption);
            }
            self.show(ui, context, chart, self.pinned(one));
        }
    }

    pub(super) fn conflicts(&self, ui: &mut Ui, context: &mut Context<'_>, runs: &[&Arc<RunView>], one: Reported<'_>) {
        let stage = one.stage;
        if stage < 2 {
            let advice =
                "There is nothing before the first stage that its gradients could conflict with. Choose one from 2 on";
            widgets::empty_state(ui, "No surgery here", advice);
            return;
        }
        let query = Conflicts { run: RunStamp::until(one.run, stage), stage };
        let Some(meetings) = answered(ui, context, &query, "Reading how the stage began") else { return };
        if meetings.is_empty() {
            let advice = "An older version trained this stage and kept nothing of its start. Train it again to see it";
            widgets::empty_state(ui, "Nothing was kept of how the stage began", advice);
            return;
        }
        let chart = conflicts(meetings, &run_label(one.run, runs), stage, context.session.synthetic());
        self.show(ui, context, chart, self.pinned(one));
    }
}
