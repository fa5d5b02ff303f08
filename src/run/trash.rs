//! Deleted runs: moved into a folder beside the others, from which they come back until it is emptied.
//!
//! `<runs dir>/.trash/<folder of the run>`, with a number behind the name where a run of that name lies there already.

use std::fs;
use std::path::{Path, PathBuf};

use super::RunFolder;
use crate::error::InputError;
use crate::files;

const TRASH: &str = ".trash";

/// A run that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Where it was, and where it is now.
    was: PathBuf,
    is: PathBuf,
}

/// Moves a run into the trash of its folder of runs.
///
/// # Errors
/// It lies elsewhere, is a link, a worker is training it, or the folder cannot be written.
pub fn delete(runs_dir: &Path, run: &Path) -> Result<Deleted, InputError> {
    let name = run.file_name().filter(|_| run.parent() == Some(runs_dir));
    let name = name.ok_or_else(|| InputError::new(run, "the run does not lie in the project's folder of runs"))?;
    check_folder(run)?;
    let folder = RunFolder::open(run)?;
    let _lock = folder.lock()?;
    let trash = runs_dir.join(TRASH);
    files::create_folder(&trash)?;
    check_folder(&trash)?;
    let numbered = (1_u32..).map(|number| match number {
        1 => trash.join(name),
        _ => trash.join(format!("{}.{number}", name.to_string_lossy())),
    });
    let is = numbered.into_iter().find(|path| path.symlink_metadata().is_err());
    let is = is.ok_or_else(|| InputError::new(&trash, "the trash is full"))?;
    files::rename(run, &is)?;
    Ok(Deleted { was: run.to_path_buf(), is })
}

impl Deleted {
    /// Puts the run back where it was.
    ///
    /// # Errors
    /// There is another run now, it is in the trash no more, or the folder cannot be written.
    pub fn restore(&self) -> Result<(), InputError> {
        if self.was.symlink_metadata().is_ok() {
            return Err(InputError::new(&self.was, "the run was made again since it was deleted")
                .advice("delete that one first"));
        }
        files::rename(&self.is, &self.was)
    }
}

/// The runs in the trash of a folder of runs, sorted by name.
pub fn list(runs_dir: &Path) -> Vec<PathBuf> {
    let trash = runs_dir.join(TRASH);
    if check_folder(&trash).is_err() {
        return Vec::new();
    }
    let entries = fs::read_dir(&trash).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Removes what lies in the trash for good, and hands back how many runs that were. A link is removed, not what it leads to.
///
/// # Errors
/// Something cannot be removed.
pub fn empty(runs_dir: &Path) -> Result<usize, InputError> {
    let paths = list(runs_dir);
    for path in &paths {
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if is_folder { files::remove_folder(path) } else { files::remove(path) }?;
    }
    Ok(paths.len())
}

/// Refuses what is no folder of its own: whoever followed a link would move or remove something elsewhere.
fn check_folder(path: &Path) -> Result<(), InputError> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(InputError::new(path, "not a folder of its own").advice("a link is not followed")),
        Err(error) => Err(InputError::io(path, "read", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::config;

    fn run(runs_dir: &Path, seed: u64) -> RunFolder {
        let mut config = config();
        config.run = crate::run::RunConfig::id_of(&config.experiment, &config.method, seed, &config.config_hash);
        RunFolder::create(runs_dir, &crate::run::RunConfig { seed, ..config }).unwrap()
    }

    #[test]
    fn a_deleted_run_comes_back_until_the_trash_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let made = run(folder.path(), 1);
        let deleted = delete(folder.path(), made.path()).unwrap();
        assert!(RunFolder::list(folder.path()).is_empty());
        deleted.restore().unwrap();
        assert_eq!(RunFolder::list(folder.path()), std::slice::from_ref(&made));

        // Made again in between, it is not written over; both lie in the trash under names of their own.
        let deleted = delete(folder.path(), made.path()).unwrap();
        let again = run(folder.path(), 1);
        assert!(deleted.restore().unwrap_err().problem.contains("made again"));
        delete(folder.path(), again.path()).unwrap();
        assert_eq!(list(folder.path()).len(), 2);
        assert_eq!(empty(folder.path()).unwrap(), 2);
        assert!(list(folder.path()).is_empty());
        assert!(deleted.restore().is_err());
    }

    #[test]
    fn a_run_that_is_trained_and_one_that_lies_elsewhere_are_not_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let made = run(&folder.path().join("runs"), 1);
        let lock = made.lock().unwrap();
        assert!(delete(&folder.path().join("runs"), made.path()).unwrap_err().problem.contains("training"));
        drop(lock);
        assert!(delete(&folder.path().join("others"), made.path()).is_err());
        assert!(made.path().is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (runs, elsewhere) = (folder.path().join("runs"), folder.path().join("elsewhere"));
        let made = run(&elsewhere, 1);
        fs::create_dir_all(&runs).unwrap();
        let link = runs.join(made.path().file_name().unwrap());
        symlink(made.path(), &link).unwrap();
        assert!(delete(&runs, &link).unwrap_err().problem.contains("not a folder of its own"));

        // A trash that is a link takes nothing, and gives nothing up to be removed.
        let own = run(&runs, 2);
        symlink(&elsewhere, runs.join(TRASH)).unwrap();
        assert!(delete(&runs, own.path()).is_err());
        assert_eq!(empty(&runs).unwrap(), 0);

        // A link in the trash goes, what it leads to stays.
        fs::remove_file(runs.join(TRASH)).unwrap();
        delete(&runs, own.path()).unwrap();
        symlink(&elsewhere, runs.join(TRASH).join("link")).unwrap();
        assert_eq!(empty(&runs).unwrap(), 2);
        assert!(made.path().is_dir());
    }
}
