//! Curves of training and the figures of what came of it.

use std::sync::Arc;

use eframe::egui;
use egui::{Grid, Ui, Vec2};

use super::super::super::{Context, chart_actions, chart_card};
use crate::app::theme::space;
use crate::app::widgets::{self, counted, grouped};
use crate::data::Protocol;
use crate::figures::FigureOptions;
use crate::figures::semantic_ids::{IdsChart, SPEC};
use crate::id_training::Quality;
use crate::id_training::quality::Collisions;
use crate::plot::Chart;
use crate::project::board::PinnedFigure;
use crate::semantic_id::manifest::Version;
use crate::train::semantic_ids::IdsState;

/// What each chart is called here, and what it shows.
const fn words(of: IdsChart) -> (&'static str, &'static str) {
    match of {
        IdsChart::Loss => ("Loss", "What the autoencoder minimises, by epoch"),
        IdsChart::Codes => ("Codes in use", "Codes that some item has, and items that share an id, by epoch"),
        IdsChart::Levels => ("By level", "Codes in use, and how well the codes so far tell an item's category"),
    }
}

/// Height of a chart, since it stands in a part that scrolls.
const CHART: f32 = 260.0;

/// Draws what there is.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, state: &IdsState, curves: &mut IdsChart) {
    if let Some(quality) = &state.quality {
        ui.add_space(space::S);
        figures(ui, quality);
    }
    if let Some(manifest) = &state.manifest {
        ui.add_space(space::S);
        versions(ui, &manifest.versions);
    }
    let synthetic = context.session.synthetic();
    let drawn = IdsChart::ALL.into_iter().filter_map(|of| Some((of, Arc::new(of.draw(state, synthetic)?))));
    let offered: Vec<(IdsChart, Arc<Chart>)> = drawn.collect();
    let Some((shown, chart)) = offered.iter().find(|(of, _)| of == curves).or(offered.first()).cloned() else { return };
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        for (of, _) in offered {
            let (text, tooltip) = words(of);
            if ui.selectable_label(of == shown, text).on_hover_text(tooltip).clicked() {
                *curves = of;
            }
        }
        let options = FigureOptions { chart: Some(shown.name().to_owned()), ..FigureOptions::default() };
        chart_actions(ui, context, &chart, PinnedFigure::new(SPEC.name, options, Protocol::default()));
    });
    let size = Vec2::new(ui.available_width(), CHART);
    ui.allocate_ui(size, |ui| {
        ui.set_max_height(CHART);
        chart_card(ui, &chart, "semantic ids");
    });
    context.charts.push(chart);
}

fn figures(ui: &mut Ui, quality: &Quality) {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let together = |collisions: Collisions| match collisions.items {
        0 => "every item has an id of its own".to_owned(),
        items => {
            let share = percent(items as f64 / quality.items.max(1) as f64);
            format!("{} ({share}) share one, at most {}", counted(items, "item"), collisions.largest)
        }
    };
    widgets::card(ui, |ui| {
        Grid::new("semantic id figures").num_columns(2).spacing([space::M, space::XS]).show(ui, |ui| {
            let used: Vec<String> = quality.levels.iter().map(|level| level.used.to_string()).collect();
            let ids =
                format!("{} of {} items", grouped(quality.after.distinct_ids as u64), grouped(quality.items as u64));
            widgets::fact(ui, "Distinct ids", ids);
            widgets::fact(ui, "Codes used", format!("{} of {} on each level", used.join(" + "), quality.codes));
            widgets::fact(ui, "As trained", together(quality.before));
            if let Some(spread) = quality.spread {
                widgets::fact(ui, "Spread", format!("{}, {}", counted(spread.rounds, "round"), together(spread.after)));
            }
            let moved = counted(quality.reassigned, "item");
            let last = format!("{}; {moved} given the nearest free code", together(quality.after));
            widgets::fact(ui, "At last", last);
            if let Some(level) = quality.levels.last() {
                widgets::fact(ui, "Reconstruction", format!("mean squared error {:.3e}", level.error));
            }
            let told = quality.levels.first().and_then(|level| level.category).zip(quality.category_baseline);
            if let Some((told, baseline)) = told {
                let words =
                    format!("{} by the first code; {} have the most frequent one", percent(told), percent(baseline));
                widgets::fact(ui, "Category predictability", words);
            }
        });
    });
}

/// Which items were given ids when, a row a version.
fn versions(ui: &mut Ui, versions: &[Version]) {
    let headings =
        ["Version", "How", "Stage", "Added", "Items", "Not the nearest codes", "Share an id", "Squared error"];
    widgets::card(ui, |ui| {
        Grid::new("semantic id versions").num_columns(headings.len()).spacing([space::M, space::XS]).show(ui, |ui| {
            for heading in headings {
                widgets::remark(ui, heading);
            }
            ui.end_row();
            for version in versions {
                let cells = [
                    version.version.to_string(),
                    version.how.words().to_owned(),
                    version.stage.map_or_else(|| "–".to_owned(), |stage| stage.to_string()),
                    grouped(version.added as u64),
                    grouped(version.items as u64),
                    grouped(version.moved as u64),
                    grouped(version.shared as u64),
                    version.error.map_or_else(|| "–".to_owned(), |error| format!("{error:.3e}")),
                ];
                let when = format!("{} by version {} of the program", version.at, version.program);
                for cell in cells {
                    ui.label(cell).on_hover_text(&when);
                }
                ui.end_row();
            }
        });
    });
}
