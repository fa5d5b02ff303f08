//! What `peso results --json` prints: the runs of a project, read back from their folders.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::project::Project;
use super::run_folder::RunFolder;
use crate::data::Protocol;
use crate::error::Unusable;
use crate::measure::Continual;

/// Results of all runs of a project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Results {
    /// The project's name.
    pub project: String,
    /// How the stages were tested, of all that follows.
    pub protocol: Protocol,
    /// Sorted by id.
    pub runs: Vec<RunResult>,
}

impl Results {
    /// Reads the results of a project's runs under a protocol, sorted by run id, and says which run folders cannot be used.
    ///
    /// Runs that have not begun are left out. One folder may hold the runs of several project files: those that have
    /// neither this project's name nor its dataset belong to another.
    pub fn read(project: &Project, runs_dir: &Path, protocol: Protocol) -> (Self, Vec<Unusable>) {
        let (folders, mut unusable) = RunFolder::list_all(runs_dir);
        let mut runs = Vec::new();
        for folder in folders.iter().filter(|folder| folder.config().belongs_to(project)) {
            match folder.reader().and_then(|reader| reader.result(protocol)) {
                Ok(run) if run.status == Status::Queued => {}
                Ok(run) => runs.push(run),
                Err(error) => unusable.push(error),
            }
        }
        (Self { project: project.name.clone(), protocol, runs }, unusable)
    }
}

/// The error for a run that lacks a protocol.
pub fn not_measured(path: &Path, protocol: Protocol) -> Unusable {
    let setting = match protocol {
        Protocol::SameBlock => "SameBlock",
        Protocol::NextBlock => "NextBlock",
    };
    Unusable::new(path, format!("{} was not measured", protocol.key())).advice(format!(
        "set `evaluation: (protocol: {setting})`, or `Both`, in the project file and `peso run` again: what is trained is \
         kept and only measured"
    ))
}

/// Results of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// Protocols of which the run has measured cells.
    pub protocols: Vec<Protocol>,
    /// Finished stages, from 1 on; `metrics` are those of the newest model that may be asked: `R[t, t]` under same-block,
    /// `R[t-1, t]` under next-block.
    pub stages: Vec<StageResult>,
    /// By metric, what its matrix says; of metrics whose matrix is whole, which it never is under next-block.
    pub continual: BTreeMap<String, Continual>,
    /// By metric, `R[i][j]`: the metric on the test set of stage j+1 after training stage i+1. It has a row for each
    /// stage measured so far; a cell that is not measured (yet, or never under next-block) is NaN, in JSON null.
    pub matrix: BTreeMap<String, Vec<Vec<f64>>>,
}

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

/// Results of one stage of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StageResult {
    /// Stage number, from 1.
    pub stage: usize,
    /// Training targets.
    pub train_examples: u64,
    /// Users tested on.
    pub test_users: u64,
    /// Users active in the stage whom the protocol cannot ask: with fewer than 3 interactions in it (same-block), or with
    /// none before it (next-block); absent where that was not recorded.
    pub left_out_users: Option<u64>,
    /// Wall time of training.
    pub train_seconds: f64,
    /// Training targets a second over the optimiser's steps; absent where none was taken.
    pub train_examples_per_s: Option<f64>,
    /// Wall time of evaluation.
    pub eval_seconds: f64,
    /// Most memory in use.
    pub peak_memory_bytes: u64,
    /// Size of what the stage leaves on disk: its adapter and the trained token rows.
    pub stored_bytes: u64,
    /// Mean training loss of the last epoch, in nats a response token.
    pub final_loss: f64,
    /// `hit@1` … `ndcg@20`, the same with `_corrected` (ties of shared ids by expectation; without it any item of the
    /// id is a hit, as released), `invalid_rate`.
    pub metrics: BTreeMap<String, f64>,
}
