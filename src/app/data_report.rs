//! What the window shows of a project's data.

use std::ops::ControlFlow;
use std::path::Path;

use super::launcher::Waiting;
use crate::data::formats::{ImportError, ImportReport, Progress};
use crate::data::prepare::PrepareReport;
use crate::data::{DataDrift, Dataset, DatasetSource, Loaded, Summary};
use crate::error::Unusable;

/// A dataset with its figures.
#[derive(Debug)]
pub(crate) struct DataReport {
    pub(crate) dataset: Dataset,
    pub(crate) summary: Summary,
    pub(crate) drift: DataDrift,
    /// What became of imported interactions on the way; none for a dataset that comes in stages.
    pub(crate) import: Option<(ImportReport, PrepareReport)>,
    /// Why the items have no semantic ids; each stands as a code of its own then.
    pub(crate) lacks_ids: Option<Unusable>,
}

impl DataReport {
    /// Reads or generates a dataset, says how far it is, and measures it. None where nobody waits any more.
    pub(crate) fn read(
        source: &DatasetSource,
        index: Option<&Path>,
        folder: &Path,
        waiting: &Waiting,
    ) -> Result<Option<Self>, Unusable> {
        let mut watch = |progress: Progress| {
            say(waiting, progress);
            if waiting.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let Loaded { dataset, import, lacks_ids } = match Dataset::load_to_look_at(source, index, folder, &mut watch) {
            Ok(loaded) => loaded,
            Err(ImportError::Cancelled) => return Ok(None),
            Err(ImportError::Unusable(error)) => return Err(error),
        };
        if waiting.is_cancelled() {
            return Ok(None);
        }
        waiting.say("Measuring how far the stages lie apart");
        let (summary, drift) = (dataset.summary(), DataDrift::measure(&dataset, None));
        Ok(Some(Self { dataset, summary, drift, import, lacks_ids }))
    }
}

/// How far an import is.
pub(super) fn say(waiting: &Waiting, progress: Progress) {
    let Progress { done, total } = progress;
    if done >= total {
        return waiting.say("Preparing what was read");
    }
    let share = done as f64 / total as f64;
    let words =
        format!("Reading the files, {:.0} % of {:.0} MiB", (100.0 * share).floor(), total as f64 / f64::from(1 << 20));
    waiting.say_share(&words, share as f32);
}
