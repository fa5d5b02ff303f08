//! The dataset in figures: stages, users, items and semantic ids.

use eframe::egui;
use egui::{Align, Layout, RichText, ScrollArea, Ui, Vec2};
use egui_extras::{Column, TableBuilder};

use super::Context;
use super::data_ids::IdsPanel;
use crate::app::action::Action;
use crate::app::session::Loading;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::chart::SYNTHETIC;
use crate::data::{StageSummary, Summary};

/// Draws the panel; asks for the dataset when it is first seen.
pub(crate) fn ui(ui: &mut Ui, context: &mut Context<'_>, ids: &mut IdsPanel) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        figures_ui(ui, context);
        ids.ui(ui, context);
    });
}

fn figures_ui(ui: &mut Ui, context: &mut Context<'_>) {
    match &context.session.data {
        Loading::Unasked => context.actions.push(Action::LoadData),
        Loading::Pending => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Reading the dataset");
            });
        }
        Loading::Failed(error) => {
            widgets::empty_state(ui, "The dataset cannot be read", &error.to_string());
            ui.vertical_centered(|ui| {
                if ui.button("Try again").clicked() {
                    context.actions.push(Action::LoadData);
                }
            });
        }
        Loading::Ready(summary) => summary_ui(ui, summary),
    }
}

fn summary_ui(ui: &mut Ui, summary: &Summary) {
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
        (summary.distinct_ids, "distinct semantic ids"),
    ];
    ui.horizontal_wrapped(|ui| {
        for (number, what) in figures {
            figure(ui, number, what);
        }
    });
    let codes: Vec<String> = summary.codes.iter().map(usize::to_string).collect();
    widgets::remark(
        ui,
        format!(
            "Ids of {} levels with {} codes; at most {} share one id. {} of {} items have a title",
            summary.levels,
            codes.join(" + "),
            counted(summary.largest_collision, "item"),
            grouped(summary.titles as u64),
            grouped(summary.items as u64),
        ),
    );
    ui.add_space(space::S);
    theme::panel_frame(ui)
        .inner_margin(egui::Margin::symmetric(10, 4))
        .show(ui, |ui| stages_table(ui, &summary.stages));
    widgets::remark(ui, "New: in no stage before. The darker part of a bar is new users");
}

fn figure(ui: &mut Ui, number: usize, what: &str) {
    egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 4)).show(ui, |ui| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(RichText::new(grouped(number as u64)).text_style(egui::TextStyle::Heading));
            widgets::remark(ui, what);
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
        .column(Column::exact(64.0))
        .column(Column::exact(64.0))
        .column(Column::remainder().at_least(110.0))
        .column(Column::exact(78.0))
        .columns(Column::exact(70.0), 3)
        .header(24.0, |mut header| {
            let titles = ["Stage", "Users", "", "New users", "Interactions", "", "New items", "Training", "Test users"];
            for (place, title) in titles.into_iter().enumerate() {
                header.col(|ui| {
                    let layout = if matches!(place, 3 | 6..) { right } else { Layout::left_to_right(Align::Center) };
                    ui.with_layout(layout, |ui| widgets::remark(ui, title));
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
                row.col(|ui| number(ui, stage.new_users));
                row.col(|ui| bar(ui, stage.interactions, 0, most_interactions));
                row.col(|ui| number(ui, stage.interactions));
                row.col(|ui| number(ui, stage.new_items));
                row.col(|ui| number(ui, stage.training_examples));
                row.col(|ui| number(ui, stage.test_users));
            });
        });
}

/// A bar of `all` out of `most`, its part `new` darker.
fn bar(ui: &mut Ui, all: usize, new: usize, most: usize) {
    let tokens = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 10.0), egui::Sense::hover());
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{all} of at most {most}, {new} new"))
    });
    let part = |count: usize| {
        let width = rect.width() * (count as f32 / most as f32);
        egui::Rect::from_min_size(rect.min, Vec2::new(width, rect.height()))
    };
    ui.painter().rect_filled(part(all), 2.0, tokens.accent.gamma_multiply(0.45));
    ui.painter().rect_filled(part(new), 2.0, tokens.accent);
}
