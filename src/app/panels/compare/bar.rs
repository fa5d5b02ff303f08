//! What is chosen above the comparison: the view, the metric, and what the view is about.

use std::sync::Arc;

use eframe::egui;
use egui::{ComboBox, Ui};

use super::cells::CONTINUAL;
use super::lines::Lines;
use super::{ComparePanel, View};
use crate::app::panels::{Context, chart_actions};
use crate::figures::cost::Cost;
use crate::figures::measures;
use crate::figures::slices;
use crate::figures::words::metric_label;
use crate::measure::Dimension;
use crate::plot::Chart;
use crate::results::comparison::Standing;

impl ComparePanel {
    pub(super) fn bar(&mut self, ui: &mut Ui, context: &mut Context<'_>, lines: &Lines, chart: &Arc<Chart>) {
        ui.horizontal_wrapped(|ui| {
            for view in View::ALL {
                ui.selectable_value(&mut self.view, view, view.text()).on_hover_text(view.tooltip());
            }
            if let Some(figure) = self.pinned(lines) {
                chart_actions(ui, context, chart, figure);
            }
        });
        if self.view == View::Settings {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            self.metric_combo(ui, lines);
            super::super::protocol_choice(ui, context, &mut self.protocol);
            match self.view {
                View::Cost => self.cost_combo(ui),
                View::Slices => self.slices_options(ui, lines),
                View::Fairness => self.fairness_options(ui, lines),
                View::Matrix => self.matrix_combos(ui, lines),
                View::Gains => self.baseline_combo(ui, lines),
                View::Table | View::Parallel => self.table_options(ui, lines),
                View::Stages | View::Settings => {}
            }
            self.seeds_switch(ui, lines);
        });
    }

    fn metric_combo(&mut self, ui: &mut Ui, lines: &Lines) {
        let label = ui.label("Metric");
        let combo = ComboBox::from_id_salt("metric")
            .selected_text(metric_label(&self.metric))
            .width(110.0)
            .height(420.0)
            .show_ui(ui, |ui| {
                for metric in &lines.metrics {
                    let label = metric_label(metric);
                    let explained = measures::text(&label);
                    ui.selectable_value(&mut self.metric, metric.clone(), label).on_hover_text(explained);
                }
            });
        combo.response.labelled_by(label.id);
    }

    fn slices_options(&mut self, ui: &mut Ui, lines: &Lines) {
        let text = |dimension: Option<Dimension>| dimension.map_or("All kinds", slices::label);
        let label = ui.label("Slices of");
        let combo = ComboBox::from_id_salt("slices").selected_text(text(self.slices_of)).width(110.0);
        let combo = combo.show_ui(ui, |ui| {
            for dimension in [None].into_iter().chain(Dimension::ALL.map(Some)) {
                ui.selectable_value(&mut self.slices_of, dimension, text(dimension));
            }
        });
        combo.response.labelled_by(label.id);
        ui.selectable_value(&mut self.slices_as_table, false, "As chart");
        ui.selectable_value(&mut self.slices_as_table, true, "As table");
        self.one_a_method(ui, lines);
    }

    fn cost_combo(&mut self, ui: &mut Ui) {
        let label = ui.label("Against");
        let combo = ComboBox::from_id_salt("cost").selected_text(self.cost.label()).width(190.0).show_ui(ui, |ui| {
            for cost in Cost::ALL {
                let choice = ui.selectable_value(&mut self.cost, cost, cost.label());
                choice.on_hover_text(measures::text(cost.label()));
            }
        });
        combo.response.labelled_by(label.id);
    }

    fn matrix_combos(&mut self, ui: &mut Ui, lines: &Lines) {
        let shown = self.matrix_lines(lines);
        for (index, (words, salt)) in [("Line", "matrix line"), ("Beside", "matrix beside")].into_iter().enumerate() {
            let label = ui.label(words);
            let now = shown[index].clone().unwrap_or_else(|| "Nothing".to_owned());
            let combo = ComboBox::from_id_salt(salt).selected_text(now).width(190.0).truncate().show_ui(ui, |ui| {
                if index == 1 {
                    ui.selectable_value(&mut self.matrix_of[1], None, "Nothing");
                }
                for line in &lines.all {
                    ui.selectable_value(&mut self.matrix_of[index], Some(line.name.clone()), &line.name);
                }
            });
            combo.response.labelled_by(label.id);
        }
    }

    pub(super) fn baseline_combo(&mut self, ui: &mut Ui, lines: &Lines) {
        let now = self.baseline_place(lines).map(|index| lines.all[index].name.clone()).unwrap_or_default();
        let label = ui.label("Baseline");
        let combo = ComboBox::from_id_salt("baseline").selected_text(&now).width(170.0).truncate().show_ui(ui, |ui| {
            for line in &lines.all {
                if ui.selectable_label(line.name == now, &line.name).clicked() {
                    self.baseline = Some(line.name.clone());
                }
            }
        });
        combo.response.labelled_by(label.id);
    }

    fn table_options(&mut self, ui: &mut Ui, lines: &Lines) {
        self.baseline_combo(ui, lines);
        ui.menu_button("Columns…", |ui| {
            for metric in lines.metrics.iter().filter(|metric| **metric != self.metric) {
                let mut on = self.others.contains(metric);
                let label = metric_label(metric);
                let explained = measures::text(&label);
                if ui.checkbox(&mut on, label).on_hover_text(explained).changed() {
                    if on {
                        self.others.insert(metric.clone());
                    } else {
                        self.others.remove(metric);
                    }
                }
            }
            ui.separator();
            for key in CONTINUAL {
                let mut on = self.continual.contains(key);
                let label = measures::label(key);
                if ui.checkbox(&mut on, label).on_hover_text(measures::text(label)).changed() {
                    if on {
                        self.continual.insert(key);
                    } else {
                        self.continual.remove(key);
                    }
                }
            }
        });
        self.one_a_method(ui, lines);
    }

    pub(super) fn one_a_method(&mut self, ui: &mut Ui, lines: &Lines) {
        let several = lines.standings.contains(&Standing::Passed);
        let choice = ui.add_enabled(
            several,
            egui::Checkbox::new(&mut self.table.one_a_method, "One line per method, chosen by validation"),
        );
        choice
            .on_hover_text("Of several configurations of one method only the one with the lowest validation loss is listed: to choose by test results would flatter")
            .on_disabled_hover_text("No method has several configurations with finished runs");
    }

    fn seeds_switch(&mut self, ui: &mut Ui, lines: &Lines) {
        let several = self.all_seeds || lines.basis.left_out > 0;
        let switch = ui.add_enabled(several, egui::Checkbox::new(&mut self.all_seeds, "All seeds"));
        switch
            .on_hover_text("Each line over its own seeds, also over those that the project no longer asks for, instead of all lines over the seeds that they share")
            .on_disabled_hover_text("All lines have the same seeds");
    }
}
