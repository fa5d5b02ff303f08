//! Model files that cannot be used: a clear error, exit status 2, nothing written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::reference::committed_reference;

/// A copy of a reference model that a test may damage, with token ids to score.
fn model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = committed_reference().join("llama_untied_rope");
    for file in ["config.json", "model.safetensors"] {
        fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    write_ids(folder.path(), &[1, 2, 3]);
    folder
}

fn write_ids(folder: &Path, ids: &[i64]) {
    let values: Vec<u8> = ids.iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I64, vec![1, ids.len()], &values).unwrap();
    safetensors::serialize_to_file([("input_ids", view)], None, &folder.join("ids.safetensors")).unwrap();
}

fn score(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(["score", "--device", "cpu", "--ids"]).arg(folder.join("ids.safetensors"));
    command.arg("--out").arg(folder.join("logits.safetensors")).arg(folder).output().unwrap()
}

fn assert_refused(folder: &Path, words: &[&str]) {
    let output = score(folder);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    for word in words {
        assert!(error.contains(word), "\"{word}\" is not in: {error}");
    }
    assert!(!folder.join("logits.safetensors").exists(), "nothing is left behind");
}

#[test]
fn a_good_model_is_scored() {
    let folder = model();
    let output = score(folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.path().join("logits.safetensors").is_file());
}

#[test]
fn a_lying_header_is_refused_before_anything_is_allocated() {
    let folder = model();
    let file = folder.path().join("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    for (lie, length) in [("longer than the file", bytes.len() as u64 * 2), ("absurd", u64::MAX), ("cut", 100)] {
        let mut lying = bytes.clone();
        lying[..8].copy_from_slice(&length.to_le_bytes());
        fs::write(&file, &lying).unwrap();
        assert_refused(folder.path(), &["not a valid safetensors file", "model.safetensors"]);
        assert!(!lie.is_empty());
    }
    let header = String::from_utf8_lossy(&bytes).into_owned();
    let end = header.find("data_offsets").unwrap();
    let mut lying = bytes.clone();
    // The first tensor's offsets now name bytes that are another's.
    let at = end + header[end..].find('[').unwrap() + 1;
    lying[at] = b'9';
    fs::write(&file, &lying).unwrap();
    assert_refused(folder.path(), &["not a valid safetensors file"]);
    fs::write(&file, &bytes[..bytes.len() - 64]).unwrap();
    assert_refused(folder.path(), &["not a valid safetensors file"]);
    fs::write(&file, b"").unwrap();
    assert_refused(folder.path(), &["model.safetensors"]);
}

#[test]
fn configurations_are_checked_field_by_field() {
    let good = fs::read_to_string(committed_reference().join("llama_untied_rope/config.json")).unwrap();
    for (from, to, words) in [
        ("\"hidden_size\": 48", "\"hidden_size\": -1", ["hidden_size", "positive whole number"]),
        ("\"hidden_size\": 48", "\"hidden_size\": 64", ["model.embed_tokens.weight", "expected the shape"]),
        ("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", ["model.layers.3", "missing"]),
        ("\"model_type\": \"llama\"", "\"model_type\": \"bert\"", ["bert", "not supported"]),
        ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4", ["num_key_value_heads", "divide"]),
        ("\"rope_type\": \"default\"", "\"rope_type\": \"dynamic\"", ["dynamic", "not supported"]),
        ("\"vocab_size\"", "vocab_size", ["not valid JSON", "line"]),
    ] {
        assert!(good.contains(from), "{from}");
        let folder = model();
        fs::write(folder.path().join("config.json"), good.replace(from, to)).unwrap();
        assert_refused(folder.path(), &words);
    }
}

#[test]
fn token_ids_outside_the_vocabulary_are_named() {
    let folder = model();
    write_ids(folder.path(), &[1, 999_999]);
    assert_refused(folder.path(), &["token id 999999", "column 1"]);
    write_ids(folder.path(), &[-1]);
    assert_refused(folder.path(), &["token id -1"]);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = model();
    fs::remove_file(folder.path().join("config.json")).unwrap();
    assert_refused(folder.path(), &["config.json"]);
}

#[test]
fn a_model_is_inspected_without_loading_it() {
    let folder = model();
    let inspect =
        || Command::new(env!("CARGO_BIN_EXE_peso")).args(["inspect", "--json"]).arg(folder.path()).output().unwrap();
    let output = inspect();
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["kind"], "model");
    // q and o, k and v, the feed-forward part, two norms.
    let layer = 2 * 48 * 48 + 2 * 16 * 48 + 3 * 48 * 96 + 2 * 48;
    assert_eq!(summary["parameters"], 2 * 108 * 48 + 3 * layer + 48);
    assert_eq!(summary["types"], serde_json::json!(["F32"]));
    fs::write(folder.path().join("model.safetensors"), b"no").unwrap();
    assert_eq!(inspect().status.code(), Some(2));
}
