//! Reading and writing files so that nothing is ever half-read or half-written, whenever the power fails.
//!
//! What changes the disk goes through [`disk`], operation by operation; what is made of these operations so that it is there
//! as a whole or not at all, and outlives a power failure, is in [`atomic`]; files that only grow are in [`lines`].

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

pub mod atomic;
pub mod disk;
pub mod lines;
pub mod lock;

pub use self::atomic::{
    copy_files, create_folder, remove, remove_folder, remove_left_behind, remove_left_behind_of, remove_whole_folder,
    rename, write_atomically, write_atomically_with, write_folder, write_new, write_pieces_atomically,
};
pub use self::lock::{is_locked, lock};
use crate::error::InputError;

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

/// Size of all files in a folder and its folders, links not followed.
pub fn tree_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => tree_bytes(&entry.path()),
        Ok(found) if found.is_file() => found.len(),
        _ => 0,
    };
    entries.map(size).sum()
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
        fs::write(folder.path().join("c/d"), b"1234567").unwrap();
        assert_eq!(tree_bytes(folder.path()), 16);
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
