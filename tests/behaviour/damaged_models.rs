//! Files of weights that are damaged or lie: an error that says where, bounded memory, no panic.

use std::fs;
use std::path::Path;

use burn::backend::Flex;
use peso_workbench::error::InputError;
use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::weights::gguf::Gguf;
use peso_workbench::model::weights::{Pretrained, load_pretrained};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::base_models::models;

/// Opens, loads and tokenises what may be anything.
fn touch(path: &Path) -> Result<(), InputError> {
    load_pretrained::<Flex>(path, 1, 0, &Default::default())?;
    Tokenizer::open(path)?.encode("a text", true)?;
    Ok(())
}

fn refused(path: &Path, words: &[&str]) {
    let error = touch(path).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "\"{word}\" is not in: {error}");
    }
}

#[test]
fn every_truncation_of_a_gguf_file_is_refused() {
    let (bytes, folder) = (fs::read(models().join("qwen3.gguf")).unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("model.gguf");
    let header = Gguf::open(&models().join("qwen3.gguf")).unwrap().tensors().map(|(_, t)| t.bytes.start).min().unwrap();
    for length in (0..header).step_by(13).chain((header..bytes.len()).step_by(9973)) {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = touch(&path).unwrap_err().to_string();
        assert!(error.contains("model.gguf"), "{length}: {error}");
    }
}

#[test]
fn flipped_bits_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let original = models().join("llama.gguf");
    let bytes = fs::read(&original).unwrap();
    let header = Gguf::open(&original).unwrap().tensors().map(|(_, t)| t.bytes.start).min().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut refused = 0;
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        for _ in 0..random.random_range(1..4) {
            damaged[random.random_range(0..header)] ^= 1 << random.random_range(0..8);
        }
        fs::write(&path, &damaged).unwrap();
        refused += usize::from(touch(&path).is_err());
    }
    assert!(refused > 200, "{refused} of 400 damaged headers were noticed");
}

#[test]
fn lengths_beyond_the_file_are_refused_before_anything_is_allocated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let head = |version: u32, tensors: u64, values: u64| {
        [&b"GGUF"[..], &version.to_le_bytes(), &tensors.to_le_bytes(), &values.to_le_bytes()].concat()
    };
    let huge = u64::MAX.to_le_bytes();
    let key = |name: &str| [&(name.len() as u64).to_le_bytes()[..], name.as_bytes()].concat();
    let tensor = |dimensions: u32, sizes: &[u64], kind: u32, offset: u64| {
        let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        let tail = [&kind.to_le_bytes()[..], &offset.to_le_bytes()].concat();
        [head(3, 1, 0), key("t"), dimensions.to_le_bytes().to_vec(), sizes, tail, vec![0; 64]].concat()
    };
    for (bytes, words) in [
        (b"GGML".to_vec(), "does not begin with `GGUF`"),
        (b"GG".to_vec(), "ends too early"),
        (head(1, 0, 0), "version 1 is not supported"),
        (head(3u32.swap_bytes(), 0, 0), "big-endian"),
        (head(3, 0, u64::MAX), "metadata 1 of 18446744073709551615"),
        (head(3, u64::MAX, 0), "tensor 1 of 18446744073709551615"),
        ([head(3, 0, 1), huge.to_vec()].concat(), "a text is longer than the file"),
        ([head(3, 0, 1), key("k"), 8u32.to_le_bytes().to_vec(), huge.to_vec()].concat(), "metadata `k`"),
        ([head(3, 0, 1), key("k"), 99u32.to_le_bytes().to_vec()].concat(), "no kind 99"),
        (
            [head(3, 0, 1), key("k"), 9u32.to_le_bytes().to_vec(), 6u32.to_le_bytes().to_vec(), huge.to_vec()].concat(),
            "an array is longer than the file",
        ),
        (
            [head(3, 0, 1), key("k"), 9u32.to_le_bytes().to_vec(), 8u32.to_le_bytes().to_vec(), huge.to_vec()].concat(),
            "metadata `k`",
        ),
        (tensor(5, &[1; 5], 0, 0), "expected 1 to 4 dimensions, got 5"),
        (tensor(2, &[u64::MAX, u64::MAX], 0, 0), "larger than the file"),
        (tensor(2, &[1 << 40, 1 << 40], 8, 0), "larger than the file"),
        (tensor(1, &[33], 8, 0), "cannot be Q8_0, which come in 32"),
        (tensor(1, &[0], 0, 0), "rows of 0 numbers"),
        (tensor(1, &[32], 20, 0), "tensor type 20 is not supported"),
        (tensor(1, &[32], 0, 7), "no multiple of 32"),
        (tensor(1, &[32], 0, 1 << 40), "beyond the end of the file"),
        (tensor(1, &[4096], 0, 0), "beyond the end of the file"),
    ] {
        fs::write(&path, &bytes).unwrap();
        refused(&path, &[words, "model.gguf"]);
    }
}

/// A copy of a Hugging Face folder that a test may damage.
fn copy(family: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(models().join(family)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

/// Writes a model's tensors again after they were changed.
fn rewrite(folder: &Path, change: impl FnOnce(&mut Vec<(String, Vec<usize>, Vec<u8>)>)) {
    let file = folder.join("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<_> =
        tensors.iter().map(|(name, t)| (name.to_owned(), t.shape().to_vec(), t.data().to_vec())).collect();
    let kind = tensors.iter().next().unwrap().1.dtype();
    change(&mut all);
    let views = all.iter().map(|(name, shape, data)| {
        (name.as_str(), safetensors::tensor::TensorView::new(kind, shape.clone(), data).unwrap())
    });
    fs::write(&file, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn tensors_that_are_missing_too_many_or_of_another_shape_are_named() {
    let folder = copy("qwen3");
    rewrite(folder.path(), |all| all.retain(|(name, ..)| name != "model.layers.1.self_attn.q_norm.weight"));
    refused(folder.path(), &["a tensor is missing", "model.layers.1.self_attn.q_norm.weight"]);
    let folder = copy("qwen3");
    rewrite(folder.path(), |all| all.push(("model.layers.0.self_attn.q_proj.bias".to_owned(), vec![2], vec![0; 8])));
    refused(folder.path(), &["not part of a qwen3 decoder", "model.layers.0.self_attn.q_proj.bias"]);
    let folder = copy("qwen3");
    rewrite(folder.path(), |all| {
        let norm = all.iter_mut().find(|(name, ..)| name == "model.norm.weight").unwrap();
        norm.1 = vec![norm.1[0], 1];
    });
    refused(folder.path(), &["expected the shape [32], got [32, 1]", "model.norm.weight"]);
    let folder = copy("qwen3");
    rewrite(folder.path(), |all| {
        let (.., data) = all.iter_mut().find(|(name, ..)| name == "model.layers.0.mlp.up_proj.weight").unwrap();
        data.fill(0xff);
    });
    refused(folder.path(), &["not finite numbers", "model.layers.0.mlp.up_proj.weight"]);
    // What old checkpoints carry along.
    let folder = copy("qwen3");
    rewrite(folder.path(), |all| {
        all.push(("model.layers.0.self_attn.rotary_emb.inv_freq".to_owned(), vec![2], vec![0; 8]));
    });
    assert_eq!(Pretrained::open(folder.path()).unwrap().unused, ["model.layers.0.self_attn.rotary_emb.inv_freq"]);
}

#[test]
fn quantised_values_that_are_no_numbers_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let mut bytes = fs::read(models().join("llama.gguf")).unwrap();
    let file = Gguf::open(&models().join("llama.gguf")).unwrap();
    bytes[file.tensor("blk.1.ffn_gate.weight").unwrap().bytes.clone()].fill(0xff);
    fs::write(&path, bytes).unwrap();
    refused(&path, &["not finite numbers", "blk.1.ffn_gate.weight"]);
}

#[test]
fn a_list_of_shards_cannot_lead_astray() {
    let folder = copy("qwen2");
    let index = folder.path().join("model.safetensors.index.json");
    let good = fs::read_to_string(&index).unwrap();
    let first = "model-00001-of-00005.safetensors";
    for name in ["../model.safetensors", "/etc/passwd", "a/../b", ".", "", "..", "sub/x.safetensors"] {
        fs::write(&index, good.replace(first, name)).unwrap();
        refused(folder.path(), &["lies outside the folder"]);
    }
    fs::write(&index, good.replace(first, "model.safetensors.index.json")).unwrap();
    refused(folder.path(), &["not a valid safetensors file"]);
    fs::write(&index, good.replace(first, "elsewhere.safetensors")).unwrap();
    refused(folder.path(), &["elsewhere.safetensors"]);
    fs::write(&index, "{\"weight_map\": {}}").unwrap();
    refused(folder.path(), &["the list of shards is empty"]);
    fs::write(&index, "{\"weight_map\": [").unwrap();
    refused(folder.path(), &["not a list of shards", "line 1"]);
    // The same tensors twice.
    fs::write(&index, good).unwrap();
    let (from, to) = (folder.path().join(first), folder.path().join("model-00002-of-00005.safetensors"));
    fs::copy(from, to).unwrap();
    refused(folder.path(), &["the tensor is in model-00001-of-00005.safetensors too"]);
}

#[test]
fn a_configuration_that_claims_more_than_the_files_hold_costs_nothing() {
    let folder = copy("llama");
    let config = folder.path().join("config.json");
    let good = fs::read_to_string(&config).unwrap();
    for (from, to, words) in [
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 16000000", "more layers than any model has"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000", "model.layers.2"),
        ("\"vocab_size\": 64", "\"vocab_size\": 16000000", "expected the shape"),
        ("\"head_dim\": 16", "\"head_dim\": 15", "even width"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&config, good.replace(from, to)).unwrap();
        refused(folder.path(), &[words]);
    }
}
