//! Pipes, which can be read only once: what comes through one is kept in a file as long as it is looked at.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::InputError;

/// Bytes that are kept, at most.
const LARGEST: u64 = 8 << 30;

/// What came through a pipe. The file goes with it.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    path: PathBuf,
}

impl Spool {
    /// Reads a pipe to its end; none where a path is no pipe.
    ///
    /// # Errors
    /// The pipe cannot be read, has more than 8 GiB, or there is no room for what it has.
    pub fn of(path: &Path) -> Result<Option<Self>, InputError> {
        Self::of_at_most(path, LARGEST)
    }

    fn of_at_most(path: &Path, largest: u64) -> Result<Option<Self>, InputError> {
        let is_pipe = fs::metadata(path).is_ok_and(|metadata| is_pipe(&metadata));
        if !is_pipe {
            return Ok(None);
        }
        let spool = Self::empty(path)?;
        let mut pipe = File::open(path).map_err(|error| InputError::io(path, "open", &error))?.take(largest + 1);
        let mut file = File::create_new(&spool.path).map_err(|error| InputError::io(&spool.path, "create", &error))?;
        let copied = io::copy(&mut pipe, &mut file);
        let copied = copied.map_err(|error| {
            InputError::io(path, "keep what comes through the pipe", &error).advice("write it to a file, and name that")
        })?;
        if copied > largest {
            let problem = format!("more than {largest} bytes came through the pipe");
            return Err(InputError::new(path, problem).advice("write it to a file, and name that"));
        }
        Ok(Some(spool))
    }

    /// A folder for the file, which keeps the pipe's name: the dataset is called by it.
    fn empty(path: &Path) -> Result<Self, InputError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("peso-pipe-{}-{number}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| InputError::io(&folder, "create", &error))?;
        let path = folder.join(path.file_name().unwrap_or("pipe".as_ref()));
        Ok(Self { folder, path })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // What cannot be removed lies where temporary files are removed in time.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(unix)]
fn is_pipe(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

/// Opens a file that can be read more than once.
///
/// # Errors
/// It is a folder, a pipe or a device, or cannot be opened.
pub fn open_file(path: &Path) -> Result<File, InputError> {
    let unusable = |error: io::Error| InputError::io(path, "open", &error);
    let metadata = fs::metadata(path).map_err(unusable)?;
    if metadata.is_dir() {
        return Err(InputError::new(path, "a folder, not a file"));
    }
    if is_pipe(&metadata) {
        return Err(InputError::new(path, "a pipe, which can be read only once")
            .advice("write what comes through it to a file, and name that"));
    }
    if !metadata.is_file() {
        return Err(InputError::new(path, "a device, not a file").advice("name a file"));
    }
    File::open(path).map_err(unusable)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use super::*;

    fn pipe(folder: &Path) -> PathBuf {
        let path = folder.join("events");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// Reads a pipe into which something writes so many bytes.
    fn spooled(path: &Path, bytes: usize, largest: u64) -> Result<Option<Spool>, InputError> {
        let writer = path.to_path_buf();
        let writing = std::thread::spawn(move || {
            // The reader may end early.
            let _ = fs::OpenOptions::new().write(true).open(writer).unwrap().write_all(&vec![b'x'; bytes]);
        });
        let spool = Spool::of_at_most(path, largest);
        writing.join().unwrap();
        spool
    }

    #[test]
    fn a_pipe_is_kept_whole_as_long_as_it_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let spool = spooled(&path, 300_000, 300_000).unwrap().unwrap();
        let kept = spool.path().to_path_buf();
        assert_eq!(kept.file_name(), path.file_name());
        assert_eq!(fs::metadata(&kept).unwrap().len(), 300_000);
        drop(spool);
        assert!(!kept.exists() && !kept.parent().unwrap().exists());
        let error = spooled(&path, 300_000, 299_999).unwrap_err();
        assert_eq!(error.problem, "more than 299999 bytes came through the pipe");
        assert_eq!(open_file(&path).unwrap_err().problem, "a pipe, which can be read only once");
    }

    #[test]
    fn devices_and_folders_are_refused_and_files_are_no_pipes() {
        assert_eq!(open_file(Path::new("/dev/zero")).unwrap_err().problem, "a device, not a file");
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open_file(folder.path()).unwrap_err().problem, "a folder, not a file");
        let path = folder.path().join("a");
        fs::write(&path, "x").unwrap();
        assert!(Spool::of(&path).unwrap().is_none() && open_file(&path).is_ok());
    }
}
