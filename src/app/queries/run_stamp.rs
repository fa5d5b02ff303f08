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

    /// Opens the run's folder.
    ///
    /// # Errors
    /// It is gone, or its configuration cannot be read.
    pub(super) fn open(&self) -> Result<RunFolder, InputError> {
        RunFolder::open(&self.folder)
    }
}
