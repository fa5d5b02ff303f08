//! The semantic-id index: every item's codes, and the code tokens as the files write them.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::json;

/// Codes of every item of a catalogue, level by level.
///
/// A *code token* is a distinct `<a_17>`-like string; all of them, over all levels, are numbered once: first by
/// level, then by number, so that `tokens` is sorted and equal data give equal numbering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemanticIndex {
    /// Levels an item (tokens an item), 4 in the released data.
    pub levels: usize,
    /// Every distinct code token as written in the files.
    pub tokens: Vec<String>,
    /// Level (0-based) of each code token.
    pub token_level: Vec<u8>,
    /// `items x levels`, row-major: each item's code tokens as indices in `tokens`.
    pub codes: Vec<u32>,
}

/// How many items a catalogue has, and how many ids they have together: fewer where items share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdCounts {
    pub items: usize,
    pub ids: usize,
}

impl IdCounts {
    /// Whether items share ids.
    pub fn are_shared(self) -> bool {
        self.ids < self.items
    }
}

impl fmt::Display for IdCounts {
    /// `145 items have 93 ids`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items have {} ids", self.items, self.ids)
    }
}

/// Levels that can be told apart by one letter, `a` to `z`.
pub const MAX_LEVELS: usize = 26;

impl SemanticIndex {
    /// Numbers the code tokens of `items x levels` codes (row-major): the code `n` of level 0 is the token `<a_n>`, of
    /// level 1 `<b_n>`, and so on. Only codes that occur become tokens.
    ///
    /// # Panics
    /// Never for `1 <= levels <= MOST_LEVELS` and whole rows, which every reader here checks first.
    pub fn from_numbers(levels: usize, numbers: &[u32]) -> Self {
        debug_assert!((1..=MAX_LEVELS).contains(&levels) && numbers.len().is_multiple_of(levels));
        let key = |at: usize| ((at % levels) as u8, numbers[at]);
        let mut token_numbers: BTreeMap<(u8, u32), u32> = (0..numbers.len()).map(|at| (key(at), 0)).collect();
        for (number, next) in token_numbers.values_mut().zip(0..) {
            *number = next;
        }
        Self {
            levels,
            tokens: token_numbers.keys().map(|&(level, number)| token(level, number)).collect(),
            token_level: token_numbers.keys().map(|&(level, _)| level).collect(),
            codes: (0..numbers.len()).map(|at| token_numbers[&key(at)]).collect(),
        }
    }

    /// The code tokens of an item (`levels` of them).
    pub fn item(&self, item: u32) -> &[u32] {
        let from = item as usize * self.levels;
        &self.codes[from..from + self.levels]
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.codes.len() / self.levels.max(1)
    }

    /// How many ids the items have.
    pub fn id_counts(&self) -> IdCounts {
        let distinct: HashSet<&[u32]> = self.codes.chunks_exact(self.levels.max(1)).collect();
        IdCounts { items: self.len(), ids: distinct.len() }
    }

    /// Whether there is no item at all.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Writes the index in the released format: `{item: ["<a_128>", "<b_72>", …]}`, items in place order.
    ///
    /// # Errors
    /// What the writer says, with what it had kept back.
    pub fn write<'a>(&self, items: impl Iterator<Item = &'a str>, mut writer: impl Write) -> std::io::Result<()> {
        let mut json = serde_json::Serializer::new(&mut writer);
        let mut map = json.serialize_map(Some(self.len()))?;
        for (item, codes) in items.zip(self.codes.chunks(self.levels)) {
            let tokens: Vec<&str> = codes.iter().map(|&code| self.tokens[code as usize].as_str()).collect();
            map.serialize_entry(item, &tokens)?;
        }
        SerializeMap::end(map)?;
        // A buffer that is dropped swallows the error of its last write, and what is then published lacks its end.
        writer.flush()
    }
}

/// An index file as it is read: items in file order with the numbers of their codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Ids of the items, in file order, each once.
    pub items: Vec<String>,
    /// Codes an item.
    pub levels: usize,
    /// `items x levels`, row-major: 128 for the code token `<a_128>`.
    pub numbers: Vec<u32>,
}

impl IndexFile {
    /// Reads an index in the released format, `{item: ["<a_128>", "<b_72>", …]}`.
    ///
    /// # Errors
    /// Names the line and the item of an item that occurs twice, of rows of different lengths, and of a code token that
    /// is not `<letter_number>` with the letter of its level.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let mut file = Self { items: Vec::new(), levels: 0, numbers: Vec::new() };
        json::read(path, IndexVisitor { file: &mut file, seen: HashSet::new() })?;
        if file.items.is_empty() {
            return Err(InputError::new(path, "the index has no item").advice("it maps each item to its code tokens"));
        }
        Ok(file)
    }

    /// The codes of the item in the `row`-th place of the file.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.numbers[row * self.levels..(row + 1) * self.levels]
    }
}

/// Takes in an index item by item, so that no tree of the whole file is built.
struct IndexVisitor<'f> {
    file: &'f mut IndexFile,
    seen: HashSet<String>,
}

impl<'de> Visitor<'de> for IndexVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of items, each with a list of code tokens")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(item) = map.next_key::<String>()? {
            let row: Vec<String> = map.next_value()?;
            let levels = if self.file.items.is_empty() { row.len() } else { self.file.levels };
            if row.len() != levels || !(1..=MAX_LEVELS).contains(&levels) {
                let expected = if self.file.items.is_empty() { "1 to 26".into() } else { levels.to_string() };
                let found = row.len();
                return Err(A::Error::custom(format!("item `{item}` has {found} codes, expected {expected}")));
            }
            self.file.levels = levels;
            for (level, token) in row.iter().enumerate() {
                let number = parse_token(level as u8, token).ok_or_else(|| {
                    let example = self::token(level as u8, 128);
                    let level = level + 1;
                    A::Error::custom(format!(
                        "item `{item}` has the code `{token}` on level {level}, expected one like `{example}`"
                    ))
                })?;
                self.file.numbers.push(number);
            }
            if !self.seen.insert(item.clone()) {
                return Err(A::Error::custom(format!("item `{item}` occurs twice")));
            }
            self.file.items.push(item);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for IndexVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// The code token of a number on a level (0-based).
fn token(level: u8, number: u32) -> String {
    format!("<{}_{number}>", char::from(b'a' + level))
}

/// The number of a code token, if it is written exactly as [`token`] writes it.
fn parse_token(level: u8, text: &str) -> Option<u32> {
    let number =
        text.strip_prefix('<')?.strip_prefix(char::from(b'a' + level))?.strip_prefix('_')?.strip_suffix('>')?;
    let canonical = number.bytes().all(|digit| digit.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
    canonical.then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Result<IndexFile, InputError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.index.json");
        std::fs::write(&path, text).unwrap();
        let read = IndexFile::read(&path);
        (folder, read)
    }

    #[test]
    fn tokens_are_numbered_by_level_then_number() {
        let index = SemanticIndex::from_numbers(2, &[10, 3, 9, 3, 10, 0]);
        assert_eq!(index.tokens, ["<a_9>", "<a_10>", "<b_0>", "<b_3>"]);
        assert_eq!(index.token_level, [0, 0, 1, 1]);
        assert_eq!([index.item(0), index.item(1), index.item(2)], [[1, 3], [0, 3], [1, 2]]);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let index = SemanticIndex::from_numbers(4, &[1, 2, 3, 4, 5, 6, 7, 255]);
        let mut text = Vec::new();
        index.write(["7", "a \"quoted\" id"].into_iter(), &mut text).unwrap();
        let (_folder, read) = file(std::str::from_utf8(&text).unwrap());
        let read = read.unwrap();
        assert_eq!(read.items, ["7", "a \"quoted\" id"]);
        assert_eq!(SemanticIndex::from_numbers(read.levels, &read.numbers), index);
    }

    #[test]
    fn a_disk_that_fails_at_the_last_write_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let index = SemanticIndex::from_numbers(1, &[1]);
        let error = index.write(["7"].into_iter(), std::io::BufWriter::new(Full)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "all of it fits into the buffer");
    }

    #[test]
    fn bad_rows_are_named() {
        for (text, problem, place) in [
            (r#"{"1": ["<a_1>", "<b_2>"], "2": ["<a_1>"]}"#, "item `2` has 1 codes, expected 2", "line 1, column "),
            ("{\"1\": [\"<a_1>\"],\n \"1\": [\"<a_2>\"]}", "item `1` occurs twice", "line 2, column "),
            (r#"{"1": []}"#, "item `1` has 0 codes, expected 1 to 26", "line 1"),
            (r#"{"1": ["<b_1>"]}"#, "item `1` has the code `<b_1>` on level 1, expected one like `<a_128>`", "line 1"),
            (r#"{"1": ["<a_01>"]}"#, "item `1` has the code `<a_01>`", "line 1"),
            (r#"{"1": ["<a_+1>"]}"#, "item `1` has the code `<a_+1>`", "line 1"),
            (r#"{"1": ["<a_99999999999>"]}"#, "item `1` has the code `<a_99999999999>`", "line 1"),
            (r#"{"1": [7]}"#, "invalid type: integer `7`, expected a string", "line 1, column 9"),
            (r#"{}"#, "the index has no item", ""),
            ("", "the file is empty", ""),
        ] {
            let error = file(text).1.unwrap_err();
            assert!(error.problem.starts_with(problem), "{text}: {error}");
            assert!(error.place.clone().unwrap_or_default().starts_with(place), "{text}: {error}");
        }
    }
}
