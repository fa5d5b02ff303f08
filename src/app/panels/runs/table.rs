//! The runs table itself: its headings, the rows that are in sight, and the groups that they are under.

use eframe::egui;
use egui::{Align, Button, Key, Layout, Modifiers, Popup, RichText, Ui};
use egui_extras::{TableBuilder, TableRow};

use super::arrange::{Group, Line, Spread};
use super::columns::Column;
use super::{RunsPanel, cells, menu};
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::session::Row;
use crate::app::theme::{self, space};
use crate::app::widgets;

const HEADER_HEIGHT: f32 = 24.0;

impl RunsPanel {
    pub(super) fn table(
        &mut self,
        ui: &mut Ui,
        lines: &[Line],
        columns: &[Column],
        context: &mut Context<'_>,
        height: f32,
    ) {
        egui::ScrollArea::horizontal().id_salt("runs, sideways").auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::new(space::S, 0.0);
            // Text that can be selected would take the clicks that are meant for its row.
            ui.style_mut().interaction.selectable_labels = false;
            let width = ui.available_width();
            let mut table = TableBuilder::new(ui)
                .id_salt("runs")
                .sense(egui::Sense::click())
                .cell_layout(Layout::left_to_right(Align::Center))
                .min_scrolled_height(0.0)
                .max_scroll_height((height - HEADER_HEIGHT - 4.0).max(theme::ROW_HEIGHT))
                .auto_shrink([false, true]);
            for column in columns {
                table = table.column(column.layout(width, self.group_by.is_some()));
            }
            table
                .header(HEADER_HEIGHT, |mut header| {
                    for column in columns {
                        header.col(|ui| self.header(ui, column));
                    }
                })
                .body(|body| {
                    body.rows(theme::ROW_HEIGHT, lines.len(), |table_row| match &lines[table_row.index()] {
                        Line::Group(group) => self.group(table_row, group, columns, context),
                        Line::Row(index) => {
                            if let Some(row) = context.session.row(*index) {
                                self.row(table_row, row, lines, columns, context);
                            }
                        }
                    });
                });
        });
    }

    fn header(&mut self, ui: &mut Ui, column: &Column) {
        let sorted = self.sort.by.as_ref() == Some(column);
        let arrow = match (sorted, self.sort.descending) {
            (false, _) => "",
            (true, false) => " ▲",
            (true, true) => " ▼",
        };
        let tokens = theme::tokens(ui);
        let text = RichText::new(format!("{}{arrow}", column.title())).small().color(tokens.muted);
        if ui.add(Button::new(text).frame(false)).on_hover_text(column.tooltip()).clicked() {
            self.sort = self.sort.clicked(column);
        }
    }

    fn row(
        &mut self,
        mut table_row: TableRow<'_, '_>,
        row: &Row,
        lines: &[Line],
        columns: &[Column],
        context: &mut Context<'_>,
    ) {
        let selected = context.session.selected.contains(&row.id);
        table_row.set_selected(selected);
        for column in columns {
            table_row.col(|ui| cells::ui(ui, column, row, columns, context));
        }
        let response = table_row.response();
        response.widget_info(|| {
            let name = format!("{}, seed {}", row.key.experiment, row.key.seed);
            egui::WidgetInfo::selected(egui::Role::Button, true, selected, name)
        });
        if response.clicked() {
            let keep = response.ctx.input(|input| input.modifiers.command || input.modifiers.shift);
            context.actions.push(Action::Select { id: row.id.clone(), keep });
        }
        let by_key = response.has_focus()
            && response.ctx.input_mut(|input| {
                input.consume_key(Modifiers::NONE, Key::Menu) || input.consume_key(Modifiers::SHIFT, Key::F10)
            });
        if by_key {
            self.menu_of = Some(row.id.clone());
        } else if response.secondary_clicked() {
            self.menu_of = None;
        }
        let mut popup = Popup::context_menu(&response);
        if self.menu_of.as_ref() == Some(&row.id) {
            popup = popup.at_position(response.rect.left_bottom());
        }
        if by_key {
            popup = popup.open_memory(egui::SetOpenCommand::Bool(true));
        }
        popup.show(|ui| menu::ui(ui, row, lines, context));
    }

    fn group(&mut self, mut table_row: TableRow<'_, '_>, group: &Group, columns: &[Column], context: &mut Context<'_>) {
        let named = columns.iter().position(|column| *column == Column::Experiment).unwrap_or(0);
        for (place, column) in columns.iter().enumerate() {
            table_row.col(|ui| {
                if place == named {
                    let arrow = if group.open { "▾" } else { "▸" };
                    let name = RichText::new(format!("{arrow} {}", group.name)).family(theme::semi_bold());
                    ui.add(egui::Label::new(name).truncate()).on_hover_text(&group.name);
                } else if let Some(spread) = group.means.get(column) {
                    spread_cell(ui, column, spread);
                } else if *column == Column::Progress {
                    ui.weak(format!("{} of {} finished", group.finished, widgets::counted(group.rows.len(), "run")));
                }
            });
        }
        let response = table_row.response();
        response.widget_info(|| {
            let name = format!("{}, {}", group.name, widgets::counted(group.rows.len(), "run"));
            egui::WidgetInfo::selected(egui::Role::DisclosureTriangle, true, group.open, name)
        });
        let response = response.on_hover_text("Click to show or hide its runs");
        if response.clicked() && !self.unfolded.remove(&group.name) {
            self.unfolded.insert(group.name.clone());
        }
        response.context_menu(|ui| {
            if ui.button("Select its runs").clicked() {
                let ids = group.rows.iter().filter_map(|&index| Some(context.session.row(index)?.id.clone()));
                context.actions.push(Action::SelectThese(ids.collect()));
            }
        });
    }
}

/// The mean of a group with its spread; on hovering with all their digits, and of how many runs.
fn spread_cell(ui: &mut Ui, column: &Column, spread: &Spread) {
    let words = |value: f64| match column {
        Column::Time => widgets::brief_duration(value),
        Column::Memory => widgets::memory_words(value as u64),
        _ => format!("{value:.4}"),
    };
    let mean = words(spread.mean);
    let text = match spread.deviation {
        Some(deviation) => format!(
            "Mean {mean}, standard deviation {} over {}",
            words(deviation),
            widgets::counted(spread.count, "run")
        ),
        None => format!("{mean}, of a single run"),
    };
    let short = match (spread.deviation, column) {
        (Some(deviation), Column::Metric(_)) => format!("{:.3} ±{}", spread.mean, brief(deviation)),
        _ => mean,
    };
    ui.label(short).on_hover_text(text);
}

/// A deviation with the digits that matter: `.002`.
fn brief(deviation: f64) -> String {
    format!("{deviation:.3}").trim_start_matches('0').to_owned()
}
