//! Both test protocols through the real binary: what is measured, what is kept, and what is shown by slice.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::data::Protocol;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::{RunFolder, RunMethod, Status};
use serde_json::{Value, json};

use crate::runs::{self, learned};

/// Small enough for a test: one method that trains, one that does not, three stages.
const SMALL: &str = r#"(
    format: 1,
    name: "Small",
    dataset: Synthetic(users: 80, items: 50, stages: 3, codes: 6, interactions: (7.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, batch: 16, learning_rate: 0.01, later_stage_factor: 0.5, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [(name: "Single", method: Single), (name: "Frozen", method: Frozen)],
    seeds: [1],
)"#;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = peso(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn results(folder: &Path, more: &[&str]) -> Value {
    serde_json::from_str(&done(folder, &[&["results", ".", "--json"], more].concat())).unwrap()
}

/// The runs' matrices, which have nothing of time in them.
fn matrices(results: &Value) -> Vec<(String, Value)> {
    let runs = results["runs"].as_array().unwrap();
    runs.iter().map(|run| (run["run"].as_str().unwrap().to_owned(), run["matrix"].clone())).collect()
}

#[test]
fn a_trained_run_that_lacks_a_protocol_is_only_measured() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("project.ron"), SMALL).unwrap();
    done(here, &["run", ".", "--device", "cpu"]);
    let same = results(here, &[]);
    let refused = peso(here, &["results", ".", "--protocol", "next-block"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("next-block was not measured") && said.contains("protocol: NextBlock"), "{said}");

    let adapters = || {
        let folders = RunFolder::list(&here.join("runs"));
        let adapter = |folder: &RunFolder| fs::metadata(folder.adapter(3).join("adapter_model.safetensors"));
        folders.iter().filter_map(|f| adapter(f).ok()).map(|m| m.modified().unwrap()).collect::<Vec<_>>()
    };
    let trained = adapters();
    assert_eq!(trained.len(), 2);
    fs::write(here.join("project.ron"), SMALL.replace("beams: 5,", "beams: 5, protocol: Both,")).unwrap();
    done(here, &["run", ".", "--device", "cpu"]);
    assert_eq!(adapters(), trained, "nothing is trained again");
    assert_eq!(matrices(&results(here, &["--protocol", "same-block"])), matrices(&same));

    let next = results(here, &["--protocol", "next-block"]);
    assert_eq!((&next["protocol"], next["runs"].as_array().unwrap().len()), (&json!("next-block"), 4));
    for run in next["runs"].as_array().unwrap() {
        assert_eq!(
            (&run["status"], &run["protocols"]),
            (&json!("finished"), &json!(["same-block", "next-block", "global-time"]))
        );
        let measured = |row: &Value| row.as_array().unwrap().iter().map(Value::is_number).collect::<Vec<_>>();
        let matrix = run["matrix"]["ndcg@5"].as_array().unwrap();
        assert_eq!(matrix.iter().map(measured).collect::<Vec<_>>(), [[false, true, true], [false, false, true]]);
        assert_eq!(run["stages"][1]["metrics"]["ndcg@5"], matrix[0][1], "a stage is asked of the model before it");
        assert_eq!((&run["stages"][0]["metrics"], &run["continual"]), (&json!({}), &json!({})));
    }
    let frozen = next["runs"].as_array().unwrap().iter().find(|run| run["experiment"] == "Frozen").unwrap();
    assert_eq!(frozen["matrix"]["ndcg@5"][0][2], frozen["matrix"]["ndcg@5"][1][2], "a frozen model does not change");

    // A run that measured both from the start has the same numbers.
    let other = tempfile::tempdir().unwrap();
    let out = ["--out", other.path().to_str().unwrap()];
    done(here, &[&["run", ".", "--device", "cpu"], &out[..]].concat());
    let whole = results(here, &[&["--protocol", "next-block"], &out[..]].concat());
    assert_eq!(matrices(&whole), matrices(&next));

    // The slices of a stage's tests are all of them, once in each dimension.
    let sliced = results(here, &["--protocol", "next-block", "--slices"]);
    let asked: u64 =
        next["runs"][0]["stages"].as_array().unwrap().iter().map(|s| s["test_users"].as_u64().unwrap()).sum();
    let lines = sliced["slices"].as_array().unwrap();
    assert_eq!(lines.len(), 16, "Hit and NDCG by both counts, of four lines");
    for line in lines {
        for dimension in ["user", "target", "popularity", "history"] {
            let slices = line["slices"].as_array().unwrap().iter().filter(|slice| slice["dimension"] == dimension);
            assert_eq!(slices.map(|slice| slice["users"].as_u64().unwrap()).sum::<u64>(), asked, "{line}");
        }
        assert!(line["slices"].as_array().unwrap().iter().all(|slice| slice["slice"] != "new"), "nobody new is asked");
    }
}

/// PESO and a non-learned baseline whose every hit is known, under both protocols.
fn known(folder: &Path) {
    let project = runs::project(folder, &DEMO.replace("seeds: [42]", "seeds: [1, 2]"));
    let peso = learned(&project, "PESO");
    for (name, method, seed, hits) in
        [("PESO", &peso, 1, 30), ("PESO", &peso, 2, 34), ("Popularity", &RunMethod::Popularity, 0, 12)]
    {
        let run = runs::create(&project, name, method, seed);
        runs::hits(&run, Protocol::SameBlock, hits, 0);
        runs::hits(&run, Protocol::NextBlock, hits / 2, 0);
        run.writer().unwrap().set_status(Status::Finished, None).unwrap();
    }
}

#[test]
fn slices_have_their_users_means_and_intervals() {
    let folder = tempfile::tempdir().unwrap();
    known(folder.path());
    let report = results(folder.path(), &["--slices"]);
    let line = report["slices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["experiment"] == "PESO" && l["metric"] == "hit@10_corrected");
    let slices = line.unwrap()["slices"].as_array().unwrap();
    let of = |name: &str| slices.iter().find(|slice| slice["slice"] == name).unwrap();
    // All 24 new users are hit; of the 15 returning ones 6 and 10; the dormant one never.
    assert_eq!(
        (&of("new")["users"], &of("new")["mean"], &of("new")["too_few"]),
        (&json!(24), &json!(1.0), &json!(false))
    );
    assert!((of("returning")["mean"].as_f64().unwrap() - 8.0 / 15.0).abs() < 1e-12);
    assert_eq!((&of("returning")["too_few"], &of("dormant")["interval"]), (&json!(true), &Value::Null));
    assert_eq!(of("warm")["users"], 40);
    let interval = &of("warm")["interval"];
    // By NumPy and SciPy: two seeds with .75 and .85, 46 % of the variance; nobody is hit more often than always.
    assert!((interval["low"].as_f64().unwrap() - 0.132_261_562_954).abs() < 1e-9, "{interval}");
    assert_eq!(interval["high"], 1.0);
}

#[test]
fn slices_and_next_block_are_readable_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    known(folder.path());
    let forms: [&[&str]; 4] = [
        &["--slices"],
        &["--protocol", "next-block"],
        &["--slices", "--csv", "--protocol", "next-block"],
        &["--slices", "--latex"],
    ];
    let texts = forms.map(|form| done(folder.path(), &[&["results", "."], form].concat()));
    insta::assert_snapshot!(texts.join("\n----\n"));
}
