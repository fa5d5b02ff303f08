//! Files that were spoilt at random, in every fixture of every format: no panic, no long time, and nothing left out in silence.
//!
//! A few of each are tried in every run. For all, which takes long:
//! `PESO_MUTATIONS=20000 cargo nextest run --release --test behaviour data_mutations --no-capture`

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use peso_workbench::data::formats::plan::{Layout, Plan, Separator};
use peso_workbench::data::formats::{self, Detected, ImportError, ImportReport};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::spoil::spoilt;

/// Mutations of each file, unless the environment says more.
const FEW: usize = 25;
/// What reading a small file may take on a machine that does other things too.
const LONG: Duration = Duration::from_secs(5);

/// What became of the copies.
#[derive(Debug, Default)]
struct Outcomes {
    tried: AtomicUsize,
    refused: AtomicUsize,
    counted: AtomicUsize,
    unnoticed: AtomicUsize,
    longest_ms: AtomicUsize,
}

/// Reads what is at a path.
fn read(path: &Path) -> Result<Option<(Plan, ImportReport)>, ImportError> {
    let Some(Detected::Interactions(plan)) = formats::detect(path)? else { return Ok(None) };
    let (interactions, report) = formats::import(&plan, &mut |_| ControlFlow::Continue(()))?;
    assert_eq!(interactions.len() as u64, report.interactions);
    for column in [interactions.time.len(), interactions.rating.len(), interactions.file.len()] {
        assert!(column == 0 || column == interactions.len());
    }
    Ok(Some((*plan, report)))
}

/// Lines of a file that became neither an interaction nor something that is counted; none where a record is no line.
fn unexplained(plan: &Plan, report: &ImportReport, bytes: &[u8]) -> Option<u64> {
    let [source] = &plan.interactions[..] else { return None };
    let plain = bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd");
    let header = match &source.layout {
        // A quoted column may have line ends.
        Layout::Delimited { table, .. } => match table.separator {
            Separator::Quoted(_) if bytes.contains(&b'"') => return None,
            _ => u64::from(table.header),
        },
        Layout::Objects(_) if bytes.trim_ascii_start().starts_with(b"{\"") || bytes.starts_with(b"{'") => 0,
        _ => return None,
    };
    let lines = match &source.layout {
        Layout::Objects(_) => objects(bytes),
        _ => filled_lines(bytes).count() as u64,
    };
    let explained = report.interactions + report.skipped.lines + report.left_out + header + comments(plan);
    (!plain).then(|| lines.saturating_sub(explained))
}

/// Lines before the first record that the first look says are comments.
fn comments(plan: &Plan) -> u64 {
    let told = plan.assumptions.iter().filter_map(|told| told.assumed.split_once("passed over: "));
    told.map(|(_, number)| number.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn try_file(folder: &Path, name: &Path, sound: &[u8], mutations: usize, outcomes: &Outcomes) {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        fs::copy(&entry, copy.path().join(entry.file_name().unwrap())).unwrap();
    }
    let path = copy.path().join(name);
    let mut random = ChaCha8Rng::seed_from_u64(sound.len() as u64 + name.as_os_str().len() as u64);
    for round in 0..mutations {
        let (bytes, how) = spoilt(sound, &mut random);
        fs::write(&path, &bytes).unwrap();
        let shown = || format!("{}, mutation {round}: {how}", folder.join(name).display());
        // The file itself, and now and then as one of its folder.
        let at = if round % 3 == 0 { copy.path() } else { path.as_path() };
        let begun = Instant::now();
        let found = read(at);
        let took = begun.elapsed();
        assert!(took < LONG, "{}: {took:?}", shown());
        outcomes.longest_ms.fetch_max(took.as_millis() as usize, Ordering::Relaxed);
        outcomes.tried.fetch_add(1, Ordering::Relaxed);
        let outcome = match &found {
            Err(ImportError::Input(error)) => {
                assert!(!error.problem.is_empty() && error.to_string().len() < 2500, "{}: {error}", shown());
                &outcomes.refused
            }
            Err(ImportError::Cancelled) => panic!("{}: nobody cancelled", shown()),
            Ok(None) => &outcomes.refused,
            Ok(Some((plan, report))) => {
                assert!(report.interactions > 0, "{}", shown());
                if plan.interactions.first().is_some_and(|source| source.path == path) {
                    let left = unexplained(plan, report, &bytes).unwrap_or(0);
                    assert_eq!(left, 0, "{}: {left} lines in silence\n{}", shown(), String::from_utf8_lossy(&bytes));
                }
                if report.skipped.lines > 0 { &outcomes.counted } else { &outcomes.unnoticed }
            }
        };
        outcome.fetch_add(1, Ordering::Relaxed);
    }
}

fn filled_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// Lines that are objects or should be: one whose end is on the next line is read as one.
fn objects(bytes: &[u8]) -> u64 {
    let mut open = false;
    let begins = |line: &[u8]| {
        let goes_on = open && !line.starts_with(b"{");
        open = !line.ends_with(b"}");
        !goes_on
    };
    filled_lines(bytes).map(begins).filter(|begins| *begins).count() as u64
}

/// All files below a folder that have data, by folder and name.
fn fixtures(folder: &Path, found: &mut Vec<(PathBuf, PathBuf)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            fixtures(&path, found);
        } else if path.extension().is_none_or(|ending| ending != "py") {
            found.push((folder.to_path_buf(), path.file_name().unwrap().into()));
        }
    }
}

#[test]
fn spoilt_files_are_refused_or_counted_and_never_read_in_part() {
    let mutations = std::env::var("PESO_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let mut files = Vec::new();
    fixtures(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data")), &mut files);
    let (outcomes, next) = (Outcomes::default(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((folder, name)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sound = fs::read(folder.join(name)).unwrap();
                    try_file(folder, name, &sound, mutations, &outcomes);
                }
            });
        }
    });
    println!("{} files: {outcomes:?}", files.len());
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!(count(&outcomes.tried), files.len() * mutations);
    // Most changes are noticed; one that turns an id into another cannot be.
    assert!(count(&outcomes.refused) > 0 && count(&outcomes.counted) * 8 > count(&outcomes.tried), "{outcomes:?}");
}
