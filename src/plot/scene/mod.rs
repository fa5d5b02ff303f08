//! A chart laid out: shapes and text with their places in logical pixels, y downwards. Files and the window draw the same.

pub mod bars;
pub mod dots;
pub mod forest;
pub mod gain_map;
mod heading;
pub mod heat_map;
pub mod legend;
pub mod lines;
pub mod listing;
pub mod marks;
pub mod parallel;
pub mod picture;
pub mod river;
pub mod scatter;

use std::collections::BTreeSet;

use self::legend::LegendPlaces;
use super::font::{self, Weight};
use super::series_style::{ColourMap, Rgb, Theme};
use super::undrawable::Undrawable;
use super::{Body, Chart};

/// What a chart is made of, from back to front.
pub struct Scene {
    pub width: f32,
    pub height: f32,
    pub theme: Theme,
    /// What the chart stands on.
    pub ground: Rgb,
    /// Factor on all sizes, 1 for a chart of 960 x 600 logical pixels.
    pub scale: f32,
    /// What the graphics device drew, as PNG files, behind all shapes but the first.
    pub images: Vec<(Rect, Vec<u8>)>,
    pub shapes: Vec<Shape>,
    /// Height that legends leave to the plot, in the window; a file has its legends whole.
    pub least_plot: Option<f32>,
    /// Names of the lines that are struck through in the legend.
    pub hidden: BTreeSet<String>,
    /// Where the legend was drawn.
    pub legend: LegendPlaces,
}

/// Which of the words around a chart are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub subtitle: bool,
    pub caption: bool,
}

impl Words {
    pub const ALL: Self = Self { subtitle: true, caption: true };
}

/// One thing to draw.
pub enum Shape {
    Rect {
        at: Rect,
        fill: Rgb,
        radius: f32,
    },
    Frame {
        at: Rect,
        stroke: Stroke,
    },
    Line {
        points: Vec<[f32; 2]>,
        stroke: Stroke,
    },
    /// What lies between two lines that have the same x values.
    Band {
        upper: Vec<[f32; 2]>,
        lower: Vec<[f32; 2]>,
        fill: Rgb,
        /// How much of its colour covers what is below it.
        opacity: f32,
    },
    /// A convex mark on a point.
    Mark {
        points: Vec<[f32; 2]>,
        fill: Rgb,
        edge: Stroke,
    },
    Circle {
        centre: [f32; 2],
        radius: f32,
        fill: Rgb,
        edge: Stroke,
    },
    /// The colours of a heat map from least (bottom) to greatest (top).
    Heat {
        at: Rect,
        map: ColourMap,
        theme: Theme,
    },
    Text(Text),
}

/// How much of the colour of a line's band covers what is below it.
pub const BAND_OPACITY: f32 = 0.16;

/// A line's colour, width and rhythm (dashes and gaps in turn, in logical pixels).
#[derive(Clone)]
pub struct Stroke {
    pub colour: Rgb,
    pub width: f32,
    pub dashes: Vec<f32>,
}

/// One line of text on its baseline.
pub struct Text {
    pub at: [f32; 2],
    pub text: String,
    pub size: f32,
    pub weight: Weight,
    pub colour: Rgb,
    pub anchor: Anchor,
    /// Reads from bottom to top.
    pub upwards: bool,
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Rect {
    pub fn width(self) -> f32 {
        self.right - self.left
    }

    pub fn height(self) -> f32 {
        self.bottom - self.top
    }

    /// Whether the two have a place in common.
    pub fn meets(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    pub fn centre(self) -> [f32; 2] {
        [(self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0]
    }
}

impl Stroke {
    pub fn solid(colour: Rgb, width: f32) -> Self {
        Self { colour, width, dashes: Vec::new() }
    }
}

/// Sizes at scale 1, in logical pixels.
pub mod size {
    pub const MARGIN: f32 = 22.0;
    pub const TITLE: f32 = 23.0;
    pub const SUBTITLE: f32 = 16.0;
    pub const LABEL: f32 = 17.0;
    pub const TICK: f32 = 16.0;
    pub const LEGEND: f32 = 16.0;
    pub const CAPTION: f32 = 14.0;
    /// Between ticks and what they belong to.
    pub const GAP: f32 = 8.0;
    /// Height of a line of text, in its size.
    pub const LEADING: f32 = 1.35;
}

/// Lays the whole of `chart` out in `width` and `height`, on the ground of `theme`; `dots` are those a logical pixel, for
/// what the graphics device draws.
///
/// # Errors
/// [`Undrawable`] where the device cannot draw it.
pub fn scene(chart: &Chart, theme: Theme, [width, height]: [f32; 2], dots: f32) -> Result<Scene, Undrawable> {
    // Text of a small figure shrinks more slowly than the figure, so that it can be read in a paper's column.
    let linear = (width * height / (960.0 * 600.0)).sqrt();
    let wanted = if linear < 1.0 { linear.sqrt() * linear.sqrt().sqrt() } else { linear };
    let scale = wanted.min(width / 600.0).min(height / 340.0);
    let mut scene = Scene::empty_of(width, height, theme, scale);
    let whole = Rect { left: 0.0, top: 0.0, right: width, bottom: height };
    scene.shapes.push(Shape::Rect { at: whole, fill: theme.ground(), radius: 0.0 });
    let room = scene.frame(chart, Words::ALL);
    match &chart.body {
        Body::Lines(lines) => lines::draw(&mut scene, lines, room),
        Body::Scatter(points) => scatter::draw(&mut scene, points, room),
        Body::Dots(dots) => dots::draw(&mut scene, dots, room),
        Body::Forest(forest) => {
            forest::draw(&mut scene, forest, room);
        }
        Body::Bars(bars) => bars::draw(&mut scene, bars, room),
        Body::GainMap(gains) => {
            gain_map::draw(&mut scene, gains, room);
        }
        Body::HeatMap(map) => {
            heat_map::draw(&mut scene, &[("", map)], room);
        }
        Body::HeatMaps(panels) => {
            heat_map::draw(&mut scene, &heat_map::named(panels), room);
        }
        Body::Parallel(parallel) => {
            let axes = parallel::axes(&mut scene, parallel, room);
            parallel::data(&mut scene, parallel, &axes, None);
        }
        Body::River(river) => river::draw(&mut scene, river, room),
        Body::Picture(_) | Body::Pictures(_) => picture::draw(&mut scene, &chart.body.pictures(), room, dots)?,
        Body::Listing(rows) => listing::draw(&mut scene, rows, room),
        Body::Empty(missing) => scene.empty(missing, room),
    }
    Ok(scene)
}

impl Scene {
    /// A scene without anything, on the ground of its theme.
    pub fn empty_of(width: f32, height: f32, theme: Theme, scale: f32) -> Self {
        Self {
            width,
            height,
            theme,
            ground: theme.ground(),
            scale,
            images: Vec::new(),
            shapes: Vec::new(),
            least_plot: None,
            hidden: BTreeSet::new(),
            legend: LegendPlaces::default(),
        }
    }

    /// Height of what axes have above and below the plot.
    pub fn axes_height(&self) -> f32 {
        self.scaled(1.5 * size::TICK + size::LABEL * size::LEADING + 2.0 * size::GAP)
    }

    /// `size` at this scene's scale.
    pub fn scaled(&self, size: f32) -> f32 {
        size * self.scale
    }

    /// Adds text in the ordinary weight.
    pub fn text(&mut self, at: [f32; 2], text: impl Into<String>, size: f32, colour: Rgb, anchor: Anchor) {
        let text = Text { at, text: text.into(), size, weight: Weight::Regular, colour, anchor, upwards: false };
        self.shapes.push(Shape::Text(text));
    }

    /// Draws title, note, and as `words` say subtitle and caption; returns what is left for the body.
    pub fn frame(&mut self, chart: &Chart, words: Words) -> Rect {
        let margin = self.scaled(size::MARGIN);
        let mut room =
            Rect { left: margin, top: margin * 0.8, right: self.width - margin, bottom: self.height - margin * 0.7 };
        let note_width = chart.note.as_deref().map_or(0.0, |note| self.note(note, room));
        room.top = self.title(chart, chart.subtitle.as_deref().filter(|_| words.subtitle), room, note_width);
        if let Some(caption) = chart.caption.as_ref().filter(|_| words.caption) {
            room.bottom = self.caption(caption, room);
        }
        room
    }

    /// Draws the title and subtitle; returns where they end.
    fn title(&mut self, chart: &Chart, subtitle: Option<&str>, room: Rect, note_width: f32) -> f32 {
        let mut y = room.top;
        // Where the words around a chart say what it is, it is drawn without a title.
        if chart.title.is_empty() && subtitle.is_none() {
            return y;
        }
        let size = self.scaled(size::TITLE);
        let colour = self.theme.text();
        for line in font::wrapped(&chart.title, size, Weight::SemiBold, room.width() - note_width, 2) {
            let at = [room.left, y + size];
            let anchor = Anchor::Start;
            let weight = Weight::SemiBold;
            self.shapes.push(Shape::Text(Text { at, text: line, size, weight, colour, anchor, upwards: false }));
            y += size * size::LEADING;
        }
        if let Some(subtitle) = subtitle {
            let size = self.scaled(size::SUBTITLE);
            let text = font::fitted(subtitle, size, Weight::Regular, room.width());
            self.text([room.left, y + size], text, size, self.theme.quiet_text(), Anchor::Start);
            y += size * size::LEADING;
        }
        y + self.scaled(12.0)
    }

    /// Draws the note at the right of the title; returns the width that it takes.
    fn note(&mut self, note: &str, room: Rect) -> f32 {
        let size = self.scaled(size::CAPTION);
        let inside = self.scaled(9.0);
        let text = font::fitted(note, size, Weight::SemiBold, room.width() / 3.0);
        let width = font::width(&text, size, Weight::SemiBold) + 2.0 * inside;
        let at = Rect {
            left: room.right - width,
            top: room.top + self.scaled(1.0),
            right: room.right,
            bottom: room.top + self.scaled(1.0) + size * 1.75,
        };
        self.shapes.push(Shape::Rect { at, fill: self.theme.note(), radius: self.scaled(5.0) });
        self.shapes.push(Shape::Text(Text {
            at: [at.left + inside, at.top + size * 1.23],
            text,
            size,
            weight: Weight::SemiBold,
            colour: self.theme.text(),
            anchor: Anchor::Start,
            upwards: false,
        }));
        width + 2.0 * inside
    }

    /// Draws the caption at the bottom; returns where it begins.
    fn caption(&mut self, caption: &str, room: Rect) -> f32 {
        let size = self.scaled(size::CAPTION);
        let lines = font::wrapped(caption, size, Weight::Regular, room.width(), 3);
        let top = room.bottom - lines.len() as f32 * size * size::LEADING;
        let colour = self.theme.quiet_text();
        for (index, line) in lines.into_iter().enumerate() {
            let y = top + size + index as f32 * size * size::LEADING;
            self.text([room.left, y], line, size, colour, Anchor::Start);
        }
        top - self.scaled(10.0)
    }

    /// Says in the middle of `room` what is missing.
    pub fn empty(&mut self, missing: &str, room: Rect) {
        let stroke = Stroke::solid(self.theme.grid(), self.scaled(1.0));
        self.shapes.push(Shape::Frame { at: room, stroke });
        let size = self.scaled(size::LABEL);
        let lines = font::wrapped(missing, size, Weight::Regular, room.width() * 0.8, 4);
        let [x, y] = room.centre();
        let first = y - (lines.len() as f32 - 1.0) * size * size::LEADING / 2.0 + size * 0.35;
        let colour = self.theme.quiet_text();
        for (index, line) in lines.into_iter().enumerate() {
            self.text([x, first + index as f32 * size * size::LEADING], line, size, colour, Anchor::Middle);
        }
    }
}
