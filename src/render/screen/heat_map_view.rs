//! A large matrix as a widget.

use std::sync::Arc;

use eframe::egui::{Pos2, Rect, Response, Ui};
use eframe::egui_wgpu::wgpu;

use super::super::heat_map::{Cell, HeatMapPass, Matrix, Window};
use super::navigation::Wishes;
use super::{Gpu, OnDevice, Placed, Surface, ViewState, placed};
use crate::plot::picture::{Edge, Frame};
use crate::plot::screen;

/// The state of a view of a matrix, kept by whoever shows it from frame to frame.
///
/// A drag moves, the wheel or a pinch zooms about the pointer, a double click shows everything again. With the keyboard:
/// arrow keys move, + and - zoom, Home shows everything.
#[derive(Debug, Default)]
pub struct HeatMapView {
    /// What is shown; at first the whole matrix.
    pub window: Option<Window>,
    held: OnDevice<MatrixState>,
}

/// What came of showing the view.
#[derive(Debug)]
pub struct HeatMapResponse {
    pub response: Response,
    /// The cell under the pointer.
    pub hovered: Option<Cell>,
    /// The cell that was clicked in this frame.
    pub clicked: Option<Cell>,
}

/// What the view shows in a frame.
#[derive(Debug, Clone)]
struct MatrixState {
    matrix: Arc<Matrix>,
    window: Window,
}

impl PartialEq for MatrixState {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.matrix, &other.matrix) && self.window == other.window
    }
}

impl ViewState for MatrixState {
    type Pass = HeatMapPass;

    fn pass(device: &wgpu::Device) -> HeatMapPass {
        HeatMapPass::new(device)
    }

    fn set(&self, pass: &mut HeatMapPass, gpu: &Gpu, surface: Surface) {
        pass.set_matrix(gpu, &self.matrix, surface.theme);
        pass.set_view(self.window, surface.ground, surface.scale);
    }
}

impl HeatMapView {
    /// A view that begins at a part of the matrix.
    pub fn of(window: Window) -> Self {
        Self { window: Some(window), ..Self::default() }
    }

    /// Shows `matrix` at `at`, with its axes and its colour bar. `name` says what it is to those who cannot see it; the
    /// tooltip says a cell's place and value, and then what `tooltip` adds.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        at: Rect,
        name: &str,
        matrix: &Arc<Matrix>,
        tooltip: impl FnOnce(&mut Ui, Cell),
    ) -> HeatMapResponse {
        let window = self.window.unwrap_or_else(|| Window::whole(&matrix.field));
        let Placed { place, response, wishes } = placed(ui, at, &frame(matrix, window), name);
        let moved = moved(window, &wishes, matrix, place);
        if moved != window {
            // The axes of this frame are those of before.
            ui.request_repaint();
        }
        self.window = Some(moved);
        self.held.paint(ui, place, MatrixState { matrix: Arc::clone(matrix), window: moved });
        let hovered = response.hover_pos().filter(|_| !response.dragged());
        let hovered = hovered.and_then(|pointer| matrix.field.cell(moved.place(parts(pointer, place))));
        if let Some(cell) = hovered {
            screen::tooltip(ui, &response, |ui| {
                ui.label(format!("{} {}", matrix.row_label, cell.row));
                ui.label(format!("{} {}", matrix.column_label, cell.column));
                ui.strong(format!("{} {}", matrix.value_label, crate::plot::scale::value_label(f64::from(cell.value))));
                tooltip(ui, cell);
            });
        }
        let clicked = hovered.filter(|_| response.clicked());
        HeatMapResponse { response, hovered, clicked }
    }
}

/// What stands around the part of a matrix that is shown.
pub(in super::super) fn frame(matrix: &Matrix, window: Window) -> Frame {
    let below = Edge { label: matrix.column_label.clone(), range: [window.left, window.right] };
    let beside = Edge { label: matrix.row_label.clone(), range: [window.top, window.bottom] };
    Frame { bar: Some(matrix.bar()), axes: Some([below, beside]), ..Frame::default() }
}

fn moved(window: Window, wanted: &Wishes, matrix: &Matrix, place: Rect) -> Window {
    if wanted.reset {
        return Window::whole(&matrix.field);
    }
    let drag = wanted.turn + wanted.shift;
    let part = [drag.x / place.width(), drag.y / place.height()].map(|part| f64::from(-part));
    let moved = if drag == eframe::egui::Vec2::ZERO { window } else { window.moved(part, &matrix.field) };
    let Some(factor) = wanted.zoom else { return moved };
    let about = wanted.pointer.map_or([0.5, 0.5], |pointer| parts(pointer, place));
    moved.zoomed(f64::from(factor), about, &matrix.field)
}

/// Where in a place a point is, by parts of width and height.
fn parts(pointer: Pos2, place: Rect) -> [f64; 2] {
    let from_corner = pointer - place.min;
    [from_corner.x / place.width(), from_corner.y / place.height()].map(f64::from)
}
