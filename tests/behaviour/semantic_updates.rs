//! Ways to update the tokenizer, compared over the stages of a project's data.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::semantic_growth::{STAGE1, json_of, project, project_text, refused, title, write_data};
use crate::semantic_ids::peso;

const COMPARE: [&str; 3] = ["semantic-ids", ".", "--compare-updates"];

fn compared(folder: &Path) -> Value {
    json_of(folder, &[&COMPARE[..], &["--json"]].concat())
}

/// All files below a folder with their content, but for the cache of what was read.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.ends_with(".peso-cache") => {}
                path if path.is_dir() => folders.push(path),
                path => found.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

fn way<'v>(stage: &'v Value, name: &str) -> &'v Value {
    stage["ways"].as_array().unwrap().iter().find(|way| way["way"] == name).unwrap()
}

#[test]
fn each_way_says_what_it_moves_and_what_that_costs() {
    let folder = project(STAGE1, [16, 6, 4]);
    peso(folder.path(), &["semantic-ids", "."]);
    let before = files(folder.path());
    let found = compared(folder.path());
    assert_eq!(files(folder.path()), before, "nothing is written");
    assert_eq!((&found["items"], &found["protocol"]), (&json!(16), &json!("same-block")));
    let stages = found["stages"].as_array().unwrap();
    let counts =
        |stage: &Value| [&stage["stage"], &stage["items"], &stage["new"]].map(|number| number.as_u64().unwrap());
    assert_eq!([counts(&stages[0]), counts(&stages[1])], [[2, 22, 6], [3, 26, 4]]);
    for stage in stages {
        let names: Vec<&Value> = stage["ways"].as_array().unwrap().iter().map(|way| &way["way"]).collect();
        assert_eq!(names, ["append", "refresh", "fine-tune", "aligned", "dact"]);
        assert!(stage["tests"].as_u64().unwrap() > 0);
        let append = way(stage, "append");
        assert_eq!((&append["ids_moved"], &append["old_model"]), (&json!(0.0), &append["new_model"]));
        assert!(append["old_model"].as_f64().unwrap() < 0.0);
        assert_eq!(way(stage, "aligned")["error"], way(stage, "refresh")["error"]);
        // Words of a title do not drift.
        assert_eq!(way(stage, "dact")["ids_moved"], json!(0.0));
    }
    let kept = |name: &str| way(&stages[0], name)["levels"][0]["code_kept"].as_f64().unwrap();
    assert!(kept("aligned") >= kept("refresh"));

    // What a project has ids trained on changes nothing: all ways begin with those of stage 1.
    let other = project("", [16, 6, 4]);
    assert_eq!(compared(other.path()), found);
    assert!(!other.path().join("semantic_ids").exists());
}

#[test]
fn what_comes_later_changes_nothing_of_a_stage() {
    for source in ["Words(32)", "Interactions(8)"] {
        let text = project_text(STAGE1).replace("Words(32)", source);
        let [one, other] = [[16, 6, 4], [16, 6, 9]].map(|items| {
            let folder = tempfile::tempdir().unwrap();
            write_data(folder.path(), items, |item| {
                if item < 22 { title(item) } else { format!("{} {items:?}", title(item)) }
            });
            fs::write(folder.path().join("project.ron"), &text).unwrap();
            compared(folder.path())
        });
        assert_eq!(one["stages"][0], other["stages"][0], "{source}");
        assert_ne!(one["stages"][1], other["stages"][1], "{source}");
    }
}

#[test]
fn the_text_begins_with_what_it_is_and_ends_with_how_to_read_it() {
    let folder = project(STAGE1, [16, 6, 4]);
    let text = |arguments: &[&str]| String::from_utf8(peso(folder.path(), arguments).stdout).unwrap();
    let plain = text(&COMPARE);
    assert!(plain.starts_with(
        "Ids after each stage by five ways to update the tokenizer, all from the same ids of the 16 items"
    ));
    assert!(plain.contains("our reading") && plain.contains("append 0.0 % at 0.000 nats"), "{plain}");
    let explained = text(&[&COMPARE[..], &["--explain"]].concat());
    assert!(explained.starts_with(&plain) && explained.contains("What a model that knows the ids"), "{explained}");
}

#[test]
fn projects_without_ids_of_their_own_are_told_what_to_write() {
    let folder = project(STAGE1, [16, 6, 0]);
    let file = folder.path().join("project.ron");
    let given = project_text(STAGE1).replace("semantic_ids: Train(", "semantic_ids: Index(\"x.index.json\"), // (");
    fs::write(&file, given).unwrap();
    let words = refused(folder.path(), &COMPARE);
    assert!(words.contains("from elsewhere") && words.contains("Train()"), "{words}");
    let text = project_text("").replace("Words(32)", "Interactions(8)");
    fs::write(&file, text.replace("experiments:", "evaluation: (protocol: NextBlock),\n    experiments:")).unwrap();
    let words = refused(folder.path(), &COMPARE);
    assert!(words.contains("next-block") && words.contains("SameBlock"), "{words}");
}
