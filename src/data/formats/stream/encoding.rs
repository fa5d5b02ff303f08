//! Texts that are not UTF-8, as UTF-8: UTF-16, ISO-8859-1 and line ends of old Macs, as a stream.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes that are looked at.
const START: usize = 4096;

/// How a file's bytes are to be changed to be UTF-8 with ends of lines that `\n` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Utf16Le,
    Utf16Be,
    Latin1,
    /// Lines that end with `\r` alone.
    ReturnsAlone,
}

impl Change {
    /// What the first bytes of a file say of it; none for most files.
    pub fn of(start: &[u8]) -> Option<Self> {
        let start = &start[..start.len().min(START)];
        match start {
            [0xff, 0xfe, 0, 0, ..] => None, // UTF-32, which nobody writes
            [0xff, 0xfe, ..] => Some(Self::Utf16Le),
            [0xfe, 0xff, ..] => Some(Self::Utf16Be),
            _ => Self::by_zeros(start).or_else(|| {
                let returns = start.contains(&b'\r') && !start.contains(&b'\n');
                // Binary files have bytes that no text has.
                let text = start.iter().all(|&byte| byte >= b' ' || byte.is_ascii_whitespace());
                (returns && text).then_some(Self::ReturnsAlone)
            }),
        }
    }

    /// UTF-16 without a mark: texts of tables are mostly ASCII, of which every second byte is then zero and the others never.
    fn by_zeros(start: &[u8]) -> Option<Self> {
        let pairs = start.chunks_exact(2);
        let count = pairs.len();
        let (mut first, mut second) = (0, 0);
        for pair in pairs {
            first += usize::from(pair[0] == 0);
            second += usize::from(pair[1] == 0);
        }
        let most = |zeros: usize| count >= 4 && 10 * zeros >= 9 * count;
        match (first, second) {
            (0, zeros) if most(zeros) => Some(Self::Utf16Le),
            (zeros, 0) if most(zeros) => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Latin1 => "ISO-8859-1",
            Self::ReturnsAlone => "text whose lines end with a carriage return alone",
        }
    }

    /// A stream with the change made.
    pub fn applied<'m>(self, reader: Box<dyn BufRead + 'm>) -> Box<dyn BufRead + 'm> {
        Box::new(BufReader::with_capacity(
            1 << 17,
            Changed { change: self, reader, odd: None, high: None, out: Vec::new(), at: 0 },
        ))
    }
}

/// A stream as UTF-8 where its first bytes say that it is not.
pub fn in_utf8<'m>(mut reader: Box<dyn BufRead + 'm>) -> io::Result<Box<dyn BufRead + 'm>> {
    let change = Change::of(reader.fill_buf()?);
    Ok(match change {
        Some(change) => change.applied(reader),
        None => reader,
    })
}

struct Changed<'m> {
    change: Change,
    reader: Box<dyn BufRead + 'm>,
    /// The first byte of a pair whose second is still to come.
    odd: Option<u8>,
    /// The first half of a letter outside the basic plane.
    high: Option<u16>,
    /// What was changed and not yet given out.
    out: Vec<u8>,
    at: usize,
}

impl Changed<'_> {
    fn push(&mut self, letter: char) {
        self.out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn push_unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            match char::decode_utf16([high, unit]).next() {
                Some(Ok(letter)) => return self.push(letter),
                _ => self.push(char::REPLACEMENT_CHARACTER),
            }
        }
        match char::decode_utf16([unit]).next() {
            Some(Ok(letter)) => self.push(letter),
            _ if (0xd800..0xdc00).contains(&unit) => self.high = Some(unit),
            _ => self.push(char::REPLACEMENT_CHARACTER),
        }
    }

    /// Changes what the reader has; whether there is an end.
    fn fill(&mut self) -> io::Result<bool> {
        (self.at, _) = (0, self.out.clear());
        let bytes = self.reader.fill_buf()?.to_vec();
        self.reader.consume(bytes.len());
        match self.change {
            Change::Latin1 => bytes.iter().for_each(|&byte| self.push(char::from(byte))),
            Change::ReturnsAlone => {
                self.out.extend(bytes.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }));
            }
            Change::Utf16Le | Change::Utf16Be => {
                for &byte in &bytes {
                    let Some(first) = self.odd.take() else {
                        self.odd = Some(byte);
                        continue;
                    };
                    let unit = if self.change == Change::Utf16Le { [first, byte] } else { [byte, first] };
                    self.push_unit(u16::from_le_bytes(unit));
                }
            }
        }
        if bytes.is_empty() && (self.odd.take().is_some() || self.high.take().is_some()) {
            self.push(char::REPLACEMENT_CHARACTER);
        }
        Ok(bytes.is_empty())
    }
}

impl Read for Changed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            if self.fill()? && self.out.is_empty() {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.out.len() - self.at);
        buffer[..count].copy_from_slice(&self.out[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> String {
        // A reader that gives few bytes at a time, so that pairs are cut.
        let few = BufReader::with_capacity(3, bytes);
        let change = Change::of(bytes);
        let reader: Box<dyn BufRead + '_> = Box::new(few);
        let mut reader = change.map_or_else(
            || BufReader::new(in_utf8(Box::new(bytes)).unwrap()),
            |change| BufReader::new(change.applied(reader)),
        );
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    proptest! {
        #[test]
        fn utf_16_is_the_same_text(text in "\\PC{0,40}") {
            for (mark, bytes) in [(b"\xff\xfe", u16::to_le_bytes as fn(u16) -> [u8; 2]), (b"\xfe\xff", u16::to_be_bytes)] {
                let mut file = mark.to_vec();
                file.extend(text.encode_utf16().flat_map(bytes));
                let expected = format!("\u{feff}{text}");
                prop_assert_eq!(read(&file), expected);
            }
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            for change in [Change::Utf16Le, Change::Utf16Be, Change::Latin1, Change::ReturnsAlone] {
                let mut out = Vec::new();
                change.applied(Box::new(bytes.as_slice())).read_to_end(&mut out).unwrap();
                prop_assert!(change == Change::ReturnsAlone || std::str::from_utf8(&out).is_ok());
            }
        }
    }

    #[test]
    fn without_a_mark_zeros_tell_utf_16_and_nothing_else_does() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(Change::of(&wide("user_id,item_id\n1,2\n")), Some(Change::Utf16Le));
        let big: Vec<u8> = "user_id,item_id\n1,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(Change::of(&big), Some(Change::Utf16Be));
        assert_eq!(read(&wide("a,b\n1,é\n")), "a,b\n1,é\n");
        for bytes in [&b"user_id,item_id\n"[..], b"", b"\0\0\0\0\0\0\0\0\0\0", b"PAR1\x15\0\x15\0", "ß,é".as_bytes()]
        {
            assert_eq!(Change::of(bytes), None, "{bytes:?}");
        }
        assert_eq!(Change::of(b"a,b\r1,2\r"), Some(Change::ReturnsAlone));
        assert_eq!(read(b"a,b\r1,2\r"), "a,b\n1,2\n");
    }
}
