//! Arrows in space as a widget.

use std::sync::Arc;

use eframe::egui::{Rect, Response, Ui};
use eframe::egui_wgpu::wgpu;

use super::super::arrows::motion::{between, eased};
use super::super::arrows::picking::pick;
use super::super::arrows::{ArrowPass, Emphasis, Scene};
use super::super::camera::Camera;
use super::navigation::Wishes;
use super::{Gpu, OnDevice, Placed, Surface, ViewState, placed};
use crate::plot::picture::Frame;
use crate::plot::screen;

/// The state of a view of arrows, kept by whoever shows it from frame to frame.
///
/// A drag turns, the wheel or a pinch zooms, a drag with the right button or Shift moves, a double click shows everything
/// again, a click selects. With the keyboard: arrow keys turn (with Shift move), + and - zoom, Home shows everything.
#[derive(Debug, Default)]
pub struct ArrowView {
    /// From where the scene is seen; at first from where all of it is.
    pub camera: Option<Camera>,
    /// Key of the arrow that stands out; a click on another one, or on none, changes it.
    pub selected: Option<u64>,
    /// Key of the arrow that is pointed at in a view beside this one.
    pub pointed: Option<u64>,
    motion: Option<Motion>,
    /// The scene of the last frame.
    last: Option<Arc<Scene>>,
    held: OnDevice<ArrowState>,
}

/// What came of showing the view.
#[derive(Debug)]
pub struct ArrowResponse {
    pub response: Response,
    /// Place in [`Scene::arrows`] of the arrow under the pointer.
    pub hovered: Option<usize>,
    /// Place of the arrow that was clicked in this frame.
    pub clicked: Option<usize>,
}

/// On the way from one scene to another.
#[derive(Debug, Clone)]
struct Motion {
    from: Arc<Scene>,
    to: Arc<Scene>,
    /// In seconds of the window's clock.
    started: f64,
}

/// What the view shows in a frame.
#[derive(Debug, Clone)]
struct ArrowState {
    scene: Arc<Scene>,
    camera: Camera,
    emphasis: Emphasis,
}

impl PartialEq for ArrowState {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.scene, &other.scene);
        same && (self.camera, self.emphasis) == (other.camera, other.emphasis)
    }
}

impl ViewState for ArrowState {
    type Pass = ArrowPass;

    fn pass(device: &wgpu::Device) -> ArrowPass {
        ArrowPass::new(device)
    }

    fn set(&self, pass: &mut ArrowPass, gpu: &Gpu, surface: Surface) {
        pass.set_scene(&gpu.device, &self.scene, self.emphasis, surface.theme);
        pass.set_view(self.camera, surface.ground, surface.scale);
    }
}

/// Seconds from one scene to the next.
const DURATION: f64 = 0.7;
/// Radians that a drag over one point turns by.
const TURN: f32 = 0.008;

impl ArrowView {
    /// A view that begins at a camera.
    pub fn seen_by(camera: Camera) -> Self {
        Self { camera: Some(camera), ..Self::default() }
    }

    /// Shows `scene` at `at`, moving to it from the one that was shown before. `name` says what it is to those who cannot
    /// see it; `tooltip` says what the arrow at a place of [`Scene::arrows`] is.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        at: Rect,
        name: &str,
        scene: &Arc<Scene>,
        tooltip: impl FnOnce(&mut Ui, usize),
    ) -> ArrowResponse {
        let frame = Frame { legend: scene.legend.clone(), ..Frame::default() };
        let Placed { place, response, wishes: wanted } = placed(ui, at, &frame, name);
        let camera = self.moved_camera(scene, &wanted, place);
        let drawn = self.moving(ui, scene);
        let size: [f32; 2] = place.size().into();
        let picked = response.hover_pos().filter(|_| !response.dragged());
        let picked = picked.and_then(|pointer| pick(&drawn, &camera, (pointer - place.min).into(), size));
        // While it moves, the scene also holds arrows that go; what is told apart is what stays.
        let key = picked.map(|arrow| drawn.arrows[arrow].key);
        let hovered = key.and_then(|key| scene.arrows.iter().position(|arrow| arrow.key == key));
        if response.clicked() {
            self.selected = key.filter(|key| self.selected != Some(*key));
        }
        if wanted.deselect {
            self.selected = None;
        }
        let emphasis = Emphasis { pointed: key.or(self.pointed), selected: self.selected };
        self.last = Some(Arc::clone(&drawn));
        let captions = drawn.captions(&camera, place.size().into());
        self.held.paint(ui, place, ArrowState { scene: drawn, camera, emphasis });
        screen::captions(ui, place, &captions);
        if let Some(arrow) = hovered {
            screen::tooltip(ui, &response, |ui| tooltip(ui, arrow));
        }
        let clicked = hovered.filter(|_| response.clicked());
        ArrowResponse { response, hovered, clicked }
    }

    fn moved_camera(&mut self, scene: &Scene, wanted: &Wishes, place: Rect) -> Camera {
        let home = scene.home();
        let camera = self.camera.get_or_insert(home);
        camera.orbit(-wanted.turn.x * TURN, wanted.turn.y * TURN);
        camera.pan([wanted.shift.x, wanted.shift.y].map(|points| points / place.height().max(1.0)));
        if let Some(factor) = wanted.zoom {
            camera.zoom(factor, &home);
        }
        if wanted.reset {
            *camera = home;
        }
        *camera
    }

    /// The scene as it is at this moment of the way.
    fn moving(&mut self, ui: &Ui, scene: &Arc<Scene>) -> Arc<Scene> {
        let now = ui.input(|input| input.time);
        let target = self.motion.as_ref().map(|motion| &motion.to);
        if target.is_none_or(|target| !Arc::ptr_eq(target, scene)) {
            // What is on screen now is where the way begins; at first there is nothing to come from.
            let from = self.last.as_ref().unwrap_or(scene);
            self.motion = Some(Motion { from: Arc::clone(from), to: Arc::clone(scene), started: now });
        }
        let Some(motion) = self.motion.as_ref().filter(|motion| !Arc::ptr_eq(&motion.from, &motion.to)) else {
            return Arc::clone(scene);
        };
        let part = (now - motion.started) / DURATION;
        if part >= 1.0 {
            self.motion = Some(Motion { from: Arc::clone(scene), to: Arc::clone(scene), started: now });
            return Arc::clone(scene);
        }
        ui.request_repaint();
        Arc::new(between(&motion.from, &motion.to, eased(part as f32)))
    }
}
