//! The columns of the runs table: their headings and widths, and how rows are ordered by them.

use std::cmp::Ordering;

use egui_extras::Column;

use crate::app::session::{Row, RowState};
use crate::data::Protocol;
use crate::figures::measures;
use crate::figures::words::shown_key;
use crate::measure::UserMetric;
use crate::run::Status;
use crate::run::observer::Phase;

/// What the rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sort {
    /// `None`: as the project lists them.
    pub(super) by: Option<Field>,
    pub(super) descending: bool,
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Status,
    Experiment,
    Seed,
    Progress,
    Hit,
    Ndcg,
    Device,
    Started,
}

impl Field {
    pub(super) const ALL: [Self; 8] = [
        Self::Status,
        Self::Experiment,
        Self::Seed,
        Self::Progress,
        Self::Hit,
        Self::Ndcg,
        Self::Device,
        Self::Started,
    ];

    /// The metric of a column that has one.
    pub(super) const fn metric(self) -> Option<UserMetric> {
        match self {
            Self::Hit => Some(UserMetric::hit(10)),
            Self::Ndcg => Some(UserMetric::ndcg(10)),
            _ => None,
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::Experiment => "Experiment",
            Self::Seed => "Seed",
            Self::Progress => "Progress",
            Self::Hit => "Hit@10",
            Self::Ndcg => "NDCG@10",
            Self::Device => "Device",
            Self::Started => "Started",
        }
    }

    pub(super) fn tooltip(self) -> String {
        let words = match self {
            Self::Status => "What the run is doing",
            Self::Experiment => "The experiment of the project, or the non-learned baseline",
            Self::Seed => "Seed of every random choice of the run",
            Self::Progress => "Stage, share of the current phase, and time left in the whole run",
            Self::Hit | Self::Ndcg => {
                return format!("{}. Mean over the finished stages from 2 on", measures::text(self.title()));
            }
            Self::Device => "Where it was trained",
            Self::Started => "When the run was first started",
        };
        words.to_owned()
    }

    /// Its column in a table of this width. On a wide screen the progress grows, so that a row is read without jumps.
    pub(super) fn column(self, width: f32) -> Column {
        match self {
            Self::Status => Column::exact(88.0),
            Self::Experiment => Column::exact((width * 0.24).clamp(150.0, 360.0)).clip(true),
            Self::Seed => Column::exact(40.0),
            Self::Progress => Column::remainder().at_least(150.0).clip(true),
            Self::Hit => Column::exact(56.0),
            Self::Ndcg => Column::exact(66.0),
            Self::Device => Column::exact(56.0).clip(true),
            Self::Started => Column::exact(84.0),
        }
    }
}

/// How two rows are ordered by a column; metrics are those under a protocol.
pub(super) fn compare(field: Field, protocol: Protocol, a: &Row, b: &Row) -> Ordering {
    let number = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
    let started = |row: &Row| row.run.as_ref().map_or(0, |run| run.config.created_unix);
    match field {
        Field::Status => rank(a.state).cmp(&rank(b.state)),
        Field::Experiment => a.key.experiment.cmp(&b.key.experiment),
        Field::Seed => a.key.seed.cmp(&b.key.seed),
        Field::Progress => share_done(a).total_cmp(&share_done(b)),
        Field::Hit | Field::Ndcg => {
            let value = |row| number(measured(field, row, protocol).map(|found| found.mean));
            value(a).total_cmp(&value(b))
        }
        Field::Device => device(a).cmp(device(b)),
        Field::Started => started(a).cmp(&started(b)),
    }
}

/// States in the order in which they matter to someone who watches.
const fn rank(state: RowState) -> u8 {
    match state {
        RowState::Run(Status::Running) | RowState::Starting => 0,
        RowState::Run(Status::Paused) => 1,
        RowState::Run(Status::Failed) => 2,
        RowState::Run(Status::Stopped) => 3,
        RowState::Queued | RowState::Run(Status::Queued) => 4,
        RowState::NotRun => 5,
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

/// The mean of a column's metric.
pub(super) fn measured(field: Field, row: &Row, protocol: Protocol) -> Option<Measured> {
    let run = row.run.as_ref()?;
    let later = || run.result(protocol).stages.iter().filter(|stage| stage.stage >= 2);
    let metric = shown_key(field.metric()?, |key| later().any(|stage| stage.metrics.contains_key(key)));
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
