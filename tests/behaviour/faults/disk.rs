//! A disk that fails at one of its operations, or on which a power failure takes what was not synchronised.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use peso_workbench::files::disk::{Operation, watched};

/// What happens at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails with an error of the system, and the next succeed.
    Once(i32),
    /// Half of what it writes is written before it fails; one that writes nothing just fails.
    Short(i32),
    /// From then on nothing that takes room succeeds.
    Full,
    /// The power fails before it.
    PowerCut(Lost),
}

/// What a power failure takes, of what was not synchronised: file systems write names and contents in no certain order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    Everything,
    /// Names are there, and lead to empty files.
    Contents,
}

pub const EIO: i32 = 5;
pub const EACCES: i32 = 13;
pub const ENOSPC: i32 = 28;

/// What undoes a change of names.
#[derive(Debug)]
enum Undo {
    File(PathBuf),
    Folder(PathBuf),
    Move { from: PathBuf, to: PathBuf, replaced: Option<Vec<u8>> },
    Removal(PathBuf, Vec<u8>),
}

impl Undo {
    /// The folder that has to be synchronised for the change to last.
    fn folder(&self) -> Option<&Path> {
        let (Self::File(path) | Self::Folder(path) | Self::Move { to: path, .. } | Self::Removal(path, _)) = self;
        path.parent()
    }

    fn carry_out(self) {
        // What was done in a folder that is gone is gone with it.
        let _ = match self {
            Self::File(path) => fs::remove_file(path),
            Self::Folder(path) => fs::remove_dir_all(path),
            Self::Removal(path, bytes) => fs::write(path, bytes),
            Self::Move { from, to, replaced } => {
                fs::rename(&to, from).and_then(|()| replaced.map_or(Ok(()), |bytes| fs::write(&to, bytes)))
            }
        };
    }
}

#[derive(Debug, Default)]
struct State {
    operations: usize,
    /// What the fault hit.
    hit: Option<String>,
    names: Vec<Undo>,
    /// By file whose content is not synchronised: its length that is.
    contents: BTreeMap<PathBuf, u64>,
}

/// What there is to say of the operations of some work.
#[derive(Debug, Default)]
pub struct Told {
    pub operations: usize,
    /// The operation that the fault hit; none where there were fewer.
    pub hit: Option<String>,
}

/// Does some work on a disk that is sound but for a fault at operation `at`, from 1; what a power failure takes is gone
/// afterwards.
pub fn with_fault<R>(at: usize, fault: Fault, work: impl FnOnce() -> R) -> (R, Told) {
    let state = Rc::new(RefCell::new(State::default()));
    let watching = Rc::clone(&state);
    let result = watched(move |operation| watching.borrow_mut().about_to(operation, at, fault), work);
    let state = Rc::into_inner(state).unwrap().into_inner();
    let told = Told { operations: state.operations, hit: state.hit.clone() };
    if let (Fault::PowerCut(lost), Some(_)) = (fault, &told.hit) {
        state.cut(lost);
    }
    (result, told)
}

impl State {
    fn about_to(&mut self, operation: &Operation<'_>, at: usize, fault: Fault) -> io::Result<()> {
        self.operations += 1;
        let error = |code| Err(io::Error::from_raw_os_error(code));
        if self.operations == at {
            self.hit = Some(format!("{operation:?}").chars().take(150).collect());
            match fault {
                Fault::Once(code) => return error(code),
                Fault::Short(code) => {
                    match operation {
                        Operation::Write { file, bytes, .. } => {
                            (&**file).write_all(&bytes[..bytes.len() / 2])?;
                        }
                        Operation::WriteWhole(path) => fs::write(path, b"half")?,
                        _ => {}
                    }
                    return error(code);
                }
                Fault::Full | Fault::PowerCut(_) => {}
            }
        }
        if self.hit.is_some() {
            match fault {
                Fault::PowerCut(_) => return error(EIO),
                Fault::Full if !matches!(operation, Operation::Remove(_) | Operation::Sync(_) | Operation::Cut(..)) => {
                    return error(ENOSPC);
                }
                _ => {}
            }
        }
        if let Fault::PowerCut(_) = fault {
            self.remember(operation);
        }
        Ok(())
    }

    /// What it takes to undo an operation.
    fn remember(&mut self, operation: &Operation<'_>) {
        let length = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
        match *operation {
            Operation::CreateFolder(path) if !path.exists() => self.names.push(Undo::Folder(path.to_path_buf())),
            Operation::Open(path) | Operation::WriteWhole(path) if !path.exists() => {
                self.names.push(Undo::File(path.to_path_buf()));
                self.contents.insert(path.to_path_buf(), 0);
            }
            Operation::Write { path, .. } | Operation::Cut(path, _) => {
                self.contents.entry(path.to_path_buf()).or_insert_with(|| length(path));
            }
            Operation::Sync(path) if path.is_dir() => self.names.retain(|undo| undo.folder() != Some(path)),
            Operation::Sync(path) => drop(self.contents.remove(path)),
            Operation::Rename { from, to } => {
                let replaced = fs::read(to).ok();
                self.names.push(Undo::Move { from: from.to_path_buf(), to: to.to_path_buf(), replaced });
                for (path, length) in std::mem::take(&mut self.contents) {
                    let moved = path
                        .strip_prefix(from)
                        .map(|rest| if rest == Path::new("") { to.into() } else { to.join(rest) });
                    self.contents.insert(moved.unwrap_or(path), length);
                }
            }
            Operation::Link { to, .. } => self.names.push(Undo::File(to.to_path_buf())),
            Operation::Remove(path) => {
                if let Ok(bytes) = fs::read(path) {
                    self.names.push(Undo::Removal(path.to_path_buf(), bytes));
                }
                self.contents.retain(|file, _| !file.starts_with(path));
            }
            // SQLite synchronises what it writes itself.
            _ => {}
        }
    }

    fn cut(self, lost: Lost) {
        for (path, length) in self.contents {
            // One whose removal was not synchronised may be there or not.
            let _ = fs::File::options().write(true).open(path).and_then(|file| file.set_len(length));
        }
        if lost == Lost::Everything {
            self.names.into_iter().rev().for_each(Undo::carry_out);
        }
    }
}
