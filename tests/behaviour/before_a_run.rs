//! What is told before a run is started: leaks, stages without users, cut-offs, disk; and figures that would be empty.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    text
}

/// A table of interactions, an index of ids beside it, and a project of both.
fn project(folder: &Path, rows: &[(usize, usize, u64)], stages: &str, rest: &str) {
    let mut table = "user_id,item_id,timestamp\n".to_owned();
    rows.iter().for_each(|(user, item, time)| writeln!(table, "u{user},i{item},{time}").unwrap());
    fs::write(folder.join("t.csv"), table).unwrap();
    let items: std::collections::BTreeSet<usize> = rows.iter().map(|(_, item, _)| *item).collect();
    let code = |item: &usize| (format!("i{item}"), [format!("<a_{}>", item / 4), format!("<b_{}>", item % 4)]);
    let index: std::collections::BTreeMap<_, _> = items.iter().map(code).collect();
    fs::write(folder.join("ids.json"), serde_json::to_string(&index).unwrap()).unwrap();
    let text = format!(
        "(format: 1, name: \"x\", dataset: Table(path: \"t.csv\", columns: (user: \"user_id\", item: \"item_id\", time: \"timestamp\"), \
         prepare: (core: 1, stages: {stages})), semantic_ids: Index(\"ids.json\"), base_model: Compact(width: 16, layers: 1, heads: 2, \
         kv_heads: 1, ffn: 32, epochs: 1), training: (epochs: 1, batch: 32), experiments: [(name: \"A\", method: Frozen)], {rest})"
    );
    fs::write(folder.join("p.ron"), text).unwrap();
}

/// Six users with eight interactions each, a week apart in when they begin.
fn staggered() -> Vec<(usize, usize, u64)> {
    let row = |(user, at): (usize, usize)| {
        let hours = at * 100 + user * 170 + (at * at * 13) % 29;
        (user, (user * 3 + at) % 11, 1_000_000_000 + hours as u64 * 3600)
    };
    (0..6).flat_map(|user| (0..8).map(move |at| (user, at))).map(row).collect()
}

#[test]
fn training_that_lies_after_tests_is_counted_as_pandas_counts_it() {
    let here = tempfile::tempdir().unwrap();
    project(here.path(), &staggered(), "Equal(2)", "");
    // `df.sort_values("timestamp", kind="stable")`, two halves; of each user with three rows the last is the test, all but the
    // last two train; `(training > test).sum()` for each test.
    let text = stdout(&peso(here.path(), &["inspect", "p.ron"]));
    assert!(text.contains(LEAK), "{text}");
    let json: Value = serde_json::from_str(&stdout(&peso(here.path(), &["inspect", "p.ron", "--json"]))).unwrap();
    assert_eq!(json["leak"].as_str().map(|leak| leak.starts_with(LEAK)), Some(true));
    assert!(text.contains("`global-time` asks the same tests of the model of the stage before"), "{text}");
    // Cut by each user's order, users do not share a clock.
    project(here.path(), &staggered(), "ByOrder(base: 0.5, later: 1)", "");
    let text = stdout(&peso(here.path(), &["inspect", "p.ron"]));
    assert!(text.contains("no protocol is strict"), "{text}");
}

const LEAK: &str = "Leave-last-out looks ahead: 2 of 4 tests of the stages from 2 on lie before interactions that the model was trained on (before 2 of them by the median of a stage, 6 at most)";

/// Users who are busy at first, and of whom only some come back in each of the later stages.
fn fading(back: impl Fn(usize, u64) -> usize) -> Vec<(usize, usize, u64)> {
    let early = (0..10).flat_map(|user| (0..6).map(move |at| (user, (user + at) % 12, 1_000_000 + at as u64)));
    let later = (2..=4u64).flat_map(|stage| {
        let back = &back;
        (0..10).flat_map(move |user| {
            // Items of its own for each stage: nothing is a second time.
            let row = move |at| (user, 12 * stage as usize + (user * 5 + at) % 12, stage * 10_000_000 + at as u64);
            (0..back(user, stage)).map(row)
        })
    });
    early.chain(later).collect()
}

const THREE_LATER: &str = "Dates([\"1970-06-01\", \"1970-11-01\", \"1971-03-01\"])";

#[test]
fn nothing_is_started_where_nobody_could_be_tested() {
    let here = tempfile::tempdir().unwrap();
    project(here.path(), &fading(|_, _| 2), THREE_LATER, "");
    let told = refused(&peso(here.path(), &["run", "p.ron", "--device", "cpu"]));
    for part in ["no user has 3 interactions in any stage after the first", "t.csv", "prepare: (stages: Fractions"] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert!(!here.path().join("runs").exists(), "nothing was begun");
    // One stage alone is no project whose later stages are empty.
    project(here.path(), &fading(|_, _| 2), "Equal(1)", "");
    let text = stdout(&peso(here.path(), &["inspect", "p.ron"]));
    assert!(text.contains("On the disk: about ") && !text.contains("nothing to test"), "{text}");
    // The first interactions after the first stage can be asked all the same.
    project(here.path(), &fading(|_, _| 2), THREE_LATER, "evaluation: (protocol: NextBlock)");
    let text = stdout(&peso(here.path(), &["inspect", "p.ron"]));
    assert!(text.contains("Warning: Stages 2, 3 and 4 cannot be trained on or validated"), "{text}");
}

#[test]
fn a_stage_without_users_and_cut_offs_without_lists_are_told_before_training() {
    let here = tempfile::tempdir().unwrap();
    let rows = fading(|_, stage| if stage == 3 { 2 } else { 4 });
    project(here.path(), &rows, THREE_LATER, "evaluation: (beams: 5, k: [5, 10])");
    let json = stdout(&peso(here.path(), &["run", "p.ron", "--device", "cpu", "--dry-run", "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    let warnings = &json["preflight"]["warnings"];
    assert_eq!(warnings[0]["what"], "Stage 3 cannot be trained on or validated: no user has 3 interactions there");
    assert!(warnings[1]["what"].as_str().unwrap().starts_with("Hit and NDCG at 10 are not measured"), "{warnings}");
    assert_eq!(warnings.as_array().unwrap().len(), 2);
    let [needed, free] = ["disk_bytes", "disk_free_bytes"].map(|key| json["preflight"][key].as_u64().unwrap());
    assert!(needed > 1 << 18 && needed < free, "{needed} of {free}");
    let run = peso(here.path(), &["run", "p.ron", "--device", "cpu"]);
    stdout(&run);
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(told.contains("warning: Stage 3 cannot be trained on or validated"), "{told}");
    let written = folder_bytes(&here.path().join("runs"));
    assert!(written < needed && needed < 8 * written, "{needed} foreseen, {written} written");
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { folder_bytes(&path) } else { path.metadata().unwrap().len() }).sum()
}

#[test]
fn short_lists_are_compared_and_drawn_by_what_they_have_and_nothing_empty_is_written() {
    let here = tempfile::tempdir().unwrap();
    project(here.path(), &fading(|_, _| 4), THREE_LATER, "evaluation: (beams: 5, k: [1, 5])");
    stdout(&peso(here.path(), &["run", "p.ron", "--device", "cpu"]));
    let compared = stdout(&peso(here.path(), &["compare", "p.ron", "--baseline", "Popularity"]));
    assert!(compared.contains("NDCG@5"), "{compared}");
    let document = stdout(&peso(here.path(), &["compare", "p.ron", "--baseline", "Popularity", "--markdown"]));
    assert!(document.contains("Hit@5") && !document.contains("@10"), "{document}");
    let told = refused(&peso(here.path(), &["compare", "p.ron", "--baseline", "Popularity", "--metric", "ndcg@10"]));
    assert!(told.contains("the lists have 5 items"), "{told}");
    stdout(&peso(here.path(), &["export", "p.ron", "--figure", "comparison", "--to", "c.csv"]));
    let drawn = fs::read_to_string(here.path().join("c.csv")).unwrap();
    assert!(drawn.contains("NDCG@5") && drawn.lines().count() > 4, "{drawn}");
    let empty = ["export", "p.ron", "--figure", "comparison", "--metric", "ndcg@10", "--to", "d.csv"];
    let told = refused(&peso(here.path(), &empty));
    assert!(told.contains("would show nothing") && told.contains("--metric"), "{told}");
    assert!(!here.path().join("d.csv").exists());
}

#[test]
fn global_time_reads_what_same_block_measured() {
    let here = tempfile::tempdir().unwrap();
    project(here.path(), &fading(|_, _| 4), THREE_LATER, "evaluation: (beams: 5, k: [1, 5])");
    stdout(&peso(here.path(), &["run", "p.ron", "--device", "cpu"]));
    let of = |protocol: &str| -> Value {
        let output = peso(here.path(), &["results", "p.ron", "--json", "--protocol", protocol]);
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    let (same, strict) = (of("same-block"), of("global-time"));
    let runs = same["runs"].as_array().unwrap();
    assert!(runs.len() > 1);
    for (run, strict) in runs.iter().zip(strict["runs"].as_array().unwrap()) {
        let matrix = &run["matrix"]["hit@5"];
        for stage in 2..=4 {
            let shown = &strict["stages"][stage - 1]["metrics"]["hit@5"];
            assert_eq!(shown, &matrix[stage - 2][stage - 1], "stage {stage} of {}", run["run"]);
            assert_eq!(strict["stages"][stage - 1]["test_users"], run["stages"][stage - 1]["test_users"]);
        }
        assert!(strict["stages"][0]["metrics"].as_object().unwrap().is_empty(), "no model is before stage 1");
        assert!(strict["continual"].as_object().unwrap().is_empty());
    }
    let compare = ["compare", "p.ron", "--baseline", "Popularity", "--protocol", "global-time"];
    assert!(stdout(&peso(here.path(), &compare)).contains("global-time"));
}
