//! Lays out parallel coordinates: upright axes with their ends, polylines with marks, and the legend.

use super::{Anchor, Rect, Scene, Shape, Stroke, legend, marks, size};
use crate::plot::apart;
use crate::plot::font::{self, Weight};
use crate::plot::parallel::{Parallel, ParallelAxis, Polyline};
use crate::plot::scale::value_label;
use crate::plot::{Point, Series};

/// Where the axes are.
pub struct Axes {
    /// The upper and lower ends of the axes, and the left and right one.
    pub at: Rect,
    count: usize,
}

impl Axes {
    /// Where an axis stands.
    pub fn x(&self, axis: usize) -> f32 {
        self.at.left + self.at.width() * axis as f32 / self.count.saturating_sub(1).max(1) as f32
    }

    fn y(&self, part: f64) -> f32 {
        self.at.bottom - self.at.height() * part as f32
    }

    /// The points of a line, one an axis; none where it has no value.
    pub fn points(&self, parallel: &Parallel, line: &Polyline) -> Vec<Option<[f32; 2]>> {
        let point = |(index, value): (usize, &Option<f64>)| {
            let [low, high] = parallel.axes[index].range(index, &parallel.lines);
            value.filter(|value| value.is_finite()).map(|value| [self.x(index), self.y((value - low) / (high - low))])
        };
        line.values.iter().enumerate().map(point).collect()
    }
}

/// Draws axes and legend into `room`; returns where the axes are.
pub fn axes(scene: &mut Scene, parallel: &Parallel, room: Rect) -> Axes {
    let room = legend::draw(scene, &entries(parallel), room);
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let side = room.width() / parallel.axes.len().max(2) as f32 * 0.45;
    let headings = parallel.axes.iter().map(|axis| heading(axis, label, side * HEADING).len()).max().unwrap_or(1);
    let at = Rect {
        left: room.left + side,
        top: room.top + headings as f32 * label * size::LEADING + gap + tick,
        right: room.right - side,
        bottom: room.bottom - gap - tick * 0.5,
    };
    let axes = Axes { at, count: parallel.axes.len() };
    for index in 0..parallel.axes.len() {
        draw_axis(scene, &axes, parallel, index, side * HEADING);
    }
    axes
}

/// The entries of the legend.
pub fn entries(parallel: &Parallel) -> Vec<Series> {
    let entry =
        |line: &Polyline| Series { name: line.name.clone(), points: vec![Point::new(0.0, 0.0)], style: line.style };
    parallel.lines.iter().map(entry).collect()
}

/// Room of an axis' heading, in parts of the room beside it.
const HEADING: f32 = 1.9;

/// The lines of an axis' heading.
fn heading(axis: &ParallelAxis, size: f32, room: f32) -> Vec<String> {
    font::wrapped(&axis.label, size, Weight::Regular, room, 2)
}

fn draw_axis(scene: &mut Scene, axes: &Axes, parallel: &Parallel, index: usize, room: f32) {
    let axis = &parallel.axes[index];
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let [colour, quiet, text] = [scene.theme.axis(), scene.theme.quiet_text(), scene.theme.text()];
    let x = axes.x(index);
    let stroke = Stroke::solid(colour, scene.scaled(1.25));
    scene.shapes.push(Shape::Line { points: vec![[x, axes.at.top], [x, axes.at.bottom]], stroke });
    let lines = heading(axis, label, room);
    let first = axes.at.top - gap - tick - (lines.len() as f32 - 1.0) * label * size::LEADING;
    for (number, line) in lines.into_iter().enumerate() {
        scene.text([x, first + number as f32 * label * size::LEADING], line, label, text, Anchor::Middle);
    }
    let [low, high] = axis.range(index, &parallel.lines);
    let ticks: Vec<(f64, String)> = if axis.names.is_empty() {
        [low, (low + high) / 2.0, high].map(|value| (value, value_label(value))).to_vec()
    } else {
        axis.names.iter().enumerate().map(|(index, name)| (index as f64, name.clone())).collect()
    };
    let names = apart::fitted(ticks.iter().map(|(_, name)| name.as_str()), tick * 0.9, Weight::Regular, room * 0.85);
    for ((value, _), name) in ticks.iter().zip(names) {
        let y = axes.y((value - low) / (high - low));
        scene.text([x + gap * 0.8, y - tick * 0.25], name, tick * 0.9, quiet, Anchor::Start);
    }
}

/// Draws the polylines; those that are not the `emphasised` one, where there is one, step back.
pub fn data(scene: &mut Scene, parallel: &Parallel, axes: &Axes, emphasised: Option<usize>) {
    for (index, line) in parallel.lines.iter().enumerate().rev() {
        let faint = emphasised.is_some_and(|emphasised| emphasised != index);
        let points = axes.points(parallel, line);
        let colour = if faint { scene.theme.grid() } else { line.style.ink.rgb(scene.theme) };
        let width = scene.scaled(line.style.width * if emphasised == Some(index) { 1.6 } else { 1.0 });
        let dashes = line.style.dash.pattern().iter().map(|length| length * width).collect::<Vec<_>>();
        for part in points.chunk_by(|a, b| a.is_some() && b.is_some()) {
            let points: Vec<[f32; 2]> = part.iter().copied().flatten().collect();
            let stroke = Stroke { colour, width, dashes: dashes.clone() };
            if points.len() > 1 {
                scene.shapes.push(Shape::Line { points, stroke });
            }
        }
        for centre in points.into_iter().flatten().filter(|_| !faint) {
            marks::mark(scene, line.style, line.style.marker.unwrap_or(line.style.ink.lone_mark()), centre);
        }
    }
}
