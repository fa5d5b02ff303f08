//! What the cells of the comparison's table say, and how rows are ordered by them.

use std::cmp::Ordering;

use super::contents::TableContents;
use crate::app::widgets;
use crate::figures::measures;
use crate::figures::words::{better, metric_label};
use crate::measure::UserMetric;
use crate::measure::statistics::{ALPHA, Comparison, Evidence, Verdict, p_value_text};
use crate::plot::{Better, scale};
use crate::results::comparison::{ComparisonLine, Estimate, Judged, Standing};

/// The continual measures, in the order of their columns.
pub(super) const CONTINUAL: [&str; 6] =
    ["average_accuracy", "forgetting", "backward_transfer", "forward_transfer", "plasticity", "stability"];

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Seeds,
    Metric(String),
    Gain,
    Relative,
    P,
    Verdict,
    /// One of the continual measures, by its key.
    Continual(&'static str),
    Validation,
    TrainTime,
    Memory,
    Parameters,
}

impl Column {
    pub(super) fn all(metrics: &[String], continual: &[&'static str]) -> Vec<Self> {
        let metrics = metrics.iter().cloned().map(Self::Metric);
        [Self::Name, Self::Seeds]
            .into_iter()
            .chain(metrics)
            .chain([Self::Gain, Self::Relative, Self::P, Self::Verdict])
            .chain(continual.iter().copied().map(Self::Continual))
            .chain([Self::Validation, Self::TrainTime, Self::Memory, Self::Parameters])
            .collect()
    }

    pub(super) fn title(&self) -> String {
        match self {
            Self::Name => "Method".to_owned(),
            Self::Seeds => "Seeds".to_owned(),
            Self::Metric(metric) => metric_label(metric),
            Self::Gain => "Gain".to_owned(),
            Self::Relative => "Gain, %".to_owned(),
            Self::P => "p, Holm".to_owned(),
            Self::Verdict => "Verdict".to_owned(),
            Self::Continual(key) => measures::label(key).to_owned(),
            Self::Validation => "Validation".to_owned(),
            Self::TrainTime => "Train time".to_owned(),
            Self::Memory => "Memory".to_owned(),
            Self::Parameters => "Parameters".to_owned(),
        }
    }

    /// What stands in it: the definition of its measure, and what it is a mean of.
    pub(super) fn tooltip(&self) -> String {
        match self {
            Self::Name => "The experiment of the project, or the non-learned baseline".to_owned(),
            Self::Seeds => "Finished runs that the line is the mean of".to_owned(),
            Self::Metric(_) => {
                format!(
                    "{}. Mean over the stages from 2 on and over seeds; the best is bold",
                    measures::text(&self.title())
                )
            }
            Self::TrainTime => format!("{} a stage, mean over the stages from 2 on", measures::text(&self.title())),
            _ => measures::text(&self.title()),
        }
    }

    pub(super) fn width(&self) -> f32 {
        match self {
            Self::Name => 150.0,
            Self::Seeds => 40.0,
            Self::Metric(metric) => {
                if metric.parse().is_ok_and(|metric: UserMetric| metric.is_released() || metric.known) {
                    150.0
                } else {
                    66.0
                }
            }
            Self::Gain | Self::Relative => 114.0,
            Self::P => 56.0,
            Self::Verdict => 142.0,
            Self::Continual(_) => 74.0,
            Self::Validation => 68.0,
            Self::TrainTime => 68.0,
            Self::Memory => 64.0,
            Self::Parameters => 78.0,
        }
    }

    /// Whether the first click on its heading sorts downwards: the best on top.
    pub(super) fn best_first(&self) -> bool {
        match self {
            Self::Metric(metric) => better(metric) == Better::Higher,
            Self::Continual(key) => *key != "forgetting",
            Self::Seeds | Self::Gain | Self::Relative => true,
            _ => false,
        }
    }
}

/// How a cell's text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tone {
    #[default]
    Plain,
    Quiet,
    Good,
    Bad,
}

/// What a cell is ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Text(String),
    /// What has no number comes last, however it is sorted.
    Number(Option<f64>),
}

impl Order {
    pub(super) fn cmp(&self, other: &Self, descending: bool) -> Ordering {
        let turned = |order: Ordering| if descending { order.reverse() } else { order };
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => turned(a.cmp(b)),
            (Self::Number(Some(a)), Self::Number(Some(b))) => turned(a.total_cmp(b)),
            (Self::Number(Some(_)), _) => Ordering::Less,
            (_, Self::Number(Some(_))) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) main: String,
    /// A second line in small type.
    pub(super) below: Option<String>,
    pub(super) hover: String,
    pub(super) bold: bool,
    pub(super) tone: Tone,
    pub(super) order: Order,
}

impl Cell {
    pub(super) fn number(value: Option<f64>, words: impl Fn(f64) -> String) -> Self {
        let main = value.map_or_else(|| "–".to_owned(), words);
        let tone = if value.is_some() { Tone::Plain } else { Tone::Quiet };
        Self { main, below: None, hover: String::new(), bold: false, tone, order: Order::Number(value) }
    }
}

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// Place of its line.
    pub(super) index: usize,
    /// One a column.
    pub(super) cells: Vec<Cell>,
}

impl Row {
    pub(super) fn of(contents: &TableContents<'_>, index: usize, columns: &[Column]) -> Self {
        Self { index, cells: columns.iter().map(|column| cell(contents, index, column)).collect() }
    }

    /// Sets the best value of each metric bold.
    pub(super) fn mark_best(rows: &mut [Self], columns: &[Column], contents: &TableContents<'_>) {
        for (at, column) in columns.iter().enumerate() {
            let Column::Metric(metric) = column else { continue };
            let value = |row: &Self| contents.lines.all[row.index].metrics.get(metric).map(|found| found.mean);
            let values = rows.iter().filter_map(value);
            let best = match better(metric) {
                Better::Higher => values.reduce(f64::max),
                Better::Lower => values.reduce(f64::min),
            };
            for row in rows.iter_mut() {
                row.cells[at].bold = best.is_some() && value(row) == best;
            }
        }
    }
}

fn cell(contents: &TableContents<'_>, index: usize, column: &Column) -> Cell {
    let line = &contents.lines.all[index];
    match column {
        Column::Name => name(contents, index),
        Column::Seeds => {
            let seeds = line.runs.len();
            let mut cell = Cell::number((!line.counted).then_some(seeds as f64), |seeds| format!("{seeds:.0}"));
            if line.counted {
                "Counting needs no seed".clone_into(&mut cell.hover);
            } else {
                cell.hover = contents.lines.seeds_words(index);
                if contents.lines.basis.uneven && !contents.lines.same_seeds(index, contents.baseline) {
                    cell.main.push_str(" *");
                }
            }
            cell
        }
        Column::Metric(metric) => metric_cell(line, metric),
        Column::Gain | Column::Relative | Column::P | Column::Verdict => judged(contents, index, column),
        Column::Continual(key) => {
            let value = line.continual.get(&contents.metrics[0]).and_then(|measures| measures.get(key));
            estimate_cell(value.copied())
        }
        Column::Validation => Cell::number(line.validation_loss, |loss| format!("{loss:.4}")),
        Column::TrainTime => Cell::number(learned(line, line.train_seconds), widgets::duration_words),
        Column::Memory => {
            let mut cell = Cell::number(learned(line, line.peak_memory_bytes as f64), |_| String::new());
            if !line.counted {
                cell.main = widgets::memory_words(line.peak_memory_bytes);
            }
            cell
        }
        Column::Parameters => {
            Cell::number(learned(line, line.trainable_parameters as f64), |count| scale::grouped(count, 0))
        }
    }
}

/// A cost; counting has none worth a number.
fn learned(line: &ComparisonLine, cost: f64) -> Option<f64> {
    (!line.counted).then_some(cost)
}

fn name(contents: &TableContents<'_>, index: usize) -> Cell {
    let line = &contents.lines.all[index];
    let (below, hover) = match (line.counted, contents.lines.standings[index]) {
        (true, _) => {
            (Some("non-learned"), "Counts what is popular, or occurs together; no learned method may lose to it")
        }
        (_, Standing::Chosen) => {
            (Some("✓ chosen by validation"), "Of the configurations of this method it has the lowest validation loss")
        }
        (_, Standing::Passed) => (
            Some("not chosen by validation"),
            "Another configuration of this method has a lower validation loss; to report this one for its test result would flatter",
        ),
        (_, Standing::Only) => (None, ""),
    };
    let earlier = contents.lines.earlier[index].then_some("earlier settings");
    let below: Vec<&str> = [below, earlier].into_iter().flatten().collect();
    Cell {
        main: line.name.clone(),
        below: (!below.is_empty()).then(|| below.join(", ")),
        hover: hover.to_owned(),
        bold: false,
        tone: Tone::Plain,
        order: Order::Text(line.name.to_lowercase()),
    }
}

fn metric_cell(line: &ComparisonLine, metric: &str) -> Cell {
    let mut cell = estimate_cell(line.metrics.get(metric).copied());
    if line.runs.len() == 1 && !line.counted {
        "One seed: its spread is not known".clone_into(&mut cell.hover);
    }
    cell
}

fn estimate_cell(value: Option<Estimate>) -> Cell {
    let cell = Cell::number(value.map(|value| value.mean), |mean| format!("{mean:.4}"));
    Cell { below: value.and_then(Estimate::half).map(|half| format!("± {half:.4}")), ..cell }
}

fn judged(contents: &TableContents<'_>, index: usize, column: &Column) -> Cell {
    let quiet = |main: &str, hover: &str| Cell {
        main: main.to_owned(),
        hover: hover.to_owned(),
        ..Cell::number(None, |_| String::new())
    };
    let baseline = &contents.lines.all[contents.baseline].name;
    match contents.judged.and_then(|judged| judged.get(index)) {
        None => quiet("…", "The test users of both are being compared"),
        Some(Judged::Baseline) if *column == Column::Verdict => quiet("baseline", "The others are held against it"),
        Some(Judged::Baseline) => quiet("–", "The others are held against it"),
        Some(Judged::Incomparable(problem)) if *column == Column::Verdict => {
            quiet("not comparable", &widgets::sentence(problem))
        }
        Some(Judged::Incomparable(_)) => quiet("–", ""),
        Some(Judged::Verdict(verdict)) => verdict_cell(verdict, baseline, column),
    }
}

fn verdict_cell(verdict: &Verdict, baseline: &str, column: &Column) -> Cell {
    let Comparison { gain, relative, baseline: of, .. } = verdict.comparison;
    let interval = verdict.interval();
    let share = |value: f64| if of == 0.0 { f64::NAN } else { 100.0 * value / of };
    match column {
        Column::Gain => Cell {
            below: Some(format!("{:+.4} … {:+.4}", interval.low, interval.high)),
            ..Cell::number(Some(gain), |gain| format!("{gain:+.4}"))
        },
        Column::Relative => Cell {
            below: relative.map(|_| format!("{:+.1} … {:+.1} %", share(interval.low), share(interval.high))),
            ..Cell::number(relative, |relative| format!("{:+.1} %", 100.0 * relative))
        },
        Column::P => Cell {
            hover: format!("{} before the correction", p_value_text(verdict.comparison.p_value)),
            ..Cell::number(verdict.p_corrected, p_value_text)
        },
        _ => {
            let (mark, tone) = match verdict.evidence {
                Evidence::Significant if gain > 0.0 => ("▲ ", Tone::Good),
                Evidence::Significant => ("▼ ", Tone::Bad),
                _ => ("", Tone::Quiet),
            };
            Cell {
                main: format!("{mark}{}", verdict.evidence),
                below: None,
                hover: explanation(verdict, baseline),
                bold: false,
                tone,
                order: Order::Number(Some(rank(verdict))),
            }
        }
    }
}

/// Gains that may be called so first, then what is open, then losses.
fn rank(verdict: &Verdict) -> f64 {
    match verdict.evidence {
        Evidence::Significant if verdict.comparison.gain > 0.0 => 0.0,
        Evidence::NotSignificant => 1.0,
        Evidence::NotEnoughSeeds { .. } | Evidence::IdenticalSeeds => 2.0,
        Evidence::Significant => 3.0,
    }
}

/// A verdict in one sentence.
fn explanation(verdict: &Verdict, baseline: &str) -> String {
    let Comparison { gain, users_needed, seeds_needed, .. } = verdict.comparison;
    match verdict.evidence {
        Evidence::Significant => {
            let what = if gain > 0.0 { "better" } else { "worse" };
            format!(
                "It is {what} than {baseline}: were the two equal, a difference like this would come up in less than {:.0} % of such tables",
                100.0 * ALPHA
            )
        }
        Evidence::NotSignificant => {
            let needed = match (users_needed, seeds_needed) {
                (Some(users), Some(seeds)) => {
                    format!(
                        "; {} test cases, or {seeds} seeds, would find one of this size",
                        scale::grouped(users as f64, 0)
                    )
                }
                _ => String::new(),
            };
            format!("The difference to {baseline} can be chance{needed}")
        }
        Evidence::NotEnoughSeeds { .. } => {
            "Another seed might give another sign, whatever the users say: run at least three seeds".to_owned()
        }
        Evidence::IdenticalSeeds => {
            "All seeds give the same difference, as copies of one run do, so that nothing is known of their spread"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_explained() {
        for column in Column::all(&["hit@10_corrected", "ndcg@5", "invalid_rate"].map(str::to_owned), &CONTINUAL) {
            assert!(!column.tooltip().trim_start_matches(". ").is_empty(), "{}", column.title());
            assert!(!column.tooltip().starts_with([' ', '.']), "{} has no definition", column.title());
        }
    }

    #[test]
    fn what_has_no_number_comes_last_either_way() {
        let numbers = [Some(1.0), None, Some(2.0)].map(Order::Number);
        let sorted = |descending| {
            let mut numbers = numbers.to_vec();
            numbers.sort_by(|a, b| a.cmp(b, descending));
            numbers
        };
        assert_eq!(sorted(false), [Some(1.0), Some(2.0), None].map(Order::Number));
        assert_eq!(sorted(true), [Some(2.0), Some(1.0), None].map(Order::Number));
    }
}
