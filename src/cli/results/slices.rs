//! `peso results --slices`: means on kinds of users and targets.

use crate::cli::table::Table;
use crate::figures::words::{TWO_COUNTS, metric_label};
use crate::measure::UserMetric;
use crate::measure::slice_means::FEW;
use crate::project::Evaluation;
use crate::results::slices::SlicedLine;

/// Hit and NDCG at the usual cut-off of the project, then their released counts; of lists of known items too where it makes them.
pub(super) fn metrics(evaluation: &Evaluation) -> Vec<UserMetric> {
    let lists: &[bool] = if evaluation.known_items { &[false, true] } else { &[false] };
    let corrected = [UserMetric::hit, UserMetric::ndcg].map(|metric| metric(evaluation.usual_cut_off()));
    let counts = corrected.into_iter().chain(corrected.map(UserMetric::released));
    counts.flat_map(|metric| lists.iter().map(move |&known| UserMetric { known, ..metric })).collect()
}

/// The lines without those of a released count that says the same as the tie-corrected metric.
fn shown(lines: &[SlicedLine]) -> Vec<SlicedLine> {
    let means = |line: &SlicedLine| line.slices.iter().map(|slice| slice.mean).collect::<Vec<f64>>();
    let differs = |line: &SlicedLine| {
        let corrected = format!("{}_corrected", line.metric);
        let twin = lines.iter().find(|twin| twin.metric == corrected && twin.experiment == line.experiment);
        twin.is_some_and(|twin| means(twin).iter().zip(means(line)).any(|(a, b)| (a - b).abs() > 1e-12))
    };
    let equal = |metric: &str| is_released(metric) && !lines.iter().filter(|line| line.metric == metric).any(differs);
    lines.iter().filter(|line| !equal(&line.metric)).cloned().collect()
}

fn is_released(metric: &str) -> bool {
    metric.parse().is_ok_and(UserMetric::is_released)
}

/// A row a metric, slice and experiment, so that the experiments of a slice stand together.
fn rows(lines: &[SlicedLine]) -> Vec<(usize, usize)> {
    let mut rows: Vec<(usize, usize)> =
        lines.iter().enumerate().flat_map(|(at, line)| (0..line.slices.len()).map(move |slice| (at, slice))).collect();
    // Stable, so experiments keep their order; metrics are those of the lines, one after another.
    let metric = |at: usize| lines.iter().position(|line| line.metric == lines[at].metric);
    rows.sort_by_key(|&(at, slice)| (metric(at), lines[at].slices[slice].slice));
    rows
}

pub(super) fn as_text(lines: &[SlicedLine]) -> String {
    if lines.is_empty() {
        return "\nNo run of the project as it is now is finished, so there are no slices\n".to_owned();
    }
    let lines = &shown(lines);
    let few = lines.iter().flat_map(|line| &line.slices).any(|slice| slice.too_few);
    let note = if few { format!("; *: fewer than {FEW} users, too few to say much") } else { String::new() };
    let two =
        if lines.iter().any(|line| is_released(&line.metric)) { format!("{TWO_COUNTS}\n") } else { String::new() };
    format!(
        "\nBy slice: mean over the tests of the stages from 2 on with its 95 % interval{note}\n{}{two}\n\
         How far slices lie apart: largest less smallest mean, and standard deviation, of slices with at least {FEW} users\n{}",
        table(lines).to_text(),
        dispersion(lines).to_text()
    )
}

/// The tables of the text.
pub(super) fn tables(lines: &[SlicedLine]) -> [Table; 2] {
    let lines = &shown(lines);
    [table(lines), dispersion(lines)]
}

pub(super) fn as_latex(project: &str, lines: &[SlicedLine]) -> String {
    let lines = &shown(lines);
    let comment = format!("{project}: by slice, mean over the tests of the stages from 2 on with its 95 % interval");
    let apart = format!("{project}: dispersion across slices");
    format!("{}\n{}", table(lines).to_latex(&comment), dispersion(lines).to_latex(&apart))
}

/// With all digits, for other programs.
pub(super) fn as_csv(lines: &[SlicedLine]) -> String {
    let heading = [
        "metric",
        "dimension",
        "slice",
        "experiment",
        "users",
        "mean",
        "interval_95_low",
        "interval_95_high",
        "too_few",
    ];
    let mut table = Table::new(4, heading);
    for (at, slice) in rows(lines) {
        let (line, of) = (&lines[at], &lines[at].slices[slice]);
        let words = [line.metric.clone(), of.dimension.key().to_owned(), of.slice.to_string(), line.experiment.clone()];
        let end = |end: Option<f64>| end.map(|end| end.to_string()).unwrap_or_default();
        let (low, high) = (end(of.interval.map(|i| i.low)), end(of.interval.map(|i| i.high)));
        let numbers = [of.users.to_string(), of.mean.to_string(), low, high, of.too_few.to_string()];
        table.row(words.into_iter().chain(numbers));
    }
    table.to_csv()
}

fn table(lines: &[SlicedLine]) -> Table {
    let mut table = Table::new(3, ["Metric", "Slice", "Experiment", "Users", "Mean", "Interval"]);
    for (at, slice) in rows(lines) {
        let (line, of) = (&lines[at], &lines[at].slices[slice]);
        table.row([
            metric_label(&line.metric),
            of.slice.to_string(),
            line.experiment.clone(),
            format!("{}{}", of.users, if of.too_few { "*" } else { "" }),
            format!("{:.4}", of.mean),
            of.interval.map_or("–".to_owned(), |interval| format!("{:.4} … {:.4}", interval.low, interval.high)),
        ]);
    }
    table
}

fn dispersion(lines: &[SlicedLine]) -> Table {
    let mut table = Table::new(3, ["Metric", "Slices", "Experiment", "Range", "Deviation"]);
    for line in lines {
        for apart in &line.dispersion {
            table.row([
                metric_label(&line.metric),
                format!("{} ({})", apart.dimension.key(), apart.slices),
                line.experiment.clone(),
                format!("{:.4}", apart.range),
                format!("{:.4}", apart.standard_deviation),
            ]);
        }
    }
    table
}
