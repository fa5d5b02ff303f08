//! Semantic ids: each item is a short sequence of code tokens, and a trie of the sequences that exist.

pub mod clustering;
pub mod index;
pub mod trie;

pub use index::{IdCounts, SemanticIndex};
pub use trie::Trie;
