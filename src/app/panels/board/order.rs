//! The order of the cards, which are dragged up and down.

use eframe::egui;
use egui::{CursorIcon, Rect, Response, Ui, Vec2};

use crate::app::theme::{self, space};

/// Where the cards are, and the one that is dragged.
#[derive(Debug, Default)]
pub(super) struct Order {
    cards: Vec<Rect>,
    dragged: Option<usize>,
}

/// Distance from the edge of what is seen within which a drag scrolls, and points that it scrolls a frame.
const EDGE: f32 = 36.0;
const SCROLL: f32 = 9.0;

impl Order {
    /// Forgets where the cards were.
    pub(super) fn begin(&mut self) {
        self.cards.clear();
    }

    /// The next card is here.
    pub(super) fn laid_out(&mut self, card: Rect) {
        self.cards.push(card);
    }

    /// Takes in the drag of what a card is held by.
    pub(super) fn handle(&mut self, handle: &Response, place: usize) {
        if handle.drag_started() {
            self.dragged = Some(place);
        }
    }

    /// Shows where the dragged card would go; where it goes from and to, once it is let go.
    pub(super) fn ui(&mut self, ui: &Ui) -> Option<(usize, usize)> {
        let from = self.dragged?;
        let (pointer, held) = ui.input(|input| (input.pointer.latest_pos(), input.pointer.any_down()));
        let Some(pointer) = pointer.filter(|_| from < self.cards.len()) else {
            self.dragged = None;
            return None;
        };
        let above = self.cards.iter().filter(|card| card.center().y < pointer.y).count();
        let to = if above > from { above - 1 } else { above };
        if !held {
            self.dragged = None;
            return (to != from).then_some((from, to));
        }
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        let tokens = theme::tokens(ui);
        ui.painter().rect_filled(self.cards[from], theme::RADIUS + 2, tokens.accent.gamma_multiply(0.08));
        if to != from {
            let y = match self.cards.get(above) {
                Some(card) => card.top() - space::S / 2.0,
                None => self.cards[self.cards.len() - 1].bottom() + space::S / 2.0,
            };
            ui.painter().hline(self.cards[from].x_range(), y, (3.0, tokens.accent));
        }
        let seen = ui.clip_rect();
        let scroll =
            f32::from(u8::from(pointer.y < seen.top() + EDGE)) - f32::from(u8::from(pointer.y > seen.bottom() - EDGE));
        if scroll != 0.0 {
            ui.scroll_with_delta(Vec2::new(0.0, scroll * SCROLL));
        }
        ui.ctx().request_repaint();
        None
    }
}
