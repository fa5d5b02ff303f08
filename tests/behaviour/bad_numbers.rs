//! Numbers and data that no training can come out of well: refused, told before the run, or ended with a reason; never a
//! figure that means nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use peso_workbench::project::Project;
use peso_workbench::run::{RunFolder, Status};

/// A user, an item and a time.
type Row = (usize, usize, u64);

/// Settings of a project of a table of interactions; the rest is as in a project whose training goes well.
struct Case<'a> {
    rows: Vec<Row>,
    stages: &'a str,
    training: &'a str,
    method: &'a str,
    id: fn(usize) -> [String; 2],
}

impl Default for Case<'_> {
    fn default() -> Self {
        let rows = (0..8).flat_map(|user| (0..12).map(move |at| (user, (user * 3 + at) % 11, at as u64 * 1000)));
        let id = |item| [format!("<a_{}>", item / 4), format!("<b_{}>", item % 4)];
        Self { rows: rows.collect(), stages: "Equal(2)", training: "", method: "Single", id }
    }
}

impl Case<'_> {
    /// Runs its one experiment; the folder stays.
    fn run(&self) -> (tempfile::TempDir, Output) {
        let folder = tempfile::tempdir().unwrap();
        let mut table = "user_id,item_id,timestamp\n".to_owned();
        for (user, item, time) in &self.rows {
            writeln!(table, "u{user},i{item},{}", 1_000_000_000 + time).unwrap();
        }
        fs::write(folder.path().join("t.csv"), table).unwrap();
        let items: BTreeSet<usize> = self.rows.iter().map(|(_, item, _)| *item).collect();
        let ids: BTreeMap<String, [String; 2]> = items.iter().map(|&i| (format!("i{i}"), (self.id)(i))).collect();
        fs::write(folder.path().join("ids.json"), serde_json::to_string(&ids).unwrap()).unwrap();
        let Self { stages, training, method, .. } = self;
        let text = format!(
            "(format: 1, name: \"x\", dataset: Table(path: \"t.csv\", columns: (user: \"user_id\", item: \"item_id\", \
             time: \"timestamp\"), prepare: (core: 1, stages: {stages})), semantic_ids: Index(\"ids.json\"), \
             base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1), \
             training: (epochs: 2, batch: 8, {training}), evaluation: (beams: 3, k: [3]), \
             experiments: [(name: \"A\", method: {method})], seeds: [1])"
        );
        fs::write(folder.path().join("project.ron"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
        let output = command.args(["run", ".", "--device", "cpu"]).current_dir(folder.path()).stdin(Stdio::null());
        let output = output.output().unwrap();
        (folder, output)
    }

    /// What it is refused with; nothing was begun.
    fn refused(&self) -> String {
        let (folder, output) = self.run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!folder.path().join("runs").exists(), "{said}");
        said
    }
}

/// The run of the experiment.
fn learned(folder: &Path) -> RunFolder {
    let runs = RunFolder::list(&Project::load(folder).unwrap().runs_dir(None));
    runs.into_iter().find(|run| run.config().experiment == "A").unwrap()
}

#[test]
fn what_is_no_number_fails_the_run_with_where_it_was_and_the_others_go_on() {
    let (folder, output) = Case { training: "learning_rate: 1e6", ..Case::default() }.run();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let run = learned(folder.path());
    assert_eq!(run.status(), Status::Failed);
    let reason = run.reader().unwrap().reason().unwrap().unwrap();
    for part in [" became NaN in stage 1, step ", "lower the learning rate"] {
        assert!(reason.contains(part) && said.contains(part), "{reason}");
    }
    assert!(run.reader().unwrap().evaluations().unwrap().is_empty(), "nothing is measured of it");
    let runs = RunFolder::list(&Project::load(folder.path()).unwrap().runs_dir(None));
    assert_eq!(runs.iter().filter(|run| run.status() == Status::Finished).count(), 2, "both baselines");
}

#[test]
fn gradients_that_explode_are_told_while_they_are_numbers() {
    for case in [
        Case { training: "learning_rate: 1000.0", ..Case::default() },
        Case { method: "Peso(lambda: 1e9)", ..Case::default() },
    ] {
        let (folder, output) = case.run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("warning: stage ") && said.contains(": gradients had a norm of up to "), "{said}");
        let log = fs::read_to_string(learned(folder.path()).path().join("log.txt")).unwrap();
        assert!(log.contains("may be too high"), "{log}");
    }
}

#[test]
fn settings_out_of_their_range_are_refused_by_their_field() {
    for (case, field) in [
        (Case { training: "learning_rate: 0.0", ..Case::default() }, "field `training.learning_rate`"),
        (Case { training: "learning_rate: 1e30", ..Case::default() }, "field `training.learning_rate`"),
        (Case { training: "weight_decay: 1e30", ..Case::default() }, "field `training.weight_decay`"),
        (Case { method: "Peso(lambda: 1e30)", ..Case::default() }, "field `experiments[0].method.lambda`"),
        (Case { method: "Peso(lambda: -1.0)", ..Case::default() }, "field `experiments[0].method.lambda`"),
    ] {
        let said = case.refused();
        assert!(said.contains(field) && said.contains("it must be a number from "), "{field}: {said}");
    }
}

#[test]
fn data_in_which_nothing_can_be_chosen_are_refused() {
    let rows = (0..8).flat_map(|user| (0..12).map(move |at| (user, 0, at)));
    let said = Case { rows: rows.collect(), ..Case::default() }.refused();
    assert!(said.contains("the data have 1 item: there is nothing to choose"), "{said}");
    let id = |_| ["<a_0>".to_owned(), "<b_0>".to_owned()];
    let said = Case { id, ..Case::default() }.refused();
    assert!(said.contains("all 11 items have one id"), "{said}");
    // What reads no ids can tell the items apart.
    let (_folder, output) = Case { id, method: "TwoTower()", ..Case::default() }.run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn one_user_is_told_before_the_run() {
    let rows = (0..40).map(|at| (0, at as usize % 30, at));
    let (folder, output) = Case { rows: rows.collect(), ..Case::default() }.run();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("warning: The data have one user"), "{said}");
    let reader = learned(folder.path()).reader().unwrap();
    assert!(reader.steps_after(0).unwrap().iter().all(|(_, step)| step.loss.is_finite()));
}

/// Three months, in the middle of which a user has `in_the_middle` interactions.
fn thin(in_the_middle: usize) -> Vec<Row> {
    let month = |month: usize, count: usize| {
        let row = move |user, at| (user, 12 * month + (user * 3 + at) % 11, (month * 3_000_000 + at * 1000) as u64);
        (0..8).flat_map(move |user| (0..count).map(move |at| row(user, at)))
    };
    month(0, 6).chain(month(1, in_the_middle)).chain(month(2, 6)).collect()
}

#[test]
fn an_empty_stage_is_refused_and_a_thin_one_is_passed_over_and_told() {
    // 2001-09-09 begins the first month.
    let stages = "Dates([\"2001-10-01\", \"2001-11-05\"])";
    let said = Case { rows: thin(0), stages, ..Case::default() }.refused();
    assert!(said.contains("stage 2 has none of the 96 interactions"), "{said}");

    let (folder, output) = Case { rows: thin(2), stages, method: "Peso()", ..Case::default() }.run();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Stage 2 cannot be trained on or validated"), "{said}");
    let reader = learned(folder.path()).reader().unwrap();
    let stages = reader.stages().unwrap();
    assert_eq!(stages.iter().map(|stage| stage.train_examples > 0).collect::<Vec<_>>(), [true, false, true]);
    assert!(reader.steps_after(0).unwrap().iter().all(|(_, step)| step.stage != 2 && step.loss.is_finite()));
}
