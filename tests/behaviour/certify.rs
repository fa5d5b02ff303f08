//! `peso certify` and `peso alarm` on runs whose every hit is known.

use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::data::Protocol;
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::observer::{CellIndex, EvaluationRecord, Observer as _, UserOutcome};
use peso_workbench::run::{RunFolder, RunMethod, Status};
use serde_json::Value;

use crate::runs::{self, learned};

const SWEEP: &str = "seeds: [1], sweeps: [(experiment: \"PESO\", options: [(option: \"lambda\", values: [20, 200])])],";
const SINGLE: &str = "Single evolving LoRA";

fn finish(run: &RunFolder) {
    run.writer().unwrap().set_status(Status::Finished, None).unwrap();
}

/// A single LoRA with 20 hits of 40, PESO with as many under lambda 2 and with none under 20; 200 is not finished.
fn project(folder: &Path) -> Project {
    let project = runs::project(folder, &DEMO.replace("seeds: [42],", SWEEP));
    let variants = project.variants().unwrap();
    for (name, hits) in [(SINGLE, 20), ("PESO", 20), ("PESO (lambda 20)", 0)] {
        let variant = variants.iter().find(|variant| variant.experiment.name == name).unwrap();
        let run = runs::create(&project, name, &RunMethod::Learned(variant.experiment.method.clone()), 1);
        runs::hits(&run, Protocol::SameBlock, hits, 0);
        finish(&run);
    }
    project
}

fn peso(command: &str, path: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).arg(command).arg(path).args(arguments).output().unwrap()
}

fn json(command: &str, path: &Path, arguments: &[&str]) -> Value {
    let output = peso(command, path, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const CLAIM: [&str; 4] = ["--metric", "hit@10_corrected", "--loss", "0.3"];

#[test]
fn a_lambda_that_loses_nothing_is_certified_and_one_that_loses_half_is_not() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let found = json("certify", folder.path(), &CLAIM);
    assert_eq!((&found["certified"], &found["baseline"]), (&vec![2.0].into(), &SINGLE.into()));
    let lambdas = found["lambdas"].as_array().unwrap();
    assert_eq!(lambdas.iter().map(|lambda| &lambda["lambda"]).collect::<Vec<_>>(), [2.0, 20.0]);
    assert_eq!((&lambdas[0]["mean_loss"], &lambdas[0]["tested"]), (&0.0.into(), &1.into()));
    assert!(lambdas[1]["mean_loss"].as_f64().unwrap() > 0.3 && lambdas[1]["upper_bound"].as_f64().unwrap() > 0.5);
    let users = ["ordering_users", "certifying_users"].map(|half| found[half].as_u64().unwrap());
    assert_eq!(users[0] + users[1], u64::from(runs::USERS));
    assert_eq!(found["missing"], Value::from(vec!["PESO (lambda 200)"]));
    // The usual limit is out of reach of so few users, whatever they lose.
    let none = json("certify", folder.path(), &["--metric", "hit@10_corrected"]);
    assert_eq!(none["certified"], Value::from(Vec::<f64>::new()));
    assert!(none["sentence"].as_str().unwrap().starts_with("No λ qualifies"), "{}", none["sentence"]);
    assert!(none["fewest_users"].as_u64().unwrap() > 40);
    let text = peso("certify", folder.path(), &CLAIM).stdout;
    assert!(
        String::from_utf8(text).unwrap().contains("λ 2: users lose at most 0.3 Hit@10 against Single evolving LoRA")
    );
}

#[test]
fn a_certificate_says_what_it_cannot_be_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let refused = |arguments: &[&str], expected: &str| {
        let output = peso("certify", folder.path(), arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected), "{error}");
    };
    refused(&["--slice", "dormant"], "the slice \"dormant\" has");
    refused(&["--baseline", "Nobody"], "there is no finished run of \"Nobody\"");
    refused(&["--experiment", "Frozen"], "differ in lambda alone");
    refused(&["--confidence", "1"], "above 0 and below 1");
    std::fs::remove_dir_all(project.runs_dir(None)).unwrap();
    refused(&[], "no run");
}

/// What the model after stage 1 answers to 40 tests of a stage, of which the first `hits` are hit.
fn answered(run: &RunFolder, tested: usize, hits: u32) {
    let outcome = |user: u32| {
        let hit = u32::from(user < hits);
        UserOutcome { user, target: user, rank: hit, before: 0, sharing: hit, top: Vec::new(), known: None }
    };
    let at = CellIndex { protocol: Protocol::SameBlock, trained: 1, tested };
    let users = (0..40).map(outcome).collect();
    let record = EvaluationRecord { at, metrics: [].into(), users, seconds: 0.0 };
    run.writer().unwrap().evaluation(&record).unwrap();
}

#[test]
fn an_alarm_is_raised_where_the_model_of_stage_1_gets_worse_and_not_where_it_stays() {
    let folder = tempfile::tempdir().unwrap();
    let project = runs::project(folder.path(), &DEMO.replace("seeds: [42],", "seeds: [1, 2],"));
    let run = |seed, hits: [u32; 2]| {
        let run = runs::create(&project, "Frozen", &learned(&project, "Frozen"), seed);
        (1..).zip(hits).for_each(|(stage, hits)| answered(&run, stage, hits));
        finish(&run);
        run
    };
    let (worse, same) = (run(1, [40, 0]), run(2, [20, 20]));
    let found = json("alarm", worse.path(), &["--reference", "1"]);
    let alarm = &found["overall"]["alarm"];
    assert_eq!((&alarm["stage"], &alarm["began"]), (&2.into(), &2.into()));
    assert!(alarm["delay"].as_u64().unwrap() <= 20, "{alarm}");
    assert!(found["sentence"].as_str().unwrap().starts_with("An update would pay from here: in stage 2"));
    assert!(found["groups"].as_array().unwrap().iter().all(|group| group["line"].as_f64().unwrap() > 20.0));
    let quiet = json("alarm", same.path(), &["--reference", "1"]);
    assert_eq!((&quiet["overall"]["alarm"], &quiet["seed"]), (&Value::Null, &2.into()));
    // The project's is that of the first finished run of Frozen.
    assert_eq!(json("alarm", folder.path(), &["--reference", "1"])["run"], found["run"]);
    assert_eq!(json("alarm", worse.path(), &["--reference", "1"]), found, "the same every time");
    let none = peso("alarm", worse.path(), &[]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8(none.stderr).unwrap().contains("was not tested in stage 2 and a later one"));
}
