//! The shape that every arrow is an instance of.

use std::f32::consts::TAU;

use bytemuck::{Pod, Zeroable};

/// A corner, in the lengths of an arrow that the shader knows; see `shaders/arrows.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct Vertex {
    circle: [f32; 2],
    radius: [f32; 2],
    along: [f32; 2],
    normal: [f32; 2],
}

/// Corners and triangles.
pub(super) struct Mesh {
    pub(super) vertices: Vec<Vertex>,
    pub(super) triangles: Vec<u16>,
}

/// A circle around the axis: distance from it, place along it, normal.
type Ring = ([f32; 2], [f32; 2], [f32; 2]);

/// Normal of the head: its slope is that of `HEAD_RADIUS` and `HEAD_LENGTH` in the shader.
const SLOPE: [f32; 2] = [0.941, 0.339];
/// Surfaces between two circles: the end of the shaft, the shaft, the back of the head, the head.
const SURFACES: [[Ring; 2]; 4] = [
    [([0.0, 0.0], [0.0, 0.0], [0.0, -1.0]), ([1.0, 0.0], [0.0, 0.0], [0.0, -1.0])],
    [([1.0, 0.0], [0.0, 0.0], [1.0, 0.0]), ([1.0, 0.0], [1.0, 0.0], [1.0, 0.0])],
    [([1.0, 0.0], [1.0, 0.0], [0.0, -1.0]), ([0.0, 1.0], [1.0, 0.0], [0.0, -1.0])],
    [([0.0, 1.0], [1.0, 0.0], SLOPE), ([0.0, 0.0], [1.0, 1.0], SLOPE)],
];

/// An arrow whose cross-section has `sides` corners.
pub(super) fn arrow(sides: u16) -> Mesh {
    let mut mesh = Mesh { vertices: Vec::new(), triangles: Vec::new() };
    for [one, other] in SURFACES {
        let first = mesh.vertices.len() as u16;
        for side in 0..sides {
            let angle = TAU * f32::from(side) / f32::from(sides);
            for (radius, along, normal) in [one, other] {
                mesh.vertices.push(Vertex { circle: [angle.cos(), angle.sin()], radius, along, normal });
            }
            let next = (side + 1) % sides;
            let [a, b, c, d] = [2 * side, 2 * next, 2 * side + 1, 2 * next + 1].map(|corner| first + corner);
            // Where a circle is a point, one of both triangles has no area.
            if one.0 != [0.0; 2] {
                mesh.triangles.extend([a, b, d]);
            }
            if other.0 != [0.0; 2] {
                mesh.triangles.extend([a, d, c]);
            }
        }
    }
    mesh
}

/// An arrow as two flat triangles, a shaft that begins as a point and a head, for crowds in which nobody sees a shape.
pub(super) fn flat() -> Mesh {
    let [shaft, head] = [SURFACES[1], SURFACES[3]];
    let tail = ([0.0, 0.0], shaft[0].1, shaft[0].2);
    let corners = [(0.0, tail), (-1.0, shaft[1]), (1.0, shaft[1]), (-1.0, head[0]), (1.0, head[0]), (0.0, head[1])];
    let vertex = |(side, (radius, along, normal))| Vertex { circle: [side, 0.0], radius, along, normal };
    Mesh { vertices: corners.map(vertex).to_vec(), triangles: (0..6).collect() }
}
