//! The folder of crash reports: the newest few, one file a crash.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::InputError;
use crate::{calendar, files, user_folders};

/// Reports that are kept; older ones are removed when another is written.
pub const MOST: usize = 20;

/// Where reports are written, where the system names a folder for such things.
pub fn folder() -> Option<PathBuf> {
    user_folders::state().map(|state| state.join("crashes"))
}

/// The reports in a folder, oldest first.
pub fn list(folder: &Path) -> Vec<PathBuf> {
    let is_report = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("crash-") && name.ends_with(".txt")
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut reports: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_report).collect();
    // The moment stands first in their names.
    reports.sort();
    reports
}

/// Writes a report; nothing where this process has written one in the same second, since what follows from a panic at
/// once tells less than the first.
pub(super) fn write(folder: &Path, unix: u64, text: &str) -> Result<Option<PathBuf>, InputError> {
    files::create_folder(folder)?;
    let moment = calendar::to_the_second(unix).replace(' ', "T").replace(':', "-");
    let path = folder.join(format!("crash-{moment}-{}.txt", std::process::id()));
    let written = files::write_new(&path, text.as_bytes())?;
    let reports = list(folder);
    for old in &reports[..reports.len().saturating_sub(MOST)] {
        // One too many takes a little room.
        let _ = files::remove(old);
    }
    Ok(written.then_some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_reports_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("state/crashes");
        // 2026-11-30 05:00:00 UTC, by `date -u -d @1796014800`.
        let first = 1_796_014_800;
        let path = write(&folder, first, "first").unwrap().unwrap();
        let name = format!("crash-2026-11-30T05-00-00Z-{}.txt", std::process::id());
        assert_eq!(path, folder.join(name));
        assert_eq!(write(&folder, first, "what followed").unwrap(), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        fs::write(folder.join("notes.txt"), "of the user").unwrap();
        for later in 1..=MOST as u64 + 4 {
            write(&folder, first + later, "later").unwrap().unwrap();
        }
        let reports = list(&folder);
        assert_eq!(reports.len(), MOST);
        assert!(reports[0].ends_with(format!("crash-2026-11-30T05-00-05Z-{}.txt", std::process::id())), "{reports:?}");
        assert!(folder.join("notes.txt").exists());
    }
}
