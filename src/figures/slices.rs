//! A metric on kinds of users and targets: what a mean over all tests hides.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use super::words::{better, metric_label};
use crate::measure::slice_means::{FEW, SliceMean};
use crate::measure::{Dimension, Slice};
use crate::plot::{Axis, Band, Body, Boundary, Chart, Lines, Point, Series, SeriesStyle};
use crate::results::slices::SlicedLine;

pub static SPEC: FigureSpec = FigureSpec {
    name: "slices",
    aliases: &[],
    label: "Slices",
    title: "Metric by slice",
    summary: "The metric on kinds of users and targets, of every method",
    tooltip: "Every method on kinds of users and targets: whom it serves, and how far that lies apart",
    options: &[FigureOption::Metric],
    alone: false,
    make: Make::Project(|context, options| {
        let sliced = context.sliced(&options.metric)?;
        let lines = context.lines();
        let shown: Vec<Styled<'_, SlicedLine>> = lines
            .iter()
            .filter_map(|line| {
                let item = sliced.lines.iter().find(|sliced| sliced.experiment == line.item.name)?;
                Some(Styled { item, style: line.style })
            })
            .collect();
        let chart = by_slice(&shown, &options.metric, options.slices_of, context.is_synthetic());
        let (results, basis) = context.compared();
        Ok(vec![NamedChart::new("slices", chart.over(basis).under(results.protocol))])
    }),
};

/// `metric` on each slice, the lines side by side in their styles; of one dimension, or of all.
pub fn by_slice(lines: &[Styled<'_, SlicedLine>], metric: &str, only: Option<Dimension>, synthetic: bool) -> Chart {
    let title = match only {
        None => format!("{} by slice", metric_label(metric)),
        Some(dimension) => format!("{} by slice of {}", metric_label(metric), label(dimension).to_lowercase()),
    };
    let slices = slices(lines, only);
    if slices.is_empty() {
        let missing = "No finished run has tests with slices: run an experiment to see whom it serves";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let width = (0.7 / lines.len() as f64).min(0.16);
    let series = lines.iter().enumerate().map(|(index, &Styled { item: line, style })| {
        let beside = width * (index as f64 - (lines.len() - 1) as f64 / 2.0);
        let point = |(at, slice): (usize, &SliceMean)| {
            let found = line.slices.iter().find(|mean| mean.slice == slice.slice)?;
            let spread = found.interval.map(|interval| [interval.low, interval.high]);
            Some(Point { x: at as f64 + beside, y: found.mean, spread })
        };
        let points = slices.iter().enumerate().filter_map(point).collect();
        // There are no lines to tell apart here: every series has a mark.
        let style = SeriesStyle { marker: style.marker.or(Some(style.ink.lone_mark())), ..style };
        Series { name: line.experiment.clone(), points, style }
    });
    let names = slices.iter().map(|slice| {
        let few = if slice.too_few { " *" } else { "" };
        format!("{}\nn = {}{few}", slice.slice, crate::plot::scale::grouped(slice.users as f64, 0))
    });
    let mut caption = "Means over the tests of the stages from 2 on with 95 % intervals, n tests a slice".to_owned();
    if slices.iter().any(|slice| slice.too_few) {
        caption.push_str(&format!(". *: fewer than {FEW} tests, too few to say much"));
    }
    let y = Axis { better: Some(better(metric)), ..Axis::new(metric_label(metric)) };
    let x = Axis::named("Slice", names.collect());
    let body = Body::Dots(Lines { x, y, series: series.collect(), boundaries: boundaries(&slices, only) });
    Chart { caption: Some(caption), band: Some(Band::Interval95), ..Chart::new(title, body) }.synthetic(synthetic)
}

/// What a dimension is about, for people.
pub fn label(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::User => "Users",
        Dimension::Target => "Targets",
        Dimension::Popularity => "Popularity",
        Dimension::History => "History",
    }
}

/// What makes a test one of a slice.
pub fn explanation(slice: Slice) -> &'static str {
    match slice {
        Slice::New => "Users who are first seen in the tested stage",
        Slice::Returning => "Users who were seen before, and not only long ago",
        Slice::Dormant => "Users who were active in stage 1, in none of at least one stage since, and are back",
        Slice::Warm => "The target occurred in an earlier stage",
        Slice::Cold => "The target is new in the tested stage",
        Slice::Head => "The target is one of the items that make up the first third of the earlier interactions",
        Slice::Mid => "The target is one of the items of the second third",
        Slice::Tail => "The target is one of the items of the last third, or did not occur before",
        Slice::Short => "At most 5 interactions before the target",
        Slice::Medium => "6 to 19 interactions before the target",
        Slice::Long => "20 interactions or more before the target",
    }
}

/// The slices that some line has, in their usual order.
pub fn slices(lines: &[Styled<'_, SlicedLine>], only: Option<Dimension>) -> Vec<SliceMean> {
    let all = lines.iter().flat_map(|line| &line.item.slices);
    let mut slices: Vec<SliceMean> =
        all.filter(|mean| only.is_none_or(|only| only == mean.dimension)).copied().collect();
    slices.sort_by_key(|mean| mean.slice);
    slices.dedup_by_key(|mean| mean.slice);
    slices
}

/// Where the slices of the next dimension begin.
fn boundaries(slices: &[SliceMean], only: Option<Dimension>) -> Vec<Boundary> {
    if only.is_some() {
        return Vec::new();
    }
    let begins = |at: &usize| *at == 0 || slices[at - 1].dimension != slices[*at].dimension;
    let boundary = |at: usize| Boundary { x: at as f64 - 0.5, label: label(slices[at].dimension).to_owned() };
    (0..slices.len()).filter(begins).map(boundary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::statistics::Interval;
    use crate::plot::table;

    fn mean(dimension: Dimension, slice: Slice, users: usize, mean: f64) -> SliceMean {
        let interval = Some(Interval { low: mean - 0.01, high: mean + 0.02, level: 0.95 });
        SliceMean { dimension, slice, users, mean, interval, too_few: users < FEW }
    }

    fn line(name: &str, level: f64) -> SlicedLine {
        let slices = vec![
            mean(Dimension::User, Slice::New, 120, level),
            mean(Dimension::User, Slice::Dormant, 7, level / 2.0),
            mean(Dimension::Target, Slice::Warm, 127, level),
        ];
        SlicedLine {
            experiment: name.to_owned(),
            metric: "hit@10_corrected".to_owned(),
            slices,
            dispersion: Vec::new(),
        }
    }

    fn dots(chart: &Chart) -> &Lines {
        let Body::Dots(dots) = &chart.body else { panic!("no dots") };
        dots
    }

    #[test]
    fn slices_are_names_and_lines_stand_side_by_side_above_them() {
        let (a, b) = (line("A", 0.2), line("B", 0.3));
        let lines = [(&a, 0), (&b, 1)].map(|(item, slot)| Styled { item, style: SeriesStyle::method(slot) });
        let chart = by_slice(&lines, "hit@10_corrected", None, true);
        let found = dots(&chart);
        assert_eq!(found.x.names, ["new\nn = 120", "dormant\nn = 7 *", "warm\nn = 127"]);
        assert!(chart.caption.as_deref().unwrap().contains("fewer than 20"));
        let ats: Vec<f64> = found.series.iter().map(|series| series.points[1].x).collect();
        assert!(ats[0] < 1.0 && ats[1] > 1.0 && ats.iter().all(|at| (at - 1.0).abs() < 0.5), "{ats:?}");
        assert_eq!(found.series[1].points[1].y, 0.15);
        let begins: Vec<(f64, &str)> = found.boundaries.iter().map(|b| (b.x, b.label.as_str())).collect();
        assert_eq!(begins, [(-0.5, "Users"), (1.5, "Targets")]);

        let csv = table::csv(&chart);
        assert!(csv.contains("B,\"dormant, n = 7 *\",0.15,0.1") && csv.contains(",Synthetic data\n"), "{csv}");
        let latex = table::latex(&chart);
        assert!(latex.contains("new, n = 120 & dormant, n = 7 * & warm, n = 127"), "{latex}");
    }

    #[test]
    fn one_dimension_alone_has_no_boundaries() {
        let a = line("A", 0.2);
        let chart = by_slice(
            &[Styled { item: &a, style: SeriesStyle::method(0) }],
            "hit@10_corrected",
            Some(Dimension::Target),
            false,
        );
        assert_eq!((dots(&chart).x.names.len(), dots(&chart).boundaries.len()), (1, 0));
        assert_eq!(chart.title, "Hit@10 by slice of targets");
        let none = by_slice(
            &[Styled { item: &a, style: SeriesStyle::method(0) }],
            "hit@10_corrected",
            Some(Dimension::History),
            false,
        );
        assert!(matches!(none.body, Body::Empty(_)));
    }
}
