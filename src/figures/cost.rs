//! What quality costs: lines of a comparison as points, a cost across and a metric upwards.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use super::words::{better, metric_label};
use crate::plot::{Axis, Band, Better, Body, Chart, Lines, Point, Series};
use crate::results::comparison::ComparisonLine;

pub static SPEC: FigureSpec = FigureSpec {
    name: "cost",
    aliases: &[],
    label: "Cost",
    title: "Metric against cost",
    summary: "The metric against training time, trainable parameters and peak memory",
    tooltip: "What each method costs, against how good it is",
    options: &[FigureOption::Metric],
    alone: false,
    make: Make::Project(|context, options| {
        let lines = context.lines();
        let (results, basis) = context.compared();
        let chart = |cost: Cost| {
            let chart = against_quality(&lines, &options.metric, cost, context.is_synthetic());
            chart.over(basis).under(results.protocol)
        };
        Ok(Cost::ALL.map(|cost| NamedChart::new(cost.chart_name(), chart(cost))).to_vec())
    }),
};

/// What is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cost {
    /// Time to train a stage.
    #[default]
    TrainTime,
    /// Parameters that training changes.
    Parameters,
    /// The most memory that a stage takes.
    Memory,
}

impl Cost {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TrainTime, Self::Parameters, Self::Memory];

    /// Its name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TrainTime => "Training time of a stage",
            Self::Parameters => "Trainable parameters",
            Self::Memory => "Peak memory",
        }
    }

    /// The name of its chart among those of the figure.
    pub fn chart_name(self) -> String {
        format!("cost-{}", self.key())
    }

    const fn key(self) -> &'static str {
        match self {
            Self::TrainTime => "time",
            Self::Parameters => "parameters",
            Self::Memory => "memory",
        }
    }

    fn unit(self) -> Option<&'static str> {
        match self {
            Self::TrainTime => Some("s"),
            Self::Parameters => None,
            Self::Memory => Some("MiB"),
        }
    }

    /// The cost of a line, in the chart's unit.
    pub fn of(self, line: &ComparisonLine) -> f64 {
        match self {
            Self::TrainTime => line.train_seconds,
            Self::Parameters => line.trainable_parameters as f64,
            Self::Memory => line.peak_memory_bytes as f64 / f64::from(1 << 20),
        }
    }
}

/// `metric` against `cost`, a point a line, in the style that it has in other charts.
pub fn against_quality(lines: &[Styled<'_, ComparisonLine>], metric: &str, cost: Cost, synthetic: bool) -> Chart {
    let title = format!("{} against {}", metric_label(metric), cost.label().to_lowercase());
    let series: Vec<Series> = lines
        .iter()
        .filter_map(|&Styled { item: line, style }| {
            let value = line.metrics.get(metric)?;
            let spread = value.interval.map(|interval| [interval.low, interval.high]);
            let point = Point { x: cost.of(line), y: value.mean, spread };
            Some(Series { name: line.name.clone(), points: vec![point], style })
        })
        .collect();
    if series.is_empty() {
        let missing =
            format!("No finished run has a measured {}: run an experiment to see what it costs", metric_label(metric));
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let seeds = series.iter().any(|series| series.points.iter().any(|point| point.spread.is_some()));
    let bars =
        if seeds { ". Bars are 95 % intervals over seeds" } else { ". One seed each: differences may be chance" };
    let caption = format!(
        "Means over the stages from 2 on{bars}. The broken line joins those that no other beats in both quality and cost"
    );
    let x = Axis { better: Some(Better::Lower), unit: cost.unit().map(str::to_owned), ..Axis::new(cost.label()) };
    let y = Axis { better: Some(better(metric)), ..Axis::new(metric_label(metric)) };
    let body = Body::Scatter(Lines { x, y, series, boundaries: Vec::new() });
    Chart { caption: Some(caption), band: Some(Band::Interval95), ..Chart::new(title, body) }.synthetic(synthetic)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plot::SeriesStyle;
    use crate::results::comparison::Estimate;

    fn line(name: &str, train_seconds: f64, values: &[f64]) -> ComparisonLine {
        ComparisonLine {
            name: name.to_owned(),
            method: name.to_owned(),
            counted: false,
            runs: Vec::new(),
            metrics: BTreeMap::from([("hit@10".to_owned(), Estimate::of(values).unwrap())]),
            continual: BTreeMap::new(),
            train_seconds,
            peak_memory_bytes: 3 << 20,
            trainable_parameters: 12,
            validation_loss: None,
        }
    }

    #[test]
    fn lines_become_points_with_their_costs() {
        let (dear, cheap) = (line("dear", 9.0, &[0.3, 0.4]), line("cheap", 1.0, &[0.2]));
        let lines = [(&dear, 0), (&cheap, 1)].map(|(item, slot)| Styled { item, style: SeriesStyle::method(slot) });
        let chart = against_quality(&lines, "hit@10", Cost::TrainTime, true);
        let Body::Scatter(scatter) = &chart.body else { panic!("no scatter") };
        assert_eq!(scatter.series.iter().map(|series| series.points[0].x).collect::<Vec<_>>(), [9.0, 1.0]);
        assert!(scatter.series[0].points[0].spread.is_some() && scatter.series[1].points[0].spread.is_none());
        assert_eq!((Cost::Memory.of(&dear), Cost::Parameters.of(&dear)), (3.0, 12.0));
        assert!(matches!(against_quality(&lines, "ndcg@1", Cost::Memory, true).body, Body::Empty(_)));
    }
}
