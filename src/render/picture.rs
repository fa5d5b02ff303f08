//! Scenes and matrices as pictures of charts: in the window they can be turned and zoomed, and files get them at any size.

use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui;

use super::arrows::{ArrowPass, Emphasis, Scene};
use super::camera::Camera;
use super::heat_map::{HeatMapPass, Matrix, Window};
use super::offscreen::{Gpu, image};
use super::screen::{self, ArrowView, HeatMapView};
use crate::plot::Undrawable;
use crate::plot::picture::{Art, Canvas, Caption, Frame, Image, Picture};
use crate::plot::scale::{grouped, plural};

/// A scene, seen by `camera`.
pub fn arrows_picture(scene: Arc<Scene>, camera: Camera) -> Picture {
    Picture::new(ArrowArt { scene, camera })
}

/// A part of a matrix.
pub fn heat_map_picture(matrix: Arc<Matrix>, window: Window) -> Picture {
    Picture::new(HeatMapArt { matrix, window })
}

#[derive(Debug)]
struct ArrowArt {
    scene: Arc<Scene>,
    camera: Camera,
}

#[derive(Debug)]
struct HeatMapArt {
    matrix: Arc<Matrix>,
    window: Window,
}

/// Rows of a table at most: 512 x 512 cells.
const MAX_ROWS: usize = 1 << 18;

impl Art for ArrowArt {
    fn description(&self) -> String {
        describe_arrows(&self.scene)
    }

    fn frame(&self) -> Frame {
        Frame { legend: self.scene.legend.clone(), ..Frame::default() }
    }

    fn captions(&self, size: [f32; 2]) -> Vec<Caption> {
        self.scene.captions(&self.camera, size)
    }

    fn paint(&self, canvas: &Canvas) -> Result<Image, Undrawable> {
        let gpu = Gpu::headless()?;
        let mut pass = ArrowPass::new(&gpu.device);
        pass.set_scene(&gpu.device, &self.scene, Emphasis::default(), canvas.theme);
        pass.set_view(self.camera, canvas.ground, canvas.scale);
        image(&gpu, canvas.size, &pass)
    }

    fn show(&self, ui: &mut egui::Ui, at: egui::Rect, id: egui::Id) -> egui::Response {
        let arrow_name = |ui: &mut egui::Ui, place: usize| {
            ui.label(&self.scene.arrows[place].name);
        };
        let start = || ArrowView::seen_by(self.camera);
        kept(ui, id, start, |ui, view| view.show(ui, at, &self.description(), &self.scene, arrow_name).response)
    }

    fn table(&self) -> Result<[Vec<Vec<String>>; 2], String> {
        let heading = ["name", "group", "series", "from x", "from y", "from z", "to x", "to y", "to z"];
        let row = |arrow: &super::Arrow| {
            let places = [arrow.group, arrow.series].map(|place| place.to_string());
            let ends = arrow.from.iter().chain(&arrow.to).map(|value| number(*value));
            std::iter::once(arrow.name.clone()).chain(places).chain(ends).collect()
        };
        Ok([vec![heading.map(str::to_owned).to_vec()], self.scene.arrows.iter().map(row).collect()])
    }
}

impl Art for HeatMapArt {
    fn description(&self) -> String {
        describe_matrix(&self.matrix)
    }

    fn frame(&self) -> Frame {
        screen::frame_of(&self.matrix, self.window)
    }

    fn captions(&self, _size: [f32; 2]) -> Vec<Caption> {
        Vec::new()
    }

    fn paint(&self, canvas: &Canvas) -> Result<Image, Undrawable> {
        let gpu = Gpu::headless()?;
        let mut pass = HeatMapPass::new(&gpu.device);
        pass.set_matrix(&gpu, &self.matrix, canvas.theme);
        pass.set_view(self.window, canvas.ground, canvas.scale);
        image(&gpu, canvas.size, &pass)
    }

    fn show(&self, ui: &mut egui::Ui, at: egui::Rect, id: egui::Id) -> egui::Response {
        let start = || HeatMapView::of(self.window);
        kept(ui, id, start, |ui, view| view.show(ui, at, &self.description(), &self.matrix, |_, _| ()).response)
    }

    /// The cells that the picture shows.
    fn table(&self) -> Result<[Vec<Vec<String>>; 2], String> {
        let field = &self.matrix.field;
        let ends =
            |low: f64, high: f64, count: usize| (low.max(0.0) as usize)..(high.max(0.0).ceil() as usize).min(count);
        let rows = ends(self.window.top, self.window.bottom, field.rows());
        let columns = ends(self.window.left, self.window.right, field.columns());
        let count = rows.len() * columns.len();
        if count > MAX_ROWS {
            return Err(format!(
                "{} cells are too many for a table, which takes {} at most; zoom in to the part that is wanted",
                grouped(count as f64, 0),
                grouped(MAX_ROWS as f64, 0)
            ));
        }
        let heading = [&self.matrix.row_label, &self.matrix.column_label, &self.matrix.value_label].map(Clone::clone);
        let cells = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
        let cell = |(row, column): (usize, usize)| {
            let value = field.values()[row * field.columns() + column];
            vec![row.to_string(), column.to_string(), number(value)]
        };
        Ok([vec![heading.to_vec()], cells.map(cell).collect()])
    }
}

fn describe_arrows(scene: &Scene) -> String {
    let axes: Vec<&str> = scene.axes.iter().filter(|name| !name.is_empty()).map(String::as_str).collect();
    format!("{} in the space of {}", plural(scene.arrows.len(), "arrow"), axes.join(", "))
}

fn describe_matrix(matrix: &Matrix) -> String {
    let [rows, columns] = [matrix.field.rows(), matrix.field.columns()];
    format!("{} of {rows} x {columns} cells, by {} and {}", matrix.value_label, matrix.row_label, matrix.column_label)
}

/// A number that reads back as the same; nothing where it is none.
fn number(value: f32) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

/// A view that a chart's picture is shown with, kept under the chart's id.
fn kept<V: Send + 'static>(
    ui: &mut egui::Ui,
    id: egui::Id,
    start: impl FnOnce() -> V,
    show: impl FnOnce(&mut egui::Ui, &mut V) -> egui::Response,
) -> egui::Response {
    let view = ui.data_mut(|data| data.get_temp::<Arc<Mutex<V>>>(id)).unwrap_or_else(|| Arc::new(Mutex::new(start())));
    ui.data_mut(|data| data.insert_temp(id, Arc::clone(&view)));
    // A panic while it was shown has left nothing half done that the next frame does not set again.
    let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
    show(ui, &mut view)
}
