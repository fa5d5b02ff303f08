//! Training semantic ids: item vectors (words, a language model, a NumPy file), and codes made of them.

pub mod checkpoint;
pub mod embeddings;
pub mod interactions;
pub mod log;
pub mod npy;
pub mod observer;
pub mod quality;
pub mod reassign;
pub mod rq_vae;
pub mod source;
pub mod train;
pub mod words;

pub use quality::Quality;
pub use source::VectorSource;
pub use train::TrainIds;
