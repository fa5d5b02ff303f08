//! Training curves: a value of every optimiser step of runs, with the stages marked.

use crate::plot::scale::plural;
use crate::plot::{Axis, Band, Body, Boundary, Chart, Lines, Point, Series, SeriesStyle};

/// The training curve of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCurves {
    /// The run's id.
    pub run: String,
    /// The name in the legend.
    pub name: String,
    /// See [`super::styles::curve_styles`].
    pub style: SeriesStyle,
    /// By rising step.
    pub points: Vec<CurvePoint>,
}

/// One optimiser step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Step counted through all stages, from 1.
    pub step: u64,
    /// Stage, from 1.
    pub stage: usize,
    /// Mean cross-entropy a response token, in nats.
    pub loss: f64,
    /// The method's weighted penalty, 0 where it has none.
    pub penalty: f64,
    /// Norm of the penalty's gradient over that of the cross-entropy's.
    pub pull_ratio: f64,
}

/// Runs that have a penalty anywhere.
pub(super) fn with_penalty(curves: &[RunCurves]) -> impl Iterator<Item = &RunCurves> {
    curves.iter().filter(|run| run.points.iter().any(|point| point.penalty != 0.0 || point.pull_ratio != 0.0))
}

/// A line has about this many points at most: more than a screen shows apart.
pub(super) const MAX_POINTS: usize = 400;

/// The line of a run, thinned to what a screen shows apart.
pub(super) fn curve(run: &RunCurves, name: String, value: impl Fn(&CurvePoint) -> f64) -> Series {
    Series { name, points: thinned(&run.points, steps_a_point(run), value), style: run.style }
}

fn steps_a_point(run: &RunCurves) -> usize {
    run.points.len().div_ceil(MAX_POINTS).max(1)
}

/// Puts `steps` neighbours of one stage together: their mean at the last of them, with a band from the least to the greatest, so that no
/// spike is lost. A value that is no finite number makes a gap.
fn thinned(points: &[CurvePoint], steps: usize, value: impl Fn(&CurvePoint) -> f64) -> Vec<Point> {
    points
        .chunk_by(|a, b| a.stage == b.stage)
        .flat_map(|stage| stage.chunks(steps))
        .map(|chunk| bucket(chunk, &value))
        .collect()
}

fn bucket(chunk: &[CurvePoint], value: impl Fn(&CurvePoint) -> f64) -> Point {
    let [mut sum, mut min, mut max] = [0.0, f64::INFINITY, f64::NEG_INFINITY];
    for value in chunk.iter().map(value) {
        sum += value;
        min = min.min(value);
        max = max.max(value);
    }
    let x = chunk.last().map_or(f64::NAN, |point| point.step as f64);
    let y = sum / chunk.len() as f64;
    Point { x, y, spread: (chunk.len() > 1 && y.is_finite()).then_some([min, max]) }
}

/// Series by step; `curves` are all runs that were asked for.
pub(super) fn chart(title: &str, y: Axis, series: Vec<Series>, curves: &[RunCurves]) -> Chart {
    if curves.iter().all(|run| run.points.is_empty()) {
        return Chart::empty(title, "No steps yet: curves appear when a run trains");
    }
    if series.is_empty() {
        return Chart::empty(title, "None of these runs has a penalty: PESO has one from stage 2 on");
    }
    let max_steps = curves.iter().map(steps_a_point).max().unwrap_or(1);
    let mut notes = Vec::new();
    if max_steps > 1 {
        notes.push(format!(
            "Mean of up to {}, bands reach from the lowest of them to the highest",
            plural(max_steps, "step")
        ));
    }
    let boundaries = boundaries(curves);
    if boundaries.is_none() {
        notes.push("Stages begin at different steps in these runs and are not marked".to_owned());
    }
    let lines = Lines { x: Axis::whole("Step"), y, series, boundaries: boundaries.unwrap_or_default() };
    let caption = (!notes.is_empty()).then(|| notes.join(". "));
    Chart { caption, band: Some(Band::StepRange), ..Chart::new(title, Body::Lines(lines)) }
}

/// Where the stages begin, if the runs agree as far as each has come.
fn boundaries(curves: &[RunCurves]) -> Option<Vec<Boundary>> {
    let starts = |run: &RunCurves| -> Vec<(u64, usize)> {
        run.points.chunk_by(|a, b| a.stage == b.stage).map(|stage| (stage[0].step, stage[0].stage)).collect()
    };
    let all: Vec<Vec<(u64, usize)>> = curves.iter().map(starts).collect();
    let longest = all.iter().max_by_key(|starts| starts.len())?;
    let agree = all.iter().all(|starts| longest.starts_with(starts));
    agree.then(|| {
        let boundary = |&(step, stage): &(u64, usize)| Boundary { x: step as f64, label: format!("Stage {stage}") };
        longest.iter().map(boundary).collect()
    })
}
