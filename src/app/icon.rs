//! The window's icon.

use eframe::egui::IconData;

use crate::plot::icon;

const SIDE: u32 = 64;

/// The icon in pixels; none where it cannot be drawn, for which the desktop has its own.
pub(super) fn icon() -> IconData {
    icon::rgba(SIDE).map_or_else(|_| IconData::default(), |rgba| IconData { rgba, width: SIDE, height: SIDE })
}

#[cfg(test)]
mod tests {
    use eframe::egui::Theme;

    use super::*;
    use crate::app::theme;

    #[test]
    fn the_icon_has_the_colour_of_what_is_chosen() {
        let icon = icon();
        assert_eq!(icon.rgba.len(), (4 * SIDE * SIDE) as usize);
        let accent = theme::of(Theme::Light).accent.to_array();
        let at = ((4 * SIDE + 32) * 4) as usize;
        assert_eq!(icon.rgba[at..at + 4], accent);
    }
}
