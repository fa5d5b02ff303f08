//! What training takes on each device, by part, against what the device has; and what to change where it does not fit.

use std::collections::BTreeMap;

use eframe::egui;
use egui::{Align, CornerRadius, DragValue, Grid, Layout, Rect, RichText, Sense, Ui, Vec2};

use super::figures::Figures;
use super::{Key, edit};
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, memory_words};
use crate::budget::memory_estimate::{Advice, Change, MemoryEstimate, Parts};
use crate::budget::setup::DeviceMemory;
use crate::plot::screen;
use crate::project::edits::model::with_training;

type Part = fn(&Parts) -> u64;

/// What takes memory, from the bottom of the bar.
const PARTS: [(&str, Part); 7] = [
    ("Program and data", |parts| parts.program),
    ("Weights", |parts| parts.weights),
    ("Adapters", |parts| parts.adapters),
    ("Optimiser", |parts| parts.optimizer),
    ("Activations", |parts| parts.activations),
    ("Logits", |parts| parts.logits),
    ("Search", |parts| parts.search),
];

pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, figures: &Figures, given: &mut BTreeMap<String, u64>) {
    for (device, estimate) in &figures.estimates {
        ui.push_id((&device.kind, &device.name), |ui| {
            widgets::card(ui, |ui| of_device(ui, context, device, estimate, given));
        });
        ui.add_space(space::S);
    }
    widgets::card(ui, |ui| {
        widgets::section(ui, "Memory by part");
        table(ui, &figures.estimates);
        widgets::remark(ui, "From the shapes alone, before anything is loaded. The search comes after training");
    });
}

/// Bytes by part and device.
fn table(ui: &mut Ui, estimates: &[(DeviceMemory, MemoryEstimate)]) {
    let tokens = theme::tokens(ui);
    let amount = |ui: &mut Ui, text: RichText| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
    };
    // Lines of figures are as high as text, not as buttons.
    ui.spacing_mut().interact_size.y = 18.0;
    Grid::new("memory").num_columns(estimates.len() + 1).min_row_height(18.0).spacing([space::L, space::XS]).show(
        ui,
        |ui| {
            widgets::remark(ui, "");
            for (device, _) in estimates {
                amount(ui, RichText::new(device.kind.to_uppercase()).small().color(tokens.muted));
            }
            ui.end_row();
            for (slot, (name, part)) in PARTS.into_iter().enumerate() {
                ui.horizontal(|ui| {
                    swatch(ui, slot);
                    ui.label(name);
                });
                for (_, estimate) in estimates {
                    amount(ui, RichText::new(memory_words(part(&estimate.parts))));
                }
                ui.end_row();
            }
            ui.label(RichText::new("At most at a time").family(theme::semi_bold()));
            for (_, estimate) in estimates {
                amount(ui, RichText::new(memory_words(estimate.peak_bytes)).family(theme::semi_bold()));
            }
            ui.end_row();
            ui.label(RichText::new("Free now").color(tokens.muted));
            for (_, estimate) in estimates {
                let free = estimate.available_bytes.map_or_else(|| "unknown".to_owned(), memory_words);
                amount(ui, RichText::new(free).color(tokens.muted));
            }
            ui.end_row();
        },
    );
}

fn of_device(
    ui: &mut Ui,
    context: &mut Context<'_>,
    device: &DeviceMemory,
    estimate: &MemoryEstimate,
    given: &mut BTreeMap<String, u64>,
) {
    let tokens = theme::tokens(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&device.name).family(theme::semi_bold()));
        if device.chosen {
            widgets::pill(ui, "Runs take this", tokens.accent);
        }
        if !estimate.measured {
            widgets::pill(ui, "Not measured", tokens.muted)
                .on_hover_text("The formula was not held against measurements on this kind of device");
        }
    });
    let parts: Vec<(&str, u64)> = peak_parts(&estimate.parts);
    stacked_bar(ui, &format!("Memory on {}", device.name), &parts, estimate.available_bytes);
    if device.available_bytes.is_none() {
        memory_given(ui, device, given);
    }
    match (estimate.fits(), estimate.available_bytes) {
        (Some(true), Some(available)) => {
            let words = format!("✓ It fits: {} of {}", memory_words(estimate.peak_bytes), memory_words(available));
            ui.label(RichText::new(words).color(tokens.success));
        }
        (Some(false), Some(available)) => {
            let words =
                format!("⚠ It does not fit: {} of {}", memory_words(estimate.peak_bytes), memory_words(available));
            ui.label(RichText::new(words).color(tokens.error));
            widgets::remark(ui, "What helps, the gentlest first; each comes on top of those before it");
            advice(ui, context, &estimate.advice);
        }
        _ => {}
    }
}

/// The parts that are there at the fullest moment: training, or the search that comes after it.
fn peak_parts(parts: &Parts) -> Vec<(&'static str, u64)> {
    let whole = parts.peak();
    let searching = whole == parts.program + parts.weights + parts.search;
    let there = |name: &str| match name {
        "Program and data" | "Weights" => true,
        "Search" => searching,
        _ => !searching,
    };
    PARTS.into_iter().map(|(name, part)| (name, if there(name) { part(parts) } else { 0 })).collect()
}

/// The memory of a device that does not tell it, as the user knows it.
fn memory_given(ui: &mut Ui, device: &DeviceMemory, given: &mut BTreeMap<String, u64>) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Its memory");
        let mut gibibytes = given.get(&device.kind).map_or(0.0, |bytes| *bytes as f64 / f64::from(1 << 30));
        let drag = DragValue::new(&mut gibibytes).range(0.0..=1024.0).speed(0.5).max_decimals(1).suffix(" GiB");
        let help = "The device does not say how much it has: set it here to see whether the project fits";
        if ui.add(drag).labelled_by(label.id).on_hover_text(help).changed() {
            if gibibytes > 0.0 {
                given.insert(device.kind.clone(), (gibibytes * f64::from(1 << 30)) as u64);
            } else {
                given.remove(&device.kind);
            }
        }
        if gibibytes == 0.0 {
            widgets::remark(ui, "the device does not say");
        }
    });
}

fn advice(ui: &mut Ui, context: &mut Context<'_>, advice: &[Advice]) {
    for (index, advised) in advice.iter().enumerate() {
        ui.horizontal_wrapped(|ui| {
            let mark = if advised.fits { " ✓ fits" } else { "" };
            ui.label(format!("{} → {}{mark}", advised.setting, memory_words(advised.peak_bytes)));
            let changes: Option<Vec<Change>> = advice[..=index].iter().map(|advised| advised.change).collect();
            if let Some(changes) = changes {
                let apply = ui.small_button("Apply").on_hover_text("Change this, and what stands above it");
                apply.widget_info(|| {
                    let name = format!("Apply {}", advised.setting);
                    egui::WidgetInfo::labeled(egui::Role::Button, true, name)
                });
                if apply.clicked() {
                    let project = context.session.project();
                    let mut training = project.training.clone();
                    changes.iter().for_each(|change| change.apply(&mut training));
                    edit(context, with_training(project, training), Some(Key::Training));
                    context.actions.push(Action::EditDone);
                }
            }
        });
        widgets::remark(ui, widgets::sentence(&advised.costs));
    }
}

const BAR_HEIGHT: f32 = 18.0;
/// Share of the bar below which a part has no room for its name.
const NAMED: f32 = 0.16;

fn swatch(ui: &mut Ui, slot: usize) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(2), screen::series_colour(slot, ui.visuals().dark_mode));
}

/// Parts of a whole side by side, each named where it is wide enough and on hovering. With `room`, the bar is as wide as that
/// where the parts fill less, and what is beyond it is marked.
pub(super) fn stacked_bar(ui: &mut Ui, name: &str, parts: &[(&str, u64)], room: Option<u64>) {
    let tokens = theme::tokens(ui);
    let whole: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    let max = whole.max(room.unwrap_or(0)).max(1);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), BAR_HEIGHT), Sense::hover());
    response.widget_info(|| {
        let words: Vec<String> = parts
            .iter()
            .filter(|(_, bytes)| *bytes > 0)
            .map(|(part, bytes)| format!("{part} {}", memory_words(*bytes)))
            .collect();
        egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{name}: {}", words.join(", ")))
    });
    ui.painter().rect_filled(rect, CornerRadius::same(4), tokens.sunken);
    let at = |bytes: u64| rect.left() + rect.width() * (bytes as f64 / max as f64) as f32;
    let (mut before, mut hovered) = (0, None);
    let pointer = response.hover_pos();
    for (slot, &(part, bytes)) in parts.iter().enumerate() {
        let piece = Rect::from_x_y_ranges(at(before)..=at(before + bytes), rect.y_range());
        before += bytes;
        let colour = screen::series_colour(slot, ui.visuals().dark_mode);
        ui.painter().rect_filled(piece, CornerRadius::same(2), colour);
        if piece.width() >= NAMED * rect.width() {
            let font = egui::TextStyle::Small.resolve(ui.style());
            let words = format!("{part} {}", memory_words(bytes));
            let galley = ui.painter().layout_no_wrap(words, font, screen::text_on_series(slot, ui.visuals().dark_mode));
            if galley.size().x + 8.0 <= piece.width() {
                let index = egui::Align2::CENTER_CENTER.align_size_within_rect(galley.size(), piece).min;
                ui.painter().galley(index, galley, tokens.text);
            }
        }
        if pointer.is_some_and(|pointer| piece.contains(pointer)) {
            hovered = Some(format!("{part}: {}", memory_words(bytes)));
        }
    }
    if let Some(room) = room.filter(|room| *room < whole) {
        ui.painter().vline(at(room), rect.expand(2.0).y_range(), (2.0, tokens.error));
    }
    if let Some(words) = hovered {
        response.on_hover_text(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_the_fullest_moment() {
        let sum = |parts: &Parts| peak_parts(parts).iter().map(|(_, bytes)| bytes).sum::<u64>();
        let training =
            Parts { program: 1, weights: 2, adapters: 3, optimizer: 4, activations: 5, logits: 6, search: 7 };
        assert_eq!((sum(&training), training.peak()), (21, 21));
        let searching = Parts { search: 70, ..training };
        assert_eq!((sum(&searching), searching.peak()), (73, 73));
    }
}
