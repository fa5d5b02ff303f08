//! What Gemma's decoders compute otherwise than Llama's.

use serde::{Deserialize, Serialize};

/// What Gemma's decoders compute otherwise than Llama's.
///
/// Beside what stands here, norms multiply by 1 + w, embeddings are multiplied by the root of the width, and what attention and
/// feed-forward give is normalised before it is added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gemma {
    /// Scores of attention are divided by its root (Transformers' `query_pre_attn_scalar`).
    pub query_scalar: f64,
    /// Scores of attention are held within this: `cap tanh(score / cap)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention_cap: Option<f64>,
    /// Logits are held within this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logit_cap: Option<f64>,
}

impl Gemma {
    /// The caps, in words; none where there are none.
    pub fn caps(&self) -> Option<String> {
        let cap = |what: &str, cap: Option<f64>| cap.map(|cap| format!("{what} within {cap}"));
        let caps: Vec<String> = [cap("scores of attention", self.attention_cap), cap("logits", self.logit_cap)]
            .into_iter()
            .flatten()
            .collect();
        (!caps.is_empty()).then(|| caps.join(", "))
    }
}
