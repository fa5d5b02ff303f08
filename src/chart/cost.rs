//! What quality costs: lines of a comparison as points, a cost across and a metric upwards.

use super::comparison::{better, metric_label};
use super::{Axis, Better, Body, Chart, Lines, Look, Point, Series};
use crate::experiment::comparison::Line;

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

    fn unit(self) -> Option<&'static str> {
        match self {
            Self::TrainTime => Some("s"),
            Self::Parameters => None,
            Self::Memory => Some("MiB"),
        }
    }

    /// The cost of a line, in the chart's unit.
    pub fn of(self, line: &Line) -> f64 {
        match self {
            Self::TrainTime => line.train_seconds,
            Self::Parameters => line.trainable_parameters as f64,
            Self::Memory => line.peak_memory_bytes as f64 / f64::from(1 << 20),
        }
    }
}

/// `metric` against `cost`, a point a line, in the look that it has in other charts.
pub fn against_quality(lines: &[(&Line, Look)], metric: &str, cost: Cost, synthetic: bool) -> Chart {
    let title = format!("{} against {}", metric_label(metric), cost.label().to_lowercase());
    let series: Vec<Series> = lines
        .iter()
        .filter_map(|(line, look)| {
            let value = line.metrics.get(metric)?;
            let spread = value.interval.map(|interval| [interval.low, interval.high]);
            let point = Point { x: cost.of(line), y: value.mean, spread };
            Some(Series { name: line.name.clone(), points: vec![point], look: *look })
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
    Chart { caption: Some(caption), ..Chart::new(title, body) }.synthetic(synthetic)
}

/// The points that no other point beats in x and y at once, by rising x. Empty where an axis has no better end.
pub fn front(scatter: &Lines) -> Vec<[f64; 2]> {
    let (Some(x), Some(y)) = (scatter.x.better, scatter.y.better) else { return Vec::new() };
    let sign = |better| if better == Better::Lower { 1.0 } else { -1.0 };
    let points = scatter.series.iter().flat_map(|series| &series.points).map(|point| [point.x, point.y]);
    let mut points: Vec<[f64; 2]> = points.filter(|point| point.iter().all(|value| value.is_finite())).collect();
    points.sort_by(|a, b| {
        (sign(x) * a[0]).total_cmp(&(sign(x) * b[0])).then((sign(y) * a[1]).total_cmp(&(sign(y) * b[1])))
    });
    let mut best = f64::INFINITY;
    points.retain(|point| {
        let beats = sign(y) * point[1] < best;
        best = best.min(sign(y) * point[1]);
        beats
    });
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    points
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::experiment::comparison::Estimate;

    fn line(name: &str, train_seconds: f64, values: &[f64]) -> Line {
        Line {
            name: name.to_owned(),
            method: name.to_owned(),
            counted: false,
            runs: Vec::new(),
            metrics: BTreeMap::from([("hit@10".to_owned(), Estimate::of(values).unwrap())]),
            train_seconds,
            peak_memory_bytes: 3 << 20,
            trainable_parameters: 12,
            validation_loss: None,
        }
    }

    #[test]
    fn lines_become_points_with_their_costs() {
        let (dear, cheap) = (line("dear", 9.0, &[0.3, 0.4]), line("cheap", 1.0, &[0.2]));
        let lines = [(&dear, Look::method(0)), (&cheap, Look::method(1))];
        let chart = against_quality(&lines, "hit@10", Cost::TrainTime, true);
        let Body::Scatter(scatter) = &chart.body else { panic!("no scatter") };
        assert_eq!(scatter.series.iter().map(|series| series.points[0].x).collect::<Vec<_>>(), [9.0, 1.0]);
        assert!(scatter.series[0].points[0].spread.is_some() && scatter.series[1].points[0].spread.is_none());
        assert_eq!((Cost::Memory.of(&dear), Cost::Parameters.of(&dear)), (3.0, 12.0));
        assert!(matches!(against_quality(&lines, "ndcg@1", Cost::Memory, true).body, Body::Empty(_)));
    }

    #[test]
    fn the_front_has_what_nothing_beats_in_both() {
        let points = [[1.0, 0.1], [2.0, 0.3], [3.0, 0.2], [4.0, 0.4], [2.0, 0.25]];
        let series =
            points.map(|[x, y]| Series { name: String::new(), points: vec![Point::new(x, y)], look: Look::method(0) });
        let axis = |better| Axis { better: Some(better), ..Axis::new("") };
        let mut scatter =
            Lines { x: axis(Better::Lower), y: axis(Better::Higher), series: series.to_vec(), boundaries: Vec::new() };
        assert_eq!(front(&scatter), [[1.0, 0.1], [2.0, 0.3], [4.0, 0.4]]);
        scatter.y.better = Some(Better::Lower);
        assert_eq!(front(&scatter), [[1.0, 0.1]]);
        scatter.x.better = None;
        assert!(front(&scatter).is_empty());
    }
}
