//! Charts as plain data, and their renderings: [`screen`] draws one in the window, [`mod@file`] writes SVG, PNG and PDF,
//! [`table`] writes its numbers as CSV and LaTeX.
//!
//! A chart knows neither pixels nor colours: it says what is drawn and which slot of the palette it takes ([`SeriesStyle`]).
//! Nor does it know what it is of: the figures make charts of runs and data.

pub mod series_style;

pub mod bars;
pub mod fallback;
pub mod file;
pub mod forest;
pub mod gain_map;
pub mod icon;
pub mod listing;
pub mod parallel;
pub mod picture;
pub mod river;
pub mod scale;
pub mod screen;
pub mod table;

mod apart;
mod bitmap;
mod dates;
pub(crate) mod font;
mod scene;
mod svg;
mod undrawable;

use std::path::Path;

pub use self::bars::Bars;
pub use self::file::{Bitmap, Style, bitmap};
pub use self::forest::Forest;
pub use self::gain_map::GainMap;
pub use self::listing::Listing;
pub use self::parallel::Parallel;
pub use self::picture::Picture;
pub use self::river::River;
pub use self::screen::bars::BarsArea;
pub use self::screen::parallel::Highlight;
pub use self::series_style::{SeriesStyle, Theme};
pub use self::undrawable::Undrawable;

use self::scale::can_be_drawn;
use crate::error::InputError;
use crate::files::write_atomically;

/// One chart, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// `Hit@10 by stage`.
    pub title: String,
    /// What the title leaves open, in one line.
    pub subtitle: Option<String>,
    pub body: Body,
    /// A warning that must not get lost, drawn beside the title: `Synthetic data`.
    pub note: Option<String>,
    /// How to read it: what a band is, how many seeds.
    pub caption: Option<String>,
    /// What its bands or bars are; nothing where it has none.
    pub band: Option<Band>,
    /// What all of its values are of: run, module, side. They are not drawn; CSV files have a column each, so that a file which
    /// lies alone is understood.
    pub facts: Vec<Fact>,
    /// What each of its measures is, `Hit@10: …`. They are not drawn; files have them where their format keeps such words.
    pub definitions: Vec<String>,
}

/// Something that is so of every value of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// As a heading: `module`.
    pub name: &'static str,
    pub value: String,
}

/// What a band around a line, or a bar at a point, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// From the seed with the least value to that with the greatest.
    SeedRange,
    /// One sample standard deviation over seeds to either side.
    SeedDeviation,
    /// From the mean to what the true one stays below.
    UpperBound,
    /// An interval that holds the true value in 95 of 100 cases.
    Interval95,
    /// From the least to the greatest of the steps that a point is the mean of.
    StepRange,
}

impl Band {
    /// Headings of its two ends.
    pub const fn headings(self) -> [&'static str; 2] {
        match self {
            Self::SeedRange => ["lowest seed", "highest seed"],
            Self::SeedDeviation => ["mean - deviation", "mean + deviation"],
            Self::UpperBound => ["mean", "upper bound"],
            Self::Interval95 => ["95 % interval low", "95 % interval high"],
            Self::StepRange => ["lowest step", "highest step"],
        }
    }
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Lines(Lines),
    /// Points that carry their names, instead of lines with a legend: a series a point.
    Scatter(Lines),
    /// Points with their intervals above the names of the x axis, in groups side by side, with a legend.
    Dots(Lines),
    /// Values with their intervals below one another, and a line at 0.
    Forest(Forest),
    /// Bars that are stacked of parts.
    Bars(Bars),
    HeatMap(HeatMap),
    /// A heat map about 0 whose cells say how sure they are.
    GainMap(GainMap),
    /// Heat maps side by side in common colours.
    HeatMaps(Vec<Panel>),
    Parallel(Parallel),
    River(River),
    /// Drawn by the graphics device.
    Picture(Picture),
    /// Pictures side by side, each with its name.
    Pictures(Vec<(String, Picture)>),
    /// Rows under headings.
    Listing(Listing),
    /// Nothing yet: what is missing and what to do about it.
    Empty(String),
}

/// Lines over a common x axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    /// Vertical lines that part the x axis.
    pub boundaries: Vec<Boundary>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// `Hit@10`, `Stage`.
    pub label: String,
    /// `nats`, `s`; set in brackets after the label.
    pub unit: Option<String>,
    /// Where ticks may stand.
    pub ticks: Ticks,
    /// Which end is better, where one is; tables set the best value bold by it.
    pub better: Option<Better>,
    /// Where values stand for names: those of the whole numbers from 0 on, in one line or two. A point beside a whole
    /// number, less than a half away, is one of several that have its name.
    pub names: Vec<String>,
    /// What a y axis shows at first, where a few values lie so far beyond that they would hide the others; all values
    /// where there are no limits. What lies beyond what is shown then stands at the end of the axis, as a triangle.
    pub limits: Option<[f64; 2]>,
    /// Parts of an x axis that are marked, as a band over the whole height: what is good there.
    pub marked: Vec<Span>,
}

/// A part of an axis, with what is so there.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub from: f64,
    pub to: f64,
    pub label: String,
}

/// Where ticks may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticks {
    /// At round numbers.
    Real,
    /// At whole numbers alone: stages, steps.
    Whole,
    /// At the beginnings of hours, days, months or years; values are milliseconds since 1970, UTC.
    Dates,
    /// At 1, 2 and 5 times powers of ten, of a logarithmic axis; values are common logarithms.
    Decades,
}

/// Which values of a metric are the good ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// By rising x; a gap where a value is no finite number.
    pub points: Vec<Point>,
    pub style: SeriesStyle,
}

/// One point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    /// Low and high end of the band around `y`, where there is one.
    pub spread: Option<[f64; 2]>,
}

/// A vertical line at `x` with a label on its right.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    pub x: f64,
    pub label: String,
}

/// A matrix of values as coloured cells.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// What the rows are, and their names from top to bottom.
    pub row_label: String,
    pub rows: Vec<String>,
    /// What the columns are, and their names from left to right.
    pub column_label: String,
    pub columns: Vec<String>,
    /// What a value is.
    pub value: Axis,
    /// `values[row][column]`, `rows` times `columns` of them; `None` where nothing was measured.
    pub values: Vec<Vec<Option<f64>>>,
}

/// One of several heat maps.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What stands above it.
    pub name: String,
    pub map: HeatMap,
}

impl Lines {
    /// The lines without those of these names.
    pub fn without(&self, hidden: &std::collections::BTreeSet<String>) -> Self {
        let series = self.series.iter().filter(|series| !hidden.contains(&series.name)).cloned().collect();
        Self { series, x: self.x.clone(), y: self.y.clone(), boundaries: self.boundaries.clone() }
    }
}

impl Body {
    /// What the graphics device draws of it, each with its name; one that is alone has none.
    pub fn pictures(&self) -> Vec<(&str, &Picture)> {
        match self {
            Self::Picture(picture) => vec![("", picture)],
            Self::Pictures(pictures) => pictures.iter().map(|(name, picture)| (name.as_str(), picture)).collect(),
            _ => Vec::new(),
        }
    }
}

impl Lines {
    fn has_value(&self) -> bool {
        self.series.iter().flat_map(|series| &series.points).any(|point| point.y.is_finite())
    }
}

impl HeatMap {
    fn has_value(&self) -> bool {
        self.values.iter().flatten().any(Option::is_some)
    }
}

impl Body {
    /// What is missing, where there is nothing to draw: a picture of nothing is no picture.
    pub fn missing(&self) -> Option<&str> {
        let has_value = match self {
            Self::Empty(missing) => return Some(missing),
            Self::Lines(lines) | Self::Scatter(lines) | Self::Dots(lines) => lines.has_value(),
            Self::Forest(forest) => forest.rows.iter().any(|row| row.value.is_some()),
            Self::Bars(bars) => !bars.bars.is_empty(),
            Self::HeatMap(map) => map.has_value(),
            // A cell without a gain says why it has none.
            Self::GainMap(map) => !map.cells.is_empty(),
            Self::HeatMaps(panels) => panels.iter().any(|panel| panel.map.has_value()),
            Self::Parallel(parallel) => !parallel.lines.is_empty(),
            Self::River(river) => river.stages.iter().any(|stage| !stage.directions.is_empty()),
            Self::Listing(listing) => !listing.rows.is_empty(),
            Self::Picture(_) | Self::Pictures(_) => !self.pictures().is_empty(),
        };
        (!has_value).then_some("there is no value to draw")
    }
}

impl Chart {
    /// A chart without note and captions.
    pub fn new(title: impl Into<String>, body: Body) -> Self {
        Self {
            title: title.into(),
            subtitle: None,
            body,
            note: None,
            caption: None,
            band: None,
            facts: Vec::new(),
            definitions: Vec::new(),
        }
    }

    /// The chart with one [fact](Self::facts) more.
    #[must_use]
    pub fn of(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push(Fact { name, value: value.into() });
        self
    }

    /// A chart that says what is missing.
    pub fn empty(title: impl Into<String>, missing: impl Into<String>) -> Self {
        Self::new(title, Body::Empty(missing.into()))
    }

    /// What its lines, rows and pictures are called, and the facts it is of.
    pub fn names(&self) -> Vec<&str> {
        let of_body: Vec<&str> = match &self.body {
            Body::Lines(lines) | Body::Scatter(lines) | Body::Dots(lines) => {
                lines.series.iter().map(|series| series.name.as_str()).collect()
            }
            Body::Forest(forest) => forest.rows.iter().map(|row| row.name.as_str()).collect(),
            Body::Bars(_) | Body::River(_) | Body::HeatMap(_) | Body::GainMap(_) | Body::Empty(_) => Vec::new(),
            Body::HeatMaps(panels) => panels.iter().map(|panel| panel.name.as_str()).collect(),
            Body::Parallel(parallel) => parallel.lines.iter().map(|line| line.name.as_str()).collect(),
            Body::Picture(_) | Body::Pictures(_) => self.body.pictures().into_iter().map(|(name, _)| name).collect(),
            Body::Listing(listing) => listing.rows.iter().filter_map(|row| Some(row.first()?.shown.as_str())).collect(),
        };
        let facts = self.facts.iter().map(|fact| fact.value.as_str());
        of_body.into_iter().chain(facts).chain(self.subtitle.as_deref()).collect()
    }

    /// What the chart shows, in a sentence for those who cannot see it.
    pub fn description(&self) -> String {
        let what = match &self.body {
            Body::Empty(missing) => missing.clone(),
            Body::Picture(_) | Body::Pictures(_) => {
                let described = |(name, picture): (&str, &Picture)| match name {
                    "" => picture.description(),
                    _ => format!("{name}: {}", picture.description()),
                };
                self.body.pictures().into_iter().map(described).collect::<Vec<_>>().join("; ")
            }
            Body::Bars(bars) => bars.description(),
            Body::Forest(forest) => forest.description(),
            Body::GainMap(gains) => gains.description(),
            Body::HeatMap(map) => format!("{} by {} and {}", map.value.label, map.row_label, map.column_label),
            Body::HeatMaps(panels) => {
                let names: Vec<&str> = panels.iter().map(|panel| panel.name.as_str()).collect();
                let labels =
                    panels.first().map(|Panel { map, .. }| (&map.value.label, &map.row_label, &map.column_label));
                labels.map_or_else(String::new, |(value, row, column)| {
                    format!("{value} by {row} and {column} of {}", names.join(", "))
                })
            }
            Body::River(river) => {
                let names: Vec<&str> = river.stages.iter().map(|stage| stage.name.as_str()).collect();
                format!("{} of directions through {}", river.value.label, names.join(", "))
            }
            Body::Listing(listing) => {
                let headings = listing.headings().collect::<Vec<_>>().join(", ");
                format!("{} of {headings}", scale::plural(listing.rows.len(), "row"))
            }
            Body::Parallel(parallel) => {
                let names = parallel.lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>().join(", ");
                let axes = parallel.axes.iter().map(|axis| axis.label.as_str()).collect::<Vec<_>>().join(", ");
                format!("{names} across {axes}")
            }
            Body::Lines(lines) | Body::Scatter(lines) | Body::Dots(lines) => {
                let names: Vec<&str> = lines.series.iter().map(|series| series.name.as_str()).collect();
                format!("{} by {} of {}", lines.y.label, lines.x.label, names.join(", "))
            }
        };
        let note = self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{}{note}: {what}", self.title)
    }
}

impl Axis {
    /// An axis with round ticks and no unit.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            unit: None,
            ticks: Ticks::Real,
            better: None,
            names: Vec::new(),
            limits: None,
            marked: Vec::new(),
        }
    }

    /// An axis of whole numbers.
    pub fn whole(label: impl Into<String>) -> Self {
        Self { ticks: Ticks::Whole, ..Self::new(label) }
    }

    /// An axis of names.
    pub fn named(label: impl Into<String>, names: Vec<String>) -> Self {
        Self { names, ..Self::whole(label) }
    }

    /// The name that a value stands for, in one line; none on an axis of numbers.
    pub fn name(&self, value: f64) -> Option<String> {
        let index = value.round();
        let name = if index >= 0.0 { self.names.get(index as usize) } else { None };
        name.map(|name| name.replace('\n', ", "))
    }

    /// A logarithmic axis, whose values are common logarithms of positive numbers.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Self { ticks: Ticks::Decades, ..Self::new(label) }
    }

    /// The number that a value stands for: itself, but on a logarithmic axis.
    pub fn number(&self, value: f64) -> f64 {
        if self.ticks != Ticks::Decades {
            return value;
        }
        let number = 10f64.powf(value);
        // Without the rounding error of the logarithm: 20 and not 20.000000000000004.
        format!("{number:.12e}").parse().unwrap_or(number)
    }

    /// The label with its unit: `Loss (nats)`.
    pub fn heading(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.label),
            None => self.label.clone(),
        }
    }
}

impl Series {
    /// The runs of neighbouring points that a line can join: those that can be drawn.
    pub fn segments(&self) -> impl Iterator<Item = &[Point]> {
        let finite = |point: &Point| can_be_drawn(point.x) && can_be_drawn(point.y);
        self.points.chunk_by(move |a, b| finite(a) == finite(b)).filter(move |points| finite(&points[0]))
    }

    /// The runs of neighbouring points that have a band, each with its low and high end.
    pub fn bands(&self) -> impl Iterator<Item = Vec<(Point, [f64; 2])>> {
        let ends = |point: &Point| {
            point.spread.filter(|ends| can_be_drawn(point.x) && ends.iter().all(|end| can_be_drawn(*end)))
        };
        self.points
            .chunk_by(move |a, b| ends(a).is_some() == ends(b).is_some())
            .map(move |points| points.iter().filter_map(|point| Some((*point, ends(point)?))).collect::<Vec<_>>())
            .filter(|points| !points.is_empty())
    }
}

impl Point {
    /// A point without a band.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, spread: None }
    }
}

/// What must be told of `names` with letters that no font of this machine has; nothing where all can be drawn.
pub fn missing_letters(names: &[&str]) -> Option<String> {
    let missing = font::fallbacks(&names.concat()).missing;
    fallback::remark(names.iter().copied(), &missing)
}

/// Writes `chart` to `path`, as its ending says: `.png`, `.svg`, `.pdf`, `.csv` or `.tex`.
///
/// # Errors
/// [`InputError`] where the ending is none of these, the style cannot be drawn, or the file cannot be written; then
/// nothing is left behind.
pub fn export(chart: &Chart, path: &Path, style: &Style) -> Result<(), InputError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    if let Some(problem) = table::too_large(chart, &ending) {
        return Err(InputError::new(path, problem));
    }
    let drawn = match ending.as_str() {
        "png" => file::png(chart, style),
        "svg" => file::svg(chart, style).map(String::into_bytes),
        "pdf" => file::pdf(chart, style),
        "csv" => Ok(table::csv(chart).into_bytes()),
        "tex" => Ok(table::latex(chart).into_bytes()),
        _ => {
            return Err(InputError::new(path, format!("a chart cannot be written as {ending:?}"))
                .advice("name a file that ends in .png, .svg, .pdf, .csv or .tex"));
        }
    };
    let bytes = drawn.map_err(|problem| InputError::new(path, problem.to_string()))?;
    write_atomically(path, &bytes)
}
