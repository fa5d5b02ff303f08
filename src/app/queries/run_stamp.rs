//! A run at one moment.

use std::path::PathBuf;

use crate::app::watch::RunView;
use crate::error::InputError;
use crate::run::RunFolder;

/// A run at one moment: queries about equal stamps have equal answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunStamp {
    folder: PathBuf,
    /// A run that is started over keeps its folder.
    started: u64,
    /// Stages that are finished.
    stages: usize,
}

impl RunStamp {
    pub(crate) fn of(run: &RunView) -> Self {
        let stages = run.stages.iter().filter(|stage| stage.finished).count();
        Self { folder: run.folder.clone(), started: run.config.created_unix, stages }
    }

    /// The run as far as a stage (from 1), which what comes after it does not change.
    pub(crate) fn until(run: &RunView, stage: usize) -> Self {
        let now = Self::of(run);
        Self { stages: now.stages.min(stage), ..now }
    }

    /// Whether it is the same run, further on.
    pub(crate) fn follows(&self, earlier: &Self) -> bool {
        (&self.folder, self.started) == (&earlier.folder, earlier.started) && self.stages > earlier.stages
    }

    /// Opens the run's folder.
    ///
    /// # Errors
    /// It is gone, or its configuration cannot be read.
    pub(super) fn open(&self) -> Result<RunFolder, InputError> {
        RunFolder::open(&self.folder)
    }
}
