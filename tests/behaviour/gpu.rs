//! The same project through a GPU's interface and on the CPU: loss after 20 steps within a hundredth.
//!
//! wgpu is tested on whatever adapter there is, a software one included; real GPUs, CUDA among them, where somebody has one.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::run::RunFolder;
use peso_workbench::run::observer::Phase;
use serde_json::Value;

use crate::base_models::models;

const PROJECT: &str = r#"(
    format: 1,
    name: "Tiny",
    dataset: Synthetic(users: 28, items: 40, stages: 2, codes: 5, interactions: (7.0, 5.0)),
    base_model: MODEL,
    training: (
        epochs: 1, later_stage_epochs: 3, batch: 4, learning_rate: 0.01, dropout: 0.0, lora: (rank: 2, alpha: 4.0), storage: STORAGE,
    ),
    evaluation: (beams: 5, k: [5]),
    experiments: [(name: "PESO", method: Peso(lambda: 100.0))],
    seeds: [1],
)"#;

/// The step whose loss is compared, from 1.
const STEP: usize = 20;

fn output(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).output().unwrap()
}

/// Kinds of the devices that were found; with `real`, of those alone that do not emulate a GPU.
fn gpus(real: bool) -> Vec<String> {
    let devices: Value = serde_json::from_slice(&output(&["devices", "--json"]).stdout).unwrap();
    let found = devices["found"].as_array().unwrap().iter();
    let usable = found.filter(|d| d["kind"] != "cpu" && d["usable"] == true && !(real && d["software"] == true));
    let mut kinds: Vec<String> = usable.map(|d| d["kind"].as_str().unwrap().to_owned()).collect();
    kinds.dedup();
    kinds
}

/// The losses of PESO's stages at [`STEP`], trained on a device; else what the program said of why not.
fn losses(folder: &Path, model: &str, storage: &str, device: &str) -> Result<Vec<f64>, String> {
    let project = folder.join("project.ron");
    fs::write(&project, PROJECT.replace("MODEL", model).replace("STORAGE", storage)).unwrap();
    let out = folder.join(format!("{device}-{storage}"));
    let (project, out_text) = (project.to_str().unwrap(), out.to_str().unwrap());
    let output = output(&["run", project, "--experiment", "PESO", "--device", device, "--out", out_text]);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let runs = fs::read_dir(&out).unwrap().flatten().map(|entry| entry.path());
    let run = runs.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("peso-")).unwrap();
    let run = RunFolder::open(&run).unwrap();
    assert!(run.config().device.starts_with(device), "{}", run.config().device);
    let steps = run.reader().unwrap().steps_after(0).unwrap();
    let of = |stage: usize| -> f64 {
        let mut own = steps.iter().filter(|(_, step)| step.phase == Phase::Train && step.stage == stage);
        own.nth(STEP - 1).unwrap().1.loss
    };
    Ok(vec![of(1), of(2)])
}

/// Holds a device against the CPU; what came of it, for a reader.
fn assert_same(device: &str, model: &str, storage: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let cpu = losses(folder.path(), model, storage, "cpu").unwrap();
    match losses(folder.path(), model, storage, device) {
        Ok(gpu) => {
            for (a, b) in cpu.iter().zip(&gpu) {
                assert!((a / b - 1.0).abs() < 1e-2, "{device}, {model}, {storage}: {gpu:?} instead of {cpu:?}");
            }
            format!("{device}, {model}, {storage}: {gpu:?}, on the CPU {cpu:?}")
        }
        // The one reason that is the device's own: WGSL has no bfloat16, and not every adapter has float16.
        Err(said) => {
            assert!(storage == "Half" && said.contains("training.storage"), "{device}, {storage}: {said}");
            said
        }
    }
}

/// A base model whose files are float16, and one whose files are bfloat16.
fn pretrained() -> [String; 2] {
    ["llama", "qwen2"].map(|family| format!("HuggingFace({:?})", models().join(family)))
}

#[test]
fn wgpu_trains_as_the_cpu_does() {
    if !gpus(false).iter().any(|kind| kind == "wgpu") {
        eprintln!("no wgpu adapter is installed here, or this build has none: nothing to compare");
        return;
    }
    let compact = "Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1)";
    eprintln!("{}", assert_same("wgpu", compact, "Float32"));
    for model in pretrained() {
        eprintln!("{}", assert_same("wgpu", &model, "Half"));
    }
}

#[test]
#[ignore = "needs a real GPU: cargo nextest run --test behaviour real_gpus --run-ignored only --no-capture"]
fn real_gpus_train_as_the_cpu_does() {
    let gpus = gpus(true);
    assert!(!gpus.is_empty(), "there is no real GPU, or this build has no `gpu` feature");
    for device in gpus {
        for model in pretrained() {
            for storage in ["Float32", "Half"] {
                eprintln!("{}", assert_same(&device, &model, storage));
            }
        }
    }
}
