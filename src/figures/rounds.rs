//! Federated runs round by round: what the server predicts, what it cost in privacy, and what was sent.

use super::context::FigureRun;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::error::InputError;
use crate::plot::{Axis, Better, Body, Boundary, Chart, Lines, Point, Series, SeriesStyle};
use crate::run::RunFolder;
use crate::run::federation::Round;

pub static SPEC: FigureSpec = FigureSpec {
    name: "rounds",
    aliases: &["federated"],
    label: "Rounds",
    title: "Federated rounds",
    summary: "The server's loss, the privacy loss and the traffic by round, of every federated run",
    tooltip: "What the rounds of federated runs brought, and what they cost in privacy and traffic",
    options: &[],
    alone: false,
    make: Make::Project(|context, options| {
        let runs = context.runs(options)?;
        let read = |run: &&FigureRun| {
            Ok(RunRounds { name: run.name.clone(), style: run.style, stages: stages_of(&run.folder)? })
        };
        let runs: Vec<RunRounds> = runs.iter().map(read).collect::<Result<_, InputError>>()?;
        if runs.iter().all(|run| run.stages.is_empty()) {
            return Ok(Vec::new());
        }
        let chart = |kind: RoundsChart| NamedChart::new(kind.name(), rounds(&runs, kind, context.is_synthetic()));
        Ok(RoundsChart::ALL.map(chart).to_vec())
    }),
};

/// The rounds of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRounds {
    /// `PESO`, `PESO, seed 3`.
    pub name: String,
    pub style: SeriesStyle,
    /// Stages (from 1) with their rounds.
    pub stages: Vec<(usize, Vec<Round>)>,
}

/// The stages (from 1) of a run that clients trained, each with its rounds.
///
/// # Errors
/// They cannot be read.
pub fn stages_of(run: &RunFolder) -> Result<Vec<(usize, Vec<Round>)>, InputError> {
    let stages = (1..=run.config().stages).map(|stage| Ok(run.rounds(stage)?.map(|rounds| (stage, rounds))));
    Ok(stages.collect::<Result<Vec<_>, InputError>>()?.into_iter().flatten().collect())
}

/// One of the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoundsChart {
    #[default]
    Loss,
    Privacy,
    Traffic,
}

impl RoundsChart {
    pub const ALL: [Self; 3] = [Self::Loss, Self::Privacy, Self::Traffic];

    /// As a choice.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::Privacy => "Privacy loss",
            Self::Traffic => "Traffic",
        }
    }

    /// Among files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "rounds-loss",
            Self::Privacy => "rounds-privacy",
            Self::Traffic => "rounds-traffic",
        }
    }

    fn axis(self) -> Axis {
        let axis = |label, unit: Option<&str>| {
            let better = Some(Better::Lower);
            Axis { better, unit: unit.map(str::to_owned), ..Axis::new(label) }
        };
        match self {
            Self::Loss => axis("Validation loss after the round", Some("nats")),
            Self::Privacy => axis("Privacy loss ε", None),
            Self::Traffic => axis("Sent so far", Some("MB")),
        }
    }

    const fn caption(self) -> &'static str {
        match self {
            Self::Loss => "The server's state on validation users",
            Self::Privacy => {
                "Of all rounds so far, at each run's own δ, towards one client; stage 1, which is trained in one place, is not in it"
            }
            Self::Traffic => "Both ways, of all rounds so far",
        }
    }
}

/// A line a federated run, over the rounds of all its stages.
pub fn rounds(runs: &[RunRounds], kind: RoundsChart, synthetic: bool) -> Chart {
    let series: Vec<Series> = runs.iter().filter_map(|run| line(run, kind)).collect();
    if series.is_empty() {
        let missing = match kind {
            RoundsChart::Privacy => "No run clips what clients send and adds noise to it",
            _ => "No run has a stage that clients trained yet",
        };
        return Chart::empty(SPEC.title, missing).synthetic(synthetic);
    }
    // Where runs differ in their rounds there is no place that begins a stage.
    let starts = |run: &RunRounds| -> Vec<(usize, usize)> {
        let mut first = 1;
        let mut start = |(stage, rounds): &(usize, Vec<Round>)| {
            let start = (*stage, first);
            first += rounds.len();
            start
        };
        run.stages.iter().map(&mut start).collect()
    };
    let longest = runs.iter().map(starts).max_by_key(Vec::len).unwrap_or_default();
    let agree = runs.iter().all(|run| longest.starts_with(&starts(run)));
    let boundary = |(stage, first): (usize, usize)| Boundary { x: first as f64, label: format!("Stage {stage}") };
    let boundaries = if agree { longest.into_iter().map(boundary).collect() } else { Vec::new() };
    let lines = Lines { x: Axis::whole("Round"), y: kind.axis(), series, boundaries };
    let caption = Some(kind.caption().to_owned());
    Chart { caption, ..Chart::new(format!("{}: {}", SPEC.title, kind.label().to_lowercase()), Body::Lines(lines)) }
        .synthetic(synthetic)
}

fn line(run: &RunRounds, kind: RoundsChart) -> Option<Series> {
    let mut bytes = 0;
    let mut value = |round: &Round| {
        bytes += round.bytes_down + round.bytes_up;
        match kind {
            RoundsChart::Loss => Some(round.validation_loss),
            RoundsChart::Privacy => round.epsilon,
            RoundsChart::Traffic => Some(bytes as f64 / 1e6),
        }
    };
    let all = run.stages.iter().flat_map(|(_, rounds)| rounds);
    let points: Vec<Point> =
        (1_u32..).zip(all).filter_map(|(number, round)| Some(Point::new(f64::from(number), value(round)?))).collect();
    (!points.is_empty()).then(|| Series { name: run.name.clone(), points, style: run.style })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, epsilon: Option<f64>) -> RunRounds {
        let round = |number: usize| Round {
            round: number,
            validation_loss: 3.0 - number as f64,
            bytes_down: 2_000_000,
            bytes_up: 500_000,
            epsilon,
            ..Round::default()
        };
        let stages = vec![(2, vec![round(1), round(2)]), (3, vec![round(1)])];
        RunRounds { name: name.to_owned(), style: SeriesStyle::method(0), stages }
    }

    #[test]
    fn rounds_go_on_over_the_stages_and_traffic_adds_up() {
        let runs = [run("plain", None), run("private", Some(4.0))];
        let lines = |kind| match rounds(&runs, kind, false).body {
            Body::Lines(lines) => lines,
            other => panic!("no lines: {other:?}"),
        };
        let ys = |lines: &Lines| lines.series[0].points.iter().map(|point| (point.x, point.y)).collect::<Vec<_>>();
        assert_eq!(ys(&lines(RoundsChart::Traffic)), [(1.0, 2.5), (2.0, 5.0), (3.0, 7.5)]);
        assert_eq!(ys(&lines(RoundsChart::Loss)), [(1.0, 2.0), (2.0, 1.0), (3.0, 2.0)]);
        let privacy = lines(RoundsChart::Privacy);
        assert_eq!(privacy.series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>(), ["private"]);
        assert_eq!(privacy.boundaries.iter().map(|boundary| boundary.x).collect::<Vec<_>>(), [1.0, 3.0]);
        assert!(matches!(rounds(&runs[..1], RoundsChart::Privacy, false).body, Body::Empty(_)));
    }
}
