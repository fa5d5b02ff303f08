//! Objects of a JSON file one by one: an object a line, or those of an array, or objects that have several lines each.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use crate::data::formats::ImportError;
use crate::data::formats::stream::input::{self, Monitor};
use crate::error::InputError;

/// Longest object, in bytes.
const LONGEST: usize = 16 << 20;
/// Keys under which files keep their records.
const WRAPPERS: [&[u8]; 10] =
    [b"data", b"items", b"interactions", b"events", b"ratings", b"reviews", b"records", b"rows", b"results", b"hits"];

/// How a file's objects stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// An object a line. One that cannot be read costs no other.
    Lines,
    /// Objects of one or more lines, perhaps with commas between them, in so many brackets.
    Nested(usize),
}

impl Shape {
    /// The shape that a file's beginning has.
    fn of(start: &[u8]) -> Self {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        match text.first() {
            Some(b'[') if matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b']') | None) => Self::Nested(1),
            Some(b'{') if is_wrapped(text) => Self::Nested(2),
            Some(b'{') => {
                let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
                let cut = line.len() == text.len();
                // Python's quotes cannot be followed here; such files have an object a line.
                if cut || super::object::is_python(line) || closes(line) { Self::Lines } else { Self::Nested(0) }
            }
            _ => Self::Lines,
        }
    }
}

/// Where in a file of nested objects the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the array of records.
    Before,
    Among,
    /// Behind the array.
    Behind,
}

/// Whether all brackets of a line that begins with one are closed in it. A line that is damaged otherwise counts as closed where it
/// ends like one.
fn closes(line: &[u8]) -> bool {
    let mut scan = Scan::default();
    line.iter().for_each(|&byte| scan.take(byte));
    scan.depth == 0 && !scan.in_text || line.trim_ascii_end().ends_with(b"}")
}

/// Whether an object has its records under its first key: `{"data": [{`.
fn is_wrapped(text: &[u8]) -> bool {
    let inside = || {
        let rest = text.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = rest.iter().position(|&byte| byte == b'"')?;
        let (key, rest) = (&rest[..end], &rest[end + 1..]);
        let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"[")?;
        (WRAPPERS.contains(&key) && rest.trim_ascii_start().starts_with(b"{")).then_some(())
    };
    // A line that is closed and followed by others is a record of its own.
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let followed = text[line.len()..].trim_ascii_start().starts_with(b"{");
    inside().is_some() && !(closes(line) && followed)
}

/// Brackets and texts as they pass.
#[derive(Debug, Default, Clone, Copy)]
struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Scan {
    fn take(&mut self, byte: u8) {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// An object with the lines that it has in its file.
pub struct Record<'r> {
    /// Number of the first of them, from 1.
    pub line: u64,
    pub lines: u64,
    pub text: &'r [u8],
}

/// The objects of a file.
pub struct Objects<'m, 'w> {
    reader: Box<dyn BufRead + 'm>,
    monitor: &'m Monitor<'w>,
    path: PathBuf,
    shape: Shape,
    scan: Scan,
    place: Place,
    record: Vec<u8>,
    /// Line that is read next, from 1.
    line: u64,
    ended: bool,
}

impl<'m, 'w> Objects<'m, 'w> {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path, monitor: &'m Monitor<'w>) -> Result<Self, ImportError> {
        let mut reader = input::open(path, monitor)?;
        let start = reader.fill_buf().map_err(|error| monitor.error(path, &error))?;
        let shape = Shape::of(start);
        let place = if shape == Shape::Nested(0) { Place::Among } else { Place::Before };
        let (path, scan) = (path.to_path_buf(), Scan::default());
        Ok(Self { reader, monitor, path, shape, scan, place, record: Vec::new(), line: 1, ended: false })
    }

    /// The next object; in a file with an object a line, the next line that is not blank, whatever it has.
    ///
    /// # Errors
    /// The file cannot be read, an object has more than 16 MiB, or brackets are left open at the end.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ImportError> {
        match self.shape {
            Shape::Lines => self.next_line(),
            Shape::Nested(outer) => self.next_nested(outer),
        }
    }

    fn next_line(&mut self) -> Result<Option<Record<'_>>, ImportError> {
        loop {
            self.record.clear();
            let mut limited = (&mut self.reader).take(LONGEST as u64);
            let read = limited.read_until(b'\n', &mut self.record);
            if read.map_err(|error| self.monitor.error(&self.path, &error))? == 0 {
                return Ok(None);
            }
            let line = self.line;
            self.line += 1;
            if self.record.len() == LONGEST {
                return Err(input::too_long(&self.path, line).into());
            }
            if !self.record.trim_ascii().is_empty() {
                let text = input::without_end(&self.record);
                let text = if line == 1 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
                return Ok(Some(Record { line, lines: 1, text }));
            }
        }
    }

    fn next_nested(&mut self, outer: usize) -> Result<Option<Record<'_>>, ImportError> {
        self.record.clear();
        let mut first = self.line;
        while !self.ended {
            let buffer = self.reader.fill_buf().map_err(|error| self.monitor.error(&self.path, &error))?;
            let mut taken = 0;
            let (mut whole, mut astray) = (false, false);
            for &byte in buffer {
                taken += 1;
                self.line += u64::from(byte == b'\n');
                self.scan.take(byte);
                let inside = self.place == Place::Among && self.scan.depth > outer;
                if inside && self.record.is_empty() {
                    first = self.line;
                }
                if inside || !self.record.is_empty() {
                    self.record.push(byte);
                    whole = !inside;
                    if whole || self.record.len() > LONGEST {
                        break;
                    }
                } else if let Some(place) = next_place(self.place, outer, self.scan.depth, byte) {
                    self.place = place;
                } else {
                    astray = true;
                    break;
                }
            }
            self.ended = taken == 0;
            self.reader.consume(taken);
            if astray {
                let astray = InputError::new(&self.path, "text between the objects of a JSON file");
                return Err(astray.at(format!("line {}", self.line)).advice("an object was expected").into());
            }
            if self.record.len() > LONGEST {
                return Err(input::too_long(&self.path, first).into());
            }
            if whole {
                return Ok(Some(Record { line: first, lines: self.line - first + 1, text: &self.record }));
            }
        }
        if self.scan.depth > 0 || self.scan.in_text {
            let cut = InputError::new(&self.path, "the JSON ends before its brackets are closed");
            return Err(cut.at(format!("line {}", self.line)).advice("fetch or copy the file again").into());
        }
        Ok(None)
    }
}

/// Where a reader is behind a byte that belongs to no record; none where no such byte can stand there, so that records would be
/// passed over.
fn next_place(place: Place, outer: usize, depth: usize, byte: u8) -> Option<Place> {
    let blank = byte.is_ascii_whitespace();
    match place {
        Place::Before => Some(if depth == outer { Place::Among } else { Place::Before }),
        Place::Among if depth < outer => (byte == b']').then_some(Place::Behind),
        Place::Among => (blank || byte == b',' || byte >= 0x80).then_some(Place::Among),
        Place::Behind => (outer > 1 || blank).then_some(Place::Behind),
    }
}

/// The first objects of a file's beginning, of which the last may be cut off and is then left out.
pub fn first_of(start: &[u8], max: usize) -> Vec<&[u8]> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let Shape::Nested(outer) = Shape::of(start) else {
        let lines = start.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        return lines.filter(|line| !line.is_empty()).take(max).collect();
    };
    let mut scan = Scan::default();
    let (mut found, mut from) = (Vec::new(), None);
    for (at, &byte) in start.iter().enumerate() {
        scan.take(byte);
        if scan.depth > outer {
            from = from.or(Some(at));
        } else if let Some(from) = from.take() {
            found.push(&start[from..=at]);
            if found.len() == max {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    /// The objects of a text with their first lines and how many they have.
    fn read(text: &str) -> Result<Vec<(u64, u64, String)>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut ignore = |_| ControlFlow::Continue(());
        let monitor = Monitor::new(&mut ignore, 0);
        let mut objects = Objects::open(file.path(), &monitor).unwrap();
        let mut found = Vec::new();
        while let Some(Record { line, lines, text }) =
            objects.next_record().map_err(|error| error.into_input_error().problem)?
        {
            found.push((line, lines, String::from_utf8(text.to_vec()).unwrap()));
        }
        Ok(found)
    }

    #[test]
    fn objects_are_found_in_lines_arrays_and_wrappers() {
        let texts = |text: &str| read(text).unwrap().into_iter().map(|(_, _, text)| text).collect::<Vec<_>>();
        let two = [r#"{"a":1}"#, r#"{"a":"]}{"}"#];
        for text in [
            "{\"a\":1}\n\n{\"a\":\"]}{\"}\n",
            "\u{feff}{\"a\":1}\r\n{\"a\":\"]}{\"}",
            "[{\"a\":1},{\"a\":\"]}{\"}]",
            "[\n  {\"a\":1},\n  {\"a\":\"]}{\"}\n]\n",
            "{\"data\": [{\"a\":1}, {\"a\":\"]}{\"}], \"next\": null}",
        ] {
            assert_eq!(texts(text), two, "{text}");
        }
        let pretty = "{\n \"a\": 1\n}\n{\n \"a\": [{}]\n}\n";
        assert_eq!(
            read(pretty).unwrap(),
            [(1, 3, "{\n \"a\": 1\n}".to_owned()), (4, 3, "{\n \"a\": [{}]\n}".to_owned())]
        );
        // Lists within a record are none of the file's.
        let lines = "{\"images\": [{\"a\": 1}], \"b\": 2}\n{\"images\": []}\n";
        assert_eq!(texts(lines).len(), 2);
        assert_eq!(texts("{\"items\": [{\"a\": 1}]}\n{\"items\": [{\"a\": 1}]}\n").len(), 2);
        assert_eq!(texts("[]"), [""; 0]);
        assert!(read("[{\"a\": 1}, {\"a\": ").unwrap_err().contains("before its brackets are closed"));
        // A bracket that was lost must not hide the records behind it.
        for text in ["[{\"a\": 1}, x\"a\": 1}, {\"a\": 1}]", "[{\"a\": 1}, {\"a\": 1}] {\"a\": 1}", "[{\"a\": 1}, 5]"] {
            assert!(read(text).unwrap_err().contains("text between the objects"), "{text}");
        }
    }

    #[test]
    fn the_first_objects_are_those_of_the_whole_file() {
        let text = b"[{\"a\": 1}, {\"b\": {\"c\": 2}}, {\"d\"";
        assert_eq!(first_of(text, 5), [&b"{\"a\": 1}"[..], b"{\"b\": {\"c\": 2}}"]);
        assert_eq!(first_of(text, 1).len(), 1);
        assert_eq!(first_of(b"{\"a\": 1}\n{\"b\"", 5).len(), 2);
    }
}
