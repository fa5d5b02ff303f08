//! The table of all lines, with what its columns mean.

use super::Source;
use crate::figures::measures::{Definition, definitions, label};
use crate::figures::words::{metric_label, shown_key};
use crate::measure::UserMetric;
use crate::measure::statistics::p_value_text;
use crate::report::document::{Block, Section, Table};
use crate::results::comparison::{ComparisonLine, Estimate, Judged};

pub(super) fn section(source: &Source<'_>) -> Section {
    let mut section = Section::new("comparison", "All lines side by side");
    if source.lines.is_empty() {
        return section;
    }
    let tables = [gains(source), continual(source), cost(source)];
    let headings: Vec<String> = tables.iter().flatten().flat_map(Table::headings).map(str::to_owned).collect();
    section.blocks.extend(tables.into_iter().flatten().map(Block::Table));
    let found = definitions(headings.iter().map(String::as_str));
    if !found.is_empty() {
        section.blocks.push(Block::Heading("What the columns are".to_owned()));
        section.terms(found.into_iter().map(|Definition { label, text }| (label, text)));
    }
    section
}

fn gains(source: &Source<'_>) -> Option<Table> {
    let baseline = source.baseline()?;
    let measured = |key: &str| source.lines.iter().any(|line| line.metrics.contains_key(key));
    // Hit and NDCG of the lists that decide.
    let k = source.metric.parse::<UserMetric>().map_or(UserMetric::default().k, |metric| metric.k);
    let keys: Vec<String> = [UserMetric::hit(k), UserMetric::ndcg(k)]
        .map(|metric| shown_key(metric, measured))
        .into_iter()
        .filter(|key| measured(key))
        .collect();
    let headings = ["Experiment".to_owned(), "Seeds".to_owned()].into_iter();
    let headings = headings.chain(keys.iter().map(|key| metric_label(key)));
    let gain = format!("Gain in {}", metric_label(&source.metric));
    let mut table =
        Table::new(1, headings.chain([gain, "95 % interval".to_owned(), "p".to_owned(), "Verdict".to_owned()]));
    for (line, judged) in source.lines.iter().zip(&source.judged) {
        let seeds = if line.counted { "–".to_owned() } else { line.runs.len().to_string() };
        let metrics = keys.iter().map(|key| line.metrics.get(key).map_or("–".to_owned(), |found| with_half(*found)));
        let judged = judged_cells(judged, baseline);
        table.row([line.name.clone(), seeds].into_iter().chain(metrics).chain(judged));
    }
    if let Some(verdict) = table.columns.last_mut() {
        verdict.numbers = false;
    }
    Some(table)
}

/// Gain, interval, corrected p-value and verdict.
fn judged_cells(judged: &Judged, baseline: &str) -> [String; 4] {
    let none = || "–".to_owned();
    match judged {
        Judged::Baseline => [none(), none(), none(), "baseline".to_owned()],
        Judged::Incomparable(_) => [none(), none(), none(), format!("not comparable with {baseline}")],
        Judged::Verdict(verdict) => {
            let (comparison, interval) = (verdict.comparison, verdict.interval());
            let relative = comparison.relative.map(|relative| format!(" ({:+.1} %)", 100.0 * relative));
            [
                format!("{:+.4}{}", comparison.gain, relative.unwrap_or_default()),
                format!("{:+.4} … {:+.4}", interval.low, interval.high),
                verdict.p_corrected.map_or_else(none, p_value_text),
                verdict.evidence.to_string(),
            ]
        }
    }
}

/// The continual measures of the deciding metric; nothing where no line has its whole matrix.
fn continual(source: &Source<'_>) -> Option<Table> {
    let of_line = |line: &ComparisonLine| line.continual.get(&source.metric).cloned().unwrap_or_default();
    let mut names: Vec<&'static str> = Vec::new();
    for name in source.lines.iter().flat_map(|line| of_line(line).into_keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return None;
    }
    let mut table = Table::new(1, ["Experiment"].into_iter().chain(names.iter().map(|name| label(name))));
    for line in &source.lines {
        let measures = of_line(line);
        let cells = names.iter().map(|name| measures.get(name).map_or("–".to_owned(), |found| with_half(*found)));
        table.row([line.name.clone()].into_iter().chain(cells));
    }
    Some(table)
}

fn cost(source: &Source<'_>) -> Option<Table> {
    let trained: Vec<&&ComparisonLine> = source.lines.iter().filter(|line| !line.counted).collect();
    let headings = ["Experiment", "Training a stage (s)", "Peak memory (MB)", "Trainable parameters"];
    let mut table = Table::new(1, headings);
    for line in &trained {
        table.row([
            line.name.clone(),
            format!("{:.1}", line.train_seconds),
            format!("{:.0}", line.peak_memory_bytes as f64 / 1e6),
            line.trainable_parameters.to_string(),
        ]);
    }
    (!trained.is_empty()).then_some(table)
}

/// `0.1234 ± 0.0056`: the half of the interval over seeds, where there are several.
fn with_half(estimate: Estimate) -> String {
    let half = estimate.half().map(|half| format!(" ± {half:.4}")).unwrap_or_default();
    format!("{:.4}{half}", estimate.mean)
}
