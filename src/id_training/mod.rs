//! Training semantic ids: item vectors (words, a language model, a NumPy file), and codes made of them.

pub mod append;
pub mod checkpoint;
pub mod embeddings;
pub mod interactions;
pub mod kept;
pub mod log;
pub mod modalities;
pub mod npy;
pub mod observer;
pub mod quality;
pub mod quantiser;
pub mod reassign;
pub mod rq_vae;
pub mod source;
pub mod statistics;
pub mod train;
pub mod updates;
pub mod words;

pub use quality::Quality;
pub use source::VectorSource;
pub use train::{TrainIds, TrainedOn};
