//! A history that somebody types is answered exactly as the same history of a test user was.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use peso_workbench::analysis::recommend::{Question, ask, items_of};
use peso_workbench::data::{Dataset, KnownItems, Protocol};
use peso_workbench::device::DeviceChoice;
use peso_workbench::project::Project;
use peso_workbench::run::observer::CellIndex;
use peso_workbench::run::{RunFolder, RunOptions};
use peso_workbench::train::evaluate::tests;
use serde_json::Value;

const PROJECT: &str = r#"(
    format: 1,
    name: "Asked",
    dataset: Synthetic(users: 70, items: 50, stages: 3, codes: 6, interactions: (9.0, 5.0), arrivals: 0.1),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
    training: (epochs: 1, batch: 16, learning_rate: 0.01, max_history: 6, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 12, k: [1, 5]),
    experiments: [
        (name: "PESO", method: Peso(lambda: 50.0)),
        (name: "LSAT", method: Lsat()),
        (name: "Frozen", method: Frozen),
        (name: "SASRec", method: SasRec(width: 8, layers: 1, heads: 1, inner: 8, batch: 32, epochs: 1)),
        (name: "Towers", method: TwoTower(width: 8, batch: 32, epochs: 1)),
        (name: "Hybrid", method: Hybrid(adapter: "PESO", towers: "Towers")),
    ],
    seeds: [1],
)"#;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn a_test_users_own_history_gives_the_lists_that_the_runs_recorded() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    let trained = peso(folder.path(), &["run", ".", "--device", "cpu"]);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let project = Project::load(folder.path()).unwrap();
    let dataset = Arc::new(Dataset::load(&project.dataset, None, &project.folder).unwrap());
    let runs = RunFolder::list(&project.runs_dir(None));
    assert_eq!(runs.len(), 8, "six experiments and two baselines");
    let options = RunOptions { device: DeviceChoice::Cpu, ..RunOptions::default() };
    let named = |items: &[u32]| items.iter().map(|item| dataset.items[*item as usize].id.clone()).collect::<Vec<_>>();
    for stage in [1, 3] {
        let tests = tests(&dataset, Protocol::SameBlock, stage - 1, project.evaluation.users);
        for (place, test) in tests.iter().enumerate().step_by(tests.len() / 3) {
            let question = Question { user: Some(test.user), history: test.history.to_vec(), stage, new_items: None };
            let report = ask(&dataset, &runs, &question, &options, &mut |_, _| {}).unwrap();
            for (run, answer) in runs.iter().zip(&report.answers) {
                let recorded = |trained| {
                    let at = CellIndex { protocol: Protocol::SameBlock, trained, tested: stage };
                    named(&run.reader().unwrap().user_outcomes(at).unwrap()[place].top)
                };
                let ids = |items: &[peso_workbench::analysis::recommend::ListedItem]| {
                    items.iter().map(|item| item.id.clone()).collect::<Vec<_>>()
                };
                assert_eq!(answer.problem, None, "{}", answer.experiment);
                assert_eq!(answer.items.len(), 10, "{}", answer.experiment);
                assert_eq!(
                    ids(&answer.items),
                    recorded(stage),
                    "{} after stage {stage}, test {place}",
                    answer.experiment
                );
                let before = answer.before.as_deref().map(ids);
                assert_eq!(before, (stage > 1).then(|| recorded(stage - 1)), "{} a stage ago", answer.experiment);
            }
        }
    }

    // The command says the same of a history that is nobody's, and marks what is new.
    let history = named(&[3, 7, 11]).join(",");
    let said =
        peso(folder.path(), &["recommend", ".", "--history", &history, "--stage", "2", "--json", "--device", "cpu"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let question = Question { user: None, history: vec![3, 7, 11], stage: 2, new_items: None };
    let report = ask(&dataset, &runs, &question, &options, &mut |_, _| {}).unwrap();
    assert_eq!(said, serde_json::to_value(&report).unwrap());
    for answer in &report.answers {
        let before = answer.before.as_ref().unwrap();
        let new: Vec<bool> = answer.items.iter().map(|item| answer.is_new(item)).collect();
        let outside: Vec<bool> =
            answer.items.iter().map(|item| !before.iter().any(|other| other.id == item.id)).collect();
        assert_eq!(new, outside);
    }
    let asked = peso(folder.path(), &["recommend", ".", "--history", &history, "--run", "PESO", "--device", "cpu"]);
    let (text, progress) = (String::from_utf8(asked.stdout).unwrap(), String::from_utf8(asked.stderr).unwrap());
    assert!(text.starts_with("After stage 3 · synthetic data\nHistory: "), "{text}");
    assert!(text.contains("PESO, seed 1\n") && !text.contains("Towers"), "{text}");
    assert!(progress.contains("Asking PESO with seed 1 (1 of 1)"), "{progress}");

    // Of new items alone, whatever the method: those that no stage before had.
    let new = KnownItems::brought(&dataset, 2, 2);
    assert!((5..=10).contains(&new.iter().count()), "a tenth of 50 items comes in each later stage");
    let told = Question { stage: 3, new_items: Some(2), ..question.clone() };
    let among = ask(&dataset, &runs, &told, &options, &mut |_, _| {}).unwrap();
    let new: Vec<String> = named(&new.iter().collect::<Vec<_>>());
    for answer in &among.answers {
        assert_eq!(answer.problem, None, "{}", answer.experiment);
        let lists = [Some(&answer.items), answer.before.as_ref()];
        assert!(lists.into_iter().flatten().flatten().all(|item| new.contains(&item.id)), "{}", answer.experiment);
        let counts = ["Popularity", "Co-occurrence"].contains(&answer.experiment.as_str());
        assert!(counts || !answer.items.is_empty(), "{}", answer.experiment);
        if !["SASRec", "Towers"].contains(&answer.experiment.as_str()) {
            continue;
        }
        // These score every item, so that the new ones of the whole list come first here, in its order.
        let whole =
            ask(&dataset, &runs, &Question { new_items: None, ..told.clone() }, &options, &mut |_, _| {}).unwrap();
        let whole = &whole.answers.iter().find(|other| other.run == answer.run).unwrap().items;
        let first: Vec<_> = whole.iter().filter(|item| new.contains(&item.id)).collect();
        assert_eq!(answer.items.iter().take(first.len()).collect::<Vec<_>>(), first, "{}", answer.experiment);
    }
    let arguments = ["recommend", ".", "--history", &history, "--new-items", "2", "--run", "PESO", "--device", "cpu"];
    let text = String::from_utf8(peso(folder.path(), &arguments).stdout).unwrap();
    assert!(text.contains("\nOnly items that stages 2 to 3 brought\n"), "{text}");

    // What was answered is kept, and a figure is made of it; another history was not asked.
    let mut asked = Vec::new();
    let again = ask(&dataset, &runs, &question, &options, &mut |place, _| asked.push(place)).unwrap();
    assert_eq!((again, asked), (report, vec![]), "no run is asked twice");
    let figure = |ids: &[u32]| {
        let mut arguments = vec!["export", ".", "--figure", "history", "--stage", "2", "--to", "history.csv"];
        let ids = named(ids);
        arguments.extend(ids.iter().flat_map(|id| ["--history", id]));
        let written = peso(folder.path(), &arguments);
        (written.status.code(), fs::read_to_string(folder.path().join("history.csv")).unwrap_or_default(), written)
    };
    let (code, csv, _) = figure(&[3, 7, 11]);
    assert_eq!(code, Some(0));
    assert!(csv.contains("Place,PESO") && csv.contains("SASRec") && csv.contains(" (new)"), "{csv}");
    assert_eq!(csv.lines().count(), 11, "{csv}");
    fs::remove_file(folder.path().join("history.csv")).unwrap();
    let (code, csv, written) = figure(&[3, 7]);
    assert!(code != Some(0) || !csv.contains("SASRec"), "{csv} {written:?}");

    let wrong = peso(folder.path(), &["recommend", ".", "--history", "nothing like that"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("no item has the id or the title \"nothing like that\""));
    let wrong = peso(folder.path(), &["recommend", ".", "--history", &history, "--stage", "9"]);
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("there is no stage 9"));
}

#[test]
fn items_are_named_by_their_ids_or_by_a_title_that_only_one_has() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
    let project = Project::load(folder.path()).unwrap();
    let mut dataset = Dataset::load(&project.dataset, None, &project.folder).unwrap();
    let titles = ["Der Fluß", "雪国", "Two", "Two"];
    for (item, title) in dataset.items.iter_mut().zip(titles) {
        item.title = Some(title.to_owned());
    }
    let names = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        items_of(&project, &dataset, &names)
    };
    let id = dataset.items[5].id.as_str();
    assert_eq!(names(&["雪国", id, " Der Fluß", id]).unwrap(), [1, 5, 0, 5]);
    assert_eq!(names(&["雪国, Der Fluß", "雪国"]).unwrap(), [1, 0, 1]);
    dataset.items[2].title = Some("Two, and three".to_owned());
    let names = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        items_of(&project, &dataset, &names)
    };
    assert_eq!(names(&["Two, and three", "雪国"]).unwrap(), [2, 1], "a comma of its own");
    dataset.items[2].title = Some("Two".to_owned());
    let names =
        |names: &[&str]| items_of(&project, &dataset, &names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    assert!(names(&["Two"]).unwrap_err().problem.contains("\"Two\""), "two items have that title");
}
