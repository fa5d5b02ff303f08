//! Analyses that a process of its own computes, and that are kept in the run's folder.

use std::ffi::OsString;

use super::{Query, QueryContext, RunStamp};
use crate::analysis::meaning::{self, MeaningReport};
use crate::analysis::retention::{self, RetentionReport};
use crate::error::InputError;
use crate::run::RunFolder;

/// Whether an analysis is only looked up in the run's folder, or computed by a process where it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnalysisSource {
    Cached,
    Computed,
}

/// Predicted and measured retention of a stage (from 1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Retention {
    pub(crate) run: RunStamp,
    pub(crate) stage: usize,
    pub(crate) source: AnalysisSource,
}

impl Query for Retention {
    type Answer = RetentionReport;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<RetentionReport>, InputError> {
        let folder = self.run.open()?;
        let arguments = ["--stage", &self.stage.to_string()].map(OsString::from);
        let process = AnalysisProcess { subcommand: "retention", arguments: &arguments, source: self.source };
        process.report(&folder, |folder| retention::cached(folder, self.stage), context)
    }
}

/// What the directions of a module mean after a stage (from 1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) run: RunStamp,
    pub(crate) stage: usize,
    pub(crate) module: String,
    pub(crate) source: AnalysisSource,
}

impl Query for Meaning {
    type Answer = MeaningReport;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<MeaningReport>, InputError> {
        let folder = self.run.open()?;
        let arguments = ["--stage", &self.stage.to_string(), "--module", &self.module].map(OsString::from);
        let process = AnalysisProcess { subcommand: "interpret", arguments: &arguments, source: self.source };
        process.report(&folder, |folder| meaning::cached(folder, self.stage, &self.module), context)
    }
}

/// The process that computes an analysis: `peso SUBCOMMAND RUN ARGUMENTS…`.
struct AnalysisProcess<'a> {
    subcommand: &'a str,
    arguments: &'a [OsString],
    source: AnalysisSource,
}

impl AnalysisProcess<'_> {
    /// What `cached` finds in a run's folder, computed by the process where it is not there and wanted.
    fn report<T>(
        &self,
        folder: &RunFolder,
        cached: impl Fn(&RunFolder) -> Option<T>,
        context: &QueryContext<'_>,
    ) -> Result<Option<T>, InputError> {
        let known = cached(folder);
        if known.is_some() || self.source == AnalysisSource::Cached {
            return Ok(known);
        }
        let mut arguments: Vec<OsString> = vec![self.subcommand.into(), folder.path().into()];
        arguments.extend_from_slice(self.arguments);
        let ended = context.launcher.compute(&arguments, context.job)?;
        if context.job.is_cancelled() {
            return Ok(None);
        }
        match cached(folder) {
            Some(report) if ended.code == Some(0) => Ok(Some(report)),
            _ if ended.last_words.is_empty() => {
                Err(InputError::new(folder.path(), "the worker was ended before it was done"))
            }
            _ => Err(InputError::new(folder.path(), ended.last_words)),
        }
    }
}
