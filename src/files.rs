//! Reading and writing files so that nothing is ever half-read or half-written.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::InputError;

/// Writes `bytes` to `path` so that a reader sees the old content or the new one, never a part of it, whatever happens
/// in between: a temporary file in the same folder, fsync, rename.
///
/// # Errors
/// The folder is missing or cannot be written, or the disk is full; `path` is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), InputError> {
    write_pieces_atomically(path, |file| file.write_all(bytes))
}

/// The same for content that is written piece by piece.
///
/// # Errors
/// As [`write_atomically`], or what `write` says.
pub fn write_pieces_atomically(
    path: &Path,
    write: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<(), InputError> {
    write_atomically_with(path, |temporary| {
        write(&mut OpenOptions::new().write(true).create_new(true).open(temporary)?)
    })
}

/// As [`write_atomically`], for content that is too large to lie in memory as a whole: `write` is given the path of a
/// file to make.
///
/// # Errors
/// See [`write_atomically`].
pub fn write_atomically_with(path: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), InputError> {
    let temporary = temporary_beside(path);
    let durably = || write(&temporary).and_then(|()| File::open(&temporary)?.sync_all());
    let written = durably().and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // The first error is the one that tells; a temporary file that cannot be removed either adds nothing to it.
        let _ = fs::remove_file(&temporary);
        return Err(unwritable(path, &error));
    }
    sync_folder(path.parent());
    Ok(())
}

/// Writes a file as [`write_atomically`] does, unless there is something already; whether it was written.
///
/// # Errors
/// The folder is missing or cannot be written, or the disk is full.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, InputError> {
    let temporary = temporary_beside(path);
    let made = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // File systems without links: whoever is first between the look and the rename loses, and nobody can tell.
            Err(_) if path.exists() => Ok(false),
            Err(_) => fs::rename(&temporary, path).map(|()| true),
        }
    };
    let written = made();
    // It is gone where it was renamed; where it cannot be removed it does no harm.
    let _ = fs::remove_file(&temporary);
    if matches!(written, Ok(true)) {
        sync_folder(path.parent());
    }
    written.map_err(|error| unwritable(path, &error))
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
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_folder(parent)?;
    }
    let temporary = temporary_beside(path);
    let filled = create_folder(&temporary).and_then(|()| fill(&temporary));
    let filled = filled.and_then(|()| fs::rename(&temporary, path).map_err(|error| unwritable(path, &error)));
    match &filled {
        Ok(()) => sync_folder(path.parent()),
        Err(_) => {
            // As above: the first error is the one that tells.
            let _ = fs::remove_dir_all(&temporary);
        }
    }
    filled
}

/// Creates a folder and those above it.
///
/// # Errors
/// One of them cannot be created.
pub fn create_folder(path: &Path) -> Result<(), InputError> {
    fs::create_dir_all(path).map_err(|error| unwritable(path, &error))
}

/// Removes a file, if there is one.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> Result<(), InputError> {
    match fs::remove_file(path) {
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
    let unreadable = |path: &Path, error: &std::io::Error| InputError::io(path, "read", error);
    for entry in fs::read_dir(from).map_err(|error| unreadable(from, &error))? {
        let path = entry.map_err(|error| unreadable(from, &error))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            write_atomically(&to.join(name), &fs::read(&path).map_err(|error| unreadable(&path, &error))?)?;
        }
    }
    Ok(())
}

/// Reads a text file of at most `largest` bytes.
///
/// # Errors
/// The file is missing, larger, or not UTF-8.
pub fn read_text(path: &Path, largest: u64) -> Result<String, InputError> {
    let file = File::open(path).map_err(|error| InputError::io(path, "read", &error))?;
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes).map_err(|error| InputError::io(path, "read", &error))?;
    if bytes.len() as u64 > largest {
        return Err(InputError::new(path, format!("larger than {largest} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        InputError::new(path, "not a text file in UTF-8").at(format!("byte {}", error.utf8_error().valid_up_to()))
    })
}

/// Size of the files in a folder (not in its folders), without those that a killed write left behind, whose names begin with
/// a dot; 0 where there is no folder.
pub fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let whole = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    whole.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

/// Bytes that may be written below a folder, which need not be there yet; none where the system does not tell.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let whole = std::path::absolute(folder).ok()?;
    let there = whole.ancestors().find(|folder| folder.is_dir())?;
    free_bytes_at(there)
}

#[cfg(unix)]
fn free_bytes_at(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    // File systems without blocks, such as those of the kernel's own figures, have no room to tell of.
    (found.f_blocks > 0).then_some(())?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes_at(_: &Path) -> Option<u64> {
    None
}

/// Takes the exclusive lock of a file, which is made where it is missing; none if somebody else holds it for longer than
/// `patience`. Whoever looks with [`is_locked`] has it for a moment, so no patience at all would be too little.
///
/// # Errors
/// The file cannot be written, or its file system has no locks.
pub fn lock(path: &Path, patience: Duration) -> Result<Option<File>, InputError> {
    let file = File::options().create(true).append(true).open(path).map_err(|error| unwritable(path, &error))?;
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(InputError::io(path, "lock", &error)),
        }
    }
}

/// Whether somebody holds the lock of a file.
pub fn is_locked(path: &Path) -> bool {
    // A shared lock does not disturb others who look; the file is closed, and the lock gone, at the end.
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The error for a file or folder that cannot be written, with what to do about it.
pub fn unwritable(path: &Path, error: &std::io::Error) -> InputError {
    let unwritable = InputError::io(path, "write", error);
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            unwritable.advice("choose a folder that you may write to")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => unwritable.advice("free some space on the disk"),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            unwritable.advice("a file stands where a folder must be")
        }
        _ => unwritable,
    }
}

/// A name in the same folder (a rename must not cross file systems) that no other writer uses.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

/// Makes a rename durable. Not every file system can; the content is whole either way, so failing here is no error.
fn sync_folder(folder: Option<&Path>) {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_file_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("project.ron");
        write_atomically(&path, b"first, and longer").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("project.ron");
        assert!(write_new(&path, b"first").unwrap());
        assert!(!write_new(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_new(&folder.path().join("nowhere/x"), b"").is_err());
    }

    #[test]
    fn a_failed_write_leaves_nothing_and_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("something"), b"").unwrap();
        let error = write_atomically(&taken, b"bytes").unwrap_err();
        assert_eq!(error.path, taken);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_size_of_a_folder_is_that_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), b"12345").unwrap();
        fs::write(folder.path().join("b"), b"123").unwrap();
        fs::write(folder.path().join(".b.7-0.tmp"), b"1").unwrap();
        fs::create_dir(folder.path().join("c")).unwrap();
        assert_eq!(folder_bytes(folder.path()), 8);
        assert_eq!(folder_bytes(&folder.path().join("nowhere")), 0);
    }

    #[cfg(unix)]
    #[test]
    fn free_room_is_that_of_the_nearest_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let free = |path: &Path| free_bytes(path).unwrap();
        assert!(free(folder.path()) > 0);
        // Others write meanwhile.
        let (here, below) = (free(folder.path()), free(&folder.path().join("a/b")));
        assert!(here.abs_diff(below) < 1 << 30, "{here} and {below}");
    }

    #[test]
    fn reading_refuses_what_is_too_large_or_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "éé").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "éé");
        assert!(read_text(&path, 3).unwrap_err().problem.contains("larger than 3 bytes"));
        fs::write(&path, b"ab\xff").unwrap();
        assert_eq!(read_text(&path, 10).unwrap_err().place.as_deref(), Some("byte 2"));
    }
}
