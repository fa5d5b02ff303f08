//! Weights on disk: Hugging Face folders and GGUF files in, compact base models and PEFT adapters out and in.

mod compact;
mod decoder;
pub mod gguf;
mod mapped;
mod merged;
mod peft;
mod pretrained;
mod rows;
mod storage;
mod store;
mod writer;

pub use compact::{initialise_compact, load_compact, write_compact};
pub use merged::{merge, write_model};
pub use peft::{PeftAdapter, PeftConfig, TokenRows, export_peft, read_peft, token_rows_of, write_peft};
pub use pretrained::{Loading, Pretrained, StoredTensor, load_pretrained};
pub use storage::Stored;
pub use store::{Weights, safetensors_bytes, write_matrices};
pub use writer::{Written, write_safetensors};

/// Trained rows of embedding and head, beside an adapter.
pub const ROWS_FILE: &str = "token_rows.safetensors";
