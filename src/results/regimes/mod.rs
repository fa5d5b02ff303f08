//! The map of regimes: what one method gains over another at every point of two swept options.
//!
//! At a point both were run on the same data with the same training settings, so that their gain is paired by test and seed. Points that
//! share a cell differ in further swept options and are averaged: over the same data test by test, over other data as further stages are.

mod axes;
mod cells;

use std::collections::BTreeMap;
use std::path::Path;

pub use self::axes::{RegimeAxes, SweptOption, axes, methods};
use self::cells::{Reader, Unjudged};
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::measure::statistics::{ALPHA, Comparison, Evidence, Verdict};
use crate::project::Project;

/// What is asked; what is left open is what a project's first sweep suggests.
#[derive(Debug, Clone, PartialEq)]
pub struct RegimeQuestion {
    /// Name of the experiment whose gain is shown.
    pub method: Option<String>,
    /// Name of the experiment that it is held against.
    pub baseline: Option<String>,
    /// Path of the option across, and of that down.
    pub x: Option<String>,
    pub y: Option<String>,
    /// Values at which further options are held; they are averaged over where they are not here.
    pub at: BTreeMap<String, String>,
    pub metric: UserMetric,
    pub protocol: Protocol,
}

/// Gains over two options.
#[derive(Debug, Clone, PartialEq)]
pub struct RegimeMap {
    pub axes: RegimeAxes,
    pub metric: UserMetric,
    pub protocol: Protocol,
    /// `cells[y][x]`.
    pub cells: Vec<Vec<RegimeCell>>,
}

/// What was found at a point of the map.
#[derive(Debug, Clone, PartialEq)]
pub struct RegimeCell {
    pub found: Found,
    /// Names of the points of both methods that it is made of.
    pub experiments: Vec<String>,
}

/// A gain, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Corrected by Holm over the cells of the map.
    Gain(Box<Verdict>),
    NotEnoughRuns(String),
}

impl RegimeMap {
    /// The seeds of the cells: least and most.
    pub fn seeds(&self) -> Option<[usize; 2]> {
        let seeds = || self.verdicts().map(|verdict| verdict.comparison.seeds);
        Some([seeds().min()?, seeds().max()?])
    }

    /// The gains that there are.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.cells.iter().flatten().filter_map(|cell| match &cell.found {
            Found::Gain(verdict) => Some(verdict.as_ref()),
            Found::NotEnoughRuns(_) => None,
        })
    }

    /// The map of a project; none where no method and baseline have two swept options.
    ///
    /// # Errors
    /// The question names what there is not, or a run's folder cannot be read.
    pub fn of(project: &Project, runs_dir: &Path, question: &RegimeQuestion) -> Result<Option<Self>, InputError> {
        let variants = project.variants()?;
        let Some(axes) = axes(project, &variants, question)? else { return Ok(None) };
        let mut reader = Reader::new(project, runs_dir, question)?;
        let mut cells = Vec::new();
        for y in &axes.y.values {
            let mut row = Vec::new();
            for x in &axes.x.values {
                row.push(reader.cell(&variants, &axes, [x, y])?);
            }
            cells.push(row);
        }
        let (metric, protocol) = (question.metric, question.protocol);
        Ok(Some(Self { axes, metric, protocol, cells: judged(cells) }))
    }
}

/// Judges the gains of all cells together.
fn judged(cells: Vec<Vec<Unjudged>>) -> Vec<Vec<RegimeCell>> {
    let comparisons: Vec<Comparison> =
        cells.iter().flatten().filter_map(|(compared, _)| compared.as_ref().ok().copied()).collect();
    let mut verdicts = Verdict::of_family(&comparisons, ALPHA).into_iter();
    let mut cell = |(compared, experiments): Unjudged| {
        // There is a verdict for each comparison, in their order.
        let found = match compared.map(|_| verdicts.next()) {
            Ok(Some(verdict)) if verdict.evidence == Evidence::IdenticalSeeds => {
                Found::NotEnoughRuns("all seeds give every user the same, as copies of one run do".to_owned())
            }
            Ok(Some(verdict)) => Found::Gain(Box::new(verdict)),
            Ok(None) => Found::NotEnoughRuns(String::new()),
            Err(missing) => Found::NotEnoughRuns(missing),
        };
        RegimeCell { found, experiments }
    };
    cells.into_iter().map(|row| row.into_iter().map(&mut cell).collect()).collect()
}
