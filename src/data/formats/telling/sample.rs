//! The beginning of a file, from which its format is told.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::data::formats::ImportError;
use crate::data::formats::reader::records::{Cut, Records, separator_line};
use crate::data::formats::reader::{json_repair, object, object_stream, python};
use crate::data::formats::reading::{Encoding, Escape, Reading};
use crate::data::formats::stream::encoding::Change;
use crate::data::formats::stream::input;
use crate::data::formats::stream::input::{Lines, Monitor};
use crate::data::formats::value::field;
use crate::error::InputError;

/// Bytes of a sample.
const SAMPLE_BYTES: u64 = 1 << 16;
/// Lines of a sample.
const SAMPLE_LINES: usize = 20;

/// The beginning of a file.
#[derive(Debug, Clone)]
pub struct FileSample {
    pub path: PathBuf,
    /// What the project says of how values are written.
    pub reading: Reading,
    /// How its bytes become UTF-8.
    pub change: Option<Change>,
    pub comments: Option<Comments>,
    /// The separator that a first line names for Excel.
    pub separator: Option<u8>,
    /// In UTF-8 as far as that can be told, behind comments.
    start: Vec<u8>,
    /// Whether `start` is the whole file.
    whole: bool,
}

/// Lines before the first record that say something for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comments {
    /// What they begin with.
    pub mark: u8,
    pub lines: u64,
    /// The last of them, without the mark.
    pub last: String,
}

impl FileSample {
    /// Reads the beginning of a file, decompressed.
    ///
    /// # Errors
    /// The file cannot be opened, or is compressed and damaged from the start.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        Self::read_as(path, Reading::default())
    }

    /// The same of a file of which the project says how values are written.
    ///
    /// # Errors
    /// As [`FileSample::read`].
    pub fn read_as(path: &Path, reading: Reading) -> Result<Self, InputError> {
        let raw = input::start(path, SAMPLE_BYTES)?;
        let whole = (raw.len() as u64) < SAMPLE_BYTES;
        let change = match reading.encoding {
            Some(Encoding::Latin1) => Some(Change::Latin1),
            _ => Change::of(&raw),
        };
        let mut start = match change {
            Some(change) => changed(change, &raw),
            None => raw,
        };
        let path = path.to_path_buf();
        let mut sample = Self { path, reading, change, comments: None, separator: None, start: Vec::new(), whole };
        if let Some(mark) = comment_mark(&start) {
            sample.behind_comments(mark)?;
            return Ok(sample);
        }
        let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        if let Some(separator) = separator_line(input::without_end(without_mark(first))) {
            sample.separator = Some(separator);
            start.drain(..first.len() + 1);
        }
        sample.start = start;
        Ok(sample)
    }

    /// Reads what stands behind the comments, of which there may be more than a sample has bytes.
    fn behind_comments(&mut self, mark: u8) -> Result<(), InputError> {
        let mut ignore = |_| ControlFlow::Continue(());
        let monitor = Monitor::new(&mut ignore, 0);
        let mut read = || -> Result<(), ImportError> {
            let mut lines = Lines::open(&self.path, &monitor)?;
            let mut comments = Comments { mark, lines: 0, last: String::new() };
            while let Some((_, line)) = lines.next_line()? {
                if line.first() == Some(&mark) {
                    comments.lines += 1;
                    comments.last = field::text(line[1..].trim_ascii()).into_owned();
                    continue;
                }
                self.start.extend_from_slice(line);
                self.start.push(b'\n');
                if self.start.len() as u64 >= SAMPLE_BYTES {
                    self.whole = false;
                    break;
                }
            }
            self.comments = Some(comments);
            Ok(())
        };
        read().map_err(ImportError::into_input_error)
    }

    /// The same beginning under another path: of several files, what their paths have in common.
    #[must_use]
    pub fn at(&self, path: PathBuf) -> Self {
        Self { path, ..self.clone() }
    }

    /// The file's name, without folder and without `.gz` or `.zst`.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        name.to_owned()
    }

    /// The file's name without its endings.
    pub fn stem(&self) -> String {
        let name = self.name();
        name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned()
    }

    /// The first bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.start
    }

    /// Whether it is Parquet.
    pub fn is_parquet(&self) -> bool {
        self.start.starts_with(b"PAR1")
    }

    /// The first lines that are not blank, without one that is cut off.
    pub fn lines(&self) -> Vec<&[u8]> {
        let lines = self.text().split(|&byte| byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.filter(|line| !line.trim_ascii().is_empty()).take(SAMPLE_LINES).collect()
    }

    /// The beginning as far as it has whole lines, without a byte order mark.
    pub fn text(&self) -> &[u8] {
        let text = without_mark(&self.start);
        let end = if self.whole { text.len() } else { text.iter().rposition(|&byte| byte == b'\n').unwrap_or(0) };
        &text[..end]
    }

    /// The rows of the first lines, taken apart at a separator, and whether quotes are heeded.
    pub fn rows(&self, separator: u8, quoted: bool) -> Vec<Vec<String>> {
        let cut = Cut { separator, quoted, escape: Escape::Doubled, columns: None, comments: None };
        self.rows_of(cut, SAMPLE_LINES)
    }

    /// The first rows as lines are cut; those that cannot be taken apart are left out.
    pub fn rows_of(&self, cut: Cut, most: usize) -> Vec<Vec<String>> {
        let mut ignore = |_| ControlFlow::Continue(());
        let monitor = Monitor::new(&mut ignore, 0);
        let mut records = Records::new(&self.path, Box::new(self.text()), &monitor, cut);
        let mut rows = Vec::new();
        while rows.len() < most {
            let Ok(Some((_, cells))) = records.next() else { break };
            let cell = |cell: &[u8]| field::text(cell.trim_ascii()).into_owned();
            rows.extend(cells.map(|cells| cells.iter().map(cell).collect()));
        }
        rows
    }

    /// The first object of the first lines, where they hold an object a line (in JSON or as Python writes it).
    pub fn object(&self) -> Option<serde_json::Map<String, Value>> {
        object_stream::first_of(&self.start, 5).into_iter().find_map(|line| {
            let json = if object::is_python(line) { python::to_json(line)? } else { line.to_vec() };
            let json = json_repair::repair(&json).map_or(json, |repaired| repaired.json);
            match serde_json::from_slice(&json) {
                Ok(Value::Object(object)) => Some(object),
                _ => None,
            }
        })
    }

    /// What the file's one object begins with, where it is a map from a key to a list: the first value's first character.
    pub fn first_of_first_list(&self) -> Option<u8> {
        let after = |text: &'static [u8]| {
            move |rest: &mut &[u8]| {
                *rest = rest.trim_ascii_start().strip_prefix(text)?;
                Some(())
            }
        };
        let mut rest = self.start.as_slice();
        after(b"{")(&mut rest)?;
        after(b"\"")(&mut rest)?;
        rest = &rest[rest.iter().position(|&byte| byte == b'"')? + 1..];
        after(b":")(&mut rest)?;
        after(b"[")(&mut rest)?;
        rest.trim_ascii_start().first().copied()
    }
}

fn changed(change: Change, raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // Bytes in memory are read without an error.
    let _ = change.applied(Box::new(raw)).read_to_end(&mut text);
    text
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// What the comments at the beginning begin with, where there are such; other files than tables begin with these marks too.
fn comment_mark(start: &[u8]) -> Option<u8> {
    let start = without_mark(start);
    let other = [&b"#!"[..], b"%PDF", b"%!PS"].iter().any(|mark| start.starts_with(mark));
    start.first().copied().filter(|mark| matches!(mark, b'#' | b'%') && !other)
}

/// Whether a text is a number.
pub fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}
