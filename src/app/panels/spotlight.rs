//! What the user asked to see, or what was just undone: scrolled to, and framed for a moment.

use eframe::egui;
use egui::{Align, Rect, StrokeKind, Ui};

use crate::app::session::Session;
use crate::app::theme;
use crate::project::edits::change::Place;

/// Seconds for which the frame stays, and for which the view follows while it still unfolds.
const STAY: f64 = 1.8;
const FOLLOW: f64 = 0.3;

/// Draws contents that stand for a place of the project.
pub(super) fn at<R>(ui: &mut Ui, session: &Session, place: &Place, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let inner = ui.scope(contents);
    if session.spotlight.as_ref().is_some_and(|spotlight| spotlight.place == *place) {
        show(ui, session, inner.response.rect);
    }
    inner.inner
}

fn show(ui: &Ui, session: &Session, rect: Rect) {
    let now = ui.input(|input| input.time);
    let since = session.spotlight.as_ref().map_or(f64::MAX, |spotlight| now - spotlight.since);
    if !(0.0..STAY).contains(&since) {
        return;
    }
    if since < FOLLOW {
        ui.scroll_to_rect(rect, Some(Align::Center));
    }
    let left = (1.0 - since / STAY) as f32;
    let colour = theme::tokens(ui).accent.gamma_multiply(left.sqrt());
    ui.painter().rect(rect.expand(3.0), theme::RADIUS, colour.gamma_multiply(0.12), (2.0, colour), StrokeKind::Outside);
    ui.ctx().request_repaint_after_secs(0.05);
}
