//! Directions through the stages, of one run or of two in one scale.

use std::sync::Arc;

use eframe::egui;
use egui::Ui;

use super::tabs::Tab;
use super::{
    Context, Reported, SubspacePanel, actions, answered, chart_actions, explained_marked_card, run_label, side_by_side,
};
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::DirectionsByStage;
use crate::app::theme;
use crate::app::watch::RunView;
use crate::figures;
use crate::figures::adapters::module_words;
use crate::figures::river::{RiverOf, direction_river};
use crate::plot::{Chart, Highlight, river};

impl SubspacePanel {
    /// One river, or two in one scale side by side.
    pub(super) fn rivers(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        of: [Option<Reported<'_>>; 2],
    ) {
        let synthetic = context.session.synthetic();
        let mut charts = Vec::new();
        let names: Vec<String> = of.iter().flatten().map(|shown| run_label(shown.run, runs)).collect();
        for (Reported { run, report, module, side, .. }, name) in of.into_iter().flatten().zip(&names) {
            let words = report.modules.iter().find(|found| found.name == module).map(module_words);
            let Some(words) = words else {
                charts.push(Chart::empty(
                    figures::river::SPEC.title,
                    format!("The adapter of {name} has no such module"),
                ));
                continue;
            };
            let query = DirectionsByStage { run: RunStamp::of(run), module: module.to_owned() };
            let what = format!("Following the directions of {name}");
            let directions = answered(ui, context, &query, &what);
            let of = RiverOf { module: &words, run: name };
            charts.extend(directions.map(|found| direction_river(found, &of, side, synthetic)));
        }
        river::in_one_scale(&mut charts);
        let shown: Vec<Arc<Chart>> = charts.into_iter().map(Arc::new).collect();
        match &shown[..] {
            [] => {}
            [only] => {
                if let Some(of) = of[0] {
                    actions(ui, context, only, self.pinned(of), self.corner);
                }
                self.river_card(ui, context, (only, of[0]), 0);
            }
            two => side_by_side(ui, two.len(), |ui, index| {
                ui.horizontal(|ui| {
                    ui.label(egui::RichText::new(&names[index]).family(theme::semi_bold()));
                    if let Some(of) = of[index] {
                        chart_actions(ui, context, &two[index], self.pinned(of));
                    }
                });
                self.river_card(ui, context, (&two[index], of[index]), index);
            }),
        }
    }

    /// A river, in which what is pointed at in the one beside stands out; a click on a bar shows what the direction means.
    fn river_card(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        (chart, of): (&Arc<Chart>, Option<Reported<'_>>),
        index: usize,
    ) {
        let stages = of.map_or(&[][..], |of| &of.report.stages);
        let place = of.and_then(|of| stages.iter().position(|stage| *stage == of.stage));
        let mut marked = Highlight {
            pointed: self.pointed[1 - index].clone(),
            framed: place.map(|stage| [stage, context.selection.direction]),
            ..Highlight::default()
        };
        explained_marked_card(ui, chart, ["river", "river beside"][index], &mut marked);
        if self.pointed[index] != marked.pointed {
            self.pointed[index] = marked.pointed;
            ui.request_repaint();
        }
        if let (Some([stage, direction]), Some(of)) = (marked.clicked, of) {
            context.selection.run = Some(of.run.id.clone());
            context.selection.stage = stages.get(stage).copied();
            context.selection.direction = direction;
            self.tab = Tab::Meaning;
        }
        context.charts.push(Arc::clone(chart));
    }
}
