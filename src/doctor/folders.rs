//! Folders that the program writes: whether files can be written, replaced and locked there, and the room that is left.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::Check;
use crate::error::InputError;
use crate::{files, user_folders};

/// Less room than this is soon used up: a run of a compact model takes some megabytes.
const LITTLE: u64 = 1 << 30;
const NEXT_TO_NOTHING: u64 = 64 << 20;

pub(super) fn checks(project: Option<&Path>) -> Vec<Check> {
    let named = |name: &str, folder: Option<std::path::PathBuf>| match folder {
        Some(folder) => check(name, &folder),
        None => Check::note(
            name,
            "the system names none",
            "set HOME: without it nothing is kept from one start to the next",
        ),
    };
    let mut checks = vec![
        named("settings", user_folders::configuration()),
        named("state", user_folders::state()),
        check("temporary", &std::env::temp_dir()),
    ];
    checks.extend(project.map(|folder| check("project", folder)));
    checks
}

/// Looks at a folder, which is made where it is missing.
pub(super) fn check(name: &str, folder: &Path) -> Check {
    if let Err(error) = files::create_folder(folder).and_then(|()| can_be_used(folder)) {
        let advice =
            error.advice.clone().unwrap_or_else(|| "have the folder on a local disk that you may write to".to_owned());
        return Check::problem(name, format!("{}: {}", folder.display(), error.problem), advice);
    }
    let Some(free) = files::free_bytes(folder) else { return Check::fine(name, folder.display().to_string()) };
    let found = format!("{}, {} MiB are free", folder.display(), free >> 20);
    match free {
        ..NEXT_TO_NOTHING => Check::problem(name, found, "free some space on the disk"),
        NEXT_TO_NOTHING..LITTLE => Check::note(name, found, "free some space on the disk"),
        _ => Check::fine(name, found),
    }
}

/// Writes a file, replaces it, reads it back and locks it.
fn can_be_used(folder: &Path) -> Result<(), InputError> {
    let probe = folder.join(format!(".peso-doctor-{}", std::process::id()));
    let tried = || {
        files::write_atomically(&probe, b"first")?;
        files::write_atomically(&probe, b"second")?;
        let read = fs::read(&probe).map_err(|error| InputError::io(&probe, "read", &error))?;
        if read != b"second" {
            return Err(InputError::new(&probe, "a file that was replaced reads as it was before")
                .advice("have the folder on another disk: files are not replaced as a whole there"));
        }
        let locked = files::lock(&probe, Duration::from_millis(200));
        let unlockable =
            |error: InputError| error.advice("workers lock what they train: have the folder on another disk");
        locked.map_err(unlockable).map(drop)
    };
    let result = tried();
    // Hidden, and empty but for a word, where even that fails.
    let _ = files::remove(&probe);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_folder_is_made_where_it_is_missing_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        let found = check("state", &below);
        assert_ne!(found.state, State::Problem, "{found:?}");
        assert_eq!(fs::read_dir(&below).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let found = check("project", &file.join("below"));
        assert_eq!(
            (found.state, found.advice.as_deref()),
            (State::Problem, Some("a file stands where a folder must be"))
        );
        assert_eq!(fs::read(&file).unwrap(), b"");
    }

    #[test]
    fn a_disk_that_refuses_is_a_problem_whatever_it_refuses() {
        use crate::files::disk::{Operation, watched};
        let folder = tempfile::tempdir().unwrap();
        type Refused = fn(&Operation<'_>) -> bool;
        let refused: [Refused; 3] = [
            |operation| matches!(operation, Operation::Write { .. }),
            |operation| matches!(operation, Operation::Rename { .. }),
            |operation| matches!(operation, Operation::Sync(_)),
        ];
        for refuses in refused {
            let fail = move |operation: &Operation<'_>| {
                if refuses(operation) { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            };
            let found = watched(fail, || check("temporary", folder.path()));
            assert!(found.state == State::Problem && found.found.ends_with("the disk is full"), "{found:?}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
