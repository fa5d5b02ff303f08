//! Lays out a forest plot: names on the left, intervals with their marks over a common axis, the line at 0, words on the right.

use super::{Anchor, Rect, Scene, Shape, Stroke, marks, size};
use crate::plot::apart;
use crate::plot::font::{self, Weight};
use crate::plot::forest::{Forest, ForestRow};
use crate::plot::scale::{self, Range, tick_label};

/// Where the rows are.
pub struct Rows {
    /// What lies between the axes.
    pub at: Rect,
    x: Range,
    height: f32,
}

impl Rows {
    fn x(&self, value: f64) -> f32 {
        self.at.left + self.at.width() * self.x.part(value) as f32
    }

    fn y(&self, index: usize) -> f32 {
        self.at.top + (index as f32 + 0.5) * self.height
    }

    /// The row at a place of the scene, names and words included.
    pub fn at(&self, y: f32) -> Option<usize> {
        (y >= self.at.top && y < self.at.bottom).then(|| ((y - self.at.top) / self.height) as usize)
    }
}

/// Share of the room that names, and that words, take at most.
const NAMES: f32 = 0.34;
const WORDS: f32 = 0.24;
/// A row is this many lines of text high at most, so that few rows stay beside each other.
const MAX_ROW: f32 = 5.0;

/// Draws `forest` into `room`; returns where its rows are.
pub fn draw(scene: &mut Scene, forest: &Forest, room: Rect) -> Rows {
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let axis = tick + label * size::LEADING + 2.0 * gap;
    let room_of_rows = (room.height() - axis).max(1.0);
    let height = (room_of_rows / forest.rows.len().max(1) as f32).min(MAX_ROW * tick);
    // Where rows are many, their text shrinks with them.
    let text = tick.min(height * 0.8);
    let widest = |of: fn(&ForestRow) -> &str, share: f32| {
        let widths = forest.rows.iter().map(|row| font::width(of(row), text, Weight::Regular));
        widths.fold(0.0, f32::max).min(room.width() * share)
    };
    let (names, words) = (widest(|row| &row.name, NAMES), widest(|row| &row.words, WORDS));
    let at = Rect {
        left: room.left + names + 2.0 * gap,
        top: room.top,
        right: room.right - words - 2.0 * gap,
        bottom: room.top + height * forest.rows.len() as f32,
    };
    let rows = Rows { at, x: forest.range(), height };
    draw_axis(scene, forest, &rows, room);
    let cut = apart::fitted(forest.rows.iter().map(|row| row.name.as_str()), text, Weight::Regular, names + 1.0);
    for ((index, row), name) in forest.rows.iter().enumerate().zip(cut) {
        let y = rows.y(index) + text * 0.35;
        let said = font::fitted(&row.words, text, Weight::Regular, words + 1.0);
        let (colour, quiet) = (scene.theme.text(), scene.theme.quiet_text());
        scene.text([at.left - gap, y], name, text, colour, Anchor::End);
        scene.text([at.right + gap, y], said, text, quiet, Anchor::Start);
        draw_row(scene, row, &rows, rows.y(index));
    }
    rows
}

/// Grid, ticks, the line at 0 and the heading.
fn draw_axis(scene: &mut Scene, forest: &Forest, rows: &Rows, room: Rect) {
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let [axis, grid, quiet, strong] =
        [scene.theme.axis(), scene.theme.grid(), scene.theme.quiet_text(), scene.theme.text()];
    let at = rows.at;
    let wanted = (at.width() / scene.scaled(110.0)).clamp(2.0, 8.0) as usize;
    let step = scale::step(rows.x, wanted, forest.x.ticks);
    for value in scale::ticks(rows.x, wanted, forest.x.ticks) {
        let x = rows.x(value);
        let stroke = Stroke::solid(grid, scene.scaled(1.0));
        scene.shapes.push(Shape::Line { points: vec![[x, at.top], [x, at.bottom]], stroke });
        scene.text([x, at.bottom + gap + tick], tick_label(value, step), tick, quiet, Anchor::Middle);
    }
    let stroke = Stroke::solid(axis, scene.scaled(1.25));
    scene.shapes.push(Shape::Line { points: vec![[at.left, at.bottom], [at.right, at.bottom]], stroke });
    let zero = rows.x(0.0);
    let stroke = Stroke::solid(strong, scene.scaled(1.5));
    scene.shapes.push(Shape::Line { points: vec![[zero, at.top], [zero, at.bottom]], stroke });
    let heading = font::fitted(&forest.x.heading(), label, Weight::Regular, room.width());
    // Centred below the plot as far as the room allows.
    let half = font::width(&heading, label, Weight::Regular) / 2.0;
    let x = at.centre()[0].clamp(room.left + half, (room.right - half).max(room.left + half));
    scene.text([x, at.bottom + 2.0 * gap + tick + label], heading, label, strong, Anchor::Middle);
}

fn draw_row(scene: &mut Scene, row: &ForestRow, rows: &Rows, y: f32) {
    let style = row.style;
    if let Some(ends) = row.interval.filter(|ends| ends.iter().all(|end| scale::can_be_drawn(*end))) {
        let [low, high] = ends.map(|end| rows.x(end));
        let stroke = Stroke::solid(style.ink.rgb(scene.theme), scene.scaled(2.0));
        let half = scene.scaled(5.0).min(rows.height * 0.3);
        let pieces = [[[low, y], [high, y]], [[low, y - half], [low, y + half]], [[high, y - half], [high, y + half]]];
        for points in pieces {
            scene.shapes.push(Shape::Line { points: points.to_vec(), stroke: stroke.clone() });
        }
    }
    if let Some(value) = row.value.filter(|value| scale::can_be_drawn(*value)) {
        let marker = style.marker.unwrap_or(style.ink.lone_mark());
        marks::mark(scene, style, marker, [rows.x(value), y]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;
    use crate::plot::{Axis, Body, Chart, SeriesStyle, Theme};

    fn row(name: &str, value: f64) -> ForestRow {
        ForestRow {
            name: name.to_owned(),
            style: SeriesStyle::method(0),
            value: Some(value),
            interval: Some([value - 0.01, value + 0.01]),
            words: "+1 %".to_owned(),
            sentence: String::new(),
        }
    }

    #[test]
    fn zero_is_always_shown_and_no_name_is_cut_where_there_is_room() {
        let forest =
            Forest { x: Axis::new("Gain"), rows: vec![row("Cumulative PESO with all anchors", 0.05), row("B", 0.07)] };
        let range = forest.range();
        assert!(range.low < 0.0 && range.high > 0.08, "{range:?}");
        let drawn = scene(&Chart::new("Gain", Body::Forest(forest)), Theme::Light, [960.0, 600.0], 1.0).unwrap();
        let texts: Vec<&str> = drawn
            .shapes
            .iter()
            .filter_map(|shape| if let Shape::Text(text) = shape { Some(text.text.as_str()) } else { None })
            .collect();
        assert!(texts.contains(&"Cumulative PESO with all anchors") && texts.contains(&"0.00"), "{texts:?}");
    }

    #[test]
    fn a_hundred_rows_stay_within_their_room() {
        let rows = (0..100).map(|index| row(&format!("Point {index}"), f64::from(index) * 1e-3)).collect();
        let forest = Forest { x: Axis::new("Gain"), rows };
        let drawn = scene(&Chart::new("Gain", Body::Forest(forest)), Theme::Dark, [640.0, 480.0], 1.0).unwrap();
        let lowest = drawn.shapes.iter().filter_map(|shape| match shape {
            Shape::Text(text) => Some(text.at[1]),
            _ => None,
        });
        assert!(lowest.fold(0.0, f32::max) <= 480.0);
    }
}
