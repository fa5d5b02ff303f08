//! Which values of lambda are certified.

use std::sync::Arc;

use super::decision::finished_runs;
use super::{Pool, Query, QueryContext, same_project};
use crate::app::rows::Row;
use crate::error::InputError;
use crate::project::Project;
use crate::results::certificate::{Certificate, CertificateRequest, NoCertificate};

/// The certificate of a project's grid of lambda; takes from a part of a second to many.
#[derive(Debug, Clone)]
pub(crate) struct Certified {
    project: Arc<Project>,
    pub(crate) request: CertificateRequest,
    /// Ids of the finished runs, and when each was started.
    runs: Vec<(String, u64)>,
}

impl Certified {
    pub(crate) fn of(rows: &[Row], project: Arc<Project>, request: CertificateRequest) -> Self {
        let runs = finished_runs(rows, &project);
        Self { project, request, runs }
    }
}

impl PartialEq for Certified {
    fn eq(&self, other: &Self) -> bool {
        (&self.request, &self.runs) == (&other.request, &other.runs) && same_project(&self.project, &other.project)
    }
}

impl Query for Certified {
    /// Or what is missing for it.
    type Answer = Result<Certificate, NoCertificate>;

    const POOL: Pool = Pool::Verdicts;
    // While the limit is dragged along nobody waits for what it was a moment ago.
    const SUPERSEDES: bool = true;

    fn follows(&self, earlier: &Self) -> bool {
        same_project(&self.project, &earlier.project)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Self::Answer>, InputError> {
        match Certificate::of_project(&self.project, &self.project.runs_dir(None), &self.request) {
            Err(NoCertificate::Unreadable(error)) => Err(error),
            found => Ok(Some(found)),
        }
    }
}
