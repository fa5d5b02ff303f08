//! The window's icon: an adapter that moves a little with every stage, as three rising bars.

use eframe::egui::{IconData, Theme};

use super::theme;

const SIDE: u32 = 64;
/// Left edge, top and opacity of each bar; all are 12 wide and stand on the same ground.
const BARS: [(u32, u32, f32); 3] = [(10, 38, 0.55), (26, 26, 0.75), (42, 14, 1.0)];
const BAR_WIDTH: u32 = 12;
const GROUND: u32 = 52;
const CORNER: f32 = 14.0;

/// The icon as 64 x 64 pixels.
pub(crate) fn icon() -> IconData {
    let tokens = theme::of(Theme::Light);
    let rgba = (0..SIDE * SIDE)
        .flat_map(|index| {
            let (x, y) = (index % SIDE, index / SIDE);
            let bar = BARS
                .iter()
                .find(|(left, top, _)| (*left..*left + BAR_WIDTH).contains(&x) && (*top..GROUND).contains(&y));
            let colour = match bar {
                Some((_, _, opacity)) => tokens.accent.lerp_to_gamma(tokens.on_accent, *opacity),
                None => tokens.accent,
            };
            let [red, green, blue, _] = colour.to_array();
            [red, green, blue, (255.0 * coverage(x, y)) as u8]
        })
        .collect();
    IconData { rgba, width: SIDE, height: SIDE }
}

/// How much of a pixel lies in the rounded square.
fn coverage(x: u32, y: u32) -> f32 {
    let side = SIDE as f32;
    let beyond = |at: u32| {
        let at = at as f32 + 0.5;
        (CORNER - at).max(at - (side - CORNER)).max(0.0)
    };
    (CORNER - beyond(x).hypot(beyond(y)) + 0.5).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_a_rounded_square_with_bars() {
        let icon = icon();
        let pixel = |x: u32, y: u32| &icon.rgba[((y * SIDE + x) * 4) as usize..][..4];
        assert_eq!(icon.rgba.len(), (4 * SIDE * SIDE) as usize);
        assert_eq!(pixel(0, 0)[3], 0);
        assert_eq!(pixel(32, 4)[3], 255);
        assert_ne!(pixel(48, 40)[..3], pixel(4, 32)[..3]);
    }
}
