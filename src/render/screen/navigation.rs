//! What a person wants of a picture: to turn, move or zoom it, by pointer, touch or keys.

use eframe::egui::{EventFilter, Key, PointerButton, Pos2, Response, Ui, Vec2};

/// Wishes of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Wishes {
    /// Drags with the main button, and arrow keys, in points.
    pub(super) turn: Vec2,
    /// Drags with the other button, or with Shift, in points.
    pub(super) shift: Vec2,
    /// Factor above 1 to come closer, below to go back; none where it stays.
    pub(super) zoom: Option<f32>,
    /// Where the pointer is, which stays where it is while zooming.
    pub(super) pointer: Option<Pos2>,
    /// To see everything again.
    pub(super) reset: bool,
    /// To select nothing.
    pub(super) deselect: bool,
}

/// Points that a press of an arrow key stands for.
const STEP: f32 = 24.0;
/// Zoom of a press of + or -.
const CLOSER: f32 = 1.25;

/// Reads what is wanted of the picture that `response` is about. Its wheel does not scroll what is around it.
pub(super) fn wishes(ui: &Ui, response: &Response) -> Wishes {
    let mut wishes = Wishes { reset: response.double_clicked(), ..Wishes::default() };
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.dragged() {
        let shifts = response.dragged_by(PointerButton::Secondary)
            || response.dragged_by(PointerButton::Middle)
            || ui.input(|input| input.modifiers.shift);
        let delta = response.drag_delta();
        if shifts { wishes.shift = delta } else { wishes.turn = delta }
    }
    if response.hovered() {
        wishes.pointer = response.hover_pos();
        ui.input_mut(|input| {
            let zoom = input.zoom_delta() * (input.smooth_scroll_delta.y / 240.0).exp();
            wishes.zoom = (zoom != 1.0).then_some(zoom);
            input.smooth_scroll_delta = Vec2::ZERO;
        });
    }
    if response.has_focus() {
        keys(ui, response, &mut wishes);
    }
    wishes
}

fn keys(ui: &Ui, response: &Response, wishes: &mut Wishes) {
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    ui.input(|input| {
        let pressed = |key| input.num_presses(key) as f32;
        let arrows = Vec2::new(
            pressed(Key::ArrowRight) - pressed(Key::ArrowLeft),
            pressed(Key::ArrowDown) - pressed(Key::ArrowUp),
        );
        let moved = arrows * STEP;
        if input.modifiers.shift {
            wishes.shift += moved;
        } else {
            wishes.turn += moved;
        }
        let closer = pressed(Key::Plus) + pressed(Key::Equals) - pressed(Key::Minus);
        if closer != 0.0 {
            wishes.zoom = Some(wishes.zoom.unwrap_or(1.0) * CLOSER.powf(closer));
        }
        wishes.reset |= input.key_pressed(Key::Home) || input.key_pressed(Key::Num0);
        wishes.deselect = input.key_pressed(Key::Escape);
    });
}
