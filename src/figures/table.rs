//! Methods against each other as a table: their means, their gains over a baseline, and what may be said of these.

use super::gains::baseline_of;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use super::words::metric_label;
use crate::measure::statistics::{Evidence, p_value_text};
use crate::plot::listing::{Cell, Column};
use crate::plot::{Body, Chart, Listing};
use crate::results::comparison::{ComparisonLine, Judged};

pub static SPEC: FigureSpec = FigureSpec {
    name: "table",
    aliases: &["comparison-table"],
    label: "Table",
    title: "Comparison",
    summary: "Every method with its gain over a baseline and whether it may be called one, as a table",
    tooltip: "Every method with its gain over a baseline, and whether the gain may be called one",
    options: &[FigureOption::Metric, FigureOption::Baseline],
    alone: false,
    make: Make::Project(|context, options| {
        let lines = context.lines();
        let Some(baseline) = baseline_of(&lines, options.baseline.as_deref())? else { return Ok(Vec::new()) };
        let judged = context.judged(&options.metric, baseline)?;
        let metrics: Vec<&str> =
            [&options.metric].into_iter().chain(&options.more_metrics).map(String::as_str).collect();
        let chart = compared(&lines, &judged, baseline, &metrics).synthetic(context.is_synthetic());
        let (results, basis) = context.compared();
        let chart = chart.over(basis).under(results.protocol).of("baseline", lines[baseline].item.name.clone());
        Ok(vec![NamedChart::new("table", chart)])
    }),
};

/// The lines, with what is `judged` of each against the one at `baseline` in the first of the metrics.
pub fn compared(lines: &[Styled<'_, ComparisonLine>], judged: &[Judged], baseline: usize, metrics: &[&str]) -> Chart {
    let first = metrics.first().copied().unwrap_or_default();
    let measured = metrics.iter().map(|metric| Column::numbers(metric_label(metric)));
    let gains = ["Gain", "Gain, %", "p, Holm"].map(Column::numbers);
    let columns = [Column::words("Method"), Column::numbers("Seeds")].into_iter().chain(measured).chain(gains);
    let mut listing = Listing::new(columns.chain([Column::words("Verdict")]).collect());
    for (Styled { item: line, .. }, judged) in lines.iter().zip(judged) {
        let seeds = if line.counted { absent() } else { Cell::from(line.runs.len().to_string()) };
        let measured = metrics.iter().map(|metric| {
            line.metrics.get(*metric).map_or_else(absent, |found| {
                let half = found.half().map(|half| format!(" (± {half:.4})")).unwrap_or_default();
                Cell::number(found.mean, format!("{:.4}{half}", found.mean))
            })
        });
        let row = [Cell::from(line.name.as_str()), seeds].into_iter().chain(measured).chain(gain(judged));
        listing.rows.push(row.collect());
    }
    let subtitle = Some(format!("Gains in {} over {}", metric_label(first), lines[baseline].item.name));
    let caption = Some("Means over the stages from 2 on and over seeds, gains with their 95 % intervals".to_owned());
    Chart { subtitle, caption, ..Chart::new(SPEC.title, Body::Listing(listing)) }
}

/// Where there is no number: files of numbers have nothing there.
fn absent() -> Cell {
    Cell::number(f64::NAN, "–")
}

/// Gain, relative gain, p and verdict.
fn gain(judged: &Judged) -> [Cell; 4] {
    let nothing = |words: &str| [absent(), absent(), absent(), Cell::from(words)];
    let verdict = match judged {
        Judged::Baseline => return nothing("baseline"),
        Judged::Incomparable(_) => return nothing("not comparable"),
        Judged::Verdict(verdict) => verdict,
    };
    let (comparison, interval) = (verdict.comparison, verdict.interval());
    let gain = format!("{:+.4} ({:+.4} … {:+.4})", comparison.gain, interval.low, interval.high);
    let relative = comparison
        .relative
        .map_or_else(absent, |relative| Cell::number(100.0 * relative, format!("{:+.1} %", 100.0 * relative)));
    let p = verdict.p_corrected.map_or_else(absent, |p| Cell::number(p, p_value_text(p)));
    let mark = match verdict.evidence {
        Evidence::Significant if comparison.gain > 0.0 => "▲ ",
        Evidence::Significant => "▼ ",
        _ => "",
    };
    [Cell::number(comparison.gain, gain), relative, p, Cell::from(format!("{mark}{}", verdict.evidence))]
}
