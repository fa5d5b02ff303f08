//! `peso compare` on runs whose every hit is known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::experiment::Project;
use peso_workbench::experiment::observer::{EvaluationRecord, Observer as _, UserOutcome};
use peso_workbench::experiment::project_file::DEMO;
use peso_workbench::experiment::results::Status;
use peso_workbench::experiment::run_folder::{RunConfig, RunFolder, RunMethod};
use serde_json::Value;

const USERS: u32 = 40;

/// A finished run of two stages in which the first `hits` of 40 users are hit in stage 2.
fn write_run(project: &Project, name: &str, method: &RunMethod, seed: u64, hits: u32, first_user: u32) {
    let config_hash = RunConfig::hash_of(project, method).unwrap();
    let config = RunConfig {
        format: RunConfig::FORMAT,
        run: RunConfig::id_of(name, method, seed, &config_hash),
        experiment: name.to_owned(),
        method: method.clone(),
        seed,
        project: project.clone(),
        device: "cpu".to_owned(),
        version: "0.1.0".to_owned(),
        config_hash,
        data_hash: "da7a".to_owned(),
        model_hash: "0de1".to_owned(),
        synthetic: true,
        stages: 2,
        trainable_parameters: 1,
        created_unix: 0,
    };
    let run = RunFolder::create(&project.runs_dir(None), &config).unwrap();
    let mut writer = run.writer().unwrap();
    let outcome = |user: u32| {
        let hit = u32::from(user < hits);
        UserOutcome { user: first_user + user, target: 1, rank: 3 * hit, before: 2 * hit, sharing: hit, top: vec![] }
    };
    let users: Vec<UserOutcome> = (0..USERS).map(outcome).collect();
    let metrics = BTreeMap::from([("hit@10".to_owned(), f64::from(hits) / f64::from(USERS))]);
    writer.evaluation(&EvaluationRecord { trained_stage: 2, test_stage: 2, metrics, users, seconds: 0.0 }).unwrap();
    writer.set_status(Status::Finished, None).unwrap();
}

fn project(folder: &Path) -> Project {
    fs::write(folder.join("project.ron"), DEMO.replace("seeds: [42]", "seeds: [1, 2]")).unwrap();
    Project::load(folder).unwrap()
}

fn learned(project: &Project, name: &str) -> RunMethod {
    RunMethod::Learned(project.experiments.iter().find(|e| e.name == name).unwrap().method.clone())
}

fn compare(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).arg("compare").arg(folder).args(arguments).output().unwrap()
}

#[test]
fn gains_are_paired_tested_and_corrected() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    for (seed, hits) in [(1, 20), (2, 22)] {
        write_run(&project, "PESO", &learned(&project, "PESO"), seed, hits, 0);
        write_run(&project, "Frozen", &learned(&project, "Frozen"), seed, 10, 0);
    }
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5, 0);
    let output = compare(folder.path(), &["--baseline", "frozen", "--metric", "hit@10", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["baseline"].as_str(), report["synthetic"].as_bool()), (Some("Frozen"), Some(true)));
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|l| l["name"].as_str().unwrap()).collect::<Vec<_>>(), ["PESO", "Popularity"]);
    let number = |line: usize, field: &str| lines[line]["comparison"][field].as_f64().unwrap();
    assert!((number(0, "value") - 0.525).abs() < 1e-12 && (number(0, "gain") - 0.275).abs() < 1e-12);
    assert!((number(1, "gain") + 0.125).abs() < 1e-12, "5 hits of 40 against 10, under both seeds");
    assert_eq!(number(0, "total"), 11.0, "users more that are hit, mean over seeds");
    let interval = &lines[0]["comparison"]["interval"];
    assert!(interval["low"].as_f64().unwrap() > 0.1 && interval["high"].as_f64().unwrap() < 0.45, "{interval}");
    assert!(lines[0]["p_corrected"].as_f64().unwrap() >= number(0, "p_value"));
    let only: Vec<_> = lines[0]["mcnemar"].as_array().unwrap().iter().map(|t| t["only_a"].as_u64().unwrap()).collect();
    assert_eq!(only, [10, 12]);

    let text = compare(folder.path(), &["--baseline", "Frozen", "--metric", "hit@10"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("Hit@10 against Frozen") && text.contains("+0.2750") && text.contains("+110.0 %"), "{text}");
    assert!(text.contains("synthetic data"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let says = |arguments: &[&str], words: &str| {
        let output = compare(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && output.stdout.is_empty(), "{said}");
    };
    says(&["--baseline", "PESO"], "no run is finished");
    write_run(&project, "PESO", &learned(&project, "PESO"), 1, 20, 0);
    write_run(&project, "Frozen", &learned(&project, "Frozen"), 2, 10, 0);
    says(&["--baseline", "PISO"], "finished are \"PESO\", \"Frozen\"");
    says(&["--baseline", "PESO"], "Frozen cannot be compared: not enough seeds");
    says(&["--baseline", "PESO", "--metric", "mrr@10"], "expected hit@K or ndcg@K");
    says(&["--baseline", "PESO", "--metric", "hit@50"], "hit@50 needs lists of 50 items");
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5, 100);
    says(&["--baseline", "PESO"], "tested on other users");
}
