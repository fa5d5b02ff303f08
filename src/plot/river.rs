//! The river of directions: what an update does in each stage, and how much of each direction goes on into the next.

use super::series_style::SeriesStyle;
use super::{Axis, Body, Chart};

/// Directions of an update by stage, joined by how far they point the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct River {
    /// From left to right.
    pub stages: Vec<RiverStage>,
    pub flows: Vec<Flow>,
    /// What a direction's height is.
    pub value: Axis,
    /// The sum of values that takes the whole height.
    pub whole: f64,
}

/// One stage of the river.
#[derive(Debug, Clone, PartialEq)]
pub struct RiverStage {
    /// `Stage 3`.
    pub name: String,
    /// From top to bottom.
    pub directions: Vec<Direction>,
}

/// One direction in one stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// Its singular value.
    pub value: f64,
    /// The colour of the direction that it continues, or one of its own.
    pub style: SeriesStyle,
    /// Where what it continues begins, or itself: places of a stage and of a direction in it, from 0.
    pub begins: [usize; 2],
}

/// How a direction goes on as one of the next stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// PlotArea of the stage that it leaves, from 0.
    pub stage: usize,
    /// Places of the directions, from 0.
    pub from: usize,
    pub to: usize,
    /// Between both, without its sign. Its square is the share of one that lies along the other, so that the shares of a
    /// direction never add up to more than 1.
    pub cosine: f64,
}

impl Flow {
    /// Share of either direction that lies along the other.
    pub fn share(&self) -> f64 {
        self.cosine * self.cosine
    }

    /// The angle between both, in degrees.
    pub fn degrees(&self) -> f64 {
        self.cosine.min(1.0).acos().to_degrees()
    }
}

impl River {
    /// The greatest sum of a stage's values.
    pub fn max_sum(&self) -> f64 {
        let sum = |stage: &RiverStage| stage.directions.iter().map(|direction| direction.value.max(0.0)).sum();
        self.stages.iter().map(sum).fold(0.0, f64::max)
    }
}

/// Gives all rivers among `charts` one scale, so that equal heights are equal values.
pub fn in_one_scale(charts: &mut [Chart]) {
    let rivers =
        || charts.iter().filter_map(|chart| if let Body::River(river) = &chart.body { Some(river) } else { None });
    let whole = rivers().map(River::max_sum).fold(0.0, f64::max);
    for chart in charts {
        if let Body::River(river) = &mut chart.body {
            river.whole = whole;
        }
    }
}
