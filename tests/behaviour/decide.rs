//! `peso decide` on runs whose every hit is known: what it says is what `peso compare` says, gate by gate.

use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::data::Protocol;
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::{RunConfig, RunMethod, Status};
use serde_json::Value;

use crate::runs::{self, learned};

/// A finished run of two stages in which the first `hits` of 40 users are hit in stage 2.
fn write_run(project: &Project, name: &str, method: &RunMethod, seed: u64, hits: u32) {
    let run = runs::create(project, name, method, seed);
    runs::hits(&run, Protocol::SameBlock, hits, 0);
    run.writer().unwrap().set_status(Status::Finished, None).unwrap();
}

/// PESO with 20 and 22 hits, Frozen with 10, and what only counts with 5; held to `gates`, which the file has.
fn project(folder: &Path, gates: &str) -> Project {
    let project = runs::project(folder, &DEMO.replace("seeds: [42],", &format!("seeds: [1, 2], {gates}")));
    for (seed, hits) in [(1, 20), (2, 22)] {
        write_run(&project, "PESO", &learned(&project, "PESO"), seed, hits);
        write_run(&project, "Frozen", &learned(&project, "Frozen"), seed, 10);
    }
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5);
    project
}

fn peso(command: &str, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).arg(command).arg(folder).args(arguments).output().unwrap()
}

fn json(command: &str, folder: &Path, arguments: &[&str]) -> Value {
    let output = peso(command, folder, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const HITS: &str = "metric: \"hit@10_corrected\"";

#[test]
fn a_decision_says_what_the_comparison_says() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), &format!("decision: ({HITS}, slice_loss: None, negative_flips: None),"));
    let decided = json("decide", folder.path(), &["--baseline", "frozen"]);
    assert_eq!((&decided["baseline"], &decided["default_gates"]), (&"Frozen".into(), &false.into()));
    let methods = decided["methods"].as_array().unwrap();
    assert_eq!(methods.iter().map(|m| m["name"].as_str().unwrap()).collect::<Vec<_>>(), ["PESO", "Popularity"]);
    assert_eq!(methods[0]["outcome"], "ship");
    let compared = json("compare", folder.path(), &["--baseline", "Frozen", "--metric", "hit@10_corrected"]);
    let gain = &methods[0]["gates"][0];
    assert_eq!((&gain["gate"], &gain["state"]), (&"gain".into(), &"passed".into()));
    assert_eq!(gain["interval"], compared["lines"][0]["interval_corrected"]);
    // Popularity and Frozen have no two seeds that differ: nothing is said of them, as in the comparison.
    assert_eq!(compared["lines"][1]["evidence"], "IdenticalSeeds");
    assert_eq!(methods[1]["gates"][0]["state"], "open");
    assert_eq!(decided["missing"], Value::from(vec!["Co-occurrence"]));
    // Popularity loses users 5 to 9.
    assert_eq!((&decided["harmed"][0]["tests"], &decided["harmed"][1]["tests"]), (&0.into(), &5.into()));
    assert_eq!(decided["harmed"][1]["most"][0]["test"]["user"], 5);

    let text = String::from_utf8(peso("decide", folder.path(), &["--baseline", "Frozen"]).stdout).unwrap();
    assert!(text.contains("Ship PESO: it passes every gate against Frozen"), "{text}");
    assert!(text.contains("Co-occurrence without a finished run") && text.contains("synthetic data"), "{text}");
}

#[test]
fn what_cannot_be_told_is_told_with_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), &format!("decision: ({HITS}, slice_loss: None),"));
    let decided = json("decide", folder.path(), &["--baseline", "Frozen"]);
    let flips = &decided["methods"][0]["gates"][1];
    assert_eq!(
        (&flips["gate"], &flips["state"], &flips["value"]),
        (&"negative_flips".into(), &"open".into(), &0.0.into())
    );
    // None of 40 flips. By hand, 1 - 0.025^(1/40) = 0.0881 is more than 0.05, and 0.95^n < 0.025 from n = 72 on.
    assert!((flips["interval"]["high"].as_f64().unwrap() - 0.0881).abs() < 1e-4, "{flips}");
    assert_eq!(decided["methods"][0]["outcome"]["needs_more"]["users"], 32);
}

#[test]
fn gates_that_cannot_be_met_hold_and_a_later_day_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let gates = "slice_loss: None, negative_flips: None, least_gain: Absolute(0.9), set_on: Some(\"2999-01-01\")";
    project(folder.path(), &format!("decision: ({HITS}, {gates}),"));
    let decided = json("decide", folder.path(), &["--baseline", "Frozen"]);
    assert_eq!((&decided["methods"][0]["outcome"], &decided["runs_before_gates"]), (&"hold".into(), &5.into()));
    let text = String::from_utf8(peso("decide", folder.path(), &["--baseline", "Frozen"]).stdout).unwrap();
    assert!(text.contains("Gates were set after these runs: 5 runs started before that day"), "{text}");
    assert!(text.contains("Hold PESO: gain is +0.2750") && text.contains("must be above +0.9000"), "{text}");
}

#[test]
fn without_gates_the_usual_ones_hold_and_nobody_is_told_that_they_were_set_before() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "");
    let text = String::from_utf8(peso("decide", folder.path(), &["--baseline", "Frozen"]).stdout).unwrap();
    assert!(text.contains("The project has no gates: these are the usual ones"), "{text}");
    assert!(text.contains("Not judged, with fewer than 20 tests: returning, dormant"), "{text}");
    // Gates are no part of what makes a run: the same runs are found.
    let (without, with_gates) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [one, other] = [(&without, ""), (&with_gates, "decision: (negative_flips: 0.5),")]
        .map(|(folder, gates)| project(folder.path(), gates));
    let method = learned(&one, "PESO");
    assert_eq!(RunConfig::hash_of(&one, &method).unwrap(), RunConfig::hash_of(&other, &method).unwrap());
    let refused = peso("decide", folder.path(), &["--baseline", "PISO"]);
    assert_eq!(refused.status.code(), Some(2));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("there is no finished run of \"PISO\"") && words.contains("\"PESO\""), "{words}");
}
