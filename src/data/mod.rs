//! Interactions, items and stages: what every method trains and is tested on.

pub mod activity;
pub mod dataset;
pub mod drift;
pub mod formats;
mod hash;
mod load;
pub mod protocol;
pub mod source;
pub mod summary;
pub mod synthetic;

pub use dataset::{Dataset, Example, Item, Sequence, Stage};
pub use drift::{DataDrift, ItemVectors};
pub use protocol::Protocol;
pub use source::{DatasetSource, SyntheticOptions};
pub use summary::{StageSummary, Summary};
