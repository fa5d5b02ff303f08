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
fn patient_workers_wait_for_each_other_and_all_end_well() {
    let (one, three) = (project(), project());
    let alone = command(one.path(), &RUN).output().unwrap();
    assert!(alone.status.success(), "{}", words(&alone));
    let arguments = [&RUN[..], &["--worker"]].concat();
    let workers = [0, 1, 2].map(|_| command(three.path(), &arguments).spawn().unwrap());
    for output in workers.map(|worker| worker.wait_with_output().unwrap()) {
        let said = words(&output);
        assert!(output.status.success() && !said.contains("is left out"), "{said}");
    }
    assert_eq!(numbers(three.path()), numbers(one.path()));
}

#[test]
fn a_patient_worker_takes_over_a_run_that_is_left_and_leaves_one_that_failed_elsewhere() {
    let folder = project();
    let first = command(folder.path(), &[&RUN[..], &["--experiment", "Single"]].concat()).output().unwrap();
    assert!(first.status.success(), "{}", words(&first));
    let single = run_of(folder.path(), "Single");
    for (status, ends) in [(Status::Running, 0), (Status::Failed, 1)] {
        let mut writer = single.writer().unwrap();
        writer.set_status(Status::Running, None).unwrap();
        let lock = single.lock().unwrap();
        let patient = [&RUN[..], &["--experiment", "Single", "--worker"]].concat();
        let mut worker = command(folder.path(), &patient).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(3));
        assert!(worker.try_wait().unwrap().is_none(), "it waits");
        writer.set_status(status, Some("the other said so")).unwrap();
        drop((lock, writer));
        let output = worker.wait_with_output().unwrap();
        let said = words(&output);
        assert_eq!(output.status.code(), Some(ends), "{said}");
        assert_eq!(said.contains("failed: the other said so"), status == Status::Failed, "{said}");
        assert_eq!(single.status(), if ends == 0 { Status::Finished } else { Status::Failed });
    }
}

#[test]
fn what_runs_share_can_be_made_before_them() {
    let (whole, parts) = (project(), project());
    let alone = command(whole.path(), &RUN).output().unwrap();
    assert!(alone.status.success(), "{}", words(&alone));
    let shared = |folder: &Path| -> Vec<String> {
        let folders = peso_workbench::run::shared_part::folders(&folder.join("runs"));
        let finished = folders.into_iter().filter(|folder| folder.status() == Status::Finished);
        finished.map(|folder| folder.config().experiment.clone()).collect()
    };
    for (part, there) in [("base", &["Base model"][..]), ("stage1", &["Base model", "Stage 1"])] {
        let made = command(parts.path(), &[&RUN[..], &["--shared", part]].concat()).output().unwrap();
        assert!(made.status.success(), "{}", words(&made));
        let mut found = shared(parts.path());
        found.sort();
        assert_eq!(found, there);
    }
    assert_eq!(run_of(parts.path(), "Frozen").status(), Status::Queued, "the first of those that need it made it");
    let rest = command(parts.path(), &RUN).output().unwrap();
    assert!(rest.status.success(), "{}", words(&rest));
    assert_eq!(numbers(parts.path()), numbers(whole.path()));
}

#[test]
fn jobs_for_slurm_are_shown_with_what_they_wait_for_and_what_they_ask_for() {
    let folder = project();
    let shown = command(folder.path(), &["run", ".", "--slurm", "--dry-run", "--partition", "long"]).output().unwrap();
    assert!(shown.status.success(), "{}", words(&shown));
    let text = String::from_utf8(shown.stdout).unwrap();
    let jobs: Vec<&str> = text.lines().filter(|line| line.starts_with("#SBATCH --job-name=")).collect();
    let named = ["base", "stage1", "runs", "hybrids"].map(|layer| format!("#SBATCH --job-name=peso-shared-{layer}"));
    assert_eq!(jobs, named);
    for asked in ["--partition=long", "--time=0:", "--mem=", "--requeue", "--cpus-per-task=4"] {
        assert_eq!(text.matches(&format!("#SBATCH {asked}")).count(), 4, "{asked}\n{text}");
    }
    assert!(!folder.path().join("runs/slurm").exists(), "a dry run writes nothing");
    let json =
        command(folder.path(), &["run", ".", "--slurm", "--dry-run", "--json", "--time", "1:00:00", "--memory", "1G"]);
    let json: Value = serde_json::from_slice(&{ json }.output().unwrap().stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 4);
    assert!(json[2]["script"].as_str().unwrap().contains("#SBATCH --mem=1G\n"), "{json}");

    let trained = command(folder.path(), &RUN).output().unwrap();
    assert!(trained.status.success(), "{}", words(&trained));
    let nothing = command(folder.path(), &["run", ".", "--slurm"]).output().unwrap();
    assert!(nothing.status.success() && words(&nothing).contains("nothing to submit"), "{}", words(&nothing));

    let refused = command(folder.path(), &["run", ".", "--partition", "long"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
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
