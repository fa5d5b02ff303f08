//! Parallel coordinates: lines of a comparison across the settings in which they differ and what they measured.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use super::words::metric_label;
use crate::plot::parallel::{Parallel, ParallelAxis, Polyline};
use crate::plot::{Body, Chart};
use crate::results::comparison::ComparisonLine;
use crate::results::config_diff::{Difference, SettingValue, differences};
use crate::run::RunConfig;

pub static SPEC: FigureSpec = FigureSpec {
    name: "parallel",
    aliases: &[],
    label: "Parallel",
    title: "Settings and what came of them",
    summary: "The settings that differ and what came of them, on axes side by side",
    tooltip: "Settings that differ and what came of them, on axes side by side; drag along an axis to list a part of it",
    options: &[FigureOption::Metric],
    alone: false,
    make: Make::Project(|context, options| {
        let learned = context.lines().into_iter().filter(|line| !line.item.counted);
        let learned =
            learned.filter_map(|line| context.configuration(line.item).map(|configuration| (line, configuration)));
        let (lines, configurations): (Vec<_>, Vec<&RunConfig>) = learned.unzip();
        let metrics: Vec<String> = [&options.metric].into_iter().chain(&options.more_metrics).cloned().collect();
        let chart = across(&lines, &differences(&configurations), &metrics, context.is_synthetic());
        let (results, basis) = context.compared();
        Ok(vec![NamedChart::new("parallel", chart.over(basis).under(results.protocol))])
    }),
};

/// `lines` across the settings in which they differ, then `metrics`. `differences` has their values in the same order.
///
/// A setting that differs only in that some methods do not have it is left out: the axis of the methods says it.
pub fn across(
    lines: &[Styled<'_, ComparisonLine>],
    differences: &[Difference],
    metrics: &[String],
    synthetic: bool,
) -> Chart {
    let title = SPEC.title;
    if lines.len() < 2 {
        let missing = "Two lines with finished runs are needed: run another method or another configuration";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let mut axes = Vec::new();
    let mut columns: Vec<Vec<Option<f64>>> = Vec::new();
    for difference in differences.iter().filter(|difference| says_something(difference)) {
        let (mut axis, column) = of_setting(difference);
        if differences.iter().filter(|other| other.name == difference.name).count() > 1 {
            axis.label = format!("{} ({})", difference.name, difference.part.to_lowercase());
        }
        axes.push(axis);
        columns.push(column);
    }
    for metric in metrics {
        axes.push(ParallelAxis { label: metric_label(metric), names: Vec::new() });
        columns.push(lines.iter().map(|line| line.item.metrics.get(metric).map(|value| value.mean)).collect());
    }
    let polyline = |(index, line): (usize, &Styled<'_, ComparisonLine>)| Polyline {
        name: line.item.name.clone(),
        values: columns.iter().map(|column| column.get(index).copied().flatten()).collect(),
        style: line.style,
    };
    let lines = lines.iter().enumerate().map(polyline).collect();
    let caption = "An axis for each setting that differs, then what was measured, over the stages from 2 on".to_owned();
    Chart { caption: Some(caption), ..Chart::new(title, Body::Parallel(Parallel { axes, lines })) }.synthetic(synthetic)
}

/// Whether those that have the setting have it differently.
fn says_something(difference: &Difference) -> bool {
    let mut values = difference.values.iter().flatten();
    let first = values.next();
    values.any(|value| Some(value) != first)
}

/// An axis of numbers where all have one, else of names, those that are numbers by their size.
fn of_setting(difference: &Difference) -> (ParallelAxis, Vec<Option<f64>>) {
    let number = |value: &Option<SettingValue>| value.as_ref().and_then(|value| value.number);
    let label = difference.name.clone();
    if difference.values.iter().all(|value| number(value).is_some()) {
        return (ParallelAxis { label, names: Vec::new() }, difference.values.iter().map(number).collect());
    }
    let text = |value: &Option<SettingValue>| value.as_ref().map_or("–", |value| value.text.as_str()).to_owned();
    let mut names: Vec<(Option<f64>, String)> =
        difference.values.iter().map(|value| (number(value), text(value))).collect();
    names.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal).then(a.1.cmp(&b.1)));
    names.dedup();
    let index = |value: &Option<SettingValue>| {
        names.iter().position(|(_, name)| *name == text(value)).map(|index| index as f64)
    };
    let values = difference.values.iter().map(index).collect();
    (ParallelAxis { label, names: names.into_iter().map(|(_, name)| name).collect() }, values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plot::SeriesStyle;
    use crate::results::comparison::Estimate;

    fn line(name: &str, value: f64) -> ComparisonLine {
        ComparisonLine {
            name: name.to_owned(),
            method: "peso".to_owned(),
            counted: false,
            runs: Vec::new(),
            metrics: BTreeMap::from([("hit@10_corrected".to_owned(), Estimate::of(&[value]).unwrap())]),
            continual: BTreeMap::new(),
            train_seconds: 0.0,
            peak_memory_bytes: 0,
            trainable_parameters: 0,
            validation_loss: None,
        }
    }

    fn shown(text: &str, number: Option<f64>) -> Option<SettingValue> {
        Some(SettingValue { text: text.to_owned(), number })
    }

    #[test]
    fn settings_that_some_do_not_have_are_names() {
        let lines = [line("a", 0.1), line("b", 0.3), line("c", 0.2)];
        let lines = lines.each_ref().map(|item| Styled { item, style: SeriesStyle::method(0) });
        let difference = |name: &str, values: [Option<SettingValue>; 3]| Difference {
            part: "Method",
            name: name.to_owned(),
            values: values.to_vec(),
        };
        let differences = [
            difference("Weight", [shown("2", Some(2.0)), shown("0.5", Some(0.5)), shown("1", Some(1.0))]),
            difference("Decay", [shown("0.9", Some(0.9)), None, shown("0.5", Some(0.5))]),
            difference("Anchor", [shown("Latest", None), None, shown("Latest", None)]),
        ];
        let chart = across(&lines, &differences, &["hit@10_corrected".to_owned()], true);
        let Body::Parallel(parallel) = &chart.body else { panic!("no parallel axes") };
        let labels: Vec<&str> = parallel.axes.iter().map(|axis| axis.label.as_str()).collect();
        assert_eq!(labels, ["Weight", "Decay", "Hit@10"], "the methods say which have an anchor");
        assert_eq!(parallel.axes[1].names, ["–", "0.5", "0.9"]);
        assert_eq!(parallel.lines[0].values, [Some(2.0), Some(2.0), Some(0.1)]);
        assert_eq!(parallel.lines[1].values, [Some(0.5), Some(0.0), Some(0.3)]);
        assert_eq!(parallel.axes[0].range(0, &parallel.lines), [0.5, 2.0]);
        assert!(matches!(across(&lines[..1], &[], &[], true).body, Body::Empty(_)));
    }
}
