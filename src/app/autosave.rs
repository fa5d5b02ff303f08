//! A copy of the edited project beside its file, so that edits survive whatever ends the window.
//!
//! The copy is written within two seconds of an edit and removed when there is nothing to lose: the project was saved, the edits
//! were taken back, or the user discarded them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::error::InputError;
use crate::files;
use crate::project::Project;
use crate::project::file::to_ron;

/// From an edit to its copy; edits that follow each other faster share one.
const DELAY: Duration = Duration::from_secs(1);
/// Largest copy that is read.
const LARGEST: u64 = 4 << 20;

/// The copy of one project.
#[derive(Debug)]
pub(crate) struct Autosave {
    file: Arc<AutosaveFile>,
    /// Revision of the history whose copy is on disk, or being written; none where there is no copy.
    copied: Option<u64>,
    /// Whether a job is at it.
    busy: bool,
    /// When the next copy is made, and of what revision.
    due: Option<(u64, Instant)>,
}

/// What is to be done with the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// Look again after this time.
    Wait(Duration),
    Write,
    Remove,
}

impl Autosave {
    /// The copy beside a project file.
    pub(crate) fn beside(project: &Path) -> Self {
        let file = AutosaveFile { path: copy_of(project), ended: Mutex::new(false) };
        Self { file: Arc::new(file), copied: None, busy: false, due: None }
    }

    pub(crate) fn file(&self) -> Arc<AutosaveFile> {
        Arc::clone(&self.file)
    }

    /// Says that the copy on disk is of a revision, as after edits were restored from it.
    pub(crate) const fn copied(&mut self, revision: u64) {
        self.copied = Some(revision);
    }

    /// What is to be done now: `wanted` is the revision that is not saved, none where all is.
    pub(crate) fn step(&mut self, wanted: Option<u64>, now: Instant) -> Step {
        if self.busy || self.copied == wanted {
            return Step::Nothing;
        }
        let Some(revision) = wanted else {
            (self.copied, self.busy, self.due) = (None, true, None);
            return Step::Remove;
        };
        // The first edit sets the time; those that follow it do not put it off.
        let (_, due) = *self.due.get_or_insert((revision, now + DELAY));
        if now < due {
            return Step::Wait(due - now);
        }
        (self.copied, self.busy, self.due) = (Some(revision), true, None);
        Step::Write
    }

    /// Takes in that the job is over.
    pub(crate) const fn done(&mut self) {
        self.busy = false;
    }
}

/// The file of a copy, for the threads that write and remove it.
#[derive(Debug)]
pub(crate) struct AutosaveFile {
    path: PathBuf,
    /// Whether the copy is of no use any more: a job that comes late then writes nothing.
    ended: Mutex<bool>,
}

impl AutosaveFile {
    /// Writes the copy, whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn write(&self, project: &Project) -> Result<(), InputError> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if *ended { Ok(()) } else { files::write_atomically(&self.path, to_ron(project, &self.path)?.as_bytes()) }
    }

    /// Removes the copy, if there is one.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn remove(&self) -> Result<(), InputError> {
        let _held = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        files::remove(&self.path)
    }

    /// Removes the copy for good.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn end(&self) -> Result<(), InputError> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        files::remove(&self.path)
    }
}

/// A copy that was left beside a project.
#[derive(Debug)]
pub(crate) enum Left {
    /// Edits that were never saved, and when they were copied, in seconds since 1970.
    Edits { project: Box<Project>, unix: u64 },
    /// A copy that cannot be read; it was set aside under this name.
    Damaged { aside: PathBuf, error: InputError },
}

/// Whether a copy lies beside a project file.
pub(crate) fn is_beside(file: &Path) -> bool {
    copy_of(file).is_file()
}

/// The copy that was left beside a project file; none where there is none, or it says what the file says.
pub(crate) fn left_beside(file: &Path, saved: &Project) -> Option<Left> {
    let path = copy_of(file);
    if !path.exists() {
        return None;
    }
    let read = files::read_text(&path, LARGEST).and_then(|text| Project::parse(&text, &path));
    match read {
        Ok(project) if project == *saved => {
            // It says nothing that is not saved; one that cannot be removed is looked at again the next time.
            let _ = files::remove(&path);
            None
        }
        Ok(project) => Some(Left::Edits { project: Box::new(project), unix: modified(&path) }),
        Err(error) => {
            let aside = path.with_extension("autosave.damaged");
            let moved = std::fs::rename(&path, &aside).is_ok();
            Some(Left::Damaged { aside: if moved { aside } else { path }, error })
        }
    }
}

fn modified(path: &Path) -> u64 {
    let time = path.metadata().and_then(|data| data.modified()).ok();
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs())
}

/// `.project.ron.autosave`.
fn copy_of(project: &Path) -> PathBuf {
    let name = project.file_name().unwrap_or_default().to_string_lossy();
    project.with_file_name(format!(".{name}.autosave"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::edits::experiments::with_seeds;
    use crate::project::file::DEMO;

    #[test]
    fn a_copy_follows_within_two_seconds_and_goes_when_all_is_saved() {
        let mut autosave = Autosave::beside(Path::new("/nowhere/project.ron"));
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(autosave.step(None, at(0)), Step::Nothing);
        assert_eq!(autosave.step(Some(1), at(0)), Step::Wait(DELAY));
        // Edits go on: the copy is not put off by them.
        assert_eq!(autosave.step(Some(2), at(900)), Step::Wait(Duration::from_millis(100)));
        assert_eq!(autosave.step(Some(3), at(1000)), Step::Write);
        assert_eq!(autosave.step(Some(4), at(1100)), Step::Nothing, "one job at a time");
        autosave.done();
        assert_eq!(autosave.step(Some(3), at(1200)), Step::Nothing);
        assert_eq!(autosave.step(None, at(1300)), Step::Remove);
        autosave.done();
        assert_eq!(autosave.step(None, at(1400)), Step::Nothing);
    }

    #[test]
    fn what_was_left_is_edits_or_told_to_be_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("project.ron");
        std::fs::write(&file, DEMO).unwrap();
        let project = Project::load(&file).unwrap();
        let edited = with_seeds(&project, vec![7]);
        assert!(left_beside(&file, &project).is_none());

        let autosave = Autosave::beside(&file);
        autosave.file().write(&edited).unwrap();
        let copy = folder.path().join(".project.ron.autosave");
        match left_beside(&file, &project) {
            Some(Left::Edits { project, unix }) => assert!(*project == edited && unix > 0),
            other => panic!("{other:?}"),
        }
        assert!(left_beside(&file, &edited).is_none(), "all of it is saved");
        assert!(!copy.exists());

        std::fs::write(&copy, "(format: 1, na").unwrap();
        match left_beside(&file, &project) {
            Some(Left::Damaged { aside, .. }) => assert!(aside.exists() && !copy.exists()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_copy_that_comes_late_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("project.ron");
        let project = Project::parse(DEMO, &file).unwrap();
        let autosave = Autosave::beside(&file);
        autosave.file().write(&project).unwrap();
        autosave.file().end().unwrap();
        autosave.file().write(&project).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
