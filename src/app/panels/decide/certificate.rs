//! The certificate for lambda: what users may lose at most, and under which pulls they certainly lose no more.

use std::sync::Arc;

use eframe::egui;
use egui::{DragValue, Ui};

use crate::app::action::{Action, SweepOf};
use crate::app::command::Command;
use crate::app::panels::{Context, answered, chart_actions, choice, explained_chart_card, explanation};
use crate::app::queries::Answer;
use crate::app::queries::certificate::Certified;
use crate::app::widgets;
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::FigureOptions;
use crate::figures::certificate::{SPEC, chart};
use crate::figures::slices::explanation as slice_words;
use crate::figures::words::metric_label;
use crate::measure::statistics::Claim;
use crate::measure::{Gain, Slice, UserMetric};
use crate::method::MethodOptions;
use crate::plot::Chart;
use crate::project::Project;
use crate::project::board::PinnedFigure;
use crate::results::certificate::{CertificateRequest, NoCertificate, USUAL_CLAIM};

/// What is asked for.
#[derive(Debug)]
pub(super) struct CertificateTab {
    slice: Option<Slice>,
    claim: Claim,
    gain: Gain,
    /// The certificate as a chart, with the query that it answers.
    chart: Option<(Certified, Arc<Chart>)>,
}

impl Default for CertificateTab {
    fn default() -> Self {
        Self { slice: None, claim: USUAL_CLAIM, gain: UserMetric::default().gain, chart: None }
    }
}

const EXPLANATION: &str = "Under which λ users lose no more than the limit against the baseline, for certain. One half of the test users says which λ is tested first, the other half, which chose nothing, certifies: the green band. That no λ qualifies is an answer too.";

impl CertificateTab {
    pub(super) fn query(
        &self,
        context: &Context<'_>,
        project: Arc<Project>,
        baseline: &str,
        protocol: Protocol,
    ) -> Certified {
        let request = CertificateRequest {
            slice: self.slice,
            claim: self.claim,
            metric: UserMetric { gain: self.gain, ..UserMetric::ndcg(project.evaluation.usual_cut_off()) },
            protocol,
            baseline: Some(baseline.to_owned()),
            experiment: None,
        };
        Certified::of(&context.session.rows, project, request)
    }

    /// What can be done with the chart, where there is one.
    pub(super) fn actions(&mut self, ui: &mut Ui, context: &mut Context<'_>, query: &Certified) {
        let Some(chart) = self.chart(context, query) else { return };
        let CertificateRequest { slice, claim, metric, protocol, baseline, .. } = &query.request;
        let options = FigureOptions {
            metric: metric.to_string(),
            baseline: baseline.clone(),
            slice: *slice,
            loss: Some(claim.loss),
            confidence: Some(claim.confidence),
            ..FigureOptions::default()
        };
        chart_actions(ui, context, &chart, PinnedFigure::new(SPEC.name, options, *protocol));
        context.charts.insert(0, chart);
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, query: &Certified) {
        ui.horizontal_wrapped(|ui| self.choices(ui, context.session.project()));
        explanation(ui, EXPLANATION);
        match answered(ui, context, query, "Certifying every λ") {
            None => return,
            Some(Err(why)) => return not_yet(ui, context, why),
            Some(Ok(_)) => {}
        }
        if let Some(chart) =
            self.chart(context, query).or_else(|| self.chart.as_ref().map(|(_, chart)| Arc::clone(chart)))
        {
            explained_chart_card(ui, &chart, "certificate chart");
        }
    }

    fn choices(&mut self, ui: &mut Ui, project: &Project) {
        let slices = Slice::all().map(|slice| (Some(slice), slice.to_string()));
        let slices: Vec<_> = std::iter::once((None, "all".to_owned())).chain(slices).collect();
        let words = self.slice.map_or("All test users", slice_words);
        choice(ui, ("Users", 110.0), &mut self.slice, &slices).on_hover_text(words);
        let cut_off = project.evaluation.usual_cut_off();
        let metrics = [UserMetric::ndcg(cut_off), UserMetric::hit(cut_off)];
        let metrics = metrics.map(|metric| (metric.gain, metric_label(&metric.to_string())));
        choice(ui, ("Metric", 110.0), &mut self.gain, &metrics);
        let label = ui.label("lose at most");
        let drag = DragValue::new(&mut self.claim.loss).range(-0.9..=0.9).speed(0.001).max_decimals(4);
        ui.add(drag.update_while_editing(false))
            .labelled_by(label.id)
            .on_hover_text("What users may lose on average, in the metric's own unit; below 0 they must gain");
        let label = ui.label("with confidence");
        let mut percent = 100.0 * self.claim.confidence;
        let drag = DragValue::new(&mut percent).range(50.0..=99.9).speed(0.5).max_decimals(1).suffix(" %");
        let confidence = ui.add(drag.update_while_editing(false)).labelled_by(label.id);
        if confidence.on_hover_text("Chance, at least, that all that is certified is true").changed() {
            self.claim.confidence = percent / 100.0;
        }
    }

    /// The answer to the query as a chart.
    fn chart(&mut self, context: &Context<'_>, query: &Certified) -> Option<Arc<Chart>> {
        let Answer::Ready(Ok(certificate)) = context.session.queries.get(query) else { return None };
        match &self.chart {
            Some((of, chart)) if of == query => Some(Arc::clone(chart)),
            _ => {
                let made = Arc::new(chart(certificate));
                self.chart = Some((query.clone(), Arc::clone(&made)));
                Some(made)
            }
        }
    }
}

/// What is missing for a certificate, and the step that brings it nearer.
fn not_yet(ui: &mut Ui, context: &mut Context<'_>, why: &NoCertificate) {
    if !matches!(why, NoCertificate::NoGrid(_)) {
        let error = InputError::from(why.clone());
        let advice = error.advice.map(|advice| widgets::sentence(&advice)).unwrap_or_default();
        return widgets::empty_state(ui, &widgets::sentence(&error.problem), &advice);
    }
    let swept = context.session.project().experiments.iter().find(|experiment| has_lambda(&experiment.method));
    let (advice, step, action) = match swept {
        Some(experiment) => (
            format!(
                "A certificate chooses among runs that differ in λ alone. Sweep the λ of {}, press Run all, and the band \
                 appears here",
                experiment.name
            ),
            "Sweep λ…",
            Action::EditSweep(SweepOf::Experiment(experiment.name.clone())),
        ),
        None => (
            "A certificate chooses among runs of a method that pulls towards its past, with several λ. The project has none"
                .to_owned(),
            "Add experiment…",
            Action::Command(Command::AddExperiment),
        ),
    };
    widgets::empty_state(ui, "There are no two values of λ yet", &advice);
    let press = |ui: &mut Ui| widgets::primary_button(ui, step).clicked();
    if ui.vertical_centered(press).inner {
        context.actions.push(action);
    }
}

fn has_lambda(method: &MethodOptions) -> bool {
    method.fields().iter().any(|field| field.path == "lambda")
}
