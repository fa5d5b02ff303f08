//! Lines, marks and whiskers in the style of a series.

use super::{Scene, Shape, Stroke};
use crate::plot::series_style::{Marker, SeriesStyle};

/// The band of a point that stands alone.
pub fn whisker(scene: &mut Scene, style: SeriesStyle, x: f32, low: f32, high: f32) {
    let stroke = Stroke::solid(style.ink.rgb(scene.theme), scene.scaled(1.25));
    let half = scene.scaled(6.0);
    let ends = [[[x, low], [x, high]], [[x - half, low], [x + half, low]], [[x - half, high], [x + half, high]]];
    for points in ends {
        scene.shapes.push(Shape::Line { points: points.to_vec(), stroke: stroke.clone() });
    }
}

/// The line of a series, as wide and dashed as its style says.
pub fn stroke(scene: &Scene, style: SeriesStyle) -> Stroke {
    let width = scene.scaled(style.width);
    let dashes = style.dash.pattern().iter().map(|length| length * width).collect();
    Stroke { colour: style.ink.rgb(scene.theme), width, dashes }
}

/// Size of a mark.
pub const MARK: f32 = 5.2;

/// Draws one mark.
pub fn mark(scene: &mut Scene, style: SeriesStyle, marker: Marker, centre: [f32; 2]) {
    let colour = style.ink.rgb(scene.theme);
    let (fill, edge) = match style.open {
        true => (scene.ground, Stroke::solid(colour, scene.scaled(1.8))),
        false => (colour, Stroke::solid(scene.ground, scene.scaled(1.0))),
    };
    let radius = scene.scaled(MARK);
    if marker == Marker::Circle {
        scene.shapes.push(Shape::Circle { centre, radius, fill, edge });
        return;
    }
    let points = marker.corners(radius).into_iter().map(|[x, y]| [centre[0] + x, centre[1] + y]).collect();
    scene.shapes.push(Shape::Mark { points, fill, edge });
}
