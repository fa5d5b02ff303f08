//! What names say of files that belong together: parts with numbers, and the parts of a split.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Words for the parts of a split, in their order.
const SPLIT: [&[&str]; 3] = [&["train", "training"], &["valid", "validation", "val", "dev"], &["test", "testing"]];

/// A name taken apart, as far as it tells that others belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// What files that belong together share: the name with `*` where they differ.
    pub family: String,
    /// Which part of a split it is: 0 for training, 1 for validation, 2 for test.
    pub split: Option<usize>,
    /// The name that all of them have together: `ml.inter` of `ml.train.inter`.
    pub common: String,
}

impl FileName {
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        of_split(&name).or_else(|| of_spark(&name)).unwrap_or_else(|| of_numbers(&name))
    }
}

/// `ml.train.inter`, `train.csv`, `Games_valid.csv`.
fn of_split(name: &str) -> Option<FileName> {
    let mut at = 0;
    for word in name.split(|letter: char| !letter.is_alphanumeric()) {
        let part = SPLIT.iter().position(|words| words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        let end = at + word.len();
        if let Some(part) = part {
            let (before, after) = (&name[..at], &name[end..]);
            // Without the word and one of what separates it.
            let common = match before.strip_suffix(['.', '_', '-', ' ']) {
                Some(before) => format!("{before}{after}"),
                None => after.trim_start_matches(['.', '_', '-', ' ']).to_owned(),
            };
            return Some(FileName { family: format!("{before}*{after}"), split: Some(part), common });
        }
        // What separates words has one byte, or it is a letter of another script and no end of a word.
        at = end + name[end..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

/// `part-00000-…`, as Spark writes them, each job under an id of its own.
fn of_spark(name: &str) -> Option<FileName> {
    let rest = name.strip_prefix("part-")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let end = rest.find('.').map_or("", |dot| &rest[dot..]);
    (digits > 0).then(|| FileName { family: format!("part-*{end}"), split: None, common: String::new() })
}

/// Names of months, which files of a month have as often as its number.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// `events-2019-10.csv`, `2019-Oct.csv`: numbers, with what separates them, are what differs.
fn of_numbers(name: &str) -> FileName {
    let plain = with_numbers_of_months(name);
    let separates = |letter: char| ['.', '_', '-', ' '].contains(&letter);
    let (mut family, mut common) = (String::new(), String::new());
    let mut rest = plain.as_str();
    while let Some(first) = rest.find(|letter: char| letter.is_ascii_digit()) {
        // To the last digit before a letter.
        let run = rest[first..].find(|letter: char| !letter.is_ascii_digit() && !separates(letter));
        let run = rest[first..].split_at(run.unwrap_or(rest.len() - first)).0.trim_end_matches(separates);
        let (before, behind) = (&rest[..first], &rest[first + run.len()..]);
        if behind.starts_with(char::is_alphabetic) {
            // A number with a unit says how large something is, not which part: `ml-10m` and `ml-20m` are two datasets.
            family.push_str(&rest[..first + run.len()]);
            common.push_str(&rest[..first + run.len()]);
        } else {
            family.push_str(before);
            family.push('*');
            common.push_str(before.trim_end_matches(|letter| separates(letter) || ['(', '='].contains(&letter)));
        }
        rest = behind;
    }
    family.push_str(rest);
    common.push_str(rest);
    let common = common.trim_start_matches(['_', '-', ' ']).to_owned();
    FileName { family, split: None, common }
}

/// A name with the numbers of months for their names.
fn with_numbers_of_months(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for part in name.split_inclusive(|letter: char| !letter.is_alphanumeric()) {
        let word = part.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        match MONTHS.iter().position(|month| month.eq_ignore_ascii_case(word)) {
            Some(month) => plain.push_str(&format!("{:02}", month + 1)),
            None => plain.push_str(word),
        }
        plain.push_str(&part[word.len()..]);
    }
    plain
}

/// The order of names in which numbers count by value: `part-2` before `part-10`; parts of a split in its order.
pub fn in_order(one: &Path, other: &Path) -> Ordering {
    let split = |path: &Path| {
        // Parts of a split may also lie in folders that are called so.
        FileName::of(path).split.or_else(|| of_split(&name(path.parent()?).to_string_lossy())?.split)
    };
    let folders = || natural(&text(one.parent()), &text(other.parent()));
    let plain = |path: &Path| with_numbers_of_months(&name(path).to_string_lossy());
    let names = || natural(&plain(one), &plain(other));
    split(one).cmp(&split(other)).then_with(folders).then_with(names).then_with(|| one.cmp(other))
}

fn name(path: &Path) -> OsString {
    path.file_name().map(OsStr::to_owned).unwrap_or_default()
}

fn text(path: Option<&Path>) -> String {
    path.unwrap_or(Path::new("")).to_string_lossy().into_owned()
}

fn natural(one: &str, other: &str) -> Ordering {
    let number = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let value = text[..digits].trim_start_matches('0');
        (digits > 0).then(|| (value.len(), value.to_owned(), digits))
    };
    let (mut one, mut other) = (one, other);
    loop {
        if let (Some(left), Some(right)) = (number(one), number(other)) {
            let by_value = (left.0, &left.1).cmp(&(right.0, &right.1));
            if by_value.is_ne() {
                return by_value;
            }
            (one, other) = (&one[left.2..], &other[right.2..]);
            continue;
        }
        let (mut left, mut right) = (one.chars(), other.chars());
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) if left != right => return left.cmp(&right),
            _ => (one, other) = (left.as_str(), right.as_str()),
        }
    }
}

/// The path that files have together, for the name of their dataset and for what lies beside them.
pub fn common_path(first: &Path) -> PathBuf {
    let FileName { common, family, .. } = FileName::of(first);
    let stem = common.split('.').next().unwrap_or_default();
    if stem.is_empty() || family.starts_with("*.") {
        // Nothing but numbers: the folder's name is theirs.
        let folder = first.parent().unwrap_or(Path::new(""));
        return folder.join(folder.file_name().unwrap_or(OsStr::new("data")));
    }
    first.with_file_name(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str) -> String {
        FileName::of(Path::new(name)).family
    }

    #[test]
    fn names_tell_what_belongs_together() {
        for (name, expected, common) in [
            ("ml.train.inter", "ml.*.inter", "ml.inter"),
            ("ml.test.inter", "ml.*.inter", "ml.inter"),
            ("Video_Games.valid.csv.gz", "Video_Games.*.csv.gz", "Video_Games.csv.gz"),
            ("train.csv", "*.csv", "csv"),
            ("Games_dev.tsv", "Games_*.tsv", "Games.tsv"),
            ("events-2019-10.csv.gz", "events-*.csv.gz", "events.csv.gz"),
            ("2019-Oct.csv", "*.csv", ".csv"),
            ("market.csv", "market.csv", "market.csv"),
            ("log_standard_4_08_to_4_21_pure.csv", "log_standard_*_to_*_pure.csv", "log_standard_to_pure.csv"),
            ("part-00003-9943d681-c000.snappy.parquet", "part-*.snappy.parquet", ""),
            ("ratings.csv", "ratings.csv", "ratings.csv"),
            ("protest.csv", "protest.csv", "protest.csv"),
            ("données_test.csv", "données_*.csv", "données.csv"),
        ] {
            let found = FileName::of(Path::new(name));
            assert_eq!((found.family.as_str(), found.common.as_str()), (expected, common), "{name}");
        }
        assert_eq!(family("part-1.csv"), family("part-12-abc.csv"));
        assert_ne!(family("ml-100k.inter"), family("ml-1m.inter"));
        assert_ne!(family("ml-10m.inter"), family("ml-20m.inter"));
        assert_eq!(FileName::of(Path::new("a.TEST.csv")).split, Some(2));
    }

    #[test]
    fn parts_are_read_by_number_and_splits_in_their_order() {
        let sorted = |names: &[&str]| {
            let mut paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
            paths.sort_by(|one, other| in_order(one, other));
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(sorted(&["part-10.csv", "part-2.csv", "part-1.csv"]), ["part-1.csv", "part-2.csv", "part-10.csv"]);
        assert_eq!(sorted(&["a.test.csv", "a.train.csv", "a.valid.csv"]), ["a.train.csv", "a.valid.csv", "a.test.csv"]);
        assert_eq!(
            sorted(&["2019-Nov.csv", "2020-Jan.csv", "2019-Oct.csv"]),
            ["2019-Oct.csv", "2019-Nov.csv", "2020-Jan.csv"]
        );
        assert_eq!(sorted(&["test/x.csv", "train/x.csv"]), ["train/x.csv", "test/x.csv"]);
        assert_eq!(sorted(&["b/x1.csv", "a/x2.csv"]), ["a/x2.csv", "b/x1.csv"]);
    }

    #[test]
    fn a_name_for_all_is_found() {
        assert_eq!(common_path(Path::new("d/ml.train.inter")), Path::new("d/ml.inter"));
        assert_eq!(common_path(Path::new("d/out.csv/part-0001-x.csv")), Path::new("d/out.csv/out.csv"));
        assert_eq!(common_path(Path::new("d/train.csv")), Path::new("d/d"));
    }
}
