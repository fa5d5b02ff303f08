//! Workers that are killed at random moments, over all that a worker does: import, training of ids, training, evaluation,
//! checkpoints, packing. After each the project opens and every run can be read, and what comes out in the end is what comes
//! out undisturbed.
//!
//! A few kills are done in every run. For many, which takes long:
//! `PESO_KILLS=500 cargo nextest run --release --test behaviour kills --no-capture`

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use peso_workbench::pack;
use peso_workbench::project::Project;
use peso_workbench::run::{RunFolder, Status};
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
const WORK: [(&[&str], usize); 3] = [
    (&["semantic-ids", ".", "--device", "cpu", "--checkpoint-every", "0"], 2),
    (&["run", ".", "--device", "cpu", "--checkpoint-every", "0"], 6),
    (&["pack", ".", "--to", "../packed.zip"], 2),
];

fn numbers(folder: &Path) -> Value {
    let output = command(folder, &["results", ".", "--json"]).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success());
    let mut results = serde_json::from_slice(&output.stdout).unwrap();
    without_times(&mut results);
    results
}

/// Opens the project and reads all its runs, as the window does; where the work was, in words.
fn look(folder: &Path) -> String {
    let project = Project::load(folder).unwrap();
    let (runs, unreadable) = RunFolder::list_all(&project.runs_dir(None));
    assert!(unreadable.is_empty(), "{unreadable:?}");
    let mut at = "import or ids".to_owned();
    for run in runs {
        let reader = run.reader().unwrap();
        let status = reader.status().unwrap();
        assert!(matches!(status, Status::Queued | Status::Stopped | Status::Finished), "nobody trains: {status:?}");
        reader.steps_after(0).unwrap();
        for cell in reader.evaluations().unwrap() {
            assert_eq!(reader.evaluation(&cell).unwrap().users.len(), cell.users);
        }
        if status == Status::Stopped {
            let progress = reader.progress().unwrap();
            at = progress.map_or("start of a run".to_owned(), |progress| format!("{:?}", progress.phase));
        } else if at == "import or ids" {
            at = "between runs".to_owned();
        }
    }
    if folder.with_file_name("packed.zip").exists() {
        at = "pack".to_owned();
        let to = folder.with_file_name("unpacked");
        pack::unpack(&folder.with_file_name("packed.zip"), &to, &mut |_| ControlFlow::Continue(())).unwrap();
        fs::remove_dir_all(to).unwrap();
    }
    at
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
    fs::remove_file(sound.with_file_name("packed.zip")).unwrap();
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
        fs::remove_file(folder.with_file_name("packed.zip")).unwrap();
    }
    println!("{} kills, {whole} times to the end: {killed:#?}", count(&killed));
}
