//! What vectors of items are made with that depends on other items, as it was when codebooks were trained: an item that comes later
//! gets its vector without a word of the other late ones, and those of published items stay as they were.

use super::interactions::Map;
use super::source::Centring;
use super::words::Rarity;

/// What a source has to know of the items that codebooks were trained on.
#[derive(Debug, Clone, PartialEq)]
pub enum Statistics {
    /// Nothing: each item has a vector of its own.
    None,
    /// How rare words are.
    Words(Rarity),
    /// Where the items of stage 1 lie. Its rows are those of the index's first items.
    Interactions(Map),
    /// Those of each source, and where its vectors lie.
    Several(Vec<(Statistics, Centring)>),
}
