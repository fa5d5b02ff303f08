//! What earlier versions of the program wrote, as it lies in `tests/fixtures/versions`: it opens, and gives the numbers that
//! the version itself printed, in the folders that it made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use peso_workbench::project::Project;
use peso_workbench::run::{RunConfig, RunFolder, Status};
use serde_json::Value;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    let output = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// What runs are made of, by file: everything but what a reader's log of the database may change.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if !name.starts_with("run.sqlite") && name != "worker.lock" {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

#[test]
fn what_earlier_versions_wrote_opens_and_gives_their_numbers() {
    let versions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/versions");
    let versions: Vec<PathBuf> = fs::read_dir(versions).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!versions.is_empty());
    for version in versions {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("project");
        copy(&version, &folder);
        let before = contents(&folder.join("runs"));
        let shown = version.display();

        let project = Project::load(&folder).unwrap();
        let (runs, unreadable) = RunFolder::list_all(&project.runs_dir(None));
        assert!(runs.len() > 2 && unreadable.is_empty(), "{shown}: {unreadable:?}");
        for run in &runs {
            assert_eq!(run.status(), Status::Finished, "{shown}");
            let RunConfig { method, seed, experiment, config_hash, run: id, .. } = run.config();
            assert_eq!(&RunConfig::hash_of(&project, method).unwrap(), config_hash, "{shown}: {id}");
            assert_eq!(&RunConfig::id_of(experiment, method, *seed, config_hash), id, "{shown}");
        }

        // Printed by that version; a later one may say more.
        let expected: Value = serde_json::from_slice(&fs::read(folder.join("results.json")).unwrap()).unwrap();
        let found: Value = serde_json::from_slice(&peso(&folder, &["results", ".", "--json"]).stdout).unwrap();
        assert_contains(&found, &expected, &shown.to_string());

        peso(&folder, &["inspect", "."]);
        peso(&folder, &["status", "."]);
        let compared = peso(&folder, &["compare", ".", "--baseline", "Popularity"]);
        assert!(String::from_utf8_lossy(&compared.stdout).contains("Pulled"), "{shown}");
        for (figure, file) in [("comparison", "c.svg"), ("matrix", "m.csv"), ("drift-map", "d.svg")] {
            peso(&folder, &["export", ".", "--figure", figure, "--to", &format!("../{file}")]);
        }
        peso(&folder, &["report", ".", "--to", "../report.html"]);
        peso(&folder, &["pack", ".", "--to", "../packed.zip"]);
        // Everything is done already, and nothing is done again.
        peso(&folder, &["run", ".", "--device", "cpu"]);
        let after = contents(&folder.join("runs"));
        for (path, bytes) in &before {
            assert!(after.get(path) == Some(bytes), "{shown}: {} was changed", path.display());
        }
        let names = RunFolder::list(&project.runs_dir(None)).len();
        assert_eq!(names, runs.len(), "{shown}: nothing was trained anew");
    }
}

/// Whether all that is in `expected` is in `found`, with equal numbers.
fn assert_contains(found: &Value, expected: &Value, at: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, value) in expected {
                let at = format!("{at}.{key}");
                assert_contains(found.get(key).unwrap_or_else(|| panic!("{at} is gone")), value, &at);
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}");
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_contains(found, expected, &format!("{at}[{index}]"));
            }
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}
