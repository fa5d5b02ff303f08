//! Training semantic ids by a process that keeps what is done when it is stopped.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::app::launcher::{Launcher, Waiting};
use crate::error::InputError;
use crate::train::semantic_ids::{IdsState, Place};

/// How long a process that trains ids has to keep what is done, and how often it is asked to.
const GRACE: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Has a process train the semantic ids of a project's file. Nobody waiting any more means that it keeps what is done and ends; then
/// there is no answer.
///
/// # Errors
/// The process cannot be started, or says why it failed.
pub(super) fn train(
    file: &Path,
    place: &Place,
    fresh: bool,
    launcher: &dyn Launcher,
    waiting: &Waiting,
) -> Result<Option<IdsState>, InputError> {
    let mut arguments: Vec<OsString> = vec!["semantic-ids".into(), file.into()];
    arguments.extend(fresh.then(|| "--fresh".into()));
    let (process, over) = (Waiting::default(), AtomicBool::new(false));
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut stopping: Option<Instant> = None;
            while !over.load(Ordering::Relaxed) {
                waiting.say(&process.progress().words);
                if waiting.is_cancelled() {
                    let since = *stopping.get_or_insert_with(Instant::now);
                    // It takes back what was asked before it began, so it is asked again; one that cannot be asked is ended.
                    if place.ask_to_stop().is_err() || since.elapsed() > GRACE {
                        process.cancel();
                    }
                }
                std::thread::sleep(ASK_EVERY);
            }
        });
        let ended = launcher.compute(&arguments, &process);
        over.store(true, Ordering::Relaxed);
        ended
    })?;
    if waiting.is_cancelled() {
        return Ok(None);
    }
    match ended.code {
        Some(0) => Ok(Some(IdsState::look(place)?)),
        _ if ended.last_words.is_empty() => Err(InputError::new(file, "the process was ended before it was done")),
        _ => Err(InputError::new(file, ended.last_words.trim_start_matches("error: "))),
    }
}
