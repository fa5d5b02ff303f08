//! Files of whole lines that only grow, or lose their oldest lines. A line that a killed writer did not finish is none.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::disk::Output;
use super::{atomic, unwritable};
use crate::error::InputError;

/// A file that lines are added to.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    output: Output,
    /// Bytes that it may have; none where it may grow.
    most: Option<u64>,
    length: u64,
}

impl Lines {
    /// Opens a file to add lines to it, which is made where it is missing. What follows its last whole line is cut off, so
    /// that the next line begins where a line begins.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let opened = Output::append(path).and_then(|output| {
            let whole = whole_lines(&mut output.file(), output.file().metadata()?.len())?;
            whole.map_or(Ok(()), |length| output.cut(length))?;
            let length = output.file().metadata()?.len();
            Ok((output, length))
        });
        let (output, length) = opened.map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_path_buf(), output, most: None, length })
    }

    /// As [`Lines::open`], for a file that keeps below so many bytes: when it would have more, its older half goes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open_below(path: &Path, most: u64) -> Result<Self, InputError> {
        Ok(Self { most: Some(most), ..Self::open(path)? })
    }

    /// Adds a line, or several at once.
    ///
    /// # Errors
    /// The file cannot be written; it may then have a part of the line, which whoever opens it next cuts off.
    pub fn push(&mut self, line: &str) -> Result<(), InputError> {
        let line = format!("{line}\n");
        if let Some(most) = self.most.filter(|most| self.length + line.len() as u64 > *most) {
            self.lose_older_half(most)?;
        }
        self.output.write_all(line.as_bytes()).map_err(|error| unwritable(&self.path, &error))?;
        self.length += line.len() as u64;
        Ok(())
    }

    fn lose_older_half(&mut self, most: u64) -> Result<(), InputError> {
        let kept = newest(&self.path, most / 2).map_err(|error| InputError::io(&self.path, "read", &error))?;
        atomic::write_atomically(&self.path, &kept)?;
        *self = Self::open_below(&self.path, most)?;
        Ok(())
    }
}

/// Has a file that another process writes at its end lose its older half where it has more than so many bytes. It stays
/// the same file, so that the other process goes on writing it.
///
/// # Errors
/// The file cannot be read or written.
pub fn keep_below(path: &Path, most: u64) -> Result<(), InputError> {
    if !fs::metadata(path).is_ok_and(|file| file.len() > most) {
        return Ok(());
    }
    let kept = newest(path, most / 2).map_err(|error| InputError::io(path, "read", &error))?;
    let written = Output::append(path).and_then(|mut output| {
        output.cut(0)?;
        output.write_all(&kept)
    });
    written.map_err(|error| unwritable(path, &error))
}

/// The whole lines within the last `most` bytes of a file.
fn newest(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut tail = Vec::new();
    file.take(most).read_to_end(&mut tail)?;
    if length > most {
        // The first line may be a part of one.
        let begins = tail.iter().position(|&byte| byte == b'\n').map_or(tail.len(), |at| at + 1);
        tail.drain(..begins);
    }
    Ok(tail)
}

/// Bytes up to the end of the last whole line of a file of `length` bytes; none where a line ends with the file.
fn whole_lines(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    const PIECE: u64 = 1 << 12;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(end - start).read_to_end(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|&byte| byte == b'\n') {
            let whole = start + last as u64 + 1;
            return Ok((whole < length).then_some(whole));
        }
        end = start;
    }
    Ok((length > 0).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_below_its_bound_and_has_the_newest_lines_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let mut lines = Lines::open_below(&path, 1000).unwrap();
        for number in 0..500 {
            lines.push(&format!("line {number}")).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.len() <= 1000 && text.ends_with(&format!("line {number}\n")), "{text}");
            let first = text.lines().next().unwrap().strip_prefix("line ").unwrap().parse::<usize>().unwrap();
            assert_eq!(text.lines().count(), number - first + 1, "no line in between is lost");
        }
        // Also where it was longer before it had a bound, and where one line is longer than all may be.
        fs::write(&path, "line\n".repeat(1000)).unwrap();
        let mut lines = Lines::open_below(&path, 1000).unwrap();
        lines.push("newest").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "line\n".repeat(99) + "newest\n");
        lines.push(&"x".repeat(2000)).unwrap();
        lines.push("last").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "last\n");
    }

    #[test]
    fn a_file_that_another_writes_stays_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.log");
        let mut other = File::options().create(true).append(true).open(&path).unwrap();
        for number in 0..100 {
            writeln!(other, "line {number}").unwrap();
        }
        keep_below(&path, 10_000).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 100);
        keep_below(&path, 100).unwrap();
        writeln!(other, "line 100").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, (94..=100).map(|number| format!("line {number}\n")).collect::<String>());
        keep_below(&folder.path().join("nothing"), 1).unwrap();
        assert!(!folder.path().join("nothing").exists());
    }

    #[test]
    fn a_line_that_was_cut_off_is_gone_when_the_next_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let mut lines = Lines::open(&path).unwrap();
        lines.push("one").unwrap();
        lines.push("two").unwrap();
        let long = "x".repeat(10_000);
        for (cut_off, whole) in [("", "one\ntwo\n"), ("thr", "one\ntwo\n"), (long.as_str(), "one\ntwo\n")] {
            fs::write(&path, format!("one\ntwo\n{cut_off}")).unwrap();
            Lines::open(&path).unwrap().push("four").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}four\n"));
        }
        fs::write(&path, &long).unwrap();
        Lines::open(&path).unwrap().push("four").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
    }
}
