//! A line of a file with those around it, to see what is wrong with it.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::sample::FileSample;
use crate::data::formats::ImportError;
use crate::data::formats::reader::{histories, parquet_file};
use crate::data::formats::stream::input::{self, Monitor, OnProgress};
use crate::data::formats::value::field;
use crate::error::InputError;

/// Bytes of a line that are kept.
const LONGEST: u64 = 2000;

/// A line, record or user of a file, with those before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub path: PathBuf,
    /// What is counted: `line`, `row` of a Parquet file, `user` of a file that is one object.
    pub unit: &'static str,
    /// The one that was asked for, from 1.
    pub number: u64,
    pub lines: Vec<ExcerptLine>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptLine {
    /// From 1.
    pub number: u64,
    pub text: String,
    /// Whether the text goes on.
    pub cut: bool,
}

impl Excerpt {
    /// Reads a file, decompressed, up to `around` lines behind the one of this number, and keeps `around` before it.
    ///
    /// # Errors
    /// The file cannot be read or has fewer lines, or `on_progress` ended the reading.
    pub fn read(path: &Path, number: u64, around: u64, on_progress: OnProgress<'_>) -> Result<Self, ImportError> {
        let total = std::fs::metadata(path).map_err(|error| InputError::io(path, "open", &error))?.len();
        let monitor = Monitor::new(on_progress, total);
        let wanted = number.saturating_sub(around).max(1)..=number.saturating_add(around);
        let sample = FileSample::read(path)?;
        let (unit, lines) = if sample.is_parquet() {
            ("row", rows(path, *wanted.end(), &monitor)?)
        } else if sample.first_of_first_list().is_some() {
            ("user", users(path, *wanted.end(), &monitor)?)
        } else {
            ("line", self::lines(path, *wanted.start(), *wanted.end(), &monitor)?)
        };
        let lines: Vec<ExcerptLine> = lines.into_iter().filter(|line| wanted.contains(&line.number)).collect();
        if !lines.iter().any(|line| line.number == number) {
            return Err(InputError::new(path, format!("there is no {unit} {number} any more"))
                .advice("the file was changed since it was read")
                .into());
        }
        Ok(Self { path: path.to_path_buf(), unit, number, lines })
    }
}

/// The lines from `first` to `last`; those before are passed over without being kept.
fn lines(path: &Path, first: u64, last: u64, monitor: &Monitor<'_>) -> Result<Vec<ExcerptLine>, ImportError> {
    let mut reader = input::open(path, monitor)?;
    let mut read = || -> io::Result<Vec<ExcerptLine>> {
        for _ in 1..first {
            if reader.skip_until(b'\n')? == 0 {
                return Ok(Vec::new());
            }
        }
        let mut lines = Vec::new();
        for number in first..=last {
            let mut bytes = Vec::new();
            if (&mut reader).take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            let cut = bytes.len() as u64 == LONGEST && !bytes.ends_with(b"\n");
            if cut {
                reader.skip_until(b'\n')?;
            }
            lines.push(ExcerptLine { number, text: on_one_line(&field::text(input::without_end(&bytes))), cut });
        }
        Ok(lines)
    };
    read().map_err(|error| monitor.error(path, &error))
}

/// The first rows of a Parquet file, with a bar between columns.
fn rows(path: &Path, last: u64, monitor: &Monitor<'_>) -> Result<Vec<ExcerptLine>, ImportError> {
    let columns = parquet_file::columns(path)?;
    let rows = parquet_file::first_rows(path, &columns, last, monitor)?;
    Ok((1..).zip(rows).map(|(number, row)| shortened(number, &row.join(" | "))).collect())
}

/// The first users of `{user: [item, …]}`.
fn users(path: &Path, last: u64, monitor: &Monitor<'_>) -> Result<Vec<ExcerptLine>, ImportError> {
    let mut lines = Vec::new();
    histories::each_user(path, monitor, |number, user, items: Value| {
        lines.push(shortened(number, &format!("{user}: {items}")));
        Ok(if number >= last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(lines)
}

fn shortened(number: u64, text: &str) -> ExcerptLine {
    let end = text.floor_char_boundary(LONGEST as usize);
    ExcerptLine { number, text: on_one_line(&text[..end]), cut: end < text.len() }
}

/// Tabs as arrows, so that they are seen, and other control characters as blanks.
fn on_one_line(text: &str) -> String {
    let shown = |character| match character {
        '\t' => '→',
        other if char::is_control(other) => ' ',
        other => other,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn excerpt(path: &Path, number: u64) -> Result<Excerpt, ImportError> {
        Excerpt::read(path, number, 2, &mut |_| ControlFlow::Continue(()))
    }

    #[test]
    fn a_line_is_shown_with_its_neighbours_plain_and_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (1..=9).map(|number| format!("{number}\tx\r\n")).collect();
        let plain = folder.path().join("a.tsv");
        std::fs::write(&plain, &text).unwrap();
        let packed = folder.path().join("a.tsv.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
        for path in [&plain, &packed] {
            let found = excerpt(path, 8).unwrap();
            assert_eq!((found.unit, found.number), ("line", 8));
            let lines: Vec<(u64, &str)> = found.lines.iter().map(|line| (line.number, line.text.as_str())).collect();
            assert_eq!(lines, [(6, "6→x"), (7, "7→x"), (8, "8→x"), (9, "9→x")]);
            assert_eq!(excerpt(path, 1).unwrap().lines.len(), 3);
            let ImportError::Input(gone) = excerpt(path, 10).unwrap_err() else { unreachable!() };
            assert_eq!(gone.problem, "there is no line 10 any more");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_keeps_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.csv");
        std::fs::write(&path, format!("a,b\n{}\nc,d\n", "é".repeat(5000))).unwrap();
        let found = excerpt(&path, 2).unwrap();
        let cut: Vec<bool> = found.lines.iter().map(|line| line.cut).collect();
        assert_eq!(cut, [false, true, false]);
        assert_eq!((found.lines[2].number, found.lines[2].text.as_str()), (3, "c,d"));
    }

    #[test]
    fn a_file_of_one_object_is_shown_by_user_and_reading_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.inter.json");
        std::fs::write(&path, r#"{"u1": [1, 2], "u2": [3, null], "u3": [4]}"#).unwrap();
        let found = excerpt(&path, 2).unwrap();
        assert_eq!((found.unit, found.lines[1].text.as_str()), ("user", "u2: [3,null]"));

        let large = folder.path().join("large.csv");
        std::fs::write(&large, "0123456789\n".repeat(400_000)).unwrap();
        let ended = Excerpt::read(&large, 390_000, 2, &mut |_| ControlFlow::Break(()));
        assert_eq!(ended, Err(ImportError::Cancelled));
    }
}
