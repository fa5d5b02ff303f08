//! Semantic ids: each item is a short sequence of code tokens, and a trie of the sequences that exist.

pub mod clustering;
pub mod codebooks;
pub mod free_ids;
pub mod index;
pub mod manifest;
pub mod trie;

pub use codebooks::Codebooks;
pub use index::{IdCounts, SemanticIndex};
pub use manifest::Manifest;
pub use trie::Trie;
