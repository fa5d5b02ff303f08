//! Which users and targets see other recommendations, and whether they are better ones.

use super::churn::ChurnMeasure;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use super::words::metric_label;
use crate::measure::churn::SliceChurn;
use crate::measure::slices::Dimension;
use crate::plot::{Axis, Band, Body, Chart, Lines, Point, Series, SeriesStyle, scale};
use crate::results::churn::ChurnReport;

pub static SPEC: FigureSpec = FigureSpec {
    name: "affected",
    aliases: &[],
    label: "Who is affected",
    title: "Who is affected",
    summary: "Which users and targets see other recommendations, of every run",
    tooltip: "Which kinds of users and targets see other recommendations, and whether these are better",
    options: &[],
    make: Make::Run(|context, run, _| {
        let chart = by_slice(context.churn(run)?, context.is_synthetic());
        Ok(Some(chart.under(context.results.protocol)))
    }),
};

/// Churn against gain, a point a slice: who sees other lists, and whether they are better ones.
pub fn by_slice(report: &ChurnReport, synthetic: bool) -> Chart {
    let title = format!("{}: {}", SPEC.title, report.experiment);
    let enough: Vec<&SliceChurn> = report.slices.iter().filter(|slice| !slice.churn.too_few).collect();
    if enough.is_empty() {
        let missing = if report.slices.is_empty() {
            "No slices yet: they appear when the second stage of the run is tested"
        } else {
            "Every slice has fewer than 20 tests, too few to say anything of"
        };
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let point = |(slot, slice): (usize, &&SliceChurn)| {
        let spread = slice.gain.interval.map(|interval| [interval.low, interval.high]);
        Series {
            name: format!("{} {}", dimension_words(slice), slice.churn.slice.key()),
            points: vec![Point { x: slice.churn.mean, y: slice.gain.mean, spread }],
            style: SeriesStyle::method(slot),
        }
    };
    let series = enough.iter().enumerate().map(point).collect();
    let y = Axis::new(format!("Gain in {}", metric_label(&report.metric)));
    let lines = Lines { x: Axis::new(ChurnMeasure::Ranked.label()), y, series, boundaries: Vec::new() };
    let few = report.slices.len() - enough.len();
    let left_out = if few > 0 {
        format!(". {} with fewer than 20 tests left out", scale::plural(few, "slice"))
    } else {
        String::new()
    };
    let caption = format!(
        "Right: lists changed more. Up: they are better than those of the model before. All stages from 2 on, 95 % intervals over test users{left_out}"
    );
    let subtitle = Some("Change of the lists against what it brought, by kind of user and target".to_owned());
    let band = Some(Band::Interval95);
    Chart { subtitle, caption: Some(caption), band, ..Chart::new(title, Body::Scatter(lines)) }.synthetic(synthetic)
}

fn dimension_words(slice: &SliceChurn) -> &'static str {
    match slice.churn.dimension {
        Dimension::User => "User",
        Dimension::Target => "Target",
        Dimension::Popularity => "Popularity",
        Dimension::History => "History",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::churn::fixture::report;

    #[test]
    fn slices_of_few_tests_are_left_out_and_counted() {
        let chart = by_slice(&report(), false);
        let Body::Scatter(points) = &chart.body else { panic!("no points") };
        assert_eq!(points.series.len(), 1);
        assert_eq!((points.series[0].name.as_str(), points.series[0].points[0].y), ("User new", -0.02));
        assert!(chart.caption.unwrap().contains("1 slice with fewer than 20 tests left out"));
        let none = ChurnReport { slices: Vec::new(), ..report() };
        assert!(matches!(by_slice(&none, false).body, Body::Empty(_)));
    }
}
