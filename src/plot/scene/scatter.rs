//! Lays out a scatter: marks with their intervals, names beside them instead of a legend, and the front of the best.

use super::lines::{self, PlotArea};
use super::{Anchor, Rect, Scene, Shape, Stroke, size};
use crate::plot::apart;
use crate::plot::font::{self, Weight};
use crate::plot::scale::{self, Range};
use crate::plot::{Better, Lines};

/// Draws `scatter` into `room`.
pub fn draw(scene: &mut Scene, scatter: &Lines, room: Rect) {
    let [x, y] = ranges(scatter);
    let area = lines::plot_area(scene, scatter, room, x, y);
    lines::axes(scene, scatter, room, &area);
    data(scene, scatter, &area);
}

/// What both axes show: costs from 0 on, with room for marks at the ends.
pub fn ranges(scatter: &Lines) -> [Range; 2] {
    let points = scatter.series.iter().flat_map(|series| series.points.iter().map(|point| point.x));
    let x = match Range::of(points) {
        // What is no cost need not be drawn from 0, where all of it lies far from there.
        Some(range) if scatter.x.better.is_none() && range.low > 0.6 * range.high => range.padded(0.15),
        Some(Range { low, high }) if low >= 0.0 && high > 0.0 => Range { low: -0.03 * high, high: 1.08 * high },
        Some(range) => range.padded(0.08),
        None => Range { low: 0.0, high: 1.0 },
    };
    [x, scale::y_range(scatter)]
}

/// Draws the front, the marks and their names.
pub fn data(scene: &mut Scene, scatter: &Lines, area: &PlotArea) {
    draw_front(scene, scatter, area);
    lines::data(scene, scatter, area);
    names(scene, scatter, area);
}

/// A staircase: with what lies on it, nothing better can be had for less.
fn draw_front(scene: &mut Scene, scatter: &Lines, area: &PlotArea) {
    let front = front(scatter);
    let mut points: Vec<[f32; 2]> = Vec::new();
    for [x, y] in front {
        let [x, y] = area.point(x, y);
        points.extend(points.last().map(|before| [x, before[1]]));
        points.push([x, y]);
    }
    if points.len() > 1 {
        let width = scene.scaled(1.25);
        let stroke = Stroke { colour: scene.theme.axis(), width, dashes: vec![width * 4.0, width * 3.0] };
        scene.shapes.push(Shape::Line { points, stroke });
    }
}

/// Distance of a name from its mark.
const APART: f32 = 10.0;

fn names(scene: &mut Scene, scatter: &Lines, area: &PlotArea) {
    let text = scene.scaled(size::LEGEND * 0.9);
    let mut taken: Vec<Rect> = scatter
        .series
        .iter()
        .flat_map(|series| &series.points)
        .flat_map(|point| {
            let [x, y] = area.point(point.x, point.y);
            let reach = scene.scaled(6.0);
            let mark = Rect { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach };
            let bar = point.spread.map(|[low, high]| {
                let [top, bottom] = [high, low].map(|end| area.point(point.x, end)[1]);
                Rect { left: x - reach * 0.3, top, right: x + reach * 0.3, bottom }
            });
            [Some(mark), bar]
        })
        .flatten()
        .collect();
    let names = scatter.series.iter().map(|series| series.name.as_str());
    let names = apart::fitted(names, text, Weight::Regular, area.at.width() * 0.45);
    for (series, name) in scatter.series.iter().zip(names) {
        let Some(point) = series.points.first() else { continue };
        let width = font::width(&name, text, Weight::Regular);
        let centre = area.point(point.x, point.y);
        let at = free_area(scene, area, centre, [width, text], &taken);
        leader(scene, centre, at);
        taken.push(at);
        let colour = scene.theme.text();
        scene.text([at.left, at.bottom - text * 0.22], name, text, colour, Anchor::Start);
    }
}

/// A thin line from a mark to its name where the two are not side by side.
fn leader(scene: &mut Scene, [x, y]: [f32; 2], name: Rect) {
    let to = [x.clamp(name.left, name.right), y.clamp(name.top, name.bottom)];
    if (to[0] - x).hypot(to[1] - y) > scene.scaled(APART) * 1.1 {
        let stroke = Stroke::solid(scene.theme.axis(), scene.scaled(0.75));
        scene.shapes.push(Shape::Line { points: vec![[x, y], to], stroke });
    }
}

/// The first place around `centre` that nothing is at; where all are taken, the one with the least below it.
fn free_area(scene: &Scene, area: &PlotArea, centre: [f32; 2], [width, height]: [f32; 2], taken: &[Rect]) -> Rect {
    let apart = scene.scaled(APART);
    let [x, y] = centre;
    let rights = [x + apart, x - apart - width, x - width / 2.0];
    let (middle, above, below) = (y - height / 2.0, y - apart - height, y + apart);
    let corners = [
        [rights[0], middle],
        [rights[1], middle],
        [rights[2], above],
        [rights[2], below],
        [rights[0], above],
        [rights[0], below],
        [rights[1], above],
        [rights[1], below],
        [rights[0], above - height],
        [rights[0], below + height],
        [rights[1], above - height],
        [rights[1], below + height],
    ];
    let at = corners.map(|[left, top]| Rect { left, top, right: left + width, bottom: top + height });
    let inside = |at: &&Rect| {
        at.left >= area.at.left && at.right <= area.at.right && at.top >= area.at.top && at.bottom <= area.at.bottom
    };
    let covered = |at: &Rect| taken.iter().map(|other| overlap(*at, *other)).sum::<f32>();
    let best = at.iter().filter(inside).min_by(|a, b| covered(a).total_cmp(&covered(b)));
    best.copied().unwrap_or(at[0])
}

/// The area that two rectangles share.
fn overlap(a: Rect, b: Rect) -> f32 {
    let width = (a.right.min(b.right) - a.left.max(b.left)).max(0.0);
    width * (a.bottom.min(b.bottom) - a.top.max(b.top)).max(0.0)
}

/// The points that no other point beats in x and y at once, by rising x. Empty where an axis has no better end.
fn front(scatter: &Lines) -> Vec<[f64; 2]> {
    let (Some(x), Some(y)) = (scatter.x.better, scatter.y.better) else { return Vec::new() };
    let sign = |better| if better == Better::Lower { 1.0 } else { -1.0 };
    let points = scatter.series.iter().flat_map(|series| &series.points).map(|point| [point.x, point.y]);
    let mut points: Vec<[f64; 2]> = points.filter(|point| point.iter().all(|value| value.is_finite())).collect();
    points.sort_by(|a, b| {
        (sign(x) * a[0]).total_cmp(&(sign(x) * b[0])).then((sign(y) * a[1]).total_cmp(&(sign(y) * b[1])))
    });
    let mut best = f64::INFINITY;
    points.retain(|point| {
        let beats = sign(y) * point[1] < best;
        best = best.min(sign(y) * point[1]);
        beats
    });
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    points
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;
    use crate::plot::{Axis, Body, Chart, Point, Series, SeriesStyle, Theme};

    #[test]
    fn names_of_points_that_are_close_do_not_overlap() {
        let series = (0..6).map(|slot| Series {
            name: format!("Method number {slot}"),
            points: vec![Point::new(10.0 + f64::from(slot) * 0.1, 0.1 + f64::from(slot % 2) * 0.001)],
            style: SeriesStyle::method(slot as usize),
        });
        let scatter =
            Lines { x: Axis::new("Time"), y: Axis::new("Hit"), series: series.collect(), boundaries: Vec::new() };
        let drawn = scene(&Chart::new("Cost", Body::Scatter(scatter)), Theme::Light, [960.0, 600.0], 1.0).unwrap();
        let names: Vec<Rect> = drawn
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text(text) if text.text.starts_with("Method") => {
                    let width = font::width(&text.text, text.size, Weight::Regular);
                    let [left, bottom] = text.at;
                    Some(Rect { left, top: bottom - text.size * 0.7, right: left + width, bottom })
                }
                _ => None,
            })
            .collect();
        assert_eq!(names.len(), 6);
        for (index, name) in names.iter().enumerate() {
            assert!(names[..index].iter().all(|other| overlap(*name, *other) == 0.0), "{index} covers another");
        }
    }

    #[test]
    fn the_front_has_what_nothing_beats_in_both() {
        let points = [[1.0, 0.1], [2.0, 0.3], [3.0, 0.2], [4.0, 0.4], [2.0, 0.25]];
        let series = points.map(|[x, y]| Series {
            name: String::new(),
            points: vec![Point::new(x, y)],
            style: SeriesStyle::method(0),
        });
        let axis = |better| Axis { better: Some(better), ..Axis::new("") };
        let mut scatter =
            Lines { x: axis(Better::Lower), y: axis(Better::Higher), series: series.to_vec(), boundaries: Vec::new() };
        assert_eq!(front(&scatter), [[1.0, 0.1], [2.0, 0.3], [4.0, 0.4]]);
        scatter.y.better = Some(Better::Lower);
        assert_eq!(front(&scatter), [[1.0, 0.1]]);
        scatter.x.better = None;
        assert!(front(&scatter).is_empty());
    }
}
