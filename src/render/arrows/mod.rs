//! Arrows and trails in space: what is drawn, as plain data. [`motion`] leads from one scene to another, [`picking`] finds
//! the arrow under the pointer, [`pass`] draws.

mod mesh;
pub mod motion;
pub mod pass;
pub mod picking;

pub use motion::between;
pub use pass::{ArrowPass, Emphasis};

use glam::{Vec2, Vec3};

use super::camera::Camera;
use crate::plot::picture::{Caption, Entry};
use crate::plot::series_style::Tone;

/// Arrows and trails around the origin, in units of the caller; y is up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    pub arrows: Vec<Arrow>,
    pub trails: Vec<Trail>,
    /// What is along x, y and z; an axis without a name is not drawn.
    pub axes: [String; 3],
    /// How far the axes reach from the origin to both sides; see [`Scene::fitted`].
    pub reach: f32,
    /// What the colours mean.
    pub legend: Vec<Entry>,
}

/// One arrow.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    /// Tells the arrow from the others of its scene; the arrow of another scene with the same key is the same thing, moved.
    pub key: u64,
    /// In a sentence or a few words: `PESO, stage 3, direction 1`.
    pub name: String,
    pub from: [f32; 3],
    pub to: [f32; 3],
    pub tone: Tone,
    /// Thickness, 1 for the usual one.
    pub width: f32,
    /// Stands at its end, where there is room; nothing where it is empty.
    pub label: String,
    /// Whether it stands back, so that others are seen at once.
    pub faint: bool,
    /// Which of the groups it belongs to: a stage.
    pub group: usize,
    /// Its place in the group: a direction.
    pub place: usize,
    /// Which of the series it belongs to: a method.
    pub series: usize,
}

/// A path through space, joined smoothly.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    /// As of an [`Arrow`].
    pub key: u64,
    pub points: Vec<[f32; 3]>,
    /// Colour at each point.
    pub tones: Vec<Tone>,
    /// Thickness, 1 for the usual one.
    pub width: f32,
}

impl Scene {
    /// The scene with axes as long as what it holds.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        let ends = self.arrows.iter().flat_map(|arrow| [arrow.from, arrow.to]);
        let points = self.trails.iter().flat_map(|trail| trail.points.iter().copied());
        let furthest = ends.chain(points).flatten().map(f32::abs).filter(|length| length.is_finite());
        let furthest = furthest.fold(0.0, f32::max);
        self.reach = if furthest > 0.0 { furthest * 1.08 } else { 1.0 };
        self
    }

    /// The camera that shows all of it.
    pub fn home(&self) -> Camera {
        Camera::around(self.reach)
    }

    /// Labels of arrows at their ends, the longest arrows first, and names of the axes beside their positive ends, as `camera` sees
    /// them in a picture of `size`.
    pub fn captions(&self, camera: &Camera, size: [f32; 2]) -> Vec<Caption> {
        let caption = |(axis, name): (usize, &String)| {
            let mut end = [0.0; 3];
            end[axis] = self.reach * AXIS_CAPTION;
            let at = camera.project(end, size)?.at;
            (!name.is_empty()).then(|| Caption { at, towards: [0.0; 2], text: name.clone(), strong: false })
        };
        let axes = self.axes.iter().enumerate().filter_map(caption);
        let mut labelled: Vec<(f32, &Arrow, [Vec3; 2])> = self
            .arrows
            .iter()
            .filter(|arrow| !arrow.label.is_empty())
            .filter_map(|arrow| arrow.ends().map(|[from, to]| ((to - from).length(), arrow, [from, to])))
            .collect();
        labelled.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        let label = |(_, arrow, [from, to]): &(f32, &Arrow, [Vec3; 2])| {
            // A little beyond the tip, so that the head stays free.
            let beyond = *to + (*to - *from).normalize_or_zero() * self.reach * LABEL_BEYOND;
            let [start, at] = [from.to_array(), beyond.to_array()].map(|point| camera.project(point, size));
            let (start, at) = (start?.at, at?.at);
            let towards = Vec2::new(at[0] - start[0], at[1] - start[1]).normalize_or_zero().to_array();
            Some(Caption { at, towards, text: arrow.label.clone(), strong: true })
        };
        labelled.iter().filter_map(label).chain(axes).collect()
    }

    /// Radius of an arrow's shaft in units of the scene: thinner where arrows are many.
    fn radius(&self, width: f32) -> f32 {
        let crowd = (80.0 / self.arrows.len().max(1) as f32).powf(0.4).clamp(0.25, 1.0);
        0.0145 * self.reach * width.clamp(0.05, 20.0) * crowd
    }
}

/// Where an axis' name stands, in reaches from the origin.
const AXIS_CAPTION: f32 = 1.13;
/// How far beyond the end of an arrow its label stands, in reaches.
const LABEL_BEYOND: f32 = 0.07;

impl Arrow {
    fn ends(&self) -> Option<[Vec3; 2]> {
        let ends = [self.from, self.to].map(Vec3::from);
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }
}
