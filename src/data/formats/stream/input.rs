//! Files as a stream, plain or compressed, with progress and a way to end early.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::gzip::Gzip;
use super::{encoding, foreign, spool};
use crate::data::formats::ImportError;
use crate::data::formats::assumption::Assumption;
use crate::error::InputError;

/// Longest line or record that is read; a longer one is no record of any format, and would fill the memory.
const LONGEST: u64 = 16 << 20;
/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 1 << 20;

/// How far an import is, in bytes of the files as they lie on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
}

/// Is told the progress of an import at least every few megabytes; `Break` ends the import and leaves nothing behind.
pub type OnProgress<'w> = &'w mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Counts what is read, and hears whether to go on.
pub struct Monitor<'w> {
    on_progress: RefCell<OnProgress<'w>>,
    done: Cell<u64>,
    reported: Cell<u64>,
    total: u64,
    cancelled: Cell<bool>,
    notes: RefCell<Vec<Assumption>>,
}

impl<'w> Monitor<'w> {
    /// For `total` bytes in all.
    pub fn new(on_progress: OnProgress<'w>, total: u64) -> Self {
        Self {
            on_progress: RefCell::new(on_progress),
            done: Cell::new(0),
            reported: Cell::new(0),
            total,
            cancelled: Cell::new(false),
            notes: RefCell::default(),
        }
    }

    /// Keeps what is to be said of a file besides its records; once, however often the file is opened.
    pub fn note(&self, note: Assumption) {
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What is to be said.
    pub fn notes(&self) -> Vec<Assumption> {
        self.notes.borrow().clone()
    }

    /// Counts bytes; an error where the import is to end.
    pub fn advance(&self, bytes: u64) -> io::Result<()> {
        let done = self.done.get() + bytes;
        self.done.set(done);
        if done - self.reported.get() >= REPORT_EVERY {
            self.reported.set(done);
            let progress = Progress { done: done.min(self.total), total: self.total };
            if (self.on_progress.borrow_mut())(progress).is_break() {
                self.cancelled.set(true);
            }
        }
        if self.cancelled.get() { Err(io::Error::other("cancelled")) } else { Ok(()) }
    }

    /// The error for what reading `path` said.
    pub fn error(&self, path: &Path, error: &io::Error) -> ImportError {
        if self.cancelled.get() {
            return ImportError::Cancelled;
        }
        let unusable = match error.kind() {
            ErrorKind::UnexpectedEof => InputError::new(path, "the compressed file is cut off").advice(AGAIN),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                InputError::new(path, format!("the file is damaged: {error}")).advice(AGAIN)
            }
            _ => InputError::io(path, "read", error),
        };
        unusable.into()
    }
}

const AGAIN: &str = "fetch or copy it again";

/// Counts what comes from the disk.
struct Counted<'m, 'w> {
    file: File,
    monitor: &'m Monitor<'w>,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.monitor.advance(count as u64)?;
        Ok(count)
    }
}

/// Opens a file of text, which becomes UTF-8 where its first bytes say that it is not.
///
/// # Errors
/// It is no file, cannot be read, or is of a kind that holds no records: an archive, a picture, a web page.
pub fn open<'m>(path: &Path, monitor: &'m Monitor<'_>) -> Result<Box<dyn BufRead + 'm>, ImportError> {
    encoding::in_utf8(open_bytes(path, monitor)?).map_err(|error| monitor.error(path, &error))
}

/// Opens a file; what its first bytes say is gzip or Zstandard is decompressed as it is read.
fn open_bytes<'m>(path: &Path, monitor: &'m Monitor<'_>) -> Result<Box<dyn BufRead + 'm>, ImportError> {
    let failed = |error: io::Error| monitor.error(path, &error);
    let file = spool::open_file(path)?;
    let mut reader = BufReader::with_capacity(1 << 17, Counted { file, monitor });
    // A buffer of a file holds its first bytes at once, unless the file has fewer.
    let start = reader.fill_buf().map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let behind = move || {
        monitor.note(Assumption::fact(format!("{name}: bytes behind the end of the gzip data are not read")));
    };
    let mut reader: Box<dyn BufRead + 'm> = match start {
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(1 << 17, Gzip::new(reader, behind))),
        // A frame, or one that is to be skipped before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(failed)?;
            Box::new(BufReader::with_capacity(1 << 17, decoder))
        }
        _ => Box::new(reader),
    };
    match foreign::refusal(path, reader.fill_buf().map_err(failed)?) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(reader),
    }
}

/// A file line by line.
pub struct Lines<'m, 'w> {
    reader: Box<dyn BufRead + 'm>,
    monitor: &'m Monitor<'w>,
    path: PathBuf,
    line: Vec<u8>,
    number: u64,
}

impl<'m, 'w> Lines<'m, 'w> {
    pub fn open(path: &Path, monitor: &'m Monitor<'w>) -> Result<Self, ImportError> {
        let reader = open(path, monitor)?;
        Ok(Self { reader, monitor, path: path.to_path_buf(), line: Vec::new(), number: 0 })
    }

    /// The next line that is not blank, with its number from 1 and without its end.
    pub fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, ImportError> {
        loop {
            self.line.clear();
            let mut limited = (&mut self.reader).take(LONGEST);
            let read = limited.read_until(b'\n', &mut self.line);
            if read.map_err(|error| self.monitor.error(&self.path, &error))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() as u64 == LONGEST {
                return Err(too_long(&self.path, self.number).into());
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let mut line = without_end(&self.line);
        if self.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        Ok(Some((self.number, line)))
    }
}

/// A line without its end.
pub fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The error for a record of more bytes than any record has.
pub fn too_long(path: &Path, line: u64) -> InputError {
    InputError::new(path, "a line of more than 16 MiB, or a quote that nothing closes")
        .at(format!("line {line}"))
        .advice("a record a line was expected")
}

/// The first bytes of a file, decompressed, of whatever encoding: at most `max`, enough to tell its format.
pub fn start(path: &Path, max: u64) -> Result<Vec<u8>, InputError> {
    let mut ignore = |_| ControlFlow::Continue(());
    let monitor = Monitor::new(&mut ignore, 0);
    let read = open_bytes(path, &monitor).and_then(|reader| {
        let mut bytes = Vec::new();
        match reader.take(max).read_to_end(&mut bytes) {
            // What lies before the damage tells the format; reading the whole file tells of the damage.
            Err(_) if !bytes.is_empty() => Ok(bytes),
            Err(error) => Err(monitor.error(path, &error)),
            Ok(_) => Ok(bytes),
        }
    });
    read.map_err(ImportError::into_input_error)
}
