//! A stage's step taken in part: exact ends, runs of Steered, the command, and the process that the sliders talk to.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;

use peso_workbench::analysis::load;
use peso_workbench::analysis::steer::protocol::{Answer, Order, Request};
use peso_workbench::analysis::steer::{Steering, serve};
use peso_workbench::data::Protocol;
use peso_workbench::device::DeviceChoice;
use peso_workbench::error::InputError;
use peso_workbench::method::steered::Coefficients;
use peso_workbench::model::backend::{OnDevice, TrainingBackend, run_on};
use peso_workbench::model::beam::{Ensemble, Hypothesis};
use peso_workbench::model::weights::PeftAdapter;
use peso_workbench::project::{Project, UsersPerStage};
use peso_workbench::run::RunFolder;
use peso_workbench::run::observer::CellIndex;
use peso_workbench::train::Task;
use peso_workbench::train::base_model::load_base;
use peso_workbench::train::evaluate::tests;
use peso_workbench::train::stage_artifacts::after_stage;
use peso_workbench::train::stage_data::{decoder, writer};
use peso_workbench::train::steering::StageStep;
use serde_json::{Value, json};

const PROJECT: &str = r#"(
    format: 1,
    name: "Steered",
    dataset: Synthetic(users: 90, items: 50, stages: 3, codes: 6, interactions: (9.0, 6.0)),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
    training: (epochs: 1, batch: 16, learning_rate: 0.02, max_history: 6, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 12, k: [1, 5]),
    experiments: [
        (name: "Not at all", method: Steered(of: "PESO", stage: 2, step: 0.0)),
        (name: "PESO", method: Peso(lambda: 50.0)),
        (name: "Single", method: Single),
        (name: "Frozen", method: Frozen),
        (name: "All", method: Steered(of: "PESO", stage: 3, step: 1.0)),
        (name: "Half", method: Steered(of: "PESO", stage: 3, step: 0.5, directions: [(direction: 1, coefficient: 0.0)])),
    ],
    seeds: [1],
)"#;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap()
}

/// The trained project, once for all tests of a process.
fn trained() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("project.ron"), PROJECT).unwrap();
        let trained = peso(folder.path(), &["run", ".", "--device", "cpu"]);
        assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
        folder
    });
    folder.path()
}

fn run(name: &str) -> RunFolder {
    let project = Project::load(trained()).unwrap();
    let runs = RunFolder::list(&project.runs_dir(None));
    runs.into_iter().find(|run| run.config().experiment == name).unwrap()
}

/// The lists of a stage's test users with all their scores: of the run's own model, and of the steered one.
struct Lists<'a> {
    task: &'a Task<'a>,
    run: &'a RunFolder,
    /// The step's stage, how much of it is taken, and the stage after which the model is the same.
    steered: (usize, f64, usize),
}

impl OnDevice for Lists<'_> {
    type Output = Result<[Vec<Vec<Hypothesis>>; 2], InputError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let Self { task, run, steered: (stage, step, same_as) } = self;
        let own = after_stage::<B>(task, run, same_as, device, &mut |_| {})?;
        let mut steered = load_base::<B>(task, run, device, &mut |_| {})?;
        StageStep::read(task, run, stage)?.state(&Coefficients::whole(step)).put_on(&mut steered);
        let tests = tests(&task.dataset, Protocol::SameBlock, stage - 1, UsersPerStage::All);
        let questions: Vec<_> = tests.iter().map(|test| writer(task).question(test.history)).collect();
        let lists = |model| decoder(task).search::<B>(&Ensemble::from(model), &questions);
        Ok([lists(own), lists(steered)])
    }
}

#[test]
fn at_0_and_1_every_score_is_that_of_the_state_before_and_after() {
    let run = run("PESO");
    let task = load(&run, DeviceChoice::Cpu).unwrap();
    let lists = |steered| run_on(&task.device, Lists { task: &task, run: &run, steered }).unwrap();
    for stage in [2, 3] {
        let [before, at_0] = lists((stage, 0.0, stage - 1));
        let [after, at_1] = lists((stage, 1.0, stage));
        // Scores are compared as numbers, without a tolerance.
        assert!(before.len() > 20 && before == at_0 && after == at_1, "stage {stage}");
        let [after, nearly] = lists((stage, 0.999, stage));
        assert!(before != after && after != nearly, "stage {stage} moved, and so does the slider");
    }
}

#[test]
fn runs_of_steered_are_the_others_run_with_one_stage_changed() {
    let outcomes = |name: &str, trained: usize, tested: usize| {
        let at = CellIndex { protocol: Protocol::SameBlock, trained, tested };
        run(name).reader().unwrap().user_outcomes(at).unwrap()
    };
    for tested in 1..=3 {
        assert_eq!(outcomes("Not at all", 2, tested), outcomes("PESO", 1, tested), "no step at all");
        for trained in 0..=3 {
            if trained == 0 && tested == 1 {
                continue;
            }
            assert_eq!(outcomes("All", trained, tested), outcomes("PESO", trained, tested), "the whole step");
        }
        assert_eq!(outcomes("Not at all", 3, tested), outcomes("PESO", 3, tested), "another stage stays");
    }
    assert_ne!(outcomes("Half", 3, 3), outcomes("PESO", 3, 3));
    let rank = |stage| {
        let half = run("Half");
        let task = load(&half, DeviceChoice::Cpu).unwrap();
        PeftAdapter::read(&half.adapter(stage), &task.llama).unwrap().rank
    };
    assert_eq!((rank(2), rank(3)), (2, 5), "both states and a direction");
}

#[test]
fn the_command_says_what_a_run_measured_and_writes_the_adapter() {
    let (peso_run, half) = (run("PESO"), run("Half"));
    let path = peso_run.path().display().to_string();
    let to = trained().join("half-adapter");
    let said = peso(
        trained(),
        &[
            "steer",
            &path,
            "--stage",
            "3",
            "--step",
            "0.5",
            "--direction",
            "1=0",
            "--device",
            "cpu",
            "--json",
            "--users",
        ]
        .into_iter()
        .chain(["100000", "--find-best", "--to", to.to_str().unwrap()])
        .collect::<Vec<_>>(),
    );
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let metric = |run: &RunFolder, trained, name: &str| {
        let cells = run.reader().unwrap().evaluations().unwrap();
        let at = CellIndex { protocol: Protocol::SameBlock, trained, tested: 3 };
        let cell = cells.iter().find(|cell| cell.at == at).unwrap();
        let users = run.reader().unwrap().user_outcomes(at).unwrap();
        assert_eq!(users.len(), cell.users, "{name}");
        users.iter().map(|user| user.whole().hit_corrected(10)).sum::<f64>() / users.len() as f64
    };
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(near(&said["hits"]["hit"], metric(&half, 3, "half")), "{said}");
    assert!(near(&said["ends"]["before"], metric(&peso_run, 2, "before")), "{said}");
    assert!(near(&said["ends"]["after"], metric(&peso_run, 3, "after")), "{said}");
    assert_eq!(said["list"]["items"].as_array().unwrap().len(), 10);
    assert_eq!(said["search"]["tried"].as_array().unwrap().len(), said["search"]["of"].as_u64().unwrap() as usize);
    let merged = said["merged"]["step"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&merged), "{merged}");
    // Before stage 3, Single was elsewhere.
    assert_eq!(said["marks"], json!([]));
    assert!(said["notes"][0].as_str().unwrap().starts_with("Single has no mark"), "{said}");
    let second: Value = {
        let said = peso(trained(), &["steer", &path, "--stage", "2", "--device", "cpu", "--json", "--users", "5"]);
        serde_json::from_slice(&said.stdout).unwrap()
    };
    assert_eq!(second["marks"][0]["name"], "Single", "{second}");
    assert_eq!(second["hits"]["of"], 5);

    let task = load(&peso_run, DeviceChoice::Cpu).unwrap();
    let (written, kept) =
        (PeftAdapter::read(&to, &task.llama).unwrap(), PeftAdapter::read(&half.adapter(3), &task.llama).unwrap());
    assert_eq!((written.adapter, written.scale), (kept.adapter, kept.scale));

    for (arguments, problem) in [
        (["--stage", "1", "--step", "0.5"], "stage 1 has no step that can be taken in part"),
        (["--stage", "2", "--step", "1.7"], "1.7 cannot be used"),
        (["--stage", "2", "--user", "nobody"], "no user \"nobody\" is tested in stage 2"),
        (["--stage", "2", "--direction", "9=1"], "there is no direction 9"),
    ] {
        let refused = peso(trained(), &[&["steer", &path, "--device", "cpu"][..], &arguments].concat());
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && words.contains(problem), "{words}");
    }
}

/// Answers to what is sent: at first `sent`, then what `react` says to each answer.
fn conversation(sent: Vec<Result<Order, String>>, react: impl Fn(&Answer) -> Option<Order>) -> Vec<Answer> {
    let run = run("PESO");
    let task = load(&run, DeviceChoice::Cpu).unwrap();
    let (sender, orders) = mpsc::channel();
    sent.into_iter().for_each(|order| sender.send(order).unwrap());
    let (mut sender, mut heard) = (Some(sender), Vec::new());
    let steering = Steering { task: &task, run: &run, stage: 2, users: 80 };
    serve(steering, &orders, &mut |answer| {
        if let (Some(order), Some(open)) = (react(&answer), &sender) {
            open.send(Ok(order)).unwrap();
        }
        // It hangs up once the last request is answered whole, and the ends are known.
        let whole = |answer: &Answer| matches!(answer, Answer::Hits(hits) if hits.id == 9 && hits.users == hits.of);
        heard.push(answer);
        if heard.iter().any(whole) {
            sender = None;
        }
    })
    .unwrap();
    heard
}

fn steer(id: u64, step: f64) -> Order {
    Order::Steer(Request { id, coefficients: Coefficients::whole(step), user: None })
}

#[test]
fn a_newer_request_takes_the_place_of_the_one_in_work_and_of_those_that_wait() {
    let heard = conversation(vec![Ok(steer(1, 0.1)), Ok(steer(2, 0.2)), Err("not an order".to_owned())], |answer| {
        match answer {
            // In the middle of the second one's sample.
            Answer::Hits(hits) if hits.id == 2 => Some(steer(9, 1.0)),
            _ => None,
        }
    });
    let Answer::Ready(description) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!((description.stage, description.experiment.as_str()), (2, "PESO"));
    assert!(heard.contains(&Answer::Superseded { id: 1 }) && heard.contains(&Answer::Superseded { id: 2 }));
    assert!(heard.contains(&Answer::Failed { id: None, message: "not an order".to_owned() }));
    let of = |wanted: u64| {
        let id = |answer: &&Answer| match answer {
            Answer::List(list) => list.id == wanted,
            Answer::Hits(hits) => hits.id == wanted,
            _ => false,
        };
        heard.iter().filter(id).collect::<Vec<_>>()
    };
    assert_eq!(of(1), Vec::<&Answer>::new(), "it was never begun");
    assert!(matches!(of(2)[..], [Answer::List(_), Answer::Hits(_)]), "{:?}", of(2));
    let last = of(9);
    assert!(matches!(last[0], Answer::List(_)), "the list comes first");
    let users: Vec<usize> = last
        .iter()
        .filter_map(|answer| match answer {
            Answer::Hits(hits) => Some(hits.users),
            _ => None,
        })
        .collect();
    assert!(users.len() > 1 && users.is_sorted() && users.last() == Some(&description.users.len()), "{users:?}");
}

#[test]
fn the_process_answers_bad_lines_and_ends_with_its_input() {
    let path = run("PESO").path().display().to_string();
    let mut server = Command::new(env!("CARGO_BIN_EXE_peso"))
        .args(["steer-server", &path, "--stage", "2", "--device", "cpu", "--users", "6"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = server.stdin.take().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    assert_eq!(lines.next().unwrap()["ready"]["experiment"], "PESO");
    for bad in ["", "{", "[]", r#"{"steer":{"id":1}}"#, r#"{"steer":{"id":-1,"step":0.5}}"#, "\u{0}"] {
        writeln!(input, "{bad}").unwrap();
    }
    writeln!(input, r#"{{"steer":{{"id":4,"step":9.0}}}}"#).unwrap();
    let mut failed = Vec::new();
    while failed.len() < 7 {
        let line = lines.next().unwrap();
        if line.get("failed").is_some() {
            failed.push(line["failed"].clone());
        }
    }
    assert_eq!(failed.iter().filter(|failed| failed["id"].is_null()).count(), 6, "{failed:?}");
    let last = failed.last().unwrap();
    assert!(last["id"] == 4 && last["message"].as_str().unwrap().starts_with("9 cannot be used"), "{last}");
    writeln!(input, r#"{{"steer":{{"id":5,"step":0.5,"directions":[{{"direction":1,"coefficient":0.0}}]}}}}"#).unwrap();
    drop(input);
    let rest: Vec<Value> = lines.collect();
    let hits = rest.iter().rfind(|line| line.get("hits").is_some()).unwrap();
    assert!(hits["hits"]["id"] == 5 && hits["hits"]["users"] == 6, "{hits}");
    assert!(server.wait().unwrap().success());
}
