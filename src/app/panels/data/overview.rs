//! The dataset in figures: stages, users, items and semantic ids.

use eframe::egui;
use egui::{Align, Layout, RichText, ScrollArea, Ui, Vec2};
use egui_extras::{Column, TableBuilder};

use super::stage_table;
use crate::app::queries::data_report::DataReport;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::data::StageSummary;
use crate::data::formats::ImportReport;
use crate::error::InputError;
use crate::figures::provenance::SYNTHETIC;
use crate::project::SemanticIds;

/// Draws a dataset's figures.
pub(super) fn ui(ui: &mut Ui, report: &DataReport, source: &SemanticIds) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| report_ui(ui, report, source));
}

fn report_ui(ui: &mut Ui, report: &DataReport, source: &SemanticIds) {
    let summary = &report.summary;
    ui.horizontal(|ui| {
        widgets::section(ui, &summary.name);
        if summary.synthetic {
            widgets::pill(ui, SYNTHETIC, theme::tokens(ui).warning);
        }
    });
    let interactions: usize = summary.stages.iter().map(|stage| stage.interactions).sum();
    let figures = [
        (summary.stages.len(), "stages"),
        (summary.users, "users"),
        (summary.items, "items"),
        (interactions, "interactions"),
    ];
    let ids = report.missing_ids.is_none().then_some((summary.distinct_ids, "distinct semantic ids"));
    ui.horizontal_wrapped(|ui| {
        for (number, what) in figures.into_iter().chain(ids) {
            figure(ui, number, what);
        }
    });
    let titles = format!("{} of {} items have a title", grouped(summary.titles as u64), grouped(summary.items as u64));
    match &report.missing_ids {
        Some(error) => {
            widgets::remark(ui, titles);
            without_ids(ui, report, source, error);
        }
        None => {
            let codes: Vec<String> = summary.codes.iter().map(usize::to_string).collect();
            let shared = counted(summary.largest_collision, "item");
            let ids = format!("Ids of {} levels with {} codes", summary.levels, codes.join(" + "));
            widgets::remark(ui, format!("{ids}; at most {shared} share one id. {titles}"));
        }
    }
    if let Some(note) = source.note().filter(|_| !report.ids_not_made) {
        widgets::remark(ui, note);
    }
    if let Some((import, _)) = &report.import {
        imported_ui(ui, import);
    }
    ui.add_space(space::S);
    theme::panel_frame(ui)
        .inner_margin(egui::Margin::symmetric(10, 4))
        .show(ui, |ui| stages_table(ui, &summary.stages));
    stage_table::leak(ui, report);
    widgets::remark(ui, "Darker: users of no stage before. Dates, returning users and targets stand under Timeline");
}

/// Why there are no ids, and how they are made.
fn without_ids(ui: &mut Ui, report: &DataReport, source: &SemanticIds, error: &InputError) {
    let warning = theme::tokens(ui).warning;
    match source {
        SemanticIds::Train(_) if report.ids_not_made => {
            let words =
                "Semantic ids are not trained yet: Train ids, under Semantic ids, does it now, else the first run";
            widgets::remark(ui, words);
        }
        SemanticIds::Train(_) => {
            ui.colored_label(warning, widgets::sentence(&error.problem));
            widgets::remark(ui, "Append, under Semantic ids, gives new items the nearest free ids and moves none");
        }
        SemanticIds::Dataset | SemanticIds::Index(_) => {
            ui.colored_label(warning, widgets::sentence(&error.to_string()));
        }
    }
}

/// Where interactions were read, and what of them could not be.
fn imported_ui(ui: &mut Ui, import: &ImportReport) {
    let bytes: u64 = import.files.iter().map(|file| file.bytes).sum();
    let files = counted(import.files.len(), "file");
    let read = format!("Imported as {} from {files}, {}", import.format.label, widgets::memory_words(bytes));
    widgets::remark(ui, read);
    if import.skipped.lines > 0 {
        let text = format!("{} lines were skipped", grouped(import.skipped.lines));
        ui.colored_label(theme::tokens(ui).warning, text);
    }
    for assumption in &import.assumptions {
        widgets::remark(ui, assumption.to_string());
    }
}

fn figure(ui: &mut Ui, number: usize, what: &str) {
    egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 4)).show(ui, |ui| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(RichText::new(grouped(number as u64)).text_style(egui::TextStyle::Heading));
            widgets::measure_heading(ui, what);
        });
    });
    ui.add_space(space::L);
}

fn stages_table(ui: &mut Ui, stages: &[StageSummary]) {
    let most_users = stages.iter().map(|stage| stage.users).max().unwrap_or(1).max(1);
    let most_interactions = stages.iter().map(|stage| stage.interactions).max().unwrap_or(1).max(1);
    let right = Layout::right_to_left(Align::Center);
    let number = |ui: &mut Ui, value: usize| {
        ui.with_layout(right, |ui| ui.label(grouped(value as u64)));
    };
    TableBuilder::new(ui)
        .id_salt("stages")
        .vscroll(false)
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::exact(48.0))
        .column(Column::remainder().at_least(110.0))
        .column(Column::exact(70.0))
        .column(Column::exact(70.0))
        .column(Column::remainder().at_least(110.0))
        .column(Column::exact(90.0))
        .header(24.0, |mut header| {
            let titles = ["Stage", "Users", "", "Take part", "Interactions", ""];
            for (place, title) in titles.into_iter().enumerate() {
                header.col(|ui| {
                    let layout = if place == 3 { right } else { Layout::left_to_right(Align::Center) };
                    ui.with_layout(layout, |ui| widgets::measure_heading(ui, title));
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW_HEIGHT, stages.len(), |mut row| {
                let stage = &stages[row.index()];
                row.col(|ui| {
                    ui.label(stage.stage.to_string());
                });
                row.col(|ui| bar(ui, stage.users, stage.new_users, most_users));
                row.col(|ui| number(ui, stage.users));
                row.col(|ui| number(ui, stage.participants));
                row.col(|ui| bar(ui, stage.interactions, 0, most_interactions));
                row.col(|ui| number(ui, stage.interactions));
            });
        });
}

/// A bar of `all` out of `most`, its part `new` darker.
fn bar(ui: &mut Ui, all: usize, new: usize, max: usize) {
    let tokens = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 10.0), egui::Sense::hover());
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{all} of at most {max}, {new} new"))
    });
    let part = |count: usize| {
        let width = rect.width() * (count as f32 / max as f32);
        egui::Rect::from_min_size(rect.min, Vec2::new(width, rect.height()))
    };
    ui.painter().rect_filled(part(all), 2.0, tokens.accent.gamma_multiply(0.45));
    ui.painter().rect_filled(part(new), 2.0, tokens.accent);
}
