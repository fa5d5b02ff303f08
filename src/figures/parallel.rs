//! Parallel coordinates: lines of a comparison across the settings in which they differ and what they measured.

use super::comparison::metric_label;
use crate::plot::parallel::{Across, Parallel, Upright};
use crate::plot::{Body, Chart, SeriesStyle};
use crate::results::comparison::Line;
use crate::results::config_diff::{Difference, Shown};

/// `lines` across the settings in which they differ, then `metrics`. `differences` has their values in the same order.
///
/// A setting that differs only in that some methods do not have it is left out: the axis of the methods says it.
pub fn across(
    lines: &[(&Line, SeriesStyle)],
    differences: &[Difference],
    metrics: &[String],
    synthetic: bool,
) -> Chart {
    let title = "Settings and what came of them";
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
        axes.push(Upright { label: metric_label(metric), names: Vec::new() });
        columns.push(lines.iter().map(|(line, _)| line.metrics.get(metric).map(|value| value.mean)).collect());
    }
    let across = |(place, (line, look)): (usize, &(&Line, SeriesStyle))| Across {
        name: line.name.clone(),
        values: columns.iter().map(|column| column.get(place).copied().flatten()).collect(),
        look: *look,
    };
    let lines = lines.iter().enumerate().map(across).collect();
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
fn of_setting(difference: &Difference) -> (Upright, Vec<Option<f64>>) {
    let number = |value: &Option<Shown>| value.as_ref().and_then(|value| value.number);
    let label = difference.name.clone();
    if difference.values.iter().all(|value| number(value).is_some()) {
        return (Upright { label, names: Vec::new() }, difference.values.iter().map(number).collect());
    }
    let text = |value: &Option<Shown>| value.as_ref().map_or("–", |value| value.text.as_str()).to_owned();
    let mut names: Vec<(Option<f64>, String)> =
        difference.values.iter().map(|value| (number(value), text(value))).collect();
    names.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal).then(a.1.cmp(&b.1)));
    names.dedup();
    let place =
        |value: &Option<Shown>| names.iter().position(|(_, name)| *name == text(value)).map(|place| place as f64);
    let values = difference.values.iter().map(place).collect();
    (Upright { label, names: names.into_iter().map(|(_, name)| name).collect() }, values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::results::comparison::Estimate;

    fn line(name: &str, value: f64) -> Line {
        Line {
            name: name.to_owned(),
            method: "peso".to_owned(),
            counted: false,
            runs: Vec::new(),
            metrics: BTreeMap::from([("hit@10".to_owned(), Estimate::of(&[value]).unwrap())]),
            train_seconds: 0.0,
            peak_memory_bytes: 0,
            trainable_parameters: 0,
            validation_loss: None,
        }
    }

    fn shown(text: &str, number: Option<f64>) -> Option<Shown> {
        Some(Shown { text: text.to_owned(), number })
    }

    #[test]
    fn settings_that_some_do_not_have_are_names() {
        let lines = [line("a", 0.1), line("b", 0.3), line("c", 0.2)];
        let lines: Vec<(&Line, SeriesStyle)> = lines.iter().map(|line| (line, SeriesStyle::method(0))).collect();
        let difference = |name: &str, values: [Option<Shown>; 3]| Difference {
            part: "Method",
            name: name.to_owned(),
            values: values.to_vec(),
        };
        let differences = [
            difference("Weight", [shown("2", Some(2.0)), shown("0.5", Some(0.5)), shown("1", Some(1.0))]),
            difference("Decay", [shown("0.9", Some(0.9)), None, shown("0.5", Some(0.5))]),
            difference("Anchor", [shown("Latest", None), None, shown("Latest", None)]),
        ];
        let chart = across(&lines, &differences, &["hit@10".to_owned()], true);
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
