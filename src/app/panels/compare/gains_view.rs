//! What each method gains, as a chart and a sentence each.

use eframe::egui;
use egui::{RichText, ScrollArea, Ui, Vec2};

use super::ComparePanel;
use super::lines::Lines;
use super::table::swatch;
use crate::app::panels::{Context, answered, marked_chart_card};
use crate::app::queries::comparison::Verdicts;
use crate::app::theme::space;
use crate::figures::gains::{GainsReport, SPEC, gains};
use crate::figures::{Provenance as _, Styled};
use crate::plot::{Chart, Highlight};
use crate::results::comparison::{ComparisonLine, Judged};
use crate::results::plain_words::sentence;

/// Share of the view that sentences take at most.
const SENTENCES: f32 = 0.4;
/// Height of a sentence on one line, with what is between two.
const LINE: f32 = 24.0;

impl ComparePanel {
    /// What is known of each line against the baseline; none while it is computed.
    pub(super) fn judged<'s>(&self, context: &Context<'s>, lines: &Lines) -> Option<&'s [Judged]> {
        let session: &'s _ = context.session;
        session.queries.get(&self.verdicts(context, lines)?).ready().map(Vec::as_slice)
    }

    /// The question that asks for it; none where there is no line.
    pub(super) fn verdicts(&self, context: &Context<'_>, lines: &Lines) -> Option<Verdicts> {
        let baseline = self.baseline_place(lines)?;
        Some(Verdicts { compared: lines.compared(context.session, &self.metric), baseline })
    }

    pub(super) fn gains_chart(&self, context: &Context<'_>, lines: &Lines, synthetic: bool) -> Chart {
        let (Some(baseline), Some(judged)) = (self.baseline_place(lines), self.judged(context, lines)) else {
            let missing = match self.verdicts(context, lines) {
                Some(_) => "The test users of all lines are being compared",
                None => "No run is finished yet: gains are those of finished runs",
            };
            return Chart::empty(SPEC.title, missing).synthetic(synthetic);
        };
        // The baseline is there even where validation passed it.
        let mut places: Vec<usize> = self.places(lines).collect();
        if !places.contains(&baseline) {
            places.push(baseline);
        }
        let styled: Vec<Styled<'_, ComparisonLine>> = places.iter().map(|&index| super::styled(lines, index)).collect();
        let judged: Vec<Judged> = places.iter().filter_map(|&index| judged.get(index).cloned()).collect();
        let baseline = places.iter().position(|&index| index == baseline).unwrap_or(0);
        let report = GainsReport { lines: &styled, judged: &judged, baseline, metric: &self.metric };
        gains(&report, synthetic)
    }

    pub(super) fn gains(&self, ui: &mut Ui, context: &mut Context<'_>, lines: &Lines, chart: &Chart) {
        let (Some(query), Some(baseline)) = (self.verdicts(context, lines), self.baseline_place(lines)) else {
            return marked_chart_card(ui, chart, "gains chart", &mut Highlight::default());
        };
        let Some(judged) = answered(ui, context, &query, "Comparing the test users of all lines") else { return };
        let against = &lines.all[baseline].name;
        let said: Vec<(usize, String)> = self
            .places(lines)
            .filter_map(|index| Some((index, sentence(&lines.all[index].name, against, judged.get(index)?)?)))
            .collect();
        let height = ui.available_height();
        let below = (said.len() as f32 * LINE + space::S).min(height * SENTENCES);
        ui.allocate_ui(Vec2::new(ui.available_width(), height - below - space::S), |ui| {
            marked_chart_card(ui, chart, "gains chart", &mut Highlight::default());
        });
        ScrollArea::vertical().id_salt("gains in words").auto_shrink([false, false]).max_height(below).show(ui, |ui| {
            for (index, words) in said {
                ui.horizontal_wrapped(|ui| {
                    swatch(ui, lines.styles[index]);
                    ui.label(RichText::new(words));
                });
            }
        });
    }
}
