//! Lists of known items beside those of the whole catalogue, through the real binary.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use peso_workbench::data::Dataset;
use peso_workbench::project::Project;
use peso_workbench::run::RunFolder;
use serde_json::Value;

/// Every kind of recommender, small enough for a test, with `USERS`, `ITEMS` and the `MORE` of its evaluation.
const SMALL: &str = r#"(
    format: 1,
    name: "Small",
    dataset: Synthetic(users: USERS, items: ITEMS, stages: 3, codes: 6, interactions: (7.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, batch: 16, learning_rate: 0.01, later_stage_factor: 0.5, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 10, k: [1, 5], MORE),
    experiments: [
        (name: "Single", method: Single),
        (name: "Frozen", method: Frozen),
        (name: "SASRec", method: SasRec(width: 8, layers: 1, heads: 1, inner: 8, batch: 32, epochs: 1)),
        (name: "Towers", method: TwoTower(width: 8, batch: 32, epochs: 1)),
        (name: "Hybrid", method: Hybrid(adapter: "Single", towers: "Towers")),
    ],
    seeds: [1],
)"#;

const METRICS: [&str; 4] = ["hit@5", "ndcg@5", "hit@5_corrected", "ndcg@5_corrected"];

/// The name of a metric of lists of known items.
fn of_known(metric: &str) -> String {
    metric.replacen("@5", "@5_known", 1)
}

fn write(folder: &Path, users: usize, items: usize, more: &str) {
    let text = SMALL.replace("USERS", &users.to_string()).replace("ITEMS", &items.to_string()).replace("MORE", more);
    fs::write(folder.join("project.ron"), text).unwrap();
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn run(folder: &Path, out: &str) -> Vec<Value> {
    done(folder, &["run", ".", "--device", "cpu", "--out", out]);
    results(folder, out)
}

fn results(folder: &Path, out: &str) -> Vec<Value> {
    let results: Value = serde_json::from_str(&done(folder, &["results", ".", "--json", "--out", out])).unwrap();
    results["runs"].as_array().unwrap().clone()
}

/// By stage, the items that occur up to its end, counted from the interactions alone.
fn known(folder: &Path) -> (Dataset, Vec<BTreeSet<u32>>) {
    let project = Project::load(&folder.join("project.ron")).unwrap();
    let dataset = Dataset::load(&project.dataset, None, &project.folder).unwrap();
    let mut so_far = BTreeSet::new();
    let by_stage = dataset.stages.iter().map(|stage| {
        so_far.extend(stage.sequences.iter().flat_map(|sequence| sequence.items[sequence.current_from..].to_vec()));
        so_far.clone()
    });
    let by_stage = by_stage.collect();
    (dataset, by_stage)
}

/// The matrices without what the option adds.
fn whole(runs: &[Value]) -> Vec<Value> {
    let without = |run: &Value| {
        let mut run = run.clone();
        for part in ["matrix", "continual"] {
            run[part].as_object_mut().unwrap().retain(|name, _| !name.contains("_known"));
        }
        serde_json::json!([run["run"], run["matrix"], run["continual"]])
    };
    runs.iter().map(without).collect()
}

#[test]
fn a_trained_run_is_measured_again_for_lists_of_known_items_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(here, 60, 300, "protocol: SameBlock");
    let before = run(here, "runs");
    assert!(before.iter().all(|run| !run.to_string().contains("known")), "nothing is added unless it is asked for");
    let adapter =
        || fs::metadata(single(here).adapter(3).join("adapter_model.safetensors")).unwrap().modified().unwrap();
    let trained = adapter();

    write(here, 60, 300, "protocol: SameBlock, known_items: true");
    let refused = Command::new(env!("CARGO_BIN_EXE_peso"))
        .args(["compare", ".", "--baseline", "Single", "--metric", "ndcg@5_known_corrected"])
        .current_dir(here)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("lists of known items were not measured") && said.contains("known_items: true"), "{said}");

    let after = run(here, "runs");
    assert_eq!(adapter(), trained, "nothing is trained again");
    assert_eq!(whole(&after), whole(&before));
    let fresh = run(here, "other");
    for (run, other) in after.iter().zip(&fresh) {
        assert_eq!((&run["matrix"], &run["continual"]), (&other["matrix"], &other["continual"]), "{}", run["run"]);
        for metric in METRICS {
            assert!(run["continual"][of_known(metric)]["plasticity"].is_number(), "{}: {metric}", run["run"]);
        }
    }
    let compared = done(here, &["compare", ".", "--baseline", "Single", "--metric", "ndcg@5_known_corrected"]);
    assert!(compared.contains("known items"), "{compared}");
    let sliced: Value = serde_json::from_str(&done(here, &["results", ".", "--json", "--slices"])).unwrap();
    let lines = sliced["slices"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["metric"] == "ndcg@5_known_corrected"), "slices have it too");

    recommenders_of_items_strike_out_what_is_not_known(here);
}

fn single(folder: &Path) -> RunFolder {
    let runs = RunFolder::list(&folder.join("runs"));
    runs.into_iter().find(|run| run.config().experiment == "Single").unwrap()
}

/// Where items are ranked by scores of their own, a list of known items is that of the whole catalogue without the others.
fn recommenders_of_items_strike_out_what_is_not_known(folder: &Path) {
    let (_, known) = known(folder);
    let (mut struck, mut moved) = (0, BTreeSet::new());
    for run in RunFolder::list(&folder.join("runs")) {
        let (reader, experiment) = (run.reader().unwrap(), run.config().experiment.clone());
        let counts = ["Popularity", "Co-occurrence"].contains(&experiment.as_str());
        for cell in reader.evaluations().unwrap() {
            for outcome in reader.user_outcomes(cell.at).unwrap() {
                let there = outcome.known.expect("every test has both lists");
                let unknown = outcome.top.iter().filter(|item| !known[cell.at.tested - 1].contains(item)).count();
                if there != outcome.whole() {
                    moved.insert(experiment.clone());
                }
                if counts && cell.at.trained <= cell.at.tested {
                    assert_eq!((there, unknown), (outcome.whole(), 0), "{experiment} lists what it has counted");
                }
                if (counts || ["SASRec", "Towers"].contains(&experiment.as_str())) && outcome.rank > 0 {
                    let before = &outcome.top[..outcome.before as usize];
                    let later = before.iter().filter(|item| !known[cell.at.tested - 1].contains(item)).count();
                    assert_eq!(there.before + later as u32, outcome.before, "{experiment} {:?}", cell.at);
                    struck += later;
                }
            }
        }
    }
    assert!(struck > 0, "no list had an item that is not known");
    let learned = ["Single", "Frozen", "SASRec", "Towers", "Hybrid"];
    assert!(learned.iter().all(|experiment| moved.contains(*experiment)), "{moved:?}");
}

#[test]
fn where_stage_1_has_every_item_both_lists_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(here, 300, 50, "known_items: true, protocol: Both");
    let even = fs::read_to_string(here.join("project.ron")).unwrap().replace("codes: 6,", "codes: 6, arrivals: 0.0,");
    fs::write(here.join("project.ron"), even).unwrap();
    let (dataset, known) = known(here);
    assert_eq!(known[0].len(), dataset.items.len(), "stage 1 has every item");
    let runs = run(here, "runs");
    assert_eq!(runs.len(), 7);
    for run in runs {
        for metric in METRICS {
            assert_eq!(run["matrix"][metric], run["matrix"][of_known(metric)], "{} {metric}", run["run"]);
            assert_eq!(run["continual"][metric], run["continual"][of_known(metric)], "{} {metric}", run["run"]);
        }
    }
}
