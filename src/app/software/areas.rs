//! Large areas by a shader of their own.
//!
//! The window's shader reads a texture and blends at every pixel, also of an area of one colour. A graphics device does not mind; to
//! a processor that is most of a frame. So a large rectangle becomes a cross of rectangles that are filled without either, four
//! small corners, and its stroke: with the same colours as before.

use eframe::egui;
use egui::emath::GuiRounding as _;
use egui::epaint::RectShape;
use egui::{Color32, CornerRadius, FullOutput, Rect, Shape, StrokeKind};

use super::fill;

/// Puts large filled rectangles of every frame together of others.
pub(super) struct Areas;

/// Side from which a rectangle is large, in pixels.
const LARGE: f32 = 96.0;

impl egui::Plugin for Areas {
    fn debug_name(&self) -> &'static str {
        "large areas"
    }

    fn output_hook(&mut self, _: &egui::Context, output: &mut FullOutput) {
        for clipped in &mut output.shapes {
            cut(&mut clipped.shape, output.pixels_per_point);
        }
    }
}

fn cut(shape: &mut Shape, pixels_per_point: f32) {
    let pieces = match shape {
        Shape::Vec(shapes) => return shapes.iter_mut().for_each(|shape| cut(shape, pixels_per_point)),
        Shape::Rect(rect) => Pieces::of(rect, pixels_per_point),
        _ => None,
    };
    if let Some(pieces) = pieces {
        *shape = pieces.into_shape();
    }
}

/// What a rectangle is put together of.
#[derive(Debug, PartialEq)]
struct Pieces {
    corners: Vec<RectShape>,
    cross: Vec<Rect>,
    colour: Color32,
    stroke: Option<RectShape>,
}

impl Pieces {
    /// None where the rectangle is small, or has round corners and shows what lies behind it.
    fn of(shape: &RectShape, pixels_per_point: f32) -> Option<Self> {
        let stroked = !shape.stroke.is_empty();
        let opaque = shape.fill.is_opaque() && (!stroked || shape.stroke.color.is_opaque());
        // Pieces of round ones lie one over the other.
        let plain = shape.fill != Color32::TRANSPARENT && !stroked && shape.corner_radius == CornerRadius::ZERO;
        let usual = shape.blur_width == 0.0 && shape.brush.is_none() && shape.angle == 0.0;
        let aligned = shape.round_to_pixels != Some(false) && !(stroked && shape.stroke_kind == StrokeKind::Middle);
        // As the tessellator does it: then edges lie between pixels, and pieces join without a seam.
        let at = shape.rect.round_to_pixels(pixels_per_point);
        let corner = inset(shape.corner_radius, pixels_per_point);
        let large = at.size().max_elem() * pixels_per_point >= LARGE && at.size().min_elem() >= 2.0 * corner.max(1.0);
        if !((opaque || plain) && usual && aligned && large) {
            return None;
        }
        // Under a stroke the colour ends in its middle, so that it does not show beside it.
        let covered = match shape.stroke_kind {
            StrokeKind::Inside => 0.5 * shape.stroke.width,
            StrokeKind::Middle => 0.0,
            StrokeKind::Outside => -0.5 * shape.stroke.width,
        };
        let filled = at.shrink(covered);
        let (cross, corners) = if corner == 0.0 {
            (vec![filled], Vec::new())
        } else {
            let rows = filled.with_min_y(at.top() + corner).with_max_y(at.bottom() - corner);
            let columns = filled.with_min_x(at.left() + corner).with_max_x(at.right() - corner);
            let [above, below] = [columns.with_max_y(rows.top()), columns.with_min_y(rows.bottom())];
            (vec![rows, above, below], round_corners(shape, at, filled, corner))
        };
        let RectShape { corner_radius, stroke, stroke_kind, .. } = *shape;
        let stroke = stroked.then(|| RectShape::stroke(at, corner_radius, stroke, stroke_kind));
        Some(Self { corners, cross, colour: shape.fill, stroke })
    }

    fn into_shape(self) -> Shape {
        let cross = self.cross.into_iter().map(|at| fill::rectangle(at, self.colour));
        Shape::Vec(self.corners.into_iter().map(Shape::from).chain(cross).chain(self.stroke.map(Shape::from)).collect())
    }
}

/// Side of the squares that hold the round corners, of whole pixels, in points. The tessellator makes corners a little rounder
/// than they are asked to be.
fn inset(radius: CornerRadius, pixels_per_point: f32) -> f32 {
    let radius = radius.nw.max(radius.ne).max(radius.sw).max(radius.se);
    if radius == 0 { 0.0 } else { ((f32::from(radius) + 1.0) * pixels_per_point).ceil() / pixels_per_point }
}

/// The corners, twice as large as they are round, since no rectangle may be round beyond its middle.
fn round_corners(shape: &RectShape, at: Rect, filled: Rect, inset: f32) -> Vec<RectShape> {
    let CornerRadius { nw, ne, sw, se } = shape.corner_radius;
    let [left, top] = [at.left() + 2.0 * inset, at.top() + 2.0 * inset];
    let [right, bottom] = [at.right() - 2.0 * inset, at.bottom() - 2.0 * inset];
    let sharp = CornerRadius::ZERO;
    let corner = |at, radius| RectShape::filled(at, radius, shape.fill).with_round_to_pixels(false);
    vec![
        corner(filled.with_max_x(left).with_max_y(top), CornerRadius { nw, ..sharp }),
        corner(filled.with_min_x(right).with_max_y(top), CornerRadius { ne, ..sharp }),
        corner(filled.with_max_x(left).with_min_y(bottom), CornerRadius { sw, ..sharp }),
        corner(filled.with_min_x(right).with_min_y(bottom), CornerRadius { se, ..sharp }),
    ]
}

#[cfg(test)]
mod tests {
    use egui::epaint::{TessellationOptions, Tessellator, Vertex};
    use egui::{Mesh, Pos2, Stroke, Theme, Vec2, pos2};

    use super::*;
    use crate::app::theme::{self, Tokens};

    fn dark() -> &'static Tokens {
        theme::of(Theme::Dark)
    }

    fn mesh(shape: Shape, pixels_per_point: f32) -> Mesh {
        let options = TessellationOptions::default();
        let mut tessellator = Tessellator::new(pixels_per_point, options, [1, 1], Vec::new());
        let mut mesh = Mesh::default();
        tessellator.tessellate_shape(shape, &mut mesh);
        mesh
    }

    /// What a renderer makes of a pixel of the window's ground: every triangle that has its centre, one over the other.
    fn colour(mesh: &Mesh, at: Pos2) -> [f32; 4] {
        let ground = dark().background.to_normalized_gamma_f32();
        mesh.indices.chunks(3).fold(ground, |under, corners| {
            let [a, b, c]: [Vertex; 3] = [0, 1, 2].map(|corner| mesh.vertices[corners[corner] as usize]);
            let side = |p: Pos2, q: Pos2| (q - p).rot90().dot(at - p);
            let parts = [side(b.pos, c.pos), side(c.pos, a.pos), side(a.pos, b.pos)];
            let whole: f32 = parts.iter().sum();
            let inside = whole != 0.0 && parts.iter().all(|part| part / whole > -1e-6);
            if !inside {
                return under;
            }
            let channel = |channel: usize| {
                let of = |vertex: &Vertex| f32::from(vertex.color.to_array()[channel]) / 255.0;
                (of(&a) * parts[0] + of(&b) * parts[1] + of(&c) * parts[2]) / whole
            };
            let over = [0, 1, 2, 3].map(channel);
            [0, 1, 2, 3].map(|channel| over[channel] + (1.0 - over[3]) * under[channel])
        })
    }

    /// Pieces as the tessellator takes them.
    fn drawn(pieces: Pieces) -> Shape {
        let mut cross = Mesh::default();
        pieces.cross.iter().for_each(|at| cross.add_colored_rect(*at, pieces.colour));
        let corners = pieces.corners.into_iter().map(Shape::from);
        Shape::Vec(corners.chain([cross.into()]).chain(pieces.stroke.map(Shape::from)).collect())
    }

    fn card(stroke: Stroke) -> RectShape {
        let corners = CornerRadius { nw: 8, ne: 0, sw: 5, se: 8 };
        let rect = Rect::from_min_max(pos2(3.2, 4.0), pos2(160.4, 67.3));
        RectShape::new(rect, corners, dark().surface, stroke, StrokeKind::Inside)
    }

    #[test]
    fn pieces_have_the_colours_of_the_whole() {
        for pixels_per_point in [1.0, 1.5, 2.0] {
            // In 255ths; under a stroke's inner edge the corner is a tenth of a pixel rounder.
            for (stroke, near) in [(Stroke::NONE, 0.2), (Stroke::new(1.0, dark().border), 3.0)] {
                let whole = card(stroke);
                let pieces = Pieces::of(&whole, pixels_per_point).expect("it is large");
                let [one, other] = [whole.into(), drawn(pieces)].map(|shape| mesh(shape, pixels_per_point));
                for (x, y) in (0..260).flat_map(|x| (0..120).map(move |y| (x, y))) {
                    // Off the middle by less than anything that is drawn, so that no centre lies on an edge.
                    let at = pos2((x as f32 + 0.503) / pixels_per_point, (y as f32 + 0.502) / pixels_per_point);
                    let [one, other] = [&one, &other].map(|mesh| colour(mesh, at));
                    let far = one.iter().zip(&other).map(|(one, other)| 255.0 * (one - other).abs());
                    let far = far.fold(0.0, f32::max);
                    assert!(far <= near, "{pixels_per_point}, {stroke:?}: {one:?} and {other:?} at {at:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_small_or_round_and_translucent_stays_as_it_is() {
        let whole = card(Stroke::NONE);
        let translucent = RectShape { fill: dark().scrim, ..whole.clone() };
        let blurred = RectShape { blur_width: 8.0, ..whole.clone() };
        let small = RectShape { rect: Rect::from_min_size(Pos2::ZERO, Vec2::new(80.0, 26.0)), ..whole };
        for shape in [translucent, blurred, small] {
            assert_eq!(Pieces::of(&shape, 1.0), None);
        }
        let shade = RectShape::filled(card(Stroke::NONE).rect, 0, dark().scrim);
        let pieces = Pieces::of(&shade, 1.0).expect("what darkens a window has no corners");
        assert_eq!((pieces.cross.len(), pieces.corners.len()), (1, 0));
    }
}
