//! What a method wants done in a stage, as data.

use super::federated::Federated;
use super::gradient_surgery::Ahead;
use super::lambda::Lambda;
use super::state::{Rows, State};
use super::term::Term;
use crate::model::Adapter;
pub use crate::model::adapter::Matrices;

/// Statistics of a model on a stage's data that a method asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatisticsRequest {
    /// The diagonal of the empirical Fisher information of the adapter, and of the trained token rows where they are held:
    /// the mean over examples of the squared gradient of the example's own loss, by parameter.
    Fisher { examples: usize, rows: Rows },
    /// The second moment `mean x xᵀ` of what modules read, `[in, in]`, by [`crate::model::llama::input_site`].
    Inputs { examples: usize },
}

/// What is known when a stage begins.
pub struct Stage<'a> {
    /// From 2.
    pub number: usize,
    /// The adapter after each earlier stage, oldest first; never empty.
    pub past: &'a [Adapter],
    /// The trained token rows after each earlier stage, oldest first; empty where [`super::AdapterMethod::rows`] leaves them free.
    pub rows: &'a [Matrices],
    /// What the method kept of each earlier stage, oldest first; empty where it keeps nothing.
    pub memories: &'a [Matrices],
    /// What [`super::AdapterMethod::statistics_before`] asked for.
    pub statistics: &'a Matrices,
    /// Draws a new adapter that adds nothing yet, from the stage's stream of a name.
    pub fresh: &'a dyn Fn(&str) -> Adapter,
}

impl Stage<'_> {
    /// The adapter after the last stage.
    pub fn latest(&self) -> Adapter {
        self.past.last().cloned().unwrap_or_default()
    }

    /// The states after all earlier stages, oldest first, as far as terms hold them.
    pub fn states(&self) -> Vec<State> {
        let rows = |index: usize| self.rows.get(index).cloned().unwrap_or_default();
        let state = |(index, adapter): (usize, &Adapter)| State { adapter: adapter.clone(), rows: rows(index) };
        self.past.iter().enumerate().map(state).collect()
    }
}

/// A stage that has ended, for a method to remember.
pub struct Ended<'a> {
    /// From 1.
    pub number: usize,
    /// Number of stages.
    pub of: usize,
    /// What [`super::AdapterMethod::statistics_after`] asked for.
    pub statistics: Matrices,
    /// What was kept of the stage before; none for stage 1.
    pub before: Option<&'a Matrices>,
}

/// What is done in a stage.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The adapter that the next stage calls the latest.
    pub main: Part,
    /// A second adapter that is trained after the main one, and predicts with it ([`super::AdapterMethod::combination`]).
    pub beside: Option<Part>,
}

/// The training of one adapter.
#[derive(Debug, Clone)]
pub struct Part {
    /// What training starts from.
    pub start: Adapter,
    /// Frozen adapters that the forward pass adds, oldest first.
    pub added: Vec<Adapter>,
    /// Whether the current adapter and each of the added ones has a learned magnitude, 1 at first.
    pub magnitudes: bool,
    /// Whether A is trained; B always is.
    pub trains_a: bool,
    pub data: Data,
    pub origin: Origin,
    pub terms: Vec<Term>,
    /// How the terms' weight is found. Where it is no number, they are planned with the weight 1, times what the rule finds.
    pub lambda: Lambda,
    /// A first step before training, measured on the stage's data.
    pub ahead: Option<Ahead>,
    /// The clients that train it, where it is not trained in one place.
    pub federation: Option<Federated>,
}

/// What a stage is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// Its own examples.
    Stage,
    /// Its own and all earlier ones.
    History,
    /// Its own and a sample of so many earlier ones.
    Replay { examples: usize },
}

/// The model that a start is put on: its token rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// As the last stage left it.
    Latest,
    /// As stage 1 left it.
    First,
    /// The base model; epochs and learning rate are those of stage 1 too.
    Base,
}

impl Part {
    /// Training on the stage's examples with cross-entropy alone.
    pub fn from(start: Adapter) -> Self {
        Self {
            start,
            added: Vec::new(),
            magnitudes: false,
            trains_a: true,
            data: Data::Stage,
            origin: Origin::Latest,
            terms: Vec::new(),
            lambda: Lambda::Fixed(1.0),
            ahead: None,
            federation: None,
        }
    }
}

impl From<Part> for Plan {
    fn from(main: Part) -> Self {
        Self { main, beside: None }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::model::adapter::{Matrix, Pair};

    /// An adapter of rank 1 on one module `m`, two wide.
    pub fn adapter(a: [f32; 2], b: [f32; 2]) -> Adapter {
        let pair = Pair {
            a: Matrix { rows: 1, columns: 2, values: a.to_vec() },
            b: Matrix { rows: 2, columns: 1, values: b.to_vec() },
        };
        Adapter { modules: [("m".to_owned(), pair)].into() }
    }

    /// A stage with that past, whose fresh adapters are all `[5, 6]`, `[0, 0]`.
    pub fn stage(past: &[Adapter]) -> Stage<'_> {
        const NONE: &Matrices = &Matrices::new();
        let fresh: &dyn Fn(&str) -> Adapter = &|_| adapter([5.0, 6.0], [0.0, 0.0]);
        Stage { number: past.len() + 1, past, rows: &[], memories: &[], statistics: NONE, fresh }
    }
}
