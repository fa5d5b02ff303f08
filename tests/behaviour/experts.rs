//! Mixtures of experts against Transformers and PEFT.
//!
//! `tests/fixtures/experts` holds small random checkpoints of Qwen3-MoE, each in both layouts of its experts, and what is computed
//! with them. Its `make.py` made all of it.

use std::fs;
use std::path::{Path, PathBuf};

use peso_workbench::model::adapter::Adapter;
use peso_workbench::model::options::LoraShape;
use peso_workbench::model::ranks::RankSpace;
use peso_workbench::model::tokenizer::without_texts;
use peso_workbench::model::weights::{self, Pretrained, Weights};
use serde_json::{Value, json};

use crate::families::{assert_gradients, assert_logits, assert_token_by_token, load};
use crate::model_reference::json as parsed;

const MODELS: [&str; 2] = ["all", "some"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/experts").join(name)
}

fn expected(name: &str) -> Weights {
    Weights::open_file(&folder(name).join("expected.safetensors")).unwrap()
}

/// A copy of a checkpoint in one of its layouts, with another configuration.
fn copy(name: &str, layout: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut config = parsed(&folder(name).join("config.json"));
    change(&mut config);
    fs::write(copy.path().join("config.json"), config.to_string()).unwrap();
    fs::copy(folder(name).join(layout), copy.path().join("model.safetensors")).unwrap();
    copy
}

#[test]
fn logits_are_those_of_transformers_in_both_layouts() {
    for name in MODELS {
        let expected = expected(name);
        let logits = expected.floats("logits").unwrap();
        for layout in ["model.safetensors", "fused.safetensors"] {
            let copy = copy(name, layout, |_| ());
            assert_logits(name, &load(copy.path()), &expected, &logits);
        }
    }
}

#[test]
fn gradients_of_an_adapter_are_those_of_peft() {
    for name in MODELS {
        assert_gradients(name, &folder(name), &expected(name));
    }
}

#[test]
fn what_is_read_token_by_token_is_what_is_read_at_once() {
    for name in MODELS {
        assert_token_by_token(name, &folder(name), &expected(name));
    }
}

#[test]
fn what_is_written_reads_back_as_the_same() {
    for name in MODELS {
        let (config, expected) = (Pretrained::open(&folder(name)).unwrap().config, expected(name));
        let written = tempfile::tempdir().unwrap();
        weights::write_model(written.path(), &mut load(&folder(name)), config.hugging_face(config.vocabulary)).unwrap();
        let read = load(written.path());
        assert_eq!(read.config, config, "{name}");
        assert_logits(name, &read, &expected, &expected.floats("logits").unwrap());
    }
}

#[test]
fn layers_with_experts_have_adapters_on_attention_alone() {
    for (name, modules) in [("all", 8), ("some", 4 * 4 + 3 * 3)] {
        let model = Pretrained::open(&folder(name)).unwrap();
        let stored: usize = model.stored().iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
        assert_eq!(model.parameters(), stored as u64);
        let space = RankSpace::of(&model.config, LoraShape::default());
        let adapter = Adapter::fresh(&model.config, LoraShape::default(), 1, "adapter");
        assert_eq!((space.modules.len(), adapter.modules.len()), (modules, modules), "{name}");
        let numbers: usize = adapter.parameters().map(|(_, matrix)| matrix.values.len()).sum();
        assert_eq!(space.whole(), numbers as u64);
    }
}

#[test]
fn what_is_not_supported_is_refused_by_its_field() {
    for (field, value, words) in [
        ("num_experts_per_tok", json!(6), "6 experts a token, of the 5"),
        ("num_experts", json!(6), "5 experts, and `num_experts` says 6"),
        ("num_local_experts", json!(1 << 20), "more experts than any model has"),
        ("num_local_experts", json!(0), "positive whole number"),
        ("hidden_act", json!("gelu"), "another activation"),
        ("use_sliding_window", json!(true), "windows of attention are not supported"),
        ("layer_types", json!(["sliding_attention", "full_attention"]), "not supported in Qwen3-MoE"),
        ("mlp_only_layers", json!([0, "1"]), "a list of layers"),
        ("decoder_sparse_step", json!(0), "positive whole number"),
        ("shared_expert_intermediate_size", json!(8), "not supported"),
    ] {
        let copy = copy("all", "model.safetensors", |config| config[field] = value);
        let error = Pretrained::open(copy.path()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(field), "{field}: {error}");
    }
}

#[test]
fn experts_that_a_configuration_claims_and_a_file_has_not_are_refused() {
    for (layout, words) in
        [("model.safetensors", "experts.5.gate_proj.weight"), ("fused.safetensors", "[4000, 24, 16], got [5, 24, 16]")]
    {
        let copy = copy("all", layout, |config| config["num_local_experts"] = 4000.into());
        let error = Pretrained::open(copy.path()).unwrap_err().to_string();
        assert!(error.contains("mlp.gate.weight"), "the router has a row an expert: {error}");
        let bytes = fs::read(folder("all").join(layout)).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let rows = vec![0; 4 * 4000 * 16];
        let router = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![4000, 16], &rows).unwrap();
        let all = tensors.iter().map(|(name, tensor)| {
            (name.to_owned(), if name.ends_with("mlp.gate.weight") { router.clone() } else { tensor })
        });
        fs::write(copy.path().join("model.safetensors"), safetensors::serialize(all, None).unwrap()).unwrap();
        let error = Pretrained::open(copy.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_gguf_file_of_experts_is_refused_with_a_way_to_one() {
    let mut model = load(&folder("all"));
    let (config, out) = (model.config.clone(), tempfile::tempdir().unwrap());
    let file = out.path().join("model.gguf");
    let error =
        weights::gguf::write_gguf(&file, &mut model, &config, "small", without_texts()).unwrap_err().to_string();
    assert!(error.contains("convert_hf_to_gguf.py") && error.contains("without `--gguf`"), "{error}");
    assert!(!file.exists());
}

#[test]
fn a_card_tells_experts_and_where_adapters_are() {
    for (name, words) in [("all", "Experts: 5 a layer, 2 a token, of width 12"), ("some", "5 a layer in 1 of 4 layers")]
    {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_peso")).arg("inspect").arg(folder(name)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for words in [words, "Qwen3-MoE model", "Adapters: on q, k, v and o"] {
            assert!(text.contains(words), "\"{words}\" is not in: {text}");
        }
    }
}
