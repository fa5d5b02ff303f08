//! The language model: a decoder of the Llama family, its adapters, weights and tokenizer, prompts, beam search.

pub mod adapter;
pub mod backend;
pub mod beam;
pub mod config;
pub mod embed;
pub mod foreign;
pub mod inspect;
pub mod kernels;
pub mod llama;
pub mod optimizer;
pub mod options;
pub mod packing;
pub mod prompt;
pub mod ranks;
pub mod score;
pub mod tokenizer;
pub mod weights;

pub use adapter::Adapter;
pub use config::LlamaConfig;
pub use llama::Llama;
pub use options::{
    BaseModel, Compact, Decoding, LoraShape, Prompt, RankSearch, Softmax, Start, Storage, VocabularyMode,
};
pub use prompt::{PromptWriter, Vocabulary};
