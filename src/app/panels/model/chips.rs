//! Tokens as chips: what they say on a ground that tells what they are, with their number and bytes on hovering.

use eframe::egui;
use egui::{Align2, Color32, CornerRadius, FontId, Response, RichText, Sense, StrokeKind, TextStyle, Ui, Vec2};

use crate::app::{theme, widgets};

/// What a chip looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChipKind {
    /// Text, on two grounds in turn so that neighbours are told apart.
    Text(usize),
    /// A code, or another token that the dataset adds.
    Code,
    /// What the loss and the search are over.
    Scored,
}

impl ChipKind {
    fn colours(self, ui: &Ui) -> (Color32, Color32) {
        let tokens = theme::tokens(ui);
        match self {
            Self::Text(index) if index.is_multiple_of(2) => (tokens.sunken, tokens.border),
            Self::Text(_) => (tokens.raised, tokens.border_strong),
            Self::Code => (tokens.accent.gamma_multiply(0.16), tokens.accent.gamma_multiply(0.5)),
            Self::Scored => (tokens.success.gamma_multiply(0.18), tokens.success),
        }
    }
}

/// Draws a token; its name for those who cannot see it is what it says.
pub(super) fn chip(ui: &mut Ui, text: &str, kind: ChipKind) -> Response {
    let (ground, border) = kind.colours(ui);
    let colour = theme::tokens(ui).text;
    let font = FontId::new(TextStyle::Small.resolve(ui.style()).size, egui::FontFamily::Monospace);
    let shown = visible(text);
    let galley = ui.painter().layout_no_wrap(shown.clone(), font, colour);
    let size = galley.size() + Vec2::new(8.0, 5.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    if ui.is_rect_visible(rect) {
        ui.painter().rect(rect, CornerRadius::same(4), ground, (1.0, border), StrokeKind::Inside);
        let at = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min;
        ui.painter().galley(at, galley, colour);
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &shown));
    response
}

/// Chips one after the other, as many lines as they need.
pub(super) fn row(ui: &mut Ui, chips: impl FnOnce(&mut Ui)) {
    ui.scope(|ui| {
        // Lines of chips are as high as chips are, not as buttons.
        ui.spacing_mut().interact_size.y = 0.0;
        ui.spacing_mut().item_spacing = Vec2::splat(3.0);
        ui.horizontal_wrapped(chips);
    });
}

/// A line on what the chips' grounds mean.
pub(super) fn legend(ui: &mut Ui, entries: &[(ChipKind, &str)]) {
    ui.horizontal_wrapped(|ui| {
        for &(kind, words) in entries {
            let (ground, border) = kind.colours(ui);
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(11.0), Sense::hover());
            ui.painter().rect(rect, CornerRadius::same(3), ground, (1.0, border), StrokeKind::Inside);
            widgets::remark(ui, words);
            ui.add_space(theme::space::S);
        }
    });
}

/// The bytes of a token in hexadecimal digits: `20 74 68`.
pub(super) fn bytes_words(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// What is shown on hovering.
pub(super) fn explain(response: Response, lines: &[String]) {
    response.on_hover_ui(|ui| {
        for (index, line) in lines.iter().enumerate() {
            let text = RichText::new(line);
            ui.label(if index == 0 { text.family(theme::semi_bold()) } else { text });
        }
    });
}

/// The text with a sign for every space and line break, which would not be seen.
fn visible(text: &str) -> String {
    let sign = |character| match character {
        ' ' => '·',
        '\n' => '↵',
        '\t' => '→',
        other => other,
    };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_has_a_sign() {
        assert_eq!(visible(" the\n\tend"), "·the↵→end");
        assert_eq!(bytes_words(" é".as_bytes()), "20 c3 a9");
    }
}
