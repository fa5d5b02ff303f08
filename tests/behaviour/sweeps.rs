//! Sweeps, several workers, estimates: what a project asks for, and what is trained for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use peso_workbench::data::DatasetSource;
use peso_workbench::data::synthetic::Recurring;
use peso_workbench::error::InputError;
use peso_workbench::method::{MethodOptions, Past};
use peso_workbench::project::Project;
use peso_workbench::run::planned::planned;
use peso_workbench::run::{RunConfig, RunMethod, RunSelection};
use serde_json::Value;

/// Small enough for a test, with a base model and one update.
const PROJECT: &str = r#"(
    format: 1,
    name: "Swept",
    dataset: Synthetic(users: 60, items: 40, stages: 2, codes: 6, interactions: (9.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, batch: 16, learning_rate: 0.01, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [5]),
    experiments: [(name: "PESO", method: Peso(lambda: 2.0)), (name: "Sum", method: SumLora())],
    sweeps: [],
    seeds: [1],
)"#;

fn with_sweeps(sweeps: &str) -> String {
    PROJECT.replace("sweeps: []", &format!("sweeps: [{sweeps}]"))
}

fn parse(sweeps: &str) -> Result<Project, InputError> {
    Project::parse(&with_sweeps(sweeps), Path::new("folder/project.ron"))
}

fn names(project: &Project) -> Vec<String> {
    project.variants().unwrap().into_iter().map(|variant| variant.experiment.name).collect()
}

#[test]
fn a_grid_has_every_combination_and_a_list_pairs_of_values() {
    let options = r#"[(option: "lambda", values: [0.5, 2, 8]), (option: "anchor", values: ["Latest", "All"])]"#;
    let project = parse(&format!(r#"(experiment: "PESO", options: {options})"#)).unwrap();
    let expected = [
        "PESO",
        "PESO (lambda 0.5, anchor Latest)",
        "PESO (lambda 0.5, anchor All)",
        // lambda 2 with the latest anchor is PESO itself.
        "PESO (lambda 2, anchor All)",
        "PESO (lambda 8, anchor Latest)",
        "PESO (lambda 8, anchor All)",
        "Sum",
    ];
    assert_eq!(names(&project), expected);
    let swept: Vec<bool> = project.variants().unwrap().iter().map(|variant| variant.swept).collect();
    assert_eq!(swept, [true, true, true, true, true, true, false]);

    let list = r#"(experiment: "Sum", combine: List, options: [
        (option: "past", values: ["All", "Latest"]), (option: "training.learning_rate", values: [0.1, 0.2])])"#;
    let project = parse(list).unwrap();
    let variants = project.variants().unwrap();
    assert_eq!(names(&project)[2], "Sum (past All, training.learning_rate 0.1)");
    assert_eq!(variants.len(), 4);
    let MethodOptions::SumLora(sum) = &variants[2].experiment.method else { panic!("{variants:?}") };
    assert_eq!((sum.past, variants[2].training.learning_rate), (Past::All, 0.1));
    assert_eq!(variants[3].training.learning_rate, 0.2);
    assert_eq!(variants[3].project(&project).training, variants[3].training);
}

#[test]
fn any_field_of_the_training_settings_is_swept() {
    let project = parse(
        r#"(experiment: "PESO", options: [
            (option: "training.epochs", values: [3]),
            (option: "training.later_stage_epochs", values: [2]),
            (option: "training.lora.rank", values: [4]),
            (option: "training.clip", values: [0]),
            (option: "training.schedule", values: ["Constant"])])"#,
    )
    .unwrap();
    let training = &project.variants().unwrap()[1].training;
    assert_eq!((training.epochs, training.later_stage_epochs, training.lora.rank), (3, Some(2), 4));
    assert_eq!((training.clip, format!("{:?}", training.schedule).as_str()), (0.0, "Constant"));
}

#[test]
fn every_experiment_is_swept_over_generated_data_and_each_point_has_an_identity_of_its_own() {
    let project = parse(
        r#"(experiment: "*", options: [
            (option: "dataset.interactions.1", values: [5, 3.2]), (option: "dataset.recurring.share", values: [0.2]),
            (option: "dataset.recurring", values: ["Users"])])"#,
    )
    .unwrap();
    let point = "dataset.interactions.1 3.2, dataset.recurring.share 0.2, dataset.recurring Users";
    assert_eq!(names(&project)[2], format!("PESO ({point})"));
    assert_eq!(names(&project)[5], format!("Sum ({point})"));
    let variants = project.variants().unwrap();
    let DatasetSource::Synthetic(data) = &variants[2].dataset else { panic!("{:?}", variants[2]) };
    assert_eq!((data.interactions, data.recurring), ((9.0, 3.2), Recurring::Users { share: 0.2, every: 3 }));
    assert_eq!(variants[5].dataset, variants[2].dataset);
    assert!(variants[0].is_on_data_of(&project) && !variants[2].is_on_data_of(&project));
    let runs = planned(&project, &RunSelection::default()).unwrap();
    let ids: BTreeSet<String> = runs.iter().map(|run| run.id(&project).unwrap()).collect();
    assert_eq!(ids.len(), 2 + 6, "every point has a run of its own");
    let base = |index: usize| RunConfig::hash_of_base(&variants[index].project(&project)).unwrap();
    assert_ne!(base(0), base(2), "other data, another base model");
    assert_eq!(base(2), base(5), "which methods on the same data share");
}

#[test]
fn data_that_are_not_generated_and_runs_that_are_bound_to_one_dataset_cannot_be_swept() {
    let every =
        |option: &str, values: &str| format!(r#"(experiment: "*", options: [(option: "{option}", values: {values})])"#);
    let said = |text: &str| Project::parse(text, Path::new("folder/project.ron")).unwrap_err().to_string();
    let drift = with_sweeps(&every("dataset.drift", "[0.1]"));
    let real = drift.replace(
        "Synthetic(users: 60, items: 40, stages: 2, codes: 6, interactions: (9.0, 5.0))",
        "PesoRelease(path: \"x\")",
    );
    assert!(said(&real).contains("only generated data have options to vary"), "{}", said(&real));
    let ids = drift.replace("seeds: [1]", "semantic_ids: Train(), seeds: [1]");
    assert!(said(&ids).contains("were made for one dataset"), "{}", said(&ids));
    for (option, values, words) in [
        ("lambda", "[1]", "an option of single methods"),
        ("dataset.recurring.share", "[0.5]", "no such option"),
        ("dataset.choice_noise", "[1.5]", "from 0 to 1"),
        ("dataset.items", "[25]", "generator cannot use this value"),
    ] {
        let said = said(&with_sweeps(&every(option, values)));
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_cannot_be_swept_is_named_with_its_line() {
    let peso = |option: &str| format!(r#"(experiment: "PESO", options: [{option}])"#);
    let cases = [
        r#"(experiment: "Peso", options: [(option: "lambda", values: [1])])"#.to_owned(),
        peso(r#"(option: "lamda", values: [1])"#),
        peso(r#"(option: "lambda", values: [1, -1])"#),
        peso(r#"(option: "lambda", values: [true])"#),
        peso(r#"(option: "lambda", values: [(1, 2)])"#),
        peso(r#"(option: "anchor", values: ["Oldest"])"#),
        peso(r#"(option: "lambda", values: [])"#),
        peso(""),
        peso(r#"(option: "training.rank", values: [4])"#),
        peso(r#"(option: "training.epochs", values: [1.5])"#),
        peso(r#"(option: "training.epochs", values: [0])"#),
        peso(r#"(option: "training.lora", values: [4])"#),
        peso(r#"(option: "training.schedule", values: ["Linear"])"#),
        r#"(experiment: "PESO", combine: List, options: [
            (option: "lambda", values: [1, 3]), (option: "training.epochs", values: [1, 2, 3])])"#
            .to_owned(),
    ];
    let said: Vec<String> = cases.iter().map(|sweep| parse(sweep).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(said.join("\n"));

    let many = |values: usize| (0..values).map(|value| value.to_string()).collect::<Vec<_>>().join(", ");
    let lambda = |values| peso(&format!(r#"(option: "lambda", values: [{}])"#, many(values)));
    assert_eq!(names(&parse(&lambda(500)).unwrap()).len(), 2 + 499, "lambda 2 is PESO itself");
    let error = parse(&lambda(501)).unwrap_err();
    assert!(error.problem.contains("more than 500 points"), "{error}");

    let taken = with_sweeps(&peso(r#"(option: "lambda", values: [1])"#)).replace("\"Sum\"", "\"PESO (lambda 1)\"");
    let error = Project::parse(&taken, Path::new("project.ron")).unwrap_err();
    assert!(error.problem.contains("both a point of a sweep and an experiment"), "{error}");
}

#[test]
fn a_project_without_sweeps_is_written_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("project.ron");
    parse("").unwrap().save(&file).unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains("sweeps"));
    let swept = parse(r#"(experiment: "PESO", options: [(option: "anchor", values: ["All"])])"#).unwrap();
    swept.save(&file).unwrap();
    assert_eq!(Project::load(&file).unwrap().sweeps, swept.sweeps);
}

#[test]
fn settings_at_their_defaults_do_not_count_in_the_hash() {
    let method = |project: &Project| RunMethod::Learned(project.experiments[0].method.clone());
    let hash = |text: &str| {
        let project = Project::parse(text, Path::new("project.ron")).unwrap();
        RunConfig::hash_of(&project, &method(&project)).unwrap()
    };
    let plain = hash(PROJECT);
    let spelled = PROJECT
        .replace("lambda: 2.0", "lambda: 2.0, distance: SoftmaxKl(temperature: 1.0), aggregation: Sum")
        .replace("epochs: 1, batch: 16", "epochs: 1, weight_decay: 0.01, later_stage_epochs: None, batch: 16");
    assert_eq!(hash(&spelled), plain);
    for (from, to) in [
        ("lambda: 2.0", "lambda: 2.5"),
        ("lambda: 2.0", "distance: L2(squared: true, per_element: false)"),
        ("Peso(lambda: 2.0)", "Single"),
        ("Peso(lambda: 2.0)", "Replay()"),
        ("Peso(lambda: 2.0)", "Lwf()"),
        ("batch: 16", "batch: 32"),
        ("rank: 2", "rank: 8"),
        ("users: 60", "users: 800"),
        ("epochs: 1)", "epochs: 8)"),
        ("beams: 5", "beams: 10"),
    ] {
        assert!(PROJECT.contains(from), "{from}");
        assert_ne!(hash(&PROJECT.replace(from, to)), plain, "{to}");
    }
}

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn words(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", words(&output.stderr));
}

fn project(sweeps: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), with_sweeps(sweeps)).unwrap();
    folder
}

/// How many folders of runs there are whose names start so.
fn folders(folder: &Path, start: &str) -> usize {
    let entries = fs::read_dir(folder.join("runs")).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with(start)).count()
}

fn run(folder: &Path, more: &[&str]) -> Output {
    peso(folder, &[&["run", ".", "--device", "cpu"], more].concat())
}

/// `peso results --json` without times and memory.
fn numbers(folder: &Path) -> Value {
    let output = peso(folder, &["results", ".", "--json"]);
    assert_done(&output);
    let mut results: Value = serde_json::from_slice(&output.stdout).unwrap();
    for run in results["runs"].as_array_mut().unwrap() {
        for stage in run["stages"].as_array_mut().unwrap() {
            let stage = stage.as_object_mut().unwrap();
            stage.retain(|name, _| {
                !["train_seconds", "eval_seconds", "peak_memory_bytes", "train_examples_per_s"].contains(&name.as_str())
            });
        }
    }
    results
}

const LAMBDA: &str = r#"(experiment: "PESO", options: [(option: "lambda", values: [0.5, 2, 80])])"#;
const RATE: &str = r#"(experiment: "PESO", options: [(option: "training.learning_rate", values: [0.01, 0.05])])"#;

#[test]
fn what_points_of_a_sweep_share_is_trained_once() {
    let folder = project(&format!("{LAMBDA}, {RATE}"));
    assert_done(&run(folder.path(), &["--sweep", "PESO"]));
    // PESO itself, two more of lambda, one more learning rate; and two baselines.
    assert_eq!(numbers(folder.path())["runs"].as_array().unwrap().len(), 6);
    assert_eq!(folders(folder.path(), "shared-base-"), 1, "no option of a method or of LoRA touches the base model");
    assert_eq!(folders(folder.path(), "shared-stage1-"), 2, "one for each learning rate");
}

#[test]
fn points_on_swept_data_make_their_own_data_and_stand_on_the_map_alone() {
    let drift = r#"(experiment: "*", options: [
        (option: "dataset.drift", values: [0.1, 0.6]), (option: "dataset.seed", values: [7, 8])])"#;
    let folder = project(drift);
    assert_done(&run(folder.path(), &["--workers", "2"]));
    let results = numbers(folder.path());
    let runs = results["runs"].as_array().unwrap();
    let of = |name: &str| runs.iter().find(|run| run["experiment"] == name).unwrap();
    let data = |name: &str| of(name)["data_hash"].as_str().unwrap().to_owned();
    let point = "dataset.drift 0.1, dataset.seed 8";
    assert_eq!(data(&format!("PESO ({point})")), data(&format!("Sum ({point})")));
    let hashes: BTreeSet<String> = runs.iter().map(|run| run["data_hash"].as_str().unwrap().to_owned()).collect();
    assert_eq!(hashes.len(), 4, "one for each point, of which the project's own data are one");
    assert_eq!(folders(folder.path(), "shared-base-"), 4, "methods on the same data share the base model");
    // Runs on other data have other test users: a comparison that took them in would be refused.
    let compared = peso(folder.path(), &["compare", ".", "--baseline", "PESO", "--metric", "ndcg@5"]);
    assert_done(&compared);
    let said = words(&compared.stdout);
    assert!(said.contains("Sum") && !said.contains("dataset.seed 8"), "{said}");
    let table = words(&peso(folder.path(), &["results", "."]).stdout);
    assert!(table.contains("6 finished runs on swept data left out"), "{table}");
    let file = folder.path().join("map.csv");
    let map = ["export", ".", "--figure", "regimes", "--metric", "ndcg@5", "--to", file.to_str().unwrap()];
    assert_done(&peso(folder.path(), &map));
    let map = fs::read_to_string(&file).unwrap();
    assert_eq!(map.lines().count(), 1 + 4, "{map}");
    assert!(
        map.contains(
            "PESO,Sum,same-block,0.1,8,,,,\"Not enough runs; PESO has 1 finished seed, Sum has 1 finished seed"
        ),
        "{map}"
    );
}

#[test]
fn one_point_is_run_by_its_name_and_the_experiment_alone_by_its_own() {
    let folder = project(LAMBDA);
    assert_done(&run(folder.path(), &["--experiment", "PESO (lambda 0.5)"]));
    assert_eq!((folders(folder.path(), "peso-lambda-0-5-s1-"), folders(folder.path(), "peso-")), (1, 1));
    assert_done(&run(folder.path(), &["--experiment", "PESO"]));
    assert_eq!((folders(folder.path(), "peso-s1-"), folders(folder.path(), "peso-")), (1, 2));
    let unknown = run(folder.path(), &["--experiment", "PESO (lambda 7)"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(words(&unknown.stderr).contains("\"PESO (lambda 80)\""), "{}", words(&unknown.stderr));
    let none = run(folder.path(), &["--sweep", "Sum"]);
    assert_eq!(none.status.code(), Some(2), "{}", words(&none.stderr));
    let compared = peso(folder.path(), &["compare", ".", "--baseline", "PESO", "--metric", "ndcg@5"]);
    assert_done(&compared);
    assert!(words(&compared.stdout).contains("PESO (lambda 0.5)"), "{}", words(&compared.stdout));
}

#[test]
fn several_workers_get_the_numbers_of_one_and_a_failure_stops_no_other() {
    let sweep = r#"(experiment: "PESO", options: [(option: "training.learning_rate", values: [1e6, 0.02])])"#;
    let (one, three) = (project(sweep), project(sweep));
    let outputs = [run(one.path(), &[]), run(three.path(), &["--workers", "3"])];
    for output in &outputs {
        let said = words(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("error: ") && said.contains(" became "), "{said}");
        assert!(output.stdout.is_empty());
    }
    let expected = numbers(one.path());
    assert_eq!(numbers(three.path()), expected);
    let finished = expected["runs"].as_array().unwrap().iter().filter(|run| run["status"] == "finished").count();
    assert_eq!(finished, 5, "PESO, Sum, one point and two baselines: {expected}");
    assert_eq!(folders(three.path(), "shared-base-"), 1);
    assert_eq!(folders(three.path(), "shared-stage1-"), 3);
}

#[test]
fn workers_that_are_interrupted_save_their_state_and_are_resumed() {
    let (whole, cut) = (project(LAMBDA), project(LAMBDA));
    assert_done(&run(whole.path(), &[]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(["run", ".", "--device", "cpu", "--workers", "2"]).current_dir(cut.path());
    let mut workers = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !cut.path().join("runs").is_dir() || folders(cut.path(), "shared-stage1-") == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was begun");
        assert!(workers.try_wait().unwrap().is_none(), "the workers ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &workers.id().to_string()]).status().unwrap().success());
    let output = workers.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", words(&output.stderr));
    let status: Value = serde_json::from_slice(&peso(cut.path(), &["status", ".", "--json"]).stdout).unwrap();
    let states: Vec<&str> = status["runs"].as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert!(states.contains(&"stopped") && !states.contains(&"running"), "{states:?}");
    assert_done(&run(cut.path(), &["--workers", "2"]));
    assert_eq!(numbers(cut.path()), numbers(whole.path()));
}

#[test]
fn a_project_that_cannot_be_loaded_ends_every_worker_with_2() {
    let folder = project("");
    let missing = PROJECT.replace(
        "Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1)",
        "HuggingFace(\"nowhere\")",
    );
    fs::write(folder.path().join("project.ron"), missing).unwrap();
    let output = run(folder.path(), &["--workers", "2"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(words(&output.stderr).matches("error:").count(), 1, "{}", words(&output.stderr));
    for wrong in ["0", "many"] {
        assert_eq!(run(folder.path(), &["--workers", wrong]).status.code(), Some(2), "{wrong}");
    }
}

fn dry_run(folder: &Path) -> Value {
    let output = run(folder, &["--dry-run", "--json"]);
    assert_done(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_dry_run_lists_what_is_done_and_what_is_left_and_starts_nothing() {
    let folder = project(LAMBDA);
    let before = dry_run(folder.path());
    assert!(!folder.path().join("runs").exists());
    let runs = before["runs"].as_array().unwrap();
    let names: Vec<&str> = runs.iter().map(|run| run["experiment"].as_str().unwrap()).collect();
    let expected = ["Popularity", "Co-occurrence", "PESO", "PESO (lambda 0.5)", "PESO (lambda 80)", "Sum"];
    assert_eq!(names, expected);
    let seconds = |run: &Value| run["seconds"].as_f64().unwrap_or(0.0);
    assert!(seconds(&runs[2]) > 1.5 * seconds(&runs[3]), "the first run also makes what the others share: {before}");
    let sum: f64 = runs.iter().map(seconds).sum();
    assert!((before["seconds"].as_f64().unwrap() - sum).abs() < 1e-9);
    assert!(runs[2]["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(runs[2]["basis"], "warm_up");
    assert!(before["workers"].as_u64().unwrap() >= 1 && before.get("memory_free_bytes").is_some(), "{before}");

    // A run alone, by its id, has what it shares counted with it.
    let id = runs[4]["run"].as_str().unwrap();
    let alone = run(folder.path(), &["--dry-run", "--json", "--run", id]);
    assert_done(&alone);
    let alone: Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(alone["runs"].as_array().unwrap().len(), 1);
    assert_eq!(alone["runs"][0]["experiment"], "PESO (lambda 80)");
    assert!(seconds(&alone["runs"][0]) > seconds(&runs[4]), "{alone} {before}");
    let unknown = run(folder.path(), &["--run", "peso-s9-00000000"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(words(&unknown.stderr).contains("asks for no run \"peso-s9-00000000\""), "{}", words(&unknown.stderr));

    assert_done(&run(folder.path(), &["--experiment", "PESO"]));
    let after = dry_run(folder.path());
    let runs = after["runs"].as_array().unwrap();
    assert_eq!((&runs[2]["status"], seconds(&runs[2])), (&"finished".into(), 0.0));
    assert_eq!((&runs[3]["basis"], &runs[5]["basis"]), (&"finished_runs".into(), &"warm_up".into()));
    assert!(seconds(&runs[3]) > 0.0);
    let text = words(&run(folder.path(), &["--dry-run"]).stdout);
    assert!(text.contains("One after another on cpu") && text.contains("finished runs"), "{text}");
}

#[test]
#[ignore = "times depend on what else the machine does; alone: `cargo nextest run --test behaviour --run-ignored only estimates`"]
fn estimates_are_within_a_factor_of_the_time_taken() {
    let text = with_sweeps("").replace("users: 60, items: 40", "users: 600, items: 200").replace(
        "(name: \"Sum\", method: SumLora())",
        "(name: \"EWC\", method: Ewc()), (name: \"LwF\", method: Lwf()), (name: \"Retrain\", method: Retrain),
         (name: \"LSAT\", method: Lsat()), (name: \"Replay\", method: Replay(examples: 500))",
    );
    let folder = project("");
    fs::write(folder.path().join("project.ron"), text.replace("width: 16, layers: 1", "width: 64, layers: 2")).unwrap();
    let expected = dry_run(folder.path());
    for run_expected in &expected["runs"].as_array().unwrap()[2..] {
        let name = run_expected["experiment"].as_str().unwrap();
        let began = Instant::now();
        assert_done(&run(folder.path(), &["--experiment", name]));
        let (taken, seconds) = (began.elapsed().as_secs_f64(), run_expected["seconds"].as_f64().unwrap());
        println!("{name}: {seconds:.2} s expected, {taken:.2} s taken");
        assert!(seconds < 1.5 * taken && taken < 1.5 * seconds + 1.0, "{name}: {seconds} s expected, {taken} s taken");
    }
}

#[test]
fn methods_are_listed_with_their_options() {
    let here = tempfile::tempdir().unwrap();
    let output = peso(here.path(), &["methods", "--json"]);
    assert_done(&output);
    let methods: Value = serde_json::from_slice(&output.stdout).unwrap();
    let methods = methods.as_array().unwrap();
    assert_eq!(methods.len(), MethodOptions::all().len());
    let of = |key: &str| methods.iter().find(|method| method["key"] == key).unwrap();
    let lambda = &of("peso")["options"][0];
    assert_eq!((&lambda["option"], &lambda["default"]), (&"lambda".into(), &2.0.into()));
    assert_eq!(lambda["values"]["number"][0], 0.0);
    assert_eq!(of("frozen")["options"], Value::Array(Vec::new()));
    let text = words(&peso(here.path(), &["methods"]).stdout);
    for method in methods {
        for part in ["name", "sentence", "formula", "source"] {
            assert!(text.contains(method[part].as_str().unwrap()), "{part} of {method}");
        }
    }
    assert!(text.contains("anchor: Latest (Latest, All, Ema)"), "{text}");
}
