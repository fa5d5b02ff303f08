//! Which users and targets see other recommendations, and whether they are better ones.

use super::churn::ChurnMeasure;
use super::options::FigureOption;
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
    options: &[FigureOption::Stage],
    alone: false,
    make: Make::Run(|context, run, options| {
        let chart =
            by_slice(context.churn(run)?, options.stage, context.is_synthetic()).under(context.results.protocol);
        Ok(Some(match options.stage {
            Some(stage) => chart.of("stage", stage.to_string()),
            None => chart,
        }))
    }),
};

/// Churn against gain, a point a slice: who sees other lists, and whether they are better ones; of one stage (from 2), or of
/// all together.
pub fn by_slice(report: &ChurnReport, stage: Option<usize>, synthetic: bool) -> Chart {
    let of_stage = stage.map_or_else(String::new, |stage| format!(", stage {stage}"));
    let title = format!("{}: {}{of_stage}", SPEC.title, report.experiment);
    let found = stage.and_then(|stage| report.stages.iter().find(|found| found.stage == stage));
    let slices: &[SliceChurn] = match (stage, found) {
        (None, _) => &report.slices,
        (Some(_), Some(found)) => &found.slices,
        (Some(_), None) => &[],
    };
    let enough: Vec<&SliceChurn> = slices.iter().filter(|slice| !slice.churn.too_few).collect();
    if enough.is_empty() {
        let missing = if slices.is_empty() {
            "No slices yet: they appear when the stage after the first is tested"
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
    let few = slices.len() - enough.len();
    let left_out = if few > 0 {
        format!(". {} with fewer than 20 tests left out", scale::plural(few, "slice"))
    } else {
        String::new()
    };
    let caption = format!(
        "Right: lists changed more. Up: they are better than those of the model before. {}, 95 % intervals over test users{left_out}{}",
        stage.map_or_else(|| "All stages from 2 on".to_owned(), |stage| format!("Stage {stage}")),
        found.and_then(|found| found.most_changed).map_or_else(String::new, |most| format!(". {most}")),
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
    use crate::measure::churn::MostChanged;

    #[test]
    fn slices_of_few_tests_are_left_out_and_counted() {
        let chart = by_slice(&report(), None, false);
        let Body::Scatter(points) = &chart.body else { panic!("no points") };
        assert_eq!(points.series.len(), 1);
        assert_eq!((points.series[0].name.as_str(), points.series[0].points[0].y), ("User new", -0.02));
        assert!(chart.caption.unwrap().contains("1 slice with fewer than 20 tests left out"));
        let none = ChurnReport { slices: Vec::new(), ..report() };
        assert!(matches!(by_slice(&none, None, false).body, Body::Empty(_)));
    }

    #[test]
    fn a_stage_has_its_own_slices_and_says_what_the_most_changed_users_gained() {
        let mut report = report();
        let mut own = report.slices.clone();
        own.iter_mut().for_each(|slice| slice.gain.mean = 0.25);
        let most = MostChanged { users: 20, gained: 6, lost: 9 };
        (report.stages[0].slices, report.stages[0].most_changed) = (own, Some(most));
        let stage = report.stages[0].stage;
        let chart = by_slice(&report, Some(stage), false);
        let Body::Scatter(points) = &chart.body else { panic!("no points") };
        assert_eq!(points.series[0].points[0].y, 0.25);
        assert!(chart.title.ends_with(&format!(", stage {stage}")));
        assert!(chart.caption.unwrap().ends_with("Of the 20 most changed users 6 gained, 9 lost"));
        assert!(matches!(by_slice(&report, Some(99), false).body, Body::Empty(_)));
    }
}
