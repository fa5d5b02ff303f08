//! Commands that are interrupted while they read data end at once, say so, and leave nothing behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Ratings that take a second or more to read.
const LINES: usize = 1_200_000;

fn project(folder: &Path, semantic_ids: &str) {
    let mut data = std::io::BufWriter::new(fs::File::create(folder.join("ratings.csv")).unwrap());
    data.write_all(b"user_id,item_id,rating,timestamp\n").unwrap();
    for line in 0..LINES {
        let (user, item) = (line % 9973, line * 31 % 4999);
        writeln!(data, "u{user},i{item},{},{}", line % 5 + 1, 1_400_000_000 + line).unwrap();
    }
    data.flush().unwrap();
    let text = format!(
        r#"(
            format: 1,
            name: "Large",
            dataset: Detect(path: "ratings.csv"),
            semantic_ids: {semantic_ids},
            base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
            experiments: [(name: "A", method: Single), (name: "B", method: Frozen)],
        )"#
    );
    fs::write(folder.join("project.ron"), text).unwrap();
}

/// Starts a command, interrupts it when it says that it reads, and gives its exit status and what it said after that.
fn interrupted(folder: &Path, arguments: &[&str], reads: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains(reads)), "{arguments:?} never said that it reads");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = said.collect();
    (child.wait().unwrap().code(), rest.join("\n"))
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_run_and_its_workers_end_while_the_data_are_read() {
    let here = tempfile::tempdir().unwrap();
    project(here.path(), "Index(\"index.json\")");
    for arguments in [&["run", ".", "--device", "cpu"][..], &["run", ".", "--device", "cpu", "--workers", "2"][..]] {
        let (code, said) = interrupted(here.path(), arguments, "Reading the data");
        assert_eq!(code, Some(130), "{arguments:?}: {said}");
        assert!(!said.contains("error"), "{said}");
        assert_eq!(names(here.path()), ["project.ron", "ratings.csv"], "{arguments:?}");
    }
}

#[test]
fn training_semantic_ids_ends_while_the_data_are_read() {
    let here = tempfile::tempdir().unwrap();
    project(here.path(), "Train()");
    for command in ["run", "semantic-ids"] {
        let (code, said) = interrupted(here.path(), &[command, "."], "of the data are read");
        assert_eq!(code, Some(130), "{command}: {said}");
        assert!(said.contains("stopped") && said.contains("kept"), "{said}");
        assert_eq!(names(here.path()), ["project.ron", "ratings.csv"], "{command}");
    }
}
