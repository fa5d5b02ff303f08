//! The cuts between stages as handles over a chart: dragged, or moved with the keys of whoever has the focus on one.

use eframe::egui;
use egui::accesskit::Action as Access;
use egui::{Align2, CursorIcon, EventFilter, FontId, Key, Rect, Response, Sense, Stroke, Ui, Vec2, WidgetInfo};

use crate::app::theme;
use crate::calendar;
use crate::data::Timeline;
use crate::plot::BarsArea;

/// What was done with a handle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Touch {
    /// Taken, to be moved or removed.
    Chosen,
    /// Dragged to a time.
    Dragged(i64),
    /// Let go after a drag.
    Dropped,
    /// Moved by this many parts of the timeline with keys.
    Stepped(i64),
    /// What the keys moved is to stay.
    Settled,
    /// What was moved and not yet settled is to go back.
    Undone,
    Removed,
}

/// Half of the width in which a handle can be taken.
const REACH: f32 = 7.0;
/// Parts that an arrow key with Shift moves.
const FAR: i64 = 10;

/// Draws the handles of `cuts` and says what was done with which. `chosen` is the one that buttons are about.
pub(super) fn ui(
    ui: &mut Ui,
    place: &BarsArea,
    (timeline, cuts): (&Timeline, &[i64]),
    chosen: Option<usize>,
    enabled: bool,
) -> Vec<(usize, Touch)> {
    let mut touches = Vec::new();
    for (at, &cut) in cuts.iter().enumerate() {
        let x = place.x(cut as f64);
        let rect = Rect::from_x_y_ranges(x - REACH..=x + REACH, place.top..=place.at.bottom());
        let id = ui.scope_id().with(("cut", at));
        let sense = if enabled { Sense::click_and_drag() } else { Sense::hover() };
        let response = ui.interact(rect, id, sense).on_hover_cursor(CursorIcon::ResizeHorizontal);
        let date = calendar::moment(cut);
        response.widget_info(|| WidgetInfo {
            current_text_value: Some(date.clone()),
            ..WidgetInfo::slider(enabled, cut as f64, format!("Cut between stages {} and {}", at + 1, at + 2))
        });
        if enabled {
            announce(ui, id, timeline.room(cuts, at));
            touched(ui, &response, place, at, &mut touches);
        }
        let held = response.dragged() || response.hovered() || response.has_focus();
        let weight = match (held, chosen == Some(at)) {
            (true, _) => Weight::Held,
            (false, true) => Weight::Chosen,
            (false, false) => Weight::Quiet,
        };
        draw(ui, place, (x, &date), weight);
    }
    touches
}

/// Tells assistive technology what can be done with a handle, and how far it goes.
fn announce(ui: &Ui, id: egui::Id, room: Option<(i64, i64)>) {
    ui.ctx().accesskit_node_builder(id, |node| {
        if let Some((low, high)) = room {
            node.set_min_numeric_value(low as f64);
            node.set_max_numeric_value(high as f64);
        }
        node.add_action(Access::Increment);
        node.add_action(Access::Decrement);
    });
}

fn touched(ui: &Ui, response: &Response, place: &BarsArea, at: usize, touches: &mut Vec<(usize, Touch)>) {
    let mut touch = |touch| touches.push((at, touch));
    if response.drag_started() || response.clicked() {
        response.request_focus();
        touch(Touch::Chosen);
    }
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        touch(Touch::Dragged(place.value(pointer.x) as i64));
    }
    if response.drag_stopped() {
        touch(Touch::Dropped);
    }
    response.context_menu(|ui| {
        if ui.button("Remove cut").clicked() {
            touch(Touch::Removed);
        }
    });
    let (more, less) = ui.input(|input| {
        let asked = |action| input.num_accesskit_action_requests(response.id, action) as i64;
        (asked(Access::Increment), asked(Access::Decrement))
    });
    let mut steps = more - less;
    if response.has_focus() {
        touch(Touch::Chosen);
        let arrows = EventFilter { horizontal_arrows: true, escape: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let (right, left, far, done, back, gone) = ui.input(|input| {
            let pressed = |key| input.key_pressed(key);
            let times = |key| input.num_presses(key) as i64;
            let gone = pressed(Key::Delete) || pressed(Key::Backspace);
            let far = input.modifiers.shift;
            (times(Key::ArrowRight), times(Key::ArrowLeft), far, pressed(Key::Enter), pressed(Key::Escape), gone)
        });
        steps += (right - left) * if far { FAR } else { 1 };
        if done {
            touch(Touch::Settled);
        }
        if back {
            touch(Touch::Undone);
        }
        if gone {
            touch(Touch::Removed);
        }
    }
    if steps != 0 {
        touch(Touch::Stepped(steps));
    }
    if response.lost_focus() {
        touch(Touch::Settled);
    }
}

/// How much a handle stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Quiet,
    /// The buttons are about it.
    Chosen,
    /// It is pointed at, dragged, or has the focus.
    Held,
}

/// A line with a grip on it, and its date while it is held.
fn draw(ui: &Ui, place: &BarsArea, (x, date): (f32, &str), weight: Weight) {
    let tokens = theme::tokens(ui);
    let painter = ui.painter();
    let colour = if weight == Weight::Quiet { tokens.muted } else { tokens.accent };
    let width = if weight == Weight::Held { 2.5 } else { 1.5 };
    painter.vline(x, place.top..=place.at.bottom(), Stroke::new(width, colour));
    let grip = Rect::from_center_size(egui::pos2(x, place.at.center().y), Vec2::new(9.0, 26.0));
    painter.rect(grip, 4.0, tokens.surface, Stroke::new(width, colour), egui::StrokeKind::Middle);
    for offset in [-1.5, 1.5] {
        painter.vline(x + offset, grip.center().y - 6.0..=grip.center().y + 6.0, Stroke::new(1.0, colour));
    }
    if weight == Weight::Held {
        let galley = painter.layout_no_wrap(date.to_owned(), FontId::proportional(12.0), tokens.on_accent);
        let size = galley.size() + Vec2::new(12.0, 4.0);
        let low = place.at.left() + size.x / 2.0;
        let middle = x.clamp(low, (place.at.right() - size.x / 2.0).max(low));
        let label = Rect::from_center_size(egui::pos2(middle, place.top - size.y / 2.0), size);
        painter.rect_filled(label, 4.0, tokens.accent);
        let at = Align2::CENTER_CENTER.anchor_size(label.center(), galley.size());
        painter.galley(at.min, galley, tokens.on_accent);
    }
}
