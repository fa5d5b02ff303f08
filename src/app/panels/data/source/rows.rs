//! The first rows of files, under columns whose headings say what they are taken for.

use eframe::egui;
use egui::{Align, Color32, Label, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::theme::{self, Tokens, space};
use crate::app::widgets;
use crate::calendar;
use crate::data::formats::FirstRows;
use crate::data::preview::Preview;

/// Rows that are shown.
const ROWS: usize = 8;

/// Draws the first interactions and how their times are understood.
pub(super) fn ui(ui: &mut Ui, preview: &Preview) {
    let Some(rows) = &preview.rows else { return };
    widgets::section(ui, "First rows");
    table(ui, rows, "first interactions");
    let has_time = rows.mapping.iter().any(|(role, _)| role == "time");
    match &preview.times {
        Some(times) => {
            let [first, last] = [times.first, times.last].map(calendar::date);
            let span = if first == last { format!("all on {first}") } else { format!("{first} … {last}") };
            widgets::remark(ui, format!("Times are {}; in these rows {span}", times.unit));
        }
        None if has_time => {
            let text = "The times of these rows cannot all be read: seconds or milliseconds since 1970, or dates like 2014-07-23 are expected";
            ui.colored_label(theme::tokens(ui).warning, text);
        }
        None => _ = widgets::remark(ui, "There are no times: stages are cut from each user's own order"),
    }
}

/// A table of rows; `name` tells it from others.
pub(super) fn table(ui: &mut Ui, preview: &FirstRows, name: &str) {
    if preview.rows.is_empty() {
        widgets::remark(ui, "There are no rows");
        return;
    }
    let count = preview.columns.len().max(preview.rows.iter().map(Vec::len).max().unwrap_or(0));
    theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(10, 4)).show(ui, |ui| {
        ScrollArea::horizontal().id_salt(name).auto_shrink([false, true]).show(ui, |ui| {
            let table = TableBuilder::new(ui)
                .id_salt((name, count))
                .vscroll(false)
                .cell_layout(Layout::left_to_right(Align::Center));
            (0..count)
                .fold(table, |table, place| table.column(Column::exact(width(preview, place)).clip(true)))
                .header(HEADER, |mut header| {
                    for place in 0..count {
                        header.col(|ui| heading(ui, preview, place));
                    }
                })
                .body(|body| {
                    body.rows(22.0, preview.rows.len().min(ROWS), |mut row| {
                        let cells = &preview.rows[row.index()];
                        for place in 0..count {
                            row.col(|ui| {
                                let text = cells.get(place).map_or("", String::as_str);
                                ui.add(Label::new(text).truncate());
                            });
                        }
                    });
                });
        });
    });
}

/// Width of a column, of its longest text.
fn width(preview: &FirstRows, place: usize) -> f32 {
    let shown = preview.rows.iter().take(ROWS).filter_map(|row| row.get(place));
    let longest = shown.chain(preview.columns.get(place)).map(|text| text.chars().count()).max().unwrap_or(0);
    (12.0 + 8.0 * longest as f32).clamp(76.0, 240.0)
}

/// Height of the headings: what a column is, and its name.
const HEADER: f32 = 42.0;

fn heading(ui: &mut Ui, preview: &FirstRows, place: usize) {
    let name = preview.columns.get(place).map_or("", String::as_str);
    let roles: Vec<&str> =
        preview.mapping.iter().filter(|(_, column)| column == name).map(|(role, _)| role.as_str()).collect();
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        match roles.first() {
            Some(role) => {
                let colour = colour(role, theme::tokens(ui));
                widgets::pill(ui, &widgets::sentence(&roles.join(", ")), colour);
            }
            None => ui.add_space(18.0),
        }
        ui.add(Label::new(RichText::new(name).small().color(theme::tokens(ui).muted)).truncate());
    });
    ui.add_space(space::XS);
}

/// The colour of a part; the word beside it says the same.
fn colour(role: &str, tokens: &Tokens) -> Color32 {
    match role {
        "user" | "id" => tokens.accent,
        "item" | "title" => tokens.success,
        "time" | "description" => tokens.warning,
        _ => tokens.muted,
    }
}
