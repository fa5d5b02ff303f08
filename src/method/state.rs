//! What a term pulls toward: a past state of an adapter, and of the trained token rows where they are held too.

use serde::{Deserialize, Serialize};

use crate::model::Adapter;
use crate::model::adapter::{Matrices, Matrix};
use crate::schema::{Choice, Field, Kind};

/// Whether a term holds the token rows of embedding and head that are trained beside the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Rows {
    /// Nothing holds them, as released.
    #[default]
    Free,
    /// The same term as the adapter's, each table a group.
    Pulled,
}

/// [`Rows`] as an option.
pub(super) const ROWS: Field = Field {
    path: "rows",
    label: "Token rows",
    help: "Whether the trained rows of embedding and head, which learn beside the adapter, are held as well",
    kind: Kind::Choice(&[
        Choice::plain("Free", "Free", "Only the adapter is held, as released"),
        Choice::plain(
            "Pulled",
            "Pulled",
            "The trained rows are held with the same term; no effect where none are trained",
        ),
    ]),
};

/// A past state that pulls.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    pub adapter: Adapter,
    /// Trained token rows by parameter name, `[tokens, width]`; empty where they are free.
    pub rows: Matrices,
}

impl From<Adapter> for State {
    fn from(adapter: Adapter) -> Self {
        Self { adapter, rows: Matrices::new() }
    }
}

impl State {
    /// Every parameter that pulls, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (String, &Matrix)> {
        self.adapter.parameters().chain(self.rows.iter().map(|(name, matrix)| (name.clone(), matrix)))
    }

    /// `share · self + (1 - share) · other`, parameter by parameter.
    pub(super) fn weighted(mut self, other: &Self, share: f32) -> Self {
        let mix = |mine: &mut Matrix, other: &Matrix| {
            mine.values.iter_mut().zip(&other.values).for_each(|(v, w)| *v = share * *v + (1.0 - share) * w);
        };
        for (name, pair) in &mut self.adapter.modules {
            if let Some(other) = other.adapter.modules.get(name) {
                mix(&mut pair.a, &other.a);
                mix(&mut pair.b, &other.b);
            }
        }
        for (name, rows) in &mut self.rows {
            if let Some(other) = other.rows.get(name) {
                mix(rows, other);
            }
        }
        self
    }
}
