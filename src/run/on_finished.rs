//! A command of the user's that is told when a queue has ended, failed, or a gate of the decision has flipped.
//!
//! It comes from the user's settings or command line and never from a project: projects come from strangers. It is a program with
//! its arguments, started without a shell.

use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use crate::error::InputError;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Every run came to its end.
    Finished,
    /// Some run, or the worker, did not.
    Failed,
    /// A gate of the decision is passed or failed that was not before.
    Decision,
}

impl Occasion {
    /// The value of `PESO_EVENT`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Decision => "decision",
        }
    }
}

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnFinished {
    program: String,
    arguments: Vec<String>,
}

impl FromStr for OnFinished {
    type Err = String;

    /// Splits as a command line is split, with quotes and backslashes; nothing else of a shell is known.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = shell_words::split(text).map_err(|_| "a quote is not closed".to_owned())?.into_iter();
        let program = words.next().ok_or_else(|| "it names no program".to_owned())?;
        Ok(Self { program, arguments: words.collect() })
    }
}

impl OnFinished {
    /// Runs it to its end, with `PESO_PROJECT` (the project's file), `PESO_EVENT` and `PESO_MESSAGE` in its environment.
    ///
    /// # Errors
    /// It cannot be started, or ends with another status than 0.
    pub fn run(&self, project: &Path, occasion: Occasion, message: &str) -> Result<(), InputError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("PESO_PROJECT", project).env("PESO_EVENT", occasion.key()).env("PESO_MESSAGE", message);
        let advice = "the setting \"Command at the end\" and `--on-finished` take a program and its arguments";
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(InputError::new(&self.program, format!("it ended with {status}")).advice(advice)),
            Err(error) => Err(InputError::new(&self.program, format!("it cannot be started: {error}")).advice(advice)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_program_with_its_arguments_and_no_shell() {
        let command: OnFinished = "notify 'a b' $HOME; rm".parse().unwrap();
        assert_eq!(command.program, "notify");
        assert_eq!(command.arguments, ["a b", "$HOME;", "rm"], "nothing is expanded");
        assert_eq!("  ".parse::<OnFinished>().unwrap_err(), "it names no program");
        assert_eq!("say 'it".parse::<OnFinished>().unwrap_err(), "a quote is not closed");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_is_told_what_happened_and_its_failure_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("told");
        let script = format!("sh -c 'echo \"$PESO_EVENT|$PESO_MESSAGE|$PESO_PROJECT\" > {}'", file.display());
        let command: OnFinished = script.parse().unwrap();
        command.run(Path::new("a.ron"), Occasion::Failed, "two; $(words)").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "failed|two; $(words)|a.ron\n");
        let run = |text: &str| text.parse::<OnFinished>().unwrap().run(Path::new("a"), Occasion::Finished, "");
        assert!(run("false").unwrap_err().problem.contains("exit status: 1"));
        assert!(run("no-such-program-here").unwrap_err().problem.contains("cannot be started"));
    }
}
