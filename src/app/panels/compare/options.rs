//! What lines were run with, side by side: only the settings that differ.

use std::sync::Arc;

use eframe::egui;
use egui::{Grid, RichText, ScrollArea, Ui};

use super::lines::{Lines, LinesKey};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::results::config_diff::{Difference, differences};
use crate::run::RunConfig;

/// The differences that were last looked up, and of what.
#[derive(Debug, Default)]
pub(super) struct Differences {
    of: Option<(LinesKey, Vec<usize>)>,
    found: Vec<Difference>,
}

impl Differences {
    /// The settings that differ between the lines at these places.
    pub(super) fn refresh(&mut self, lines: &Lines, places: &[usize]) -> &[Difference] {
        let of = (lines.stamp(), places.to_vec());
        if self.of.as_ref() != Some(&of) {
            let configurations: Vec<&Arc<RunConfig>> =
                places.iter().filter_map(|&index| lines.configurations[index].as_ref()).collect();
            self.found = differences(&configurations.iter().map(AsRef::as_ref).collect::<Vec<_>>());
            self.of = Some(of);
        }
        &self.found
    }
}

/// Draws the differences between the lines at `places`.
pub(super) fn ui(ui: &mut Ui, lines: &Lines, places: &[usize], differences: &[Difference]) {
    if places.len() < 2 {
        widgets::empty_state(ui, "Nothing to hold against each other", "Choose two lines or more above");
        return;
    }
    if differences.is_empty() {
        let advice =
            "The lines were run with the same settings; they differ in what else they were made of, as their data";
        widgets::empty_state(ui, "No setting differs", advice);
        return;
    }
    let tokens = theme::tokens(ui);
    theme::panel_frame(ui).show(ui, |ui| {
        ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
            Grid::new("differences").striped(true).spacing([space::XL, space::S]).min_col_width(60.0).show(ui, |ui| {
                ui.label(RichText::new("Setting").small().color(tokens.muted));
                ui.label("");
                for &index in places {
                    ui.label(RichText::new(&lines.all[index].name).family(theme::semi_bold()));
                }
                ui.end_row();
                let mut part = "";
                for difference in differences {
                    let new = std::mem::replace(&mut part, difference.part) != difference.part;
                    ui.label(RichText::new(if new { difference.part } else { "" }).color(tokens.muted));
                    ui.label(&difference.name);
                    for value in &difference.values {
                        match value {
                            Some(value) => ui.label(&value.text),
                            None => ui.weak("–").on_hover_text("The method has no such option"),
                        };
                    }
                    ui.end_row();
                }
            });
        });
    });
}
