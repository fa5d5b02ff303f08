//! The results of all runs, put together again only when some of them have changed.

use std::sync::Arc;

use super::{EachProtocol, RunView};
use crate::data::Protocol;
use crate::results::{Results, RunResult};

/// The results as tables and charts share them.
pub(super) struct SharedResults {
    project: String,
    /// What `side_by_side` was made of.
    of: Vec<EachProtocol<Arc<RunResult>>>,
    /// [`Results::side_by_side`] of the runs.
    pub(super) side_by_side: EachProtocol<Arc<Results>>,
    /// Changes when `side_by_side` does.
    pub(super) revision: u64,
}

impl SharedResults {
    pub(super) fn new(project: String) -> Self {
        Self { side_by_side: no_results(&project), project, of: Vec::new(), revision: 0 }
    }

    /// Takes over what these runs have measured.
    pub(super) fn update(&mut self, runs: &[Arc<RunView>]) {
        let same = |(run, of): (&Arc<RunView>, &EachProtocol<Arc<RunResult>>)| {
            run.results.iter().zip(of).all(|(one, other)| Arc::ptr_eq(one, other))
        };
        if runs.len() == self.of.len() && runs.iter().zip(&self.of).all(same) {
            return;
        }
        let catalogue = runs.iter().find_map(|run| run.config.catalogue);
        self.side_by_side = Protocol::ALL.map(|protocol| {
            let runs = runs.iter().map(|run| RunResult::clone(run.result(protocol))).collect();
            let read = Results { project: self.project.clone(), protocol, catalogue, runs };
            Arc::new(read.side_by_side())
        });
        self.of = runs.iter().map(|run| run.results.clone()).collect();
        self.revision += 1;
    }
}

/// The results of a project without runs.
pub(crate) fn no_results(project: &str) -> EachProtocol<Arc<Results>> {
    Protocol::ALL.map(|protocol| Arc::new(Results { project: project.to_owned(), protocol, ..Results::default() }))
}
