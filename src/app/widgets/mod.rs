//! Small pieces that the panels are put together from.

mod notices;
mod number_list;
mod status;

pub(crate) use notices::{Notice, Notices, Weight};
pub(crate) use number_list::{NumberList, numbers_text};
pub(crate) use status::{pace_words, phase_words, status_look};

use eframe::egui;
use egui::{Button, Frame, Margin, Response, RichText, Ui};

use super::command::{Command, Situation};
use super::theme::{self, space};
use crate::error::InputError;
use crate::figures::measures;
pub(crate) use crate::text::{duration_words, memory_words};

/// A surface with a border.
pub(crate) fn card<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = theme::tokens(ui);
    Frame::new()
        .fill(tokens.surface)
        .stroke((1.0, tokens.border))
        .corner_radius(theme::RADIUS + 2)
        .inner_margin(Margin::symmetric(14, 12))
        .show(ui, |ui| {
            ui.take_available_width();
            // Columns and menus justify what is in them, which tears a text apart.
            ui.with_layout(egui::Layout::top_down(egui::Align::Min), contents).inner
        })
        .inner
}

/// Heading of a part of a view.
pub(crate) fn section(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).text_style(theme::section()).family(theme::semi_bold()))
}

/// A secondary remark, in small type.
pub(crate) fn remark(ui: &mut Ui, text: impl Into<String>) -> Response {
    let muted = theme::tokens(ui).muted;
    ui.label(RichText::new(text).small().color(muted))
}

/// A remark, or as much room as one takes: what stands below does not move when one comes.
pub(crate) fn message_line(ui: &mut Ui, message: Option<RichText>) {
    match message {
        Some(text) => _ = ui.add(egui::Label::new(text.small()).truncate()),
        None => _ = ui.allocate_space(egui::Vec2::new(0.0, ui.text_style_height(&egui::TextStyle::Small))),
    }
}

/// A word in a coloured pill: `Synthetic data`, `Unsaved`.
pub(crate) fn pill(ui: &mut Ui, text: &str, colour: egui::Color32) -> Response {
    Frame::new()
        .fill(colour.gamma_multiply(theme::PILL))
        .corner_radius(9)
        .inner_margin(Margin::symmetric(8, 1))
        .show(ui, |ui| ui.label(RichText::new(text).small().color(colour)))
        .inner
}

/// The one button of a view that most people want.
pub(crate) fn primary_button(ui: &mut Ui, text: &str) -> Response {
    let tokens = theme::tokens(ui);
    let text = RichText::new(text).color(tokens.on_accent).family(theme::semi_bold());
    ui.add(Button::new(text).fill(tokens.accent).stroke((1.0, tokens.accent)))
}

/// Adds a button for a command with its tooltip and keys, or with the reason why it is impossible.
pub(crate) fn explained(ui: &mut Ui, button: Button<'_>, command: Command, now: &Situation) -> Response {
    let keys = command.shortcut().map(|shortcut| format!(" ({})", ui.ctx().format_shortcut(&shortcut)));
    match command.obstacle(now) {
        None => ui.add(button).on_hover_text(format!("{}{}", command.tooltip(), keys.unwrap_or_default())),
        Some(obstacle) => ui.add_enabled(false, button).on_disabled_hover_text(obstacle),
    }
}

/// What a view says while it has nothing to show: what is missing, and what to do about it.
pub(crate) fn empty_state(ui: &mut Ui, title: &str, advice: &str) {
    let muted = theme::tokens(ui).muted;
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.34).min(200.0));
        ui.label(RichText::new(title).text_style(theme::section()).family(theme::semi_bold()));
        ui.set_max_width(420.0);
        ui.label(RichText::new(advice).color(muted));
        ui.add_space(space::S);
    });
}

/// Why something that was entered cannot be used, below where it was entered: what, what to do, and the path concerned.
pub(crate) fn problem(ui: &mut Ui, error: &InputError) {
    let tokens = theme::tokens(ui);
    let place = error.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
    ui.colored_label(tokens.error, format!("⚠ {}{place}", sentence(&error.problem)));
    if let Some(advice) = &error.advice {
        remark(ui, sentence(advice));
    }
    remark(ui, error.path.display().to_string());
}

/// Gives a field without a label of its own a name for those who cannot see where it stands.
pub(crate) fn named(ui: &Ui, field: &Response, name: &str) {
    ui.ctx().accesskit_node_builder(field.id, |node| node.set_label(name));
}

/// A name and its value, as a line of a card.
pub(crate) fn fact(ui: &mut Ui, name: &str, value: impl Into<egui::WidgetText>) {
    let muted = theme::tokens(ui).muted;
    explained_measure(ui.label(RichText::new(name).color(muted)), name);
    // A grid lets its labels grow beyond it otherwise.
    ui.add(egui::Label::new(value).wrap());
    ui.end_row();
}

/// A heading with, where the registry of measures defines it, its definition for who points at it.
pub(crate) fn measure_heading(ui: &mut Ui, name: &str) -> Response {
    let response = remark(ui, name);
    explained_measure(response, name)
}

fn explained_measure(response: Response, name: &str) -> Response {
    match measures::definition(name) {
        Some(definition) => response.on_hover_text(definition.text),
        None => response,
    }
}

/// The text with a capital first letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// A duration in its largest unit, for where room is short: `4 s`, `3 min`, `2 h`.
pub(crate) fn brief_duration(seconds: f64) -> String {
    match seconds {
        _ if !seconds.is_finite() || seconds < 0.0 => "–".to_owned(),
        _ if 0.0 < seconds && seconds < 0.5 => "<1 s".to_owned(),
        _ if seconds < 59.5 => format!("{seconds:.0} s"),
        _ if seconds < 3570.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// A number of things: `1 layer`, `2 layers`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// A number with thin groups of three digits: `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_say_them() {
        assert_eq!(brief_duration(0.2), "<1 s");
        assert_eq!(brief_duration(59.4), "59 s");
        assert_eq!(brief_duration(3569.0), "59 min");
        assert_eq!(brief_duration(5400.0), "1.5 h");
        assert_eq!(brief_duration(f64::INFINITY), "–");
        assert_eq!(grouped(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(grouped(999), "999");
        assert_eq!(counted(1, "layer"), "1 layer");
        assert_eq!(counted(2, "layer"), "2 layers");
    }
}
