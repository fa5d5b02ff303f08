//! What Transformers' classes take where a field is missing.

use crate::model::config::{Activation, Family};

/// What Transformers' class of a family takes where a field is missing.
pub(super) struct Defaults {
    pub(super) vocabulary: usize,
    pub(super) width: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) ffn: usize,
    pub(super) kv_heads: Option<usize>,
    pub(super) head_width: Option<usize>,
    pub(super) activation: Activation,
    pub(super) theta: f64,
    pub(super) context: usize,
    pub(super) window: Option<usize>,
    pub(super) tied: bool,
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
}

impl Family {
    pub(super) fn defaults(self) -> Defaults {
        let llama = Defaults {
            vocabulary: 32_000,
            width: 4096,
            layers: 32,
            heads: 32,
            ffn: 11_008,
            kv_heads: None,
            head_width: None,
            activation: Activation::Silu,
            theta: 10_000.0,
            context: 2048,
            window: None,
            tied: false,
            bos: None,
            eos: None,
        };
        let qwen = Defaults {
            vocabulary: 151_936,
            ffn: 22_016,
            kv_heads: Some(32),
            context: 32_768,
            window: Some(4096),
            ..llama
        };
        let gemma = Defaults {
            vocabulary: 256_000,
            width: 2304,
            layers: 26,
            heads: 8,
            ffn: 9216,
            kv_heads: Some(4),
            head_width: Some(256),
            activation: Activation::GeluTanh,
            context: 8192,
            window: Some(4096),
            tied: true,
            bos: Some(2),
            eos: Some(1),
            ..llama
        };
        match self {
            Self::Llama => llama,
            Self::Qwen2 => qwen,
            Self::Qwen3 => Defaults { head_width: Some(128), ..qwen },
            Self::Qwen3Moe => Defaults { width: 2048, layers: 24, ffn: 6144, kv_heads: Some(4), ..qwen },
            Self::Mistral => {
                Defaults { ffn: 14_336, kv_heads: Some(8), context: 4096 * 32, window: Some(4096), ..llama }
            }
            Self::Gemma2 => gemma,
            Self::Gemma3 => Defaults { vocabulary: 262_208, theta: 1e6, context: 131_072, ..gemma },
        }
    }
}
