//! `peso retention`: the theory of the proximal term, measured on a run.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::interruption::interruption;
use super::outcome::{Ended, print, print_json, say};
use super::progress::{Bars, name_of};
use super::table::{self, Table};
use crate::analysis::retention::{self, Point, RetentionOptions, RetentionReport};
use crate::analysis::{load, trained_stages};
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::run::RunFolder;

/// Measure what a run of PESO keeps of the past along the directions of a stage's data, beside what the theory predicts
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of a run
    run: PathBuf,
    /// This stage alone, instead of all from 2 on
    #[arg(long, value_name = "T")]
    stage: Option<usize>,
    /// Examples whose gradients are taken
    #[arg(long, value_name = "N", default_value_t = RetentionOptions::default().examples, value_parser = at_least_two)]
    examples: usize,
    /// Model at which gradients are taken
    #[arg(long, value_enum, default_value_t = At::Twin)]
    at: At,
    /// Where to compute: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Below the tables, what each of their columns means
    #[arg(long, conflicts_with = "json")]
    explain: bool,
}

/// See [`Point`].
#[derive(Debug, Clone, Copy, ValueEnum)]
enum At {
    /// After the same training without the pull
    Twin,
    /// Before the stage
    Previous,
}

fn at_least_two(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number >= 2).ok_or_else(|| "expected a number above 1".to_owned())
}

/// Columns of directions, and what else the text measures.
const DIRECTIONS: [&str; 5] = ["Direction", "rho", "Predicted", "Measured", "Weight"];
const MEASURES: [&str; 7] = ["lambda_eff", "Pull ratio", "Quadratic rise", "rho", "Predicted", "Measured", "Weight"];

/// Directions that the text shows: the first by `ρ`.
const SHOWN: usize = 12;

#[derive(Serialize)]
struct Output {
    stages: Vec<RetentionReport>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let run = RunFolder::open(&arguments.run)?;
    retention::measurable(&run)?;
    let stages = match arguments.stage {
        Some(stage) => vec![stage],
        None => trained_stages(&run)?.into_iter().filter(|stage| *stage > 1).collect(),
    };
    if stages.is_empty() {
        return Err(InputError::new(run.path(), "no stage after the first is trained yet").into());
    }
    let at = match arguments.at {
        At::Twin => Point::Twin,
        At::Previous => Point::Previous,
    };
    let options = RetentionOptions { examples: arguments.examples, at };
    let interrupted = interruption("\nsaving the state; once more to end at once")?;
    let mut bars = Bars::new(Arc::clone(&interrupted));
    let task = load(&run, arguments.device)?;
    bars.begin(name_of(run.config()), &format!("Measuring {} on {}", run.config().run, task.device_name));
    let measured = stages.into_iter().map(|stage| retention::measure(&task, &run, stage, options, &mut bars));
    let stages = measured.collect::<Result<Vec<_>, _>>();
    bars.finish();
    let output = match stages {
        Ok(stages) => Output { stages },
        Err(RunError::Stopped) => {
            say("stopped; what is done is kept, and the same command goes on");
            return Ok(Ended::Interrupted);
        }
        Err(failure) => return Err(failure.into()),
    };
    if arguments.json {
        print_json(&output)?;
    } else {
        let explained = if arguments.explain { table::explained(MEASURES) } else { String::new() };
        print(&(output.stages.iter().map(text).collect::<Vec<_>>().join("\n") + &explained))?;
    }
    Ok(Ended::Done)
}

fn text(report: &RetentionReport) -> String {
    let RetentionReport { stage, correlations, movement, quadratic, .. } = report;
    let synthetic = if report.synthetic { " · synthetic data" } else { "" };
    let mut text = format!(
        "{} · stage {stage}{synthetic}\nlambda {}, {:?}, {:?}; gradients of {} of {} examples\n",
        report.experiment, report.lambda, report.distance, report.aggregation, report.examples, report.of
    );
    let strengths = || report.groups.iter().map(|group| group.lambda_eff);
    text.push_str(&format!("lambda_eff {}", range(strengths())));
    let evenness = report.groups.iter().filter_map(|group| group.evenness);
    if let Some((min, max)) = evenness.reduce(|all, next| (all.0.min(next.0), all.1.max(next.1))) {
        text.push_str(&format!(", n p between {min:.3} and {max:.3}"));
    }
    if let Some(ratio) = report.pull_ratio {
        text.push_str(&format!(", mean pull ratio {:.2e}", ratio.mean));
    }
    text.push_str(&format!(
        "\nmovement {:.4} without the pull, {:.4} with it, {:.4} between both (epochs {} and {})\n",
        movement.twin, movement.run, movement.apart, report.twin.best_epoch, report.best_epoch
    ));
    text.push_str(&format!(
        "loss from the twin {:+.5} with the adapter that pulls and the twin's token rows, by the quadratic model {:+.5} (slope \
         {:+.5}, measured beside the twin {:+.5}, and curvature {:+.5})\n",
        quadratic.loss_previous - quadratic.loss_twin,
        quadratic.predicted_rise,
        quadratic.slope,
        quadratic.slope_measured,
        quadratic.curvature
    ));
    let rows = if quadratic.previous_token_rows { "its own" } else { "the base model's (its own are not kept)" };
    text.push_str(&format!(
        "loss from the twin {:+.5} to the model before the stage, with {rows} token rows\n",
        quadratic.loss_before_stage - quadratic.loss_twin
    ));
    text.push_str(&format!(
        "correlation over {} directions: Pearson {}, Spearman {}; weighted by movement: {}, {}\n\n",
        correlations.directions,
        optional(correlations.pearson),
        optional(correlations.spearman),
        optional(correlations.weighted_pearson),
        optional(correlations.weighted_spearman),
    ));
    let mut table = Table::new(0, DIRECTIONS);
    for (direction, number) in report.directions.iter().zip(1..).take(SHOWN) {
        table.row([
            number.to_string(),
            format!("{:.3e}", direction.rho),
            format!("{:.4}", direction.predicted),
            optional(direction.measured),
            format!("{:.5}", direction.weight),
        ]);
    }
    let rest = &report.directions[report.directions.len().min(SHOWN)..];
    if !rest.is_empty() {
        let weight: f64 = rest.iter().map(|direction| direction.weight).sum();
        let mean = |value: &dyn Fn(&crate::subspace::retention::Retained) -> f64| {
            let measured = || rest.iter().filter(|direction| direction.measured.is_some());
            let whole = measured().map(|direction| direction.weight).sum::<f64>();
            let sum = measured().map(|direction| direction.weight * value(direction)).sum::<f64>();
            if whole > 0.0 { format!("{:.4}", sum / whole) } else { "–".to_owned() }
        };
        table.row([
            format!("{} more", rest.len()),
            range(rest.iter().map(|direction| direction.rho)),
            mean(&|direction| direction.predicted),
            mean(&|direction| direction.measured.unwrap_or(0.0)),
            format!("{weight:.5}"),
        ]);
    }
    table.row([
        "outside".to_owned(),
        "0".to_owned(),
        "1.0000".to_owned(),
        optional(report.outside.measured),
        format!("{:.5}", report.outside.weight),
    ]);
    text + &table.to_text()
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn range(values: impl Iterator<Item = f64>) -> String {
    let (min, max) = values.fold((f64::INFINITY, 0.0_f64), |(min, max), value| (min.min(value), max.max(value)));
    if min == max { format!("{min:.2e}") } else { format!("{min:.2e} to {max:.2e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::measures::definition;

    #[test]
    fn every_measure_is_defined() {
        for measure in DIRECTIONS.into_iter().skip(1).chain(MEASURES) {
            assert!(definition(measure).is_some(), "{measure}");
        }
    }
}
