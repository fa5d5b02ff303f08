//! Metadata of a GGUF file's architecture: keys that change nothing here, and keys that change what a model computes.

use super::header::{Gguf, shortened};
use super::value::Value;
use crate::model::config::Family;

/// Keys after the architecture's name that are read, or of which it is known that they change nothing.
const HARMLESS: [&str; 19] = [
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "pooling_type",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.freq_base_swa",
    "rope.scale_linear",
    "rope.scaling.factor",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "vocab_size",
];

/// Keys whose values change what a model computes, unless they are 0 or false, with what they ask for.
const CHANGING: [(&str, &str); 14] = [
    ("attention.clamp_kqv", "clipped queries, keys and values are"),
    ("attention.kv_lora_rank", "latent attention is"),
    ("attention.max_alibi_bias", "ALiBi is"),
    ("attention.q_lora_rank", "latent attention is"),
    ("attention.scale", "another scale of attention is"),
    ("attention.sliding_window", "sliding windows are"),
    ("attention.temperature_scale", "attention that is scaled by its position is"),
    ("attn_logit_softcapping", "capped logits are"),
    ("expert_count", "mixtures of experts are"),
    ("expert_used_count", "mixtures of experts are"),
    ("final_logit_softcapping", "capped logits are"),
    ("rope.dimension_sections", "rotations by more than one position are"),
    ("rope.scaling.alpha", "rotations whose base hangs on the length are"),
    ("use_parallel_residual", "attention beside the feed-forward part is"),
];

/// The same of factors, which change nothing where they are 1 either.
const FACTORS: [(&str, &str); 5] = [
    ("embedding_scale", "factors on embeddings are"),
    ("logit_scale", "factors on logits are"),
    ("residual_scale", "factors on residuals are"),
    ("rope.freq_scale", "this way to stretch rotations is"),
    ("rope.scaling.attn_factor", "factors on rotations are"),
];

/// A key whose value changes what the model computes, and what is not supported.
pub(super) fn changing_key(file: &Gguf, family: Family) -> Option<(&'static str, String)> {
    let architecture = family.gguf_key();
    let native = |key: &str| match key {
        "attention.sliding_window" => family.is_gemma(),
        "attn_logit_softcapping" | "final_logit_softcapping" => family == Family::Gemma2,
        _ => false,
    };
    let value = |key: &str| file.value(&format!("{architecture}.{key}"));
    let context = value("context_length").and_then(Value::as_f64).unwrap_or(0.0);
    let sees_all = |key: &str, value: Value<'_>| {
        key == "attention.sliding_window" && context > 0.0 && value.as_f64().is_some_and(|window| window >= context)
    };
    let mut changing = CHANGING
        .into_iter()
        .filter(|&(key, _)| !native(key) && value(key).is_some_and(|value| !is_off(value) && !sees_all(key, value)))
        .chain(
            FACTORS
                .into_iter()
                .filter(|&(key, _)| value(key).is_some_and(|value| !is_off(value) && value.as_f64() != Some(1.0))),
        );
    if let Some((key, what)) = changing.next() {
        return Some((key, format!("{what} not supported")));
    }
    let backwards = value("attention.causal") == Some(Value::Bool(false));
    backwards.then(|| ("attention.causal", "attention in both directions is not supported".to_owned()))
}

/// Keys of the architecture that nothing is known of and whose values say something.
pub(super) fn unused(file: &Gguf, architecture: &str) -> Vec<String> {
    let known = |key: &str| {
        HARMLESS.binary_search(&key).is_ok()
            || ["attention.causal", "tensor_data_layout"].contains(&key)
            || CHANGING.iter().chain(&FACTORS).any(|(changing, _)| *changing == key)
    };
    let own = |whole: &&str| {
        let key = whole.strip_prefix(architecture).and_then(|rest| rest.strip_prefix('.'));
        key.is_some_and(|key| !known(key)) && file.value(whole).is_some_and(|value| !is_off(value))
    };
    file.keys().filter(own).map(shortened).collect()
}

/// What a file leaves open, and how it is taken, in sentences.
pub fn notes(file: &Gguf) -> Vec<String> {
    let open = file.text("tokenizer.ggml.model") == Some("gpt2") && file.value("tokenizer.ggml.pre").is_none();
    let cut = "the file does not say how texts are cut (`tokenizer.ggml.pre`): they are cut as llama.cpp does then, which may not be \
               how the model was trained; take a newer conversion, or the model's Hugging Face folder";
    open.then(|| cut.to_owned()).into_iter().collect()
}

/// Whether a value says nothing.
fn is_off(value: Value<'_>) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::Text(text) => text.is_empty(),
        Value::Array(array) => array.values().all(|value| value.as_f64() == Some(0.0)),
        number => number.as_f64() == Some(0.0),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_in_order() {
        assert!(super::HARMLESS.is_sorted());
    }
}
