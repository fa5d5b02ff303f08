//! Dots as PNG bytes.

use super::undrawable::Undrawable;

/// Logical pixels an inch.
pub(super) const LOGICAL_DPI: f64 = 96.0;

/// PNG bytes; a picture has no transparent place, so that its alpha is left out.
///
/// `description` is kept in the file, where there is one.
pub(super) fn encoded(
    [width, height]: [u32; 2],
    dots: &[u8],
    dpi: u32,
    description: Option<String>,
) -> Result<Vec<u8>, Undrawable> {
    encode([width, height], dots, dpi, description).map_err(|error| Undrawable::Writer(error.to_string()))
}

fn encode(
    [width, height]: [u32; 2],
    dots: &[u8],
    dpi: u32,
    description: Option<String>,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let dots_a_metre = (f64::from(dpi) / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: dots_a_metre,
        yppu: dots_a_metre,
        unit: png::Unit::Meter,
    }));
    if let Some(description) = description {
        encoder.add_itxt_chunk("Description".to_owned(), description)?;
    }
    let colours: Vec<u8> = dots.chunks_exact(4).flat_map(|dot| [dot[0], dot[1], dot[2]]).collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&colours)?;
    writer.finish()?;
    Ok(bytes)
}
