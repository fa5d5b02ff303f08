//! `peso results`: tables of text.

use std::collections::BTreeSet;

use super::{means_over, metrics};
use crate::cli::table::{self, Table};
use crate::cli::words;
use crate::data::Protocol;
use crate::figures::words::{TWO_COUNTS, metric_label};
use crate::results::Results;
use crate::results::comparison::{self, Standing, standings};
use crate::results::seeds::SeedBasis;
use crate::results::slices::SlicedLine;
use crate::results::summary::{self, Cost, Line, Mean};

/// Continual measures in the order of the table, with their headings.
const CONTINUAL: [(&str, &str); 6] = [
    ("plasticity", "Plasticity"),
    ("stability", "Stability"),
    ("average_accuracy", "Average"),
    ("backward_transfer", "Backward"),
    ("forward_transfer", "Forward"),
    ("forgetting", "Forgetting"),
];

/// What the continual measures are means of.
pub(super) const DIVISORS: &str = "divisor T-1 (the stages but one), for plasticity and average T";

pub(super) fn as_text(results: &Results, basis: &SeedBasis, synthetic: bool) -> String {
    let lines = summary::lines(results);
    if lines.is_empty() {
        return format!("{}: nothing is measured yet; `peso run` starts the runs\n", results.project);
    }
    let note = if synthetic { " · synthetic data" } else { "" };
    let mean = means_over(results.protocol);
    let mut text = format!("{}{note}\n\n{}{}", results.project, mean[..1].to_uppercase(), &mean[1..]);
    let several = lines.iter().any(|line| line.seeds > 1);
    text.push_str(if several { ", ± standard deviation over n seeds\n" } else { "\n" });
    text.push_str(&later_stages_table(&lines).to_text());
    text.extend(basis.words().map(|words| format!("{words}\n")));
    text.push_str(&left_out(results));
    if !metrics::released(&lines).is_empty() {
        let counts = results.catalogue.map(|counts| format!(" ({counts})"));
        text.push_str(&format!("{TWO_COUNTS}{}\n", counts.unwrap_or_default()));
    }
    for chosen in results.runs.iter().filter_map(|run| run.chosen) {
        text.push_str(&format!("Co-occurrence has {chosen}\n"));
    }
    for metric in metrics::main(&lines) {
        text.push_str(&format!("\n{} by stage\n{}", metric_label(&metric), by_stage_table(&lines, &metric).to_text()));
    }
    text.push_str(&continual(&lines));
    text.push_str(&cost(&lines));
    text.push_str(&validation(results));
    if lines.iter().any(|line| !line.finished) {
        text.push_str("\nRuns that are not finished have no mean\n");
    }
    text
}

fn later_stages_table(lines: &[Line]) -> Table {
    let metrics = metrics::columns(lines);
    let heading = ["Experiment", "n"].map(str::to_owned).into_iter().chain(metrics.iter().map(|key| metric_label(key)));
    let mut table = Table::new(1, heading);
    for line in lines {
        let values = metrics.iter().map(|metric| shown(line.later_stages.get(metric)));
        table.row([name_of(line), seeds_of(line)].into_iter().chain(values));
    }
    table
}

/// Users that were excluded, where that was recorded and happened.
fn left_out(results: &Results) -> String {
    let stages = results.runs.iter().map(|run| &run.stages).max_by_key(|stages| stages.len());
    let first = if results.protocol == Protocol::SameBlock { 1 } else { 2 };
    let counts = stages.into_iter().flatten().filter(|stage| stage.stage >= first);
    let counts: Vec<_> = counts.filter_map(|stage| Some((stage.stage, stage.left_out_users?))).collect();
    if counts.iter().all(|&(_, users)| users == 0) {
        return String::new();
    }
    let reason = match results.protocol {
        Protocol::SameBlock | Protocol::GlobalTime => "with fewer than 3 interactions in a stage",
        Protocol::NextBlock => "without an interaction before the stage",
    };
    let counts: Vec<String> = counts.iter().map(|(stage, users)| format!("{users} in stage {stage}")).collect();
    format!("Excluded users, {reason}: {}\n", counts.join(", "))
}

fn by_stage_table(lines: &[Line], metric: &str) -> Table {
    let measured = lines.iter().flat_map(|line| &line.by_stage).filter(|(_, metrics)| metrics.contains_key(metric));
    let stages: BTreeSet<usize> = measured.map(|(&stage, _)| stage).collect();
    let heading =
        ["Experiment".to_owned(), "n".to_owned()].into_iter().chain(stages.iter().map(|s| format!("Stage {s}")));
    let mut table = Table::new(1, heading);
    for line in lines {
        let value = |stage| shown(line.by_stage.get(stage).and_then(|metrics| metrics.get(metric)));
        table.row([name_of(line), seeds_of(line)].into_iter().chain(stages.iter().map(value)));
    }
    table
}

fn continual(lines: &[Line]) -> String {
    if lines.iter().all(|line| line.continual.is_empty()) {
        return String::new();
    }
    let transfer = lines.iter().flat_map(|line| line.continual.values()).any(|m| m.contains_key("forward_transfer"));
    let missing =
        if transfer { "" } else { "; no run has measured the model before any training, which forward transfer needs" };
    format!("\nContinual measures, {DIVISORS}{missing}\n{}", continual_table(lines).to_text())
}

/// The measures of the finished lines, a row an experiment and metric, without those that nobody has.
pub(super) fn continual_table(lines: &[Line]) -> Table {
    let all = || lines.iter().flat_map(|line| line.continual.values());
    let columns: Vec<_> = CONTINUAL.into_iter().filter(|(key, _)| all().any(|of| of.contains_key(key))).collect();
    let heading = ["Experiment", "Metric", "n"].into_iter().chain(columns.iter().map(|&(_, label)| label));
    let mut table = Table::new(2, heading);
    for metric in metrics::main(lines) {
        for line in lines {
            if let Some(measures) = line.continual.get(&metric) {
                let values = columns.iter().map(|(key, _)| shown(measures.get(key)));
                table.row([name_of(line), metric_label(&metric), seeds_of(line)].into_iter().chain(values));
            }
        }
    }
    table
}

/// What the columns of all tables mean, a line a measure.
pub(super) fn explained(results: &Results, slices: Option<&[SlicedLine]>) -> String {
    let lines = summary::lines(results);
    let tables = [Some(later_stages_table(&lines)), Some(continual_table(&lines)), cost_table(&lines)];
    let headings = tables.iter().flatten().flat_map(Table::heading);
    let sliced: Vec<Table> = slices.map(super::slices::tables).into_iter().flatten().collect();
    let headings = headings.chain(sliced.iter().flat_map(Table::heading));
    table::explained(headings.map(String::as_str))
}

fn cost(lines: &[Line]) -> String {
    let Some(table) = cost_table(lines) else { return String::new() };
    let what = "wall time of all stages, the shared stage 1 included, base model, pauses and waiting not; examples/s of the \
                optimiser's steps alone; the most memory and storage of any stage";
    format!("\nCost of a run: {what}\n{}", table.to_text())
}

/// The costs of the finished lines, where there are any.
fn cost_table(lines: &[Line]) -> Option<Table> {
    let heading = ["Experiment", "n", "Train", "Evaluate", "Examples/s", "Peak memory", "Trainable", "Stored a stage"];
    let mut table = Table::new(1, heading);
    let finished: Vec<_> = lines.iter().filter_map(|line| Some((line, line.cost?))).collect();
    for (line, cost) in &finished {
        let Cost { train_seconds, eval_seconds, train_examples_per_s, .. } = cost;
        table.row([
            name_of(line),
            seeds_of(line),
            words::duration(train_seconds.mean),
            words::duration(eval_seconds.mean),
            train_examples_per_s.map_or("–".to_owned(), |rate| format!("{:.0}", rate.mean)),
            words::bytes(cost.peak_memory_bytes),
            words::count(cost.trainable_parameters),
            words::bytes(cost.stored_bytes),
        ]);
    }
    (!finished.is_empty()).then_some(table)
}

/// Validation losses, where they choose among several configurations of a method.
fn validation(results: &Results) -> String {
    let losses = results.runs.iter().filter_map(|run| Some((run.run.clone(), run.validation_loss?)));
    let lines = comparison::lines(results, &losses.collect());
    let mut table = Table::new(1, ["Experiment", "n", "Validation loss", ""]);
    let mut several = false;
    for (line, standing) in lines.iter().zip(standings(&lines)) {
        if let (Some(loss), Standing::Chosen | Standing::Passed) = (line.validation_loss, standing) {
            several = true;
            let least = if standing == Standing::Chosen { "least of its method" } else { "" };
            table.row([line.name.clone(), line.runs.len().to_string(), format!("{loss:.4}"), least.to_owned()]);
        }
    }
    if !several {
        return String::new();
    }
    let what = "mean over the stages from 2 on, of the epoch that was kept; each method's own loss";
    format!("\nValidation loss of methods with several configurations, {what}\n{}", table.to_text())
}

fn name_of(line: &Line) -> String {
    if line.counted { format!("{} (non-learned)", line.name) } else { line.name.clone() }
}

/// Counting has no seed.
fn seeds_of(line: &Line) -> String {
    if line.counted { "–".to_owned() } else { line.seeds.to_string() }
}

fn shown(mean: Option<&Mean>) -> String {
    match mean {
        None => "–".to_owned(),
        Some(Mean { mean, deviation: None }) => format!("{mean:.4}"),
        Some(Mean { mean, deviation: Some(deviation) }) => format!("{mean:.4} ± {deviation:.4}"),
    }
}
