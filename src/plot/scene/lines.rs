//! Lays out lines: axes, bands, lines, marks, and the legend outside the data.

use std::cmp::Ordering;

use super::marks::{mark, stroke, whisker};
use super::{Anchor, BAND_OPACITY, Rect, Scene, Shape, Stroke, legend, size};
use crate::plot::apart;
use crate::plot::font::{self, Weight};
use crate::plot::scale::{self, Range, tick_label};
use crate::plot::series_style::{Ink, Marker};
use crate::plot::{Boundary, Lines, Point, Series, Span, Ticks, dates};

/// Colour of marked parts of an axis: the palette's green.
const MARKED: Ink = Ink::Colour(2);

/// Draws `lines` into `room`.
pub fn draw(scene: &mut Scene, lines: &Lines, room: Rect) {
    let room = legend::draw(scene, &lines.series, room);
    let area = plot_area(scene, lines, room, scale::x_range(lines), scale::y_range(lines));
    axes(scene, lines, room, &area);
    data(scene, lines, &area);
}

/// The plot's rectangle and the values at its edges.
pub struct PlotArea {
    pub at: Rect,
    pub x: Range,
    pub y: Range,
}

impl PlotArea {
    /// Where a value of the x axis lies.
    pub fn x(&self, value: f64) -> f32 {
        self.at.left + self.at.width() * self.x.part(value) as f32
    }

    /// Where a value of the y axis lies.
    pub fn y(&self, value: f64) -> f32 {
        self.at.bottom - self.at.height() * self.y.part(value) as f32
    }

    /// Where a point lies.
    pub fn point(&self, x: f64, y: f64) -> [f32; 2] {
        [self.x(x), self.y(y)]
    }

    /// Where a point of `lines` is drawn, and whether that is instead of a place above or below the plot.
    pub fn drawn(&self, lines: &Lines, point: &Point) -> ([f32; 2], Ordering) {
        let (y, side) = match (lines.y.limits, point.y) {
            (Some(_), y) if y > self.y.high => (self.y.high, Ordering::Greater),
            (Some(_), y) if y < self.y.low => (self.y.low, Ordering::Less),
            (_, y) => (y, Ordering::Equal),
        };
        (self.point(point.x, y), side)
    }
}

/// Where the plot goes in `room` that axes of these ranges fit around it.
pub fn plot_area(scene: &Scene, lines: &Lines, room: Rect, x: Range, y: Range) -> PlotArea {
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let mut at = room;
    // The width of the plot is not known yet; it is hardly ever less than this.
    let (names, _) = x_names(lines, 0.8 * room.width(), x, tick);
    let rows = names.iter().map(|name| name.lines().count()).max().unwrap_or(1);
    at.bottom -= tick * (1.0 + size::LEADING * (rows - 1) as f32) + label * size::LEADING + 2.0 * gap;
    at.top += if lines.boundaries.is_empty() { tick * 0.5 } else { tick * 1.5 };
    let ticks = y_ticks(scene, lines, at.height(), y);
    let widest = ticks.iter().map(|(_, text)| font::width(text, tick, Weight::Regular)).fold(0.0, f32::max);
    at.left += label * size::LEADING + widest + 2.0 * gap;
    PlotArea { at, x, y }
}

/// Draws grid, ticks, boundaries and headings.
pub fn axes(scene: &mut Scene, lines: &Lines, room: Rect, area: &PlotArea) {
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let [axis, grid, quiet] = [scene.theme.axis(), scene.theme.grid(), scene.theme.quiet_text()];
    let at = area.at;
    for (value, text) in y_ticks(scene, lines, at.height(), area.y) {
        let y = area.y(value);
        let stroke = Stroke::solid(grid, scene.scaled(1.0));
        scene.shapes.push(Shape::Line { points: vec![[at.left, y], [at.right, y]], stroke });
        scene.text([at.left - gap, y + tick * 0.35], text, tick, quiet, Anchor::End);
    }
    let stroke = Stroke::solid(axis, scene.scaled(1.25));
    let across = vec![[at.left, at.bottom], [at.right, at.bottom]];
    scene.shapes.push(Shape::Line { points: across, stroke: stroke.clone() });
    let (x_ticks, tick) = x_ticks(scene, lines, area);
    for (value, text) in x_ticks {
        let x = area.x(value);
        let points = vec![[x, at.bottom], [x, at.bottom + gap * 0.6]];
        scene.shapes.push(Shape::Line { points, stroke: stroke.clone() });
        for (row, text) in text.lines().enumerate() {
            let y = at.bottom + gap + tick * (1.0 + size::LEADING * row as f32);
            scene.text([x, y], text, tick, quiet, Anchor::Middle);
        }
    }
    for span in &lines.x.marked {
        marked(scene, span, area);
    }
    for boundary in boundaries_with_room(scene, &lines.boundaries, area) {
        boundary.draw(scene, area);
    }
    scene.heading_level([at.centre()[0], room.bottom - label * 0.3], &lines.x.heading(), at.width());
    scene.heading_upwards([room.left + label * 0.8, at.centre()[1]], &lines.y.heading(), at.height());
}

/// Draws bands, lines and marks.
pub fn data(scene: &mut Scene, lines: &Lines, area: &PlotArea) {
    for series in &lines.series {
        band(scene, series, area);
    }
    // The first series is the one the chart is about: it is drawn last, on top.
    for series in lines.series.iter().rev() {
        line(scene, lines, series, area);
    }
}

fn y_ticks(scene: &Scene, lines: &Lines, height: f32, range: Range) -> Vec<(f64, String)> {
    if lines.y.ticks == Ticks::Decades {
        let apart = scene.scaled(size::TICK) * 2.0;
        let room = |ticks: &[(f64, String)]| {
            let part = |pair: &[(f64, String)]| (pair[1].0 - pair[0].0) / (range.high - range.low);
            ticks.windows(2).all(|pair| part(pair) as f32 * height >= apart)
        };
        return scale::decade_ticks(range, room);
    }
    let wanted = (height / scene.scaled(64.0)).clamp(2.0, 8.0) as usize;
    let step = scale::step(range, wanted, lines.y.ticks);
    let ticks = scale::ticks(range, wanted, lines.y.ticks);
    ticks.into_iter().map(|value| (value, tick_label(value, step))).collect()
}

/// The ticks of the x axis, and the size of their labels.
fn x_ticks(scene: &Scene, lines: &Lines, area: &PlotArea) -> (Vec<(f64, String)>, f32) {
    let tick = scene.scaled(size::TICK);
    if lines.x.names.is_empty() {
        return (x_numbers(scene, lines, area, tick), tick);
    }
    let (names, size) = x_names(lines, area.at.width(), area.x, tick);
    let names = names.into_iter().enumerate().map(|(at, name)| (at as f64, name));
    (names.filter(|(at, _)| (0.0..=1.0).contains(&area.x.part(*at))).collect(), size)
}

/// As many ticks as fit with their labels apart.
fn x_numbers(scene: &Scene, lines: &Lines, area: &PlotArea, tick: f32) -> Vec<(f64, String)> {
    let fit = |ticks: &[(f64, String)], apart: f32| {
        let widest = ticks.iter().map(|(_, text)| font::width(text, tick, Weight::Regular)).fold(0.0, f32::max);
        widest + scene.scaled(22.0) <= apart
    };
    let room = |ticks: &[(f64, String)]| {
        let closest = ticks.windows(2).map(|pair| area.x(pair[1].0) - area.x(pair[0].0)).fold(f32::MAX, f32::min);
        fit(ticks, closest)
    };
    if lines.x.ticks == Ticks::Decades {
        return scale::decade_ticks(area.x, room);
    }
    if lines.x.ticks == Ticks::Dates {
        let mut ticks = dates::ticks(area.x, room);
        // A label beyond the ends of the axis would meet those of the other one.
        ticks.retain(|(value, text)| {
            let half = font::width(text, tick, Weight::Regular) / 2.0;
            let x = area.x(*value);
            (area.at.left..=area.at.right).contains(&(x - half))
                && x + half <= area.at.right + scene.scaled(size::MARGIN)
        });
        return ticks;
    }
    for wanted in (1..=12).rev() {
        let step = scale::step(area.x, wanted, lines.x.ticks);
        let ticks: Vec<(f64, String)> = scale::ticks(area.x, wanted, lines.x.ticks)
            .into_iter()
            .map(|value| (value, tick_label(value, step)))
            .collect();
        if fit(&ticks, area.at.width() * (step / (area.x.high - area.x.low)) as f32) {
            return ticks;
        }
    }
    Vec::new()
}

/// The names of an axis of names, each in the room that it has on an axis of this width, and their size: a little smaller,
/// then broken between words, before they are cut.
fn x_names(lines: &Lines, width: f32, range: Range, tick: f32) -> (Vec<String>, f32) {
    let room = 0.96 * width / (range.high - range.low).max(f64::MIN_POSITIVE) as f32;
    let size = font::size_for(&lines.x.names, tick, room);
    // A name may have rows of its own: of the same rows of all names those that are cut stay apart.
    let rows = lines.x.names.iter().map(|name| name.lines().count()).max().unwrap_or(0);
    let row = |row: usize| {
        let texts = lines.x.names.iter().map(|name| name.lines().nth(row).unwrap_or_default());
        apart::wrapped(texts, size, Weight::Regular, room, 2)
    };
    let rows: Vec<Vec<Vec<String>>> = (0..rows).map(row).collect();
    let joined = |index: usize| rows.iter().flat_map(|row| row[index].clone()).collect::<Vec<_>>().join("\n");
    ((0..lines.x.names.len()).map(joined).collect(), size)
}

/// A boundary with as much of its label as fits before the next one.
struct Labelled {
    x: f32,
    label: String,
}

fn boundaries_with_room(scene: &Scene, boundaries: &[Boundary], area: &PlotArea) -> Vec<Labelled> {
    let text = scene.scaled(size::CAPTION);
    let shown: Vec<&Boundary> =
        boundaries.iter().filter(|boundary| (0.0..=1.0).contains(&area.x.part(boundary.x))).collect();
    let ends = shown.iter().skip(1).map(|next| area.x(next.x)).chain([area.at.right]);
    let labelled = shown.iter().zip(ends).map(|(boundary, end)| {
        let x = area.x(boundary.x);
        let fits = |label: &&str| font::width(label, text, Weight::Regular) + scene.scaled(6.0) <= end - x;
        let short = boundary.label.rsplit(' ').next().unwrap_or_default();
        let label = [boundary.label.as_str(), short].into_iter().find(fits).unwrap_or_default();
        Labelled { x, label: label.to_owned() }
    });
    labelled.collect()
}

impl Labelled {
    fn draw(self, scene: &mut Scene, area: &PlotArea) {
        let text = scene.scaled(size::CAPTION);
        let width = scene.scaled(1.0);
        let stroke = Stroke { colour: scene.theme.axis(), width, dashes: vec![width * 4.0, width * 3.0] };
        let top = area.at.top - text * 1.2;
        scene.shapes.push(Shape::Line { points: vec![[self.x, top], [self.x, area.at.bottom]], stroke });
        let at = [self.x + scene.scaled(4.0), area.at.top - text * 0.4];
        let colour = scene.theme.quiet_text();
        scene.text(at, self.label, text, colour, Anchor::Start);
    }
}

/// A marked part of the x axis, as far as it is shown.
fn marked(scene: &mut Scene, span: &Span, area: &PlotArea) {
    let inside = |value: f64| area.x(value).clamp(area.at.left, area.at.right);
    let (left, right) = (inside(span.from), inside(span.to));
    if right <= left {
        return;
    }
    let ends = |y: f32| vec![[left, y], [right, y]];
    let fill = MARKED.rgb(scene.theme);
    let (upper, lower) = (ends(area.at.top), ends(area.at.bottom));
    scene.shapes.push(Shape::Band { upper, lower, fill, opacity: BAND_OPACITY });
    let text = scene.scaled(size::CAPTION);
    if font::width(&span.label, text, Weight::Regular) + scene.scaled(6.0) <= right - left {
        let at = [0.5 * (left + right), area.at.top + 1.2 * text];
        let colour = scene.theme.quiet_text();
        scene.text(at, span.label.clone(), text, colour, Anchor::Middle);
    }
}

fn band(scene: &mut Scene, series: &Series, area: &PlotArea) {
    let fill = series.style.ink.rgb(scene.theme);
    for points in series.bands() {
        if let [(point, [low, high])] = points.as_slice() {
            whisker(scene, series.style, area.x(point.x), area.y(*low), area.y(*high));
            continue;
        }
        let upper = points.iter().map(|(point, [_, high])| area.point(point.x, *high)).collect();
        let lower = points.iter().map(|(point, [low, _])| area.point(point.x, *low)).collect();
        scene.shapes.push(Shape::Band { upper, lower, fill, opacity: BAND_OPACITY });
    }
}

fn line(scene: &mut Scene, lines: &Lines, series: &Series, area: &PlotArea) {
    for points in series.segments() {
        let drawn: Vec<([f32; 2], Ordering)> = points.iter().map(|point| area.drawn(lines, point)).collect();
        // A point without neighbours has no line: it needs a mark to be seen.
        let lone = (drawn.len() == 1).then(|| series.style.ink.lone_mark());
        if drawn.len() > 1 && series.style.width > 0.0 {
            let stroke = stroke(scene, series.style);
            scene.shapes.push(Shape::Line { points: drawn.iter().map(|(at, _)| *at).collect(), stroke });
        }
        for (centre, side) in drawn {
            let marker = match side {
                Ordering::Greater => Some(Marker::TriangleUp),
                Ordering::Less => Some(Marker::TriangleDown),
                Ordering::Equal => series.style.marker.or(lone),
            };
            if let Some(marker) = marker {
                mark(scene, series.style, marker, centre);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;
    use crate::plot::series_style::{SeriesStyle, Theme};
    use crate::plot::{Axis, Body, Chart};

    #[test]
    fn what_lies_beyond_the_limits_stands_at_the_end_of_the_axis_as_a_triangle() {
        let points = vec![Point::new(0.0, 0.5), Point::new(1.0, 90.0), Point::new(2.0, -7.0)];
        let series = vec![Series { name: "a".to_owned(), points: points.clone(), style: SeriesStyle::points(0) }];
        let y = Axis { limits: Some([0.0, 1.0]), ..Axis::new("y") };
        let lines = Lines { x: Axis::new("x"), y, series, boundaries: Vec::new() };
        let area = PlotArea {
            at: Rect { left: 0.0, top: 0.0, right: 200.0, bottom: 100.0 },
            x: Range { low: 0.0, high: 2.0 },
            y: Range { low: 0.0, high: 1.0 },
        };
        let drawn: Vec<_> = points.iter().map(|point| area.drawn(&lines, point)).collect();
        assert_eq!(drawn[0], ([0.0, 50.0], Ordering::Equal));
        assert_eq!(drawn[1], ([100.0, 0.0], Ordering::Greater));
        assert_eq!(drawn[2], ([200.0, 100.0], Ordering::Less));
        let wider = PlotArea { y: Range { low: -10.0, high: 100.0 }, ..area };
        assert_eq!(wider.drawn(&lines, &points[1]).1, Ordering::Equal, "zoomed out it stands where it is");
        let marks = |lines: Lines| {
            let scene = scene(&Chart::new("t", Body::Lines(lines)), Theme::Light, [600.0, 400.0], 1.0).unwrap();
            scene.shapes.iter().filter(|shape| matches!(shape, Shape::Mark { .. })).count()
        };
        assert_eq!(marks(lines), 2, "two triangles beside the circle");
    }
}
