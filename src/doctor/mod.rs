//! Whether this machine and a project are as they should be: checks in words, and what a report of a bug needs.
//!
//! A check looks at one thing, says what it found and, where that is not fine, what to do. None changes anything but for
//! files of its own, which it removes again.

pub mod bundle;
mod crashes;
mod desktop;
mod devices;
mod environment;
mod folders;
mod fonts;
mod machine;
mod private;
mod program;
mod project;
mod self_test;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::crash;
use crate::project::Project;
use crate::text::counted;

/// How what a check looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Fine,
    /// Something works less well than it could, or is good to know.
    Note,
    /// Something does not work.
    Problem,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub group: &'static str,
    pub name: String,
    pub state: State,
    pub found: String,
    /// What to do; none where it is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn fine(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { group: "", name: name.into(), state: State::Fine, found: found.into(), advice: None }
    }

    fn note(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Note, advice: Some(advice.into()), ..Self::fine(name, found) }
    }

    fn problem(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Problem, ..Self::note(name, found, advice) }
    }
}

/// What all checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// In one sentence.
    pub summary: String,
    pub checks: Vec<Check>,
}

/// Looks at this machine, and at a project where one is given (its file, or the folder with `project.ron`).
pub fn examine(project: Option<&Path>) -> Diagnosis {
    // Whole, so that what a bundle leaves out of it is found in every check.
    let whole = project.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    let opened = whole.as_deref().map(|path| (path, Project::load(path)));
    let folder = opened.as_ref().and_then(|(_, opened)| Some(opened.as_ref().ok()?.folder.as_path()));
    let mut checks = Vec::new();
    let mut add = |group: &'static str, found: Vec<Check>| {
        checks.extend(found.into_iter().map(|check| Check { group, ..check }));
    };
    add("Program", program::checks());
    add("Machine", machine::checks());
    add("Devices", devices::checks());
    add("Training step", self_test::checks());
    add("Window", desktop::checks());
    add("Fonts", fonts::checks());
    add("Folders", folders::checks(folder));
    add("Environment", environment::checks());
    add("Crashes", crashes::checks());
    if let Some((path, opened)) = &opened {
        add("Project", project::checks(path, opened));
    }
    Diagnosis::of(checks)
}

/// Does work on a thread of its own; nothing where it takes longer, or panics. The thread is then left to itself.
fn in_time<T: Send + 'static>(patience: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = mpsc::sync_channel(1);
    let work = move || {
        if let Ok(done) = crash::contained(work) {
            // Nobody waits any more where this fails.
            let _ = tell.send(done);
        }
    };
    thread::Builder::new().name("doctor".to_owned()).spawn(work).ok()?;
    told.recv_timeout(patience).ok()
}

impl Diagnosis {
    fn of(checks: Vec<Check>) -> Self {
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        let notes = match count(State::Note) {
            0 => String::new(),
            notes => format!(" and {}", counted(notes, "note")),
        };
        let summary = match count(State::Problem) {
            0 => format!("No problem{notes}."),
            problems => format!("{}{notes}: the lines below each say what to do.", counted(problems, "problem")),
        };
        Self { summary, checks }
    }

    /// Whether anything does not work.
    pub fn has_problem(&self) -> bool {
        self.checks.iter().any(|check| check.state == State::Problem)
    }

    /// A line a check below the name of its group, advice on a line of its own below that, and the summary in the end.
    pub fn to_text(&self) -> String {
        let width =
            |of: fn(&Check) -> &str| self.checks.iter().map(|check| of(check).chars().count()).max().unwrap_or(0);
        let (states, names) = (width(|check| check.state.word()), width(|check| &check.name));
        let (mut text, mut group) = (String::new(), "");
        for check in &self.checks {
            if check.group != group {
                group = check.group;
                text += &format!("{group}\n");
            }
            let line = format!("  {:states$}  {:names$}  {}", check.state.word(), check.name, check.found);
            text += line.trim_end();
            text.push('\n');
            if let Some(advice) = &check.advice {
                text += &format!("  {:states$}  {:names$}  → {advice}\n", "", "");
            }
        }
        text + "\n" + &self.summary + "\n"
    }
}
