//! A fuzz target: the reader that has this program's name, given what the fuzzer finds as its file.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;
use std::{fs, panic, process};

use libfuzzer_sys::fuzz_target;
use peso_fuzz::{READERS, Reader};
use peso_workbench::crash;
use tempfile::TempDir;

static READER: LazyLock<&Reader> = LazyLock::new(|| {
    READERS.iter().find(|reader| reader.name == env!("CARGO_BIN_NAME")).expect("a target is named as its reader")
});

/// A folder of this process, in memory where the system has one there.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder for a moment");
    READER.prepare(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), folder.path());
    folder
});

/// A panic is a finding, unless it is one of a library that is caught and told as an error.
fn panics_end_the_process() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !crash::is_contained() {
            usual(info);
            process::abort();
        }
    }));
}

/// Sound files are what the fuzzer begins with, beside what it found before.
fn sound_files_are_in_the_corpus() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("corpus").join(READER.name);
    fs::create_dir_all(&corpus).expect("a folder of the fuzzer");
    for (number, seed) in READER.seeds.iter().enumerate() {
        fs::copy(here.join("..").join(seed), corpus.join(format!("seed-{number}"))).expect("a small file");
    }
}

fuzz_target!(init: {
    panics_end_the_process();
    sound_files_are_in_the_corpus();
}, |bytes: &[u8]| {
    let path = FOLDER.path().join(READER.file());
    fs::write(&path, bytes).expect("a small file");
    // An error is what most inputs deserve.
    let _ = (READER.read)(&path);
});
