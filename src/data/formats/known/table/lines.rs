//! How the lines of a table are taken apart, as its beginning tells.

use crate::data::formats::options::Columns;
use crate::data::formats::plan::{Delimited, Dialect, Separator};
use crate::data::formats::reader::records::Cut;
use crate::data::formats::reading::Escape;
use crate::data::formats::telling::sample::{FileSample, is_number};
use crate::error::InputError;

/// Rows that are looked at.
const ROWS: usize = 5000;

/// The lines of a table.
pub struct TableLines {
    pub separator: Separator,
    pub dialect: Dialect,
    /// The first rows, the one with names included where there is one.
    pub rows: Vec<Vec<String>>,
    /// Whether the escape was told from the rows.
    pub escapes: bool,
}

/// How the first row lies beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Cell by cell.
    None,
    /// The others begin with a column without a name, as pandas and R write the number of a row.
    Index,
    /// The others end with a separator.
    Trailing,
}

impl TableLines {
    /// Tells how lines are taken apart; none where nothing separates columns. `named` is what the project says separates them.
    ///
    /// # Errors
    /// What is named cannot separate columns.
    pub fn of(sample: &FileSample, named: Option<char>) -> Result<Option<Self>, InputError> {
        let separator = match named {
            Some(named) => Some(of_char(named).ok_or_else(|| {
                InputError::new(&sample.path, format!("\"{named}\" cannot separate columns"))
                    .advice("a comma or a tab, for example")
            })?),
            None => separator(sample),
        };
        Ok(separator.map(|separator| Self::separated(sample, separator)))
    }

    fn separated(sample: &FileSample, separator: Separator) -> Self {
        let separator = match separator {
            Separator::Plain(byte) if has_quoted_columns(&rows(sample, separator, Escape::Doubled)) => {
                Separator::Quoted(byte)
            }
            separator => separator,
        };
        let told = match separator {
            Separator::Quoted(byte) => escape(sample.text(), byte),
            Separator::Plain(_) | Separator::Own(_) => Escape::Doubled,
        };
        let dialect = Dialect {
            escape: sample.reading.escape.unwrap_or(told),
            comments: sample.comments.as_ref().map(|comments| comments.mark),
            encoding: sample.reading.encoding,
        };
        let rows = rows(sample, separator, dialect.escape);
        Self { separator, dialect, rows, escapes: told == Escape::Backslash && sample.reading.escape.is_none() }
    }

    /// How the row of names lies beside the others.
    pub fn shift(&self) -> Shift {
        let Some((first, rest)) = self.rows.split_first() else { return Shift::None };
        let longer = rest.iter().filter(|row| row.len() == first.len() + 1);
        if longer.clone().count() * 10 < rest.len() * 9 || rest.is_empty() {
            return Shift::None;
        }
        if longer.clone().all(|row| row.last().is_some_and(String::is_empty)) { Shift::Trailing } else { Shift::Index }
    }

    /// Names of the columns, or their numbers where no row has names.
    pub fn columns(&self, sample: &FileSample, header: bool) -> Vec<String> {
        let Some(first) = self.rows.first() else { return Vec::new() };
        if header {
            let names = first.iter().cloned();
            return match self.shift() {
                Shift::None => names.collect(),
                Shift::Index => std::iter::once(String::new()).chain(names).collect(),
                Shift::Trailing => names.chain([String::new()]).collect(),
            };
        }
        let count = self.usual_length();
        self.commented_names(sample)
            .filter(|names| names.len() == count)
            .unwrap_or_else(|| (1..=count).map(|number| format!("#{number}")).collect())
    }

    /// Names that stand in the last comment.
    pub fn commented_names(&self, sample: &FileSample) -> Option<Vec<String>> {
        let last = &sample.comments.as_ref()?.last;
        let byte = match self.separator {
            Separator::Quoted(byte) | Separator::Plain(byte) => char::from(byte),
            Separator::Own(_) => return None,
        };
        Some(last.split(byte).map(|name| name.trim().to_owned()).collect())
    }

    /// The table with these columns.
    pub fn table(&self, sample: &FileSample, header: bool) -> Delimited {
        let columns = self.columns(sample, header);
        Delimited { dialect: self.dialect, ..Delimited::new(self.separator, header, columns) }
    }

    /// The number of cells that most rows have.
    fn usual_length(&self) -> usize {
        usual_length(&self.rows).map_or(0, |(length, _)| length)
    }

    /// The rows behind the names that have as many cells as there are columns.
    pub fn values(&self, header: bool, columns: usize) -> Vec<&[String]> {
        let rows = self.rows.iter().skip(usize::from(header)).map(Vec::as_slice);
        rows.filter(|row| row.len() == columns).collect()
    }
}

/// The number of cells that most rows have, and how many rows have it.
fn usual_length(rows: &[Vec<String>]) -> Option<(usize, usize)> {
    let count = |length: usize| rows.iter().filter(|row| row.len() == length).count();
    let lengths = rows.iter().map(|row| (row.len(), count(row.len())));
    lengths.max_by_key(|&(length, count)| (count, length))
}

/// A tab and a bar are plain, unless columns in quotes say otherwise; quotes matter between others.
fn of_char(separator: char) -> Option<Separator> {
    let byte = u8::try_from(separator).ok().filter(u8::is_ascii)?;
    match byte {
        b'\t' | b'|' => Some(Separator::Plain(byte)),
        b'"' | b'\\' | b'\n' | b'\r' => None,
        _ => Some(Separator::Quoted(byte)),
    }
}

fn rows(sample: &FileSample, separator: Separator, escape: Escape) -> Vec<Vec<String>> {
    let (separator, quoted) = match separator {
        Separator::Quoted(byte) => (byte, true),
        Separator::Plain(byte) => (byte, false),
        Separator::Own(_) => return Vec::new(),
    };
    sample.rows_of(Cut { separator, quoted, escape, columns: None, comments: None }, ROWS)
}

/// The separator that takes the rows apart most evenly, and of those into most columns. Blanks, which texts have too, come last.
fn separator(sample: &FileSample) -> Option<Separator> {
    if let Some(named) = sample.separator {
        return of_char(char::from(named));
    }
    let even = |separator: Separator| {
        let rows = rows(sample, separator, Escape::Doubled);
        let (length, count) = usual_length(&rows).filter(|&(length, count)| length > 1 && 2 * count >= rows.len())?;
        // Names may lack the one of the number of a row.
        Some((count + 1 >= rows.len(), length))
    };
    let best = |candidates: &[char]| {
        let candidates = candidates.iter().rev().filter_map(|&candidate| of_char(candidate));
        // The first of equals, and `max_by_key` would give the last.
        let scored = candidates.filter_map(|separator| Some((even(separator)?, separator)));
        scored.max_by_key(|(score, _)| *score).map(|(_, separator)| separator)
    };
    best(&['\t', ',', ';', '|'])
        .or_else(|| best(&[' ']).filter(|&blanks| has_numbers(&rows(sample, blanks, Escape::Doubled))))
}

/// Whether rows, which may be prose, are a table: all of a length, with a column of numbers.
fn has_numbers(rows: &[Vec<String>]) -> bool {
    let Some((length, count)) = usual_length(rows).filter(|_| rows.len() > 2) else { return false };
    let numbers = |column: usize| rows.iter().skip(1).all(|row| row.get(column).is_some_and(|cell| is_number(cell)));
    count + 1 >= rows.len() && (0..length).any(numbers)
}

/// Whether all cells of a column are in quotes, those that are empty aside.
fn has_quoted_columns(rows: &[Vec<String>]) -> bool {
    let Some((length, _)) = usual_length(rows) else { return false };
    let quoted = |cell: &str| cell.len() >= 2 && cell.starts_with('"') && cell.ends_with('"');
    (0..length).any(|column| {
        let mut cells =
            rows.iter().skip(1).filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
        cells.peek().is_some() && cells.all(|cell| quoted(cell))
    })
}

/// How quotes are written within quotes: `\"` in front of something else than the end of a column tells.
fn escape(text: &[u8], separator: u8) -> Escape {
    let ends = |next: Option<&u8>| next.is_none_or(|next| *next == separator || matches!(next, b'\r' | b'\n'));
    let (mut backslashes, mut doubled) = (0, 0);
    for at in 1..text.len() {
        if text[at] != b'"' {
            continue;
        }
        let within = !ends(text.get(at + 1)) && at >= 2 && !ends(text.get(at - 2));
        match text[at - 1] {
            b'\\' if within => backslashes += 1,
            b'"' if within => doubled += 1,
            _ => {}
        }
    }
    if backslashes > doubled { Escape::Backslash } else { Escape::Doubled }
}

/// Which columns a table's roles are, as a project file says it.
pub fn columns_line(columns: &Columns) -> String {
    let parts = [
        ("user", Some(&columns.user)),
        ("item", Some(&columns.item)),
        ("time", columns.time.as_ref()),
        ("clock", columns.clock.as_ref()),
        ("rating", columns.rating.as_ref()),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(role, name)| Some(format!("{role}: \"{}\"", name?.replace('"', "\\\""))))
        .collect();
    format!("columns: ({})", parts.join(", "))
}
