//! Whole runs through the real binary: the same numbers every time, however often a worker is killed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use peso_workbench::device::DeviceChoice;
use peso_workbench::project::Project;
use peso_workbench::run::observer::{Level, Progress};
use peso_workbench::run::{RunConfig, RunOptions, RunSelection, Status};
use peso_workbench::train::recorder::Watcher;
use peso_workbench::train::worker;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// Small enough for a test, with every phase in it: base model, stage 1, two updates, a matrix of nine cells.
const PROJECT: &str = r#"(
    format: 1,
    name: "Small",
    dataset: Synthetic(users: 90, items: 60, stages: 3, codes: 6, interactions: (9.0, 5.0)),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
    training: (epochs: 2, batch: 16, learning_rate: 0.01, later_stage_factor: 0.5, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [
        (name: "PESO", method: Peso(lambda: 50.0)),
        (name: "SumLoRA", method: SumLora(inherit: true)),
        (name: "Frozen", method: Frozen),
    ],
    seeds: [1],
)"#;

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    folder
}

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(arguments).arg(folder).stdin(Stdio::null());
    command
}

fn run(folder: &Path, more: &[&str]) -> Output {
    let mut command = command(&["run"], folder);
    command.args(["--device", "cpu"]).args(more).output().unwrap()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `peso results --json` without what may differ: times and memory.
fn numbers(folder: &Path, more: &[&str]) -> Value {
    let output = command(&["results", "--json"], folder).args(more).output().unwrap();
    assert_done(&output);
    let mut results: Value = serde_json::from_slice(&output.stdout).unwrap();
    without_times(&mut results);
    results
}

/// Takes out of results what differs from run to run: times and memory.
pub fn without_times(results: &mut Value) {
    for run in results["runs"].as_array_mut().unwrap() {
        for stage in run["stages"].as_array_mut().unwrap() {
            let stage = stage.as_object_mut().unwrap();
            for volatile in ["train_seconds", "eval_seconds", "peak_memory_bytes"] {
                assert!(stage.remove(volatile).is_some_and(|v| v.is_number()), "{volatile} is reported");
            }
            assert!(stage.remove("train_examples_per_s").is_some(), "null where nothing is trained");
        }
    }
}

#[test]
fn a_project_trains_gives_the_same_numbers_again_and_is_then_left_alone() {
    let folder = project();
    assert_done(&run(folder.path(), &[]));
    let first = numbers(folder.path(), &[]);
    let runs = first["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 5, "three experiments and two non-learned baselines");
    for run in runs {
        assert_eq!(run["status"], "finished", "{run}");
        assert_eq!(run["stages"].as_array().unwrap().len(), 3);
        let matrix = run["matrix"]["hit@5"].as_array().unwrap();
        assert!(matrix.iter().all(|row| row.as_array().unwrap().iter().all(Value::is_number)), "{matrix:?}");
    }
    let of = |method: &str| runs.iter().find(|r| r["method"] == method).unwrap();
    assert_eq!(of("peso")["matrix"]["hit@5"][0], of("frozen")["matrix"]["hit@5"][0], "stage 1 is shared");
    let frozen = of("frozen")["matrix"]["ndcg@5"].as_array().unwrap();
    assert!(frozen.iter().all(|row| *row == frozen[0]), "a frozen model does not change");
    assert_ne!(of("peso")["matrix"]["ndcg@5"], of("sum_lora")["matrix"]["ndcg@5"], "methods differ");
    let forward = |method: &str| of(method)["continual"]["hit@5"]["forward_transfer"].as_f64();
    assert!(forward("peso").is_some_and(f64::is_finite), "the model before any training was asked too");
    assert_eq!(forward("popularity"), None, "nothing is there before counting");

    let other = tempfile::tempdir().unwrap();
    let out = ["--out", other.path().to_str().unwrap()];
    assert_done(&run(folder.path(), &out));
    assert_eq!(numbers(folder.path(), &out), first, "a second run gives the same numbers");

    let began = Instant::now();
    assert_done(&run(folder.path(), &[]));
    assert!(began.elapsed() < Duration::from_secs(20), "what is finished is not trained again");
    assert_eq!(numbers(folder.path(), &[]), first);
}

#[test]
fn the_last_epoch_is_kept_where_that_is_asked_for() {
    // Far too many passes over little data: the loss on validation users is lowest before the last.
    let long = PROJECT.replace("epochs: 2, batch", "later_stage_epochs: 6, epochs: 2, batch");
    let best = long.replace("learning_rate: 0.01", "learning_rate: 0.03");
    let last = best.replace("training: (", "training: (keep: LastEpoch, ");
    let mut results = [best, last].map(|text| {
        let folder = project();
        fs::write(folder.path().join("project.ron"), text).unwrap();
        assert_done(&run(folder.path(), &["--experiment", "PESO"]));
        let all = numbers(folder.path(), &[]);
        let runs = all["runs"].as_array().unwrap();
        runs.iter().find(|run| run["method"] == "peso" && run["stages"].as_array().unwrap().len() == 3).unwrap().clone()
    });
    let losses = |run: &Value| run["stages"][1]["validation_losses"].as_array().unwrap().clone();
    let kept = |run: &Value| run["stages"][1]["best_epoch"].as_u64().unwrap();
    let lowest = |run: &Value| {
        let losses: Vec<f64> = losses(run).iter().filter_map(Value::as_f64).collect();
        1 + losses.iter().enumerate().min_by(|one, other| one.1.total_cmp(other.1)).unwrap().0 as u64
    };
    let [best, last] = &mut results;
    assert_eq!((kept(best), losses(best).len()), (lowest(best), 6));
    assert!(kept(best) < 6, "{best}");
    assert_eq!((kept(last), losses(last).len()), (6, 6));
    assert_ne!(best["matrix"], last["matrix"]);
}

#[test]
fn a_run_killed_ten_times_ends_with_the_numbers_of_one_that_was_not() {
    let folder = project();
    let whole = tempfile::tempdir().unwrap();
    let only = ["--experiment", "PESO", "--checkpoint-every", "0"];
    let out = ["--out", whole.path().to_str().unwrap()];
    let began = Instant::now();
    assert_done(&run(folder.path(), &[&only[..], &out[..]].concat()));
    let whole_time = began.elapsed();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut killed = 0;
    while killed < 10 {
        let mut command = command(&["run"], folder.path());
        command.args(["--device", "cpu"]).args(only).stdout(Stdio::null()).stderr(Stdio::null());
        let mut worker = command.spawn().unwrap();
        std::thread::sleep(whole_time.mul_f64(random.random_range(0.05..0.45)));
        if worker.try_wait().unwrap().is_none() {
            worker.kill().unwrap();
            worker.wait().unwrap();
            killed += 1;
        } else {
            // Resumed so often that it came to its end: the next kills are for another run.
            assert_eq!(numbers(folder.path(), &[]), numbers(folder.path(), &out));
            fs::remove_dir_all(folder.path().join("runs")).unwrap();
        }
    }
    assert_done(&run(folder.path(), &only));
    assert_eq!(numbers(folder.path(), &[]), numbers(folder.path(), &out));
}

/// Makes all run folders what a program of another identity leaves: with other hashes, and named after them.
fn age(runs: &Path) {
    for folder in fs::read_dir(runs).unwrap().flatten().map(|entry| entry.path()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let Some((stem, _)) = name.rsplit_once('-').filter(|_| folder.join("run.ron").is_file()) else { continue };
        let old_id = format!("{stem}-0badcafe");
        let text = fs::read_to_string(folder.join("run.ron")).unwrap();
        let line = |line: &str| match line.trim_start().split_once(':') {
            Some(("identity", _)) => String::new(),
            Some(("run", _)) => format!("    run: \"{old_id}\",\n"),
            Some((hash @ ("config_hash" | "model_hash"), _)) => format!("    {hash}: \"0badcafe\",\n"),
            _ => format!("{line}\n"),
        };
        fs::write(folder.join("run.ron"), text.lines().map(line).collect::<String>()).unwrap();
        fs::rename(&folder, folder.with_file_name(old_id)).unwrap();
    }
}

#[test]
fn runs_with_hashes_of_before_are_those_of_their_project() {
    let folder = project();
    let whole = tempfile::tempdir().unwrap();
    let out = ["--out", whole.path().to_str().unwrap()];
    assert_done(&run(folder.path(), &out));
    assert_done(&run(folder.path(), &["--experiment", "Frozen"]));
    let runs = folder.path().join("runs");
    age(&runs);
    let names = || -> Vec<String> {
        let entries = fs::read_dir(&runs).unwrap().flatten().filter(|entry| entry.path().is_dir());
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    let before = names();
    assert_eq!(before.len(), 5, "two that count, one that learns, two shared parts: {before:?}");
    let log = |name: &String| fs::read(runs.join(name).join("log.txt")).unwrap_or_default();
    let logs: Vec<_> = before.iter().map(log).collect();

    assert_done(&run(folder.path(), &[]));
    let after = names();
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    // Co-occurrence counts otherwise than it did then, so its run of before is another one.
    assert_eq!(after.len(), before.len() + 3, "only what was never run is new: {after:?}");
    assert_eq!(before.iter().map(log).collect::<Vec<_>>(), logs, "nothing was done in what is finished");
    let counted = before.iter().find(|name| name.starts_with("co-occurrence")).unwrap();
    fs::remove_dir_all(runs.join(counted)).unwrap();
    assert_eq!(numbers(folder.path(), &[]), numbers(folder.path(), &out));
}

/// A device that fails after some steps, as the worker sees it: with a panic out of the computation.
struct Failing {
    steps: usize,
}

impl Watcher for Failing {
    fn run_started(&mut self, _number: usize, _of: usize, _config: &RunConfig) {}

    fn progress(&mut self, _progress: &Progress) {
        assert!(self.steps > 0, "out of memory");
        self.steps -= 1;
    }

    fn event(&mut self, _level: Level, _text: &str) {}

    fn interrupted(&self) -> bool {
        false
    }
}

#[test]
fn a_device_that_fails_leaves_a_run_that_names_the_next_device_and_is_resumed() {
    let folder = project();
    let whole = tempfile::tempdir().unwrap();
    let only = ["--experiment", "PESO"];
    let out = ["--out", whole.path().to_str().unwrap()];
    assert_done(&run(folder.path(), &[&only[..], &out[..]].concat()));

    let selection = RunSelection { experiments: vec!["PESO".to_owned()], ..RunSelection::default() };
    let options =
        RunOptions { device: DeviceChoice::Cpu, checkpoint_every: Duration::from_millis(20), ..RunOptions::default() };
    let project = Project::load(folder.path()).unwrap();
    for steps in [5, 40, 40] {
        let outcomes = worker::run(&project, &selection, &options, &mut Failing { steps }).unwrap();
        let failed = outcomes.last().unwrap();
        assert_eq!(failed.status, Status::Failed, "after {steps} steps");
        let reason = failed.reason.as_deref().unwrap();
        assert!(reason.contains("out of memory") && reason.contains("--device cpu"), "{reason}");
    }
    assert_done(&run(folder.path(), &only));
    assert_eq!(numbers(folder.path(), &[]), numbers(folder.path(), &out));
}

/// Waits for a run folder of the experiment to say what is asked of it.
fn wait_for(folder: &Path, worker: &mut Child, wanted: impl Fn(&Value) -> bool) {
    let began = Instant::now();
    loop {
        let output = command(&["status", "--json"], folder).output().unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if wanted(&status) {
            return;
        }
        assert!(worker.try_wait().unwrap().is_none(), "the worker ended: {status}");
        assert!(began.elapsed() < Duration::from_secs(120), "waited too long: {status}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn a_stop_through_the_folder_saves_the_state_and_the_run_goes_on() {
    let folder = project();
    let whole = tempfile::tempdir().unwrap();
    let only = ["--experiment", "PESO"];
    let out = ["--out", whole.path().to_str().unwrap()];
    assert_done(&run(folder.path(), &[&only[..], &out[..]].concat()));

    let mut command = command(&["run"], folder.path());
    command.args(["--device", "cpu"]).args(only).stdout(Stdio::null()).stderr(Stdio::null());
    let mut worker = command.spawn().unwrap();
    wait_for(folder.path(), &mut worker, |status| status.to_string().contains("\"running\""));
    let runs = folder.path().join("runs");
    let peso = || {
        fs::read_dir(&runs)
            .unwrap()
            .flatten()
            .map(|e| e.path())
            .find(|p| p.file_name().unwrap().to_str().unwrap().starts_with("peso-"))
    };
    let began = Instant::now();
    while peso().is_none() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    fs::write(peso().unwrap().join("control"), "stop\n").unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(130), "a stop is an interruption");
    assert_done(&run(folder.path(), &only));
    assert_eq!(numbers(folder.path(), &[]), numbers(folder.path(), &out));
}

#[test]
fn an_adapter_folder_is_a_peft_adapter_of_the_base_in_the_run_folder() {
    let folder = project();
    assert_done(&run(folder.path(), &["--experiment", "SumLoRA"]));
    let run = fs::read_dir(folder.path().join("runs")).unwrap().flatten().map(|e| e.path());
    let run = run.into_iter().find(|p| p.file_name().unwrap().to_str().unwrap().starts_with("sumlora-")).unwrap();
    let ids = folder.path().join("ids.safetensors");
    let values: Vec<u8> = [0i64, 3, 4, 5, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I64, vec![1, 5], &values).unwrap();
    safetensors::serialize_to_file([("input_ids", view)], None, &ids).unwrap();
    let score = |stage: &str, out: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
        command.arg("score").arg(run.join("base")).args(["--device", "cpu"]).arg("--ids").arg(&ids);
        command.arg("--adapter").arg(run.join("adapters").join(stage)).arg("--out").arg(folder.path().join(out));
        assert_done(&command.output().unwrap());
        fs::read(folder.path().join(out)).unwrap()
    };
    assert_ne!(score("stage_1", "1.safetensors"), score("stage_3", "3.safetensors"));
}
