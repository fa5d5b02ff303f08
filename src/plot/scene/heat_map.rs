//! Lays out a heat map: cells with their values, names of rows and columns, and the colour bar.

use super::{Anchor, Rect, Scene, Shape, Stroke, size};
use crate::plot::apart;
use crate::plot::font::{self, Weight};
use crate::plot::scale::{self, Range, grouped};
use crate::plot::series_style::{ColourMap, heat, text_on};
use crate::plot::{HeatMap, Panel};

/// Panels as [`draw`] takes them.
pub fn named(panels: &[Panel]) -> Vec<(&str, &HeatMap)> {
    panels.iter().map(|panel| (panel.name.as_str(), &panel.map)).collect()
}

/// Draws `maps` side by side into `room`, each with its name above it where it has one; returns where the cells of each
/// are. All share one range of colours and its bar.
pub fn draw(scene: &mut Scene, maps: &[(&str, &HeatMap)], room: Rect) -> Vec<Rect> {
    let Some(&(_, first)) = maps.first() else { return Vec::new() };
    // Maps without values have no colours, but their rows and columns are drawn.
    let ranges = maps.iter().filter_map(|(_, map)| scale::heat_range(map));
    let range = Range::of(ranges.flat_map(|range| [range.low, range.high])).unwrap_or(Range { low: 0.0, high: 0.0 });
    let decimals = scale::decimals([range.low, range.high]);
    let tick = scene.scaled(size::TICK);
    let bar_text = [range.low, range.high].map(|value| font::width(&grouped(value, decimals), tick, Weight::Regular));
    let bar_room = scene.scaled(18.0 + 8.0 + 12.0 + 34.0) + bar_text[0].max(bar_text[1]) + scene.scaled(size::LABEL);
    let width = (room.width() - bar_room) / maps.len() as f32;
    let mut left = room.left;
    let mut all = Vec::new();
    for (name, map) in maps {
        let mut own = Rect { left, right: left + width, ..room };
        own.top += heading(scene, name, own);
        let cells = headings(scene, map, own, WIDEST);
        draw_cells(scene, map, cells, range, decimals);
        all.push(cells);
        left = cells.right + scene.scaled(20.0);
    }
    let cells = all.last().copied().unwrap_or(room);
    let left = cells.right + scene.scaled(34.0);
    let bar = Rect { left, right: left + scene.scaled(18.0), ..cells };
    colour_bar(scene, first, bar, range, decimals);
    all
}

/// Draws a name at the top of `room`; returns the height that it takes.
pub fn heading(scene: &mut Scene, name: &str, room: Rect) -> f32 {
    if name.is_empty() {
        return 0.0;
    }
    let label = scene.scaled(size::LABEL);
    let text = font::fitted(name, label, Weight::SemiBold, room.width());
    let colour = scene.theme.text();
    scene.text([room.left, room.top + label], text, label, colour, Anchor::Start);
    label * size::LEADING
}

/// Draws the names of rows and columns; returns where the cells go, each at most `widest_cell` times as wide as high.
pub(super) fn headings(scene: &mut Scene, map: &HeatMap, room: Rect, widest_cell: f32) -> Rect {
    let [tick, label] = [size::TICK, size::LABEL].map(|size| scene.scaled(size));
    let gap = scene.scaled(size::GAP);
    let longest = room.width() * 0.25;
    let row_size = font::size_for(&map.rows, tick, longest);
    let names = apart::fitted(map.rows.iter().map(String::as_str), row_size, Weight::Regular, longest);
    let widest = names.iter().map(|name| font::width(name, row_size, Weight::Regular)).fold(0.0, f32::max);
    let cells = Rect {
        left: room.left + label * size::LEADING + widest + 2.0 * gap,
        top: room.top + gap,
        right: room.right,
        bottom: room.bottom - tick - label * size::LEADING - 2.0 * gap,
    };
    let cells = not_too_wide(cells, map, widest_cell);
    let quiet = scene.theme.quiet_text();
    for (row, name) in names.into_iter().enumerate() {
        let y = cell(cells, map, row, 0).centre()[1] + row_size * 0.35;
        scene.text([cells.left - gap, y], name, row_size, quiet, Anchor::End);
    }
    let wide = cell(cells, map, 0, 0).width() * 0.95;
    let column_size = font::size_for(&map.columns, tick, wide);
    let names = apart::fitted(map.columns.iter().map(String::as_str), column_size, Weight::Regular, wide);
    for (column, name) in names.into_iter().enumerate() {
        let at = cell(cells, map, 0, column);
        scene.text([at.centre()[0], cells.bottom + gap + tick], name, column_size, quiet, Anchor::Middle);
    }
    scene.heading_level([cells.centre()[0], room.bottom - label * 0.3], &map.column_label, cells.width());
    let beside = cells.left - gap - widest - gap - label * 0.55;
    scene.heading_upwards([beside, cells.centre()[1]], &map.row_label, cells.height());
    cells
}

/// Width of a cell at most, in heights.
const WIDEST: f32 = 1.7;

/// Cells wider than `widest` times their height are made narrower, the whole stays at the left.
fn not_too_wide(cells: Rect, map: &HeatMap, widest: f32) -> Rect {
    let [rows, columns] = [map.rows.len(), map.columns.len()].map(|count| count.max(1) as f32);
    let width = (widest * cells.height() / rows * columns).min(cells.width());
    Rect { right: cells.left + width, ..cells }
}

/// Where one cell is.
pub fn cell(cells: Rect, map: &HeatMap, row: usize, column: usize) -> Rect {
    let height = cells.height() / map.rows.len().max(1) as f32;
    let width = cells.width() / map.columns.len().max(1) as f32;
    let [left, top] = [cells.left + column as f32 * width, cells.top + row as f32 * height];
    Rect { left, top, right: left + width, bottom: top + height }
}

fn draw_cells(scene: &mut Scene, map: &HeatMap, cells: Rect, range: Range, decimals: usize) {
    let inset = scene.scaled(1.0);
    let text = value_size(scene, map, cells, range, decimals);
    for (row, values) in map.values.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let at = cell(cells, map, row, column);
            let at =
                Rect { left: at.left + inset, top: at.top + inset, right: at.right - inset, bottom: at.bottom - inset };
            let Some(value) = *value else {
                hatched(scene, at);
                continue;
            };
            let fill = heat(part(range, value));
            scene.shapes.push(Shape::Rect { at, fill, radius: 0.0 });
            if let Some(size) = text {
                let [x, y] = at.centre();
                scene.text([x, y + size * 0.35], grouped(value, decimals), size, text_on(fill), Anchor::Middle);
            }
        }
    }
}

/// A cell that was not measured: its frame and thin diagonals, so that it is not taken for a colour of the scale.
fn hatched(scene: &mut Scene, at: Rect) {
    let stroke = Stroke::solid(scene.theme.grid(), scene.scaled(1.0));
    scene.shapes.push(Shape::Frame { at, stroke: stroke.clone() });
    diagonals(scene, at, &stroke);
}

/// Diagonals over a cell.
pub(super) fn diagonals(scene: &mut Scene, at: Rect, stroke: &Stroke) {
    let step = scene.scaled(12.0).max(4.0);
    let [width, height] = [at.width(), at.height()];
    let mut along = step;
    // Each diagonal rises to the right: from the left or lower edge to the upper or right one.
    while along < width + height {
        let from = [at.left + (along - height).max(0.0), at.top + along.min(height)];
        let to = [at.left + along.min(width), at.top + (along - width).max(0.0)];
        scene.shapes.push(Shape::Line { points: vec![from, to], stroke: stroke.clone() });
        along += step;
    }
}

/// Size at which every value fits its cell; none where that is too small to read.
fn value_size(scene: &Scene, map: &HeatMap, cells: Rect, range: Range, decimals: usize) -> Option<f32> {
    let at = cell(cells, map, 0, 0);
    let wanted = scene.scaled(size::LEGEND * 1.1);
    let widest = [range.low, range.high]
        .map(|value| font::width(&grouped(value, decimals), wanted, Weight::Regular))
        .into_iter()
        .fold(0.0, f32::max);
    let size = wanted * (at.width() * 0.86 / widest).min(at.height() * 0.7 / wanted).min(1.0);
    (size >= scene.scaled(9.0)).then_some(size)
}

fn part(range: Range, value: f64) -> f64 {
    if range.high > range.low { range.part(value) } else { 0.5 }
}

fn colour_bar(scene: &mut Scene, map: &HeatMap, bar: Rect, range: Range, decimals: usize) {
    scene.shapes.push(Shape::Heat { at: bar, map: ColourMap::Sequential, theme: scene.theme });
    let tick = scene.scaled(size::TICK);
    let gap = scene.scaled(size::GAP);
    let [first, last] = [bar.bottom - tick * 0.1, bar.top + tick * 0.75];
    let places = if range.high > range.low { vec![0.0, 0.25, 0.5, 0.75, 1.0] } else { vec![0.5] };
    let mut widest = 0.0_f32;
    let colour = scene.theme.quiet_text();
    for part in places {
        let text = grouped(range.low + part * (range.high - range.low), decimals);
        widest = widest.max(font::width(&text, tick, Weight::Regular));
        let y = first + part as f32 * (last - first);
        scene.text([bar.right + gap, y], text, tick, colour, Anchor::Start);
    }
    let label = scene.scaled(size::LABEL);
    let x = bar.right + gap + widest + scene.scaled(12.0) + label * 0.7;
    scene.heading_upwards([x, bar.centre()[1]], &map.value.heading(), bar.height());
}
