//! The two errors of the program: an input that cannot be used, and a run that ended before it was done.

use std::fmt;
use std::path::{Path, PathBuf};

/// An input that cannot be used: what is wrong, where, what was expected, what to do.
///
/// The command line ends with exit status 2 on it; the window shows it as it is. The path comes last, so that long
/// paths do not push the reason off the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong, in a few words, without the path and without a full stop: `unknown field "lamda"`.
    pub problem: String,
    /// Where in the file, as it reads after "at": `line 12, column 5`, `user 17`, `tensor model.norm.weight`. None where it is
    /// the file as a whole.
    pub place: Option<String>,
    /// What was expected, or what to do about it, as it reads after a semicolon: `the fields are lambda, distance`. None where
    /// the problem says it already.
    pub advice: Option<String>,
    /// The file or folder that has to change, as the user named it or relative to where the program runs.
    pub path: PathBuf,
}

impl InputError {
    /// An error about `path` as a whole.
    pub fn new(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), place: None, advice: None, path: path.as_ref().to_path_buf() }
    }

    /// Says where in the file.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Says what was expected or what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// An operating-system error on `path`.
    pub fn io(path: impl AsRef<Path>, doing: &str, error: &std::io::Error) -> Self {
        Self::new(path, format!("cannot {doing}: {error}"))
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        write!(f, " ({})", self.path.display())
    }
}

impl std::error::Error for InputError {}

/// Why a run ended before it was done. Whatever it is, the run's last checkpoint is whole and the run can be resumed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// An input or the run folder cannot be used: data, model, settings, or a disk that cannot be written.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The device is not there, failed or ran out of memory, which drivers report as panics. `device` is its name, `message` the
    /// driver's own words, `next` the `--device` to try.
    #[error("{device} failed: {message}; resume the run with `--device {next}`")]
    Device { device: String, message: String, next: String },
    /// The loss or a gradient is no longer a number (`value` is the loss) at a step of a stage, both from 1. Resumed with the same
    /// settings, the run comes to the same end.
    #[error("the loss became {value} in stage {stage}, step {step}; lower the learning rate or the penalty's weight")]
    Diverged { stage: usize, step: usize, value: f64 },
    /// The user stopped it: in the window, with Ctrl-C, or through the folder's `control`. Exit status 130.
    #[error("stopped; the state is saved and `peso run` resumes it")]
    Stopped,
}
