//! Pictures drawn by the graphics device with the shaders in `shaders/`: arrows in space and heat maps of large matrices.
//!
//! What is drawn is plain data ([`arrows::Scene`], [`heat_map::Matrix`]) that knows nothing of runs. A *pass* draws it into
//! an [`offscreen`] target; the window shows that target ([`screen`]), and a file gets it at any size ([`picture`]), so that
//! both show the same.

pub mod arrows;
pub mod camera;
pub mod heat_map;
pub mod offscreen;
pub mod picture;
mod pipeline;
pub mod screen;
pub mod speed;

pub use self::arrows::{Arrow, Scene, Trail};
pub use self::camera::Camera;
pub use self::heat_map::{Cell, Field, Matrix, Window};
pub use self::picture::{arrows_picture, heat_map_picture};
pub use self::screen::{ArrowView, HeatMapView};

#[cfg(test)]
mod tests;

use crate::plot::series_style::Rgb;

/// A colour as shaders take it: parts of 1 with opacity.
fn colour([red, green, blue]: Rgb, opacity: f32) -> [f32; 4] {
    let [red, green, blue] = [red, green, blue].map(|channel| f32::from(channel) / 255.0);
    [red, green, blue, opacity]
}

/// The same squared, for shaders that add up light.
fn light(rgb: Rgb, opacity: f32) -> [f32; 4] {
    let [red, green, blue, opacity] = colour(rgb, opacity);
    [red * red, green * green, blue * blue, opacity]
}
