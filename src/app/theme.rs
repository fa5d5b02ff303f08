//! Design tokens: every colour, space and text size of the window, for the light and the dark theme.
//!
//! Panels name what they mean (`tokens.muted`, `space::M`), never a colour or a number of their own. Colours of states
//! are always accompanied by an icon and a word, so nothing depends on telling two hues apart.

#![allow(clippy::disallowed_methods, reason = "this is where the theme's colours are made")]

use std::num::NonZeroUsize;
use std::sync::Arc;

use eframe::egui;
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, TextStyle, Theme, Vec2,
};

/// Distances, in points.
pub(crate) mod space {
    pub(crate) const XS: f32 = 4.0;
    pub(crate) const S: f32 = 8.0;
    pub(crate) const M: f32 = 12.0;
    pub(crate) const L: f32 = 16.0;
    pub(crate) const XL: f32 = 24.0;
    pub(crate) const XXL: f32 = 40.0;
}

/// Text sizes, in points.
mod size {
    pub(crate) const SMALL: f32 = 12.0;
    pub(crate) const BODY: f32 = 13.5;
    pub(crate) const MONOSPACE: f32 = 12.5;
    pub(crate) const SECTION: f32 = 15.5;
    pub(crate) const TITLE: f32 = 20.0;
    pub(crate) const DISPLAY: f32 = 32.0;
}

/// How much of its colour is behind a word in a pill.
pub(crate) const PILL: f32 = 0.14;
/// Height of a table row.
pub(crate) const ROW_HEIGHT: f32 = 26.0;
/// Rounding of cards, fields and buttons.
pub(crate) const RADIUS: u8 = 6;
/// The page column of texts and forms is never wider than this, so that lines stay readable on large screens.
pub(crate) const COLUMN_WIDTH: f32 = 760.0;

/// The colours of one theme, by meaning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tokens {
    /// Behind everything.
    pub(crate) background: Color32,
    /// Cards, panes, fields.
    pub(crate) surface: Color32,
    /// A surface under the pointer, and bands of tables.
    pub(crate) raised: Color32,
    /// Tracks of progress bars, code.
    pub(crate) sunken: Color32,
    pub(crate) border: Color32,
    /// Borders of what can be clicked; at least 3 to 1 on every surface.
    pub(crate) border_strong: Color32,
    pub(crate) text: Color32,
    /// Secondary text; at least 4.5 to 1 on `surface`.
    pub(crate) muted: Color32,
    pub(crate) accent: Color32,
    /// Text on `accent`.
    pub(crate) on_accent: Color32,
    /// Behind what is selected.
    pub(crate) selected: Color32,
    pub(crate) success: Color32,
    pub(crate) warning: Color32,
    pub(crate) error: Color32,
    /// Behind modal dialogs.
    pub(crate) scrim: Color32,
}

const LIGHT: Tokens = Tokens {
    background: Color32::from_rgb(0xF3, 0xF5, 0xF8),
    surface: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    raised: Color32::from_rgb(0xF7, 0xF9, 0xFB),
    sunken: Color32::from_rgb(0xE6, 0xEA, 0xF0),
    border: Color32::from_rgb(0xDC, 0xE1, 0xE8),
    border_strong: Color32::from_rgb(0x80, 0x8A, 0x98),
    text: Color32::from_rgb(0x17, 0x1F, 0x2A),
    muted: Color32::from_rgb(0x56, 0x62, 0x72),
    accent: Color32::from_rgb(0x0B, 0x5C, 0xAD),
    on_accent: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    selected: Color32::from_rgb(0xDC, 0xEA, 0xF8),
    success: Color32::from_rgb(0x0A, 0x74, 0x5C),
    warning: Color32::from_rgb(0x88, 0x58, 0x00),
    error: Color32::from_rgb(0xB1, 0x2B, 0x20),
    scrim: Color32::from_rgba_premultiplied(10, 14, 20, 96),
};

const DARK: Tokens = Tokens {
    background: Color32::from_rgb(0x10, 0x14, 0x1A),
    surface: Color32::from_rgb(0x18, 0x1E, 0x26),
    raised: Color32::from_rgb(0x1E, 0x25, 0x2F),
    sunken: Color32::from_rgb(0x2A, 0x33, 0x3F),
    border: Color32::from_rgb(0x2A, 0x33, 0x3F),
    border_strong: Color32::from_rgb(0x64, 0x74, 0x88),
    text: Color32::from_rgb(0xE4, 0xE9, 0xF0),
    muted: Color32::from_rgb(0x9A, 0xA7, 0xB7),
    accent: Color32::from_rgb(0x6F, 0xB4, 0xF5),
    on_accent: Color32::from_rgb(0x0A, 0x1A, 0x2B),
    selected: Color32::from_rgb(0x22, 0x3A, 0x54),
    success: Color32::from_rgb(0x5B, 0xC8, 0xA5),
    warning: Color32::from_rgb(0xE6, 0xB4, 0x4C),
    error: Color32::from_rgb(0xF9, 0x85, 0x78),
    scrim: Color32::from_rgba_premultiplied(0, 0, 0, 140),
};

/// The tokens of a theme.
pub(crate) const fn of(theme: Theme) -> &'static Tokens {
    match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

/// The tokens of the theme that `ui` is drawn in.
pub(crate) fn tokens(ui: &egui::Ui) -> &'static Tokens {
    of(Theme::from_dark_mode(ui.visuals().dark_mode))
}

/// Says that every frame begins with the background, as [`Workbench`](super::Workbench) asks of a window.
pub(super) fn clear_with_ground(ctx: &egui::Context) {
    ctx.data_mut(|data| data.insert_temp(ground_id(), Cleared));
}

/// What is painted behind everything: nothing where the frame begins with it. A processor that draws pays for every pixel, and
/// most of a window is ground.
pub(crate) fn ground(ui: &egui::Ui) -> Color32 {
    match ui.data(|data| data.get_temp(ground_id())) {
        Some(Cleared) => Color32::TRANSPARENT,
        None => tokens(ui).background,
    }
}

/// The mark of a context whose frames begin with the background.
#[derive(Debug, Clone, Copy)]
struct Cleared;

fn ground_id() -> egui::Id {
    egui::Id::unique("ground")
}

/// Heading of a card or a part of a view.
pub(crate) fn section() -> TextStyle {
    TextStyle::Name("section".into())
}

/// The product's name on the start page.
pub(crate) fn display() -> TextStyle {
    TextStyle::Name("display".into())
}

/// The heavier cut of the text face, for headings and what matters most.
pub(crate) fn semi_bold() -> FontFamily {
    FontFamily::Name("semi-bold".into())
}

/// Gives both themes of the context the look and the type of the workbench.
pub(crate) fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    for theme in [Theme::Light, Theme::Dark] {
        ctx.style_mut_of(theme, |style| apply(style, of(theme)));
    }
    ctx.options_mut(|options| {
        options.zoom_with_keyboard = false;
        // A click opens a dialog, which measures itself, and is then drawn: all before the frame is shown.
        options.max_passes = NonZeroUsize::MIN.saturating_add(2);
    });
}

/// Inter for text, with egui's own fonts behind it for the few signs that it lacks.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let regular: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
    let semi_bold_face: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");
    fonts.font_data.insert("Inter".to_owned(), Arc::new(FontData::from_static(regular)));
    fonts.font_data.insert("Inter SemiBold".to_owned(), Arc::new(FontData::from_static(semi_bold_face)));
    let mut behind = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    behind.push("Hack".to_owned());
    for (family, face) in [(FontFamily::Proportional, "Inter"), (semi_bold(), "Inter SemiBold")] {
        let faces = std::iter::once(face.to_owned()).chain(behind.iter().cloned()).collect();
        fonts.families.insert(family, faces);
    }
    fonts
}

fn apply(style: &mut egui::Style, tokens: &Tokens) {
    style.text_styles = [
        (TextStyle::Small, FontId::new(size::SMALL, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(size::BODY, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(size::BODY, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(size::MONOSPACE, FontFamily::Monospace)),
        (TextStyle::Heading, FontId::new(size::TITLE, semi_bold())),
        (section(), FontId::new(size::SECTION, semi_bold())),
        (display(), FontId::new(size::DISPLAY, semi_bold())),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(space::S, 6.0);
    spacing.button_padding = Vec2::new(10.0, 4.0);
    spacing.interact_size = Vec2::new(36.0, 26.0);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(20);
    spacing.combo_width = 120.0;
    spacing.text_edit_width = 240.0;
    spacing.tooltip_width = 420.0;
    spacing.scroll = egui::style::ScrollStyle::thin();
    style.animation_time = 0.08;
    style.interaction.selectable_labels = true;
    style.interaction.tooltip_delay = 0.4;
    visuals(&mut style.visuals, tokens);
}

fn visuals(visuals: &mut egui::Visuals, tokens: &Tokens) {
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(tokens.muted);
    visuals.hyperlink_color = tokens.accent;
    visuals.faint_bg_color = tokens.raised;
    visuals.extreme_bg_color = tokens.sunken;
    visuals.text_edit_bg_color = Some(tokens.surface);
    visuals.code_bg_color = tokens.sunken;
    visuals.warn_fg_color = tokens.warning;
    visuals.error_fg_color = tokens.error;
    visuals.panel_fill = tokens.background;
    visuals.window_fill = tokens.surface;
    visuals.window_stroke = Stroke::new(1.0, tokens.border);
    visuals.window_corner_radius = CornerRadius::same(RADIUS + 4);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS + 2);
    visuals.selection.bg_fill = tokens.selected;
    visuals.selection.stroke = Stroke::new(1.0, tokens.accent);
    visuals.striped = false;
    visuals.indent_has_left_vline = false;
    visuals.slider_trailing_fill = true;
    visuals.disabled_alpha = 0.45;
    let widgets = &mut visuals.widgets;
    widget(&mut widgets.noninteractive, tokens.surface, tokens.border, tokens.text);
    widget(&mut widgets.inactive, tokens.surface, tokens.border_strong, tokens.text);
    widget(&mut widgets.hovered, tokens.raised, tokens.accent, tokens.text);
    widget(&mut widgets.active, tokens.selected, tokens.accent, tokens.text);
    widget(&mut widgets.open, tokens.raised, tokens.border_strong, tokens.text);
}

fn widget(visuals: &mut egui::style::WidgetVisuals, fill: Color32, border: Color32, text: Color32) {
    visuals.bg_fill = fill;
    visuals.weak_bg_fill = fill;
    visuals.bg_stroke = Stroke::new(1.0, border);
    visuals.fg_stroke = Stroke::new(1.0, text);
    visuals.corner_radius = CornerRadius::same(RADIUS);
    visuals.expansion = 0.0;
}

/// The card that a table or a chart lies on.
pub(crate) fn panel_frame(ui: &egui::Ui) -> egui::Frame {
    let tokens = tokens(ui);
    egui::Frame::new()
        .fill(tokens.surface)
        .stroke((1.0, tokens.border))
        .corner_radius(RADIUS + 2)
        .inner_margin(Margin::same(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two opaque colours as WCAG 2 defines it, from 1 to 21.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let luminance = |colour: Color32| {
            let channel = |value: u8| {
                let value = f32::from(value) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_is_readable_on_every_surface() {
        for theme in [Theme::Light, Theme::Dark] {
            let tokens = of(theme);
            for ground in [tokens.background, tokens.surface, tokens.raised, tokens.sunken, tokens.selected] {
                for text in [tokens.text, tokens.muted, tokens.accent, tokens.success, tokens.warning, tokens.error] {
                    let contrast = contrast(text, ground);
                    assert!(contrast >= 4.5, "{theme:?}: {text:?} on {ground:?} is only {contrast:.2} to 1");
                }
            }
            assert!(contrast(tokens.on_accent, tokens.accent) >= 4.5);
            for colour in [tokens.muted, tokens.accent, tokens.success, tokens.warning, tokens.error] {
                let pill = tokens.surface.blend(colour.gamma_multiply(PILL));
                let contrast = contrast(colour, pill);
                assert!(contrast >= 4.5, "{theme:?}: a pill of {colour:?} is only {contrast:.2} to 1");
            }
        }
    }

    #[test]
    fn edges_of_what_can_be_used_are_seen() {
        for theme in [Theme::Light, Theme::Dark] {
            let tokens = of(theme);
            for ground in [tokens.background, tokens.surface, tokens.raised] {
                for edge in [tokens.border_strong, tokens.accent] {
                    let contrast = contrast(edge, ground);
                    assert!(contrast >= 3.0, "{theme:?}: {edge:?} on {ground:?} is only {contrast:.2} to 1");
                }
            }
        }
    }
}
