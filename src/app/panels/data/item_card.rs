//! One item: what is known of it, its id, and its interactions by stage.

use eframe::egui;
use egui::{Button, Grid, RichText, ScrollArea, Ui};

use super::cell::share_words;
use crate::app::queries::data_report::DataReport;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};

/// What the user wants of the card.
pub(super) enum CardAction {
    Close,
    /// The card of another item.
    Show(u32),
    /// The item's place in the tree.
    Reveal,
}

/// Items of one id that are listed.
const SHARING: usize = 12;

/// Draws the card of an item.
pub(super) fn ui(ui: &mut Ui, report: &DataReport, item: u32) -> Option<CardAction> {
    let mut action = None;
    theme::panel_frame(ui).show(ui, |ui| {
        ui.take_available_width();
        ScrollArea::vertical().id_salt("item card").show(ui, |ui| {
            action = card(ui, report, item);
        });
    });
    action
}

fn card(ui: &mut Ui, report: &DataReport, item: u32) -> Option<CardAction> {
    let mut action = None;
    let browse = &report.browse;
    let known = &report.dataset.items[item as usize];
    widgets::section(ui, known.title.as_deref().unwrap_or("No title"));
    ui.horizontal(|ui| {
        if report.missing_ids.is_none() && ui.button("Show in tree").clicked() {
            action = Some(CardAction::Reveal);
        }
        if ui.button("Close").clicked() {
            action = Some(CardAction::Close);
        }
    });
    Grid::new("item facts").num_columns(2).spacing([space::M, space::XS]).show(ui, |ui| {
        widgets::fact(ui, "Id", known.id.as_str());
        if report.missing_ids.is_none() {
            widgets::fact(ui, "Semantic id", codes(report, item, 0));
        }
        let total = browse.items.total(item);
        let share = share_words(total, browse.interactions);
        widgets::fact(ui, "Interactions", format!("{}, {share} of all", grouped(total)));
        let rank = grouped(browse.rank[item as usize].into());
        widgets::fact(ui, "Popularity", format!("{rank} of {}", grouped(report.summary.items as u64)));
    });
    if let Some(categories) = browse.categories.get(item as usize).filter(|categories| !categories.is_empty()) {
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            for category in categories {
                widgets::pill(ui, category, theme::tokens(ui).accent);
            }
        });
    }
    ui.add_space(space::S);
    stages(ui, browse.items.row(item));
    let sharing = browse.tree.sharing(&report.dataset, item);
    if sharing.len() > 1 {
        ui.add_space(space::S);
        let others = sharing.len() - 1;
        let words = format!("{} with the same id: a model cannot tell them apart", counted(others, "other item"));
        ui.label(RichText::new(words).color(theme::tokens(ui).warning));
        for &other in sharing.iter().filter(|&&other| other != item).take(SHARING) {
            let name = &report.dataset.items[other as usize];
            let name = name.title.as_deref().unwrap_or(&name.id);
            if ui.add(Button::new(name).truncate()).clicked() {
                action = Some(CardAction::Show(other));
            }
        }
        if others > SHARING {
            widgets::remark(ui, format!("and {} more", others - SHARING));
        }
    }
    action
}

/// A bar and a number for each stage.
fn stages(ui: &mut Ui, counts: &[u32]) {
    let max = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let tokens = theme::tokens(ui);
    Grid::new("item stages").num_columns(3).spacing([space::S, 3.0]).show(ui, |ui| {
        for (place, &count) in counts.iter().enumerate() {
            widgets::remark(ui, format!("Stage {}", place + 1));
            let (rect, _) = ui.allocate_exact_size(egui::vec2(120.0, 10.0), egui::Sense::hover());
            let width = rect.width() * count as f32 / max;
            ui.painter().rect_filled(rect, 2.0, tokens.sunken);
            let part = egui::Rect::from_min_size(rect.min, egui::vec2(width, rect.height()));
            ui.painter().rect_filled(part, 2.0, tokens.accent);
            ui.label(grouped(count.into()));
            ui.end_row();
        }
    });
}

/// The codes of an item from a level (from 0) on, as files write them.
pub(super) fn codes(report: &DataReport, item: u32, from: usize) -> String {
    let index = &report.dataset.index;
    index.item(item).iter().skip(from).map(|&code| index.tokens[code as usize].as_str()).collect()
}
