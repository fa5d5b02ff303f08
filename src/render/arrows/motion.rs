//! From one scene to another: what has the same key moves, what is new grows, what is gone shrinks.

use std::collections::BTreeMap;

use glam::{Quat, Vec3};

use super::{Arrow, Scene, Trail};
use crate::plot::series_style::Tone;

/// The scene at `part` of the way from `a` (0) to `b` (1). Arrows turn about their beginning instead of cutting through
/// space, so that a direction stays one.
pub fn between(a: &Scene, b: &Scene, part: f32) -> Scene {
    if part <= 0.0 {
        return a.clone();
    }
    if part >= 1.0 || part.is_nan() {
        return b.clone();
    }
    Scene {
        arrows: arrows(&a.arrows, &b.arrows, part),
        trails: trails(&a.trails, &b.trails, part),
        axes: b.axes.clone(),
        reach: a.reach + part * (b.reach - a.reach),
        legend: b.legend.clone(),
    }
}

/// Slow at both ends: the part of the way that is gone after `part` of the time.
pub fn eased(part: f32) -> f32 {
    let part = part.clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

fn arrows(a: &[Arrow], b: &[Arrow], part: f32) -> Vec<Arrow> {
    let mut before: BTreeMap<u64, &Arrow> = a.iter().map(|arrow| (arrow.key, arrow)).collect();
    let mut all: Vec<Arrow> = b
        .iter()
        .map(|after| match before.remove(&after.key) {
            Some(before) => arrow(before, after, part),
            None => grown(after, part),
        })
        .collect();
    all.extend(before.into_values().map(|gone| grown(gone, 1.0 - part)));
    all
}

fn arrow(a: &Arrow, b: &Arrow, part: f32) -> Arrow {
    let [from_a, from_b] = [a.from, b.from].map(Vec3::from);
    let from = from_a.lerp(from_b, part);
    let to = from + turned(Vec3::from(a.to) - from_a, Vec3::from(b.to) - from_b, part);
    Arrow {
        from: from.to_array(),
        to: to.to_array(),
        tone: tone(a.tone, b.tone, part),
        width: a.width + part * (b.width - a.width),
        ..b.clone()
    }
}

/// Direction on the shorter arc, length in proportion.
fn turned(a: Vec3, b: Vec3, part: f32) -> Vec3 {
    let (Some(direction), Some(goal)) = (a.try_normalize(), b.try_normalize()) else { return a.lerp(b, part) };
    let turn = Quat::IDENTITY.slerp(Quat::from_rotation_arc(direction, goal), part);
    turn * direction * (a.length() + part * (b.length() - a.length()))
}

fn grown(arrow: &Arrow, part: f32) -> Arrow {
    let from = Vec3::from(arrow.from);
    let to = from.lerp(Vec3::from(arrow.to), part);
    Arrow { to: to.to_array(), ..arrow.clone() }
}

fn trails(a: &[Trail], b: &[Trail], part: f32) -> Vec<Trail> {
    let mut before: BTreeMap<u64, &Trail> = a.iter().map(|trail| (trail.key, trail)).collect();
    let mut all: Vec<Trail> = b
        .iter()
        .map(|after| match before.remove(&after.key) {
            Some(before) => trail(before, after, part),
            None => Trail { width: after.width * part, ..after.clone() },
        })
        .collect();
    all.extend(before.into_values().map(|gone| Trail { width: gone.width * (1.0 - part), ..gone.clone() }));
    all
}

/// A trail that becomes longer grows out of its last point, and one that becomes shorter goes back into it.
fn trail(a: &Trail, b: &Trail, part: f32) -> Trail {
    let count = a.points.len().max(b.points.len());
    let at = |trail: &Trail, index: usize| {
        let index = index.min(trail.points.len().checked_sub(1)?);
        Some((Vec3::from(trail.points[index]), *trail.tones.get(index)?))
    };
    let pairs = (0..count).filter_map(|index| Some((at(a, index)?, at(b, index)?)));
    let (points, tones) =
        pairs.map(|((from, before), (to, after))| (from.lerp(to, part).to_array(), tone(before, after, part))).unzip();
    Trail { key: b.key, points, tones, width: a.width + part * (b.width - a.width) }
}

fn tone(a: Tone, b: Tone, part: f32) -> Tone {
    match (a, b) {
        (Tone::Ordered(a), Tone::Ordered(b)) => Tone::Ordered(a + part * (b - a)),
        _ => b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrow_of(key: u64, to: [f32; 3], tone: f32) -> Arrow {
        Arrow {
            key,
            name: format!("arrow {key}"),
            from: [0.0; 3],
            to,
            tone: Tone::Ordered(tone),
            width: 1.0,
            label: String::new(),
            faint: false,
            group: 0,
            place: 0,
            series: 0,
        }
    }

    fn scenes() -> [Scene; 2] {
        let points = vec![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
        let trail = Trail { key: 7, points: points.clone(), tones: vec![Tone::Ordered(0.0); 2], width: 1.0 };
        let longer = Trail {
            points: [points, vec![[1.0, 2.0, 0.0]]].concat(),
            tones: vec![Tone::Ordered(0.0); 3],
            ..trail.clone()
        };
        let a = Scene {
            arrows: vec![arrow_of(1, [1.0, 0.0, 0.0], 0.0), arrow_of(2, [0.0, 1.0, 0.0], 0.0)],
            trails: vec![trail],
            reach: 1.0,
            ..Scene::default()
        };
        let b = Scene {
            arrows: vec![arrow_of(3, [0.0, 0.0, 2.0], 1.0), arrow_of(1, [0.0, 3.0, 0.0], 1.0)],
            trails: vec![longer],
            reach: 3.0,
            ..Scene::default()
        };
        [a, b]
    }

    #[test]
    fn the_ends_are_the_scenes_themselves() {
        let [a, b] = scenes();
        assert_eq!(between(&a, &b, 0.0), a);
        assert_eq!(between(&a, &b, 1.0), b);
        assert_eq!(between(&a, &b, f32::NAN), b);
        assert_eq!([eased(0.0), eased(0.5), eased(1.0)], [0.0, 0.5, 1.0]);
    }

    #[test]
    fn arrows_turn_grow_and_shrink() {
        let [a, b] = scenes();
        let half = between(&a, &b, 0.5);
        let named = |key: u64| half.arrows.iter().find(|arrow| arrow.key == key).unwrap();
        // Half of a quarter turn, at half of the way from length 1 to 3.
        let to = Vec3::from(named(1).to);
        assert!((to - Vec3::new(1.0, 1.0, 0.0).normalize() * 2.0).length() < 1e-5, "{to}");
        assert_eq!(named(1).tone, Tone::Ordered(0.5));
        assert_eq!(named(3).to, [0.0, 0.0, 1.0], "grows");
        assert_eq!(named(2).to, [0.0, 0.5, 0.0], "shrinks");
        assert_eq!(half.reach, 2.0);
    }

    #[test]
    fn an_opposite_direction_is_reached_by_a_turn() {
        let to = turned(Vec3::X, Vec3::NEG_X, 0.5);
        assert!((to.length() - 1.0).abs() < 1e-5 && to.x.abs() < 1e-5, "{to}");
        assert_eq!(turned(Vec3::ZERO, Vec3::X, 0.5), Vec3::X * 0.5);
    }

    #[test]
    fn a_trail_grows_out_of_its_end() {
        let [a, b] = scenes();
        let half = &between(&a, &b, 0.5).trails[0];
        assert_eq!(half.points, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]);
        let back = &between(&b, &a, 0.75).trails[0];
        assert_eq!(back.points[2], [1.0, 0.5, 0.0]);
    }
}
