//! Where a run stands, and how it ended.

use serde::{Deserialize, Serialize};

use crate::error::RunError;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not begun.
    #[default]
    Queued,
    /// A worker trains it.
    Running,
    /// A worker waits for the user.
    Paused,
    /// Ended before it was done, by the user or with its worker; it can be resumed.
    Stopped,
    /// Ended by an error; it can be resumed.
    Failed,
    /// All stages are trained and measured.
    Finished,
}

impl Status {
    const ALL: [Self; 6] = [Self::Queued, Self::Running, Self::Paused, Self::Stopped, Self::Failed, Self::Finished];

    /// The word in results and run folders.
    pub fn key(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Finished => "finished",
        }
    }

    /// The status with that [`Status::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    pub run: String,
    pub experiment: String,
    pub status: Status,
    pub reason: Option<String>,
    /// It was not begun, since an input cannot be used: to resume it changes nothing.
    pub unusable_input: bool,
}

impl RunOutcome {
    /// Of a run that could not be started.
    pub fn not_started(experiment: &str, seed: u64, failure: &RunError) -> Self {
        let unusable_input = matches!(failure, RunError::Input(_));
        Self { unusable_input, ..Self::without_worker(experiment, seed, failure.to_string()) }
    }

    /// Of a run that no worker is at any more, and whose id nobody told.
    pub fn without_worker(experiment: &str, seed: u64, reason: String) -> Self {
        Self {
            run: format!("{experiment}, seed {seed},"),
            experiment: experiment.to_owned(),
            status: Status::Failed,
            reason: Some(reason),
            unusable_input: false,
        }
    }
}
