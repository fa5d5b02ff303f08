//! Steering by hand: the process that scores what the sliders say, and what it has answered.
//!
//! The window sends lines and goes on; answers come as messages. The process ends when its input is closed, which the end of the
//! window does as well.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::launcher::JobHandle;
use crate::analysis::steer::protocol::{Answer, Description, Ends, Hits, Merged, Order, Request, Search, UserList};
use crate::error::InputError;
use crate::method::steered::Coefficients;

/// The step that is steered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepOf {
    /// The run's folder.
    pub(crate) run: PathBuf,
    /// A run that is started over keeps its folder.
    pub(crate) started: u64,
    /// From 2.
    pub(crate) stage: usize,
}

/// Where the sliders stand, and whose list is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Position {
    pub(crate) coefficients: Coefficients,
    /// As the files name the user; the first of the sample where none is chosen.
    pub(crate) user: Option<String>,
}

/// What a panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SteerAction {
    /// Show what the model does there.
    Move(StepOf, Position),
    /// Search the best coefficient of the whole step.
    FindBest,
    /// Ask where the steered adapter is to be written to.
    Export(Coefficients),
    /// Start the process again after it failed.
    Restart,
}

/// The process of a step, and what it has said.
#[derive(Debug)]
pub(crate) struct Steering {
    /// Tells its messages from those of an earlier process.
    pub(crate) number: u64,
    pub(crate) of: StepOf,
    orders: Sender<String>,
    job: Arc<JobHandle>,
    sent: u64,
    pub(crate) position: Option<Position>,
    pub(crate) description: Option<Description>,
    pub(crate) list: Option<UserList>,
    pub(crate) hits: Option<Hits>,
    pub(crate) ends: Option<Ends>,
    pub(crate) search: Option<Search>,
    pub(crate) merged: Option<Merged>,
    /// Why the last request has no answer.
    pub(crate) refused: Option<String>,
    /// Why the process ended.
    pub(crate) ended: Option<InputError>,
    /// What the open dialog is to export.
    pub(crate) exporting: Option<Coefficients>,
}

impl Steering {
    pub(crate) fn new(number: u64, of: StepOf, orders: Sender<String>, job: Arc<JobHandle>) -> Self {
        Self {
            number,
            of,
            orders,
            job,
            sent: 0,
            position: None,
            description: None,
            list: None,
            hits: None,
            ends: None,
            search: None,
            merged: None,
            refused: None,
            ended: None,
            exporting: None,
        }
    }

    /// Asks what the model does at a position, unless that is what was asked last.
    pub(crate) fn move_to(&mut self, position: Position) {
        if self.position.as_ref() == Some(&position) {
            return;
        }
        self.sent += 1;
        let Position { coefficients, user } = position.clone();
        self.order(&Order::Steer(Request { id: self.sent, coefficients, user }));
        self.position = Some(position);
    }

    /// Searches the best coefficient, unless that goes on or is done.
    pub(crate) fn find_best(&mut self) {
        if self.search.is_none() {
            self.search = Some(Search::default());
            self.order(&Order::FindBest);
        }
    }

    fn order(&self, order: &Order) {
        // A process that has ended says so by itself.
        if let Ok(line) = serde_json::to_string(order) {
            let _ = self.orders.send(line);
        }
    }

    /// Whether all of the newest request is answered.
    pub(crate) fn is_settled(&self) -> bool {
        self.hits.as_ref().is_some_and(|hits| hits.id == self.sent && hits.users == hits.of)
    }

    /// Takes in a line of the process. What an older request still says is shown as long as the newer one has said nothing.
    pub(crate) fn hear(&mut self, line: &str) {
        let Ok(answer) = serde_json::from_str::<Answer>(line) else { return };
        match answer {
            Answer::Ready(description) => self.description = Some(*description),
            Answer::List(list) => (self.list, self.refused) = (Some(list), None),
            Answer::Hits(hits) => self.hits = Some(hits),
            Answer::Superseded { .. } => {}
            Answer::Ends(ends) => self.ends = Some(ends),
            Answer::Best(search) => self.search = Some(search),
            Answer::Merged(merged) => self.merged = Some(merged),
            Answer::Failed { message, .. } => self.refused = Some(message),
        }
    }
}

impl Drop for Steering {
    fn drop(&mut self) {
        self.job.cancel();
    }
}
