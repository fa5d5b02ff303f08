//! Paints the shapes of a scene in the window.

use eframe::egui::epaint::{Mesh, PathStroke, TextShape};
use eframe::egui::{self, Color32, FontId, Painter, Pos2, Vec2};

use crate::plot::scene::{Anchor, Rect, Shape, Stroke, Text};
use crate::plot::series_style::{ColourMap, Rgb, Theme};

/// Where a scene is painted.
pub(super) struct Canvas<'a> {
    pub(super) painter: &'a Painter,
    /// Where the scene's origin is.
    pub(super) origin: Pos2,
}

impl Canvas<'_> {
    pub(super) fn position(&self, [x, y]: [f32; 2]) -> Pos2 {
        self.origin + Vec2::new(x, y)
    }

    pub(super) fn scene_position(&self, position: Pos2) -> [f32; 2] {
        (position - self.origin).into()
    }

    pub(super) fn rect(&self, at: Rect) -> egui::Rect {
        egui::Rect::from_min_max(self.position([at.left, at.top]), self.position([at.right, at.bottom]))
    }

    pub(super) fn paint(&self, shapes: &[Shape]) {
        for shape in shapes {
            self.paint_shape(shape);
        }
    }

    fn paint_shape(&self, shape: &Shape) {
        match shape {
            Shape::Rect { at, fill, radius } => {
                self.painter.rect_filled(self.rect(*at), *radius, colour(*fill));
            }
            Shape::Frame { at, stroke } => {
                self.painter.rect_stroke(self.rect(*at), 0.0, pen(stroke), egui::StrokeKind::Inside);
            }
            Shape::Line { points, stroke } => self.line(points, stroke),
            Shape::Band { upper, lower, fill, opacity } => self.band([upper, lower], *fill, *opacity),
            Shape::Mark { points, fill, edge } => {
                let points = points.iter().map(|point| self.position(*point)).collect();
                let edge: PathStroke = pen(edge).into();
                self.painter.add(egui::Shape::convex_polygon(points, colour(*fill), edge));
            }
            Shape::Circle { centre, radius, fill, edge } => {
                self.painter.circle(self.position(*centre), *radius, colour(*fill), pen(edge));
            }
            Shape::Heat { at, map, theme } => self.heat(*at, *map, *theme),
            Shape::Text(text) => self.text(text),
        }
    }

    fn line(&self, points: &[[f32; 2]], stroke: &Stroke) {
        let points: Vec<Pos2> = points.iter().map(|point| self.position(*point)).collect();
        if stroke.dashes.is_empty() {
            self.painter.add(egui::Shape::line(points, pen(stroke)));
            return;
        }
        let [dashes, gaps] =
            [0, 1].map(|first| stroke.dashes.iter().skip(first).step_by(2).copied().collect::<Vec<_>>());
        self.painter.extend(egui::Shape::dashed_line_with_offset(&points, pen(stroke), &dashes, &gaps, 0.0));
    }

    /// A strip of triangles: a band need not be convex. Meshes have no soft edges, so that what is thinner than a pixel would be
    /// broken into dots: it is a pixel high, and as faint as it is thin.
    fn band(&self, [upper, lower]: [&[[f32; 2]]; 2], fill: Rgb, opacity: f32) {
        let colour = colour(fill).gamma_multiply(opacity);
        let pixel = self.painter.pixels_per_point().recip();
        let mut mesh = Mesh::default();
        for (upper, lower) in upper.iter().zip(lower) {
            let ends = [self.position(*upper), self.position(*lower)];
            let ([upper, lower], part) = at_least(ends, pixel);
            mesh.colored_vertex(upper, colour.gamma_multiply(part));
            mesh.colored_vertex(lower, colour.gamma_multiply(part));
        }
        for first in (2..mesh.vertices.len() as u32).step_by(2) {
            mesh.add_triangle(first - 2, first - 1, first);
            mesh.add_triangle(first - 1, first, first + 1);
        }
        self.painter.add(egui::Shape::mesh(mesh));
    }

    fn heat(&self, at: Rect, map: ColourMap, theme: Theme) {
        const STEPS: u8 = 40;
        let mut mesh = Mesh::default();
        for step in 0..=STEPS {
            let part = f32::from(step) / f32::from(STEPS);
            let y = at.bottom - part * at.height();
            let colour = colour(map.rgb(f64::from(part), theme));
            mesh.colored_vertex(self.position([at.left, y]), colour);
            mesh.colored_vertex(self.position([at.right, y]), colour);
        }
        for first in (2..mesh.vertices.len() as u32).step_by(2) {
            mesh.add_triangle(first - 2, first - 1, first);
            mesh.add_triangle(first - 1, first, first + 1);
        }
        self.painter.add(egui::Shape::mesh(mesh));
    }

    fn text(&self, text: &Text) {
        let galley =
            self.painter.layout_no_wrap(text.text.clone(), FontId::proportional(text.size), colour(text.colour));
        let size = galley.size();
        let along = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        } * size.x;
        // The middle of a line's capitals is about a third of its size above the baseline.
        let middle = 0.35 * text.size;
        let at = self.position(text.at);
        let shape = if text.upwards {
            let corner = Pos2::new(at.x - middle - size.y / 2.0, at.y + along);
            TextShape::new(corner, galley, colour(text.colour)).with_angle(-std::f32::consts::FRAC_PI_2)
        } else {
            let corner = Pos2::new(at.x - along, at.y - middle - size.y / 2.0);
            TextShape::new(corner, galley, colour(text.colour))
        };
        self.painter.add(shape);
    }
}

#[allow(clippy::disallowed_methods, reason = "a chart's colours are its own, not the theme's")]
pub(super) fn colour([red, green, blue]: Rgb) -> Color32 {
    Color32::from_rgb(red, green, blue)
}

fn pen(stroke: &Stroke) -> egui::Stroke {
    egui::Stroke::new(stroke.width, colour(stroke.colour))
}
/// The least part of its colour that something thinner than a pixel keeps.
const FAINTEST: f32 = 0.35;

/// Two ends above one another, moved apart where they are closer than a pixel, and how much of its colour is left then.
fn at_least([upper, lower]: [Pos2; 2], pixel: f32) -> ([Pos2; 2], f32) {
    let height = lower.y - upper.y;
    if height <= 0.0 || height >= pixel {
        return ([upper, lower], 1.0);
    }
    let half = (pixel - height) / 2.0;
    let apart = egui::vec2(0.0, half);
    ([upper - apart, lower + apart], (height / pixel).max(FAINTEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thinner_than_a_pixel_is_a_faint_pixel() {
        let at = |upper: f32, lower: f32| at_least([Pos2::new(0.0, upper), Pos2::new(0.0, lower)], 1.0);
        assert_eq!(at(3.0, 5.0), ([Pos2::new(0.0, 3.0), Pos2::new(0.0, 5.0)], 1.0));
        let ([upper, lower], part) = at(3.0, 3.5);
        assert_eq!([upper.y, lower.y, part], [2.75, 3.75, 0.5]);
        assert_eq!(at(3.0, 3.0).0[1].y, 3.0, "nothing stays nothing");
        assert_eq!(at(3.0, 3.01).1, FAINTEST);
    }
}
