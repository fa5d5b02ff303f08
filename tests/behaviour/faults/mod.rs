//! Whole work of a project, from the import to a packed zip, on disks that fail: whichever operation it is, the error says
//! which file and why, no file is there in part, and whoever starts again gets the numbers of an undisturbed run.
//!
//! A few operations are tried in every run. For all of them, which takes long:
//! `PESO_FAULTS=1 cargo nextest run --release --test behaviour faults --no-capture`, where 1 is the stride.

mod disk;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use peso_workbench::data::Protocol;
use peso_workbench::data::formats::Progress as Imported;
use peso_workbench::device::DeviceChoice;
use peso_workbench::files;
use peso_workbench::id_training::observer::Step;
use peso_workbench::pack;
use peso_workbench::pack::contents::{Contents, PackOptions};
use peso_workbench::project::Project;
use peso_workbench::results::{Results, tensorboard};
use peso_workbench::run::observer::{Level, Progress};
use peso_workbench::run::{RunConfig, RunFolder, RunOptions, RunSelection, Status};
use peso_workbench::train::recorder;
use peso_workbench::train::semantic_ids as ids;
use peso_workbench::train::worker;
use serde_json::Value;

use self::disk::{EACCES, EIO, ENOSPC, Fault, Lost, Told, with_fault};
use crate::semantic_ids;
use crate::training::without_times;

/// Everything that writes: imported data with their cache, an autoencoder for ids, a base model, a weight chosen among
/// candidates, a baseline that learns.
const PROJECT: &str = r#"(
    format: 1,
    name: "Faults",
    dataset: RecBole(path: "data", prepare: (core: 1, stages: Fractions(base: 0.6, later: 1))),
    semantic_ids: Train(method: RqVae(epochs: 2), source: Words(8), levels: 2, codes: Some(4)),
    base_model: Compact(width: 8, layers: 1, heads: 2, kv_heads: 1, ffn: 16, epochs: 1),
    training: (epochs: 1, batch: 16, lora: (rank: 1, alpha: 2.0)),
    evaluation: (beams: 3, k: [3]),
    experiments: [(name: "PESO", method: Peso(lambda: Validated([1.0, 4.0])))],
    seeds: [1],
)"#;

struct Quiet;

impl recorder::Watcher for Quiet {
    fn run_started(&mut self, _number: usize, _of: usize, _config: &RunConfig) {}
    fn progress(&mut self, _progress: &Progress) {}
    fn event(&mut self, _level: Level, _text: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
}

impl ids::Watcher for Quiet {
    fn reading(&mut self, _progress: Imported) {}
    fn waiting(&mut self) {}
    fn step(&mut self, _step: &Step) {}
    fn interrupted(&mut self) -> bool {
        false
    }
}

/// Does all there is to do in a project; the first error in words.
fn work(folder: &Path) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let project = Project::load(folder).map_err(|error| words(&error))?;
    let making = ids::Making { device: DeviceChoice::Cpu, checkpoint_every: Duration::ZERO, ..ids::Making::default() };
    project.ensure_semantic_ids(making, &mut Quiet).map_err(|error| words(&error))?;
    let options = RunOptions { device: DeviceChoice::Cpu, checkpoint_every: Duration::ZERO, ..RunOptions::default() };
    let outcomes = worker::run(&project, &RunSelection::default(), &options, &mut Quiet);
    for outcome in outcomes.map_err(|error| words(&error))? {
        if outcome.status != Status::Finished {
            return Err(outcome.reason.unwrap_or_default());
        }
    }
    for run in RunFolder::list(&project.runs_dir(None)) {
        tensorboard::write_events(&run, &folder.join("events")).map_err(|error| words(&error))?;
    }
    let contents = Contents::whole(folder, PackOptions::default()).map_err(|error| words(&error))?;
    let packed = pack::pack(&contents, &folder.join("project.zip"), &mut |_| ControlFlow::Continue(()));
    packed.map(drop).map_err(|error| format!("{error:?}"))
}

/// What was measured.
fn numbers(folder: &Path) -> Value {
    let project = Project::load(folder).unwrap();
    let (results, unreadable) = Results::read(&project, &project.runs_dir(None), Protocol::SameBlock);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    let mut results = serde_json::to_value(results).unwrap();
    without_times(&mut results);
    results
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// Whether a file, or a folder on the way to it, has not got its name yet.
fn is_temporary(path: &Path) -> bool {
    let hidden = |name: &str| name.starts_with('.') && name.ends_with(".tmp");
    path.iter().any(|part| hidden(&part.to_string_lossy()))
}

/// Reads every file that has its name, each as what it is.
fn assert_whole(folder: &Path, of: &str) {
    let mut found = Vec::new();
    files_below(folder, &mut found);
    for path in found.iter().filter(|path| !is_temporary(path)) {
        let shown = path.display();
        let bytes = fs::read(path).unwrap();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("safetensors") => {
                safetensors::SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{of}: {shown}: {error}"));
            }
            Some("json") => {
                serde_json::from_slice::<Value>(&bytes).unwrap_or_else(|error| panic!("{of}: {shown}: {error}"));
            }
            Some("sqlite") => {
                let database = rusqlite::Connection::open(path).unwrap();
                let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                assert_eq!(said, "ok", "{of}: {shown}");
            }
            Some("zip") => {
                let to = folder.parent().unwrap().join("unpacked");
                pack::unpack(path, &to, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|_| panic!("{of}: {shown}"));
                fs::remove_dir_all(to).unwrap();
            }
            _ => {}
        }
    }
    let project = Project::load(folder).unwrap_or_else(|error| panic!("{of}: {error}"));
    let (runs, unreadable) = RunFolder::list_all(&project.runs_dir(None));
    assert!(unreadable.is_empty(), "{of}: {unreadable:?}");
    for run in runs {
        let reader = run.reader().unwrap_or_else(|error| panic!("{of}: {error}"));
        reader.status().and_then(|_| reader.stages()).unwrap_or_else(|error| panic!("{of}: {error}"));
    }
}

/// What lies below a folder under a name that nobody reads.
fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files_below(folder, &mut found);
    found.retain(|path| is_temporary(path));
    found
}

/// Tries a fault at an operation, and whether the work comes to its end afterwards; false where there are fewer operations.
fn try_fault(at: usize, fault: Fault, expected: &Value) -> Option<String> {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("project");
    semantic_ids::put(PROJECT, &folder);
    let (done, Told { hit, .. }) = with_fault(at, fault, || work(&folder));
    let hit = hit?;
    let of = format!("{fault:?} at operation {at}, {hit}, which gave {done:?}");
    if let Err(said) = &done {
        let cause = match fault {
            Fault::Once(EIO) | Fault::Short(EIO) | Fault::PowerCut(_) => "nput/output error",
            Fault::Once(EACCES) => "permission is denied",
            _ => "the disk is full",
        };
        assert!(said.contains(cause) && said.contains(&*folder.to_string_lossy()), "{of}");
    }
    assert_whole(&folder, &of);
    if !matches!(fault, Fault::PowerCut(_)) {
        let left = left_behind(&folder);
        assert!(left.is_empty() || hit.starts_with("Remove"), "{of}: {left:?}");
    }
    work(&folder).unwrap_or_else(|error| panic!("{of}, and afterwards: {error}"));
    assert_eq!(&numbers(&folder), expected, "{of}");
    assert_whole(&folder, &of);
    // Elsewhere nobody knows who else is writing.
    for own in ["runs", "semantic_ids"] {
        assert_eq!(left_behind(&folder.join(own)), Vec::<PathBuf>::new(), "{of}");
    }
    Some(if done.is_ok() { "went on without".to_owned() } else { "told".to_owned() })
}

const FAULTS: [Fault; 6] = [
    Fault::Once(EIO),
    Fault::PowerCut(Lost::Everything),
    Fault::Short(ENOSPC),
    Fault::PowerCut(Lost::Contents),
    Fault::Full,
    Fault::Once(EACCES),
];

/// Operations that are tried in every run.
const FEW: usize = 18;

#[test]
fn whatever_fails_is_told_nothing_is_there_in_part_and_the_work_goes_on_to_the_same_numbers() {
    let outside = tempfile::tempdir().unwrap();
    let sound = outside.path().join("project");
    semantic_ids::put(PROJECT, &sound);
    let (done, Told { operations, .. }) = with_fault(0, Fault::Once(EIO), || work(&sound));
    done.unwrap();
    let expected = numbers(&sound);
    assert_eq!(expected["runs"].as_array().unwrap().len(), 3, "{expected}");
    let stride = std::env::var("PESO_FAULTS").ok().and_then(|text| text.parse::<usize>().ok());
    let tried: Vec<(usize, Fault)> = match stride {
        Some(stride) => {
            (1..=operations).step_by(stride.max(1)).flat_map(|at| FAULTS.map(|fault| (at, fault))).collect()
        }
        None => {
            (0..FEW).map(|place| (1 + place * (operations - 1) / (FEW - 1), FAULTS[place % FAULTS.len()])).collect()
        }
    };
    let (mut told, mut without) = (0, 0);
    for (number, &(at, fault)) in tried.iter().enumerate() {
        match try_fault(at, fault, &expected).as_deref() {
            Some("told") => told += 1,
            Some(_) => without += 1,
            // The import of a cached file, a moment later: a few operations more or fewer.
            None => {}
        }
        if stride.is_some() && number % 50 == 0 {
            println!("{number} of {} faults in {operations} operations: {told} told, {without} went on", tried.len());
        }
    }
    println!("{} faults in {operations} operations: {told} told, {without} went on without what failed", tried.len());
    assert!(told * 2 > tried.len(), "{told} of {}", tried.len());
}

#[test]
fn a_folder_that_the_disk_does_not_know_is_no_place_for_a_file() {
    // The names on the way to a new file are synchronised, and the file before it gets its own.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/file");
    let write = || {
        files::create_folder(path.parent().unwrap())?;
        files::write_atomically(&path, b"whole")
    };
    let (_, Told { operations, .. }) = with_fault(0, Fault::Once(EIO), write);
    for lost in [Lost::Everything, Lost::Contents] {
        for at in 1..=operations + 1 {
            fs::remove_dir_all(folder.path().join("a")).unwrap_or_default();
            let (written, _) = with_fault(at, Fault::PowerCut(lost), write);
            match fs::read(&path) {
                Ok(bytes) => assert_eq!(bytes, b"whole", "{lost:?} at {at}"),
                Err(_) => assert!(written.is_err(), "{lost:?} at {at}: it was there for whoever wrote it"),
            }
        }
    }
}

/// Files that write on their own, and why that is none of a project's or a run's.
const OTHERS: [(&str, &str); 5] = [
    ("src/files/disk.rs", "the operations themselves"),
    ("src/peak_memory.rs", "tells the kernel to count anew"),
    ("src/data/formats/stream/spool.rs", "a temporary file of a reader, gone with it"),
    ("src/app/launcher.rs", "what a worker says while it runs"),
    ("src/app/autosave.rs", "sets a damaged copy aside"),
];

#[test]
fn everything_is_written_through_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files_below(&root.join("src"), &mut sources);
    let writes = [
        "fs::write(",
        "fs::rename(",
        "fs::remove_",
        "fs::create_dir",
        "fs::copy(",
        "fs::hard_link(",
        "File::create",
        "OpenOptions",
        "File::options()",
    ];
    let mut found = Vec::new();
    for path in sources.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        if name.ends_with("tests.rs") || OTHERS.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("mod tests {").next().unwrap();
        found.extend(writes.iter().filter(|call| code.contains(**call)).map(|call| format!("{name}: {call}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}
