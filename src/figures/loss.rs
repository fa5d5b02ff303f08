//! The training loss by step.

use super::curves::{RunCurves, chart, curve};
use super::spec::{FigureSpec, Make};
use crate::plot::series_style::Dash;
use crate::plot::{Axis, Better, Chart};

pub static SPEC: FigureSpec = FigureSpec {
    name: "loss",
    aliases: &[],
    label: "Loss",
    title: "Training loss",
    summary: "Training loss by step",
    tooltip: "Cross-entropy a response token by step, in nats",
    options: &[],
    alone: false,
    make: Make::Curves(loss),
};

/// Cross-entropy by step, and where a run has a penalty a second, broken line with it added.
pub fn loss(curves: &[RunCurves]) -> Chart {
    let mut series = Vec::new();
    for run in curves {
        series.push(curve(run, run.name.clone(), |point| point.loss));
        if run.points.iter().any(|point| point.penalty != 0.0) {
            let mut total = curve(run, format!("{}, with penalty", run.name), |point| point.loss + point.penalty);
            total.style.dash = Dash::Short;
            series.push(total);
        }
    }
    let y = Axis { unit: Some("nats".to_owned()), better: Some(Better::Lower), ..Axis::new("Loss") };
    chart(SPEC.title, y, series, curves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::curves::{CurvePoint, MAX_POINTS};
    use crate::figures::penalty::penalty;
    use crate::figures::pull_ratio::pull_ratio;
    use crate::plot::{Body, Lines, Point, SeriesStyle};

    fn run(name: &str, slot: usize, stage_steps: u64, stages: usize, penalty: f64) -> RunCurves {
        let point = |step: u64| {
            let stage = ((step - 1) / stage_steps) as usize + 1;
            let loss = if step == 1234 { 50.0 } else { 2.0 + (step as f64).sin() };
            CurvePoint { step, stage, loss, penalty, pull_ratio: penalty / 2.0 }
        };
        let style = SeriesStyle::curve(slot);
        RunCurves {
            run: name.to_owned(),
            name: name.to_owned(),
            style,
            points: (1..=stage_steps * stages as u64).map(point).collect(),
        }
    }

    fn lines(chart: &Chart) -> &Lines {
        match &chart.body {
            Body::Lines(lines) => lines,
            other => panic!("no lines: {other:?}"),
        }
    }

    #[test]
    fn thousands_of_steps_are_thinned_without_losing_a_spike() {
        let chart = loss(&[run("a", 0, 1000, 5, 0.0)]);
        let points = &lines(&chart).series[0].points;
        assert!(points.len() <= MAX_POINTS + 5, "{}", points.len());
        let max = points.iter().filter_map(|point| point.spread).map(|[_, high]| high).fold(0.0, f64::max);
        assert_eq!(max, 50.0);
        assert_eq!(points.last().map(|point| point.x), Some(5000.0));
        // No point mixes two stages.
        assert!(points.iter().any(|point| point.x == 1000.0) && points.iter().any(|point| point.x == 4000.0));
        assert!(chart.caption.is_some_and(|caption| caption.contains("13 steps")));
    }

    #[test]
    fn few_steps_are_drawn_as_they_are() {
        let chart = loss(&[run("a", 0, 50, 2, 0.0)]);
        assert_eq!(lines(&chart).series[0].points.len(), 100);
        assert!(lines(&chart).series[0].points.iter().all(|point| point.spread.is_none()));
        assert_eq!(chart.caption, None);
    }

    #[test]
    fn a_penalty_gets_a_broken_line_of_the_same_colour() {
        let runs = [run("PESO", 0, 20, 2, 0.5), run("Single", 1, 20, 2, 0.0)];
        let chart = loss(&runs);
        let names: Vec<&str> = lines(&chart).series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["PESO", "PESO, with penalty", "Single"]);
        let [plain, total] = [&lines(&chart).series[0], &lines(&chart).series[1]];
        assert_eq!(plain.style.ink, total.style.ink);
        assert_ne!(plain.style.dash, total.style.dash);
        assert!((total.points[3].y - plain.points[3].y - 0.5).abs() < 1e-12);
        assert_eq!(lines(&pull_ratio(&runs)).series.len(), 1);
        assert_eq!(lines(&penalty(&runs)).series[0].points[0].y, 0.5);
    }

    #[test]
    fn stages_are_marked_where_the_runs_agree() {
        let agree = loss(&[run("a", 0, 20, 3, 0.0), run("b", 1, 20, 2, 0.0)]);
        let starts: Vec<f64> = lines(&agree).boundaries.iter().map(|boundary| boundary.x).collect();
        assert_eq!(starts, [1.0, 21.0, 41.0]);
        let differ = loss(&[run("a", 0, 20, 3, 0.0), run("b", 1, 30, 2, 0.0)]);
        assert!(lines(&differ).boundaries.is_empty());
        assert!(differ.caption.is_some_and(|caption| caption.contains("different steps")));
    }

    #[test]
    fn a_loss_that_is_no_number_is_a_gap() {
        let mut broken = run("a", 0, 5, 1, 0.0);
        broken.points[2].loss = f64::NAN;
        let chart = loss(&[broken]);
        let lengths: Vec<usize> = lines(&chart).series[0].segments().map(<[Point]>::len).collect();
        assert_eq!(lengths, [2, 2]);
    }

    #[test]
    fn no_steps_and_no_penalty_say_so() {
        assert!(matches!(loss(&[]).body, Body::Empty(_)));
        let plain = [run("Single", 0, 5, 1, 0.0)];
        assert!(matches!(&pull_ratio(&plain).body, Body::Empty(missing) if missing.contains("penalty")));
    }
}
