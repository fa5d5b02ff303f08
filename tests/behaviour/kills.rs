//! Workers that are killed at random moments, over all that a worker does: import, training of ids, training, evaluation,
//! checkpoints, figures, packing. After each the project opens and every run can be read, and what comes out in the end is what
//! comes out undisturbed. Then the same where several are at work.
//!
//! A few kills are done in every run. For many, and for eight workers for half an hour, which takes long:
//! `PESO_KILLS=500 cargo nextest run --release --test behaviour kills --no-capture`
//! `PESO_SIEGE=1800 cargo nextest run --release --test behaviour kills::several --no-capture`

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use peso_workbench::pack;
use peso_workbench::project::Project;
use peso_workbench::run::{RunFolder, RunReader, Status};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::semantic_ids;
use crate::training::without_times;

/// Kills unless the environment says more.
const FEW: usize = 20;

const PROJECT: &str = r#"(
    format: 1,
    name: "Killed",
    dataset: RecBole(path: "data", prepare: (core: 1, stages: Fractions(base: 0.6, later: 2))),
    semantic_ids: Train(method: RqVae(epochs: 40), source: Words(32), levels: 3),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 4),
    training: (epochs: 4, batch: 4, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [
        (name: "PESO", method: Peso(lambda: Validated([1.0, 4.0]))),
        (name: "Towers", method: TwoTower()),
        (name: "LSAT", method: Lsat()),
    ],
    seeds: [1],
)"#;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What a user does with a project, command after command, and how often each is killed at most before it comes to its end.
const WORK: [(&[&str], usize); 4] = [
    (&["semantic-ids", ".", "--device", "cpu", "--checkpoint-every", "0"], 2),
    (&["run", ".", "--device", "cpu", "--checkpoint-every", "0"], 6),
    (&["export", ".", "--figure", "all", "--to", "../figures.svg"], 2),
    (&["pack", ".", "--to", "../packed.zip"], 2),
];

fn numbers(folder: &Path) -> Value {
    let output = command(folder, &["results", ".", "--json"]).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success());
    let mut results = serde_json::from_slice(&output.stdout).unwrap();
    without_times(&mut results);
    results
}

/// Opens the project and reads all its runs, as the window does.
fn read_all(folder: &Path) -> Vec<(RunReader, Status)> {
    let project = Project::load(folder).unwrap();
    let (runs, unreadable) = RunFolder::list_all(&project.runs_dir(None));
    assert!(unreadable.is_empty(), "{unreadable:?}");
    let read = |run: RunFolder| {
        let reader = run.reader().unwrap();
        reader.steps_after(0).unwrap();
        for cell in reader.evaluations().unwrap() {
            assert_eq!(reader.evaluation(&cell).unwrap().users.len(), cell.users);
        }
        let status = reader.status().unwrap();
        (reader, status)
    };
    runs.into_iter().map(read).collect()
}

/// Figures that were written; each is whole. What was being written has a hidden name.
fn figures(folder: &Path) -> usize {
    let beside = fs::read_dir(folder.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "svg") && !name(path).starts_with('.');
    let figures: Vec<_> = beside.filter(named).collect();
    for figure in &figures {
        let text = fs::read_to_string(figure).unwrap();
        assert!(text.trim_end().ends_with("</svg>"), "{}", figure.display());
    }
    figures.len()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Opens the project and reads all its runs; where the work was, in words.
fn look(folder: &Path) -> String {
    let mut at = "import or ids".to_owned();
    for (reader, status) in read_all(folder) {
        assert!(matches!(status, Status::Queued | Status::Stopped | Status::Finished), "nobody trains: {status:?}");
        if status == Status::Stopped {
            let progress = reader.progress().unwrap();
            at = progress.map_or("start of a run".to_owned(), |progress| format!("{:?}", progress.phase));
        } else if at == "import or ids" {
            at = "between runs".to_owned();
        }
    }
    if figures(folder) > 0 {
        at = "export".to_owned();
    }
    if folder.with_file_name("packed.zip").exists() {
        at = "pack".to_owned();
        let to = folder.with_file_name("unpacked");
        pack::unpack(&folder.with_file_name("packed.zip"), &to, &mut |_| ControlFlow::Continue(())).unwrap();
        fs::remove_dir_all(to).unwrap();
    }
    at
}

/// Removes the files that work leaves beside a project.
fn clear(folder: &Path) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn whenever_a_worker_is_killed_nothing_is_lost_and_the_numbers_are_the_same() {
    let kills = std::env::var("PESO_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let outside = tempfile::tempdir().unwrap();
    let sound = outside.path().join("sound");
    semantic_ids::put(PROJECT, &sound);
    let took: Vec<Duration> = WORK
        .iter()
        .map(|(arguments, _)| {
            let began = Instant::now();
            assert!(command(&sound, arguments).status().unwrap().success(), "{arguments:?}");
            began.elapsed()
        })
        .collect();
    clear(outside.path());
    let expected = numbers(&sound);
    assert_eq!(expected["runs"].as_array().unwrap().len(), 5, "{expected}");

    let mut random = ChaCha8Rng::seed_from_u64(20);
    let (mut killed, mut whole) = (BTreeMap::<String, usize>::new(), 0);
    let folder = outside.path().join("killed");
    let count = |killed: &BTreeMap<String, usize>| killed.values().sum::<usize>();
    while count(&killed) < kills {
        semantic_ids::put(PROJECT, &folder);
        for ((arguments, most), took) in WORK.iter().zip(&took) {
            let enough = kills.min(count(&killed) + most);
            loop {
                let mut worker = command(&folder, arguments).spawn().unwrap();
                if count(&killed) < enough {
                    std::thread::sleep(took.mul_f64(random.random_range(0.0..0.7)));
                    if worker.try_wait().unwrap().is_none() {
                        worker.kill().unwrap();
                        worker.wait().unwrap();
                        *killed.entry(format!("{}: {}", arguments[0], look(&folder))).or_default() += 1;
                        continue;
                    }
                }
                assert!(worker.wait().unwrap().success(), "{arguments:?} after {killed:?}");
                break;
            }
        }
        look(&folder);
        assert_eq!(numbers(&folder), expected, "{killed:?}");
        whole += 1;
        fs::remove_dir_all(&folder).unwrap();
        assert!(figures(&folder) > 5);
        clear(outside.path());
    }
    println!("{} kills, {whole} times to the end: {killed:#?}", count(&killed));
}

/// Adapters, a method of its own and a hybrid of two runs.
const SHARED: &str = r#"(
    format: 1,
    name: "Shared",
    dataset: Synthetic(users: 60, items: 40, stages: 2, codes: 6, interactions: (6.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
    training: (epochs: 2, batch: 8, lora: (rank: 2)),
    evaluation: (beams: 5, k: [5]),
    experiments: [
        (name: "Frozen", method: Frozen),
        (name: "Single", method: Single),
        (name: "PESO", method: Peso(lambda: 2.0)),
        (name: "Towers", method: TwoTower()),
        (name: "Both", method: Hybrid(adapter: "Single", towers: "Towers")),
    ],
    seeds: [SEEDS],
)"#;

/// Workers of one project, any of which can be killed.
struct Team<'a> {
    folder: &'a Path,
    workers: Vec<Child>,
}

impl<'a> Team<'a> {
    fn begin(folder: &'a Path) -> Child {
        command(folder, &["run", ".", "--device", "cpu", "--checkpoint-every", "0"]).spawn().unwrap()
    }

    fn new(folder: &'a Path, size: usize) -> Self {
        Self { folder, workers: (0..size).map(|_| Self::begin(folder)).collect() }
    }

    fn kill(&mut self, number: usize) {
        self.workers[number].kill().unwrap();
        self.workers[number].wait().unwrap();
        self.workers[number] = Self::begin(self.folder);
    }

    /// Puts new workers in the place of those that have come to their end.
    fn renew(&mut self) {
        for worker in &mut self.workers {
            if let Some(status) = worker.try_wait().unwrap() {
                // 1: others had runs that this one would have trained, or that a hybrid is made of.
                assert!(matches!(status.code(), Some(0 | 1)), "{status:?}");
                *worker = Self::begin(self.folder);
            }
        }
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

#[test]
fn several_that_are_killed_at_random_come_to_the_numbers_of_one() {
    let siege = std::env::var("PESO_SIEGE").ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let (size, seeds, kills) = if siege.is_some() { (8, "1, 2, 3, 4, 5, 6", 60) } else { (3, "1", 6) };
    let outside = tempfile::tempdir().unwrap();
    let [alone, shared] = ["alone", "shared"].map(|name| outside.path().join(name));
    let text = SHARED.replace("SEEDS", seeds);
    let make = |folder: &Path| {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("project.ron"), &text).unwrap();
    };
    make(&alone);
    assert!(command(&alone, &["run", ".", "--device", "cpu"]).status().unwrap().success());
    let expected = numbers(&alone);
    let runs = read_all(&alone).len();

    let (began, mut random) = (Instant::now(), ChaCha8Rng::seed_from_u64(20));
    let (mut killed, mut rounds) = (0, 0);
    while rounds == 0 || siege.is_some_and(|long| began.elapsed() < long) {
        make(&shared);
        let mut team = Team::new(&shared, size);
        let (round, mut left) = (Instant::now(), kills);
        loop {
            let all = read_all(&shared);
            if all.len() == runs && all.iter().all(|(_, status)| *status == Status::Finished) {
                break;
            }
            assert!(
                round.elapsed() < Duration::from_secs(500),
                "{:?}",
                all.iter().map(|run| run.1).collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_secs_f64(random.random_range(0.0..0.4)));
            if left > 0 {
                team.kill(random.random_range(0..size));
                (left, killed) = (left - 1, killed + 1);
            }
            team.renew();
        }
        drop(team);
        assert_eq!(numbers(&shared), expected, "after {killed} kills");
        rounds += 1;
        fs::remove_dir_all(&shared).unwrap();
    }
    println!("{size} workers, {killed} kills, {rounds} times to the end, {runs} runs each");
}
