//! How a command ends: exit status, and words on standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{InputError, RunError};
use crate::results::ShownRuns;

pub(super) const DONE: u8 = 0;
pub(super) const FAILED: u8 = 1;
pub(super) const BAD_INPUT: u8 = 2;
pub(super) const INTERRUPTED: u8 = 130;

/// How a command ended that could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    /// A run failed; its reason has been told.
    RunFailed,
    /// Something is not as it should be, which has been told.
    ProblemFound,
    /// An input cannot be used; the process that found out has told why.
    BadInput,
    /// The user ended it; everything is saved.
    Interrupted,
}

/// An error in how the command was called.
pub(super) fn wrong_usage(problem: impl Display) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{problem}\n"))
}

/// Tells an error on standard error and returns the exit status that it has.
pub(super) fn report(error: &anyhow::Error) -> u8 {
    let input = error.downcast_ref::<InputError>().or(match error.downcast_ref::<RunError>() {
        Some(RunError::Input(input)) => Some(input),
        _ => None,
    });
    if let Some(input) = input {
        say(&in_lines(input));
        return BAD_INPUT;
    }
    if let Some(usage) = error.downcast_ref::<clap::Error>() {
        // Where standard error is closed there is nobody to tell.
        let _ = usage.print();
        return BAD_INPUT;
    }
    say(&format!("error: {error:#}"));
    match error.downcast_ref::<RunError>() {
        Some(RunError::Stopped) => INTERRUPTED,
        _ => FAILED,
    }
}

/// Warns of inputs that were left out.
pub(super) fn warn(left_out: &[InputError]) {
    for input in left_out {
        say(&format!("warning: left out: {input}"));
    }
}

/// Says how many runs are left out because they are archived.
pub(super) fn say_archived(runs_dir: &Path) {
    match ShownRuns::read(runs_dir).archived {
        0 => {}
        1 => say("1 archived run is left out"),
        archived => say(&format!("{archived} archived runs are left out")),
    }
}

/// A line for people on standard error.
pub(super) fn say(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints what was asked for on standard output.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // `peso results | head` has what it wants.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Prints a value as JSON, ended by a line feed.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// The problem with its place and path, and the advice on a line of its own.
fn in_lines(input: &InputError) -> String {
    let place = input.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
    let advice = input.advice.as_ref().map(|advice| format!("\n  {advice}")).unwrap_or_default();
    format!("error: {}{place} ({}){advice}", input.problem, input.path.display())
}
