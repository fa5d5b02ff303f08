//! `peso retention` and `peso meaning` on small runs, through the real binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use peso_workbench::analysis::{meaning, retention};
use peso_workbench::run::RunFolder;
use serde_json::Value;

const PROJECT: &str = r#"(
    format: 1,
    name: "Small",
    dataset: Synthetic(users: 90, items: 60, stages: 2, codes: 6, interactions: (9.0, 5.0)),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
    training: (epochs: 2, batch: 16, learning_rate: 0.01, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [
        (name: "PESO", method: Peso(lambda: 50.0)),
        (name: "No pull", method: Peso(lambda: 0.0, distance: L2(squared: true, per_element: false))),
        (name: "Norm", method: Peso(distance: L2(squared: false, per_element: false))),
        (name: "SASRec", method: SasRec(epochs: 1)),
    ],
    seeds: [1],
)"#;

fn peso(arguments: &[&str], path: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(arguments).arg(path).args(["--device", "cpu"]).stdin(Stdio::null()).output().unwrap()
}

fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    let output = peso(&["run"], folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn run_of(folder: &Path, slug: &str) -> PathBuf {
    let runs = fs::read_dir(folder.join("runs")).unwrap().flatten().map(|entry| entry.path());
    runs.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with(slug)).unwrap()
}

fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn retention_is_measured_kept_and_found_out_anew_for_another_adapter() {
    let folder = trained();
    let run = run_of(folder.path(), "peso-s1");
    let first = peso(&["retention", "--examples", "40", "--json"], &run);
    let report = answer(&first);
    let stages = report["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 1, "stage 1 has no past");
    let stage = &stages[0];
    assert_eq!((stage["stage"].as_u64(), stage["examples"].as_u64()), (Some(2), Some(40)));
    let directions = stage["directions"].as_array().unwrap();
    assert_eq!(directions.len(), 40);
    let weights: f64 = directions.iter().map(|direction| direction["weight"].as_f64().unwrap()).sum();
    let outside = stage["outside"]["weight"].as_f64().unwrap();
    assert!((weights + outside - 1.0).abs() < 1e-9 && weights > 0.0 && outside > 0.0, "{weights} {outside}");
    for direction in directions {
        let (rho, predicted) = (direction["rho"].as_f64().unwrap(), direction["predicted"].as_f64().unwrap());
        assert!((predicted - 50.0 / (rho + 50.0)).abs() < 1e-12);
    }
    let movement = |name: &str| stage["movement"][name].as_f64().unwrap();
    assert!(movement("twin") > 0.0 && movement("apart") > 0.0 && movement("apart") < 2.0 * movement("twin"));
    assert_eq!(stage["groups"].as_array().unwrap().len(), 28, "A and B of 14 modules");
    let quadratic = |name: &str| stage["quadratic"][name].as_f64().unwrap();
    let (slope, measured) = (quadratic("slope"), quadratic("slope_measured"));
    assert!(
        (slope - measured).abs() < 0.03 * measured.abs() + 1e-4,
        "gradient {slope}, losses beside the twin {measured}"
    );
    assert!((quadratic("predicted_rise") - slope - quadratic("curvature")).abs() < 1e-12);
    assert_eq!(stage["quadratic"]["previous_token_rows"], true);
    assert_ne!(quadratic("loss_before_stage"), quadratic("loss_previous"), "the token rows were trained, too");
    assert!(stage["pull_ratio"]["mean"].as_f64().unwrap() > 0.0);
    assert!(said(&first).contains("without the pull"));

    let again = peso(&["retention", "--examples", "40", "--json"], &run);
    assert_eq!(answer(&again), report);
    assert!(!said(&again).contains("gradients"), "what is kept is taken");
    let kept = retention::cached(&RunFolder::open(&run).unwrap(), 2).unwrap();
    assert_eq!(serde_json::to_value(&kept).unwrap(), *stage);

    let fewer = peso(&["retention", "--examples", "8", "--at", "previous", "--json"], &run);
    assert_eq!(answer(&fewer)["stages"][0]["directions"].as_array().unwrap().len(), 8);
    assert!(!said(&fewer).contains("without the pull"), "the twin is trained once");

    let weights = "adapters/stage_2/adapter_model.safetensors";
    fs::copy(run_of(folder.path(), "no-pull").join(weights), run.join(weights)).unwrap();
    assert!(retention::cached(&RunFolder::open(&run).unwrap(), 2).is_none(), "another adapter");
    let other = peso(&["retention", "--examples", "8", "--at", "previous"], &run);
    assert!(other.status.success() && said(&other).contains("gradients"), "{}", said(&other));
    let text = String::from_utf8(other.stdout).unwrap();
    assert!(text.contains("PESO · stage 2 · synthetic data") && text.contains("outside"), "{text}");
}

/// With nothing that pulls, the twin is the run again, bit for bit: same start, order of data, and dropout.
#[test]
fn the_twin_of_a_run_without_a_pull_is_the_run() {
    let folder = trained();
    let report =
        answer(&peso(&["retention", "--stage", "2", "--examples", "4", "--json"], &run_of(folder.path(), "no-pull")));
    let stage = &report["stages"][0];
    assert_eq!(stage["movement"]["apart"].as_f64(), Some(0.0));
    assert_eq!(stage["movement"]["twin"], stage["movement"]["run"]);
    assert_eq!(stage["twin"]["best_epoch"], stage["best_epoch"]);
    assert!(
        stage["directions"].as_array().unwrap().iter().all(|direction| direction["measured"].as_f64() == Some(0.0))
    );
    let run = run_of(folder.path(), "no-pull").join("analysis/stage_2");
    let twin = fs::read_dir(&run).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap().path();
    assert!(twin.join("adapter_model.safetensors").is_file() && !twin.join("checkpoint").exists());
}

#[test]
fn what_cannot_be_measured_is_refused_in_words() {
    let folder = trained();
    for (slug, arguments, words) in [
        ("norm", &["retention"][..], "not squared"),
        ("sasrec", &["retention"], "SASRec has no proximal term"),
        ("sasrec", &["meaning", "--module", "q_proj"], "no adapter of a language model"),
        ("peso-s1", &["retention", "--stage", "1"], "stage 1 has no past"),
        ("peso-s1", &["retention", "--stage", "9"], "not trained"),
        ("peso-s1", &["meaning", "--stage", "3", "--module", "layers.0.mlp.down_proj"], "stage 3 is not trained"),
        ("peso-s1", &["meaning", "--module", "q_proj"], "no module \"q_proj\""),
        ("peso-s1", &["meaning", "--module", "layers.0.mlp.down_proj", "--direction", "3"], "directions 1 to 2, not 3"),
    ] {
        let output = peso(arguments, &run_of(folder.path(), slug));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn directions_are_named_by_codes_items_and_users() {
    let folder = trained();
    let run = run_of(folder.path(), "peso-s1");
    let report = answer(&peso(&["meaning", "--stage", "2", "--module", "layers.1.mlp.down_proj", "--json"], &run));
    assert_eq!(report["module"], "model.layers.1.mlp.down_proj");
    let directions = report["directions"].as_array().unwrap();
    assert_eq!(directions.len(), 2, "rank 2");
    let share: f64 = directions.iter().map(|direction| direction["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-9);
    let first = &directions[0];
    assert!(first["reads"].is_null(), "it reads no residual stream");
    let scores = |ends: &Value, end: &str| -> Vec<f64> {
        ends[end].as_array().unwrap().iter().map(|one| one["score"].as_f64().unwrap()).collect()
    };
    for kind in ["codes", "items"] {
        let ends = &first["writes"][kind];
        let (raised, lowered) = (scores(ends, "raised"), scores(ends, "lowered"));
        assert!(raised.len() == 10 && raised.is_sorted_by(|a, b| a >= b) && lowered.is_sorted());
        assert!(raised[9] >= lowered[9] && raised[0] > 0.0 && lowered[0] < 0.0);
    }
    assert!(first["writes"]["items"]["raised"][0]["title"].is_string());
    let activation = &first["activation"];
    let user = &activation["users"]["raised"][0];
    assert!(user["activation"].as_f64().unwrap() >= activation["mean"].as_f64().unwrap());
    assert!(!user["history"].as_array().unwrap().is_empty() && user["target"]["id"].is_string());

    let kept = meaning::cached(&RunFolder::open(&run).unwrap(), 2, "model.layers.1.mlp.down_proj").unwrap();
    assert_eq!(serde_json::to_value(&kept).unwrap(), report);
    let reads = peso(&["meaning", "--module", "layers.0.self_attn.v_proj", "--direction", "2"], &run);
    let text = String::from_utf8(reads.stdout).unwrap();
    assert!(text.contains("Direction 2") && !text.contains("Direction 1"), "{text}");
    assert!(text.contains("Through the embedding") && !text.contains("Through the head"), "{text}");
}

/// Every figure of what moved is drawn of a run that has all of it, and the figures are in the JSON too.
#[test]
fn what_moved_is_exported_and_in_the_json() {
    let folder = trained();
    let run = run_of(folder.path(), "peso-s1");
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    let export = |figure: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
        let arguments = ["export", ".", "--run", &id, "--figure", figure, "--to", &format!("figures/{figure}.svg")];
        command.args(arguments).current_dir(folder.path()).output().unwrap()
    };
    fs::create_dir(folder.path().join("figures")).unwrap();
    let refused = export("retention");
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("`peso retention RUN` measures retention"), "{}", said(&refused));
    assert!(peso(&["retention", "--examples", "40"], &run).status.success());
    for (figure, words) in [
        ("river", "Direction river"),
        ("drift-map", "Drift map"),
        ("spectra", "Singular values"),
        ("angles", "Principal angles"),
        ("distances", "How far the subspaces turned"),
        ("churn", "Drift by stage"),
        ("affected", "Who is affected"),
        ("retention", "Retention in stage 2"),
    ] {
        let output = export(figure);
        assert!(output.status.success(), "{figure}: {}", said(&output));
        let text = fs::read_to_string(folder.path().join(format!("figures/{figure}.svg"))).unwrap();
        assert!(text.contains(words) && text.contains("Synthetic data"), "{figure}");
    }

    let subspace = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
        answer(&command.arg("subspace").arg(&run).arg("--json").args(arguments).output().unwrap())
    };
    let json = subspace(&[]);
    let [pull] = json["pull"].as_array().unwrap().as_slice() else { panic!("one stage has a past") };
    let [retention] = json["retention"].as_array().unwrap().as_slice() else { panic!("one stage is measured") };
    assert_eq!((pull["stage"].as_u64(), pull["lambda"].as_f64()), (Some(2), Some(50.0)));
    assert_eq!((&pull["groups"], &pull["ratio"]), (&retention["groups"], &retention["pull_ratio"]));
    assert!(pull["ratios"].as_array().unwrap().len() > 1);
    assert_eq!(json["rows"].as_array().unwrap().len(), 2, "rows of embedding and head");
    let first = subspace(&["--stage", "1"]);
    assert!(first["pull"].as_array().unwrap().is_empty() && first["retention"].as_array().unwrap().is_empty());
}
