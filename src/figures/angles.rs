//! How far the directions of a module turned against an earlier stage.

use super::adapters::{AdapterStage, AngleOptions, between, find, sided, subtitle};
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::plot::{Axis, Body, Chart, Lines, Point, Series, SeriesStyle};
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "angles",
    aliases: &[],
    label: "Angles",
    title: "Principal angles",
    summary: "Principal angles of a module's update to the stage before, of every run with adapters",
    tooltip: "How far the directions of a module turned against an earlier stage",
    options: &[FigureOption::Module],
    alone: false,
    make: Make::Run(|context, run, options| {
        let Some(adapters) = context.adapters(run) else { return Ok(None) };
        let module = context.module(run, adapters.report, options)?;
        Ok(Some(angles(
            &context.adapter_stages(run, options),
            &module.name,
            AngleOptions::of(options),
            context.is_synthetic(),
        )))
    }),
};

/// The principal angles of a module's subspace against that of an earlier stage, one line for each that is shown.
pub fn angles(shown: &[AdapterStage<'_>], module: &str, options: AngleOptions, synthetic: bool) -> Chart {
    let title = SPEC.title;
    let AngleOptions { side, reference } = options;
    let line = |(slot, shown): (usize, &AdapterStage<'_>)| {
        let (module, _) = find(shown, module)?;
        let from = reference.of(&shown.report.stages, shown.stage)?;
        let radians = &sided(between(module, from, shown.stage)?, side).radians;
        let points =
            radians.iter().zip(1_u32..).map(|(angle, number)| Point::new(f64::from(number), angle.to_degrees()));
        Some(Series {
            name: format!("{}: stage {from} to {}", shown.run, shown.stage),
            points: points.collect(),
            style: SeriesStyle::method(slot),
        })
    };
    let series: Vec<Series> = shown.iter().enumerate().filter_map(line).collect();
    if series.iter().all(|series| series.points.is_empty()) {
        let missing = "Angles are between two stages: they appear when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let y = Axis { unit: Some("°".to_owned()), ..Axis::new("Angle") };
    let lines = Lines { x: Axis::whole("Principal angle"), y, series, boundaries: Vec::new() };
    let caption = format!(
        "Smallest angle first. 0° is a direction that both subspaces have, 90° one that the other lacks ({} space)",
        if side == Side::Right { "row" } else { "column" }
    );
    Chart { subtitle: subtitle(shown, module), caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }
        .synthetic(synthetic)
        .of("module", module)
        .of("side", side.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::adapters::Reference;
    use crate::figures::adapters::fixture::report;

    #[test]
    fn angles_are_in_degrees() {
        let report = report();
        let shown = AdapterStage { report: &report, run: "PESO", stage: 2 };
        let module = "model.layers.1.self_attn.q_proj";
        let of = |side| AngleOptions { side, reference: Reference::Previous };
        let angle = |side| match angles(&[shown], module, of(side), false).body {
            Body::Lines(lines) => lines.series[0].points[1].y,
            other => panic!("no lines: {other:?}"),
        };
        assert!((angle(Side::Left) - 0.4f64.to_degrees()).abs() < 1e-12);
        assert!((angle(Side::Right) - 0.2f64.to_degrees()).abs() < 1e-12);
        let first = AdapterStage { stage: 1, ..shown };
        let to_first = AngleOptions { reference: Reference::First, ..AngleOptions::default() };
        assert!(matches!(angles(&[first], module, to_first, false).body, Body::Empty(_)));
    }
}
