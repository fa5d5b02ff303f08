//! Several `peso run` at one project: each run is trained by one of them, whoever comes second says who has it, and a run
//! that cannot be started keeps no other from being trained.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use peso_workbench::project::Project;
use peso_workbench::run::{RunFolder, Status};
use serde_json::Value;

use crate::training::without_times;

const PROJECT: &str = r#"(
    format: 1,
    name: "Shared",
    dataset: Synthetic(users: 60, items: 40, stages: 2, codes: 6, interactions: (6.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, lora: (rank: 2)),
    evaluation: (beams: 5, k: [5]),
    experiments: [
        (name: "Frozen", method: Frozen),
        (name: "Single", method: Single),
        (name: "Towers", method: TwoTower()),
        (name: "Both", method: Hybrid(adapter: "Single", towers: "Towers")),
    ],
    seeds: [1],
)"#;

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const RUN: [&str; 4] = ["run", ".", "--device", "cpu"];

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn numbers(folder: &Path) -> Value {
    let output = command(folder, &["results", ".", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let mut results = serde_json::from_slice(&output.stdout).unwrap();
    without_times(&mut results);
    results
}

fn run_of(folder: &Path, experiment: &str) -> RunFolder {
    let runs = RunFolder::list(&Project::load(folder).unwrap().runs_dir(None));
    runs.into_iter().find(|run| run.config().experiment == experiment).unwrap()
}

#[test]
fn two_at_once_share_the_work_and_get_the_numbers_of_one() {
    let (one, two) = (project(), project());
    let alone = command(one.path(), &RUN).output().unwrap();
    assert!(alone.status.success(), "{}", words(&alone));
    let workers = [0, 1].map(|_| command(two.path(), &RUN).spawn().unwrap());
    let outputs = workers.map(|worker| worker.wait_with_output().unwrap());
    for output in &outputs {
        // What the other was still at, at the end, is named; nothing is trained twice or failed.
        let said = words(output);
        let left = said.contains("is left out: another worker is training this run: process ");
        assert!(output.status.success() || output.status.code() == Some(1) && left, "{said}");
    }
    assert!(outputs.iter().any(|output| output.status.success()), "{}", words(&outputs[0]));
    assert_eq!(numbers(two.path()), numbers(one.path()));
}

#[test]
fn a_run_that_another_worker_has_is_named_with_it_and_the_others_are_trained() {
    let folder = project();
    let first = command(folder.path(), &[&RUN[..], &["--experiment", "Single"]].concat()).output().unwrap();
    assert!(first.status.success(), "{}", words(&first));
    let single = run_of(folder.path(), "Single");
    let mut writer = single.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    let lock = single.lock().unwrap();
    assert_eq!(single.status(), Status::Running);

    let second = command(folder.path(), &RUN).output().unwrap();
    let said = words(&second);
    assert_eq!(second.status.code(), Some(1), "{said}");
    let holder = format!("is left out: another worker is training this run: process {} on ", std::process::id());
    assert!(said.contains(&single.config().run) && said.contains(&holder), "{said}");
    assert_eq!(run_of(folder.path(), "Towers").status(), Status::Finished);
    assert_eq!(run_of(folder.path(), "Both").status(), Status::Failed, "what it is made of is not there");

    drop((lock, writer));
    assert_eq!(single.status(), Status::Stopped, "a worker that is gone trains nothing");
    let third = command(folder.path(), &RUN).output().unwrap();
    assert!(third.status.success(), "{}", words(&third));
    assert_eq!(run_of(folder.path(), "Both").status(), Status::Finished);
}

#[test]
fn a_run_that_cannot_be_started_keeps_no_other_from_it() {
    for more in [&[][..], &["--workers", "2"]] {
        let folder = project();
        let first = command(folder.path(), &[&RUN[..], &["--experiment", "Frozen"]].concat()).output().unwrap();
        assert!(first.status.success(), "{}", words(&first));
        let frozen = run_of(folder.path(), "Frozen").path().join("run.ron");
        let text = fs::read_to_string(&frozen).unwrap();
        let hash = text.lines().find(|line| line.trim_start().starts_with("data_hash")).unwrap();
        fs::write(&frozen, text.replace(hash, "    data_hash: \"0badcafe\",")).unwrap();
        let second = command(folder.path(), &[&RUN[..], more].concat()).output().unwrap();
        let said = words(&second);
        assert_eq!(second.status.code(), Some(2), "{said}");
        assert!(said.contains("Frozen, seed 1, failed: the run was made from other data"), "{said}");
        for trained in ["Single", "Towers", "Both"] {
            assert_eq!(run_of(folder.path(), trained).status(), Status::Finished, "{more:?}: {said}");
        }
    }
}
