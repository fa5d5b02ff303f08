//! What every method recommends to a history that somebody typed, asked of a process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Query, QueryContext, RunStamp};
use crate::analysis::recommend::RecommendReport;
use crate::error::InputError;
use crate::files;

/// Ten items a run, twice.
const LARGEST: u64 = 64 << 20;

/// The lists of runs for one history, after a stage (from 1) and after the one before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TypedHistory {
    /// The project file.
    pub(crate) project: PathBuf,
    /// Ids of items, oldest first.
    pub(crate) history: Vec<String>,
    pub(crate) stage: usize,
    /// Lists hold only items that this many stages up to the stage brought; all items where there is none.
    pub(crate) new_items: Option<usize>,
    pub(crate) runs: Vec<RunStamp>,
}

impl Query for TypedHistory {
    type Answer = RecommendReport;

    const SUPERSEDES: bool = true;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<RecommendReport>, InputError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let to = std::env::temp_dir().join(format!("peso-recommend-{}-{number}.json", std::process::id()));
        let mut arguments: Vec<OsString> = vec!["recommend".into(), self.project.clone().into()];
        // Each for itself: an id may have a comma in it.
        arguments.extend(self.history.iter().flat_map(|item| ["--history".into(), item.into()]));
        arguments.extend(["--stage".into(), self.stage.to_string().into(), "--to".into(), to.clone().into()]);
        if let Some(stages) = self.new_items {
            arguments.extend(["--new-items".into(), stages.to_string().into()]);
        }
        for run in &self.runs {
            arguments.extend(["--run".into(), run.open()?.config().run.clone().into()]);
        }
        let ended = context.launcher.compute(&arguments, context.job);
        let text = files::read_text(&to, LARGEST);
        // Where nothing was written there is nothing to remove.
        let _ = files::remove(&to);
        let ended = ended?;
        if context.job.is_cancelled() {
            return Ok(None);
        }
        if ended.code != Some(0) {
            let words = ended.last_words.trim_start_matches("error: ");
            let words = if words.is_empty() { "the process was ended before it was done" } else { words };
            return Err(InputError::new(&self.project, words));
        }
        let report = serde_json::from_str(&text?);
        report.map(Some).map_err(|error| InputError::new(&to, format!("the answer cannot be read: {error}")))
    }
}
