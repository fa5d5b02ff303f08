//! Bars: amounts beside each other, each stacked of the same parts.

use super::series_style::Tone;
use super::{Axis, Ticks};
use crate::calendar;

/// Bars over a common axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Of names (bars stand around whole numbers) or of dates.
    pub x: Axis,
    pub y: Axis,
    /// What a bar is stacked of, from the bottom up.
    pub parts: Vec<Part>,
    /// From left to right.
    pub bars: Vec<Bar>,
    /// Stretches of the x axis that are named; with them there is no legend, since they say what the colours are.
    pub bands: Vec<Band>,
}

/// One part of every bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub name: String,
    pub tone: Tone,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub from: f64,
    pub to: f64,
    /// By part; finite and not negative.
    pub heights: Vec<f64>,
}

/// A stretch of the x axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub from: f64,
    pub to: f64,
    pub tone: Tone,
    /// The name and what is said of it, a line each, from the longest words to the shortest: those that fit are drawn.
    pub lines: Vec<Vec<String>>,
}

/// Half of the width of a bar around a whole number.
const HALF: f64 = 0.36;

impl Bar {
    /// The bar of the name at a place.
    pub fn named(index: usize, heights: Vec<f64>) -> Self {
        Self { from: index as f64 - HALF, to: index as f64 + HALF, heights }
    }

    /// All parts together.
    pub fn height(&self) -> f64 {
        self.heights.iter().sum()
    }
}

impl Bars {
    /// Where a bar stands: its name, or when it begins, to as many milliseconds where it is longer than that.
    pub(super) fn bar_name(&self, bar: &Bar, to: i64) -> String {
        let middle = (bar.from + bar.to) / 2.0;
        match self.x.ticks {
            Ticks::Dates if bar.to - bar.from > to as f64 => calendar::moment((bar.from as i64).div_euclid(to) * to),
            Ticks::Dates => calendar::moment(bar.from as i64),
            _ => self.x.name(middle).unwrap_or_else(|| middle.to_string()),
        }
    }

    /// What is drawn, in a sentence.
    pub(super) fn description(&self) -> String {
        let named: Vec<&str> =
            self.bands.iter().filter_map(|band| Some(band.lines.first()?.first()?.as_str())).collect();
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        let names = if named.is_empty() { parts } else { named };
        format!("{} by {} of {}", self.y.label, self.x.label, names.join(", "))
    }

    /// The heading, and a row a bar with a column for each part.
    pub(super) fn table(&self) -> [Vec<Vec<String>>; 2] {
        let heading = [self.x.heading()].into_iter().chain(self.parts.iter().map(|part| part.name.clone())).collect();
        let row =
            |bar: &Bar| [self.bar_name(bar, 1)].into_iter().chain(bar.heights.iter().map(f64::to_string)).collect();
        [vec![heading], self.bars.iter().map(row).collect()]
    }
}
