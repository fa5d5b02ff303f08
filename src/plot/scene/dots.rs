//! Lays out dots: marks with their intervals above the names of the x axis, not joined, and the legend.

use super::lines::{self, PlotArea};
use super::{Rect, Scene, legend, marks};
use crate::plot::{Lines, scale};

/// Draws `dots` into `room`.
pub fn draw(scene: &mut Scene, dots: &Lines, room: Rect) {
    let room = legend::draw(scene, &dots.series, room);
    let area = lines::plot_area(scene, dots, room, scale::x_range(dots), scale::y_range(dots));
    lines::axes(scene, dots, room, &area);
    data(scene, dots, &area);
}

/// Draws the intervals, and the marks on top of them.
pub fn data(scene: &mut Scene, dots: &Lines, area: &PlotArea) {
    let drawn = |value: f64| scale::can_be_drawn(value);
    for series in &dots.series {
        let points = || series.points.iter().filter(|point| drawn(point.x) && drawn(point.y));
        for point in points() {
            if let Some([low, high]) = point.spread.filter(|ends| ends.iter().all(|end| drawn(*end))) {
                let [[x, low], [_, high]] = [area.point(point.x, low), area.point(point.x, high)];
                marks::whisker(scene, series.style, x, low, high);
            }
        }
        let marker = series.style.marker.unwrap_or(series.style.ink.lone_mark());
        for point in points() {
            marks::mark(scene, series.style, marker, area.point(point.x, point.y));
        }
    }
}
