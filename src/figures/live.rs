//! Curves of runs while they train: loss, penalty and pull ratio by step.

use crate::plot::scale::plural;
use crate::plot::series_style::Dash;
use crate::plot::{Axis, Better, Body, Boundary, Chart, Lines, Point, Series, SeriesStyle};

/// The training curve of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCurves {
    /// The name in the legend.
    pub name: String,
    /// Place in the palette, from 0: the same run keeps its colour whatever else is shown.
    pub slot: usize,
    /// By rising step.
    pub points: Vec<CurvePoint>,
}

/// One optimiser step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Step counted through all stages, from 1.
    pub step: u64,
    /// Stage, from 1.
    pub stage: usize,
    /// Mean cross-entropy a response token, in nats.
    pub loss: f64,
    /// The method's weighted penalty, 0 where it has none.
    pub penalty: f64,
    /// Norm of the penalty's gradient over that of the cross-entropy's.
    pub pull_ratio: f64,
}

/// Cross-entropy by step, and where a run has a penalty a second, broken line with it added.
pub fn loss(curves: &[RunCurves]) -> Chart {
    let mut series = Vec::new();
    for run in curves {
        series.push(curve(run, run.name.clone(), |point| point.loss));
        if run.points.iter().any(|point| point.penalty != 0.0) {
            let mut total = curve(run, format!("{}, with penalty", run.name), |point| point.loss + point.penalty);
            total.look.dash = Dash::Short;
            series.push(total);
        }
    }
    let y = Axis { unit: Some("nats".to_owned()), better: Some(Better::Lower), ..Axis::new("Loss") };
    chart("Training loss", y, series, curves)
}

/// The weighted penalty by step, of the runs that have one.
pub fn penalty(curves: &[RunCurves]) -> Chart {
    let series = with_penalty(curves).map(|run| curve(run, run.name.clone(), |point| point.penalty)).collect();
    chart("Penalty", Axis { unit: Some("nats".to_owned()), ..Axis::new("Penalty") }, series, curves)
}

/// The pull ratio by step, of the runs that have a penalty.
pub fn pull_ratio(curves: &[RunCurves]) -> Chart {
    let series = with_penalty(curves).map(|run| curve(run, run.name.clone(), |point| point.pull_ratio)).collect();
    chart("Pull ratio", Axis::new("Pull ratio"), series, curves)
}

/// Runs that have a penalty anywhere.
fn with_penalty(curves: &[RunCurves]) -> impl Iterator<Item = &RunCurves> {
    curves.iter().filter(|run| run.points.iter().any(|point| point.penalty != 0.0 || point.pull_ratio != 0.0))
}

/// A line has about this many points at most: more than a screen shows apart.
const MOST_POINTS: usize = 400;

fn curve(run: &RunCurves, name: String, value: impl Fn(&CurvePoint) -> f64) -> Series {
    Series { name, points: thinned(&run.points, steps_a_point(run), value), look: SeriesStyle::curve(run.slot) }
}

fn steps_a_point(run: &RunCurves) -> usize {
    run.points.len().div_ceil(MOST_POINTS).max(1)
}

/// Puts `steps` neighbours of one stage together: their mean at the last of them, with a band from the least to the greatest, so that no
/// spike is lost. A value that is no finite number makes a gap.
fn thinned(points: &[CurvePoint], steps: usize, value: impl Fn(&CurvePoint) -> f64) -> Vec<Point> {
    points
        .chunk_by(|a, b| a.stage == b.stage)
        .flat_map(|stage| stage.chunks(steps))
        .map(|chunk| bucket(chunk, &value))
        .collect()
}

fn bucket(chunk: &[CurvePoint], value: impl Fn(&CurvePoint) -> f64) -> Point {
    let [mut sum, mut least, mut greatest] = [0.0, f64::INFINITY, f64::NEG_INFINITY];
    for value in chunk.iter().map(value) {
        sum += value;
        least = least.min(value);
        greatest = greatest.max(value);
    }
    let x = chunk.last().map_or(f64::NAN, |point| point.step as f64);
    let y = sum / chunk.len() as f64;
    Point { x, y, spread: (chunk.len() > 1 && y.is_finite()).then_some([least, greatest]) }
}

fn chart(title: &str, y: Axis, series: Vec<Series>, curves: &[RunCurves]) -> Chart {
    if curves.iter().all(|run| run.points.is_empty()) {
        return Chart::empty(title, "No steps yet: curves appear when a run trains");
    }
    if series.is_empty() {
        return Chart::empty(title, "None of these runs has a penalty: PESO has one from stage 2 on");
    }
    let most = curves.iter().map(steps_a_point).max().unwrap_or(1);
    let mut notes = Vec::new();
    if most > 1 {
        notes.push(format!("Mean of up to {}, bands from the least to the greatest", plural(most, "step")));
    }
    let boundaries = boundaries(curves);
    if boundaries.is_none() {
        notes.push("Stages begin at different steps in these runs and are not marked".to_owned());
    }
    let lines = Lines { x: Axis::whole("Step"), y, series, boundaries: boundaries.unwrap_or_default() };
    let caption = (!notes.is_empty()).then(|| notes.join(". "));
    Chart { caption, ..Chart::new(title, Body::Lines(lines)) }
}

/// Where the stages begin, if the runs agree as far as each has come.
fn boundaries(curves: &[RunCurves]) -> Option<Vec<Boundary>> {
    let starts = |run: &RunCurves| -> Vec<(u64, usize)> {
        run.points.chunk_by(|a, b| a.stage == b.stage).map(|stage| (stage[0].step, stage[0].stage)).collect()
    };
    let all: Vec<Vec<(u64, usize)>> = curves.iter().map(starts).collect();
    let longest = all.iter().max_by_key(|starts| starts.len())?;
    let agree = all.iter().all(|starts| longest.starts_with(starts));
    agree.then(|| {
        let boundary = |&(step, stage): &(u64, usize)| Boundary { x: step as f64, label: format!("Stage {stage}") };
        longest.iter().map(boundary).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, slot: usize, stage_steps: u64, stages: usize, penalty: f64) -> RunCurves {
        let point = |step: u64| {
            let stage = ((step - 1) / stage_steps) as usize + 1;
            let loss = if step == 1234 { 50.0 } else { 2.0 + (step as f64).sin() };
            CurvePoint { step, stage, loss, penalty, pull_ratio: penalty / 2.0 }
        };
        RunCurves { name: name.to_owned(), slot, points: (1..=stage_steps * stages as u64).map(point).collect() }
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
        assert!(points.len() <= MOST_POINTS + 5, "{}", points.len());
        let greatest = points.iter().filter_map(|point| point.spread).map(|[_, high]| high).fold(0.0, f64::max);
        assert_eq!(greatest, 50.0);
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
        assert_eq!(plain.look.ink, total.look.ink);
        assert_ne!(plain.look.dash, total.look.dash);
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
