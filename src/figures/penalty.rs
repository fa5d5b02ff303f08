//! The penalty of methods by step.

use super::curves::{RunCurves, chart, curve, with_penalty};
use super::spec::{FigureSpec, Make};
use crate::plot::{Axis, Chart};

pub static SPEC: FigureSpec = FigureSpec {
    name: "penalty",
    aliases: &[],
    label: "Penalty",
    title: "Penalty",
    summary: "The methods' penalty by step",
    tooltip: "The weighted penalty by step, λ included",
    options: &[],
    alone: false,
    make: Make::Curves(penalty),
};

/// The weighted penalty by step, of the runs that have one.
pub fn penalty(curves: &[RunCurves]) -> Chart {
    let series = with_penalty(curves).map(|run| curve(run, run.name.clone(), |point| point.penalty)).collect();
    chart(SPEC.title, Axis { unit: Some("nats".to_owned()), ..Axis::new("Penalty") }, series, curves)
}
