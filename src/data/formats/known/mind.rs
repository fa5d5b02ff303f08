//! MIND: what Microsoft News showed to users, what they chose, and what they had read before.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use super::named_table::beside;
use crate::calendar;
use crate::data::formats::ImportError;
use crate::data::formats::plan::{Delimited, ItemLayout, ItemRoles, Layout, Separator};
use crate::data::formats::reader::delimited::{self, Cells, RecordLines};
use crate::data::formats::reader::sink::{Record, Sink};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::stream::input::Monitor;
use crate::data::formats::telling::sample::FileSample;
use crate::data::formats::value::field::{Field, text};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Mind",
    label: "MIND",
    kinds: "",
    summary: "Impressions and clicks of Microsoft News in 2019 (small and large).",
    files: &[
        Term {
            name: "behaviors.tsv",
            meaning: "impression, user, time (`11/11/2019 9:05:58 AM`), items read before, and items shown with `-1` where they were \
                      clicked, between tabs, without a header",
        },
        Term {
            name: "news.tsv",
            meaning: "item, category, subcategory, title, abstract and others between tabs; optional",
        },
    ],
    recognition: "five columns between tabs of which the third is a date with AM or PM and the last has items that end in `-0` or `-1`",
    certain: true,
    expected: "`behaviors.tsv` with impression, user, time, history and impressions was expected",
    traps: &[
        "Interactions are clicks (`-1`), at the time of the impression, and what a user had read before; what was shown and not clicked \
         (`-0`) is none.",
        "When the items of a history were read is not known: they stand, in their order, at the time of the user's first impression, \
         before its clicks. A history that later lines repeat is taken once.",
        "Training and validation are two folders: `path: \"MIND*/behaviors.tsv\"` reads both.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        items,
        items_path: |sample| beside(sample, &["news.tsv"]),
        name: |_| "MIND".to_owned(),
        reason: |_| "Each line has a user, a time, a history and what was shown, with clicks".to_owned(),
        ..Reader::ONE_FILE
    },
};

/// The columns of impressions.
pub fn table() -> Delimited {
    let columns = ["impression", "user", "time", "history", "impressions"].map(str::to_owned).to_vec();
    Delimited::new(Separator::Plain(b'\t'), false, columns)
}

fn layout(sample: &FileSample) -> Option<Layout> {
    let rows = sample.rows(b'\t', false);
    let shown = |cell: &str| cell.split(' ').all(|item| item.ends_with("-0") || item.ends_with("-1"));
    let fits = |row: &Vec<String>| row.len() == 5 && moment(&row[2]).is_some() && shown(&row[4]);
    (!rows.is_empty() && rows.iter().all(fits)).then_some(Layout::Impressions)
}

fn items(sample: &FileSample) -> Option<ItemLayout> {
    let rows = sample.rows(b'\t', false);
    let fits = |row: &Vec<String>| row.len() == 8 && row[5].starts_with("http");
    let columns = (1..=8).map(|number| format!("#{number}")).collect();
    let table = Delimited::new(Separator::Plain(b'\t'), false, columns);
    let roles = ItemRoles { id: 0, title: Some(3), description: Some(4), categories: Some(1) };
    let is_news = !rows.is_empty() && rows.iter().all(fits);
    is_news.then_some(ItemLayout::Delimited { table, roles, between: "|" })
}

/// Milliseconds since 1970 of `11/11/2019 9:05:58 AM`, the month first.
fn moment(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let (date, clock, half) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('/').map(|part| part.parse::<u32>().ok());
    let (month, day, year) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let after_noon = match half {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    let hour = (1..=12).contains(&hour).then_some(hour % 12 + after_noon)?;
    calendar::parse(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
}

/// Which items of which users were taken already, over all files.
#[derive(Debug, Default)]
pub struct Given(HashSet<(u32, u32)>);

/// Reads the interactions of a file.
///
/// # Errors
/// The file cannot be read; a line that cannot is counted.
pub fn read(path: &Path, monitor: &Monitor<'_>, given: &mut Given, sink: &mut Sink) -> Result<(), ImportError> {
    // Lines are not in the order of time.
    let mut first: HashMap<String, i64> = HashMap::new();
    let table = table();
    delimited::each_record(path, &table, monitor, |_, cells| {
        if let Some((user, time)) = cells.ok().and_then(|cells| user_and_time(&cells)) {
            first.entry(user).and_modify(|known| *known = time.min(*known)).or_insert(time);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    delimited::each_record(path, &table, monitor, |lines, cells| {
        match cells {
            Ok(cells) => read_line(path, lines, &cells, &first, given, sink)?,
            Err(problem) => sink.reject(path, lines.first, lines.count, problem),
        }
        Ok(ControlFlow::Continue(()))
    })
}

fn user_and_time(cells: &Cells<'_>) -> Option<(String, i64)> {
    let user = text(cells.get(1)?.trim_ascii()).into_owned();
    Some((user, moment(&text(cells.get(2)?))?))
}

fn read_line(
    path: &Path,
    lines: RecordLines,
    cells: &Cells<'_>,
    first: &HashMap<String, i64>,
    given: &mut Given,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let (Some((user, time)), Some(history), Some(shown)) = (user_and_time(cells), cells.get(3), cells.get(4)) else {
        let problem = if cells.len() < 5 {
            format!("{} columns, 5 were expected", cells.len())
        } else {
            "the time is not like `11/11/2019 9:05:58 AM`".to_owned()
        };
        sink.reject(path, lines.first, lines.count, problem);
        return Ok(());
    };
    let known = sink.interactions.users.find(&user).is_some();
    let mut take = |item: &[u8], time: i64, again: bool| {
        let numbers =
            |sink: &Sink, item: &str| sink.interactions.users.find(&user).zip(sink.interactions.items.find(item));
        let item = text(item);
        if !again && numbers(sink, &item).is_some_and(|pair| given.0.contains(&pair)) {
            return Ok(());
        }
        let (user, time) = (Field::of_bytes(user.as_bytes()), Some(Field::Milliseconds(time)));
        let record = Record { user, item: Field::of_bytes(item.as_bytes()), time, rating: None };
        sink.take(path, lines.first, lines.count, &record)?;
        given.0.extend(numbers(sink, &item));
        Ok::<_, ImportError>(())
    };
    let before = if known { time } else { first.get(&user).copied().unwrap_or(time) };
    for item in words(history) {
        take(item, before, false)?;
    }
    for shown in words(shown) {
        if let Some(item) = shown.strip_suffix(b"-1") {
            take(item, time, true)?;
        }
    }
    Ok(())
}

/// The words of a column.
fn words(cell: &[u8]) -> impl Iterator<Item = &[u8]> {
    cell.split(|&byte| byte == b' ').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_month_first() {
        // `pandas.to_datetime(text, format="%m/%d/%Y %I:%M:%S %p").value // 10**6`
        for (text, milliseconds) in [
            ("11/11/2019 9:05:58 AM", 1_573_463_158_000),
            ("11/15/2019 12:00:00 AM", 1_573_776_000_000),
            ("11/15/2019 12:30:00 PM", 1_573_821_000_000),
            ("11/9/2019 11:59:59 PM", 1_573_343_999_000),
        ] {
            assert_eq!(moment(text), Some(milliseconds), "{text}");
        }
        for text in
            ["2019-11-11 9:05:58 AM", "13/11/2019 9:05:58 AM", "11/11/2019 0:05:58 AM", "11/11/2019 9:05:58", ""]
        {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
