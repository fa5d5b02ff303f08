//! Files of whole lines that only grow. A line that a killed writer did not finish is none.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::disk::Output;
use super::unwritable;
use crate::error::InputError;

/// A file that lines are added to.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    output: Output,
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
            Ok(output)
        });
        let output = opened.map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_path_buf(), output })
    }

    /// Adds a line, or several at once.
    ///
    /// # Errors
    /// The file cannot be written; it may then have a part of the line, which whoever opens it next cuts off.
    pub fn push(&mut self, line: &str) -> Result<(), InputError> {
        self.output.write_all(format!("{line}\n").as_bytes()).map_err(|error| unwritable(&self.path, &error))
    }
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
    use std::fs;

    use super::*;

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
