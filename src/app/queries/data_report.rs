//! What the window shows of a project's data.

use std::ops::ControlFlow;
use std::path::Path;

use super::browse::Browse;
use crate::app::launcher::JobHandle;
use crate::data::bundle::DataBundle;
use crate::data::formats::{ImportError, ImportReport, Progress};
use crate::data::prepare::PrepareReport;
use crate::data::{DataDrift, Dataset, DatasetSource, Loaded, Summary};
use crate::error::InputError;
use crate::id_training::words;

/// A dataset with its figures.
#[derive(Debug)]
pub(crate) struct DataReport {
    pub(crate) dataset: Dataset,
    pub(crate) summary: Summary,
    pub(crate) drift: DataDrift,
    /// What became of imported interactions on the way; none for a dataset that comes in stages.
    pub(crate) import: Option<(ImportReport, PrepareReport)>,
    /// Why the items have no semantic ids, or not those that the project asks for.
    pub(crate) missing_ids: Option<InputError>,
    /// Whether nobody has made them yet.
    pub(crate) ids_not_made: bool,
    /// What lists of its items and users are drawn from.
    pub(crate) browse: Browse,
}

impl DataReport {
    /// What a bundle of results says of its data.
    pub(crate) fn of_bundle(folder: &Path) -> Result<Self, InputError> {
        let bundle = DataBundle::read(folder)?;
        let dataset = bundle.dataset();
        let browse = Browse::new(&dataset, Vec::new());
        let DataBundle { summary, drift, .. } = bundle;
        Ok(Self { dataset, summary, drift, import: None, missing_ids: None, ids_not_made: false, browse })
    }

    /// Reads or generates a dataset, says how far it is, and measures it. None where it was cancelled.
    pub(crate) fn read(
        source: &DatasetSource,
        index: Option<&Path>,
        folder: &Path,
        job: &JobHandle,
    ) -> Result<Option<Self>, InputError> {
        let mut on_progress = |progress: Progress| {
            say(job, progress);
            if job.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let Loaded { dataset, import, texts, missing_ids } =
            match Dataset::load_for_display(source, index, folder, &mut on_progress) {
                Ok(loaded) => loaded,
                Err(ImportError::Cancelled) => return Ok(None),
                Err(ImportError::Input(error)) => return Err(error),
            };
        if job.is_cancelled() {
            return Ok(None);
        }
        job.say("Measuring how far the stages lie apart");
        let (summary, drift) = (dataset.summary(), words::data_drift(&dataset));
        let browse = Browse::new(&dataset, texts);
        let ids_not_made = missing_ids.as_ref().is_some_and(|error| !error.path.exists());
        Ok(Some(Self { dataset, summary, drift, import, missing_ids, ids_not_made, browse }))
    }
}

/// How far an import is.
pub(super) fn say(job: &JobHandle, progress: Progress) {
    let Progress { done, total } = progress;
    if done >= total {
        return job.say("Preparing what was read");
    }
    let share = done as f64 / total as f64;
    let words =
        format!("Reading the files, {:.0} % of {:.0} MiB", (100.0 * share).floor(), total as f64 / f64::from(1 << 20));
    job.say_share(&words, share as f32);
}
