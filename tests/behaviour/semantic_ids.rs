//! Trained semantic ids through the real binary: from interactions without ids to a finished run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use peso_workbench::data::Dataset;
use peso_workbench::project::Project;
use peso_workbench::semantic_id::index::IndexFile;
use peso_workbench::train::semantic_ids::{IdFiles, IdsState};
use serde_json::{Value, json};

/// A world of a dozen items with titles and categories.
pub const PROJECT: &str = r#"(
    format: 1,
    name: "Trained ids",
    dataset: RecBole(path: "data", prepare: (core: 1, stages: Fractions(base: 0.6, later: 2))),
    semantic_ids: Train(method: ResidualKMeans, source: Words(64), levels: 3),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, batch: 16, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [(name: "PESO", method: Peso(lambda: 2.0))],
    seeds: [1],
)"#;

pub fn project(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(text, folder.path());
    folder
}

/// Puts a project of this text and its data into a folder.
pub fn put(text: &str, folder: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/recbole");
    fs::create_dir_all(folder.join("data")).unwrap();
    for file in ["tiny.inter", "tiny.item"] {
        fs::copy(fixtures.join(file), folder.join("data").join(file)).unwrap();
    }
    fs::write(folder.join("project.ron"), text).unwrap();
}

pub fn peso(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

pub fn index(folder: &Path) -> PathBuf {
    folder.join(Project::load(folder).unwrap().index_path().unwrap())
}

#[test]
fn interactions_without_ids_become_a_finished_run() {
    let folder = project(PROJECT);
    let folder = folder.path();
    // Nothing is trained by looking; what to do is said.
    let loaded = Project::load(folder).unwrap();
    let load = || Dataset::load(&loaded.dataset, loaded.index_path().as_deref(), folder);
    let missing = load().unwrap_err();
    assert!(missing.advice.unwrap().contains("peso semantic-ids"));

    let output = peso(folder, &["run", ".", "--device", "cpu"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("semantic ids: level 3 is done"));
    let results: Value = serde_json::from_slice(&peso(folder, &["results", ".", "--json"]).stdout).unwrap();
    assert_eq!(results["runs"][0]["status"], json!("finished"), "{results}");

    let dataset = load().unwrap();
    assert_eq!(dataset.index.levels, 3);
    let mut ids: Vec<&[u32]> = (0..dataset.items.len() as u32).map(|item| dataset.index.item(item)).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), dataset.items.len(), "every item has an id of its own");
}

#[test]
fn ids_are_made_once_and_are_the_same_again() {
    let folder = project(PROJECT);
    let folder = folder.path();
    let first: Value = serde_json::from_slice(&peso(folder, &["semantic-ids", ".", "--json"]).stdout).unwrap();
    let path = index(folder);
    let bytes = fs::read(&path).unwrap();
    let file = IndexFile::read(&path).unwrap();
    assert_eq!((file.levels, file.items.len()), (3, first["items"].as_u64().unwrap() as usize));
    assert_eq!((&first["codes"], &first["after"]["largest"]), (&json!(4), &json!(1)));

    // A second time nothing is trained, and the figures are those of the first time.
    let again = peso(folder, &["semantic-ids", ".", "--json"]);
    assert!(again.stderr.is_empty(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&again.stdout).unwrap(), first);
    // Trained anew they are the same, byte by byte.
    peso(folder, &["semantic-ids", ".", "--fresh"]);
    assert_eq!(fs::read(&path).unwrap(), bytes);

    // Other options are another file; the first stays.
    fs::write(folder.join("project.ron"), PROJECT.replace("levels: 3", "levels: 2")).unwrap();
    peso(folder, &["semantic-ids", "."]);
    assert_ne!(index(folder), path);
    assert_eq!((IndexFile::read(&index(folder)).unwrap().levels, fs::read(&path).unwrap()), (2, bytes));

    // The autoencoder tells its loss, and gives every item an id of its own too.
    fs::write(folder.join("project.ron"), PROJECT.replace("ResidualKMeans", "RqVae(epochs: 30)")).unwrap();
    let output = peso(folder, &["semantic-ids", ".", "--json"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("semantic ids: epoch 30 of 30, loss "));
    let quality: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&quality["items"], &quality["after"]["largest"]), (&first["items"], &json!(1)));
}

#[test]
fn a_project_with_ids_from_elsewhere_or_options_without_a_meaning_is_told() {
    for (from, to, told) in [
        ("semantic_ids: Train(method: ResidualKMeans, source: Words(64), levels: 3),", "", "from elsewhere"),
        ("levels: 3", "levels: 27", "semantic_ids.levels"),
        ("Words(64)", "Vectors(\"none.npy\")", "none.npy"),
    ] {
        let folder = project(&PROJECT.replace(from, to));
        let output = Command::new(env!("CARGO_BIN_EXE_peso"))
            .args(["semantic-ids", "."])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains(told), "{told} is not in {words}");
        let made = || fs::read_dir(folder.path().join("semantic_ids")).into_iter().flatten().flatten();
        assert!(!made().any(|entry| entry.file_name().to_string_lossy().ends_with(".json")));
    }
}

/// Enough to be stopped in.
const EPOCHS: usize = 3000;

fn long() -> String {
    PROJECT.replace("ResidualKMeans", &format!("RqVae(epochs: {EPOCHS}, batch: 4)"))
}

/// The files of the ids of a project.
fn place(folder: &Path) -> IdFiles {
    IdFiles::of(&Project::load(folder).unwrap()).unwrap()
}

/// Starts training, waits until some epochs are done, and has `stop` end it.
fn stopped(folder: &Path, stop: impl Fn(u32)) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    let command = command.args(["semantic-ids", "."]).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let place = place(folder);
    let look = || IdsState::read(&place).unwrap();
    let (before, begun) = (look().epochs.len(), Instant::now());
    while !look().training || look().epochs.len() < before + 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no epoch is done");
        std::thread::sleep(Duration::from_millis(2));
    }
    stop(child.id());
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{words}");
    assert!(words.contains("what is done is kept"), "{words}");
    let state = look();
    assert!(state.halted && !state.training && state.quality.is_none() && !place.index.exists());
    assert!(state.epochs.len() < EPOCHS, "it was done before it could be stopped");
}

#[cfg(unix)]
#[test]
fn training_that_was_interrupted_goes_on_and_gives_what_it_would_have_given() {
    let [whole, cut] = [long(), long()].map(|text| project(&text));
    let whole_folder = whole.path().to_path_buf();
    let whole_run = std::thread::spawn(move || peso(&whole_folder, &["semantic-ids", ".", "--json"]));
    // Once by Ctrl+C, once as the window asks for it.
    stopped(cut.path(), |process| {
        let sent = Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
        assert!(sent.success());
    });
    stopped(cut.path(), |_| place(cut.path()).ask_to_stop().unwrap());
    let resumed = peso(cut.path(), &["semantic-ids", ".", "--json"]);
    whole_run.join().unwrap();
    let [one, other] = [&whole, &cut].map(|folder| place(folder.path()));
    let read = |file: &Path| fs::read_to_string(file).unwrap();
    assert_eq!(read(&one.index), read(&other.index));
    assert_eq!(read(&one.quality), read(&other.quality));
    assert!(read(&one.log) == read(&other.log), "the logs differ");
    assert!(!other.checkpoint.exists());
    let quality: Value = serde_json::from_slice(&resumed.stdout).unwrap();
    assert!(quality["spread"]["rounds"].as_u64().unwrap() <= 20, "{quality}");
    assert_eq!(quality["after"]["largest"], json!(1));
}
