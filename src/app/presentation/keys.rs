//! The keys of the presentation.

use eframe::egui;
use egui::{Align2, Area, Frame, Grid, Id, Margin, Order, RichText, Ui, Vec2};

use crate::app::theme;

/// What keys ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Next,
    Previous,
    First,
    Last,
    Notes,
    Speaker,
    Pointer,
    Theme,
    Timer,
    Black,
    Help,
    Leave,
}

/// Each with how it reads, and what it does.
const KEYS: [(Key, &str, &str); 12] = [
    (Key::Next, "→  Space  Page down", "Next slide"),
    (Key::Previous, "←  Page up", "Previous slide"),
    (Key::First, "Home", "First slide"),
    (Key::Last, "End", "Last slide"),
    (Key::Notes, "N", "Speaker's notes and timer, below the slide"),
    (Key::Speaker, "S", "The same in a window of its own, with the next slide"),
    (Key::Timer, "T", "Start the timer over"),
    (Key::Pointer, "P", "Pointer"),
    (Key::Theme, "L", "Light or dark"),
    (Key::Black, "B", "Black screen"),
    (Key::Help, "?", "These keys"),
    (Key::Leave, "Esc", "Leave"),
];

/// The keys that were pressed in this frame, which are taken from the input.
pub(super) fn pressed(ctx: &egui::Context) -> Vec<Key> {
    ctx.input_mut(|input| {
        let mut keys = Vec::new();
        input.events.retain(|event| match event {
            egui::Event::Key { key, pressed: true, modifiers, .. } if !modifiers.command && !modifiers.alt => {
                let known = meaning(*key, modifiers.shift);
                keys.extend(known);
                known.is_none()
            }
            _ => true,
        });
        keys
    })
}

fn meaning(key: egui::Key, shift: bool) -> Option<Key> {
    use egui::Key as K;
    Some(match key {
        // On many layouts the question mark is the shifted slash, or another key.
        K::Questionmark | K::F1 => Key::Help,
        K::Slash if shift => Key::Help,
        K::ArrowRight | K::ArrowDown | K::PageDown | K::Space | K::Enter => Key::Next,
        K::ArrowLeft | K::ArrowUp | K::PageUp | K::Backspace => Key::Previous,
        K::Home => Key::First,
        K::End => Key::Last,
        K::N => Key::Notes,
        K::S => Key::Speaker,
        K::P => Key::Pointer,
        K::L => Key::Theme,
        K::T => Key::Timer,
        K::B | K::Period => Key::Black,
        K::Escape => Key::Leave,
        _ => return None,
    })
}

/// Shows all keys.
pub(super) fn help(ui: &Ui, scale: f32) {
    let tokens = theme::tokens(ui);
    let frame = Frame::popup(ui.style()).fill(tokens.raised).inner_margin(Margin::same(24));
    let area = Area::new(Id::unique("keys of the presentation")).order(Order::Foreground);
    area.anchor(Align2::CENTER_CENTER, Vec2::ZERO).show(ui.ctx(), |ui| {
        frame.show(ui, |ui| {
            let size = 15.0 * scale;
            ui.label(RichText::new("Keys").size(1.3 * size).family(theme::semi_bold()));
            Grid::new("keys").num_columns(2).spacing([32.0 * scale, 8.0 * scale]).show(ui, |ui| {
                for (_, keys, words) in KEYS {
                    ui.label(RichText::new(keys).size(size).family(theme::semi_bold()));
                    ui.label(RichText::new(words).size(size));
                    ui.end_row();
                }
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_told_of_is_there_and_does_what_is_told() {
        let all = [egui::Key::Space, egui::Key::PageDown, egui::Key::ArrowRight].map(|key| meaning(key, false));
        assert_eq!(all, [Some(Key::Next); 3]);
        let told = |key: Key| egui::Key::ALL.iter().any(|pressed| meaning(*pressed, true) == Some(key));
        assert!(KEYS.iter().all(|(key, ..)| told(*key)));
        assert_eq!(meaning(egui::Key::Slash, false), None);
        assert_eq!(meaning(egui::Key::Tab, false), None, "it leads through what a chart can do");
    }
}
