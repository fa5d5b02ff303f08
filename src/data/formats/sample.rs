//! The beginning of a file, from which its format is told.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{field, input, object, python};
use crate::error::InputError;

/// Bytes of a sample.
const SAMPLE_BYTES: u64 = 1 << 16;
/// Lines of a sample.
const SAMPLE_LINES: usize = 20;

/// The beginning of a file.
#[derive(Debug)]
pub struct FileSample {
    pub path: PathBuf,
    start: Vec<u8>,
    /// Whether `start` is the whole file.
    whole: bool,
}

impl FileSample {
    /// Reads the beginning of a file, decompressed.
    ///
    /// # Errors
    /// The file cannot be opened, or is compressed and damaged from the start.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let start = input::start(path, SAMPLE_BYTES)?;
        let whole = (start.len() as u64) < SAMPLE_BYTES;
        Ok(Self { path: path.to_path_buf(), start, whole })
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
        let text = self.start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.start);
        let end = if self.whole { text.len() } else { text.iter().rposition(|&byte| byte == b'\n').unwrap_or(0) };
        let lines = text[..end].split(|&byte| byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.filter(|line| !line.trim_ascii().is_empty()).take(SAMPLE_LINES).collect()
    }

    /// The rows of the first lines, taken apart at a separator; where it is a comma or semicolon, quotes are heeded.
    pub fn rows(&self, separator: u8, quoted: bool) -> Vec<Vec<String>> {
        let lines = self.lines().join(&b'\n');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(quoted)
            .has_headers(false)
            .flexible(true)
            .from_reader(lines.as_slice());
        let records = reader.byte_records().map_while(Result::ok);
        records.map(|record| record.iter().map(|cell| field::text(cell.trim_ascii()).into_owned()).collect()).collect()
    }

    /// The first object of the first lines, where they hold an object a line (in JSON or as Python writes it).
    pub fn object(&self) -> Option<serde_json::Map<String, Value>> {
        self.lines().into_iter().take(5).find_map(|line| {
            let json = if object::is_python(line) { python::to_json(line)? } else { line.to_vec() };
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

/// Whether a text is a number.
pub fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}
