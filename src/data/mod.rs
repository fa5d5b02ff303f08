//! Interactions, items and stages: what every method trains and is tested on.

pub mod preview;

pub mod activity;
pub(crate) mod cache;
pub mod catalogue;
pub mod dataset;
pub mod drift;
pub mod formats;
mod hash;
pub mod interactions;
pub mod item_tree;
pub mod load;
mod names;
pub mod prepare;
pub mod protocol;
pub mod source;
pub mod summary;
pub mod synthetic;
pub mod timeline;

pub use activity::{ByStage, UserGroup};
pub use catalogue::Catalogue;
pub use dataset::{Dataset, Example, Item, Sequence, Stage};
pub use drift::{DataDrift, ItemVectors};
pub use item_tree::ItemTree;
pub use load::{Imported, Loaded};
pub use prepare::{Prepare, Prepared, StageCuts};
pub use protocol::Protocol;
pub use source::{DatasetSource, Import, SyntheticOptions};
pub use summary::{StageSummary, Summary};
pub use timeline::Timeline;
