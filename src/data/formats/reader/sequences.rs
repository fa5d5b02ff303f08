//! Users' sequences put together from records that each have a part of one: the items up to some point, and the next.
//!
//! Files that were made for training repeat a user's history in every line, often cut to the last so many items, and may be in
//! any order. Each interaction is taken once all the same.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::sink::{Record, Sink};
use crate::data::formats::ImportError;
use crate::data::formats::value::field::Field;
use crate::data::names::Names;

/// An item of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number among the items.
    item: u32,
    time: Option<String>,
    /// Number of the file that it was found in.
    file: u16,
}

/// The sequences of all users.
#[derive(Debug, Default)]
pub struct Sequences {
    users: Names,
    items: Names,
    /// By user.
    sequences: Vec<Vec<Entry>>,
}

/// What a record has.
pub struct Part<'r> {
    pub user: Cow<'r, str>,
    pub history: Vec<(Cow<'r, str>, Option<String>)>,
    pub next: (Cow<'r, str>, Option<String>),
    pub file: u16,
}

impl Sequences {
    /// Takes in a record; none where there are more users or items than numbers for them.
    pub fn take(&mut self, part: Part<'_>) -> Option<()> {
        let user = self.users.number(&part.user)? as usize;
        if user == self.sequences.len() {
            self.sequences.push(Vec::new());
        }
        let mut entry = |(item, time): (Cow<'_, str>, Option<String>)| {
            Some(Entry { item: self.items.number(&item)?, time, file: part.file })
        };
        let mut found = part.history.into_iter().map(&mut entry).collect::<Option<Vec<Entry>>>()?;
        let next = entry(part.next)?;
        let known = self.sequences.get_mut(user)?;
        let items = |entries: &[Entry]| entries.iter().map(|entry| entry.item).collect::<Vec<u32>>();
        let (own, history) = (items(known), items(&found));
        if own.ends_with(&history) && !(history.is_empty() && own.contains(&next.item)) {
            // The usual case: what happened next. It may be an item of the history once more.
            known.push(next);
            return Some(());
        }
        found.push(next);
        join(known, found);
        Some(())
    }

    /// Hands the sequences to a sink, user by user.
    ///
    /// # Errors
    /// There are more interactions than numbers for them.
    pub fn give(self, sink: &mut Sink, paths: &[PathBuf]) -> Result<(), ImportError> {
        for (number, sequence) in (0..).zip(&self.sequences) {
            let user = self.users.get(number);
            for Entry { item, time, file } in sequence {
                let path = paths.get(usize::from(*file)).map_or(Path::new(""), PathBuf::as_path);
                sink.begin_file(*file, paths.len());
                let record = Record {
                    user: Field::Text(user.into()),
                    item: Field::Text(self.items.get(*item).into()),
                    time: time.as_ref().map(|time| Field::of_bytes(time.as_bytes())),
                    rating: None,
                };
                sink.take(path, 0, 1, &record)?;
            }
        }
        Ok(())
    }
}

/// Adds to a sequence what another part of it has beyond it.
fn join(known: &mut Vec<Entry>, found: Vec<Entry>) {
    let same = |one: &[Entry], other: &[Entry]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.item == other.item)
    };
    if known.windows(found.len()).any(|window| same(window, &found)) {
        return;
    }
    if found.windows(known.len().max(1)).any(|window| same(window, known)) {
        *known = found;
        return;
    }
    // The longest end of one that the other begins with.
    let longest = known.len().min(found.len());
    let behind = (1..=longest).rev().find(|&length| same(&known[known.len() - length..], &found[..length]));
    let before = (1..=longest).rev().find(|&length| same(&found[found.len() - length..], &known[..length]));
    if behind >= before {
        known.extend(found.into_iter().skip(behind.unwrap_or(0)));
    } else {
        let keep = found.len() - before.unwrap_or(0);
        known.splice(0..0, found.into_iter().take(keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sequence of a user after records of history and next item.
    fn sequence(records: &[(&str, &str)]) -> String {
        let mut sequences = Sequences::default();
        for (history, next) in records {
            let history = history.chars().map(|item| (Cow::Owned(item.to_string()), None)).collect();
            let next = (Cow::Owned((*next).to_owned()), None);
            sequences.take(Part { user: "u".into(), history, next, file: 0 }).unwrap();
        }
        sequences.sequences[0].iter().map(|entry| sequences.items.get(entry.item)).collect()
    }

    #[test]
    fn every_interaction_is_taken_once() {
        // Each is one sequence, cut as such files cut it.
        assert_eq!(sequence(&[("a", "b"), ("ab", "c"), ("abc", "d")]), "abcd");
        assert_eq!(
            sequence(&[("a", "b"), ("a", "b"), ("ab", "c"), ("ab", "c")]),
            "abc",
            "lines that stand there twice"
        );
        assert_eq!(sequence(&[("abc", "d"), ("a", "b"), ("ab", "c")]), "abcd", "the last line first");
        assert_eq!(sequence(&[("a", "b"), ("ab", "c"), ("bc", "d"), ("cd", "e")]), "abcde", "only the last two");
        assert_eq!(sequence(&[("cd", "e"), ("bc", "d"), ("ab", "c"), ("a", "b")]), "abcde", "that in reverse");
        assert_eq!(sequence(&[("a", "a"), ("aa", "a"), ("aaa", "b")]), "aaab", "an item again and again");
        assert_eq!(sequence(&[("ab", "a"), ("aba", "b")]), "abab");
        assert_eq!(sequence(&[("ab", "c"), ("xy", "z")]), "abcxyz", "parts without a bridge");
        assert_eq!(sequence(&[("", "a"), ("a", "b")]), "ab");
    }
}
