//! The items as a tree of the codes of their ids, or in a list, with their interactions by stage.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{Align, Button, Layout, RichText, TextEdit, Ui, Vec2, WidgetInfo};
use egui_extras::{Column, TableBuilder, TableRow};

use super::cell::{BARS_WIDTH, share_words, stage_bars};
use super::{LoadedData, item_card};
use crate::app::panels::{Context, choice};
use crate::app::queries::data::ProjectData;
use crate::app::queries::data_report::DataReport;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::data::item_tree::Branch;
use crate::figures::measures;

/// How items are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Ids,
    Popular,
    Title,
}

impl Order {
    const fn text(self) -> &'static str {
        match self {
            Self::Ids => "Semantic ids",
            Self::Popular => "Most popular",
            Self::Title => "Title",
        }
    }

    /// Those that a dataset has.
    fn of(report: &DataReport) -> &'static [Self] {
        if report.missing_ids.is_some() {
            &[Self::Popular, Self::Title]
        } else {
            &[Self::Ids, Self::Popular, Self::Title]
        }
    }
}

/// State of the tab.
#[derive(Debug, Default)]
pub(super) struct ItemsTab {
    order: Order,
    search: String,
    /// Nodes that are open.
    open: BTreeSet<u32>,
    /// The item whose card is shown.
    item: Option<u32>,
    listed: Option<(Key, Vec<Branch>)>,
    /// The row to be scrolled to.
    wanted: Option<usize>,
}

/// All that the listed rows depend on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    query: Arc<ProjectData>,
    order: Order,
    search: String,
    open: BTreeSet<u32>,
}

const CARD_WIDTH: f32 = 300.0;
/// Indentation of a level.
const STEP: f32 = 16.0;

/// What a click on a row wants.
enum Click {
    Turn(u32),
    Show(u32),
}

impl ItemsTab {
    pub(super) fn ui(&mut self, ui: &mut Ui, _: &mut Context<'_>, loaded: &LoadedData<'_>) {
        let report = loaded.report;
        self.refresh(loaded);
        ui.horizontal_wrapped(|ui| self.choices(ui, report));
        if report.missing_ids.is_some() {
            let hint = "The items have no semantic ids yet, so they stand in a list; with ids they are a tree of codes";
            widgets::remark(ui, hint);
        }
        let size = ui.available_size();
        let card = if self.item.is_some() { CARD_WIDTH + space::M } else { 0.0 };
        ui.horizontal_top(|ui| {
            ui.allocate_ui(Vec2::new(size.x - card, size.y), |ui| {
                ui.set_width(size.x - card);
                ui.vertical(|ui| theme::panel_frame(ui).show(ui, |ui| self.table(ui, report)));
            });
            if let Some(item) = self.item {
                ui.vertical(|ui| {
                    ui.set_width(CARD_WIDTH);
                    match item_card::ui(ui, report, item) {
                        Some(item_card::CardAction::Close) => self.item = None,
                        Some(item_card::CardAction::Show(other)) => self.item = Some(other),
                        Some(item_card::CardAction::Reveal) => self.reveal(report, item),
                        None => {}
                    }
                });
            }
        });
    }

    fn choices(&mut self, ui: &mut Ui, report: &DataReport) {
        let field = TextEdit::singleline(&mut self.search).hint_text("Search titles and ids").desired_width(230.0);
        let field = ui.add(field);
        widgets::named(ui, &field, "Search titles and ids");
        let orders = Order::of(report).iter().map(|order| (*order, order.text().to_owned())).collect::<Vec<_>>();
        choice(ui, ("Order", 130.0), &mut self.order, &orders);
        if ui.add_enabled(!self.open.is_empty(), Button::new("Close all")).clicked() {
            self.open.clear();
        }
        let rows = self.listed.as_ref().map_or(0, |(_, rows)| rows.len());
        let all = counted(report.dataset.items.len(), "item");
        let words = if self.search.trim().is_empty() { all } else { format!("{} of {all}", grouped(rows as u64)) };
        widgets::remark(ui, words);
        let untitled = report.summary.items - report.summary.titles;
        if untitled > 0 {
            widgets::remark(ui, format!("{} without a title stand by their id", grouped(untitled as u64)));
        }
    }

    /// Makes the rows anew where something that they depend on has changed.
    fn refresh(&mut self, loaded: &LoadedData<'_>) {
        let report = loaded.report;
        let other = self.listed.as_ref().is_none_or(|(key, _)| !Arc::ptr_eq(&key.query, &loaded.query));
        if other {
            // Places of nodes and items mean others in other data.
            self.open.clear();
            self.item = None;
        }
        if !Order::of(report).contains(&self.order) {
            self.order = Order::Popular;
        }
        let search = self.search.trim().to_lowercase();
        let known = self.listed.as_ref().is_some_and(|(key, _)| {
            !other && (key.order, key.search.as_str()) == (self.order, search.as_str()) && key.open == self.open
        });
        if known {
            return;
        }
        let browse = &report.browse;
        let item = |&item: &u32| Branch::Item { item, depth: 0 };
        let rows = match (search.is_empty(), self.order) {
            (true, Order::Ids) => browse.tree.branches(&self.open),
            (true, Order::Popular) => browse.by_popularity.iter().map(item).collect(),
            (true, Order::Title) => browse.by_title.iter().map(item).collect(),
            // What is found stands in a list: the most popular first, if not by title.
            (false, order) => {
                let listed = if order == Order::Title { &browse.by_title } else { &browse.by_popularity };
                listed.iter().filter(|item| browse.searched[**item as usize].contains(&search)).map(item).collect()
            }
        };
        let key = Key { query: Arc::clone(&loaded.query), order: self.order, search, open: self.open.clone() };
        self.listed = Some((key, rows));
    }

    /// Opens the codes above an item and scrolls to it.
    fn reveal(&mut self, report: &DataReport, item: u32) {
        self.order = Order::Ids;
        self.search.clear();
        self.open.extend(report.browse.tree.above(item));
        let rows = report.browse.tree.branches(&self.open);
        self.wanted = rows.iter().position(|row| matches!(row, Branch::Item { item: other, .. } if *other == item));
    }

    fn table(&mut self, ui: &mut Ui, report: &DataReport) {
        let Some((_, rows)) = &self.listed else { return };
        if rows.is_empty() {
            widgets::empty_state(ui, "No item fits", "No title and no id has these letters");
            return;
        }
        let right = Layout::right_to_left(Align::Center);
        let mut table = TableBuilder::new(ui)
            .id_salt("items")
            .auto_shrink(false)
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(150.0).clip(true))
            .column(Column::exact(BARS_WIDTH))
            .column(Column::exact(84.0))
            .column(Column::exact(64.0));
        if let Some(row) = self.wanted.take() {
            table = table.scroll_to_row(row, Some(Align::Center));
        }
        let selected = self.item;
        let mut click = None;
        table
            .header(24.0, |mut header| {
                header.col(|ui| {
                    widgets::remark(ui, "Item");
                });
                header.col(|ui| {
                    widgets::remark(ui, "By stage");
                });
                for (title, measure) in [("Interactions", "Interactions"), ("Share", "Share of all interactions")] {
                    header.col(|ui| {
                        ui.with_layout(right, |ui| widgets::remark(ui, title).on_hover_text(measures::text(measure)));
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                    let (clicked, counts) = match rows[row.index()] {
                        Branch::Node(place) => {
                            let open = self.open.contains(&place);
                            let counts = report.browse.tree.counts(report.browse.tree.node(place));
                            (node_cell(&mut row, report, place, open), counts)
                        }
                        Branch::Item { item, depth } => {
                            let cell = item_cell(&mut row, report, (item, depth), selected == Some(item));
                            (cell, report.browse.items.row(item).to_vec())
                        }
                    };
                    click = clicked.or(click.take());
                    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
                    row.col(|ui| stage_bars(ui, &counts));
                    for words in [grouped(total), share_words(total, report.browse.interactions)] {
                        row.col(|ui| {
                            ui.with_layout(right, |ui| ui.label(words));
                        });
                    }
                });
            });
        match click {
            Some(Click::Turn(node)) if self.open.contains(&node) => {
                self.open.remove(&node);
            }
            Some(Click::Turn(node)) => {
                self.open.insert(node);
            }
            Some(Click::Show(item)) => self.item = Some(item),
            None => {}
        }
    }
}

/// A code with the items below it.
fn node_cell(row: &mut TableRow<'_, '_>, report: &DataReport, place: u32, open: bool) -> Option<Click> {
    let node = report.browse.tree.node(place);
    let token = &report.dataset.index.tokens[node.code as usize];
    let mut click = None;
    row.col(|ui| {
        ui.add_space(STEP * node.level as f32);
        let arrow = if open { "▼" } else { "▶" };
        let text = RichText::new(format!("{arrow} {token}")).family(theme::semi_bold());
        let response = ui.add(Button::new(text).frame(false));
        response.widget_info(|| {
            WidgetInfo::selected(egui::Role::Button, true, open, format!("{token}, level {}", node.level + 1))
        });
        if response.on_hover_text(if open { "Close" } else { "Open" }).clicked() {
            click = Some(Click::Turn(place));
        }
        let items = counted(node.items(), "item");
        if node.shared {
            widgets::pill(ui, &format!("{items} share this id"), theme::tokens(ui).warning);
        } else {
            widgets::remark(ui, items);
        }
    });
    click
}

/// An item by its title, or its id where it has none.
fn item_cell(
    row: &mut TableRow<'_, '_>,
    report: &DataReport,
    (item, depth): (u32, usize),
    selected: bool,
) -> Option<Click> {
    let mut click = None;
    let known = &report.dataset.items[item as usize];
    row.col(|ui| {
        ui.add_space(STEP * depth as f32);
        let name = known.title.as_deref().unwrap_or(&known.id);
        let mut text = RichText::new(name);
        if known.title.is_none() {
            text = text.color(theme::tokens(ui).muted);
        }
        // Codes that stand above the item in the tree are not said again.
        let codes = if report.missing_ids.is_some() { String::new() } else { item_card::codes(report, item, depth) };
        let small = RichText::new(codes).small().color(theme::tokens(ui).muted);
        let button = Button::selectable(selected, text).right_text(small).truncate();
        let response = ui.add_sized(Vec2::new(ui.available_width(), theme::ROW_HEIGHT - 4.0), button);
        response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, selected, format!("Item {name}")));
        if response.on_hover_text(format!("{name}\nId {}", known.id)).clicked() {
            click = Some(Click::Show(item));
        }
    });
    click
}
