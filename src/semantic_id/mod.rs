//! Semantic ids: each item is a short sequence of code tokens, and a trie of the sequences that exist.

pub mod clustering;
pub mod embeddings;
pub mod index;
pub mod log;
pub mod npy;
pub mod observer;
pub mod quality;
pub mod reassign;
pub mod rq_vae;
pub mod source;
pub mod train;
pub mod trie;
pub mod words;

pub use index::SemanticIndex;
pub use quality::Quality;
pub use source::VectorSource;
pub use train::TrainIds;
pub use trie::Trie;
