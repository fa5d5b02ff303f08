//! Files and folders that are there as a whole or not at all: written under a hidden name, synchronised, renamed.
//!
//! The order makes them outlive a power failure: the content is synchronised before it gets its name, and the folder after,
//! so that no name ever leads to content that is not on the disk. Folders are synchronised too when they are made, since a
//! file in a folder that the disk does not know is lost with it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{self, Output};
use super::unwritable;
use crate::error::InputError;

/// Writes `bytes` to `path` so that a reader sees the old content or the new one, never a part of it, whatever happens
/// in between: a temporary file in the same folder, fsync, rename, fsync of the folder.
///
/// # Errors
/// The folder is missing or cannot be written, or the disk is full; `path` is then as it was. Where it is the folder that
/// cannot be synchronised, the new content is there as a whole, but may not outlive a power failure.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), InputError> {
    write_pieces_atomically(path, |file| file.write_all(bytes))
}

/// The same for content that is written piece by piece.
///
/// # Errors
/// As [`write_atomically`], or what `write` says.
pub fn write_pieces_atomically(
    path: &Path,
    write: impl FnOnce(&mut Output) -> io::Result<()>,
) -> Result<(), InputError> {
    in_place(path, |temporary| {
        let mut file = Output::create_new(temporary)?;
        write(&mut file)?;
        file.sync()
    })
}

/// As [`write_atomically`], for content that a library writes: `write` is given the path of a file to make.
///
/// # Errors
/// See [`write_atomically`].
pub fn write_atomically_with(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), InputError> {
    in_place(path, |temporary| disk::write_whole(temporary, write).and_then(|()| disk::sync(temporary)))
}

/// Puts what `durably` writes in the place of a file.
fn in_place(path: &Path, durably: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), InputError> {
    let temporary = temporary_beside(path);
    if let Err(error) = durably(&temporary).and_then(|()| disk::rename(&temporary, path)) {
        // The first error is the one that tells; a temporary file that cannot be removed either adds nothing to it.
        let _ = disk::remove(&temporary);
        return Err(unwritable(path, &error));
    }
    sync_names(path).map_err(|error| unwritable(path, &error))
}

/// Writes a file as [`write_atomically`] does, unless there is something already; whether it was written.
///
/// # Errors
/// The folder is missing or cannot be written, or the disk is full.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, InputError> {
    let temporary = temporary_beside(path);
    let made = || {
        let mut file = Output::create_new(&temporary)?;
        file.write_all(bytes)?;
        file.sync()?;
        match disk::link(&temporary, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // File systems without links: whoever is first between the look and the rename loses, and nobody can tell.
            Err(_) if path.exists() => Ok(false),
            Err(_) => disk::rename(&temporary, path).map(|()| true),
        }
    };
    let written = made();
    // It is gone where it was renamed; where it cannot be removed it does no harm.
    let _ = disk::remove(&temporary);
    written.and_then(|made| sync_names(path).map(|()| made)).map_err(|error| unwritable(path, &error))
}

/// Makes a folder that is whole from its first moment: `fill` is given a hidden one beside it, which then takes its name.
///
/// # Errors
/// There is something at the path already, `fill` fails, or the folder cannot be written; nothing is then left behind.
pub fn write_folder(path: &Path, fill: impl FnOnce(&Path) -> Result<(), InputError>) -> Result<(), InputError> {
    let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if path.exists() && !is_empty {
        return Err(InputError::new(path, "there is something already").advice("name a folder that does not exist yet"));
    }
    let temporary = temporary_beside(path);
    let filled = create_folder(&temporary).and_then(|()| fill(&temporary)).and_then(|()| rename(&temporary, path));
    if filled.is_err() {
        // As above: the first error is the one that tells.
        let _ = disk::remove_folder(&temporary);
    }
    filled
}

/// Creates a folder and those above it.
///
/// # Errors
/// One of them cannot be created.
pub fn create_folder(path: &Path) -> Result<(), InputError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        create_folder(above)?;
    }
    let made = disk::create_folder(path).and_then(|is_new| if is_new { sync_names(path) } else { Ok(()) });
    made.map_err(|error| unwritable(path, &error))
}

/// Moves a file or folder, on the same file system.
///
/// # Errors
/// One of the folders cannot be written, or there is a folder that is not empty already.
pub fn rename(from: &Path, to: &Path) -> Result<(), InputError> {
    let moved = disk::rename(from, to)
        .and_then(|()| sync_names(to))
        .and_then(|()| if from.parent() == to.parent() { Ok(()) } else { sync_names(from) });
    moved.map_err(|error| unwritable(to, &error))
}

/// Removes a file, if there is one.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> Result<(), InputError> {
    match disk::remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unwritable(path, &error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it, if there is one.
///
/// # Errors
/// Something in it cannot be removed.
pub fn remove_folder(path: &Path) -> Result<(), InputError> {
    match disk::remove_folder(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unwritable(path, &error)),
        _ => Ok(()),
    }
}

/// Copies the files of a folder, but not its folders, into another, which is made where it is missing.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_files(from: &Path, to: &Path) -> Result<(), InputError> {
    create_folder(to)?;
    let unreadable = |path: &Path, error: &io::Error| InputError::io(path, "read", error);
    for entry in fs::read_dir(from).map_err(|error| unreadable(from, &error))? {
        let path = entry.map_err(|error| unreadable(from, &error))?.path();
        match path.file_name() {
            Some(name) if path.is_file() && !is_temporary(name) => {
                write_atomically(&to.join(name), &fs::read(&path).map_err(|error| unreadable(&path, &error))?)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes a folder with all that is in it, so that it is there as a whole or not at all.
///
/// # Errors
/// It is not there, or cannot be removed; where it was begun, nobody sees what is left of it.
pub fn remove_whole_folder(path: &Path) -> Result<(), InputError> {
    let gone = temporary_beside(path);
    rename(path, &gone).and_then(|()| remove_folder(&gone))
}

/// Removes what writers that were killed left in a folder and in its folders. Nobody may be writing there now.
pub fn remove_left_behind(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name()) {
            remove_any(&entry.path());
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_left_behind(&entry.path());
        }
    }
}

/// Removes what writers that were killed left of a file or folder, and of those beside it whose names begin with its own and
/// a dot. Nobody may be writing these now.
pub fn remove_left_behind_of(path: &Path) {
    let beginning = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    for entry in path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if is_temporary(&name) && name.to_string_lossy().starts_with(&beginning) {
            remove_any(&entry.path());
        }
    }
}

/// What cannot be removed only takes room.
fn remove_any(path: &Path) {
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let _ = if is_folder { disk::remove_folder(path) } else { disk::remove(path) };
}

/// A name in the same folder (a rename must not cross file systems) that no other writer uses.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let named = || {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        path.with_file_name(format!(".{name}.{}-{number}{TEMPORARY}", std::process::id()))
    };
    // A process that was killed, and had the number that this one has, may have left something.
    let mut temporary = named();
    while temporary.symlink_metadata().is_ok() {
        temporary = named();
    }
    temporary
}

const TEMPORARY: &str = ".tmp";

/// Whether a name is as [`temporary_beside`] gives them.
fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(TEMPORARY.as_bytes())
}

/// Makes the name of what is at a path outlive a power failure. Not every file system can, and those that cannot say so.
fn sync_names(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match disk::sync(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        // Windows does not open folders, and keeps its names in a journal.
        Err(error) if cfg!(windows) && error.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_writers_left_is_in_nobodys_way_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"first").unwrap();
        // The names that this process, and one that had its number before, would take next.
        let next: u64 = {
            let name = temporary_beside(&path).file_name().unwrap().to_string_lossy().into_owned();
            name.rsplit_once('-').unwrap().1.trim_end_matches(TEMPORARY).parse().unwrap()
        };
        let left = |number: u64| folder.path().join(format!(".a.json.{}-{number}{TEMPORARY}", std::process::id()));
        for number in 0..50 {
            fs::write(left(next + number), b"half").unwrap();
        }
        fs::create_dir_all(left(next + 50).join("folder")).unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        remove_left_behind_of(&folder.path().join("b.json"));
        assert!(left(next + 50).exists());
        remove_left_behind_of(&folder.path().join("a"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("below/.x.1-1.tmp"), b"half").unwrap();
        remove_left_behind(folder.path());
        assert!(!folder.path().join("below/.x.1-1.tmp").exists() && path.exists());
    }
}
