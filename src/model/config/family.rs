//! Which of the supported architectures a decoder has.

use serde::{Deserialize, Serialize};

/// Which of the supported architectures a decoder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Llama, SmolLM2, TinyLlama.
    Llama,
    /// Biases on queries, keys and values.
    Qwen2,
    /// Queries and keys are normalised, head by head, before they are rotated.
    Qwen3,
    /// Qwen3 whose feed-forward parts are mixtures of experts.
    Qwen3Moe,
    /// Llama, but for its defaults and a window that attention may be held to.
    Mistral,
    /// Other norms, capped scores and logits, and a window in every second layer.
    Gemma2,
    /// Gemma 2 without caps, with normalised queries and keys, and rotations of their own where there is a window.
    Gemma3,
}

impl Family {
    const ALL: [Self; 7] =
        [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Qwen3Moe, Self::Mistral, Self::Gemma2, Self::Gemma3];

    /// The `model_type` in `config.json`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Qwen3Moe => "qwen3_moe",
            Self::Mistral => "mistral",
            Self::Gemma2 => "gemma2",
            Self::Gemma3 => "gemma3_text",
        }
    }

    /// The architecture in GGUF files, where Mistral is a Llama.
    pub fn gguf_key(self) -> &'static str {
        match self {
            Self::Mistral => Self::Llama.key(),
            Self::Gemma3 => "gemma3",
            Self::Qwen3Moe => "qwen3moe",
            other => other.key(),
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "Llama",
            Self::Qwen2 => "Qwen2",
            Self::Qwen3 => "Qwen3",
            Self::Qwen3Moe => "Qwen3-MoE",
            Self::Mistral => "Mistral",
            Self::Gemma2 => "Gemma 2",
            Self::Gemma3 => "Gemma 3",
        }
    }

    /// The family of a `model_type`.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.key() == key)
    }

    /// The family of a GGUF file's architecture; those with experts are not read.
    pub fn of_gguf(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|&family| family != Self::Qwen3Moe && family.gguf_key() == key)
    }

    /// Whether queries and keys are normalised, head by head.
    pub fn has_head_norms(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Qwen3Moe | Self::Gemma3)
    }

    /// Whether it is one of Gemma's.
    pub fn is_gemma(self) -> bool {
        matches!(self, Self::Gemma2 | Self::Gemma3)
    }

    /// The class that Transformers makes of it.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
            Self::Qwen3Moe => "Qwen3MoeForCausalLM",
            Self::Mistral => "MistralForCausalLM",
            Self::Gemma2 => "Gemma2ForCausalLM",
            Self::Gemma3 => "Gemma3ForCausalLM",
        }
    }
}
