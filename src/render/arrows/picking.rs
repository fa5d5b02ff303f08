//! Which arrow is under the pointer: the ray through it against capsules around the arrows.

use glam::Vec3;

use super::super::camera::{Camera, Ray};
use super::Scene;

/// An arrow this many logical pixels away from the pointer is still meant.
const CLOSE: f32 = 5.0;

/// The arrow that a picture of `size` logical pixels shows at `at`: the foremost that is hit, else the nearest close by.
/// Its place in [`Scene::arrows`].
pub fn pick(scene: &Scene, camera: &Camera, at: [f32; 2], size: [f32; 2]) -> Option<usize> {
    let ray = camera.ray(at, size);
    let towards = camera.axes()[2];
    let mut best: Option<(f32, f32, usize)> = None;
    for (index, arrow) in scene.arrows.iter().enumerate() {
        let Some([from, to]) = arrow.ends() else { continue };
        let Some((distance, along)) = nearest(&ray, from, to) else { continue };
        let pixel = camera.pixel(along * -ray.direction.dot(towards), size[1]);
        let miss = ((distance - scene.radius(arrow.width)) / pixel).max(0.0);
        if miss <= CLOSE && best.is_none_or(|(smallest, nearest, _)| (miss, along) < (smallest, nearest)) {
            best = Some((miss, along, index));
        }
    }
    best.map(|(.., index)| index)
}

/// How far the ray passes by the segment, and how far along the ray; nothing where that is behind its origin.
fn nearest(ray: &Ray, from: Vec3, to: Vec3) -> Option<(f32, f32)> {
    let segment = to - from;
    let offset = from - ray.origin;
    let [aligned, length] = [segment.dot(ray.direction), segment.length_squared()];
    let [along_offset, across_offset] = [offset.dot(ray.direction), offset.dot(segment)];
    // The distance of both lines is least where its derivatives by both parameters vanish; the segment's is held on it.
    let determinant = length - aligned * aligned;
    let part = if determinant > 1e-9 * length.max(f32::MIN_POSITIVE) {
        ((along_offset * aligned - across_offset) / determinant).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let along = along_offset + part * aligned;
    let apart = (offset + part * segment - along * ray.direction).length();
    (along > 0.0).then_some((apart, along))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::series_style::Tone;
    use crate::render::arrows::Arrow;

    const SIZE: [f32; 2] = [1280.0, 800.0];

    fn arrow(from: [f32; 3], to: [f32; 3]) -> Arrow {
        Arrow {
            key: 0,
            name: String::new(),
            from,
            to,
            tone: Tone::Ordered(0.0),
            width: 1.0,
            label: String::new(),
            faint: false,
            group: 0,
            place: 0,
            series: 0,
        }
    }

    fn scene(arrows: Vec<Arrow>) -> Scene {
        Scene { arrows, reach: 1.0, ..Scene::default() }
    }

    #[test]
    fn the_middle_of_every_arrow_picks_it() {
        let directions = (0..24_u8).map(|index| {
            let angle = f32::from(index) * 0.7;
            [angle.cos() * 0.8, f32::from(index) / 24.0 - 0.5, angle.sin() * 0.8]
        });
        let scene = scene(directions.map(|to| arrow(to.map(|part| part * 0.3), to)).collect());
        for yaw in 0..8_u8 {
            let camera = Camera { yaw: f32::from(yaw) * 0.8, ..scene.home() };
            for (index, arrow) in scene.arrows.iter().enumerate() {
                let middle = std::array::from_fn(|axis| (arrow.from[axis] + arrow.to[axis]) / 2.0);
                let seen = camera.project(middle, SIZE).unwrap();
                let picked = pick(&scene, &camera, seen.at, SIZE).unwrap();
                // Where another arrow is picked it is in front, and it is hit: its own axis passes that pixel.
                if picked != index {
                    let ray = camera.ray(seen.at, SIZE);
                    let [from, to] = scene.arrows[picked].ends().unwrap();
                    let (apart, along) = nearest(&ray, from, to).unwrap();
                    assert!(apart <= scene.radius(1.0), "{index} from {yaw} picks {picked}, which is {apart} away");
                    assert!(along < (Vec3::from(middle) - ray.origin).length());
                }
            }
        }
    }

    #[test]
    fn the_foremost_is_picked_and_the_void_is_not() {
        let camera = Camera { yaw: 0.0, pitch: 0.0, ..Camera::around(1.0) };
        let scene = scene(vec![
            arrow([-0.5, 0.0, -0.4], [0.5, 0.0, -0.4]),
            arrow([0.0, -0.5, 0.4], [0.0, 0.5, 0.4]),
            arrow([f32::NAN; 3], [0.0; 3]),
        ]);
        assert_eq!(pick(&scene, &camera, [640.0, 400.0], SIZE), Some(1));
        let aside = camera.project([0.3, 0.0, -0.4], SIZE).unwrap().at;
        assert_eq!(pick(&scene, &camera, aside, SIZE), Some(0));
        assert_eq!(pick(&scene, &camera, [aside[0], aside[1] + 9.0], SIZE), Some(0), "4 pixels beside its edge");
        assert_eq!(pick(&scene, &camera, [100.0, 100.0], SIZE), None);
    }

    #[test]
    fn an_arrow_behind_the_camera_is_not_picked() {
        let camera = Camera { yaw: 0.0, pitch: 0.0, ..Camera::around(1.0) };
        let z = camera.distance + 1.0;
        let scene = scene(vec![arrow([-0.5, 0.0, z], [0.5, 0.0, z])]);
        assert_eq!(pick(&scene, &camera, [640.0, 400.0], SIZE), None);
    }

    #[test]
    fn an_arrow_seen_end_on_is_picked() {
        let camera = Camera { yaw: 0.0, pitch: 0.0, ..Camera::around(1.0) };
        let scene = scene(vec![arrow([0.0; 3], [0.0, 0.0, 0.8])]);
        assert_eq!(pick(&scene, &camera, [640.0, 400.0], SIZE), Some(0));
    }
}
