//! Semantic ids: each item is a short sequence of code tokens, and a trie of the sequences that exist.

pub mod clustering;
pub mod index;
pub mod npy;
pub mod quality;
pub mod reassign;
pub mod rq_vae;
pub mod train;
pub mod trie;
pub mod words;

pub use index::SemanticIndex;
pub use quality::Quality;
pub use train::TrainIds;
pub use trie::Trie;
