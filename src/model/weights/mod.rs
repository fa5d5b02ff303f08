//! Weights on disk: Hugging Face folders and GGUF files in, compact base models and PEFT adapters out and in.

mod compact;
mod decoder;
mod folder;
pub mod gguf;
mod mapped;
mod merged;
mod peft;
mod pretrained;
mod rows;
mod storage;
mod store;
mod writer;

pub use self::compact::{initialise_compact, load_compact, write_compact};
pub use self::merged::{merge, write_model};
pub use self::peft::{
    PeftAdapter, PeftConfig, TokenRows, adapter_weights, export_peft, read_peft, token_rows_of, write_peft,
};
pub use self::pretrained::{LoadProgress, Pretrained, StoredTensor, load_pretrained};
pub use self::storage::Stored;
pub use self::store::{Weights, safetensors_bytes, write_matrices};
pub use self::writer::{Written, write_safetensors};

/// Trained rows of embedding and head, beside an adapter.
pub const ROWS_FILE: &str = "token_rows.safetensors";
