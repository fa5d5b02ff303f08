//! The answer for a file that is none of the formats: what it looks like, the nearest thing that it could be, and what to write.

use std::path::Path;

use super::file_set;
use super::sample::FileSample;
use crate::data::formats::known::{object_table, table};
use crate::data::formats::options::{Columns, TableImport};
use crate::data::formats::spec::{Format, SourceFields};
use crate::error::InputError;

/// Characters of the first line that are shown.
const SHOWN: usize = 60;
/// Files of a folder that are named.
const NAMED: usize = 3;

/// The error for a file or folder whose format is not known. In the place of a format that a project names, `expected` says what that
/// format has.
pub fn unknown(path: &Path, expected: Option<Format>) -> InputError {
    let expected = expected.map(|format| format.expected.to_owned());
    if path.is_dir() {
        return of_folder(path, expected);
    }
    let sample = match FileSample::read(path) {
        Ok(sample) => sample,
        Err(error) => return error,
    };
    if sample.bytes().is_empty() {
        return InputError::new(path, "the file is empty").advice("fetch or write it again");
    }
    let problem = format!("the format is not known: it looks like {}", looks(&sample));
    let nearest = || proposed(&sample).map(|table| nearest(&table));
    InputError::new(path, problem).advice(expected.or_else(nearest).unwrap_or_else(any_format))
}

/// What a file would be read as with other columns; none where it has none.
fn proposed(sample: &FileSample) -> Option<TableImport> {
    object_table::propose(sample).or_else(|| table::propose(sample).ok().flatten())
}

/// What a file looks like: its encoding, what is in it, and its first line.
fn looks(sample: &FileSample) -> String {
    let bytes = sample.bytes();
    let Some(encoding) = encoding(bytes) else {
        let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        return format!("binary data that begins with {}", start.join(" "));
    };
    let kind = match proposed(sample) {
        _ if object_table::columns(sample).is_some() => "JSON objects".to_owned(),
        _ if bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"[") => {
            "JSON".to_owned()
        }
        Some(_) => "a table".to_owned(),
        _ => "text without columns".to_owned(),
    };
    let first = sample.lines().first().map(|line| shown(&crate::data::formats::value::field::text(line)));
    match first {
        Some(first) => format!("{kind} in {encoding}, whose first line is `{first}`"),
        None => format!("{kind} in {encoding}"),
    }
}

/// The encoding of text; none of what is no text.
fn encoding(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some("UTF-16");
    }
    let control = |byte: &&u8| **byte < 0x20 && !b"\t\n\r\x0c".contains(byte);
    if bytes.iter().filter(control).count() * 100 > bytes.len() {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Some("UTF-8"),
        // A character that the sample cuts.
        Err(error) if error.error_len().is_none() => Some("UTF-8"),
        Err(_) => Some("ISO-8859-1 or another encoding of single bytes"),
    }
}

/// A text on one line, cut where it is long.
fn shown(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let text = text.replace('`', "'");
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// The line of a project file that reads a table, with columns that are still to be put right.
fn nearest(table: &TableImport) -> String {
    let Columns { user, item, time, clock, rating } = &table.columns;
    let mut columns = format!("user: {user:?}, item: {item:?}");
    let optional = [("time", time), ("clock", clock), ("rating", rating)];
    for (part, name) in optional.into_iter().filter_map(|(part, name)| Some((part, name.as_ref()?))) {
        columns.push_str(&format!(", {part}: {name:?}"));
    }
    let header = if table.header { "" } else { ", header: false" };
    let path = table.path.to_string_lossy();
    format!(
        "the nearest is a table, whose columns do not say which is the user and which the item. With the right ones in a project \
         file it is read: `dataset: Table(path: {path:?}, columns: ({columns}){header}),`"
    )
}

/// What is expected where no format is named.
fn any_format() -> String {
    format!(
        "interactions of {} were expected; the columns of a table can be named: `dataset: Table(path: \"…\", columns: (user: \"…\", \
         item: \"…\"))`",
        formats_in_words()
    )
}

/// The formats of interactions in a row, for people: `LC-Rec / LETTER, RecBole, … or a table (CSV, TSV, Parquet)`.
pub fn formats_in_words() -> String {
    let certain = Format::all().filter(|format| format.fields == SourceFields::Interactions);
    let labels: Vec<&str> = certain.map(|format| format.label).collect();
    format!("{} or a table ({})", labels.join(", "), Format::TABLE.kinds)
}

/// The error for a folder, with some of its files and what they are.
fn of_folder(folder: &Path, expected: Option<String>) -> InputError {
    let files = file_set::of_folder(folder).unwrap_or_default();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let what = |path: &Path| match FileSample::read(path) {
        Ok(sample) if sample.bytes().is_empty() => "empty".to_owned(),
        Ok(sample) => looks(&sample).split(", whose").next().unwrap_or_default().to_owned(),
        Err(error) => [Some(error.problem), error.advice].into_iter().flatten().collect::<Vec<_>>().join(": "),
    };
    let some: Vec<String> = files.iter().take(NAMED).map(|path| format!("{} ({})", name(path), what(path))).collect();
    let has = match files.len() {
        0 => "it has no files".to_owned(),
        count if count > NAMED => format!("it has {} and {} more", some.join(", "), count - NAMED),
        _ => format!("it has {}", some.join(", ")),
    };
    let problem = format!("there is no file of interactions in the folder: {has}");
    let advice = expected.unwrap_or_else(|| match files.first() {
        Some(first) => {
            let first = first.to_string_lossy();
            format!("to see what one of them is: `peso inspect {}`", shell_words::quote(&first))
        }
        None => any_format(),
    });
    InputError::new(folder, problem).advice(advice)
}
