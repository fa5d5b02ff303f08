//! Families with windows, and Gemma's, against Transformers and PEFT.
//!
//! `tests/fixtures/families` holds a small random checkpoint of each, and what is computed with it of texts that are longer than its
//! window: logits, and the loss of a LoRA with its gradients. Its `make.py` made all of it.

use std::fs;
use std::path::{Path, PathBuf};

use burn::backend::Flex;
use burn::tensor::Tensor;
use peso_workbench::method::Guides;
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::inspect::ModelSummary;
use peso_workbench::model::packing::{AttentionPlan, Branch, Packed, PackedRow, Sequence, Span};
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::{self, Pretrained, Weights, load_pretrained};
use peso_workbench::model::{Adapter, Llama, LlamaConfig, VocabularyMode};
use peso_workbench::train::jobs::trained;
use peso_workbench::train::step::{StepOptions, gradients};
use serde_json::{Value, json};

use crate::base_models::input_ids;
use crate::model_reference::{Tracked, json as parsed, relative};

const FAMILIES: [&str; 5] = ["mistral", "qwen2", "qwen3", "gemma2", "gemma3"];

fn families() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families")
}

fn expected(family: &str) -> Weights {
    Weights::open_file(&families().join(family).join("expected.safetensors")).unwrap()
}

pub(crate) fn load(folder: &Path) -> Llama<Flex> {
    load_pretrained(folder, 0, 0, &Default::default()).unwrap()
}

/// The largest difference, relative to the largest expected number.
fn largest_difference(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    got.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) / largest
}

pub(crate) fn assert_logits(name: &str, model: &Llama<Flex>, ids: &Weights, logits: &[f32]) {
    let (tokens, length) = input_ids(ids);
    let error = largest_difference(&all_logits(model, &tokens, length).values, logits);
    assert!(error <= 1e-5, "{name}: logits are {error:e} apart");
}

/// A copy of a checkpoint with another configuration.
fn with_config(family: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut config = parsed(&families().join(family).join("config.json"));
    change(&mut config);
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    fs::copy(families().join(family).join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    folder
}

#[test]
fn logits_beyond_the_window_are_those_of_transformers() {
    for family in FAMILIES {
        let (model, expected) = (load(&families().join(family)), expected(family));
        let sliding = model.config.sliding.as_ref().unwrap();
        assert!(sliding.window < input_ids(&expected).1, "{family}: the texts are longer than the window");
        assert_logits(family, &model, &expected, &expected.floats("logits").unwrap());
    }
    let (table, logits) = (
        parsed(&families().join("variants.json")),
        Weights::open_file(&families().join("variants.safetensors")).unwrap(),
    );
    for (name, variant) in table["variants"].as_object().unwrap() {
        let folder = with_config(variant["family"].as_str().unwrap(), |config| {
            for field in variant["without"].as_array().unwrap() {
                config.as_object_mut().unwrap().remove(field.as_str().unwrap()).unwrap();
            }
            for (field, value) in variant["fields"].as_object().unwrap() {
                config[field] = value.clone();
            }
        });
        assert_logits(name, &load(folder.path()), &logits, &logits.floats(name).unwrap());
    }
}

#[test]
fn what_gemmas_configurations_leave_out_is_what_transformers_takes() {
    for (kind, expected) in parsed(&families().join("variants.json"))["defaults"].as_object().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, json!({"model_type": kind}).to_string()).unwrap();
        let config = LlamaConfig::read(&file).unwrap();
        let (sliding, gemma) = (config.sliding.as_ref().unwrap(), config.gemma.unwrap());
        let kinds = sliding.layers.iter().map(|&slides| if slides { "sliding_attention" } else { "full_attention" });
        let rope = |theta: f64| json!({"rope_theta": theta, "rope_type": "default"});
        let rotations = match &sliding.rope {
            None => rope(config.rope.theta),
            Some(own) => json!({"full_attention": rope(config.rope.theta), "sliding_attention": rope(own.theta)}),
        };
        let read = json!({
            "vocab_size": config.vocabulary,
            "hidden_size": config.width,
            "intermediate_size": config.ffn,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.kv_heads,
            "head_dim": config.head_width,
            "rms_norm_eps": config.norm_epsilon,
            "tie_word_embeddings": config.tied,
            "query_pre_attn_scalar": gemma.query_scalar as u64,
            "attn_logit_softcapping": gemma.attention_cap,
            "final_logit_softcapping": gemma.logit_cap,
            "sliding_window": sliding.window,
            "layer_types": kinds.collect::<Vec<_>>(),
            "max_position_embeddings": expected["max_position_embeddings"],
            "rope_parameters": rotations,
        });
        assert_eq!(&read, expected, "{kind}");
    }
}

/// A LoRA's loss on the later tokens of each text, whose gradient flows through caps, norms and windows.
#[test]
fn gradients_of_an_adapter_are_those_of_peft() {
    for family in FAMILIES {
        assert_gradients(family, &families().join(family), &expected(family));
    }
}

/// That the gradients of an adapter are those of PEFT, computed at once and layer by layer.
pub(crate) fn assert_gradients(family: &str, folder: &Path, expected: &Weights) {
    let mut model: Llama<Tracked> = load_pretrained(folder, 0, 0, &Default::default()).unwrap();
    let mut adapter = Adapter::default();
    for module in expected.names().filter_map(|name| name.strip_prefix("value.")?.strip_suffix(Adapter::A)) {
        let part = |end: &str| expected.matrix(&format!("value.{module}{end}"), None).unwrap();
        adapter.modules.insert(module.to_owned(), Pair { a: part(Adapter::A), b: part(Adapter::B) });
    }
    let modules = model.config.modules().count();
    assert_eq!(adapter.modules.len(), modules);
    adapter.put_on(&mut model);
    model.lora_scale = 3.0;
    let (ids, length) = input_ids(expected);
    let (_, first) = expected.integers("first").unwrap();
    let sequence = |(row, first): (&[u32], &i64)| {
        let at = *first as usize - 1;
        let branch = Branch { targets: row[at + 1..].to_vec(), ..Branch::unscored(at, row[at..length - 1].to_vec()) };
        Sequence { prefix: row[..at].to_vec(), branches: vec![branch] }
    };
    let packed = Packed::new(&ids.chunks(length).zip(&first).map(sequence).collect::<Vec<_>>());
    for checkpointing in [false, true] {
        let options = StepOptions {
            temperature: 0.8,
            clip: 0.0,
            adapter_dropout: 0.0,
            residual_dropout: 0.0,
            checkpointing,
            equal_pieces: false,
        };
        let trained = trained(VocabularyMode::Frozen, true);
        let step = gradients(&mut model, &packed, &trained, &Guides::default(), &options, 0);
        let loss = expected.floats("loss").unwrap()[0];
        assert!((step.figures.loss as f32 / loss - 1.0).abs() < 1e-5, "{family}: loss {}", step.figures.loss);
        assert_eq!(step.by_name.len(), 2 * modules);
        for (name, gradient) in &step.by_name {
            let wanted = expected.floats(&format!("grad.{name}")).unwrap();
            let error = relative(&Matrix::from_tensor(gradient.clone()).values, &wanted);
            assert!(error <= 1e-4, "{family}: gradient of {name} is {error:e} off");
        }
    }
}

#[test]
fn what_is_read_token_by_token_is_what_is_read_at_once() {
    for family in FAMILIES {
        assert_token_by_token(family, &families().join(family), &expected(family));
    }
}

/// That what is read token by token is what is read at once.
pub(crate) fn assert_token_by_token(family: &str, folder: &Path, expected: &Weights) {
    let model = load(folder);
    let (tokens, length) = input_ids(expected);
    let logits = expected.floats("logits").unwrap();
    let columns = model.config.vocabulary;
    let first = Sequence { prefix: vec![], branches: vec![Branch::unscored(0, tokens[..1].to_vec())] };
    let (_, mut cache) = model.prefill(&Packed::new(&[first]), None);
    for (at, &token) in tokens.iter().enumerate().take(length).skip(1) {
        let span = Span::two(0..at as u32, at as u32..at as u32 + 1);
        let row = PackedRow { queries: 0..1, keys: [0..at, at..at + 1, 0..0] };
        let (row, own) = model.step(&[token], &[at as u32], &AttentionPlan::new(vec![row], vec![span]), &cache);
        let error = largest_difference(&Matrix::from_tensor(row).values, &logits[at * columns..(at + 1) * columns]);
        assert!(error <= 2e-5, "{family}, token {at}: {error:e}");
        for (all, own) in cache.iter_mut().zip(own) {
            all.key = Tensor::cat(vec![all.key.clone(), own.key], 0);
            all.value = Tensor::cat(vec![all.value.clone(), own.value], 0);
        }
    }
}

/// Gemma 3 with its part for pictures: the decoder stands in `text_config`, its tensors under other names.
#[test]
fn the_decoder_of_a_model_that_reads_pictures_is_read() {
    let text = expected("gemma3");
    let bytes = fs::read(families().join("gemma3/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for (prefix, pictures) in
        [("language_model.model.", "vision_tower"), ("model.language_model.", "model.vision_tower")]
    {
        let folder = with_config("gemma3", |config| {
            let text = config.take();
            *config = json!({"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 8}, "eos_token_id": [2, 5]});
        });
        let norm = tensors.tensor("model.norm.weight").unwrap();
        let renamed = tensors.iter().map(|(name, tensor)| (name.replacen("model.", prefix, 1), tensor));
        let renamed = renamed.chain([(format!("{pictures}.post_layernorm.weight"), norm)]);
        fs::write(folder.path().join("model.safetensors"), safetensors::serialize(renamed, None).unwrap()).unwrap();
        assert_logits(prefix, &load(folder.path()), &text, &text.floats("logits").unwrap());
        let summary = ModelSummary::read(folder.path()).unwrap();
        assert_eq!(summary.unused, [format!("{pictures}.post_layernorm.weight")]);
        assert!(summary.notes.iter().any(|note| note.contains("pictures")), "{:?}", summary.notes);
    }
}

#[test]
fn what_is_written_of_a_family_reads_back_as_the_same() {
    for family in FAMILIES {
        let (config, expected) = (Pretrained::open(&families().join(family)).unwrap().config, expected(family));
        let folder = tempfile::tempdir().unwrap();
        let mut model = load(&families().join(family));
        weights::write_model(folder.path(), &mut model, config.hugging_face(config.vocabulary)).unwrap();
        let written = load(folder.path());
        assert_eq!(written.config, config, "{family}");
        assert_logits(family, &written, &expected, &expected.floats("logits").unwrap());
    }
}

/// What llama.cpp takes for granted of Gemma's families is written; what a model has otherwise, and other families' windows, is
/// refused.
#[test]
fn gemmas_are_written_as_gguf_files_where_these_can_say_what_they_are() {
    let written = |folder: &Path| {
        let mut model = load(folder);
        let (config, file) = (model.config.clone(), folder.join("model.gguf"));
        let tokenizer = peso_workbench::model::tokenizer::without_texts();
        weights::gguf::write_gguf(&file, &mut model, &config, "small", tokenizer).map(|()| (model, load(&file)))
    };
    for family in ["gemma2", "gemma3"] {
        let folder = with_config(family, |config| {
            config["query_pre_attn_scalar"] = 8.into();
            config["layer_types"] = Value::Null;
        });
        let (model, read) = written(folder.path()).unwrap();
        let (mut from, mut to) = (model.config.clone(), read.config.clone());
        // Caps and windows are float32 there; a model that knows no texts says nothing of its ends.
        (from.norm_epsilon, to.norm_epsilon, from.bos, from.eos) = (0.0, 0.0, None, None);
        assert_eq!(from, to, "{family}");
        let (tokens, length) = input_ids(&expected(family));
        let own = all_logits(&model, &tokens, length).values;
        assert_logits(family, &read, &expected(family), &own);
    }
    for (family, words) in [
        ("gemma2", "divided there by the root of 8, and in this model of 12"),
        ("mistral", "windows of attention are not known there of Mistral"),
    ] {
        let folder = with_config(family, |_| ());
        let error = written(folder.path()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("without `--gguf`"), "{error}");
    }
}

#[test]
fn a_card_tells_windows_and_caps() {
    for (family, words) in [
        ("mistral", &["Mistral model", "the last 5 tokens in all layers"][..]),
        ("qwen2", &["the last 6 tokens in 2 of 4 layers"]),
        (
            "gemma2",
            &["Gemma 2 model", "the last 5 tokens in 2 of 4 layers", "scores of attention within 2, logits within 3"],
        ),
        ("gemma3", &["Gemma 3 model", "the last 5 tokens in 3 of 4 layers, theta 10000 there", "stretched by 8"]),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_peso"))
            .arg("inspect")
            .arg(families().join(family))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for words in words {
            assert!(text.contains(words), "\"{words}\" is not in: {text}");
        }
    }
}
