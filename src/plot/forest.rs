//! A forest plot: values with their intervals below one another, each beside its name, and a line at 0.

use super::scale::Range;
use super::{Axis, SeriesStyle};

/// Values with their intervals over a common axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// The axis of the values; 0 is always on it.
    pub x: Axis,
    /// From top to bottom.
    pub rows: Vec<ForestRow>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRow {
    pub name: String,
    pub style: SeriesStyle,
    /// None where there is none: then [`Self::words`] say why.
    pub value: Option<f64>,
    pub interval: Option<[f64; 2]>,
    /// What is said of it in a few words, at the right of the plot: `+8.1 %`.
    pub words: String,
    /// What is said of it in a sentence, for tables.
    pub sentence: String,
}

impl Forest {
    /// What the axis shows: everything, with 0.
    pub fn range(&self) -> Range {
        let ends = self.rows.iter().flat_map(|row| row.interval.into_iter().flatten().chain(row.value));
        let range = Range::of(ends.chain([0.0])).unwrap_or(Range { low: 0.0, high: 0.0 });
        range.padded(0.06)
    }

    /// What is drawn, in a sentence.
    pub(super) fn description(&self) -> String {
        let names: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        format!("{} of {}", self.x.label, names.join(", "))
    }

    /// The heading, then a row a value; `low` and `high` are the headings of the interval's ends.
    pub(super) fn table(&self, [low, high]: [&str; 2], number: impl Fn(f64) -> String) -> Vec<Vec<String>> {
        let heading = ["series", &self.x.heading(), low, high, "in words"].map(str::to_owned).to_vec();
        let row = |row: &ForestRow| {
            let ends = row.interval.map_or([String::new(), String::new()], |ends| ends.map(&number));
            let [low, high] = ends;
            let value = row.value.map(&number).unwrap_or_default();
            vec![row.name.clone(), value, low, high, row.sentence.clone()]
        };
        std::iter::once(heading).chain(self.rows.iter().map(row)).collect()
    }
}
