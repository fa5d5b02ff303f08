//! The two errors of the program: an input that cannot be used, and a run that ended before it was done.

use std::fmt;
use std::io::{self, ErrorKind};
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
    /// An error about `path` as a whole. What the problem says in the operating system's terms is put [`in_words`].
    pub fn new(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self { problem: in_words(problem.into()), place: None, advice: None, path: path.as_ref().to_path_buf() }
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
    pub fn io(path: impl AsRef<Path>, doing: &str, error: &io::Error) -> Self {
        Self::new(path, format!("cannot {doing}: {}", io_words(error)))
    }
}

/// An error of the operating system in words that need no knowledge of it.
pub fn io_words(error: &io::Error) -> String {
    let known = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::PermissionDenied => "permission is denied",
        ErrorKind::AlreadyExists => "there is something already",
        ErrorKind::IsADirectory => "it is a folder, not a file",
        ErrorKind::NotADirectory => "a part of the path is a file, not a folder",
        ErrorKind::DirectoryNotEmpty => "the folder is not empty",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "the share of the disk is used up",
        ErrorKind::ReadOnlyFilesystem => "the disk cannot be written to",
        ErrorKind::FileTooLarge => "the file is too large",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => "it is in use",
        ErrorKind::InvalidFilename => "the name cannot be used for a file",
        ErrorKind::StaleNetworkFileHandle | ErrorKind::NetworkDown => "the network folder is not reachable",
        ErrorKind::TimedOut => "there was no answer in time",
        ErrorKind::OutOfMemory => "there is not enough memory",
        ErrorKind::BrokenPipe => "whoever was to read it is gone",
        _ => return without_code(&error.to_string()),
    };
    // What others say in an error of theirs tells more than its kind.
    if error.raw_os_error().is_some() || error.get_ref().is_none() {
        known.to_owned()
    } else {
        in_words(error.to_string())
    }
}

/// What marks the number of an operating system's error in its text.
const CODE: &str = " (os error ";

/// A text in which errors of the operating system, as libraries pass them on, are said by [`io_words`]: there is no
/// "No such file or directory (os error 2)" in it.
pub fn in_words(text: String) -> String {
    let mut text = text;
    while let Some((_, rest)) = text.split_once(CODE) {
        let Some(code) = rest.split_once(')').and_then(|(code, _)| code.parse().ok()) else { break };
        let raw = io::Error::from_raw_os_error(code);
        let said = text.replace(&raw.to_string(), &io_words(&raw));
        // Another language, or another system's text: its number at least tells nobody anything.
        text = if said == text { text.replacen(&format!("{CODE}{code})"), "", 1) } else { said };
    }
    text
}

/// The system's text without its number, as it reads behind a colon.
fn without_code(text: &str) -> String {
    let text = text.split_once(CODE).map_or(text, |(text, _)| text);
    let mut letters = text.chars();
    let plain = text.chars().nth(1).is_some_and(char::is_lowercase);
    match letters.next() {
        Some(first) if plain => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
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
    /// The loss, a gradient or what was trained is no longer a number (`what` became `value`) at a step of a stage, both from 1.
    /// Resumed with the same settings, the run comes to the same end.
    #[error("{what} became {value} in stage {stage}, step {step}; lower the learning rate or the penalty's weight")]
    Diverged { what: &'static str, stage: usize, step: usize, value: f64 },
    /// The user stopped it: in the window, with Ctrl-C, or through the folder's `control`. Exit status 130.
    #[error("stopped; the state is saved and `peso run` resumes it")]
    Stopped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_said_in_words() {
        let missing = std::fs::File::open("/nowhere/at all").unwrap_err();
        let error = InputError::io("/nowhere/at all", "read", &missing);
        assert_eq!(error.to_string(), "cannot read: there is no such file or folder (/nowhere/at all)");
        assert_eq!(io_words(&io::Error::from(ErrorKind::StorageFull)), "the disk is full");
        assert_eq!(io_words(&io::Error::other("a record without end")), "a record without end");
        assert_eq!(io_words(&io::Error::new(ErrorKind::NotFound, "no tensor of this name")), "no tensor of this name");
    }

    #[test]
    fn no_number_of_the_system_reaches_a_reader() {
        for code in 1..134 {
            let raw = io::Error::from_raw_os_error(code);
            for text in [format!("the driver: {raw}; and again {raw}"), io_words(&raw)] {
                let problem = InputError::new("x", text).problem;
                assert!(!problem.contains("os error"), "{code}: {problem}");
            }
            assert!(!io_words(&raw).is_empty());
        }
        assert_eq!(in_words("Kein Eintrag (os error 2) hier".to_owned()), "Kein Eintrag hier");
        assert_eq!(in_words("(os error two)".to_owned()), "(os error two)");
    }
}
