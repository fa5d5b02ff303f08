//! Pictures in charts: what is drawn by the graphics device, framed by captions, a legend and a colour bar that are text.
//!
//! The device is above this floor, so that a chart holds a picture behind [`Art`]: it says what stands around it as plain
//! data, and draws itself at any size when a file or the window asks.

use std::fmt::Debug;
use std::sync::Arc;

use eframe::egui;

use super::series_style::{ColourMap, Rgb, Theme, Tone};
use super::undrawable::Undrawable;

/// A picture as part of a chart. Two are equal when they are the same.
#[derive(Debug, Clone)]
pub struct Picture(Arc<dyn Art>);

/// What can be drawn as a picture.
pub trait Art: Debug + Send + Sync {
    /// What it shows, in a sentence for those who cannot see it.
    fn description(&self) -> String;

    /// What stands around it.
    fn frame(&self) -> Frame;

    /// Words on the picture when it is drawn at `size`, in logical pixels.
    fn captions(&self, size: [f32; 2]) -> Vec<Caption>;

    /// Draws it without words.
    ///
    /// # Errors
    /// [`Undrawable`] where there is no device to draw with, or it fails.
    fn paint(&self, canvas: &Canvas) -> Result<Image, Undrawable>;

    /// Draws it in the window at `at`, with what can be done with it there. Its name for those who cannot see it is given
    /// by the chart.
    fn show(&self, ui: &mut egui::Ui, at: egui::Rect, id: egui::Id) -> egui::Response;

    /// Its numbers, a heading and rows.
    ///
    /// # Errors
    /// A sentence, where they are too many for a table.
    fn table(&self) -> Result<[Vec<Vec<String>>; 2], String>;
}

/// What a picture is drawn on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Canvas {
    pub theme: Theme,
    pub ground: Rgb,
    /// Width and height in dots.
    pub size: [u32; 2],
    /// Dots a logical pixel: lines grow with it.
    pub scale: f32,
}

/// Colours of dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Width and height in dots.
    pub size: [u32; 2],
    /// Red, green, blue and opacity of each dot, by rows from the upper left corner.
    pub dots: Vec<u8>,
}

/// What stands around a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Names of colours.
    pub legend: Vec<Entry>,
    pub bar: Option<Bar>,
    /// Below the picture and at its left.
    pub axes: Option<[Edge; 2]>,
    /// Width by height, where the picture must not be stretched.
    pub aspect: Option<f32>,
}

/// A line of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub name: String,
    pub tone: Tone,
}

/// A colour bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What a value is.
    pub label: String,
    pub map: ColourMap,
    /// Values of the least and the greatest colour.
    pub range: [f64; 2],
    /// Whether values lie beyond either end of `range`, drawn in the colour of that end.
    pub beyond: [bool; 2],
}

/// One edge of a picture as an axis: what it counts, and its values at the first and the last dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    pub label: String,
    pub range: [f64; 2],
}

/// Words on a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    /// Its place, in logical pixels from the picture's upper left corner.
    pub at: [f32; 2],
    /// To which side of its place it stands, in x and y from -1 to 1; at 0 it is centred there.
    pub towards: [f32; 2],
    pub text: String,
    /// Whether it names a thing of the picture, not what is around it.
    pub strong: bool,
}

impl Picture {
    pub fn new(art: impl Art + 'static) -> Self {
        Self(Arc::new(art))
    }
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::ops::Deref for Picture {
    type Target = dyn Art;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
