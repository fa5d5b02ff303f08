//! The project file: what it accepts, and what it says of what it does not.

use std::fs;
use std::path::Path;

use peso_workbench::error::InputError;
use peso_workbench::method::{Distance, MethodOptions, Peso};
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;

const SMALL: &str = r#"(
    format: 1,
    name: "small", // a comment with field: 3
    dataset: Synthetic(users: 50),
    base_model: Compact(
        width: 32,
        heads: 4,
    ),
    training: (dropout: 0.0, lora: (rank: 2)),
    experiments: [
        (name: "A", method: Single),
        (name: "B", method: Peso(lambda: 1.5)),
    ],
)"#;

fn parse(text: &str) -> Result<Project, InputError> {
    Project::parse(text, Path::new("folder/project.ron"))
}

/// The error of the small project with one text replaced.
fn error_with(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from} is not in the project");
    parse(&SMALL.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn shipped_projects_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects");
    let demo = Project::load(&folder.join("demo")).unwrap();
    assert_eq!(demo, Project::load(&folder.join("demo/project.ron")).unwrap());
    assert_eq!(demo.experiments.len(), 4);
    assert_eq!(demo.runs_dir(None), folder.join("demo/runs"));
    for file in ["video_games.ron", "movielens.ron", "movielens_text.ron", "amazon_2023.ron"] {
        Project::load(&folder.join(file)).unwrap();
    }
}

/// The settings behind the published tables, which take longer than what one starts from.
#[test]
fn projects_of_the_results_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results/projects");
    let files: Vec<_> = glob::glob(&format!("{}/**/*.ron", folder.display())).unwrap().flatten().collect();
    assert_eq!(files.len(), 6);
    for file in files {
        Project::load(&file).unwrap();
    }
}

#[test]
fn a_saved_project_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("project.ron");
    for text in [DEMO, SMALL] {
        let mut project = parse(text).unwrap();
        project.save(&file).unwrap();
        let again = Project::load(folder.path()).unwrap();
        project.folder = folder.path().to_path_buf();
        assert_eq!(again, project);
    }
}

#[test]
fn options_of_a_choice_may_stand_in_one_pair_of_brackets_or_two() {
    let two = SMALL
        .replace("Synthetic(users: 50)", "Synthetic((users: 50))")
        .replace("Compact(\n        width: 32,\n        heads: 4,\n    )", "Compact((width: 32, heads: 4))")
        .replace("Peso(lambda: 1.5)", "Peso((lambda: 1.5))");
    assert_eq!(parse(&two).unwrap(), parse(SMALL).unwrap());
}

#[test]
fn an_option_may_stand_bare_or_as_some() {
    let with = |text: &str| parse(&SMALL.replace("dropout: 0.0", text)).unwrap().training;
    assert_eq!(with("later_stage_epochs: 8"), with("later_stage_epochs: Some(8)"));
    let training = with("epochs: 1, later_stage_epochs: 8");
    assert_eq!([training.epochs_of(0), training.epochs_of(1)], [1, 8]);
    assert_eq!(with("epochs: 3").epochs_of(4), 3, "none means as many as in stage 1");
}

#[test]
fn defaults_are_the_papers() {
    let project = parse(SMALL).unwrap();
    assert_eq!(project.seeds, [42]);
    assert_eq!(project.training.learning_rate, 2e-4);
    assert_eq!(project.training.lora.alpha, 16.0);
    let peso = Peso { lambda: 1.5.into(), distance: Distance::SoftmaxKl { temperature: 1.0 }, ..Peso::default() };
    assert_eq!(project.experiments[1].method, MethodOptions::Peso(peso));
}

#[test]
fn errors_name_the_field_the_line_and_what_was_expected() {
    let cases = [
        ("lambda: 1.5", "lamda: 1.5"),
        ("dropout", "droput"),
        ("name: \"small\",", "name: \"small\", colour: 3,"),
        ("rank: 2", "rank: two"),
        ("rank: 2", "rank: -2"),
        ("width: 32", "width: \"32\""),
        ("method: Single", "method: Double"),
        ("    format: 1,\n", ""),
        ("format: 1", "format: 2, later: true"),
        ("users: 50", "users: 50, users: 60"),
        ("],\n)", "]"),
    ];
    let said: Vec<String> = cases.iter().map(|(from, to)| format!("{to:?}: {}", error_with(from, to))).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn values_that_cannot_be_used_are_named_with_their_line() {
    let cases = [
        ("width: 32", "width: 30"),
        ("heads: 4", "heads: 32"),
        ("heads: 4", "heads: 4, kv_heads: 3"),
        ("heads: 4", "heads: 0"),
        ("dropout: 0.0", "dropout: 1.0"),
        ("dropout: 0.0", "temperature: 0.0"),
        ("dropout: 0.0", "learning_rate: inf"),
        ("dropout: 0.0", "later_stage_epochs: 0"),
        ("heads: 4", "heads: 4, dropout: 1.5"),
        ("rank: 2", "rank: 0"),
        ("lambda: 1.5", "lambda: NaN"),
        ("name: \"B\"", "name: \"A\""),
        ("name: \"B\"", "name: \"a!\""),
        ("name: \"B\"", "name: \" \""),
        ("users: 50", "arrivals: 2.0"),
        ("users: 50", "users: 50, onset: Abrupt(9)"),
        ("users: 50", "users: 50, popularity_skew: 7.0"),
        ("training:", "semantic_ids: Train(source: Text()), training:"),
        ("training:", "semantic_ids: Train(source: Concat([])), training:"),
        ("training:", "evaluation: (beams: 0), training:"),
        ("training:", "evaluation: (k: []), training:"),
        ("training:", "evaluation: (k: [30]), training:"),
        ("training:", "evaluation: (users: Sample(0)), training:"),
        ("training:", "seeds: [], training:"),
        ("training:", "seeds: [1, 2, 1], training:"),
        ("name: \"small\"", "name: \"\""),
    ];
    let said: Vec<String> = cases.iter().map(|(from, to)| format!("{to:?}: {}", error_with(from, to))).collect();
    insta::assert_snapshot!(said.join("\n"));
    let none =
        SMALL.replace("(name: \"A\", method: Single),", "").replace("(name: \"B\", method: Peso(lambda: 1.5)),", "");
    assert!(parse(&none).unwrap_err().problem.contains("empty"));
}

#[test]
fn files_that_are_no_project_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Project::load(&folder.path().join("nowhere.ron")).unwrap_err();
    assert!(missing.to_string().contains("no such project"), "{missing}");
    let empty = Project::load(folder.path()).unwrap_err();
    assert!(empty.path.ends_with("project.ron"));
    let file = folder.path().join("project.ron");
    fs::write(&file, b"(format: 1, name: \"\xff\")").unwrap();
    assert_eq!(Project::load(&file).unwrap_err().place.as_deref(), Some("byte 19"));
    fs::write(&file, "(".repeat(100_000)).unwrap();
    Project::load(&file).unwrap_err();
}

#[test]
fn a_failed_save_keeps_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let project = parse(SMALL).unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "kept").unwrap();
    let error = project.save(&blocked.join("project.ron")).unwrap_err();
    assert!(error.advice.is_some());
    assert_eq!(fs::read_to_string(&blocked).unwrap(), "kept");
}
