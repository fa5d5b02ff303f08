//! What the gates of the open project said when they were last looked at.

use super::queries::decision::Decided;
use crate::results::decision::{Decision, State};

#[derive(Debug, Default)]
pub(crate) struct GateWatch {
    /// What is asked now, and what that depends on.
    pub(crate) asked: Option<(Asked, Decided)>,
    /// The last answer, and what it answers.
    pub(crate) known: Option<(Decided, Decision)>,
}

/// What a decision depends on, to tell whether it is to be asked for anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Of the project, the results and the rows.
    pub(crate) revisions: [u64; 3],
    pub(crate) baseline: String,
}

impl GateWatch {
    /// Takes in an answer; what flipped since the last one by the same gates against the same baseline, in words.
    pub(crate) fn look(&mut self, query: &Decided, decision: &Decision) -> Option<String> {
        let known = self.known.take();
        let comparable =
            known.filter(|(of, _)| of.baseline == query.baseline && of.project.gates() == query.project.gates());
        let flipped = comparable.map(|(_, before)| flips(&before, decision)).unwrap_or_default();
        self.known = Some((query.clone(), decision.clone()));
        let first = flipped.first()?;
        Some(match flipped.len() - 1 {
            0 => first.clone(),
            more => format!("{first}, and {more} more"),
        })
    }
}

/// The gates that another state was found for, as `PESO: gain passed now (Ship)`.
fn flips(before: &Decision, now: &Decision) -> Vec<String> {
    let state = |method: &str, gate| {
        let method = before.methods.iter().find(|found| found.name == method)?;
        method.gates.iter().find(|found| found.gate == gate).map(|found| found.state)
    };
    let mut flipped = Vec::new();
    for method in &now.methods {
        for gate in &method.gates {
            if state(&method.name, gate.gate).is_some_and(|earlier: State| earlier != gate.state) {
                flipped.push(format!("{}: {} {} now ({})", method.name, gate.gate, gate.state, method.outcome));
            }
        }
    }
    flipped
}
