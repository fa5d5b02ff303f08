//! `peso doctor` and what it packs for a report of a bug, through the real binary.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use peso_workbench::run::observer::{Level, Observer};
use peso_workbench::run::{Status, host};
use serde_json::Value;
use zip::ZipArchive;

use crate::runs;

/// A user of this machine without a desktop, whose home folder is below `folder`.
fn peso(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    for variable in
        ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "RAYON_NUM_THREADS"]
    {
        command.env_remove(variable);
    }
    command.env("HOME", home(folder)).args(arguments).current_dir(folder).output().unwrap()
}

fn home(folder: &Path) -> PathBuf {
    let home = folder.join("home/anna");
    fs::create_dir_all(&home).unwrap();
    home
}

fn words(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

fn checks(output: &Output) -> Vec<Value> {
    let diagnosis: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", words(&output.stderr)));
    diagnosis["checks"].as_array().unwrap().clone()
}

/// The one check of a group with this name.
fn check<'c>(checks: &'c [Value], group: &str, name: &str) -> &'c Value {
    let mut found = checks.iter().filter(|check| check["group"] == group && check["name"] == name);
    let only = found.next().unwrap_or_else(|| panic!("{group}, {name}: {checks:#?}"));
    assert!(found.next().is_none());
    only
}

#[test]
fn a_good_machine_has_no_problem() {
    let folder = tempfile::tempdir().unwrap();
    let output = peso(folder.path(), &["doctor", "--json"]);
    let found = checks(&output);
    assert_eq!(output.status.code(), Some(0), "{found:#?}");
    for (group, name, state) in [
        ("Program", "version", "fine"),
        ("Program", "executable", "fine"),
        ("Devices", "cpu", "fine"),
        ("Devices", "auto", "fine"),
        ("Training step", "cpu", "fine"),
        ("Folders", "settings", "fine"),
        ("Folders", "state", "fine"),
        ("Folders", "temporary", "fine"),
        ("Crashes", "reports", "fine"),
    ] {
        assert_eq!(check(&found, group, name)["state"], state, "{group}, {name}: {found:#?}");
    }
    assert!(found.iter().all(|check| (check["state"] == "fine") == check.get("advice").is_none()), "{found:#?}");
    if cfg!(target_os = "linux") {
        assert_eq!(check(&found, "Window", "display")["state"], "note", "there is none");
    }
    let text = words(&peso(folder.path(), &["doctor"]).stdout);
    let last = text.trim_end().lines().last().unwrap();
    assert!(text.starts_with("Program\n  ") && last.starts_with("No problem"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_a_problem_and_the_exit_status_tells() {
    let folder = tempfile::tempdir().unwrap();
    // Whoever tests as root may write anywhere: so a file stands where the folder must be.
    fs::create_dir_all(home(folder.path()).join(".local")).unwrap();
    fs::write(home(folder.path()).join(".local/state"), "").unwrap();
    let output = peso(folder.path(), &["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found = checks(&output);
    let state = check(&found, "Folders", "state");
    assert_eq!(
        (&state["state"], &state["advice"]),
        (&"problem".into(), &"a file stands where a folder must be".into())
    );
}

/// A project of tables whose names, users, items and titles are nobody's business, with a failed run whose log names them.
fn secret_project(folder: &Path) -> PathBuf {
    let own = home(folder).join("films");
    fs::create_dir_all(&own).unwrap();
    let rows: String =
        (0..40).map(|row| format!("anna.karenina-{},tt0{},{}\n", row % 8, 111_161 + row % 5, row)).collect();
    fs::write(own.join("watched-by-anna.csv"), format!("customer,film,moment\n{rows}")).unwrap();
    let titles: String = (0..5).map(|item| format!("tt0{},The Shawshank {item}\n", 111_161 + item)).collect();
    fs::write(own.join("titles.csv"), format!("film,headline\n{titles}")).unwrap();
    let project = runs::project(
        &own,
        "(format: 1, name: \"Anna's films\", notes: \"for Vronsky\", tags: [\"Vronsky\"], dataset: Table(path: \"watched-by-anna.csv\", \
         columns: (user: \"customer\", item: \"film\", time: \"moment\"), items: (path: \"titles.csv\", id: \"film\", title: \
         \"headline\")), base_model: Compact(width: 64), semantic_ids: Train(), \
         experiments: [(name: \"Single\", method: Single)])",
    );
    let run = runs::create(&project, "Single", &runs::learned(&project, "Single"), 42);
    let _lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    let data = own.join("watched-by-anna.csv");
    writer.event(Level::Info, "started on CPU").unwrap();
    let lost = format!(
        "no item of user anna.karenina-3 is known, nor \"The Shawshank 1\" of item tt0111161 ({})",
        data.display()
    );
    writer.event(Level::Warning, &lost).unwrap();
    writer.set_status(Status::Failed, Some(&format!("{lost} on {}", host()))).unwrap();
    let crashes = home(folder).join(".local/state/peso-workbench/crashes");
    fs::create_dir_all(&crashes).unwrap();
    fs::write(crashes.join("crash-2026-11-30T05-00-00Z-7.txt"), "place    src/train/step.rs:97:13\n").unwrap();
    own
}

/// Names and texts of a zip's files, in its order.
fn entries(file: &Path) -> Vec<(String, String)> {
    let mut zip = ZipArchive::new(File::open(file).unwrap()).unwrap();
    let entry_count = zip.len();
    let entry = |at: usize| {
        let mut entry = zip.by_index(at).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.name().to_owned(), text)
    };
    (0..entry_count).map(entry).collect()
}

#[test]
fn a_bundle_has_what_a_report_needs_and_nothing_that_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let own = secret_project(folder.path());
    let output = peso(folder.path(), &["doctor", own.to_str().unwrap(), "--bundle", "report.zip"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", words(&output.stdout), words(&output.stderr));
    let files = entries(&folder.path().join("report.zip"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let [first @ .., run] = &names[..] else { panic!("{names:?}") };
    let crash = "crashes/crash-2026-11-30T05-00-00Z-7.txt";
    assert_eq!(first, ["README.txt", "doctor.txt", "doctor.json", crash, "settings.ron"]);
    assert!(run.starts_with("runs/single-s42-"), "{run}");
    // What leads there and who it is about, in every file.
    let host = host();
    let is_of_a_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let home = home(folder.path());
    let secrets = [
        home.to_str().unwrap(),
        "anna.karenina",
        "tt0",
        "Shawshank",
        "watched-by-anna",
        "titles.csv",
        "customer",
        "headline",
        "Vronsky",
        "Anna",
    ];
    for (name, text) in &files {
        for secret in secrets {
            assert!(!text.contains(secret), "{name} has {secret}:\n{text}");
        }
        // A word of its own: a machine that is called `vm` is not in `llvmpipe`.
        let alone =
            |at: usize| !text[..at].ends_with(is_of_a_word) && !text[at + host.len()..].starts_with(is_of_a_word);
        assert!(!text.match_indices(&host).any(|(at, _)| alone(at)), "{name} has {host}:\n{text}");
    }
    let (_, read_me) = &files[0];
    let said = words(&output.stderr);
    for name in &names {
        assert!(
            read_me.contains(&format!("  {name} ")) && said.contains(&format!("  {name} ")),
            "{name}: {said}\n{read_me}"
        );
    }
    assert!(said.trim_end().ends_with("Read it before you send it."), "{said}");
    let text = |wanted: &str| &files.iter().find(|(name, _)| name == wanted).unwrap().1;
    assert!(text(crash).contains("src/train/step.rs:97:13"));
    let log = text(run);
    for part in [
        "status   failed, 0 stages",
        "error    no item of user … is known",
        "warning no item of user …",
        "PROJECT/DATA",
        "started on CPU",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    let settings = text("settings.ron");
    assert!(settings.contains("width: 64") && settings.contains("left-out.csv"), "{settings}");
    assert!(text("doctor.txt").contains("1 failed") && text("doctor.txt").contains("~/"), "{}", text("doctor.txt"));
}

#[test]
fn a_bundle_replaces_nothing_and_has_the_project_file_only_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let own = secret_project(folder.path());
    let own = own.to_str().unwrap();
    let there = folder.path().join("there.zip");
    fs::write(&there, "mine").unwrap();
    let refused = peso(folder.path(), &["doctor", own, "--bundle", "there.zip"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("there is something already (there.zip)"), "{}", words(&refused.stderr));
    assert_eq!((fs::read_to_string(&there).unwrap().as_str(), refused.stdout.len()), ("mine", 0));
    let written = peso(folder.path(), &["doctor", own, "--bundle", "whole.zip", "--with-project"]);
    assert_eq!(written.status.code(), Some(0), "{}", words(&written.stderr));
    let files = entries(&folder.path().join("whole.zip"));
    let (_, project) = files.iter().find(|(name, _)| name == "project.ron").unwrap();
    assert!(project.contains("Anna's films"));
    let without = peso(folder.path(), &["doctor", "--bundle", "x.zip", "--with-project"]);
    assert_eq!(without.status.code(), Some(2), "there is no project to pack");
}

#[test]
fn a_project_is_looked_at_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let own = secret_project(folder.path());
    let path = own.to_str().unwrap();
    let output = peso(folder.path(), &["doctor", path, "--json"]);
    let found = checks(&output);
    let state = |group, name| check(&found, group, name)["state"].clone();
    let states = ["file", "data", "runs", "locks", "room"].map(|name| state("Project", name));
    assert_eq!(states, ["fine", "fine", "note", "fine", "fine"], "{found:#?}");
    assert_eq!(state("Folders", "project"), "fine");
    assert_eq!(state("Crashes", "reports"), "note");

    // A worker that was killed, and data that are gone.
    let run = fs::read_dir(own.join("runs")).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap().path();
    fs::write(run.join("worker.lock"), "{\"process\": 7}").unwrap();
    fs::remove_file(own.join("titles.csv")).unwrap();
    let output = peso(folder.path(), &["doctor", path, "--json"]);
    let found = checks(&output);
    assert_eq!(output.status.code(), Some(1));
    let locks = check(&found, "Project", "locks");
    assert!(locks["state"] == "note" && locks["found"].as_str().unwrap().contains("single-s42-"), "{locks}");
    let data = check(&found, "Project", "data");
    assert!(data["state"] == "problem" && data["found"] == "dataset: there is no titles.csv", "{data}");

    // A project that cannot be read at all is a problem among the others, and packs too.
    fs::write(own.join("project.ron"), "(format: 1, nam: \"Anna\")").unwrap();
    let output = peso(folder.path(), &["doctor", path, "--json", "--bundle", "report.zip"]);
    let found = checks(&output);
    assert_eq!((output.status.code(), check(&found, "Project", "file")["state"].as_str()), (Some(1), Some("problem")));
    assert_eq!(entries(&folder.path().join("report.zip")).len(), 4);
}
