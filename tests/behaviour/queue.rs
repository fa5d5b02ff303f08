//! The queue of runs, through the real binary.

use std::fs;
use std::process::Command;

use peso_workbench::project::Project;
use peso_workbench::run::queue::{Queue, RunKey};
use peso_workbench::run::{RunFolder, Status};

const PROJECT: &str = r#"(
    format: 1,
    name: "Queued",
    dataset: Synthetic(users: 60, items: 40, stages: 2, codes: 6, interactions: (6.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, lora: (rank: 2)),
    evaluation: (beams: 5, k: [5]),
    experiments: [(name: "Frozen", method: Frozen)],
    seeds: [1],
)"#;

#[test]
fn an_unknown_experiment_is_named_and_does_not_stop_the_rest_of_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    let runs_dir = Project::load(folder.path()).unwrap().runs_dir(None);
    let key = |experiment: &str| RunKey { experiment: experiment.to_owned(), seed: 1 };
    let queue = Queue::new(&runs_dir);
    queue.add(&[key("Removed since"), key("Frozen")]).unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    let output = command.arg("run").arg(folder.path()).args(["--queue", "--device", "cpu"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no experiment is named \"Removed since\""), "{said}");
    let runs = RunFolder::list(&runs_dir);
    let frozen = runs.iter().find(|run| run.config().experiment == "Frozen").unwrap();
    assert_eq!(frozen.status(), Status::Finished);
    assert!(!queue.needs_worker(), "the queue is empty");
}
