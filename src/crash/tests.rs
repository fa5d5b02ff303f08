//! The hook in a process of its own, which it is installed in for good.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, fs, thread};

use super::*;

/// Where the child's reports go, and what it does.
const FOLDER: &str = "PESO_TEST_CRASHES";
const ACT: &str = "PESO_TEST_ACT";

/// Not a test: what a child process does.
#[test]
#[ignore = "run by the others, in a process of its own"]
fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    install_in(Some(PathBuf::from(folder)));
    running("run");
    let titles = ["Anna's secret".to_owned()];
    let panicking = |work: fn(&[String])| {
        let titles = titles.clone();
        thread::Builder::new().name("worker".to_owned()).spawn(move || work(&titles)).unwrap().join().unwrap_err();
    };
    match env::var(ACT).unwrap().as_str() {
        "index" => panicking(beyond_the_end),
        "data" => panicking(|titles| panic!("{} cannot be read", titles[0])),
        "contained" => assert!(contained(|| std::hint::black_box(&titles[..])[7].len()).is_err()),
        "often" => (0..MOST_OF_ONE_PROCESS + 2).for_each(|_| {
            panicking(|_| panic!("again"));
            thread::sleep(Duration::from_millis(1050));
        }),
        other => unreachable!("{other}"),
    }
}

/// A function that keeps its name in an optimised build too, which a closure need not.
#[inline(never)]
fn beyond_the_end(titles: &[String]) {
    std::hint::black_box(std::hint::black_box(titles)[7].len());
}

/// Has a child do something; its reports, and what it said.
fn crash(act: &str, folder: &Path) -> (Vec<String>, Output) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::tests::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(ACT, act)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let texts = reports::list(folder).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    (texts, output)
}

#[test]
fn a_panic_leaves_a_report_that_says_where_and_tells_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let (reports, output) = crash("index", folder.path());
    let [report] = &reports[..] else { panic!("{reports:?}") };
    for line in [
        "command  run\n",
        "thread   worker\n",
        "place    src/crash/tests.rs:",
        "message  index out of bounds: the len is 1 but the index is 7\n",
        &format!("program  {}, features: ", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    assert!(report.contains("crash::tests::beyond_the_end"), "the backtrace names functions: {report}");
    let home = env::var("HOME").unwrap();
    assert!(!report.contains("/rustc/") && !report.contains(&home) && !report.contains(" at /"), "{report}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("index out of bounds"), "Rust's own words stay: {said}");
    let path = reports::list(folder.path()).remove(0);
    assert!(said.contains(&format!("was written to {}; please read it", path.display())), "{said}");
    assert!(said.contains("peso doctor --bundle"), "{said}");
}

#[test]
fn what_a_message_was_made_from_stays_out() {
    let folder = tempfile::tempdir().unwrap();
    let (reports, output) = crash("data", folder.path());
    assert!(String::from_utf8_lossy(&output.stderr).contains("Anna's secret cannot be read"));
    assert!(reports[0].contains("message  (its message was made from data and is left out)\n"), "{}", reports[0]);
    assert!(!reports[0].contains("Anna"), "{}", reports[0]);
}

#[test]
fn a_library_that_refuses_a_file_by_a_panic_has_not_crashed() {
    let folder = tempfile::tempdir().unwrap();
    let (reports, _) = crash("contained", folder.path());
    assert_eq!(reports, [""; 0]);
}

#[test]
fn one_process_writes_a_few_reports_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (reports, _) = crash("often", folder.path());
    assert_eq!(reports.len(), MOST_OF_ONE_PROCESS);
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_report_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (reports, output) = crash("index", &file.join("crashes"));
    assert_eq!(reports, [""; 0]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("A report"));
}
