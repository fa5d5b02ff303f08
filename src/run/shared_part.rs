//! What runs of a seed share, and the folders it lies in: a compact base model, and stage 1.

use std::collections::BTreeSet;
use std::path::Path;

use super::config::{RunConfig, RunMethod};
use super::folder::RunFolder;
use super::planned::PlannedRun;
use crate::error::InputError;
use crate::method::MethodOptions;
use crate::model::BaseModel;
use crate::project::Project;
use crate::project::slug::SHARED_PREFIX;

pub use super::config::BASE;

/// Name of stage 1 as a shared part.
pub const FIRST: &str = "stage1";

/// What says which runs share a part, but for data, model and device, which are the same for all runs of a worker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedPart {
    name: &'static str,
    seed: u64,
    config_hash: String,
}

impl SharedPart {
    /// The part that lies in a shared folder.
    pub fn of(config: &RunConfig) -> Self {
        let is_base = config.run.strip_prefix(SHARED_PREFIX).is_some_and(|rest| rest.starts_with(BASE));
        let name = if is_base { BASE } else { FIRST };
        Self { name, seed: config.seed, config_hash: config.config_hash.clone() }
    }

    /// [`BASE`] or [`FIRST`].
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// The parts that runs of a project (with their training settings) share under a seed, in the order in which they are made.
///
/// # Errors
/// As [`RunConfig::hash_of`].
pub fn parts(project: &Project, seed: u64) -> Result<Vec<SharedPart>, InputError> {
    let frozen = RunMethod::Learned(MethodOptions::Frozen);
    let part = |name, config_hash: Result<_, _>| Ok(SharedPart { name, seed, config_hash: config_hash? });
    let base =
        matches!(project.base_model, BaseModel::Compact(_)).then(|| part(BASE, RunConfig::hash_of_base(project)));
    base.into_iter().chain([part(FIRST, RunConfig::hash_of(project, &frozen))]).collect()
}

/// By shared part of a name, [`BASE`] or [`FIRST`]: the first of the runs that need it.
///
/// # Errors
/// As [`RunConfig::hash_of`].
pub fn makers(project: &Project, runs: &[PlannedRun], name: &str) -> Result<Vec<PlannedRun>, InputError> {
    let (mut made, mut makers) = (BTreeSet::new(), Vec::new());
    for run in runs {
        for part in needed(project, run)? {
            if part.name == name && made.insert(part) {
                makers.push(run.clone());
            }
        }
    }
    Ok(makers)
}

/// The parts that a run needs, in the order in which they are made; none where it adapts no language model.
///
/// # Errors
/// As [`RunConfig::hash_of`].
pub fn needed(project: &Project, run: &PlannedRun) -> Result<Vec<SharedPart>, InputError> {
    match run.method {
        RunMethod::Learned(_) if run.method.adapter_method().is_some() => parts(&run.project(project), run.seed),
        _ => Ok(Vec::new()),
    }
}

/// The folders of shared parts beside the runs.
pub fn folders(runs_dir: &Path) -> Vec<RunFolder> {
    let entries = std::fs::read_dir(runs_dir).into_iter().flatten().flatten();
    let shared = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(SHARED_PREFIX));
    shared.filter_map(|entry| RunFolder::open(&entry.path()).ok()).collect()
}
