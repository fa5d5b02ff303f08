//! `peso results`: what was measured.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::outcome::{Ended, print, print_json, warn};
use super::table::Table;
use crate::experiment::Project;
use crate::experiment::results::Results;
use crate::experiment::summary::{self, Line, Mean};

/// Show what was measured: means over the later stages, stage by stage, with their spread over seeds
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// As JSON, with every run, stage and the matrix `R[i, j]`
    #[arg(long, conflicts_with_all = ["csv", "latex"])]
    json: bool,
    /// As CSV, one row a run and stage
    #[arg(long, conflicts_with = "latex")]
    csv: bool,
    /// As a LaTeX table (booktabs)
    #[arg(long)]
    latex: bool,
    /// Which interactions are tested
    #[arg(long, value_enum, default_value_t = Protocol::SameBlock)]
    protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// Leave-one-out within each block
    SameBlock,
}

/// Columns of the tables, in this order, as far as they were measured.
const METRICS: [(&str, &str); 9] = [
    ("hit@1", "Hit@1"),
    ("hit@5", "Hit@5"),
    ("hit@10", "Hit@10"),
    ("hit@20", "Hit@20"),
    ("ndcg@5", "NDCG@5"),
    ("ndcg@10", "NDCG@10"),
    ("ndcg@20", "NDCG@20"),
    ("hit@10_corrected", "Hit@10, ties"),
    ("invalid_rate", "Invalid"),
];

/// Metrics that have a table stage by stage.
const BY_STAGE: [(&str, &str); 2] = [("hit@10", "Hit@10"), ("ndcg@10", "NDCG@10")];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    // The one protocol there is needs no selection; clap has refused every other.
    let Protocol::SameBlock = arguments.protocol;
    let (results, unusable) = Results::read(&project, &project.runs_dir(arguments.out.as_deref()));
    warn(&unusable);
    if arguments.json {
        print_json(&results)?;
    } else if arguments.csv {
        print(&as_csv(&results))?;
    } else if arguments.latex {
        print(&as_latex(&results))?;
    } else {
        print(&as_text(&results, project.is_synthetic()))?;
    }
    Ok(Ended::Done)
}

fn as_text(results: &Results, synthetic: bool) -> String {
    let lines = summary::lines(results);
    if lines.is_empty() {
        return format!("{}: nothing is measured yet; `peso run` starts the runs\n", results.project);
    }
    let note = if synthetic { " · synthetic data" } else { "" };
    let mut text = format!("{}{note}\n\nMean over the stages from 2 on", results.project);
    text.push_str(if lines.iter().any(|line| line.seeds > 1) {
        ", ± standard deviation over n seeds\n"
    } else {
        "\n"
    });
    text.push_str(&later_stages_table(&lines).to_text());
    for (metric, label) in BY_STAGE {
        if lines.iter().any(|line| line.by_stage.values().any(|metrics| metrics.contains_key(metric))) {
            text.push_str(&format!("\n{label} by stage\n{}", by_stage_table(&lines, metric).to_text()));
        }
    }
    if lines.iter().any(|line| !line.finished) {
        text.push_str("\nRuns that are not finished have no mean\n");
    }
    text
}

fn later_stages_table(lines: &[Line]) -> Table {
    let metrics: Vec<_> = METRICS.into_iter().filter(|(metric, _)| is_measured(lines, metric)).collect();
    let heading = ["Experiment", "n"].into_iter().chain(metrics.iter().map(|&(_, label)| label));
    let mut table = Table::new(1, heading);
    for line in lines {
        let values = metrics.iter().map(|(metric, _)| shown(line.later_stages.get(*metric)));
        table.row([name_of(line), seeds_of(line)].into_iter().chain(values));
    }
    table
}

fn by_stage_table(lines: &[Line], metric: &str) -> Table {
    let stages: BTreeSet<usize> = lines.iter().flat_map(|line| line.by_stage.keys().copied()).collect();
    let heading =
        ["Experiment".to_owned(), "n".to_owned()].into_iter().chain(stages.iter().map(|s| format!("Stage {s}")));
    let mut table = Table::new(1, heading);
    for line in lines {
        let value = |stage| shown(line.by_stage.get(stage).and_then(|metrics| metrics.get(metric)));
        table.row([name_of(line), seeds_of(line)].into_iter().chain(stages.iter().map(value)));
    }
    table
}

fn is_measured(lines: &[Line], metric: &str) -> bool {
    lines.iter().any(|line| line.later_stages.contains_key(metric))
}

fn name_of(line: &Line) -> String {
    if line.counted { format!("{} (counted)", line.name) } else { line.name.clone() }
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

fn as_csv(results: &Results) -> String {
    let metrics: BTreeSet<&str> = results
        .runs
        .iter()
        .flat_map(|run| &run.stages)
        .flat_map(|stage| stage.metrics.keys().map(String::as_str))
        .collect();
    let heading = "run,experiment,method,seed,status,stage,train_examples,test_users,train_seconds,eval_seconds,\
                   peak_memory_bytes,final_loss";
    let mut text = heading.to_owned();
    text.extend(metrics.iter().map(|metric| format!(",{}", quoted(metric))));
    text.push('\n');
    for run in &results.runs {
        for stage in &run.stages {
            let words = [&run.run, &run.experiment, &run.method].map(|word| quoted(word)).join(",");
            text.push_str(&format!(
                "{words},{},{},{},{},{},{},{},{},{}",
                run.seed,
                run.status.key(),
                stage.stage,
                stage.train_examples,
                stage.test_users,
                stage.train_seconds,
                stage.eval_seconds,
                stage.peak_memory_bytes,
                stage.final_loss
            ));
            for metric in &metrics {
                text.push(',');
                text.extend(stage.metrics.get(*metric).map(f64::to_string));
            }
            text.push('\n');
        }
    }
    text
}

/// A CSV field (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn as_latex(results: &Results) -> String {
    let lines: Vec<Line> = summary::lines(results).into_iter().filter(|line| line.finished).collect();
    let metrics: Vec<_> = METRICS.into_iter().filter(|(metric, _)| is_measured(&lines, metric)).collect();
    let best: Vec<f64> = metrics.iter().map(|(metric, _)| best_of(&lines, metric)).collect();
    let mut text = format!("% {}: mean over the stages from 2 on\n", results.project.replace(['\n', '\r'], " "));
    text.push_str(&format!("\\begin{{tabular}}{{l{}}}\n\\toprule\nMethod", "r".repeat(metrics.len())));
    text.extend(metrics.iter().map(|(_, label)| format!(" & {}", escaped(label))));
    text.push_str(" \\\\\n\\midrule\n");
    for (place, line) in lines.iter().enumerate() {
        if line.counted && place > 0 && !lines[place - 1].counted {
            text.push_str("\\midrule\n");
        }
        text.push_str(&escaped(&line.name));
        for ((metric, _), best) in metrics.iter().zip(&best) {
            text.push_str(" & ");
            text.extend(line.later_stages.get(*metric).map(|mean| in_latex(mean, mean.mean == *best)));
        }
        text.push_str(" \\\\\n");
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    text
}

/// The greatest mean, for the rate of invalid ids the least.
fn best_of(lines: &[Line], metric: &str) -> f64 {
    let means = lines.iter().filter_map(|line| line.later_stages.get(metric)).map(|mean| mean.mean);
    if metric == "invalid_rate" { means.fold(f64::INFINITY, f64::min) } else { means.fold(f64::NEG_INFINITY, f64::max) }
}

fn in_latex(mean: &Mean, best: bool) -> String {
    let value = format!("{:.4}", mean.mean);
    let value = if best { format!("\\textbf{{{value}}}") } else { value };
    mean.deviation.map_or_else(|| value.clone(), |deviation| format!("{value} $\\pm$ {deviation:.4}"))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            other => escaped.push(other),
        }
    }
    escaped
}
