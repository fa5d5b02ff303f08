//! The same project through wgpu and on the CPU. Runs on whatever adapter there is, a software one included.

use std::fs;
use std::process::Command;

use serde_json::Value;

const PROJECT: &str = r#"(
    format: 1,
    name: "Tiny",
    dataset: Synthetic(users: 24, items: 30, stages: 2, codes: 4, interactions: (6.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, batch: 16, learning_rate: 0.01, dropout: 0.0, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [5]),
    experiments: [(name: "PESO", method: Peso(lambda: 100.0))],
    seeds: [1],
)"#;

fn peso(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn wgpu_trains_as_the_cpu_does() {
    let devices = peso(&["devices", "--json"]);
    if !devices["found"].as_array().unwrap().iter().any(|d| d["kind"] == "wgpu") {
        eprintln!("no wgpu adapter is installed here: nothing to compare");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project.ron");
    fs::write(&project, PROJECT).unwrap();
    let losses = |device: &str| -> Vec<f64> {
        let out = folder.path().join(device);
        let (project, out) = (project.to_str().unwrap(), out.to_str().unwrap());
        peso(&["run", project, "--device", device, "--out", out]);
        let results = peso(&["results", project, "--json", "--out", out]);
        let runs = results["runs"].as_array().unwrap();
        let run = runs.iter().find(|r| r["method"] == "peso").unwrap();
        assert!(run["device"].as_str().unwrap().starts_with(device), "{run}");
        run["stages"].as_array().unwrap().iter().map(|s| s["final_loss"].as_f64().unwrap()).collect()
    };
    let (cpu, wgpu) = (losses("cpu"), losses("wgpu"));
    assert_eq!(cpu.len(), 2);
    for (a, b) in cpu.iter().zip(&wgpu) {
        assert!((a / b - 1.0).abs() < 1e-2, "{wgpu:?} instead of {cpu:?}");
    }
}
