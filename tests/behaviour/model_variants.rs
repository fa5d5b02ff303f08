//! Configurations that differ from the usual Llama's: computed as by Transformers, or refused by the field's name.
//!
//! `tests/fixtures/reference/variants` holds one small random checkpoint, the fields that each variant changes, and what
//! Transformers 5.24 computes with them: logits, and the gradient of their mean square by a matrix before the gate. Its `make.py`
//! made all of it.

use std::fs;
use std::path::{Path, PathBuf};

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::config::Described;
use peso_workbench::model::inspect::ModelSummary;
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{Branch, Packed, Sequence};
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::{Pretrained, Weights, load_pretrained};
use peso_workbench::model::{Llama, LlamaConfig};
use serde_json::{Value, json};

use crate::base_models::{input_ids, models};

type Tracked = Autodiff<Flex>;

fn variants() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/variants")
}

fn parsed(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A copy of a checkpoint, with other fields in its configuration.
fn with_fields(model: &Path, fields: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(model.join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    write_config(model, folder.path(), fields);
    folder
}

fn write_config(model: &Path, folder: &Path, fields: &Value) {
    let mut config = parsed(&model.join("config.json"));
    for (field, value) in fields.as_object().unwrap() {
        config[field] = value.clone();
    }
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// The configuration of the small checkpoint with other fields, read, or why it is refused.
fn read(fields: &Value) -> Result<Described, String> {
    let folder = tempfile::tempdir().unwrap();
    write_config(&variants(), folder.path(), fields);
    Described::read(&folder.path().join("config.json")).map_err(|error| error.to_string())
}

fn assert_close(name: &str, got: &[f32], expected: &[f32], most: f32) {
    assert_eq!(got.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let error = got.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) / largest;
    assert!(error <= most, "{name}: {error:e}");
}

/// Holds logits and a gradient of a checkpoint against Transformers'.
fn assert_computed(name: &str, folder: &Path, expected: &Weights) {
    let (ids, length) = input_ids(expected);
    let model: Llama<Flex> = load_pretrained(folder, 0, 0, &Default::default()).unwrap();
    let logits = all_logits(&model, &ids, length);
    assert_close(name, &logits.values, &expected.floats(&format!("{name}.logits")).unwrap(), 2e-5);
    let mut model: Llama<Tracked> = load_pretrained(folder, 0, 0, &Default::default()).unwrap();
    model = model.map(&|tensor: Tensor<Tracked, 2>| tensor.require_grad());
    let row = Sequence { prefix: vec![], branches: vec![Branch::unscored(0, ids)] };
    let gradients = model.logits(&Packed::new(&[row]), None).powf_scalar(2.0).mean().backward();
    let mut gradient = None;
    model.visit(&mut |own, kind, tensor| {
        if kind == Kind::Base && own == "model.layers.0.mlp.gate_proj.weight" {
            gradient = tensor.grad(&gradients).map(Matrix::from_tensor);
        }
    });
    let gradient = gradient.unwrap().values;
    assert_close(name, &gradient, &expected.floats(&format!("{name}.gate_gradient")).unwrap(), 2e-4);
}

#[test]
fn activations_and_rotations_are_computed_as_by_transformers() {
    let expected = Weights::open_file(&variants().join("expected.safetensors")).unwrap();
    let table = parsed(&variants().join("variants.json"));
    for (name, fields) in table["variants"].as_object().unwrap() {
        assert_computed(name, with_fields(&variants(), fields).path(), &expected);
    }
    assert_computed("biases", &variants().join("biases"), &expected);
}

#[test]
fn what_is_missing_or_null_is_what_transformers_takes() {
    let table = parsed(&variants().join("variants.json"));
    for (set, fields) in [
        ("defaults", json!({})),
        (
            "defaults_without_key_value_heads",
            json!({"num_key_value_heads": null, "head_dim": null, "rope_scaling": null}),
        ),
    ] {
        for (kind, expected) in table[set].as_object().unwrap() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("config.json");
            let mut fields = fields.clone();
            fields["model_type"] = json!(kind);
            // Without it, a Mistral sees a window alone.
            fields["sliding_window"] = Value::Null;
            fs::write(&file, fields.to_string()).unwrap();
            let config = LlamaConfig::read(&file).unwrap();
            let read = json!({
                "vocab_size": config.vocabulary,
                "hidden_size": config.width,
                "intermediate_size": config.ffn,
                "num_hidden_layers": config.layers,
                "num_attention_heads": config.heads,
                "num_key_value_heads": config.kv_heads,
                "rms_norm_eps": config.norm_epsilon,
                "hidden_act": "silu",
                "tie_word_embeddings": config.tied,
                "head_dim": config.head_width,
                "rope_theta": config.rope.theta,
            });
            assert_eq!(&read, expected, "{set}: {kind}");
        }
    }
}

#[test]
fn what_changes_the_numbers_and_is_not_computed_is_refused_by_its_field() {
    for (fields, words) in [
        (json!({"hidden_act": "mish"}), ["hidden_act", "mish"]),
        (json!({"hidden_act": null}), ["hidden_act", "expected the name"]),
        (json!({"rope_scaling": {"type": "dynamic", "factor": 2.0}}), ["rope_type", "up to 16 tokens"]),
        (json!({"rope_scaling": {"rope_type": "mrope", "mrope_section": [1, 1, 2]}}), ["rope_type", "mrope"]),
        (json!({"rope_scaling": {"rope_type": "proportional"}}), ["rope_type", "proportional"]),
        (json!({"rope_scaling": {"type": "linear"}}), ["factor", "positive number"]),
        (json!({"rope_scaling": "linear"}), ["rope_scaling", "in braces"]),
        (json!({"rope_theta": null}), ["rope_theta", "positive number"]),
        (
            json!({"rope_scaling": {"rope_type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1, 1, 2]}}),
            ["rope_type", "hang on the length"],
        ),
        (
            json!({"rope_scaling": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1], "factor": 1.0}}),
            ["short_factor", "expected 4 factors, got 1"],
        ),
        (
            json!({"rope_parameters": {"sliding_attention": {"rope_type": "default"}}}),
            ["rope_parameters", "sliding_attention"],
        ),
        (json!({"rope_parameters": {"partial_rotary_factor": 0.5}}), ["partial_rotary_factor", "not supported"]),
        (json!({"partial_rotary_factor": 0.5}), ["partial_rotary_factor", "not supported"]),
        (json!({"rope_interleaved": true}), ["rope_interleaved", "not supported"]),
        (json!({"embedding_multiplier": 12.0}), ["embedding_multiplier", "not supported"]),
        (json!({"logits_scaling": 8.0}), ["logits_scaling", "not supported"]),
        (json!({"logit_scale": 0.0625}), ["logit_scale", "not supported"]),
        (json!({"final_logit_softcapping": 30.0}), ["final_logit_softcapping", "not supported"]),
        (json!({"attn_logit_softcapping": 50.0}), ["attn_logit_softcapping", "not supported"]),
        (json!({"query_pre_attn_scalar": 224}), ["query_pre_attn_scalar", "not supported"]),
        (json!({"clip_qkv": 8.0}), ["clip_qkv", "not supported"]),
        (json!({"num_local_experts": 8}), ["num_local_experts", "experts"]),
        (json!({"no_rope_layers": [1, 0]}), ["no_rope_layers", "not supported"]),
        (json!({"use_parallel_residual": true}), ["use_parallel_residual", "not supported"]),
        (json!({"is_causal": false}), ["is_causal", "both directions"]),
        (json!({"layer_types": ["full_attention", "sliding_attention"]}), ["layer_types", "sliding_attention"]),
        (
            json!({"model_type": "qwen2", "layer_types": ["full_attention", "chunked_attention"]}),
            ["layer_types", "chunked"],
        ),
        (json!({"model_type": "gemma2", "layer_types": ["sliding_attention"]}), ["layer_types", "expected 2 kinds"]),
        (
            json!({"model_type": "qwen2", "layer_types": ["full_attention", "sliding_attention"]}),
            ["layer_types", "use_sliding_window"],
        ),
        (json!({"model_type": "mistral", "sliding_window": 0}), ["sliding_window", "positive whole number"]),
        (json!({"model_type": "gemma2", "sliding_window": null}), ["sliding_window", "without a window"]),
        (json!({"model_type": "gemma2", "query_pre_attn_scalar": null}), ["query_pre_attn_scalar", "positive number"]),
        (
            json!({"model_type": "gemma3_text", "attn_logit_softcapping": 50.0}),
            ["attn_logit_softcapping", "not supported"],
        ),
        (
            json!({"model_type": "gemma3_text", "rope_parameters": {"rope_type": "default", "rope_theta": 5.0}}),
            ["rope_parameters", "sliding_attention"],
        ),
        (json!({"model_type": "gemma3"}), ["model_type", "text_config"]),
        (json!({"quantization_config": {"quant_method": "gptq", "bits": 4}}), ["quantization_config", "GPTQ"]),
        (json!({"quantization": {"group_size": 64, "bits": 4}}), ["quantization", "MLX quantised to 4 bits"]),
        (json!({"tie_word_embeddings": "yes"}), ["tie_word_embeddings", "true or false"]),
        (json!({"model_type": "granite"}), ["model_type", "granite"]),
    ] {
        let error = read(&fields).unwrap_err();
        for word in words {
            assert!(error.contains(word), "{fields}: \"{word}\" is not in: {error}");
        }
    }
}

#[test]
fn what_changes_nothing_is_read() {
    let plain = read(&json!({})).unwrap();
    for fields in [
        json!({"layer_types": ["full_attention", "full_attention"], "use_sliding_window": false, "sliding_window": null}),
        json!({"logit_scale": 1.0, "clip_qkv": null, "num_experts": 0, "no_rope_layers": [1, 1], "is_causal": true}),
        json!({"quantization_config": null, "rope_scaling": {}, "pretraining_tp": 2, "partial_rotary_factor": 1.0}),
        json!({"rope_parameters": {"rope_type": "default", "rope_theta": 10000}}),
        // A text has one position, whichever of several a section of a head reads.
        json!({"rope_scaling": {"type": "mrope", "rope_type": "default", "mrope_section": [1, 1, 2]}}),
        json!({"rope_parameters": {"full_attention": {"rope_theta": 10000.0}, "sliding_attention": {"rope_theta": 5.0}}}),
    ] {
        assert_eq!(read(&fields).unwrap(), plain, "{fields}");
    }
    let nested = json!({"rope_parameters": {"full_attention": {"rope_theta": 5e4, "rope_type": "default"}}});
    assert_eq!(read(&nested).unwrap().config.rope.theta, 5e4);
    // A window that no layer has, or that is as wide as the context.
    for fields in [
        json!({"model_type": "qwen2", "use_sliding_window": true, "max_window_layers": 2, "sliding_window": 8}),
        json!({"model_type": "qwen2", "use_sliding_window": true, "max_window_layers": 0, "sliding_window": 16}),
        json!({"model_type": "mistral", "sliding_window": 16}),
    ] {
        assert!(read(&fields).unwrap().unused.is_empty(), "{fields}");
    }
    let unknown =
        json!({"num_nextn_predict_layers": 1, "auto_map": {"AutoModel": "own.Model"}, "sliding_window": 4096});
    let unused = read(&unknown).unwrap().unused;
    assert_eq!(unused, ["auto_map = {…}", "num_nextn_predict_layers = 1", "sliding_window = 4096"]);
}

/// The configurations that models come with, but for their names.
#[test]
fn configurations_that_models_come_with_are_read_and_nothing_in_them_is_unknown() {
    let usual = |more: Value| {
        let mut config = json!({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_dropout": 0.0, "bos_token_id": 1,
            "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
            "intermediate_size": 5632, "max_position_embeddings": 2048, "num_attention_heads": 32,
            "num_hidden_layers": 22, "num_key_value_heads": 4, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
            "torch_dtype": "bfloat16", "transformers_version": "4.35.0", "use_cache": true, "vocab_size": 32000,
        });
        for (field, value) in more.as_object().unwrap() {
            config[field] = value.clone();
        }
        config
    };
    let llama3 = json!({"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                        "original_max_position_embeddings": 8192, "rope_type": "llama3"});
    for (name, config, theta) in [
        ("Llama 1", json!({"_name_or_path": "", "pad_token_id": -1, "max_sequence_length": 2048}), 1e4),
        (
            "TinyLlama",
            json!({"attention_bias": false, "pretraining_tp": 1, "rope_scaling": null, "rope_theta": 10000.0}),
            1e4,
        ),
        (
            "Llama 3.2",
            json!({"head_dim": 64, "mlp_bias": false, "rope_scaling": llama3, "rope_theta": 500000.0,
                   "eos_token_id": [128001, 128008, 128009]}),
            5e5,
        ),
        (
            "SmolLM2",
            json!({"is_llama_config": true, "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000,
                   "pad_token_id": 2, "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}}}),
            1e5,
        ),
        (
            "Qwen2.5",
            json!({"model_type": "qwen2", "max_window_layers": 21, "sliding_window": 32768, "rope_theta": 1000000.0,
                   "use_mrope": false, "use_sliding_window": false, "attention_dropout": 0.0}),
            1e6,
        ),
        (
            "Qwen3",
            json!({"model_type": "qwen3", "attention_bias": false, "head_dim": 128, "max_window_layers": 28,
                   "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "use_sliding_window": false}),
            1e6,
        ),
        (
            "DeepSeek R1 as Qwen",
            json!({"model_type": "qwen2", "max_window_layers": 21, "sliding_window": 4096, "use_sliding_window": false,
                   "use_mrope": false, "rope_theta": 10000}),
            1e4,
        ),
        ("Mistral 0.3", json!({"model_type": "mistral", "rope_theta": 1000000.0, "sliding_window": null}), 1e6),
        (
            "a version 5 file",
            json!({"dtype": "bfloat16", "rope_parameters": {"rope_theta": 130000.0, "rope_type": "default"},
                   "layer_types": ["full_attention", "full_attention"], "pad_token_id": null}),
            1.3e5,
        ),
        ("of Unsloth", json!({"unsloth_fixed": true, "unsloth_version": "2024.9", "attention_bias": false}), 1e4),
        ("DeepSeek Coder", json!({"rope_scaling": {"factor": 4.0, "type": "linear"}, "rope_theta": 100000}), 1e5),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, usual(config).to_string()).unwrap();
        let Described { config, unused } = Described::read(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(config.rope.theta, theta, "{name}");
        assert!(unused.is_empty(), "{name}: {unused:?}");
    }
}

#[test]
fn what_is_written_of_a_variant_reads_back_as_the_same() {
    let table = parsed(&variants().join("variants.json"));
    for (name, fields) in table["variants"].as_object().unwrap() {
        let config = read(fields).unwrap().config;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, config.hugging_face(config.vocabulary).to_string()).unwrap();
        assert_eq!(LlamaConfig::read(&file).unwrap(), config, "{name}");
    }
}

/// Writes a checkpoint's tensors under other names; those without a name are left out.
fn rename(from: &Path, to: &Path, name: impl Fn(&str) -> Option<String>) {
    let bytes = fs::read(from.join("model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let renamed = tensors.iter().filter_map(|(own, tensor)| Some((name(own)?, tensor)));
    fs::write(to.join("model.safetensors"), safetensors::serialize(renamed, None).unwrap()).unwrap();
    fs::copy(from.join("config.json"), to.join("config.json")).unwrap();
}

/// What `save_pretrained` makes of a decoder without its head: no `model.` before the names. Transformers reads it with and
/// without a head.
#[test]
fn a_checkpoint_without_the_prefix_is_the_decoder() {
    let (whole, folder) = (models().join("qwen3"), tempfile::tempdir().unwrap());
    let bare = |name: &str| Some(name.strip_prefix("model.").unwrap_or(name).to_owned());
    rename(&whole, folder.path(), bare);
    let expected = Weights::open_file(&whole.join("expected.safetensors")).unwrap();
    let (ids, length) = input_ids(&expected);
    let model: Llama<Flex> = load_pretrained(folder.path(), 0, 0, &Default::default()).unwrap();
    assert_close("bare", &all_logits(&model, &ids, length).values, &expected.floats("logits").unwrap(), 1e-4);
    let summary = ModelSummary::read(folder.path()).unwrap();
    assert!(!summary.headless && summary.notes.iter().any(|note| note.contains("`model.`")), "{:?}", summary.notes);

    // An embedding model: not tied, and its head is not there.
    rename(&variants(), folder.path(), |name| bare(name).filter(|name| name != "lm_head.weight"));
    let summary = ModelSummary::read(folder.path()).unwrap();
    assert!(summary.headless && summary.notes.iter().any(|note| note.contains("no head")), "{:?}", summary.notes);
    let error = Pretrained::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("no head") && error.contains("tie_word_embeddings"), "{error}");
    let hidden = |model: &Llama<Flex>| {
        let row = Sequence { prefix: vec![], branches: vec![Branch::unscored(0, vec![3, 1, 4, 1, 5])] };
        Matrix::from_tensor(model.hidden(&Packed::new(&[row])))
    };
    let reader = Pretrained::open_reader(folder.path()).unwrap();
    let reader: Llama<Flex> = reader.load(0, 0, &Default::default(), &mut |_| ()).unwrap();
    let decoder: Llama<Flex> = load_pretrained(&variants(), 0, 0, &Default::default()).unwrap();
    assert_eq!(hidden(&reader), hidden(&decoder));
}

/// Transformers 5 ties a head to the embedding only where both are the same (`tie_weights`); earlier it lost the head.
#[test]
fn a_head_of_its_own_is_not_lost_where_the_configuration_ties_it() {
    let folder = with_fields(&variants(), &json!({"tie_word_embeddings": true}));
    let summary = ModelSummary::read(folder.path()).unwrap();
    assert!(summary.notes.iter().any(|note| note.contains("head is not its embedding")), "{:?}", summary.notes);
    let expected = Weights::open_file(&variants().join("expected.safetensors")).unwrap();
    assert_computed("silu", folder.path(), &expected);
    // A copy of the embedding is no other head.
    let bytes = fs::read(variants().join("model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let copied = tensors.iter().map(|(name, tensor)| {
        let same = name == "lm_head.weight";
        (name, if same { tensors.tensor("model.embed_tokens.weight").unwrap() } else { tensor })
    });
    fs::write(folder.path().join("model.safetensors"), safetensors::serialize(copied, None).unwrap()).unwrap();
    let summary = ModelSummary::read(folder.path()).unwrap();
    assert!(summary.architecture.tied && summary.unused == ["lm_head.weight"], "{:?}", summary.unused);
}

#[test]
fn one_file_comes_before_a_list_of_shards_and_missing_shards_are_named() {
    let folder = with_fields(&variants(), &json!({}));
    let index = folder.path().join("model.safetensors.index.json");
    let shards = |number: usize| format!("model-{number:05}-of-00003.safetensors");
    let map: Value = (1..=3)
        .map(|number| (format!("tensor {number}"), json!(shards(number))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    fs::write(&index, json!({"metadata": {}, "weight_map": map}).to_string()).unwrap();
    let notes = ModelSummary::read(folder.path()).unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("list of shards is not")), "{notes:?}");
    fs::rename(folder.path().join("model.safetensors"), folder.path().join(shards(2))).unwrap();
    let error = Pretrained::open(folder.path()).unwrap_err().to_string();
    let named = format!("2 of 3 shards are missing: {}, {}", shards(1), shards(3));
    assert!(error.contains(&named), "{error}");
}

#[test]
fn the_card_tells_the_activation_the_rotations_and_what_is_not_used() {
    let fields = json!({"hidden_act": "relu", "rope_theta": 500000, "rope_scaling": {"type": "linear", "factor": 4.0}, "odd": 7});
    let folder = with_fields(&variants(), &fields);
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_peso")).arg("inspect").arg(folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in ["gated ReLU", "theta 500000, stretched by 4", "nothing is known of them: odd = 7"] {
        assert!(text.contains(words), "\"{words}\" is not in: {text}");
    }
}
