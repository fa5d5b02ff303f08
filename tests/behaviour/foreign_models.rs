//! What people have where a model is expected: recognised, and named with what to do.

use std::fs;
use std::path::Path;
use std::process::Command;

use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::weights::{PeftAdapter, Pretrained};

use crate::base_models::models;

/// What `peso inspect` says of a path that it refuses.
fn inspected(path: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_peso")).arg("inspect").arg(path).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{}: {error}", path.display());
    error
}

fn assert_words(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "\"{word}\" is not in: {text}");
    }
}

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 269060552\n";
const PAGE: &[u8] = b"\n<!DOCTYPE html>\n<html class=\"\"><head><title>Sign in</title></head></html>";
const GATED: &[u8] = b"Access to model meta-llama/Llama-3.2-1B is restricted. You must be authenticated to access it.";

#[test]
fn files_that_stand_for_others_are_recognised_wherever_a_model_has_files() {
    for (bytes, words) in [
        (POINTER, ["Git LFS", "git lfs pull"]),
        (PAGE, ["web page", "hf auth login"]),
        (GATED, ["server's answer", "restricted"]),
    ] {
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            let folder = tempfile::tempdir().unwrap();
            for file in ["config.json", "model.safetensors"] {
                fs::copy(models().join("llama").join(file), folder.path().join(file)).unwrap();
            }
            fs::write(folder.path().join(name), bytes).unwrap();
            let error = match name {
                "tokenizer.json" => Tokenizer::open(folder.path()).map(drop),
                _ => Pretrained::open(folder.path()).map(drop),
            };
            assert_words(&error.unwrap_err().to_string(), &[words[0], words[1], name]);
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["model.gguf", "adapter_config.json", "model.safetensors.index.json"] {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        fs::copy(models().join("llama/config.json"), folder.path().join("config.json")).unwrap();
        assert_words(&Pretrained::open(&folder.path().join("model.gguf")).unwrap_err().to_string(), &words);
        assert_words(&Pretrained::open(folder.path()).unwrap_err().to_string(), &words);
        let config = Pretrained::open(&models().join("llama")).unwrap().config;
        assert_words(&PeftAdapter::read(folder.path(), &config).unwrap_err().to_string(), &words);
    }
}

#[test]
fn folders_without_safetensors_say_what_they_have() {
    for (files, words) in [
        (&["config.json", "pytorch_model.bin"][..], &["pickle", "save_pretrained", "pytorch_model.bin"][..]),
        (&["config.json", "pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"], &["pickle"]),
        (&["consolidated.00.pth", "params.json"], &["layout of its makers", "config.json"]),
        (&["config.json", "consolidated.safetensors"], &["layout of its makers"]),
        (&["config.json", "q4.gguf"], &["Gguf(", "q4.gguf"]),
        (&["config.json", "model-00002-of-00003.safetensors"], &["list of shards is missing", "model-00002"]),
        (&["config.json", "model.fp16.safetensors"], &["model.fp16.safetensors", "rename"]),
        (&["config.json", "weights.npz"], &["MLX"]),
        (&["config.json", "tf_model.h5"], &["TensorFlow"]),
        (&["config.json", "flax_model.msgpack"], &["Flax"]),
        (&["config.json", "model.onnx"], &["ONNX"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), b"{}").unwrap();
        }
        assert_words(&Pretrained::open(folder.path()).unwrap_err().to_string(), words);
        assert_words(&inspected(folder.path()), words);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("adapter_config.json"), b"{}").unwrap();
    assert_words(&Pretrained::open(folder.path()).unwrap_err().to_string(), &["an adapter, not a base model"]);
    // Nothing that is known: what is expected is said.
    let folder = tempfile::tempdir().unwrap();
    assert_words(&Pretrained::open(folder.path()).unwrap_err().to_string(), &["config.json"]);
}

#[test]
fn files_of_other_programs_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, words) in [
        ("model.pth", &b"PK\x03\x04\x00\x00model/data.pkl"[..], &["pickle", "save_pretrained"][..]),
        ("old.bin", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", &["pickle"]),
        ("model.onnx", b"\x08\x07\x12\x07pytorch", &["ONNX"]),
        ("weights.h5", b"\x89HDF\r\n\x1a\n\x00", &["HDF5"]),
        ("model.tflite", b"\x1c\x00\x00\x00TFL3\x00", &["TensorFlow Lite"]),
        ("ggml-model.bin", b"tjgg\x03\x00\x00\x00", &["before GGUF"]),
        ("named.gguf", b"\x40\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}", &["safetensors file with the name of a GGUF"]),
        ("named.safetensors", b"GGUF\x03\x00\x00\x00", &["GGUF file with the name of a safetensors"]),
        ("pointer.safetensors", POINTER, &["Git LFS"]),
        ("page.gguf", PAGE, &["web page"]),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        assert_words(&inspected(&file), &[words, &[name]].concat());
    }
}

#[test]
fn an_adapter_as_a_pickle_and_a_tokenizer_of_an_older_kind_come_with_the_line_that_converts_them() {
    let folder = tempfile::tempdir().unwrap();
    let peft = models().parent().unwrap().join("peft/untied_tokens");
    fs::copy(peft.join("adapter_config.json"), folder.path().join("adapter_config.json")).unwrap();
    fs::write(folder.path().join("adapter_model.bin"), b"PK\x03\x04").unwrap();
    assert_words(&inspected(folder.path()), &["pickle", "torch.load", "adapter_model.safetensors"]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tokenizer.model"), b"x").unwrap();
    let error = Tokenizer::open(folder.path()).unwrap_err().to_string();
    assert_words(&error, &["tokenizer.model", "AutoTokenizer"]);
}
