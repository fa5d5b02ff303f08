//! The legend in the window: a click on an entry hides its line or shows it again, and what had no room is told.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{self, CursorIcon, Id, Sense, Ui, WidgetInfo};

use super::Canvas;
use crate::plot::scene::Scene;
use crate::plot::{Body, Chart, Lines};

/// Names of the lines that the user has hidden in the chart of this id.
pub(super) fn hidden(ui: &Ui, id: Id) -> BTreeSet<String> {
    ui.data(|data| data.get_temp(id.with("hidden lines"))).unwrap_or_default()
}

/// The lines without those that are hidden.
pub(super) fn shown<'l>(lines: &'l Lines, hidden: &BTreeSet<String>) -> Cow<'l, Lines> {
    if hidden.is_empty() { Cow::Borrowed(lines) } else { Cow::Owned(lines.without(hidden)) }
}

/// A chart as it was last drawn, which may be without some of its lines.
pub fn as_seen(ctx: &egui::Context, chart: &Arc<Chart>) -> Arc<Chart> {
    let hidden: Option<BTreeSet<String>> = ctx.data(|data| data.get_temp(seen_id(chart)));
    match (hidden.filter(|hidden| !hidden.is_empty()), &chart.body) {
        (Some(hidden), Body::Lines(lines)) => {
            Arc::new(Chart { body: Body::Lines(lines.without(&hidden)), ..Chart::clone(chart) })
        }
        (Some(hidden), Body::Dots(dots)) => {
            Arc::new(Chart { body: Body::Dots(dots.without(&hidden)), ..Chart::clone(chart) })
        }
        _ => Arc::clone(chart),
    }
}

/// Charts of one description are one chart, wherever it is drawn.
fn seen_id(chart: &Chart) -> Id {
    Id::unique(("hidden lines", chart.description()))
}

/// Lets the user hide and show lines at the legend that was drawn, and read the names that had no room.
pub(super) fn show(ui: &Ui, chart: &Chart, scene: &Scene, canvas: &Canvas<'_>, id: Id) {
    if let Some((at, names)) = &scene.legend.more {
        let response = ui.interact(canvas.rect(*at), id.with("more lines"), Sense::hover());
        let words = names.join("\n");
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{} more: {words}", names.len())));
        response.on_hover_text(words);
    }
    if !matches!(chart.body, Body::Lines(_) | Body::Dots(_)) || scene.legend.entries.len() < 2 {
        return;
    }
    let mut hidden = scene.hidden.clone();
    for (at, name) in &scene.legend.entries {
        let is_shown = !hidden.contains(name);
        let at = canvas.rect(*at);
        let response =
            ui.interact(at, id.with(("line", name)), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
        let words = format!("Show the line of {name}");
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_shown, &words));
        if response.has_focus() {
            canvas.painter.rect_stroke(at.expand(2.0), 2.0, ui.visuals().selection.stroke, egui::StrokeKind::Outside);
        }
        if response.clicked() && !hidden.remove(name) {
            hidden.insert(name.clone());
        }
        let what = if is_shown { "hide" } else { "show" };
        response.on_hover_text(format!("{name}\nClick to {what} this line, here and in what is exported"));
    }
    ui.data_mut(|data| {
        data.insert_temp(seen_id(chart), hidden.clone());
        data.insert_temp(id.with("hidden lines"), hidden);
    });
}
