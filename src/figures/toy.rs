//! How many steps each run has trained, step by step: the least that a figure can be.

use super::curves::{RunCurves, chart, curve};
use super::spec::{FigureSpec, Make};
use crate::plot::{Axis, Chart};

pub static SPEC: FigureSpec = FigureSpec {
    name: "toy",
    aliases: &[],
    label: "Toy",
    title: "Steps",
    summary: "Steps by step",
    tooltip: "The number of the step by step",
    options: &[],
    make: Make::Curves(steps),
};

fn steps(curves: &[RunCurves]) -> Chart {
    let series = curves.iter().map(|run| curve(run, run.name.clone(), |point| point.step as f64)).collect();
    chart(SPEC.title, Axis::whole("Steps so far"), series, curves)
}
