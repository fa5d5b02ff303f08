//! Names in a run folder, and the two of its files that are read without the rest: what the user wants, and whether a
//! worker is at it.

use std::path::{Path, PathBuf};

use super::observer::Control;
use crate::files;

/// The frozen configuration.
pub(super) const CONFIG: &str = "run.ron";
/// What was measured.
pub(super) const DATABASE: &str = "run.sqlite";
/// What the user wants of the worker.
pub(super) const CONTROL: &str = "control";
/// Held while a worker runs.
pub(super) const LOCK: &str = "worker.lock";
pub(super) const LOG: &str = "log.txt";

/// The write-ahead log of a database.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Folder of a stage's adapter (stage from 1) in a run's folder.
pub(super) fn adapter_folder(run: &Path, stage: usize) -> PathBuf {
    run.join("adapters").join(format!("stage_{stage}"))
}

/// What the user wants of the worker; a missing or foreign control file means to run.
pub(super) fn read_control(folder: &Path) -> Control {
    let word = files::read_text(&folder.join(CONTROL), 64).unwrap_or_default();
    match word.trim() {
        "pause" => Control::Pause,
        "stop" => Control::Stop,
        _ => Control::Run,
    }
}
