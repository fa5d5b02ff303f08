//! Every kind of file that a model or an adapter has, changed at random: an error or a model, no panic, and no time over a second.
//!
//! `PESO_MUTATIONS=20000 cargo nextest run --test behaviour mutated_models` changes each of them so often; without it, a few times.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::backend::Flex;
use peso_workbench::error::InputError;
use peso_workbench::model::LlamaConfig;
use peso_workbench::model::inspect::{AdapterSummary, ModelSummary};
use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::weights::{PeftAdapter, Pretrained};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::base_models::models;

/// How often each file is changed where nothing else is asked for.
const FEW: u64 = 40;

/// The longest that a file may be looked at; a build without optimisation on a busy machine is given more.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });

/// Words and numbers that a reader of JSON may stumble over.
const ODD: [&str; 14] = [
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "1e-320",
    "18446744073709551616",
    "4294967295",
    "0.5",
    "\"\"",
    "[]",
    "{}",
    "[[[[",
    "\"\\ud800\"",
];

/// Changes bytes at random: flips, cuts, repeats, inserts; of a text also a value to an odd one.
fn mutate(bytes: &mut Vec<u8>, is_text: bool, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..64)).min(bytes.len());
        match random.random_range(0..if is_text { 8 } else { 6 }) {
            0 | 1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes[at] = random.random(),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            5 if random.random_bool(0.2) => bytes.truncate(at),
            5 => drop(bytes.splice(at..at, [0xff, 0, 0x80, b'"'])),
            _ => odd_value(bytes, at, random),
        }
    }
}

/// Puts an odd value where the next one of a JSON text stands.
fn odd_value(bytes: &mut Vec<u8>, at: usize, random: &mut ChaCha8Rng) {
    let Some(start) = bytes[at..].iter().position(|&byte| byte == b':').map(|found| at + found + 1) else { return };
    let length = bytes[start..].iter().position(|byte| b",}\n".contains(byte)).unwrap_or(0);
    let odd = ODD[random.random_range(0..ODD.len())];
    bytes.splice(start..start + length, odd.bytes());
}

/// Headers are what a reader believes: of a file of weights, most changes are made there.
fn mutate_file(original: &[u8], name: &str, random: &mut ChaCha8Rng) -> Vec<u8> {
    let is_text = name.ends_with(".json");
    let header = if is_text || random.random_bool(0.1) { original.len() } else { original.len().min(4096) };
    let mut head = original[..header].to_vec();
    mutate(&mut head, is_text, random);
    [&head, &original[header..]].concat()
}

/// A folder that holds all that is read, and how it is.
struct Subject {
    folder: tempfile::TempDir,
    file: PathBuf,
    read: fn(&Path) -> Result<(), InputError>,
}

fn model(path: &Path) -> Result<(), InputError> {
    ModelSummary::read(path)?;
    Pretrained::open(path)?.load::<Flex>(1, 0, &Default::default(), &mut |_| ()).map(drop)
}

fn tokenizer(path: &Path) -> Result<(), InputError> {
    let tokenizer = Tokenizer::open(path)?;
    tokenizer.summary();
    tokenizer.pieces("History: ", ", ", "\nNext:").map(drop)
}

fn adapter(folder: &Path) -> Result<(), InputError> {
    let base = LlamaConfig::read(&models().parent().unwrap().join("peft/untied/config.json"))?;
    AdapterSummary::read(folder)?;
    PeftAdapter::read(folder, &base).map(drop)
}

/// A copy of a fixture's folder, or of a file, of which `name` is changed.
fn subject(from: &Path, name: &str, read: fn(&Path) -> Result<(), InputError>) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    if from.is_dir() {
        for file in fs::read_dir(from).unwrap().flatten().filter(|file| file.path().is_file()) {
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
    } else {
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    let file = folder.path().join(name);
    Subject { folder, file, read }
}

#[test]
fn changed_files_are_refused_or_read_in_time() {
    let times: u64 = std::env::var("PESO_MUTATIONS").ok().map_or(FEW, |times| times.parse().unwrap());
    let peft = models().parent().unwrap().join("peft/untied_tokens");
    let variants = models().parent().unwrap().join("reference/variants");
    let subjects = [
        subject(&models().join("llama"), "config.json", model),
        subject(&variants, "config.json", model),
        subject(&models().join("llama"), "model.safetensors", model),
        subject(&models().join("qwen2"), "model.safetensors.index.json", model),
        subject(&models().join("llama.gguf"), "model.gguf", model),
        subject(&models().join("qwen3.gguf"), "model.gguf", model),
        subject(&models().join("tokenizer.json"), "tokenizer.json", tokenizer),
        subject(&peft, "adapter_config.json", adapter),
        subject(&peft, "adapter_model.safetensors", adapter),
    ];
    for Subject { folder, file, read } in subjects {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let original = fs::read(&file).unwrap();
        let path = if name.ends_with(".gguf") { file.clone() } else { folder.path().to_path_buf() };
        read(&path).unwrap();
        let (mut refused, mut slowest) = (0, Duration::ZERO);
        for seed in 0..times {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            fs::write(&file, mutate_file(&original, &name, &mut random)).unwrap();
            let began = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| read(&path)));
            let took = began.elapsed();
            slowest = slowest.max(took);
            assert!(took < LONGEST, "{name}, seed {seed}: {took:?}");
            match outcome {
                Err(_) => panic!("{name}, seed {seed}: a panic"),
                Ok(Err(error)) => {
                    refused += 1;
                    let text = error.to_string();
                    assert!(text.len() < 2000, "{name}, seed {seed}: {} letters", text.len());
                }
                Ok(Ok(())) => {}
            }
        }
        println!("{name}: {refused} of {times} refused, {slowest:?} at most");
        assert!(times < 30 || refused > 0, "{name}: nothing was noticed");
    }
}
