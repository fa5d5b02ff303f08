//! The pull of the penalty against that of the loss, by step.

use super::curves::{RunCurves, chart, curve, with_penalty};
use super::spec::{FigureSpec, Make};
use crate::plot::{Axis, Chart};

pub static SPEC: FigureSpec = FigureSpec {
    name: "pull-ratio",
    aliases: &[],
    label: "Pull ratio",
    title: "Pull ratio",
    summary: "The penalty's pull against the loss's, by step",
    tooltip: "Norm of the penalty's gradient over that of the cross-entropy's: whether the pull acts at all",
    options: &[],
    alone: false,
    make: Make::Curves(pull_ratio),
};

/// The pull ratio by step, of the runs that have a penalty.
pub fn pull_ratio(curves: &[RunCurves]) -> Chart {
    let series = with_penalty(curves).map(|run| curve(run, run.name.clone(), |point| point.pull_ratio)).collect();
    chart(SPEC.title, Axis::new("Pull ratio"), series, curves)
}
