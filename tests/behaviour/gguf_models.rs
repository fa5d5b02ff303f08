//! GGUF files: stretched rotations under old and new keys, models in several files, and what is refused by its key.

use std::fs;
use std::path::Path;

use burn::backend::Flex;
use peso_workbench::model::Llama;
use peso_workbench::model::config::{Described, Family, Scaling};
use peso_workbench::model::inspect::{ModelSummary, weight_files};
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::gguf::{Gguf, describe, tensor_name};
use peso_workbench::model::weights::{Pretrained, Weights, load_pretrained};

use crate::base_models::{input_ids, models};
use crate::gguf_file::{Tensor, Value, write_model};

/// The tensors of the Qwen3 checkpoint under GGUF's names; its rows lie as Hugging Face's.
fn tensors() -> Vec<Tensor> {
    let weights = Weights::open(&models().join("qwen3")).unwrap();
    let tensor = |name: &str| Tensor {
        name: tensor_name(Family::Qwen3, name).unwrap(),
        shape: weights.shape(name).unwrap(),
        values: weights.floats(name).unwrap(),
    };
    let tied = Pretrained::open(&models().join("qwen3")).unwrap().config.tied;
    weights.names().filter(|name| !tied || *name != "lm_head.weight").map(tensor).collect()
}

/// The architecture of that checkpoint as metadata, with more of it.
fn metadata(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let config = Pretrained::open(&models().join("qwen3")).unwrap().config;
    let number = |n: usize| Value::Number(n as u32);
    let mut metadata = vec![
        ("general.architecture", Value::Text("qwen3".to_owned())),
        ("qwen3.block_count", number(config.layers)),
        ("qwen3.context_length", number(512)),
        ("qwen3.embedding_length", number(config.width)),
        ("qwen3.feed_forward_length", number(config.ffn)),
        ("qwen3.attention.head_count", number(config.heads)),
        ("qwen3.attention.head_count_kv", number(config.kv_heads)),
        ("qwen3.attention.key_length", number(config.head_width)),
        ("qwen3.attention.layer_norm_rms_epsilon", Value::Float(config.norm_epsilon as f32)),
        ("qwen3.rope.freq_base", Value::Float(config.rope.theta as f32)),
    ];
    metadata.extend(more.iter().cloned());
    metadata
}

fn described(more: &[(&'static str, Value)]) -> Result<Described, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    write_model(&path, &metadata(more), &tensors());
    describe(&Gguf::open(&path).unwrap()).map_err(|error| error.to_string())
}

/// As llama.cpp's `llama_model::load_hparams`: no kind is "linear", a factor of 0 is 1, and the old key counts where the new one
/// is not there.
#[test]
fn rotations_are_stretched_under_new_and_old_keys() {
    let text = |text: &str| Value::Text(text.to_owned());
    let linear = |factor| Some(Scaling::Linear(factor));
    for (more, expected) in [
        (vec![], None),
        (
            vec![("qwen3.rope.scaling.type", text("linear")), ("qwen3.rope.scaling.factor", Value::Float(4.0))],
            linear(4.0),
        ),
        (vec![("qwen3.rope.scaling.factor", Value::Float(4.0))], linear(4.0)),
        (vec![("qwen3.rope.scale_linear", Value::Float(2.5))], linear(2.5)),
        (
            vec![("qwen3.rope.scale_linear", Value::Float(2.5)), ("qwen3.rope.scaling.factor", Value::Float(4.0))],
            linear(4.0),
        ),
        (vec![("qwen3.rope.scaling.type", text("none")), ("qwen3.rope.scaling.factor", Value::Float(4.0))], None),
        (vec![("qwen3.rope.scaling.factor", Value::Float(0.0))], None),
        (vec![("qwen3.rope.scaling.factor", Value::Float(1.0))], None),
        (vec![("qwen3.rope.freq_scale", Value::Float(1.0)), ("qwen3.logit_scale", Value::Float(0.0))], None),
    ] {
        assert_eq!(described(&more).unwrap().config.rope.scaling, expected);
    }
}

#[test]
fn what_changes_the_numbers_is_refused_by_its_key() {
    for (key, value) in [
        ("qwen3.rope.scaling.type", Value::Text("yarn".to_owned())),
        ("qwen3.rope.scaling.type", Value::Number(1)),
        ("qwen3.rope.scaling.factor", Value::Float(-4.0)),
        ("qwen3.rope.scaling.attn_factor", Value::Float(1.2)),
        ("qwen3.rope.freq_scale", Value::Float(0.25)),
        ("qwen3.rope.dimension_count", Value::Number(4)),
        ("qwen3.attention.sliding_window", Value::Number(8)),
        ("qwen3.attention.scale", Value::Float(0.5)),
        ("qwen3.attention.causal", Value::Flag(false)),
        ("qwen3.attention.clamp_kqv", Value::Float(8.0)),
        ("qwen3.logit_scale", Value::Float(0.5)),
        ("qwen3.final_logit_softcapping", Value::Float(30.0)),
        ("qwen3.expert_count", Value::Number(8)),
    ] {
        let error = described(&[(key, value)]).unwrap_err();
        assert!(error.contains(key), "{key}: {error}");
    }
    // A window as wide as the context sees all of it.
    assert!(described(&[("qwen3.attention.sliding_window", Value::Number(512))]).is_ok());
    let unused = described(&[("qwen3.odd_thing", Value::Number(3)), ("qwen3.off", Value::Number(0))]).unwrap().unused;
    assert_eq!(unused, ["qwen3.odd_thing"]);
}

/// Writes the checkpoint in three files, as `llama-gguf-split` lays them out.
fn write_parts(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut rest = tensors();
    let all = rest.len();
    let split = |number: u16| {
        vec![
            ("split.no", Value::Short(number)),
            ("split.count", Value::Short(3)),
            ("split.tensors.count", Value::Number(all as u32)),
        ]
    };
    let paths: Vec<_> = (1..=3).map(|number| folder.join(format!("m-{number:05}-of-00003.gguf"))).collect();
    let third = all / 3;
    let (first, second) = (rest.drain(..third).collect::<Vec<_>>(), rest.drain(..third).collect::<Vec<_>>());
    write_model(&paths[0], &metadata(&split(0)), &first);
    write_model(&paths[1], &split(1), &second);
    write_model(&paths[2], &split(2), &rest);
    paths
}

#[test]
fn a_model_in_several_files_is_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let paths = write_parts(folder.path());
    let expected = Weights::open_file(&models().join("qwen3/expected.safetensors")).unwrap();
    let (ids, length) = input_ids(&expected);
    let model: Llama<Flex> = load_pretrained(&paths[0], 0, 0, &Default::default()).unwrap();
    let (got, expected) = (all_logits(&model, &ids, length).values, expected.floats("logits").unwrap());
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-4 * largest));
    assert_eq!(weight_files(&paths[0]).unwrap(), paths, "all of them make the model's hash");
    assert_eq!(ModelSummary::read(&paths[0]).unwrap().tensors.len(), tensors().len());
}

#[test]
fn parts_that_do_not_make_a_model_are_named() {
    let refused = |path: &Path, words: &[&str]| {
        let error = Pretrained::open(path).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "\"{word}\" is not in: {error}");
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let paths = write_parts(folder.path());
    refused(&paths[1], &["part 2 of 3", "name the first part", "m-00001-of-00003.gguf"]);
    let third = fs::read(&paths[2]).unwrap();
    fs::copy(&paths[1], &paths[2]).unwrap();
    refused(&paths[0], &["not part 3 of 3", "m-00003-of-00003.gguf"]);
    fs::remove_file(&paths[2]).unwrap();
    refused(&paths[0], &["part 3 of 3 of the model is missing", "llama-gguf-split --merge", "m-00001-of-00003.gguf"]);
    fs::write(&paths[2], &third[..third.len() - 100]).unwrap();
    refused(&paths[0], &["m-00003-of-00003.gguf", "cut short"]);
    let renamed = folder.path().join("renamed.gguf");
    fs::copy(&paths[0], &renamed).unwrap();
    refused(&renamed, &["one of 3 parts", "split.count"]);
    // A part that lacks a tensor.
    let mut fewer = tensors();
    fewer.drain(..fewer.len() / 3 * 2 + 1);
    let all = tensors().len() as u32;
    let split =
        [("split.no", Value::Short(2)), ("split.count", Value::Short(3)), ("split.tensors.count", Value::Number(all))];
    write_model(&paths[2], &split, &fewer);
    refused(&paths[0], &["tensors together", "split.tensors.count"]);
    // Pieces of one file, cut anywhere.
    let piece = folder.path().join("model.gguf.part1of2");
    let whole = fs::read(models().join("qwen3.gguf")).unwrap();
    fs::write(&piece, &whole[..whole.len() / 2]).unwrap();
    refused(&piece, &["join the pieces"]);
}

/// llama.cpp warns that "generation quality will be degraded".
#[test]
fn a_file_that_does_not_say_how_texts_are_cut_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let model = ("tokenizer.ggml.model", Value::Text("gpt2".to_owned()));
    let pre = ("tokenizer.ggml.pre", Value::Text("default".to_owned()));
    for (more, told) in [(vec![model.clone()], true), (vec![model, pre], false), (vec![], false)] {
        write_model(&path, &metadata(&more), &tensors());
        let notes = ModelSummary::read(&path).unwrap().notes;
        assert_eq!(notes.iter().any(|note| note.contains("tokenizer.ggml.pre")), told, "{notes:?}");
    }
}
