//! The operations that change the disk, one function each: the one place through which the program makes, writes, renames and
//! removes files, and so the place where a test can be told of every operation and have it fail.
//!
//! A test hooks in for its own thread alone ([`watched`]). A trait that every writer carries would stand in the signature of
//! half the program for the sake of tests; a setting or a variable of the environment could be left on; and a thread does all
//! the writing of the run that it trains, so that tests side by side do not disturb each other. Nothing but tests calls it.
//!
//! SQLite writes its files itself; of it every transaction is one operation, [`Operation::Commit`].

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What is about to be done to the disk.
#[derive(Debug)]
pub enum Operation<'a> {
    CreateFolder(&'a Path),
    /// A file is made, or opened to be written at its end.
    Open(&'a Path),
    /// Bytes are written at the end of a file.
    Write {
        path: &'a Path,
        file: &'a File,
        bytes: &'a [u8],
    },
    /// A new file is written by a library of others, all of it.
    WriteWhole(&'a Path),
    /// A file is cut to a length.
    Cut(&'a Path, u64),
    /// What was done to a file's content, or to the names in a folder, is to outlive a power failure.
    Sync(&'a Path),
    Rename {
        from: &'a Path,
        to: &'a Path,
    },
    /// Another name for a file.
    Link {
        from: &'a Path,
        to: &'a Path,
    },
    /// A file, or a folder with all that is in it.
    Remove(&'a Path),
    /// A transaction of the database at a path, which is durable when it is done.
    Commit(&'a Path),
}

impl Operation<'_> {
    /// The file or folder that it changes.
    pub fn path(&self) -> &Path {
        match self {
            Self::CreateFolder(path)
            | Self::Open(path)
            | Self::Write { path, .. }
            | Self::WriteWhole(path)
            | Self::Cut(path, _)
            | Self::Sync(path)
            | Self::Remove(path)
            | Self::Commit(path) => path,
            Self::Rename { to, .. } | Self::Link { to, .. } => to,
        }
    }
}

/// Told of every operation before it is done; where it gives an error, the operation fails with that and is not done.
pub type Watch<'a> = dyn FnMut(&Operation<'_>) -> io::Result<()> + 'a;

thread_local! {
    static WATCH: RefCell<Option<Box<Watch<'static>>>> = const { RefCell::new(None) };
}

/// Does some work while a test is told of each operation of this thread.
pub fn watched<R>(watch: impl FnMut(&Operation<'_>) -> io::Result<()> + 'static, work: impl FnOnce() -> R) -> R {
    /// Ends the watch also where the work panics.
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            WATCH.with_borrow_mut(Option::take);
        }
    }
    WATCH.with_borrow_mut(|current| *current = Some(Box::new(watch)));
    let _ended = Ended;
    work()
}

fn about_to(operation: &Operation<'_>) -> io::Result<()> {
    WATCH.with_borrow_mut(|watch| watch.as_mut().map_or(Ok(()), |watch| watch(operation)))
}

/// A file that is written from its beginning or at its end.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Makes a file that is not there yet.
    pub(crate) fn create_new(path: &Path) -> io::Result<Self> {
        about_to(&Operation::Open(path))?;
        Ok(Self { path: path.to_path_buf(), file: File::create_new(path)? })
    }

    /// Opens a file to be written at its end, which is made where it is missing.
    pub(super) fn append(path: &Path) -> io::Result<Self> {
        refuse_link(path)?;
        about_to(&Operation::Open(path))?;
        let file = File::options().create(true).read(true).append(true).open(path)?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn cut(&self, length: u64) -> io::Result<()> {
        about_to(&Operation::Cut(&self.path, length))?;
        self.file.set_len(length)
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        about_to(&Operation::Sync(&self.path))?;
        self.file.sync_all()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        about_to(&Operation::Write { path: &self.path, file: &self.file, bytes })?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Output {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Refuses a link in the place of a file that is written where it lies: in a folder from somebody else it may lead to any file of
/// the user. Others are replaced by the file that is written.
pub(crate) fn refuse_link(path: &Path) -> io::Result<()> {
    if path.is_symlink() {
        return Err(io::Error::other("it is a link to another place; put the file itself there"));
    }
    Ok(())
}

/// Opens a file whose lock is taken, which is made where it is missing.
pub(super) fn open_to_lock(path: &Path) -> io::Result<File> {
    refuse_link(path)?;
    if !path.exists() {
        about_to(&Operation::Open(path))?;
    }
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

/// Has a library write a new file.
pub(super) fn write_whole(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    about_to(&Operation::WriteWhole(path))?;
    write(path)
}

/// Makes a file's content, or the names in a folder, outlive a power failure.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    about_to(&Operation::Sync(path))?;
    File::open(path)?.sync_all()
}

/// Makes one folder in another that is there; whether it was not there yet.
pub(super) fn create_folder(path: &Path) -> io::Result<bool> {
    about_to(&Operation::CreateFolder(path))?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        made => made.map(|()| true),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    about_to(&Operation::Rename { from, to })?;
    fs::rename(from, to)
}

pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    about_to(&Operation::Link { from, to })?;
    fs::hard_link(from, to)
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    about_to(&Operation::Remove(path))?;
    fs::remove_file(path)
}

pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    about_to(&Operation::Remove(path))?;
    fs::remove_dir_all(path)
}

/// To be called before a transaction of a database.
///
/// # Errors
/// A test wants it to fail.
pub fn commit(database: &Path) -> io::Result<()> {
    about_to(&Operation::Commit(database))
}
