//! What `peso results --json` prints: the runs of a project, read back from their folders.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::project::Project;
use super::run_folder::RunFolder;
use crate::error::Unusable;

/// Results of all runs of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The project's name.
    pub project: String,
    /// Sorted by id.
    pub runs: Vec<RunResult>,
}

impl Results {
    /// Reads the results of a project's runs, sorted by run id, and says which run folders cannot be used.
    ///
    /// Runs that have not begun are left out. One folder may hold the runs of several project files: those that have
    /// neither this project's name nor its dataset belong to another.
    pub fn read(project: &Project, runs_dir: &Path) -> (Self, Vec<Unusable>) {
        let (folders, mut unusable) = RunFolder::list_all(runs_dir);
        let mut runs = Vec::new();
        for folder in folders.iter().filter(|folder| folder.config().belongs_to(project)) {
            match folder.reader().and_then(|reader| reader.result()) {
                Ok(run) if run.status == Status::Queued => {}
                Ok(run) => runs.push(run),
                Err(error) => unusable.push(error),
            }
        }
        (Self { project: project.name.clone(), runs }, unusable)
    }
}

/// Results of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The run's id: its folder's name.
    pub run: String,
    /// Name of the experiment.
    pub experiment: String,
    /// `frozen`, `single`, `sum_lora`, `peso`, `popularity`, `co_occurrence`.
    pub method: String,
    /// Seed of data order, dropout and initialisation.
    pub seed: u64,
    /// Where the run stands.
    pub status: Status,
    /// Device that the run was started on.
    pub device: String,
    /// Parameters that training changes.
    pub trainable_parameters: u64,
    /// Hash of the settings that decide the numbers.
    pub config_hash: String,
    /// Hash of the dataset.
    pub data_hash: String,
    /// Finished stages, from 1 on; `metrics` are those of the diagonal `R[t,t]`.
    pub stages: Vec<StageResult>,
    /// By metric, `R[i][j]`: the metric on the test set of stage j+1 after training stage i+1. It has a row for each
    /// stage measured so far; a cell that is not measured (yet) is NaN, in JSON null.
    pub matrix: BTreeMap<String, Vec<Vec<f64>>>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not begun.
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

/// Results of one stage of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageResult {
    /// Stage number, from 1.
    pub stage: usize,
    /// Training targets.
    pub train_examples: u64,
    /// Users tested on.
    pub test_users: u64,
    /// Wall time of training.
    pub train_seconds: f64,
    /// Wall time of evaluation.
    pub eval_seconds: f64,
    /// Most memory in use.
    pub peak_memory_bytes: u64,
    /// Mean training loss of the last epoch, in nats a response token.
    pub final_loss: f64,
    /// `hit@1` … `ndcg@20`, the same with `_corrected` (ties of shared ids by expectation; without it any item of the
    /// id is a hit, as released), `invalid_rate`.
    pub metrics: BTreeMap<String, f64>,
}
