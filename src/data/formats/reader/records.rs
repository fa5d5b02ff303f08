//! Text as records of cells: quotes that may hold line ends, and what to do where a quote is never closed.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use crate::data::formats::ImportError;
use crate::data::formats::reading::Escape;
use crate::data::formats::stream::input::{Monitor, too_long, without_end};
use crate::error::InputError;

/// Bytes of a record, at most, and its lines.
const LONGEST: u64 = 16 << 20;
const MOST_LINES: u64 = 1000;
/// Quotes that nothing closes, from which the quotes of a file are not what they seem.
const MOST_UNCLOSED: u64 = 1000;

/// How cells are told apart.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub separator: u8,
    /// Whether quotes around a cell are taken off, and what is within them is no separator.
    pub quoted: bool,
    pub escape: Escape,
    /// Cells of a sound record; none where that is not known.
    pub columns: Option<usize>,
    /// What the comments of the file's beginning begin with.
    pub comments: Option<u8>,
}

/// The cells of one record.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'r> {
    text: &'r [u8],
    places: &'r [(usize, usize)],
}

/// The lines of a record, and its columns, or why it cannot be taken apart.
pub type Found<'r> = (RecordLines, Result<Cells<'r>, String>);

impl<'r> Cells<'r> {
    pub fn new(text: &'r [u8], places: &'r [(usize, usize)]) -> Self {
        Self { text, places }
    }

    /// The bytes of a column; none where the record is too short.
    pub fn get(&self, column: usize) -> Option<&'r [u8]> {
        self.places.get(column).map(|&(from, to)| &self.text[from..to])
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'r [u8]> + use<'r> {
        let text = self.text;
        self.places.iter().map(move |&(from, to)| &text[from..to])
    }
}

/// The lines of a record in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLines {
    /// Number of the first of them, from 1.
    pub first: u64,
    /// How many there are: more than one where a quoted column has line ends.
    pub count: u64,
}

/// How taking a record apart came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// Within quotes.
    Open,
    /// There is something behind the closing quote of a cell.
    Stray,
}

/// A text record by record.
pub struct Records<'m, 'w> {
    reader: Box<dyn BufRead + 'm>,
    monitor: &'m Monitor<'w>,
    path: PathBuf,
    cut: Cut,
    /// Lines that are in hand; the record from `start` to `end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Number of the line behind `end`.
    line: u64,
    /// The cells of a record with quotes.
    text: Vec<u8>,
    places: Vec<(usize, usize)>,
    /// Comments are over.
    begun: bool,
    /// Records with a quote that nothing closes, and the line of the first.
    unclosed: u64,
    first_unclosed: u64,
}

impl<'m, 'w> Records<'m, 'w> {
    pub fn new(path: &Path, reader: Box<dyn BufRead + 'm>, monitor: &'m Monitor<'w>, cut: Cut) -> Self {
        Self {
            reader,
            monitor,
            path: path.to_path_buf(),
            cut,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            line: 1,
            text: Vec::new(),
            places: Vec::new(),
            begun: false,
            unclosed: 0,
            first_unclosed: 0,
        }
    }

    /// The next record that is not blank, with its lines; why it is none, where it cannot be taken apart.
    ///
    /// # Errors
    /// The file cannot be read, has a line longer than any record, or quotes that are no quotes.
    pub fn next(&mut self) -> Result<Option<Found<'_>>, ImportError> {
        loop {
            self.start = self.end;
            if self.start == self.buffer.len() {
                (self.start, self.end) = (0, 0);
                self.buffer.clear();
            }
            if !self.more()? {
                return Ok(None);
            }
            if self.buffer[self.start..].starts_with(BOM) {
                self.start += BOM.len();
            }
            let line = without_end(&self.buffer[self.start..self.end]);
            if line.is_empty() || !self.begun && self.is_preamble(line) || is_blank(line, self.cut.separator) {
                continue;
            }
            self.begun = true;
            break;
        }
        let first = self.line - 1;
        let line = without_end(&self.buffer[self.start..self.end]);
        if !self.cut.quoted || !line.contains(&b'"') {
            self.places.clear();
            split(line, self.cut.separator, &mut self.places);
            let from = self.start;
            let to = from + line.len();
            let lines = RecordLines { first, count: 1 };
            return Ok(Some((lines, Ok(Cells { text: &self.buffer[from..to], places: &self.places }))));
        }
        self.with_quotes(first)
    }

    /// A record that has quotes, and perhaps several lines. Where it does not end well, its first line alone is given up, and what
    /// follows is read as if it were not there.
    fn with_quotes(&mut self, first: u64) -> Result<Option<Found<'_>>, ImportError> {
        let first_end = self.end;
        self.text.clear();
        self.places.clear();
        let (mut at, mut within) = (self.start, false);
        let end = loop {
            let line_end = self.start + without_end(&self.buffer[self.start..self.end]).len();
            let end = self.take_apart(&mut at, line_end, &mut within);
            let lines = self.line - first;
            if end != End::Open || lines >= MOST_LINES || (self.end - self.start) as u64 >= LONGEST {
                break end;
            }
            self.text.extend_from_slice(&self.buffer[line_end..self.end]);
            at = self.end;
            if !self.more()? {
                break End::Open;
            }
        };
        let count = self.line - first;
        let ragged = self.cut.columns.is_some_and(|columns| columns != self.places.len());
        let problem = match end {
            End::Open => "a quote that nothing closes",
            End::Stray if count > 1 => "a quote that nothing closes",
            End::Whole if count > 1 && ragged => "a quote that nothing closes",
            End::Stray => {
                "text behind a closing quote; if quotes within quotes are written \\\", that is `reading: (escape: Backslash)`"
            }
            End::Whole => {
                let lines = RecordLines { first, count };
                return Ok(Some((lines, Ok(Cells { text: &self.text, places: &self.places }))));
            }
        };
        (self.end, self.line) = (first_end, first + 1);
        if count > 1 || end == End::Open {
            self.unclosed += 1;
            if self.unclosed == 1 {
                self.first_unclosed = first;
            }
            if self.unclosed > MOST_UNCLOSED {
                let problem = format!("{MOST_UNCLOSED} quotes that nothing closes");
                return Err(InputError::new(&self.path, problem)
                    .at(format!("line {}", self.first_unclosed))
                    .advice("quotes around a column were expected in pairs, and those within it doubled")
                    .into());
            }
        }
        Ok(Some((RecordLines { first, count: 1 }, Err(problem.to_owned()))))
    }

    /// Takes apart what lies between `at` and `end`, which may be within quotes.
    fn take_apart(&mut self, at: &mut usize, end: usize, within: &mut bool) -> End {
        let Cut { separator, escape, .. } = self.cut;
        let blanks = separator == b' ';
        loop {
            if !*within {
                if blanks {
                    *at += self.buffer[*at..end].iter().take_while(|&&byte| byte == b' ').count();
                    if *at == end {
                        return End::Whole;
                    }
                }
                if self.buffer.get(*at) == Some(&b'"') && *at < end {
                    (*at, *within) = (*at + 1, true);
                } else {
                    let rest = &self.buffer[*at..end];
                    let length = rest.iter().position(|&byte| byte == separator);
                    self.text.extend_from_slice(&rest[..length.unwrap_or(rest.len())]);
                    self.end_cell();
                    match length {
                        Some(length) => *at += length + 1,
                        None => return End::Whole,
                    }
                    continue;
                }
            }
            let rest = &self.buffer[*at..end];
            let stop = |byte: &u8| *byte == b'"' || escape == Escape::Backslash && *byte == b'\\';
            let Some(length) = rest.iter().position(stop) else {
                self.text.extend_from_slice(rest);
                return End::Open;
            };
            self.text.extend_from_slice(&rest[..length]);
            let next = rest.get(length + 1).copied();
            *at += length + 1;
            match (rest[length], next) {
                (b'\\', Some(next @ (b'"' | b'\\'))) => {
                    self.text.push(next);
                    *at += 1;
                }
                (b'\\', _) => self.text.push(b'\\'),
                (_, Some(b'"')) => {
                    self.text.push(b'"');
                    *at += 1;
                }
                _ => {
                    self.end_cell();
                    *within = false;
                    if !blanks {
                        *at += self.buffer[*at..end].iter().take_while(|&&byte| byte == b' ').count();
                    }
                    match self.buffer[*at..end].first() {
                        None => return End::Whole,
                        Some(byte) if *byte == separator => *at += 1,
                        Some(_) => return End::Stray,
                    }
                }
            }
        }
    }

    fn end_cell(&mut self) {
        let from = self.places.last().map_or(0, |&(_, to)| to);
        self.places.push((from, self.text.len()));
    }

    /// Reads one more line behind those in hand; whether there was one.
    fn more(&mut self) -> Result<bool, ImportError> {
        if let Some(length) = self.buffer[self.end..].iter().position(|&byte| byte == b'\n') {
            self.end += length + 1;
        } else if self.end < self.buffer.len() {
            self.end = self.buffer.len();
        } else {
            let mut limited = (&mut self.reader).take(LONGEST);
            let read = limited.read_until(b'\n', &mut self.buffer);
            let read = read.map_err(|error| self.monitor.error(&self.path, &error))?;
            if read == 0 {
                return Ok(false);
            }
            if read as u64 == LONGEST {
                return Err(too_long(&self.path, self.line).into());
            }
            self.end = self.buffer.len();
        }
        self.line += 1;
        Ok(true)
    }

    /// Whether a line before the first record is none: `sep=;`, which Excel reads, or a comment.
    fn is_preamble(&self, line: &[u8]) -> bool {
        separator_line(line).is_some() || self.cut.comments.is_some() && line.first().copied() == self.cut.comments
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The separator that a first line names for Excel: `sep=;`.
pub fn separator_line(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] => Some(*separator),
        _ => None,
    }
}

/// Whether a line has nothing but blanks, of which none separates.
fn is_blank(line: &[u8], separator: u8) -> bool {
    line.iter().all(|&byte| byte == b' ' || byte.is_ascii_whitespace() && byte != separator)
}

/// The places of cells between separators; several blanks count as one.
fn split(line: &[u8], separator: u8, places: &mut Vec<(usize, usize)>) {
    let mut from = 0;
    for (at, &byte) in line.iter().enumerate() {
        if byte == separator {
            places.push((from, at));
            from = at + 1;
        }
    }
    places.push((from, line.len()));
    if separator == b' ' {
        places.retain(|(from, to)| from < to);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    const CUT: Cut = Cut { separator: b',', quoted: true, escape: Escape::Doubled, columns: None, comments: None };

    /// Each record's first line, number of lines and cells, or its problem.
    fn read(text: &str, cut: Cut) -> Vec<(u64, u64, Result<Vec<String>, String>)> {
        let mut ignore = |_| ControlFlow::Continue(());
        let monitor = Monitor::new(&mut ignore, 0);
        let mut records = Records::new(Path::new("a.csv"), Box::new(text.as_bytes()), &monitor, cut);
        let mut found = Vec::new();
        while let Some((lines, cells)) = records.next().unwrap() {
            let cells =
                cells.map(|cells| cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
            found.push((lines.first, lines.count, cells));
        }
        found
    }

    fn cells(text: &str, cut: Cut) -> Vec<Vec<String>> {
        read(text, cut).into_iter().map(|(.., cells)| cells.unwrap()).collect()
    }

    #[test]
    fn cells_equal_those_of_pandas() {
        // `pandas.read_csv(io.StringIO(text), header=None, dtype=str, keep_default_na=False)`
        let text = "a,\"b, c\",d\r\n\n\"e \"\"f\"\"\",,\"g\nh\"\n,\"\",i\n";
        assert_eq!(cells(text, CUT), [["a", "b, c", "d"], ["e \"f\"", "", "g\nh"], ["", "", "i"]]);
        // The same with `escapechar="\\"`.
        let spark = Cut { escape: Escape::Backslash, ..CUT };
        assert_eq!(cells("500,\"The \\\"Best\\\", no 0\",C0\n", spark), [["500", "The \"Best\", no 0", "C0"]]);
        // The same with `sep="\t"`, quotes in the middle of a cell being text; and with `sep=r"\s+"`.
        let tabs = Cut { separator: b'\t', ..CUT };
        assert_eq!(cells("\"a\tb\"\t12\" pipe\n", tabs), [["a\tb", "12\" pipe"]]);
        let blanks = Cut { separator: b' ', ..CUT };
        assert_eq!(cells("  1  1193 5\n\"a b\" 2 \"\" \n", blanks), [vec!["1", "1193", "5"], vec!["a b", "2", ""]]);
    }

    #[test]
    fn a_quote_that_nothing_closes_costs_its_line_alone() {
        let three = Cut { columns: Some(3), ..CUT };
        let unclosed = Err("a quote that nothing closes".to_owned());
        let row = |cells: [&str; 3]| Ok(cells.map(str::to_owned).to_vec());
        // Up to the end of the file.
        let found = read("a,b,c\n1,\"x,2\n3,y,4\n", three);
        let expected = [(1, 1, row(["a", "b", "c"])), (2, 1, unclosed.clone()), (3, 1, row(["3", "y", "4"]))];
        assert_eq!(found, expected);
        // Up to a quote that opens another cell, or into a record of too many columns.
        let found = read("1,\"x,2\n3,\"y\",4\n5,z,6\n", three);
        let expected = [(1, 1, unclosed.clone()), (2, 1, row(["3", "y", "4"])), (3, 1, row(["5", "z", "6"]))];
        assert_eq!(found, expected);
        let found = read("1,\"x,2\n3,y\",4,5\n6,z,7\n", three);
        assert_eq!((&found[0].2, &found[2].2), (&unclosed, &row(["6", "z", "7"])));
        assert_eq!(found.iter().map(|record| record.0).collect::<Vec<_>>(), [1, 2, 3]);
        let stray = read("1,\"x\"y,2\n3,y,4\n", three);
        assert!(stray[0].2.as_ref().is_err_and(|problem| problem.starts_with("text behind a closing quote")));
        assert_eq!(stray[1].2, row(["3", "y", "4"]));
    }

    #[test]
    fn a_file_full_of_open_quotes_is_refused_in_little_time() {
        let text = "1,\"x,2\n".repeat(50_000).replace('"', "\"a");
        let mut ignore = |_| ControlFlow::Continue(());
        let monitor = Monitor::new(&mut ignore, 0);
        let mut records = Records::new(Path::new("a.csv"), Box::new(text.as_bytes()), &monitor, CUT);
        let error = loop {
            match records.next() {
                Ok(record) => assert!(record.is_some(), "it was read to its end"),
                Err(error) => break error.into_input_error(),
            }
        };
        assert_eq!(
            (error.problem.as_str(), error.place.as_deref()),
            ("1000 quotes that nothing closes", Some("line 1"))
        );
    }

    #[test]
    fn what_stands_before_the_first_record_is_passed_over() {
        let commented = Cut { comments: Some(b'#'), ..CUT };
        let found = read("\u{feff}# one\n#two\n\n1,2\n#3,4\n\u{feff}5,6\n", commented);
        assert_eq!(found.iter().map(|record| record.0).collect::<Vec<_>>(), [4, 5, 6]);
        assert_eq!(found[2].2, Ok(vec!["5".to_owned(), "6".to_owned()]));
        assert_eq!(cells("sep=;\na;b\n", Cut { separator: b';', ..CUT }), [["a", "b"]]);
        assert_eq!(cells("\"sep=,\"\na,b\n", CUT), [["a", "b"]]);
    }
}
