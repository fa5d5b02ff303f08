//! Lays out bars: bands with their words above the plot, axes, the parts of every bar, and the legend.

use super::lines::{self, PlotArea};
use super::{Anchor, Rect, Scene, Shape, legend, size};
use crate::plot::bars::{Band, Bars};
use crate::plot::font::{self, Weight};
use crate::plot::scale::Range;
use crate::plot::series_style::{Dash, Marker, SeriesStyle, Tone};
use crate::plot::{Lines, Series, Ticks};

/// How much of a band's colour covers what is below it.
const BAND: f32 = 0.12;

/// Draws `bars` into `room`.
pub fn draw(scene: &mut Scene, bars: &Bars, room: Rect) {
    let (area, _) = frame(scene, bars, room);
    data(scene, bars, &area);
}

/// Draws legend, bands and axes; returns where the bars go, and how far bands reach above them.
pub fn frame(scene: &mut Scene, bars: &Bars, room: Rect) -> (PlotArea, f32) {
    let lines = Lines { x: bars.x.clone(), y: bars.y.clone(), series: Vec::new(), boundaries: Vec::new() };
    let room = legend::draw(scene, &entries(bars), room);
    let words = bars.bands.iter().map(|band| band.lines.len()).max().unwrap_or(0) as f32;
    let caption = scene.scaled(size::CAPTION);
    let above = if words > 0.0 { (words + 0.4) * caption * size::LEADING } else { 0.0 };
    let inner = Rect { top: room.top + above, ..room };
    let area = lines::plot_area(scene, &lines, inner, x_range(bars), y_range(bars));
    for band in &bars.bands {
        draw_band(scene, band, &area, above);
    }
    lines::axes(scene, &lines, inner, &area);
    (area, above)
}

/// Draws the bars.
pub fn data(scene: &mut Scene, bars: &Bars, area: &PlotArea) {
    for bar in &bars.bars {
        let [left, right] = [area.x(bar.from), area.x(bar.to)];
        // Bars that touch would have a seam where their edges share a pixel.
        let right = if bars.x.ticks == Ticks::Dates { right + 0.3 } else { right };
        let mut below = 0.0;
        for (part, height) in bars.parts.iter().zip(&bar.heights) {
            if *height > 0.0 {
                let at = Rect { left, top: area.y(below + height), right, bottom: area.y(below) };
                scene.shapes.push(Shape::Rect { at, fill: part.tone.rgb(scene.theme), radius: 0.0 });
            }
            below += height;
        }
    }
}

fn x_range(bars: &Bars) -> Range {
    if !bars.x.names.is_empty() {
        return Range { low: -0.5, high: bars.x.names.len() as f64 - 0.5 };
    }
    let ends = bars.bars.iter().flat_map(|bar| [bar.from, bar.to]);
    Range::of(ends).filter(|range| range.low < range.high).unwrap_or(Range { low: 0.0, high: 1.0 })
}

fn y_range(bars: &Bars) -> Range {
    let highest = bars.bars.iter().map(crate::plot::bars::Bar::height).fold(0.0, f64::max);
    Range { low: 0.0, high: if highest > 0.0 { 1.06 * highest } else { 1.0 } }
}

/// The entries of the legend, the topmost part first; none where bands or a single part need none.
pub fn entries(bars: &Bars) -> Vec<Series> {
    if !bars.bands.is_empty() || bars.parts.len() < 2 {
        return Vec::new();
    }
    let entry = |part: &crate::plot::bars::Part| match part.tone {
        Tone::Ink(ink) => {
            let style = SeriesStyle { ink, dash: Dash::Solid, marker: Some(Marker::Square), width: 0.0, open: false };
            Some(Series { name: part.name.clone(), points: Vec::new(), style })
        }
        Tone::Ordered(_) => None,
    };
    bars.parts.iter().rev().filter_map(entry).collect()
}

/// A band behind the bars, and as many of its lines as fit above them.
fn draw_band(scene: &mut Scene, band: &Band, area: &PlotArea, above: f32) {
    let text = scene.scaled(size::CAPTION);
    let [left, right] = [band.from, band.to].map(|x| area.x(x).clamp(area.at.left, area.at.right));
    let top = area.at.top - above;
    scene.shapes.push(Shape::Band {
        upper: vec![[left, top], [right, top]],
        lower: vec![[left, area.at.bottom], [right, area.at.bottom]],
        fill: band.tone.rgb(scene.theme),
        opacity: BAND,
    });
    let inside = scene.scaled(5.0);
    let fits = |words: &str, weight| font::width(words, text, weight) + 1.6 * inside <= right - left;
    for (row, line) in band.lines.iter().enumerate() {
        let weight = if row == 0 { Weight::SemiBold } else { Weight::Regular };
        let Some(words) = line.iter().find(|words| fits(words, weight)) else { continue };
        let at = [left + inside, top + text * (1.1 + size::LEADING * row as f32)];
        let colour = if row == 0 { scene.theme.text() } else { scene.theme.quiet_text() };
        scene.text(at, words.as_str(), text, colour, Anchor::Start);
    }
}
