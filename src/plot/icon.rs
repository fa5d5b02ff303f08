//! The icon of the window and of packages: an adapter that moves a little with every stage, as three rising bars.

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8, Transform};
use resvg::usvg::{Options, Tree};

/// The icon as a picture that can be scaled.
pub const SVG: &str = include_str!("../../assets/icon.svg");

/// The icon as a PNG of `side` pixels.
///
/// # Errors
/// It has no size, or it is too large to be encoded.
pub fn as_png(side: u32) -> anyhow::Result<Vec<u8>> {
    let pixels = rgba(side)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// The icon as rows of `side` pixels: red, green, blue and opacity, not multiplied.
///
/// # Errors
/// It has no size.
pub fn rgba(side: u32) -> anyhow::Result<Vec<u8>> {
    let picture = drawn(side)?;
    let pixels = picture.pixels().iter().map(PremultipliedColorU8::demultiply);
    Ok(pixels.flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]).collect())
}

fn drawn(side: u32) -> anyhow::Result<Pixmap> {
    let tree = Tree::from_str(SVG, &Options::default())?;
    let mut picture = Pixmap::new(side, side).ok_or_else(|| anyhow::anyhow!("no icon has {side} pixels"))?;
    let scale = side as f32 / tree.size().width();
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_a_rounded_square_with_bars() {
        let pixels = rgba(64).unwrap();
        let pixel = |x: usize, y: usize| &pixels[(y * 64 + x) * 4..][..4];
        assert_eq!(pixels.len(), 4 * 64 * 64);
        assert_eq!(pixel(0, 0)[3], 0);
        assert_eq!(pixel(32, 4), [0x0b, 0x5c, 0xad, 255]);
        assert_eq!(pixel(48, 40), [255; 4]);
        let half = pixel(16, 45);
        assert!(half[0] > 0x0b && half[0] < 255, "{half:?}");
        assert!(as_png(0).is_err());
    }
}
