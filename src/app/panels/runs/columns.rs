//! The columns of the runs table: what each is called, how wide it is, and what a row has in it.

use std::borrow::Cow;
use std::cmp::Ordering;

use egui_extras::Column as TableColumn;

use crate::app::session::{Origin, Row, RowState};
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::measures;
use crate::figures::words::{metric_label, shown_key};
use crate::measure::UserMetric;
use crate::run::Status;
use crate::run::marks::Mark;
use crate::run::observer::Phase;

/// The usual cut-off of whichever project is open, in a metric that is remembered.
const USUAL: &str = "@usual_";

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Status,
    Experiment,
    Method,
    Seed,
    Progress,
    /// By its key in results.
    Metric(String),
    Time,
    Memory,
    Device,
    Started,
    Tags,
    Note,
    /// By its name in [`crate::results::config_diff::Settings`].
    Setting(String),
}

impl Column {
    /// Those that have neither a metric nor a setting.
    pub(super) const PLAIN: [Self; 11] = [
        Self::Status,
        Self::Experiment,
        Self::Method,
        Self::Seed,
        Self::Progress,
        Self::Time,
        Self::Memory,
        Self::Device,
        Self::Started,
        Self::Tags,
        Self::Note,
    ];

    /// The name under which the settings remember it.
    pub(super) fn key(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Status => "status",
            Self::Experiment => "experiment",
            Self::Method => "method",
            Self::Seed => "seed",
            Self::Progress => "progress",
            Self::Metric(metric) => return Cow::Owned(format!("metric:{metric}")),
            Self::Time => "time",
            Self::Memory => "memory",
            Self::Device => "device",
            Self::Started => "started",
            Self::Tags => "tags",
            Self::Note => "note",
            Self::Setting(name) => return Cow::Owned(format!("setting:{name}")),
        })
    }

    /// The column that is remembered under a name.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        match key.split_once(':') {
            Some(("metric", metric)) => Some(Self::Metric(metric.to_owned())),
            Some(("setting", name)) => Some(Self::Setting(name.to_owned())),
            _ => Self::PLAIN.into_iter().find(|column| column.key() == key),
        }
    }

    /// What the settings keep of it, where `cut_off` is the project's usual one: a metric at it is one at the usual cut-off of
    /// every other project too, whose lists may be shorter.
    pub(super) fn remembered(&self, cut_off: usize) -> String {
        self.key().replacen(&format!("@{cut_off}_"), USUAL, 1)
    }

    /// What the settings kept, in a project with this usual cut-off.
    pub(super) fn of_remembered(key: &str, cut_off: usize) -> Option<Self> {
        Self::of_key(&key.replacen(USUAL, &format!("@{cut_off}_"), 1))
    }

    pub(super) fn title(&self) -> String {
        match self {
            Self::Status => "Status".to_owned(),
            Self::Experiment => "Experiment".to_owned(),
            Self::Method => "Method".to_owned(),
            Self::Seed => "Seed".to_owned(),
            Self::Progress => "Progress".to_owned(),
            Self::Metric(metric) => metric_label(metric),
            Self::Time => "Time".to_owned(),
            Self::Memory => "Memory".to_owned(),
            Self::Device => "Device".to_owned(),
            Self::Started => "Started".to_owned(),
            Self::Tags => "Tags".to_owned(),
            Self::Note => "Note".to_owned(),
            Self::Setting(name) => widgets::sentence(&name.replace('_', " ")),
        }
    }

    pub(super) fn tooltip(&self) -> String {
        let words = match self {
            Self::Status => "What the run is doing",
            Self::Experiment => "The experiment of the project, or the non-learned baseline",
            Self::Method => "What the experiment does in each stage",
            Self::Seed => "Seed of every random choice of the run",
            Self::Progress => "Stage, share of the current phase, and time left in the whole run",
            Self::Metric(_) => {
                return format!("{}. Mean over the finished stages from 2 on", measures::text(&self.title()));
            }
            Self::Time => "What training and testing took so far",
            Self::Memory => "The most memory that a stage took",
            Self::Device => "Where it was trained",
            Self::Started => "When the run was first started",
            Self::Tags => "Your words for it; right click on the row to change them",
            Self::Note => "What you wrote down of it; right click on the row to change it",
            Self::Setting(name) => return format!("The setting {name} of the run"),
        };
        words.to_owned()
    }

    /// Its column in a table of this width, where groups have room for a mean and its spread. On a wide screen the progress grows, so that a row is read without jumps.
    pub(super) fn layout(&self, width: f32, grouped: bool) -> TableColumn {
        match self {
            Self::Status => TableColumn::exact(88.0),
            Self::Experiment => TableColumn::exact((width * 0.24).clamp(150.0, 360.0)).clip(true),
            Self::Method => TableColumn::exact(150.0).clip(true),
            Self::Seed => TableColumn::exact(40.0),
            Self::Progress => TableColumn::remainder().at_least(150.0).clip(true),
            Self::Metric(_) if grouped => TableColumn::exact(92.0).clip(true),
            Self::Metric(_) => TableColumn::exact(if self.title().len() > 6 { 66.0 } else { 56.0 }).clip(true),
            Self::Time => TableColumn::exact(84.0),
            Self::Memory => TableColumn::exact(66.0),
            Self::Device => TableColumn::exact(56.0).clip(true),
            Self::Started => TableColumn::exact(84.0),
            Self::Tags => TableColumn::exact(110.0).clip(true),
            Self::Note => TableColumn::exact(180.0).clip(true),
            Self::Setting(_) => TableColumn::exact(96.0).clip(true),
        }
    }

    /// Whether the largest value is looked for first.
    pub(super) const fn largest_first(&self) -> bool {
        matches!(self, Self::Metric(_))
    }
}

/// What a row is sorted by in a column: what is not there comes first, numbers before texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Nothing,
    Number(f64),
    Text(String),
}

impl Cell {
    /// How two cells are ordered.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let rank = |cell: &Self| match cell {
            Self::Nothing => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }

    /// Where it is a number.
    pub(super) const fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Nothing | Self::Text(_) => None,
        }
    }
}

/// What a row has in a column, under the protocol of the table.
pub(super) fn cell(column: &Column, row: &Row, mark: &Mark, protocol: Protocol) -> Cell {
    let number = |value: Option<f64>| value.map_or(Cell::Nothing, Cell::Number);
    let text = |text: &str| if text.is_empty() { Cell::Nothing } else { Cell::Text(text.to_owned()) };
    match column {
        Column::Status => Cell::Number(f64::from(rank(row.state))),
        Column::Experiment => text(&row.key.experiment),
        Column::Method => text(row.method.label()),
        Column::Seed => number((row.origin != Origin::Baseline).then_some(row.key.seed as f64)),
        Column::Progress => Cell::Number(share_done(row)),
        Column::Metric(metric) => number(measured(metric, row, protocol).map(|found| found.mean)),
        Column::Time => number(seconds(row)),
        Column::Memory => number(memory_bytes(row).map(|bytes| bytes as f64)),
        Column::Device => text(device(row)),
        Column::Started => number(row.run.as_ref().map(|run| run.config.created_unix as f64)),
        Column::Tags => text(&tags(mark)),
        Column::Note => text(&mark.note),
        Column::Setting(name) => match row.settings.get(name) {
            Some(value) => value.number.map_or_else(|| text(&value.text), Cell::Number),
            None => Cell::Nothing,
        },
    }
}

/// The tags of a run as one text.
pub(super) fn tags(mark: &Mark) -> String {
    mark.tags.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What training and testing took so far.
pub(super) fn seconds(row: &Row) -> Option<f64> {
    row.run.as_ref().map(|run| run.seconds()).filter(|seconds| *seconds > 0.0)
}

/// The most memory that a stage took.
pub(super) fn memory_bytes(row: &Row) -> Option<u64> {
    row.run.as_ref()?.stages.iter().map(|stage| stage.peak_memory_bytes).max().filter(|bytes| *bytes > 0)
}

/// States in the order in which they matter to someone who watches.
const fn rank(state: RowState) -> u8 {
    match state {
        RowState::Run(Status::Running) | RowState::Starting => 0,
        RowState::Run(Status::Paused) => 1,
        RowState::Run(Status::Failed) => 2,
        RowState::Run(Status::Stopped) => 3,
        RowState::Queued | RowState::Run(Status::Queued) => 4,
        RowState::Reading | RowState::NotRun => 5,
        RowState::Run(Status::Finished) => 6,
    }
}

pub(super) fn device(row: &Row) -> &str {
    // `cuda (NVIDIA H200)`: the kind is enough here, the rest is shown on hovering.
    let device = row.run.as_ref().map_or("", |run| run.config.device.as_str());
    device.split(" (").next().unwrap_or(device)
}

/// What a row has in a column of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    /// Over the finished stages from 2 on; stage 1 is the same for all methods and says nothing of them.
    pub(super) mean: f64,
    /// The released count where the run has no tie-corrected one.
    pub(super) metric: String,
}

/// The mean of a metric, by its key in results.
pub(super) fn measured(metric: &str, row: &Row, protocol: Protocol) -> Option<Measured> {
    let run = row.run.as_ref()?;
    let later = || run.result(protocol).stages.iter().filter(|stage| stage.stage >= 2);
    let metric = match metric.parse::<UserMetric>() {
        Ok(parsed) => shown_key(parsed, |key| later().any(|stage| stage.metrics.contains_key(key))),
        Err(_) => metric.to_owned(),
    };
    let values: Vec<f64> = later().filter_map(|stage| stage.metrics.get(&metric).copied()).collect();
    (!values.is_empty()).then(|| Measured { mean: values.iter().sum::<f64>() / values.len() as f64, metric })
}

/// Share of the run that is done, from 0 to 1: whole stages, and a part of the current one.
pub(super) fn share_done(row: &Row) -> f64 {
    let Some(run) = &row.run else { return 0.0 };
    if run.status == Status::Finished {
        return 1.0;
    }
    let Some(progress) = &run.progress else { return 0.0 };
    let is_work = progress.total > 0 && progress.phase != Phase::Load;
    let phase = if is_work { progress.done as f64 / progress.total as f64 } else { 0.0 };
    ((progress.stage.saturating_sub(1)) as f64 + phase.clamp(0.0, 1.0)) / progress.stages.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_found_again_by_its_key() {
        let named = [Column::Metric("hit@10_corrected".to_owned()), Column::Setting("lambda".to_owned())];
        for column in Column::PLAIN.into_iter().chain(named) {
            assert_eq!(Column::of_key(&column.key()), Some(column.clone()), "{column:?}");
        }
        assert_eq!(Column::of_key("nonsense"), None);
        assert_eq!(Column::of_key("setting:").map(|column| column.title()), Some(String::new()));
    }

    #[test]
    fn a_metric_at_the_usual_cut_off_is_one_in_every_project() {
        let metric = |key: &str| Column::Metric(key.to_owned());
        let moved = |column: Column| Column::of_remembered(&column.remembered(10), 5).unwrap();
        assert_eq!(moved(metric("hit@10_corrected")), metric("hit@5_corrected"));
        for stays in [metric("hit@1_corrected"), metric("invalid_rate"), Column::Tags] {
            assert_eq!(moved(stays.clone()), stays);
        }
    }

    #[test]
    fn what_is_not_there_comes_first_and_numbers_before_texts() {
        let mut cells = [Cell::Text("b".to_owned()), Cell::Number(2.0), Cell::Nothing, Cell::Number(-1.0)];
        cells.sort_by(Cell::compare);
        assert_eq!(cells, [Cell::Nothing, Cell::Number(-1.0), Cell::Number(2.0), Cell::Text("b".to_owned())]);
    }
}
