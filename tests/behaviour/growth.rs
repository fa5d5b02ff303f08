//! How costs grow, measured as a user would: every axis, each size in a process of its own, with charts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const AXES: [&str; 5] = ["examples", "users", "items", "stages", "runs"];

fn bench(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(["bench", "--device", "cpu"]).args(arguments).current_dir(folder).stdin(Stdio::null());
    command.output().unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_axis_is_measured_fitted_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("temporary");
    fs::create_dir(&work).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args([
        "bench",
        "--device",
        "cpu",
        "--growth",
        "all",
        "--quick",
        "--repeats",
        "1",
        "--to",
        "charts",
        "--json",
    ]);
    let output = command.current_dir(folder.path()).env("TMPDIR", &work).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", words(&output.stderr));
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0, "nothing is left behind");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for axis in AXES {
        let [measured, laws] = ["measured", "laws"].map(|key| report[axis][key].as_object().unwrap());
        assert!(measured.len() >= 2, "{axis}");
        let costs = measured.values().next().unwrap().as_object().unwrap();
        assert!(costs.keys().any(|cost| cost.ends_with("_seconds")), "{axis}: {costs:?}");
        // Small sizes may add no memory to what the process had.
        let lawless: Vec<_> =
            costs.keys().filter(|cost| !laws.contains_key(*cost) && *cost != "memory_bytes").collect();
        assert!(lawless.is_empty(), "{axis}: no law for {lawless:?}");
        let svg = fs::read_to_string(folder.path().join(format!("charts/growth-{axis}.svg"))).unwrap();
        assert!(resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).is_ok());
        assert!(svg.contains("In proportion"), "{axis}");
        assert!(folder.path().join(format!("charts/growth-{axis}.csv")).is_file());
    }
    // What is counted and not timed grows as it must: the more items, the more of them share nodes.
    let trie = &report["items"]["laws"]["trie_bytes"];
    assert!((0.75..1.0).contains(&trie["exponent"].as_f64().unwrap()), "{trie}");
    // Of 1.4 MB after two stages a third one adds 0.13; the rest is the base model, and what every run has.
    let disk = &report["stages"]["laws"]["disk_bytes"];
    assert!((0.1..1.0).contains(&disk["exponent"].as_f64().unwrap()), "{disk}");

    // The same held against itself, with sizes of one's own.
    fs::write(folder.path().join("earlier.json"), &output.stdout).unwrap();
    let again = ["--growth", "items", "--sizes", "500,1000", "--repeats", "1", "--compare", "earlier.json"];
    let output = bench(folder.path(), &again);
    let (text, warnings) = (words(&output.stdout), words(&output.stderr));
    assert!(output.status.success() && text.contains("items.measured.500.trie_seconds"), "{text}{warnings}");
    assert!(!warnings.contains("measured.500.trie_bytes"), "counted and not timed, so the same: {warnings}");
    assert!(!text.contains("laws") && !warnings.contains("laws"), "they follow from the costs: {text}{warnings}");
}

#[test]
fn what_cannot_be_measured_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, problem) in [
        (["--growth", "colours", "--repeats", "1"], "expected one of examples, users, items, stages, runs or all"),
        (["--growth", "stages", "--sizes", "2,900"], "--sizes: 900 cannot be measured of stages; give 2 to 40"),
        (["--growth", "items", "--repeats", "0"], "0 is not in 1..=25"),
        (["--growth", "items", "--width", "256"], "cannot be used with"),
        (["--growth", "items", "--train-examples", "9"], "cannot be used with"),
    ] {
        let output = bench(folder.path(), &arguments);
        let said = words(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(problem), "{said}");
    }
}
