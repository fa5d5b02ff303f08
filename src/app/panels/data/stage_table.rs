//! The stages in figures beyond their size: when they are, who comes, and what is trained and tested on.

use eframe::egui;
use egui::{Align, Layout, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::queries::data_report::DataReport;
use crate::app::theme;
use crate::app::widgets::{self, grouped};
use crate::calendar;
use crate::figures::measures;

/// A column: its title, the measure that it is, and its width.
const COLUMNS: [(&str, &str, f32); 13] = [
    ("Stage", "Stages", 40.0),
    ("From", "First interaction", 80.0),
    ("To", "Last interaction", 80.0),
    ("New", "New users", 48.0),
    ("Returning", "Returning users", 66.0),
    ("Dormant", "Dormant users", 60.0),
    ("New items", "New items", 64.0),
    ("Training", "Training targets", 60.0),
    ("Tests", "Test targets", 46.0),
    ("Warm", "Warm targets", 46.0),
    ("Cold", "Cold targets", 44.0),
    ("Next: warm", "Next-block tests", 74.0),
    ("Next: cold", "Next-block tests", 70.0),
];
/// Columns of dates, which data without times lack.
const DATES: std::ops::Range<usize> = 1..3;

/// Draws the table.
pub(super) fn ui(ui: &mut Ui, report: &DataReport) {
    let rows: Vec<[String; COLUMNS.len()]> = (0..report.summary.stages.len()).map(|stage| row(report, stage)).collect();
    let dated = rows.iter().any(|row| !row[DATES.start].is_empty());
    let shown: Vec<usize> = (0..COLUMNS.len()).filter(|column| dated || !DATES.contains(column)).collect();
    theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(10, 4)).show(ui, |ui| {
        egui::ScrollArea::horizontal().id_salt("stage table").show(ui, |ui| {
            let right = Layout::right_to_left(Align::Center);
            let layout = |column: usize| if column == 0 { Layout::left_to_right(Align::Center) } else { right };
            let mut table = TableBuilder::new(ui).id_salt("stage figures").vscroll(false).cell_layout(right);
            for &column in &shown {
                table = table.column(Column::exact(COLUMNS[column].2));
            }
            table
                .header(24.0, |mut header| {
                    for &column in &shown {
                        let (title, measure, _) = COLUMNS[column];
                        header.col(|ui| {
                            ui.with_layout(layout(column), |ui| {
                                widgets::remark(ui, title).on_hover_text(measures::text(measure))
                            });
                        });
                    }
                })
                .body(|body| {
                    body.rows(theme::ROW_HEIGHT, rows.len(), |mut line| {
                        let row = &rows[line.index()];
                        for &column in &shown {
                            line.col(|ui| {
                                ui.with_layout(layout(column), |ui| ui.label(&row[column]));
                            });
                        }
                    });
                });
        });
    });
    leak(ui, report);
}

/// What is trained on and lies after tests, where something does.
pub(super) fn leak(ui: &mut Ui, report: &DataReport) {
    let warning = report.import.as_ref().and_then(|(_, prepared)| prepared.leak_warning());
    if let Some(warning) = warning {
        ui.colored_label(theme::tokens(ui).warning, warning);
    }
}

/// What stands in the columns of a stage (index from 0).
fn row(report: &DataReport, stage: usize) -> [String; COLUMNS.len()] {
    let number = |value: usize| grouped(value as u64);
    let summary = &report.summary.stages[stage];
    let period = report.import.as_ref().and_then(|(_, prepared)| prepared.stages.get(stage)?.period);
    let date = |end: fn((i64, i64)) -> i64| period.map(|period| calendar::date(end(period))).unwrap_or_default();
    let drift = &report.drift.stages[stage];
    let (users, targets, next) = (drift.users, drift.same_block_targets, drift.next_block_targets);
    [
        summary.stage.to_string(),
        date(|(from, _)| from),
        date(|(_, to)| to),
        number(users.new),
        number(users.returning),
        number(users.dormant),
        number(summary.new_items),
        number(summary.training_examples),
        number(summary.test_users),
        number(targets.warm),
        number(targets.cold),
        number(next.warm),
        number(next.cold),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_measure() {
        for (title, measure, _) in COLUMNS {
            assert!(measures::definition(measure).is_some(), "{title}: {measure}");
        }
    }
}
