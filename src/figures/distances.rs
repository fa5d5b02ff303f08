//! How far the subspaces of runs turned by stage.

use super::adapters::{AdapterRun, AngleOptions, Reference, side_words};
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::analysis::subspace_report::GroupStage;
use crate::plot::{Axis, Body, Chart, Lines, Point, Series, scale};
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "distances",
    aliases: &[],
    label: "Distances",
    title: "How far the subspaces turned",
    summary: "How far the subspaces of all runs turned by stage",
    tooltip: "How far the subspaces of each run turned in each stage, over all modules",
    options: &[],
    alone: false,
    make: Make::Project(|context, options| {
        let runs = context.runs(options)?;
        let adapters: Vec<AdapterRun<'_>> = runs.into_iter().filter_map(|run| context.adapters(run)).collect();
        let chart = distances(&adapters, AngleOptions::of(options), context.is_synthetic());
        Ok(vec![NamedChart::new("distances", chart)])
    }),
};

/// How far the subspaces of each run turned by stage: Grassmann distance, mean over its modules.
pub fn distances(runs: &[AdapterRun<'_>], options: AngleOptions, synthetic: bool) -> Chart {
    let title = SPEC.title;
    let AngleOptions { side, reference } = options;
    let line = |&AdapterRun { report, name, style }: &AdapterRun<'_>| {
        let value = |stage: &GroupStage| {
            let both = match reference {
                Reference::Previous => stage.grassmann,
                Reference::First => stage.grassmann_to_first,
            };
            both.map(|[left, right]| if side == Side::Right { right } else { left })
        };
        let points = report.whole.stages.iter().filter_map(|stage| Some(Point::new(stage.stage as f64, value(stage)?)));
        Series { name: style.legend_name(name), points: points.collect(), style }
    };
    let series: Vec<Series> = runs.iter().map(line).filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        let missing = "Distances are between two stages: they appear when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let y = Axis { unit: Some("rad".to_owned()), ..Axis::new("Grassmann distance") };
    let lines = Lines { x: Axis::whole("Stage"), y, series, boundaries: Vec::new() };
    let modules = runs.iter().map(|run| run.report.whole.modules).max().unwrap_or(0);
    let cut = if scale::y_range(&lines).low > 0.0 { ". The axis does not start at 0" } else { "" };
    let caption = format!(
        "√Σθ² over the principal angles to {}, mean over {}{cut}",
        if reference == Reference::First { "stage 1" } else { "the stage before" },
        scale::plural(modules, "module")
    );
    let subtitle = Some(format!("{} in each stage", side_words(side)));
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }.synthetic(synthetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::adapters::fixture::report;
    use crate::plot::SeriesStyle;

    #[test]
    fn distances_are_lines_over_stages() {
        let report = report();
        let runs = [AdapterRun { report: &report, name: "PESO", style: SeriesStyle::method(0) }];
        let options = AngleOptions { side: Side::Right, reference: Reference::Previous };
        let Body::Lines(lines) = distances(&runs, options, false).body else { panic!("no lines") };
        assert_eq!(lines.series[0].points, [Point::new(2.0, 0.2)]);
    }
}
