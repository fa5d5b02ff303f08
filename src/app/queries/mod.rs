//! What panels want to know beyond the runs' own results, computed in the background and kept.
//!
//! A query is a small struct, and the type of its answer belongs to it ([`Query`]). A panel looks for the answer with
//! [`Queries::get`]; where it is not there yet, the panel hands up the action to compute it. One cache, [`Queries`], holds the answers of all queries and limits how many are kept and how many are computed at a time.

pub(crate) mod alarm;
pub(crate) mod analyses;
pub(crate) mod board;
pub(crate) mod browse;
pub(crate) mod certificate;
pub(crate) mod comparison;
pub(crate) mod data;
pub(crate) mod data_report;
pub(crate) mod decision;
pub(crate) mod model;
pub(crate) mod predictions;
pub(crate) mod recommend;
pub(crate) mod regimes;
pub(crate) mod semantic_ids;
pub(crate) mod subspace;

mod cache;
mod request;
mod run_stamp;

use std::fmt::Debug;
use std::sync::Arc;

pub(crate) use self::cache::{Job, Queries};
pub(crate) use self::request::{AnyAnswer, Request};
pub(crate) use self::run_stamp::RunStamp;
use super::launcher::{JobHandle, Launcher};
use crate::error::InputError;
use crate::project::Project;

/// Whether two queries are of the same project, which is asked in every frame: most often it is the very same.
fn same_project(one: &Arc<Project>, other: &Arc<Project>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// Something to be computed off the window's thread. Equal queries have equal answers.
pub(crate) trait Query: Clone + Debug + PartialEq + Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Whose limits it shares.
    const POOL: Pool = Pool::General;
    /// Answers of this kind that are kept, where that is fewer than the pool keeps.
    const MAX_KEPT: usize = usize::MAX;
    /// Whether it takes the place of another of its kind that is being computed: a project has one dataset, and while its
    /// options are dragged along nobody waits for what they were a moment ago.
    const SUPERSEDES: bool = false;

    /// Whether it asks what `earlier` asked of a run that has gone on since: the answer to that one is shown until its own is
    /// there.
    fn follows(&self, _earlier: &Self) -> bool {
        false
    }

    /// Computes the answer, which may take long. None where it was cancelled, and of what is only looked up and is not there.
    ///
    /// # Errors
    /// What is read is missing or unusable, or a process that computes it failed.
    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<Self::Answer>, InputError>;
}

/// What a query is computed with.
#[derive(Clone, Copy)]
pub(crate) struct QueryContext<'a> {
    /// Starts processes, for what the window's own process should not compute.
    pub(crate) launcher: &'a dyn Launcher,
    /// Takes progress, and tells when nobody waits any more.
    pub(crate) job: &'a JobHandle,
}

/// Queries that share limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    General,
    /// Statistics of a comparison, which users switch through metric by metric.
    Verdicts,
    Slices,
    /// Figures of the board, all of which are on the screen in turn.
    Board,
}

impl Pool {
    /// Queries that are computed at a time: the machine trains beside it.
    const fn max_running(self) -> usize {
        match self {
            Self::General => 2,
            Self::Verdicts | Self::Slices | Self::Board => 1,
        }
    }

    /// Answers that are kept; of the comparison as many as metrics and baselines that someone looks at in turn.
    const fn max_kept(self) -> usize {
        match self {
            Self::General => 24,
            Self::Verdicts | Self::Slices => 32,
            Self::Board => 96,
        }
    }
}

/// Where a query stands.
#[derive(Debug)]
pub(crate) enum Answer<'a, T> {
    /// It is being computed, or nobody has asked for that yet.
    Pending,
    Ready(&'a T),
    Failed(&'a InputError),
    /// The user cancelled it, or what was looked up is not there.
    Cancelled,
}

// Derived, they would ask for a `T` that can be copied.
impl<T> Clone for Answer<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Answer<'_, T> {}

impl<'a, T> Answer<'a, T> {
    /// The answer, if there is one.
    pub(crate) const fn ready(self) -> Option<&'a T> {
        match self {
            Self::Ready(answer) => Some(answer),
            Self::Pending | Self::Failed(_) | Self::Cancelled => None,
        }
    }
}
