//! Methods against each other: a metric over the stages, its mean and plain differences, and the matrix R[i,j].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eframe::egui;
use egui::{Align, ComboBox, Layout, RichText, ScrollArea, Ui, Vec2};
use egui_extras::{Column, TableBuilder};

use super::Context;
use crate::app::session::Row;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::chart::Chart;
use crate::chart::comparison::{self, ComparisonOptions};
use crate::experiment::results::{Results, RunResult};

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Drawing {
    #[default]
    Stages,
    Matrix,
}

/// State of the panel.
#[derive(Debug)]
pub(crate) struct ComparePanel {
    metric: String,
    drawing: Drawing,
    /// Id of the run whose matrix is shown; the first if it is gone.
    matrix_of: String,
    /// The experiment that the others are held against.
    against: Option<String>,
    made: Option<Made>,
}

impl Default for ComparePanel {
    fn default() -> Self {
        Self {
            metric: "ndcg@10".to_owned(),
            drawing: Drawing::default(),
            matrix_of: String::new(),
            against: None,
            made: None,
        }
    }
}

/// What was made from the results, and from which.
#[derive(Debug)]
struct Made {
    key: Key,
    chart: Arc<Chart>,
    means: Vec<Mean>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    session: u64,
    revision: u64,
    metric: String,
    drawing: Drawing,
    matrix_of: String,
}

/// An experiment's mean over the stages from 2 on.
#[derive(Debug, Clone, PartialEq)]
struct Mean {
    name: String,
    seeds: usize,
    /// Mean over seeds of each seed's mean over stages, and the least and the greatest seed.
    value: f64,
    range: [f64; 2],
    /// Stages that every seed has finished.
    stages: BTreeSet<usize>,
}

/// Width from which the table stands beside the chart.
const WIDE: f32 = 820.0;
const TABLE: f32 = 320.0;

impl ComparePanel {
    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let results = Arc::clone(&context.session.results);
        if results.runs.iter().all(|run| run.stages.is_empty()) {
            let advice =
                "Methods appear here as soon as their first stage is trained and tested. Press Run all to start";
            widgets::empty_state(ui, "Nothing to compare yet", advice);
            return;
        }
        let chart = self.make(context, &results);
        self.bar(ui, context, &results, &chart);
        ui.add_space(space::XS);
        let size = ui.available_size();
        if size.x >= WIDE {
            ui.horizontal_top(|ui| {
                let width = size.x - TABLE - space::M;
                ui.allocate_ui(Vec2::new(width, size.y), |ui| {
                    ui.set_width(width);
                    ui.vertical(|ui| super::chart_card(ui, &chart, "comparison chart"));
                });
                ui.vertical(|ui| self.table(ui));
            });
        } else {
            let height = (size.y - 150.0).max(200.0);
            ui.allocate_ui(Vec2::new(size.x, height), |ui| {
                ui.set_max_height(height);
                super::chart_card(ui, &chart, "comparison chart");
            });
            self.table(ui);
        }
        context.charts.insert(0, chart);
    }

    /// The chart and the means, made anew when the results or the choices have changed.
    fn make(&mut self, context: &Context<'_>, results: &Results) -> Arc<Chart> {
        let metrics = metrics_of(results);
        if !metrics.contains(&self.metric)
            && let Some(first) = metrics.first()
        {
            self.metric.clone_from(first);
        }
        let has_matrix = |id: &str| results.runs.iter().any(|run| run.run == id && !run.matrix.is_empty());
        if !has_matrix(&self.matrix_of) {
            let first = context.session.rows.iter().find(|row| has_matrix(&row.id));
            self.matrix_of = first.map(|row| row.id.clone()).unwrap_or_default();
        }
        let key = Key {
            session: context.session.number,
            revision: context.session.results_revision,
            metric: self.metric.clone(),
            drawing: self.drawing,
            matrix_of: self.matrix_of.clone(),
        };
        if let Some(made) = self.made.as_ref().filter(|made| made.key == key) {
            return Arc::clone(&made.chart);
        }
        let synthetic = context.session.synthetic();
        let results = &in_project_order(results, &context.session.rows);
        let matrix_run = results.runs.iter().find(|run| run.run == self.matrix_of);
        let chart = match (self.drawing, matrix_run) {
            (Drawing::Matrix, Some(run)) => comparison::matrix(run, &self.metric).synthetic(synthetic),
            _ => {
                let options = ComparisonOptions { synthetic, ..Default::default() };
                comparison::over_stages(results, &self.metric, &options)
            }
        };
        let chart = Arc::new(chart);
        self.made = Some(Made { key, chart: Arc::clone(&chart), means: means(results, &self.metric) });
        chart
    }

    fn bar(&mut self, ui: &mut Ui, context: &mut Context<'_>, results: &Results, chart: &Arc<Chart>) {
        ui.horizontal(|ui| {
            let label = ui.label("Metric");
            let combo = ComboBox::from_id_salt("metric")
                .selected_text(comparison::metric_label(&self.metric))
                .width(150.0)
                .height(420.0)
                .show_ui(ui, |ui| {
                    for metric in metrics_of(results) {
                        let text = comparison::metric_label(&metric);
                        ui.selectable_value(&mut self.metric, metric, text);
                    }
                });
            combo.response.labelled_by(label.id);
            ui.add_space(space::S);
            ui.selectable_value(&mut self.drawing, Drawing::Stages, "By stage")
                .on_hover_text("Every method over the stages, tested on the stage it was just trained on");
            ui.selectable_value(&mut self.drawing, Drawing::Matrix, "Matrix R[i,j]")
                .on_hover_text("One run tested on every stage after every stage: what it keeps and what it forgets");
            if self.drawing == Drawing::Matrix {
                self.run_picker(ui, results);
            }
            super::chart_actions(ui, context, chart);
        });
    }

    fn run_picker(&mut self, ui: &mut Ui, results: &Results) {
        let name = |run: &RunResult| {
            let label = comparison::experiment_label(run);
            if is_baseline(run) { label } else { format!("{label}, seed {}", run.seed) }
        };
        let current = results.runs.iter().find(|run| run.run == self.matrix_of).map(name).unwrap_or_default();
        let label = ui.label("Run");
        let combo =
            ComboBox::from_id_salt("matrix run").selected_text(current).width(190.0).truncate().show_ui(ui, |ui| {
                for run in results.runs.iter().filter(|run| !run.matrix.is_empty()) {
                    ui.selectable_value(&mut self.matrix_of, run.run.clone(), name(run));
                }
            });
        combo.response.labelled_by(label.id);
    }

    /// Means over the stages from 2 on, and how far each is from the one that is held against.
    fn table(&mut self, ui: &mut Ui) {
        let Some(made) = &self.made else { return };
        // Until the user chooses, the method without any pull is what the others are held against.
        let named = |name: &str| made.means.iter().find(|mean| mean.name == name);
        let single = || made.means.iter().find(|mean| mean.name.contains("Single")).or(made.means.last());
        let reference = self.against.as_deref().and_then(named).or_else(single);
        let mut against = reference.map(|mean| mean.name.clone()).unwrap_or_default();
        let label = ui.label(RichText::new("Difference to").color(theme::tokens(ui).muted));
        let combo = ComboBox::from_id_salt("against").selected_text(against.clone()).width(200.0).truncate().show_ui(
            ui,
            |ui| {
                for mean in &made.means {
                    ui.selectable_value(&mut against, mean.name.clone(), &mean.name);
                }
            },
        );
        combo.response.labelled_by(label.id);
        if reference.is_none_or(|mean| mean.name != against) {
            self.against = Some(against);
        }
        theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.set_max_height((ui.available_height() - 58.0).max(60.0));
            means_table(ui, &made.means, reference);
        });
        let caption =
            "Mean over the finished stages from 2 on. A plain difference: it does not say whether it could be chance";
        widgets::remark(ui, caption);
    }
}

fn means_table(ui: &mut Ui, means: &[Mean], reference: Option<&Mean>) {
    if means.is_empty() {
        ui.weak("No stage after the first is finished yet");
        return;
    }
    let most_stages = means.iter().map(|mean| mean.stages.len()).max().unwrap_or(0);
    let whole = means.iter().filter(|mean| mean.stages.len() == most_stages);
    let best = whole.map(|mean| mean.value).fold(f64::NEG_INFINITY, f64::max);
    let right = Layout::right_to_left(Align::Center);
    ScrollArea::vertical().id_salt("means").show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        TableBuilder::new(ui)
            .id_salt("means table")
            .vscroll(false)
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().clip(true))
            .column(Column::exact(56.0))
            .column(Column::exact(90.0))
            .header(22.0, |mut header| {
                header.col(|ui| {
                    widgets::remark(ui, "Method");
                });
                for title in ["Mean", "Difference"] {
                    header.col(|ui| {
                        ui.with_layout(right, |ui| widgets::remark(ui, title));
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, means.len(), |mut row| {
                    let mean = &means[row.index()];
                    row.col(|ui| {
                        ui.add(egui::Label::new(&mean.name).truncate());
                    });
                    row.col(|ui| {
                        let text = RichText::new(format!("{:.4}", mean.value));
                        let text = if mean.value == best && mean.stages.len() == most_stages {
                            text.family(theme::semi_bold())
                        } else {
                            text
                        };
                        let what = format!(
                            "{}, {}, from {:.4} to {:.4}",
                            widgets::counted(mean.stages.len(), "stage"),
                            widgets::counted(mean.seeds, "seed"),
                            mean.range[0],
                            mean.range[1]
                        );
                        ui.with_layout(right, |ui| ui.label(text).on_hover_text(what));
                    });
                    row.col(|ui| {
                        ui.with_layout(right, |ui| difference(ui, mean, reference, most_stages));
                    });
                });
            });
    });
}

/// How far a mean is from another; none between means over different stages.
fn difference(ui: &mut Ui, mean: &Mean, reference: Option<&Mean>, most_stages: usize) {
    match reference {
        Some(reference) if mean.name == reference.name => {
            ui.weak("–");
        }
        Some(reference) if mean.stages == reference.stages => {
            ui.label(format!("{:+.4}", mean.value - reference.value));
        }
        _ => {
            let words = format!("{} of {most_stages} stages", mean.stages.len());
            widgets::remark(ui, words)
                .on_hover_text("The two have finished different stages, so their means cannot be compared yet");
        }
    }
}

fn is_baseline(run: &RunResult) -> bool {
    matches!(run.method.as_str(), "popularity" | "co_occurrence")
}

/// The results as the runs table lists them at first, so that methods keep the project's order, and with it their
/// colours.
fn in_project_order(results: &Results, rows: &[Row]) -> Results {
    let place = |run: &RunResult| rows.iter().position(|row| row.id == run.run).unwrap_or(usize::MAX);
    let mut results = results.clone();
    results.runs.sort_by_key(place);
    results
}

/// The metrics that some run has, the usual ones first.
fn metrics_of(results: &Results) -> Vec<String> {
    let all: BTreeSet<&String> =
        results.runs.iter().flat_map(|run| &run.stages).flat_map(|stage| stage.metrics.keys()).collect();
    let rank = |metric: &str| {
        let (kind, cutoff) = metric.split_once('@').unwrap_or((metric, "0"));
        let corrected = cutoff.ends_with("_corrected");
        let kind = ["ndcg", "hit"].iter().position(|known| *known == kind).unwrap_or(2);
        let cutoff: u32 = cutoff.trim_end_matches("_corrected").parse().unwrap_or(0);
        (corrected, kind, cutoff)
    };
    let mut metrics: Vec<String> = all.into_iter().cloned().collect();
    metrics.sort_by_key(|metric| rank(metric));
    metrics
}

/// Each experiment's mean over the stages from 2 on that all its seeds have finished, the best first.
fn means(results: &Results, metric: &str) -> Vec<Mean> {
    let mut by_name: BTreeMap<String, Vec<BTreeMap<usize, f64>>> = BTreeMap::new();
    for run in &results.runs {
        let later = run.stages.iter().filter(|stage| stage.stage >= 2);
        let values = later.filter_map(|stage| Some((stage.stage, *stage.metrics.get(metric)?))).collect();
        by_name.entry(comparison::experiment_label(run)).or_default().push(values);
    }
    let mut means: Vec<Mean> = by_name.into_iter().filter_map(|(name, seeds)| mean(name, &seeds)).collect();
    means.sort_by(|a, b| b.value.total_cmp(&a.value));
    means
}

/// The mean of one experiment; `seeds` has each run's values by stage.
fn mean(name: String, seeds: &[BTreeMap<usize, f64>]) -> Option<Mean> {
    let stages: BTreeSet<usize> = seeds
        .iter()
        .map(|values| values.keys().copied().collect::<BTreeSet<_>>())
        .reduce(|all, stages| &all & &stages)
        .filter(|stages| !stages.is_empty())?;
    let of_seed = |values: &BTreeMap<usize, f64>| {
        stages.iter().filter_map(|stage| values.get(stage)).sum::<f64>() / stages.len() as f64
    };
    let values: Vec<f64> = seeds.iter().map(of_seed).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let value = values.iter().sum::<f64>() / values.len() as f64;
    Some(Mean { name, seeds: seeds.len(), value, range: [least, greatest], stages })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_the_stages_that_every_seed_has() {
        let one = BTreeMap::from([(2, 0.1), (3, 0.3), (4, 0.9)]);
        let other = BTreeMap::from([(2, 0.3), (3, 0.5)]);
        let found = mean("PESO".to_owned(), &[one, other]).unwrap();
        assert_eq!(found.stages, BTreeSet::from([2, 3]));
        assert!((found.value - 0.3).abs() < 1e-12);
        assert!((found.range[0] - 0.2).abs() < 1e-12 && (found.range[1] - 0.4).abs() < 1e-12);
        assert_eq!(mean("PESO".to_owned(), &[BTreeMap::new()]), None);
    }
}
