//! The charts of pinned figures.

use std::sync::Arc;

use super::{Pool, Query, QueryContext, RunStamp, same_project};
use crate::error::InputError;
use crate::figures::board::{Contexts, drawn};
use crate::plot::Chart;
use crate::project::Project;
use crate::project::board::PinnedFigure;

/// The charts of a pinned figure under their own words, as its runs are now.
#[derive(Debug, Clone)]
pub(crate) struct PinnedCharts {
    /// Without its board: what is told of a figure changes no chart.
    pub(crate) project: Arc<Project>,
    /// Without words of its own.
    pub(crate) pinned: PinnedFigure,
    /// The runs that it shows.
    pub(crate) runs: Vec<ShownRun>,
}

/// A run at one moment. One that is finished is drawn in another way than one that has yet to say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownRun {
    pub(crate) run: RunStamp,
    pub(crate) finished: bool,
}

impl PartialEq for PinnedCharts {
    fn eq(&self, other: &Self) -> bool {
        self.pinned == other.pinned && self.runs == other.runs && same_project(&self.project, &other.project)
    }
}

impl Query for PinnedCharts {
    type Answer = Vec<Arc<Chart>>;

    const POOL: Pool = Pool::Board;

    // Whatever happens to runs or project, the figure of before is worth more than a spinner.
    fn follows(&self, earlier: &Self) -> bool {
        self.pinned == earlier.pinned
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Vec<Arc<Chart>>>, InputError> {
        let contexts = Contexts::new(&self.project, &self.project.runs_dir(None));
        let charts = drawn(&contexts, &self.pinned)?;
        Ok(Some(charts.into_iter().map(|named| Arc::new(named.chart)).collect()))
    }
}
