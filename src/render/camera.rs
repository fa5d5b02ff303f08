//! Where a scene is seen from: a camera that orbits a point.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use glam::camera::rh::proj::directx::perspective;
use glam::camera::rh::view::look_at_mat4;
use glam::{Mat4, Vec3, Vec4};

/// A camera that orbits `target`; y is up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Angle around the vertical axis in radians: 0 looks along -z, a quarter turn along -x.
    pub yaw: f32,
    /// Angle above the horizon in radians, short of straight up and down.
    pub pitch: f32,
    /// From `target`, in units of the scene.
    pub distance: f32,
    pub target: [f32; 3],
    /// Vertical angle of view in radians.
    pub field_of_view: f32,
}

/// A point of the scene in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projected {
    /// From the upper left corner, in the unit of the picture's size.
    pub at: [f32; 2],
    /// Distance from the camera along its line of sight, in units of the scene.
    pub depth: f32,
}

/// A half-line from the camera into the scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    pub origin: Vec3,
    /// Of length 1.
    pub direction: Vec3,
}

/// Short of straight up, where left and right would be lost.
const STEEPEST: f32 = FRAC_PI_2 - 0.02;
/// Nearest and farthest distance that is drawn, in distances of the camera.
const DEPTHS: [f32; 2] = [0.02, 12.0];

impl Default for Camera {
    fn default() -> Self {
        Self::around(1.0)
    }
}

impl Camera {
    /// A camera that sees all of a scene that reaches `reach` from the origin.
    pub fn around(reach: f32) -> Self {
        Self { yaw: 0.65, pitch: 0.38, distance: 3.1 * reach.max(1e-6), target: [0.0; 3], field_of_view: 0.62 }
    }

    /// Turns by angles in radians.
    pub fn orbit(&mut self, yaw: f32, pitch: f32) {
        self.yaw = (self.yaw + yaw).rem_euclid(TAU);
        self.pitch = (self.pitch + pitch).clamp(-STEEPEST, STEEPEST);
    }

    /// Comes closer by a factor above 1, or goes back by one below; between a tenth and ten times the distance of `home`.
    pub fn zoom(&mut self, factor: f32, home: &Self) {
        if factor.is_finite() && factor > 0.0 {
            self.distance = (self.distance / factor).clamp(home.distance * 0.1, home.distance * 10.0);
        }
    }

    /// Moves the scene with the pointer: by parts of the picture's height to the right and down.
    pub fn pan(&mut self, [right, down]: [f32; 2]) {
        let [across, up, _] = self.axes();
        let height = 2.0 * self.distance * (self.field_of_view / 2.0).tan();
        let target = Vec3::from(self.target) + (up * down - across * right) * height;
        self.target = target.to_array();
    }

    /// The same distance, seen so that what turns about `axis` turns in the picture's plane: from that end of the axis that is
    /// nearer to where the camera is. An axis without a direction changes nothing.
    #[must_use]
    pub fn facing(&self, axis: Vec3) -> Self {
        let Some(axis) = axis.try_normalize() else { return *self };
        let axis = if axis.dot(self.axes()[2]) < 0.0 { -axis } else { axis };
        let pitch = axis.y.clamp(-1.0, 1.0).asin().clamp(-STEEPEST, STEEPEST);
        Self { yaw: axis.x.atan2(axis.z).rem_euclid(TAU), pitch, ..*self }
    }

    /// A camera at `part` of the way from one (0) to another (1), around the shorter way.
    #[must_use]
    pub fn between(a: &Self, b: &Self, part: f32) -> Self {
        let mix = |a: f32, b: f32| a + part * (b - a);
        let turn = (b.yaw - a.yaw + PI).rem_euclid(TAU) - PI;
        Self {
            yaw: (a.yaw + part * turn).rem_euclid(TAU),
            pitch: mix(a.pitch, b.pitch),
            distance: mix(a.distance, b.distance),
            target: std::array::from_fn(|axis| mix(a.target[axis], b.target[axis])),
            field_of_view: mix(a.field_of_view, b.field_of_view),
        }
    }

    /// Where the camera stands.
    pub fn position(&self) -> Vec3 {
        Vec3::from(self.target) + self.distance * self.axes()[2]
    }

    /// To the right, upwards and towards the viewer, each of length 1.
    pub fn axes(&self) -> [Vec3; 3] {
        let [sin_yaw, cos_yaw] = [self.yaw.sin(), self.yaw.cos()];
        let [sin_pitch, cos_pitch] = [self.pitch.sin(), self.pitch.cos()];
        let towards = Vec3::new(cos_pitch * sin_yaw, sin_pitch, cos_pitch * cos_yaw);
        let across = Vec3::new(cos_yaw, 0.0, -sin_yaw);
        [across, towards.cross(across), towards]
    }

    /// From the scene to the picture's unit square (x to the right, y up, both from -1 to 1) and depth (0 to 1), for a
    /// picture `aspect` times as wide as high.
    pub fn view_projection(&self, aspect: f32) -> Mat4 {
        let [near, far] = DEPTHS.map(|part| part * self.distance);
        let view = look_at_mat4(self.position(), Vec3::from(self.target), Vec3::Y);
        perspective(self.field_of_view, aspect, near, far) * view
    }

    /// Where `point` is in a picture of `size`; nothing for points beside or behind the camera.
    pub fn project(&self, point: [f32; 3], size: [f32; 2]) -> Option<Projected> {
        let clip: Vec4 = self.view_projection(size[0] / size[1]) * Vec3::from(point).extend(1.0);
        if clip.w <= self.nearest() {
            return None;
        }
        let [x, y] = [clip.x / clip.w, clip.y / clip.w];
        Some(Projected { at: [(x + 1.0) / 2.0 * size[0], (1.0 - y) / 2.0 * size[1]], depth: clip.w })
    }

    /// The half-line that the picture of `size` shows as the point `at`.
    pub fn ray(&self, at: [f32; 2], size: [f32; 2]) -> Ray {
        let [across, up, towards] = self.axes();
        let slope = (self.field_of_view / 2.0).tan();
        let x = (2.0 * at[0] / size[0] - 1.0) * slope * size[0] / size[1];
        let y = (1.0 - 2.0 * at[1] / size[1]) * slope;
        Ray { origin: self.position(), direction: (across * x + up * y - towards).normalize() }
    }

    /// The nearest depth that is drawn.
    pub(super) fn nearest(&self) -> f32 {
        DEPTHS[0] * self.distance
    }

    /// Height of one pixel of a picture that is `height` pixels high, at `depth`, in units of the scene.
    pub fn pixel(&self, depth: f32, height: f32) -> f32 {
        2.0 * depth * (self.field_of_view / 2.0).tan() / height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f32; 2] = [1280.0, 800.0];

    fn cameras() -> [Camera; 4] {
        let usual = Camera::around(1.0);
        let mut moved = Camera { yaw: 3.9, pitch: -1.2, distance: 0.9, ..usual };
        moved.pan([0.2, -0.3]);
        let mut above = usual;
        above.orbit(-9.0, 40.0);
        [usual, moved, above, Camera { target: [5.0, -2.0, 0.5], ..usual }]
    }

    #[test]
    fn a_camera_faces_an_axis_from_the_nearer_end_by_the_shorter_way() {
        let usual = Camera::around(1.0);
        for axis in [Vec3::new(0.3, 0.2, 0.9), Vec3::new(-0.8, 0.1, -0.2)] {
            let facing = usual.facing(axis);
            let along = facing.axes()[2].dot(axis.normalize());
            assert!((along.abs() - 1.0).abs() < 1e-5, "{along}");
            assert!(facing.axes()[2].dot(usual.axes()[2]) >= 0.0, "not from behind");
        }
        assert_eq!(usual.facing(Vec3::ZERO), usual);
        let [a, b] = [0.1, TAU - 0.1].map(|yaw| Camera { yaw, ..usual });
        let half = Camera::between(&a, &b, 0.5);
        assert!(half.yaw.min(TAU - half.yaw) < 1e-5, "through 0, not around: {}", half.yaw);
        assert_eq!(Camera::between(&a, &b, 1.0).pitch, b.pitch);
    }

    #[test]
    fn a_projected_point_lies_on_the_ray_through_it() {
        for camera in cameras() {
            for offset in [[0.0, 0.0, 0.0], [0.2, 0.1, -0.15], [-0.2, 0.18, 0.1]] {
                let point: [f32; 3] = std::array::from_fn(|axis| camera.target[axis] + offset[axis]);
                let projected = camera.project(point, SIZE).unwrap();
                let ray = camera.ray(projected.at, SIZE);
                let away = Vec3::from(point) - ray.origin;
                let along = away.dot(ray.direction);
                assert!(along > 0.0);
                assert!((away - along * ray.direction).length() < 1e-5 * camera.distance, "{camera:?} {point:?}");
                let depth = away.dot(-camera.axes()[2]);
                assert!((depth - projected.depth).abs() < 1e-5 * depth, "{depth} and {}", projected.depth);
            }
        }
    }

    #[test]
    fn the_target_is_in_the_middle_and_up_is_up() {
        for camera in cameras() {
            let [x, y] = camera.project(camera.target, SIZE).unwrap().at;
            assert!((x - 640.0).abs() < 0.01 && (y - 400.0).abs() < 0.01, "{x} {y}");
        }
        let camera = Camera::around(1.0);
        assert!(camera.project([0.0, 0.5, 0.0], SIZE).unwrap().at[1] < 400.0);
        let front = Camera { yaw: 0.0, pitch: 0.0, ..camera };
        assert!(front.project([0.5, 0.0, 0.0], SIZE).unwrap().at[0] > 640.0);
        assert!(front.project([0.0, 0.0, 0.5], SIZE).unwrap().depth < front.distance);
    }

    #[test]
    fn what_is_behind_the_camera_has_no_place() {
        let camera = Camera::around(1.0);
        let behind = camera.position() + camera.axes()[2];
        assert_eq!(camera.project(behind.to_array(), SIZE), None);
        assert_eq!(camera.project(camera.position().to_array(), SIZE), None);
    }

    #[test]
    fn panning_moves_the_picture_with_the_pointer() {
        let mut camera = Camera::around(1.0);
        camera.pan([0.25, 0.1]);
        let [x, y] = camera.project([0.0; 3], SIZE).unwrap().at;
        assert!((x - (640.0 + 0.25 * 800.0)).abs() < 20.0, "{x}");
        assert!((y - (400.0 + 0.1 * 800.0)).abs() < 20.0, "{y}");
    }

    #[test]
    fn zoom_stays_within_its_bounds() {
        let home = Camera::around(1.0);
        let mut camera = home;
        camera.zoom(2.0, &home);
        assert_eq!(camera.distance, home.distance / 2.0);
        for _ in 0..20 {
            camera.zoom(0.1, &home);
        }
        assert_eq!(camera.distance, home.distance * 10.0);
        camera.zoom(f32::NAN, &home);
        camera.zoom(0.0, &home);
        assert_eq!(camera.distance, home.distance * 10.0);
    }
}
