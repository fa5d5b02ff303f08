//! How far each stage's data lies from those before it: measures in a table and over the stages, users, and targets.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{Align, Layout, ScrollArea, Ui, Vec2};
use egui_extras::{Column, TableBuilder};

use super::LoadedData;
use crate::app::panels::{Context, chart_actions, choice, explained_chart_card, explanation};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::{DataDrift, Protocol};
use crate::figures::data_drift::DriftMeasure;
use crate::figures::{FigureOptions, data_drift};
use crate::plot::Chart;
use crate::plot::scale::value_label;
use crate::project::board::PinnedFigure;

/// What the chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pictured {
    #[default]
    Measures,
    Users,
    SameBlock,
    NextBlock,
}

impl Pictured {
    const ALL: [Self; 4] = [Self::Measures, Self::Users, Self::SameBlock, Self::NextBlock];

    const fn text(self) -> &'static str {
        match self {
            Self::Measures => "Measures of drift",
            Self::Users => "New and returning users",
            Self::SameBlock => "Warm and cold targets",
            Self::NextBlock => "Warm and cold targets, next-block",
        }
    }

    /// The name of its chart among those of the figure.
    fn chart_name(self) -> String {
        let name = match self {
            Self::Measures => "measures",
            Self::Users => "users",
            Self::SameBlock => Protocol::SameBlock.key(),
            Self::NextBlock => Protocol::NextBlock.key(),
        };
        format!("{}-{name}", data_drift::SPEC.name)
    }

    /// For those who decide and do not compute.
    const fn explanation(self) -> &'static str {
        match self {
            Self::Measures => {
                "Each number compares a stage with the one before, or with all before where it counts what is new. The further users, items and codes move, the more a recommender must learn, and the less its past is worth."
            }
            Self::Users => {
                "New users have no past to keep, returning users do; dormant ones were last seen in stage 1. The more of them a stage has, the more forgetting costs."
            }
            Self::SameBlock | Self::NextBlock => {
                "A warm target was seen in an earlier stage, so a model may know it; a cold one was not. Only what is learned in the stage itself can find cold targets."
            }
        }
    }
}

/// State of the tab.
#[derive(Debug, Default)]
pub(super) struct DriftTab {
    pictured: Pictured,
    /// Measures in the chart; the usual ones until the user chooses.
    drawn: Option<BTreeSet<DriftMeasure>>,
}

/// Measures that are drawn at first.
const USUAL: [DriftMeasure; 4] =
    [DriftMeasure::Items, DriftMeasure::NewUsers, DriftMeasure::NewItemInteractions, DriftMeasure::TopItems];
const LABEL_WIDTH: f32 = 236.0;
const VALUE_WIDTH: f32 = 74.0;
const CHART: [f32; 2] = [260.0, 520.0];

impl DriftTab {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, loaded: &LoadedData<'_>) {
        let report = loaded.report;
        let (drift, measures) = (&report.drift, DriftMeasure::of(&report.drift));
        let drawn: Vec<DriftMeasure> = measures.iter().copied().filter(|measure| self.is_drawn(*measure)).collect();
        let (name, synthetic) = (report.summary.name.as_str(), report.summary.synthetic);
        let chart = Arc::new(match self.pictured {
            Pictured::Measures => data_drift::measures(name, drift, &drawn, synthetic),
            Pictured::Users => data_drift::users(name, drift, synthetic),
            Pictured::SameBlock => data_drift::targets(name, drift, Protocol::SameBlock, synthetic),
            Pictured::NextBlock => data_drift::targets(name, drift, Protocol::NextBlock, synthetic),
        });
        ui.horizontal_wrapped(|ui| {
            let options = Pictured::ALL.map(|pictured| (pictured, pictured.text().to_owned()));
            choice(ui, ("Chart", 230.0), &mut self.pictured, &options);
            chart_actions(ui, context, &chart, self.pinned(&measures));
        });
        explanation(ui, self.pictured.explanation());
        ScrollArea::vertical().id_salt("data drift").auto_shrink(false).show(ui, |ui| {
            self.chart_ui(ui, &chart, measures.len());
            ui.add_space(space::S);
            self.table(ui, drift, &measures);
        });
        context.charts.push(chart);
    }

    /// What makes the chart anew.
    fn pinned(&self, measures: &[DriftMeasure]) -> PinnedFigure {
        let mut options = FigureOptions { chart: Some(self.pictured.chart_name()), ..FigureOptions::default() };
        if self.pictured == Pictured::Measures {
            let left_out = measures.iter().filter(|measure| !self.is_drawn(**measure));
            options.hidden = left_out.map(|measure| measure.label().to_owned()).collect();
        }
        PinnedFigure::new(data_drift::SPEC.name, options, Protocol::default())
    }

    fn is_drawn(&self, measure: DriftMeasure) -> bool {
        self.drawn.as_ref().map_or_else(|| USUAL.contains(&measure), |drawn| drawn.contains(&measure))
    }

    fn chart_ui(&self, ui: &mut Ui, chart: &Chart, rows: usize) {
        let table = 24.0 + rows as f32 * theme::ROW_HEIGHT + 40.0;
        let height = (ui.available_height() - table).clamp(CHART[0], CHART[1]);
        ui.allocate_ui(Vec2::new(ui.available_width(), height), |ui| explained_chart_card(ui, chart, "data drift"));
    }

    /// A row a measure with its values by stage; its mark draws it.
    fn table(&mut self, ui: &mut Ui, drift: &DataDrift, measures: &[DriftMeasure]) {
        theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(10, 4)).show(ui, |ui| {
            ScrollArea::horizontal().id_salt("drift table").show(ui, |ui| {
                let right = Layout::right_to_left(Align::Center);
                let table = TableBuilder::new(ui).id_salt("drift measures").vscroll(false);
                let table = table.cell_layout(Layout::left_to_right(Align::Center));
                let table = table.column(Column::exact(LABEL_WIDTH));
                let table = table.columns(Column::exact(VALUE_WIDTH), drift.stages.len());
                let header = table.header(24.0, |mut header| {
                    header.col(|ui| {
                        widgets::remark(ui, "Measure, marked ones are drawn");
                    });
                    for stage in &drift.stages {
                        header.col(|ui| {
                            ui.with_layout(right, |ui| widgets::remark(ui, format!("Stage {}", stage.stage)));
                        });
                    }
                });
                header.body(|body| {
                    body.rows(theme::ROW_HEIGHT, measures.len(), |mut row| {
                        let measure = measures[row.index()];
                        row.col(|ui| self.mark(ui, measure, measures));
                        for stage in &drift.stages {
                            row.col(|ui| {
                                let words = measure.value(stage).map_or_else(|| "–".to_owned(), value_label);
                                ui.with_layout(right, |ui| ui.label(words));
                            });
                        }
                    });
                });
            });
        });
    }

    fn mark(&mut self, ui: &mut Ui, measure: DriftMeasure, measures: &[DriftMeasure]) {
        let mut on = self.is_drawn(measure);
        let mark = ui.checkbox(&mut on, measure.label()).on_hover_text(measure.explanation());
        if mark.changed() {
            let mut drawn: BTreeSet<_> = measures.iter().copied().filter(|other| self.is_drawn(*other)).collect();
            if on {
                drawn.insert(measure);
            } else {
                drawn.remove(&measure);
            }
            self.drawn = Some(drawn);
            // A mark is a wish to see the measure.
            self.pictured = Pictured::Measures;
        }
    }
}
