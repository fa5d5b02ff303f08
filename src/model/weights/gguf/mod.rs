//! GGUF files, versions 2 and 3: metadata, and tensors that are dequantised where they are read.
//!
//! The layout is that of the format's specification in the ggml project: magic, version, counts, metadata as typed
//! key-value pairs, a table of tensors, and their data, aligned. All of it is checked before anything is believed.

mod architecture;
mod cursor;
mod header;
mod metadata;
mod names;
mod quantization;
mod split;
mod value;
mod writer;

pub use architecture::{ROPE_FACTORS, describe};
pub use header::{Gguf, Tensor};
pub use metadata::notes;
pub use names::{paired_row, tensor_name};
pub use quantization::Quantization;
pub use split::parts;
pub use value::{Array, Value};
pub use writer::{Item, write_gguf};
