//! What is drawn inside the window: the start page and one panel a view.
//!
//! Panels read the session, keep their own filters, and hand [`Action`](super::action::Action)s up; they change nothing.

pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod experiments;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod method_card;
pub(crate) mod runs;
pub(crate) mod start;
mod sweep_list;

use std::sync::Arc;

use eframe::egui;
use egui::{Align, Button, Layout, Ui, Vec2};

use super::action::Action;
use super::command::Command;
use super::session::Session;
use super::theme;
use crate::chart::{Body, Chart, Marked, screen};

/// What a panel may read, and where it puts its wishes.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session,
    pub(crate) actions: &'a mut Vec<Action>,
    /// Charts drawn in this frame, the most important of each panel first.
    pub(crate) charts: &'a mut Vec<Arc<Chart>>,
    /// Seconds since 1970.
    pub(crate) now_unix: u64,
}

/// The state of all panels that is not the project's.
#[derive(Default)]
pub(crate) struct Panels {
    pub(crate) experiments: experiments::ExperimentsPanel,
    pub(crate) runs: runs::RunsPanel,
    pub(crate) live: live::LivePanel,
    pub(crate) compare: compare::ComparePanel,
    pub(crate) log: log::LogPanel,
}

/// A chart on a card that takes the room that is left.
fn chart_card(ui: &mut Ui, chart: &Chart, id: &str) {
    marked_chart_card(ui, chart, id, &mut Marked::default());
}

/// The same, with what the user has marked on it.
fn marked_chart_card(ui: &mut Ui, chart: &Chart, id: &str, marked: &mut Marked) {
    theme::panel_frame(ui).show(ui, |ui| {
        let size = ui.available_size().max(Vec2::new(160.0, 120.0));
        screen::show_marked(ui, chart, id, size, marked);
    });
}

/// The two things that can be done with every chart, at the right end of a bar.
fn chart_actions(ui: &mut Ui, context: &mut Context<'_>, chart: &Arc<Chart>) {
    let possible = !matches!(chart.body, Body::Empty(_));
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let export = ui.add_enabled(possible, Button::new("Export…"));
        if export.on_hover_text(Command::ExportChart.tooltip()).clicked() {
            context.actions.push(Action::Export(Arc::clone(chart)));
        }
        let copy = ui.add_enabled(possible, Button::new("Copy data"));
        if copy.on_hover_text(Command::CopyChartData.tooltip()).clicked() {
            context.actions.push(Action::CopyData(Arc::clone(chart)));
        }
    });
}
