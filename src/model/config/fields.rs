//! What else may stand in a `config.json`: fields that change nothing here, and fields that change what a model computes.

use serde_json::{Map, Value};

use super::Family;

/// Fields that are read, or of which it is known that they change nothing in a forward pass: how a model was trained, how
/// texts are drawn from it, which program wrote it.
const HARMLESS: [&str; 107] = [
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_attn_implementation_internal",
    "_commit_hash",
    "_name_or_path",
    "_sliding_window_pattern",
    "add_cross_attention",
    "architectures",
    "attention_bias",
    "attention_dropout",
    "attn_implementation",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "cache_implementation",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cross_attention_hidden_size",
    "decoder_sparse_step",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "head_dim",
    "hidden_act",
    "hidden_activation",
    "hidden_dropout",
    "hidden_size",
    "id2label",
    "initializer_range",
    "intermediate_size",
    "is_decoder",
    "is_encoder_decoder",
    "is_llama_config",
    "keys_to_ignore_at_inference",
    "label2id",
    "layer_types",
    "layerdrop",
    "length_penalty",
    "max_length",
    "max_position_embeddings",
    "max_sequence_length",
    "max_window_layers",
    "min_length",
    "mlp_bias",
    "mlp_only_layers",
    "model_type",
    "no_repeat_ngram_size",
    "norm_topk_prob",
    "num_attention_heads",
    "num_beam_groups",
    "num_beams",
    "num_hidden_layers",
    "num_key_value_heads",
    "num_return_sequences",
    "original_max_position_embeddings",
    "output_attentions",
    "output_hidden_states",
    "output_router_logits",
    "output_scores",
    "pad_token_id",
    "prefix",
    // How many pieces a product is cut into: the sum is the same.
    "pretraining_tp",
    "problem_type",
    "pruned_heads",
    "remove_invalid_values",
    "repetition_penalty",
    "resid_pdrop",
    "return_dict",
    "return_dict_in_generate",
    "rms_norm_eps",
    "rope_local_base_freq",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "router_aux_loss_coef",
    "sep_token_id",
    "sliding_window",
    "sliding_window_pattern",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache",
    "use_sliding_window",
    "vocab_size",
];

/// The values with which a field changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neutral {
    /// null, false, 0, an empty list or object.
    Off,
    /// 1 too: a factor, or one expert.
    One,
    /// true, and null.
    On,
    /// A list of ones: 0 marks a layer that is unlike the others.
    Ones,
}

/// A field that changes what a model computes.
struct Changing {
    field: &'static str,
    neutral: Neutral,
    what: &'static str,
}

const fn changing(field: &'static str, neutral: Neutral, what: &'static str) -> Changing {
    Changing { field, neutral, what }
}

const SOFTCAP: &str = "capped logits are";
const GRANITE: &str = "factors on embeddings, attention, residuals and logits are";
const EXPERTS: &str = "mixtures of experts, but for those of Qwen3-MoE, are";
const LATENT: &str = "latent attention is";
const PARTLY: &str = "rotations of a part of each head are";
const PARALLEL: &str = "attention beside the feed-forward part is";
const BOTH_WAYS: &str = "attention in both directions is";
const SOME_LAYERS: &str = "layers without rotations are";
const HEAD_NORMS: &str = "norms of queries and keys are, but for those of Qwen3 and Gemma 3,";

const CHANGING: [Changing; 44] = [
    changing("clip_qkv", Neutral::Off, "clipped queries, keys and values are"),
    changing("alibi", Neutral::Off, "ALiBi is"),
    changing("attn_logit_softcapping", Neutral::Off, SOFTCAP),
    changing("final_logit_softcapping", Neutral::Off, SOFTCAP),
    changing("attention_multiplier", Neutral::One, GRANITE),
    changing("embedding_multiplier", Neutral::One, GRANITE),
    changing("residual_multiplier", Neutral::One, GRANITE),
    changing("logits_scaling", Neutral::One, GRANITE),
    changing("logit_scale", Neutral::One, GRANITE),
    changing("scale_emb", Neutral::One, GRANITE),
    changing("scale_depth", Neutral::One, GRANITE),
    changing("dim_model_base", Neutral::One, GRANITE),
    changing("mup_width_multiplier", Neutral::One, GRANITE),
    changing("query_pre_attn_scalar", Neutral::Off, "another scale of attention is"),
    changing("num_experts", Neutral::One, EXPERTS),
    changing("num_local_experts", Neutral::One, EXPERTS),
    changing("n_routed_experts", Neutral::One, EXPERTS),
    changing("num_experts_per_tok", Neutral::One, EXPERTS),
    changing("moe_intermediate_size", Neutral::Off, EXPERTS),
    changing("shared_expert_intermediate_size", Neutral::Off, EXPERTS),
    changing("kv_lora_rank", Neutral::Off, LATENT),
    changing("q_lora_rank", Neutral::Off, LATENT),
    changing("qk_rope_head_dim", Neutral::Off, LATENT),
    changing("v_head_dim", Neutral::Off, LATENT),
    changing("partial_rotary_factor", Neutral::One, PARTLY),
    changing("rotary_pct", Neutral::One, PARTLY),
    changing("rotary_percent", Neutral::One, PARTLY),
    changing("rope_interleaved", Neutral::Off, "rotations of neighbouring numbers are"),
    changing("use_mrope", Neutral::Off, "rotations by more than one position are"),
    changing("no_rope_layers", Neutral::Ones, SOME_LAYERS),
    changing("no_rope_layer_interval", Neutral::Off, SOME_LAYERS),
    changing("use_parallel_residual", Neutral::Off, PARALLEL),
    changing("parallel_residual", Neutral::Off, PARALLEL),
    changing("parallel_attn", Neutral::Off, PARALLEL),
    changing("use_bidirectional_attention", Neutral::Off, BOTH_WAYS),
    changing("is_causal", Neutral::On, BOTH_WAYS),
    changing("use_qk_norm", Neutral::Off, HEAD_NORMS),
    changing("qk_norm", Neutral::Off, HEAD_NORMS),
    changing("qk_layernorm", Neutral::Off, HEAD_NORMS),
    changing("attn_temperature_tuning", Neutral::Off, "attention that is scaled by its position is"),
    changing("attention_chunk_size", Neutral::Off, "attention in chunks is"),
    changing("attention_sink_size", Neutral::Off, "attention sinks are"),
    changing("hidden_size_per_layer_input", Neutral::Off, "inputs of single layers are"),
    changing("num_kv_shared_layers", Neutral::Off, "keys and values that layers share are"),
];

/// A field whose value changes what the model computes, and what is not supported.
pub(super) fn changing_field(fields: &Map<String, Value>, family: Family) -> Option<(&'static str, String)> {
    let changes = |change: &&Changing| {
        let native = match change.field {
            "query_pre_attn_scalar" | "final_logit_softcapping" => family.is_gemma(),
            "attn_logit_softcapping" => family == Family::Gemma2,
            "num_experts" | "num_local_experts" | "num_experts_per_tok" | "moe_intermediate_size" => {
                family == Family::Qwen3Moe
            }
            _ => change.what == HEAD_NORMS && family.has_head_norms(),
        };
        !native && fields.get(change.field).is_some_and(|value| !change.neutral.holds(value))
    };
    CHANGING.iter().find(changes).map(|change| (change.field, format!("{} not supported", change.what)))
}

/// Fields that nothing is known of, with their values, where these say something.
pub(super) fn unused(fields: &Map<String, Value>) -> Vec<String> {
    let known =
        |name: &str| HARMLESS.binary_search(&name).is_ok() || CHANGING.iter().any(|change| change.field == name);
    let shown = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Object(_) => "{…}".to_owned(),
            Value::Array(_) => "[…]".to_owned(),
            other => other.to_string().chars().take(40).collect(),
        };
        format!("{} = {value}", name.chars().take(80).collect::<String>())
    };
    fields.iter().filter(|(name, value)| !known(name) && !is_off(value)).map(shown).collect()
}

/// Whether a value says nothing.
pub(super) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

impl Neutral {
    fn holds(self, value: &Value) -> bool {
        let is_one = |value: &Value| value.as_f64() == Some(1.0) || value == &Value::Bool(true);
        match self {
            Self::Off => is_off(value),
            Self::One => is_off(value) || value.as_f64() == Some(1.0),
            Self::On => value.is_null() || value == &Value::Bool(true),
            Self::Ones => is_off(value) || value.as_array().is_some_and(|items| items.iter().all(is_one)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_change_nothing_are_in_order_and_apart_from_those_that_do() {
        assert!(HARMLESS.is_sorted());
        assert!(CHANGING.iter().all(|change| HARMLESS.binary_search(&change.field).is_err()));
    }

    #[test]
    fn a_factor_of_one_changes_nothing_and_another_does() {
        let refused = |value: Value| changing_field(value.as_object().unwrap(), Family::Llama);
        assert_eq!(refused(json!({"logit_scale": 1.0, "no_rope_layers": [1, 1], "is_causal": null})), None);
        assert_eq!(refused(json!({"logit_scale": 0.5})).unwrap().0, "logit_scale");
        assert_eq!(refused(json!({"no_rope_layers": [1, 0]})).unwrap().0, "no_rope_layers");
        assert_eq!(refused(json!({"is_causal": false})).unwrap().0, "is_causal");
        assert_eq!(refused(json!({"clip_qkv": 8})).unwrap().0, "clip_qkv");
        assert!(changing_field(json!({"qk_norm": true}).as_object().unwrap(), Family::Qwen3).is_none());
        let capped = json!({"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0});
        let refused = |family| changing_field(capped.as_object().unwrap(), family).map(|(field, _)| field);
        assert_eq!(refused(Family::Gemma2), None);
        // Transformers' Gemma 3 passes over the cap on scores.
        assert_eq!(refused(Family::Gemma3), Some("attn_logit_softcapping"));
        assert_eq!(refused(Family::Qwen2), Some("attn_logit_softcapping"));
    }

    #[test]
    fn what_nothing_is_known_of_is_told() {
        let fields = json!({"hidden_size": 8, "new_thing": true, "off": false, "auto_map": {"AutoModel": "m.M"}});
        assert_eq!(unused(fields.as_object().unwrap()), ["auto_map = {…}", "new_thing = true"]);
    }
}
