//! Parallel coordinates: polylines across upright axes of numbers and names.

use super::SeriesStyle;

/// Polylines across upright axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Parallel {
    /// From left to right.
    pub axes: Vec<ParallelAxis>,
    pub lines: Vec<Polyline>,
}

/// An upright axis.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelAxis {
    pub label: String,
    /// The names that its values stand for, from the bottom upwards; empty for an axis of numbers.
    pub names: Vec<String>,
}

/// One line across the axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Polyline {
    pub name: String,
    /// One an axis: a number, or the place of a name; the line is broken where there is none.
    pub values: Vec<Option<f64>>,
    pub style: SeriesStyle,
}

impl ParallelAxis {
    /// The least and the greatest value on it; a single value gets room around it.
    pub fn range(&self, index: usize, lines: &[Polyline]) -> [f64; 2] {
        let values = lines.iter().filter_map(|line| line.values[index]).filter(|value| value.is_finite());
        let [low, high] =
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)]);
        match (low, high) {
            _ if low < high => [low, high],
            _ if low == high => [low - 0.5 * low.abs().max(1.0), high + 0.5 * high.abs().max(1.0)],
            _ => [0.0, 1.0],
        }
    }
}
