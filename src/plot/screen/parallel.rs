//! Parallel coordinates in the window: the line under the pointer stands out, and a drag along an axis marks a part of it.

use std::collections::{BTreeMap, BTreeSet};

use eframe::egui::{self, CursorIcon, Response, Sense, Ui, Vec2};

use super::{Canvas, tooltip};
use crate::plot::parallel::Parallel;
use crate::plot::scene::parallel;
use crate::plot::scene::parallel::Axes;
use crate::plot::scene::{Rect, Scene, Shape, Stroke};

/// What a user has marked and pointed at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Highlight {
    /// By the label of its axis, the least and the greatest value that are marked.
    pub brushes: BTreeMap<String, [f64; 2]>,
    /// Name of the line or the part of a river under the pointer, here or elsewhere.
    pub pointed: Option<String>,
    /// Bar of a river that has a frame, by the places of its stage and of its direction.
    pub framed: Option<[usize; 2]>,
    /// Bar of a river that was clicked in this frame.
    pub clicked: Option<[usize; 2]>,
    /// Names of the lines that are hidden: what was drawn, for what is exported.
    pub hidden: BTreeSet<String>,
}

impl Highlight {
    /// Whether all that is marked holds the line of this name; lines that are not drawn are held where nothing is marked.
    pub fn holds(&self, parallel: &Parallel, name: &str) -> bool {
        let line = parallel.lines.iter().find(|line| line.name == name);
        self.brushes.iter().all(|(label, [low, high])| {
            let Some(axis) = parallel.axes.iter().position(|axis| axis.label == *label) else { return true };
            let value = line.and_then(|line| line.values[axis]);
            value.is_some_and(|value| (*low..=*high).contains(&value))
        })
    }
}

/// Draws `parallel` and lets the user point and mark.
pub(super) fn show(
    ui: &mut Ui,
    scene: &mut Scene,
    parallel: &Parallel,
    room: Rect,
    canvas: &Canvas<'_>,
    id: egui::Id,
    highlight: &mut Highlight,
) -> Response {
    let axes = parallel::axes(scene, parallel, room);
    let response = ui.interact(canvas.rect(room), id, Sense::hover());
    (0..parallel.axes.len()).for_each(|index| brush(ui, parallel, &axes, canvas, id, index, highlight));
    let pointer = response.hover_pos().map(|pointer| canvas.scene_position(pointer));
    let near = pointer.and_then(|pointer| nearest(parallel, &axes, pointer));
    let elsewhere = || parallel.lines.iter().position(|line| Some(&line.name) == highlight.pointed.as_ref());
    parallel::data(scene, parallel, &axes, near.or_else(elsewhere));
    draw_brushes(scene, parallel, &axes, highlight);
    canvas.paint(&scene.shapes);
    if let Some(line) = near.map(|index| &parallel.lines[index]) {
        highlight.pointed = Some(line.name.clone());
        tooltip(ui, &response, |ui| ui.strong(&line.name));
    }
    response
}

/// Room beside an axis in which it is taken hold of.
const HOLD: f32 = 10.0;

/// Marks a part of an axis by a drag along it; a click takes the mark away.
fn brush(
    ui: &Ui,
    parallel: &Parallel,
    axes: &Axes,
    canvas: &Canvas<'_>,
    id: egui::Id,
    index: usize,
    highlight: &mut Highlight,
) {
    let axis = &parallel.axes[index];
    let x = axes.x(index);
    let at = canvas.rect(Rect { left: x - HOLD, right: x + HOLD, ..axes.at }).expand2(Vec2::new(0.0, HOLD));
    let response = ui.interact(at, id.with(index), Sense::click_and_drag()).on_hover_cursor(CursorIcon::ResizeVertical);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Axis {}", axis.label)));
    if response.clicked() {
        highlight.brushes.remove(&axis.label);
    }
    let (Some(start), Some(end)) = (ui.input(|input| input.pointer.press_origin()), response.interact_pointer_pos())
    else {
        return;
    };
    if response.dragged() {
        let [low, high] = axis.range(index, &parallel.lines);
        let value = |at: egui::Pos2| {
            let part = (axes.at.bottom - canvas.scene_position(at)[1]) / axes.at.height();
            low + f64::from(part.clamp(0.0, 1.0)) * (high - low)
        };
        let [one, other] = [value(start), value(end)];
        highlight.brushes.insert(axis.label.clone(), [one.min(other), one.max(other)]);
    }
}

fn draw_brushes(scene: &mut Scene, parallel: &Parallel, axes: &Axes, highlight: &Highlight) {
    for (index, axis) in parallel.axes.iter().enumerate() {
        let Some([from, to]) = highlight.brushes.get(&axis.label) else { continue };
        let [low, high] = axis.range(index, &parallel.lines);
        let y = |value: f64| axes.at.bottom - axes.at.height() * ((value - low) / (high - low)) as f32;
        let x = axes.x(index);
        let half = scene.scaled(7.0);
        let at = Rect { left: x - half, top: y(*to), right: x + half, bottom: y(*from) };
        let stroke = Stroke::solid(scene.theme.text(), scene.scaled(1.5));
        scene.shapes.push(Shape::Frame { at, stroke });
    }
}

/// The line that passes the pointer closest by, if one does.
fn nearest(parallel: &Parallel, axes: &Axes, pointer: [f32; 2]) -> Option<usize> {
    const CLOSE: f32 = 8.0;
    let distance = |index: usize| {
        let points = axes.points(parallel, &parallel.lines[index]);
        let pairs = points.windows(2).filter_map(|pair| Some([pair[0]?, pair[1]?]));
        pairs.map(|pair| to_segment(pointer, pair)).fold(f32::INFINITY, f32::min)
    };
    let distances = (0..parallel.lines.len()).map(|index| (distance(index), index));
    distances.filter(|(distance, _)| *distance <= CLOSE).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, index)| index)
}

fn to_segment([x, y]: [f32; 2], [[x0, y0], [x1, y1]]: [[f32; 2]; 2]) -> f32 {
    let [dx, dy] = [x1 - x0, y1 - y0];
    let along = (((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy).max(f32::EPSILON)).clamp(0.0, 1.0);
    (x - x0 - along * dx).hypot(y - y0 - along * dy)
}
