//! The command line, through the real binary.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::data::Protocol;
use peso_workbench::figures::measures;
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::observer::{CellIndex, EvaluationRecord, Level, Observer, StageRecord, UserOutcome};
use peso_workbench::run::{RunFolder, RunMethod, Status};
use serde_json::{Value, json};

use crate::runs;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap()
}

fn words(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{}", words(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Writes the demo project and, beside it, runs of two stages as a worker would.
fn project_with_runs(folder: &Path) {
    let project = runs::project(folder, DEMO);
    let (peso, frozen) = (runs::learned(&project, "PESO"), runs::learned(&project, "Frozen"));
    for (method, name, seed, status, gain) in [
        (&peso, "PESO", 1, Status::Finished, 0.0),
        (&peso, "PESO", 2, Status::Finished, 0.03125),
        (&frozen, "Frozen", 1, Status::Running, 0.0),
        (&RunMethod::Popularity, "Popularity", 1, Status::Finished, -0.0625),
    ] {
        write_run(&project, method, name, seed, status, gain);
    }
}

fn write_run(project: &Project, method: &RunMethod, name: &str, seed: u64, status: Status, gain: f64) {
    let run = runs::create(project, name, method, seed);
    let mut writer = run.writer().unwrap();
    writer.set_status(status, None).unwrap();
    writer.event(Level::Info, "begins").unwrap();
    for trained_stage in 1..=2 {
        for test_stage in 1..=2 {
            // Sums of powers of two, so that every form shows them exactly.
            let value = 0.125 * trained_stage as f64 + 0.015625 * test_stage as f64 + gain;
            let metrics = ["hit@10", "hit@10_corrected"].map(|metric| (metric.to_owned(), value));
            let metrics =
                metrics.into_iter().chain(["ndcg@10", "ndcg@10_corrected"].map(|m| (m.to_owned(), value / 2.0)));
            let metrics: BTreeMap<String, f64> = metrics.collect();
            let user = UserOutcome { user: 0, target: 1, rank: 1, before: 0, sharing: 1, top: vec![1, 2], known: None };
            let users = vec![user];
            let at = CellIndex { protocol: Protocol::SameBlock, trained: trained_stage, tested: test_stage };
            writer.evaluation(&EvaluationRecord { at, metrics, users, seconds: 0.5 }).unwrap();
        }
        let record = StageRecord {
            stage: trained_stage,
            train_examples: 100,
            test_users: 1,
            train_seconds: 2.0,
            final_loss: 1.5,
            finished: true,
            ..StageRecord::default()
        };
        writer.stage(&record).unwrap();
    }
}

#[test]
fn help_names_every_command_and_the_exit_status() {
    let here = tempfile::tempdir().unwrap();
    let help = peso(here.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    insta::assert_snapshot!(words(&help.stdout));
    let commands = ["run", "status", "results", "export", "methods", "inspect", "score", "devices", "bench", "demo"];
    for command in commands.into_iter().chain([
        "compare",
        "decide",
        "subspace",
        "retention",
        "interpret",
        "adapter",
        "semantic-ids",
    ]) {
        let help = peso(here.path(), &[command, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{command}");
        assert!(words(&help.stdout).contains(&format!("Usage: peso {command}")), "{command}");
    }
    let former = peso(here.path(), &["meaning", "--help"]);
    assert!(words(&former.stdout).contains("Usage: peso interpret"), "`peso meaning` goes on to work");
}

#[cfg(unix)]
#[test]
fn a_command_is_told_that_runs_failed_and_no_project_names_one() {
    let here = tempfile::tempdir().unwrap();
    let with = |field: &str| DEMO.replace("    format: 1,", &format!("    format: 1,\n    {field}"));
    fs::write(here.path().join("broken.ron"), with("semantic_ids: Index(\"nowhere.json\"),")).unwrap();
    fs::write(here.path().join("hostile.ron"), with("on_finished: \"touch ran\",")).unwrap();
    let command = "sh -c 'echo \"$PESO_EVENT: $PESO_PROJECT: $PESO_MESSAGE\" > told'";
    let failed = peso(here.path(), &["run", "broken.ron", "--on-finished", command]);
    assert_ne!(failed.status.code(), Some(0));
    let told = fs::read_to_string(here.path().join("told")).unwrap();
    assert!(told.starts_with("failed: broken.ron: ") && told.contains("nowhere.json"), "{told}");
    let refused = peso(here.path(), &["run", "hostile.ron"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("unknown field `on_finished`"), "{}", words(&refused.stderr));
    let unclosed = peso(here.path(), &["run", "broken.ron", "--on-finished", "say 'it"]);
    assert!(words(&unclosed.stderr).contains("a quote is not closed"), "{}", words(&unclosed.stderr));
}

#[test]
fn bad_input_ends_with_2_names_the_place_and_leaves_nothing() {
    let here = tempfile::tempdir().unwrap();
    let bad = DEMO.replace("lambda", "lamda");
    fs::write(here.path().join("bad.ron"), &bad).unwrap();
    fs::write(here.path().join("good.ron"), DEMO).unwrap();
    fs::write(here.path().join("file"), "no folder").unwrap();
    let line = 1 + bad.lines().position(|line| line.contains("lamda")).unwrap();
    let cases: [(&[&str], &str); 13] = [
        (&["run", "bad.ron"], "unknown field `lamda`"),
        (&["run", "bad.ron"], &format!("line {line}, column")),
        (&["results", "bad.ron", "--json"], "expected one of `lambda`"),
        (&["run", "nowhere"], "there is no such project"),
        (&["run", "good.ron", "--experiment", "PESSO"], "there is no experiment \"PESSO\""),
        (&["run", "good.ron", "--device", "abacus"], "expected auto, wgpu, cuda or cpu"),
        (&["inspect", "nowhere"], "there is no such file or folder"),
        (&["inspect", "file"], "it looks like text without columns in UTF-8, whose first line is `no folder`"),
        (&["export", "good.ron", "--figure", "loss", "--to", "loss.png"], "there are no runs to draw"),
        (&["demo", "--out", "file"], "a file stands where a folder must be"),
        (&["bench", "--heads", "3"], "--width: a width of 128 cannot be divided among 3 heads"),
        (&["run", "good.ron", "--hover"], "Usage: peso run"),
        (&["fly"], "there is no such project or command"),
    ];
    for (arguments, expected) in cases {
        let output = peso(here.path(), arguments);
        let said = words(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains(expected), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    if cfg!(target_os = "linux") {
        // Nobody may make a folder there, not even root, whom permissions do not bind.
        let output = peso(here.path(), &["run", "good.ron", "--out", "/sys/peso-runs"]);
        let said = words(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot write") && said.contains("/sys/peso-runs"), "{said}");
    }
    let mut left: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["bad.ron", "file", "good.ron"]);
}

#[test]
fn advice_stands_on_a_line_of_its_own() {
    let here = tempfile::tempdir().unwrap();
    let output = peso(here.path(), &["status", "nowhere.ron"]);
    insta::assert_snapshot!(words(&output.stderr));
}

#[test]
fn demo_writes_a_project_and_spares_another() {
    let here = tempfile::tempdir().unwrap();
    let written = peso(here.path(), &["demo", "--out", "new/demo"]);
    assert_eq!(written.status.code(), Some(0), "{}", words(&written.stderr));
    assert!(words(&written.stderr).contains("peso run new/demo"));
    let file = here.path().join("new/demo/project.ron");
    assert_eq!(fs::read_to_string(&file).unwrap(), DEMO);
    assert_eq!(peso(here.path(), &["demo", "--out", "new/demo"]).status.code(), Some(0));

    fs::write(&file, "mine").unwrap();
    let refused = peso(here.path(), &["demo", "--out", "new/demo"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(peso(here.path(), &["demo", "--out", "new/demo", "--force"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), DEMO);
}

#[test]
fn results_have_the_shape_that_others_rely_on() {
    let here = tempfile::tempdir().unwrap();
    project_with_runs(here.path());
    let output = peso(here.path(), &["results", ".", "--json"]);
    let results = json_of(&output);
    assert_eq!((&results["project"], &results["protocol"]), (&json!("Synthetic drift demo"), &json!("same-block")));
    let runs = results["runs"].as_array().unwrap();
    let ids: Vec<&str> = runs.iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() == 4, "{ids:?}");
    let run = runs.iter().find(|run| run["experiment"] == "PESO" && run["seed"] == 1).unwrap();
    let hash = run["config_hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64);
    let both = |hit: Value, ndcg: Value| json!({"hit@10": hit, "hit@10_corrected": hit, "ndcg@10": ndcg, "ndcg@10_corrected": ndcg});
    assert_eq!(
        *run,
        json!({
            "run": format!("peso-s1-{}", &hash[..8]), "experiment": "PESO", "method": "peso",
            "ranking": "ids", "seed": 1, "status": "finished", "device": "cpu", "trainable_parameters": 1234, "config_hash": hash,
            "data_hash": "da7a", "protocols": ["same-block", "global-time"],
            "continual": both(
                json!({"plasticity": 0.2109375, "stability": 0.265625, "average_accuracy": 0.2734375,
                       "backward_transfer": 0.125, "forward_transfer": null, "forgetting": 0.0}),
                json!({"plasticity": 0.10546875, "stability": 0.1328125, "average_accuracy": 0.13671875,
                       "backward_transfer": 0.0625, "forward_transfer": null, "forgetting": 0.0}),
            ),
            "stages": [
                {"stage": 1, "train_examples": 100, "test_users": 1, "left_out_users": null, "train_seconds": 2.0,
                 "train_examples_per_s": null, "eval_seconds": 0.0, "peak_memory_bytes": 0, "stored_bytes": 0,
                 "final_loss": 1.5, "validation_losses": [], "best_epoch": 0, "metrics": both(json!(0.140625), json!(0.0703125))},
                {"stage": 2, "train_examples": 100, "test_users": 1, "left_out_users": null, "train_seconds": 2.0,
                 "train_examples_per_s": null, "eval_seconds": 0.0, "peak_memory_bytes": 0, "stored_bytes": 0,
                 "final_loss": 1.5, "validation_losses": [], "best_epoch": 0, "metrics": both(json!(0.28125), json!(0.140625))},
            ],
            "matrix": both(
                json!([[0.140625, 0.15625], [0.265625, 0.28125]]),
                json!([[0.0703125, 0.078125], [0.1328125, 0.140625]]),
            ),
        })
    );
    // The worker of the Frozen run is gone, so it does not run any more.
    let frozen = runs.iter().find(|run| run["experiment"] == "Frozen").unwrap();
    assert_eq!(frozen["status"], "stopped");
    assert_eq!(output.stdout, peso(here.path(), &["results", "project.ron", "--json"]).stdout);
}

#[test]
fn results_are_readable_and_exact_in_every_form() {
    let here = tempfile::tempdir().unwrap();
    project_with_runs(here.path());
    let forms = ["", "--csv", "--latex"].map(|form| {
        let arguments: Vec<&str> = ["results", ".", form].into_iter().filter(|word| !word.is_empty()).collect();
        let output = peso(here.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
        words(&output.stdout)
    });
    insta::assert_snapshot!(without_hashes(&forms.join("\n----\n")));
}

/// A text with the hashes of run ids masked: they change with the demo's settings.
fn without_hashes(text: &str) -> String {
    let is_hash = |part: &str| part.len() == 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let mask = |word: &str| match word.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => format!("{name}-########"),
        _ => word.to_owned(),
    };
    let line = |line: &str| line.split(',').map(mask).collect::<Vec<_>>().join(",");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_broken_run_folder_is_told_and_hides_nothing() {
    let here = tempfile::tempdir().unwrap();
    project_with_runs(here.path());
    let broken = here.path().join("runs/broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("run.ron"), "(format: 1, run: [").unwrap();
    for command in ["status", "results"] {
        let output = peso(here.path(), &[command, ".", "--json"]);
        assert_eq!(json_of(&output)["runs"].as_array().unwrap().len(), 4, "{command}");
        let said = words(&output.stderr);
        assert!(said.contains("warning: left out") && said.contains("broken"), "{command}: {said}");
    }
}

#[test]
fn status_tells_where_runs_stand() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("project.ron"), DEMO).unwrap();
    let none = peso(here.path(), &["status", "."]);
    assert!(words(&none.stdout).contains("no runs yet"));
    project_with_runs(here.path());
    let status = json_of(&peso(here.path(), &["status", ".", "--json"]));
    let frozen = status["runs"].as_array().unwrap().iter().find(|run| run["experiment"] == "Frozen").unwrap();
    assert_eq!((&frozen["status"], &frozen["stages_finished"]), (&json!("stopped"), &json!(2)));
    // Held by a worker that lives, it runs.
    let project = Project::load(here.path()).unwrap();
    let folders = RunFolder::list(&project.runs_dir(None));
    let folder = folders.iter().find(|folder| folder.config().experiment == "Frozen").unwrap();
    let _lock = folder.lock().unwrap();
    let status = words(&peso(here.path(), &["status", "."]).stdout);
    let line = status.lines().find(|line| line.starts_with("frozen-")).unwrap();
    assert!(line.contains("running") && line.contains("2/2"), "{line}");
}

#[test]
fn inspect_tells_projects_from_runs() {
    let here = tempfile::tempdir().unwrap();
    project_with_runs(here.path());
    let project = json_of(&peso(here.path(), &["inspect", "project.ron", "--json"]));
    assert_eq!((&project["kind"], &project["name"]), (&json!("project"), &json!("Synthetic drift demo")));
    let memory = &project["memory"][0];
    assert_eq!((&memory["device"], &memory["measured"]), (&json!("cpu"), &json!(true)));
    assert!(memory["parts"]["activations"].as_u64().unwrap() > 0, "{memory}");
    let runs = Project::load(here.path()).unwrap().runs_dir(None);
    let run = RunFolder::list(&runs).remove(0);
    let inspected = json_of(&peso(here.path(), &["inspect", run.path().to_str().unwrap(), "--json"]));
    assert_eq!((&inspected["kind"], &inspected["run"]), (&json!("run"), &json!(run.config().run)));
    let text = words(&peso(here.path(), &["inspect", run.path().to_str().unwrap()]).stdout);
    assert!(text.contains("1,234 trainable parameters"), "{text}");
}

#[test]
fn results_explain_their_columns() {
    let here = tempfile::tempdir().unwrap();
    project_with_runs(here.path());
    let explained = words(&peso(here.path(), &["results", ".", "--explain"]).stdout);
    let (_, legend) = explained.split_once("\nColumn ").unwrap();
    for column in ["Hit@10", "NDCG@10", "Plasticity", "Forgetting", "Train", "Examples/s", "Peak memory"] {
        let line = legend.lines().find(|line| line.starts_with(&format!("{column}  ")));
        assert!(line.is_some_and(|line| line.len() > column.len() + 25), "{column}: {legend}");
    }
    assert!(!legend.contains("released count"), "both counts are equal here");
}

/// Columns of figures that say where a value stands; every other one is a measure.
const PLACES: [&str; 38] = [
    "Client",
    "Other client",
    "Round",
    "Group",
    "grouping",
    "Method",
    "Seeds",
    "Slice",
    "baseline",
    "in words",
    "protocol",
    "series",
    "run",
    "Stage",
    "stage",
    "Step",
    "Direction",
    "direction",
    "next direction",
    "Principal angle",
    "Layer",
    "Module",
    "module",
    "side",
    "After training stage",
    "Tested on stage",
    "experiment",
    "seed",
    "lowest seed",
    "highest seed",
    "mean - deviation",
    "mean + deviation",
    "95 % interval low",
    "95 % interval high",
    "lowest step",
    "highest step",
    "note",
    "definitions",
];

#[test]
fn figures_are_written_by_ending_and_into_folders() {
    let here = tempfile::tempdir().unwrap();
    project_with_runs(here.path());
    let export = |arguments: &[&str]| {
        let output = peso(here.path(), &[&["export", ".", "--figure"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    };
    export(&["comparison", "--to", "a.svg", "--metric", "hit@10", "--theme", "dark"]);
    let svg = fs::read_to_string(here.path().join("a.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("PESO"));
    export(&["matrix", "--to", "m.csv"]);
    let matrices = fs::read_dir(here.path()).unwrap().flatten();
    assert_eq!(matrices.filter(|e| e.file_name().to_string_lossy().starts_with("m-matrix-")).count(), 4);
    export(&["all", "--to", "figures", "--dpi", "50"]);
    let written = fs::read_dir(here.path().join("figures")).unwrap().count();
    // What there is something to draw of, and nothing else.
    let mut names: Vec<String> = fs::read_dir(here.path().join("figures"))
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.strip_suffix(".csv")).map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(written, names.len() * 5, "every figure in every form: {names:?}");
    // These runs have no steps, so that nothing could be drawn of losses.
    for figure in ["comparison", "churn", "cost-time", "table"] {
        assert!(names.iter().any(|name| name == figure), "{figure} is not among {names:?}");
    }
    assert_eq!(names.iter().filter(|name| name.starts_with("matrix")).count(), 4, "{names:?}");
    for name in &names {
        let csv = fs::read_to_string(here.path().join(format!("figures/{name}.csv"))).unwrap();
        let mut quoted = false;
        let outside = |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        };
        let heading: Vec<&str> =
            csv.lines().next().unwrap().split(outside).map(|name| name.trim_matches('"')).collect();
        // Axes of settings have the names of their options.
        let settings = if name == "parallel" { heading.len().saturating_sub(4) } else { 0 };
        for column in heading[settings..].iter().filter(|column| !PLACES.contains(column)) {
            if *column == "missing" {
                continue;
            }
            let label = column.split(" (").next().unwrap().trim_start_matches("Gain in ");
            let defined = measures::definition(label).unwrap_or_else(|| panic!("{name}: {column} has no definition"));
            assert!(csv.contains(&defined.text), "{name}: {column} is not explained in the file");
        }
    }
    let csv = |name: &str| fs::read_to_string(here.path().join(format!("figures/{name}.csv"))).unwrap();
    for figure in ["comparison", "cost-time", "churn"] {
        assert!(csv(figure).starts_with("protocol,"), "{figure} does not say by which protocol it was tested");
    }
    assert!(csv("data-drift-measures").contains("Users' move, distance"), "the drift of the data has the users' move");
    let refused = peso(here.path(), &["export", ".", "--figure", "loss", "--to", "loss.docx"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!here.path().join("loss.docx").exists());
}

#[test]
fn devices_always_offer_the_cpu() {
    let here = tempfile::tempdir().unwrap();
    let survey = json_of(&peso(here.path(), &["devices", "--json"]));
    let found = survey["found"].as_array().unwrap();
    assert!(found.iter().any(|device| device["kind"] == "cpu" && device["usable"] == true));
    assert!(!survey["reason"].as_str().unwrap().is_empty());
}

#[test]
fn inspect_shows_interactions_and_the_line_of_a_project_file() {
    let here = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/recbole");
    for file in ["tiny.inter", "tiny.item"] {
        fs::copy(fixtures.join(file), here.path().join(file)).unwrap();
    }
    let inspected = json_of(&peso(here.path(), &["inspect", "tiny.inter", "--json"]));
    assert_eq!((&inspected["kind"], &inspected["import"]["format"]), (&json!("interactions"), &json!("RecBole")));
    assert_eq!(inspected["import"]["skipped"]["lines"], json!(3));
    assert_eq!(inspected["prepared"]["steps"][2]["interactions"], json!(64));
    let text = words(&peso(here.path(), &["inspect", "tiny.inter"]).stdout);
    for part in [
        "81 interactions, 14 users, 12 items (12 with a title)",
        "user is user_id:token, item is item_id:token",
        "3 lines were skipped",
        "tiny.inter, line 8: 2 columns, 4 were expected",
        "dataset: RecBole(",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // Looking leaves nothing behind.
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2);
}

#[test]
fn inspect_shows_adapters_tokenizers_checkpoints_gguf_files_and_indices() {
    let here = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let inspect = |path: &str, json: bool| {
        let path = fixtures.join(path);
        let arguments = ["inspect", path.to_str().unwrap(), "--json"];
        peso(here.path(), if json { &arguments } else { &arguments[..2] })
    };
    let json = |path: &str| json_of(&inspect(path, true));
    let text = |path: &str| words(&inspect(path, false).stdout);

    let adapter = json("peft/untied_tokens");
    assert_eq!(adapter["kind"], json!("adapter"));
    assert!(adapter["rank"].as_u64().unwrap() > 0 && adapter["modules"]["q_proj"].as_u64().unwrap() > 0, "{adapter}");
    assert!(adapter["rows"]["embed_tokens"].as_u64().unwrap() > 0, "{adapter}");
    assert!(text("peft/untied_tokens").contains("Token rows: "));
    assert!(!text("peft/untied").contains("Token rows"));

    assert_eq!(json("models/tokenizer.json")["kind"], json!("tokenizer"));
    for (path, format) in [("models/llama", "Hugging Face"), ("models/qwen3.gguf", "GGUF 3")] {
        let model = json(path);
        assert_eq!((&model["kind"], &model["format"]), (&json!("model"), &json!(format)));
        assert!(text(path).contains("layers of width"), "{path}");
    }

    let checkpoint = json("models/llama/model.safetensors");
    assert_eq!(checkpoint["kind"], json!("tensors"));
    assert!(checkpoint["tensors"].as_array().unwrap().len() > 10);
    assert!(text("models/llama/model.safetensors").contains("model.embed_tokens.weight"));

    let index = json("data/tiny_release/Tiny_cl.index.hand.json");
    assert_eq!((&index["kind"], &index["levels"]), (&json!("semantic_ids"), &json!(4)));
    let (items, distinct) = (index["items"].as_u64().unwrap(), index["collisions"]["distinct_ids"].as_u64().unwrap());
    assert!(0 < distinct && distinct <= items, "{index}");
    assert!(text("data/tiny_release/Tiny_cl.index.hand.json").contains("distinct ids"));
    let shards = inspect("models/qwen2/model.safetensors.index.json", false);
    assert_eq!(shards.status.code(), Some(2), "an index of shards is none of semantic ids");
}
