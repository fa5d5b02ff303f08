//! Interactions, items and stages: what every method trains and is tested on.

pub mod activity;
pub mod bundle;
pub(crate) mod cache;
pub mod catalogue;
pub mod dataset;
pub mod drift;
pub mod formats;
mod hash;
pub mod interactions;
pub mod item_tree;
mod known_items;
pub mod load;
mod names;
pub mod prepare;
pub mod preview;
pub mod protocol;
pub mod source;
pub mod summary;
pub mod synthetic;
pub mod term;
pub mod timeline;
mod variant_name;

pub use self::activity::{ByStage, UserGroup};
pub use self::catalogue::Catalogue;
pub use self::dataset::{Dataset, Example, Item, Sequence, Stage};
pub use self::drift::{DataDrift, ItemVectors};
pub use self::formats::options::Import;
pub use self::item_tree::ItemTree;
pub use self::known_items::KnownItems;
pub use self::load::{Imported, Loaded};
pub use self::prepare::{Prepare, Prepared, StageCuts};
pub use self::protocol::Protocol;
pub use self::source::DatasetSource;
pub use self::summary::{StageSummary, Summary};
pub use self::synthetic::SyntheticOptions;
pub use self::timeline::Timeline;
