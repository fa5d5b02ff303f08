//! Results by slice: means of the lines of a project on kinds of users and targets, and how far these lie apart.

use std::path::Path;

use serde::Serialize;

use super::paired::{UserMetric, all_scores};
use super::project::Project;
use crate::data::Protocol;
use crate::error::Unusable;
use crate::measure::slice_means::{Dispersion, SliceMean, dispersion, slice_means};
use crate::measure::statistics::{Bootstrap, LEVEL};

/// One line of a project by slice, over the tests of the stages from 2 on, each of which weighs the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlicedLine {
    /// Name of the experiment or counting baseline.
    pub experiment: String,
    pub metric: String,
    /// By dimension; slices without a test are left out.
    pub slices: Vec<SliceMean>,
    pub dispersion: Vec<Dispersion>,
}

/// Resamples of an interval: it is shown, not tested, so fewer do than in a comparison.
const RESAMPLES: usize = 2_000;

/// The lines of a project as it is now that have a finished run, by slice, for each metric.
///
/// # Errors
/// Those of `user_scores`; or the runs have no slices recorded.
pub fn sliced(
    project: &Project,
    runs_dir: &Path,
    protocol: Protocol,
    metrics: &[UserMetric],
) -> Result<Vec<SlicedLine>, Unusable> {
    let bootstrap = Bootstrap { resamples: RESAMPLES, level: LEVEL, seed: 0 };
    let mut found = Vec::new();
    for &metric in metrics {
        let (lines, slices) = all_scores(project, runs_dir, metric, protocol)?;
        for line in lines {
            let values: Vec<Vec<f64>> = line.values.iter().map(|of_seed| of_seed.concat()).collect();
            let means = slice_means(&values, &slices, &bootstrap).map_err(|problem| {
                Unusable::new(runs_dir, format!("{} cannot be sliced: {problem}", line.name))
                    .advice("start the runs over with `--fresh`")
            })?;
            let (experiment, metric) = (line.name, metric.to_string());
            found.push(SlicedLine { experiment, metric, dispersion: dispersion(&means), slices: means });
        }
    }
    Ok(found)
}
