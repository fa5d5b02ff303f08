//! Charts as files: SVG, PNG and PDF. The same chart and style always give the same bytes.

use std::borrow::Cow;

use krilla::Document;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::bitmap::{LOGICAL_DPI, encoded};
use super::series_style::Theme;
use super::svg::Drawn;
use super::undrawable::Undrawable;
use super::{Chart, fallback, font, scene, svg as svg_writer};

/// How a file's chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub theme: Theme,
    /// Width and height in logical pixels, 96 to the inch; text grows with them.
    pub width: u32,
    pub height: u32,
    /// Dots an inch of a PNG.
    pub dpi: u32,
}

impl Default for Style {
    fn default() -> Self {
        Self { theme: Theme::Light, width: 960, height: 600, dpi: 192 }
    }
}

const POINTS_PER_PIXEL: f32 = 0.75;
const MAX_DOTS: u64 = 120_000_000;

impl Style {
    fn checked(&self) -> Result<&Self, Undrawable> {
        let drawable = (160..=8000).contains(&self.width) && (120..=8000).contains(&self.height);
        drawable.then_some(self).ok_or(Undrawable::Size { width: self.width, height: self.height })
    }

    /// Width and height of a PNG.
    fn dots(&self) -> Result<[u32; 2], Undrawable> {
        let [width, height] = [self.width, self.height]
            .map(|length| (f64::from(length) * f64::from(self.dpi) / LOGICAL_DPI).round() as u32);
        let drawable = self.dpi >= 36 && u64::from(width) * u64::from(height) <= MAX_DOTS;
        drawable.then_some([width, height]).ok_or(Undrawable::Dots { width, height })
    }
}

/// `chart` as an SVG document with text as text.
///
/// # Errors
/// [`Undrawable`] where the style's size is out of bounds.
pub fn svg(chart: &Chart, style: &Style) -> Result<String, Undrawable> {
    svg_part(chart, style, "")
}

/// The same as a part of a page, on which several would share their names: its own begin with `names`.
///
/// # Errors
/// [`Undrawable`] where the style's size is out of bounds.
pub fn svg_part(chart: &Chart, style: &Style, names: &str) -> Result<String, Undrawable> {
    document(chart, style, names, Drawn::Elsewhere)
}

fn document(chart: &Chart, style: &Style, names: &str, drawn: Drawn) -> Result<String, Undrawable> {
    let style = style.checked()?;
    if !chart.body.pictures().is_empty() {
        style.dots()?;
    }
    let dots = (f64::from(style.dpi) / LOGICAL_DPI) as f32;
    let scene = scene::scene(chart, style.theme, [style.width, style.height].map(|length| length as f32), dots)?;
    let description: Vec<String> = [chart.description()].into_iter().chain(described(chart)).collect();
    Ok(svg_writer::write(&scene, &chart.title, &description.join(". "), names, drawn))
}

/// Dots in rows from the top, four bytes each: red, green and blue, multiplied by the alpha that is the fourth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// Width and height.
    pub size: [u32; 2],
    pub dots: Vec<u8>,
}

/// `chart` as dots.
///
/// # Errors
/// [`Undrawable`] where the style's size is out of bounds.
pub fn bitmap(chart: &Chart, style: &Style) -> Result<Bitmap, Undrawable> {
    let [width, height] = style.checked()?.dots()?;
    let tree = tree(chart, style)?;
    let mut picture = Pixmap::new(width, height).ok_or(Undrawable::Dots { width, height })?;
    let [across, down] = [width as f32 / style.width as f32, height as f32 / style.height as f32];
    resvg::render(&tree, Transform::from_scale(across, down), &mut picture.as_mut());
    Ok(Bitmap { size: [width, height], dots: picture.take() })
}

/// `chart` as a PNG that states its dots an inch.
///
/// # Errors
/// [`Undrawable`] where the style's size is out of bounds.
pub fn png(chart: &Chart, style: &Style) -> Result<Vec<u8>, Undrawable> {
    let Bitmap { size, dots } = bitmap(chart, style)?;
    encoded(size, &dots, style.dpi, described(chart))
}

/// `chart` as a PDF of one page with text that can be searched and copied.
///
/// # Errors
/// [`Undrawable`] where the style's size is out of bounds.
pub fn pdf(chart: &Chart, style: &Style) -> Result<Vec<u8>, Undrawable> {
    let failed = || Undrawable::Size { width: style.width, height: style.height };
    let tree = tree(chart, style)?;
    let [width, height] = [style.width, style.height].map(|length| length as f32 * POINTS_PER_PIXEL);
    let size = Size::from_wh(width, height).ok_or_else(failed)?;
    let settings = PageSettings::from_wh(width, height).ok_or_else(failed)?;
    let mut document = Document::new();
    let metadata = Metadata::new().title(chart.title.clone()).language("en".to_owned());
    document.set_metadata(match described(chart) {
        Some(definitions) => metadata.description(definitions),
        None => metadata,
    });
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    surface.draw_svg(&tree, size, SvgSettings::default()).ok_or_else(failed)?;
    surface.finish();
    page.finish();
    document.finish().map_err(|error| Undrawable::Writer(format!("{error:?}")))
}

/// The chart's definitions, where it has any.
fn described(chart: &Chart) -> Option<String> {
    (!chart.definitions.is_empty()).then(|| chart.definitions.join(". "))
}

/// `chart` as resvg and krilla draw it. Where letters of it are in no font of this machine, its caption says so.
fn tree(chart: &Chart, style: &Style) -> Result<Tree, Undrawable> {
    let plain = document(chart, style, "", Drawn::Here)?;
    match missing_letters(chart, &plain) {
        None => parsed(&plain),
        Some(remark) => {
            let caption =
                chart.caption.as_ref().map_or_else(|| remark.clone(), |caption| format!("{caption}. {remark}"));
            parsed(&document(&Chart { caption: Some(caption), ..chart.clone() }, style, "", Drawn::Here)?)
        }
    }
}

/// An SVG document with the fonts that its letters take. A letter that no font has is drawn as a question mark: usvg would look
/// for no other letter's font after it.
pub(crate) fn parsed(svg: &str) -> Result<Tree, Undrawable> {
    let missing = font::fallbacks(svg).missing;
    let svg = if missing.is_empty() {
        Cow::Borrowed(svg)
    } else {
        Cow::Owned(svg.replace(|letter| missing.contains(&letter), "?"))
    };
    let options = Options { fontdb: font::database_for(&svg), ..Options::default() };
    Tree::from_str(&svg, &options).map_err(|error| Undrawable::Writer(error.to_string()))
}

/// What must be told of letters of a drawn chart that no font of this machine has.
fn missing_letters(chart: &Chart, svg: &str) -> Option<String> {
    let missing = font::fallbacks(svg).missing;
    fallback::remark(chart.names().into_iter().chain([chart.title.as_str()]), &missing)
}
