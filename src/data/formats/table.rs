//! CSV, TSV and Parquet, with columns that the user names or that their names tell.

use super::options::{Columns, ItemTable, TableImport};
use super::parquet_file;
use super::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use super::sample::{FileSample, is_number};
use super::spec::{Format, FormatSpec, Reader, SourceFields};
use crate::calendar;
use crate::data::prepare::Prepare;
use crate::data::term::Term;
use crate::error::InputError;

pub(super) static SPEC: FormatSpec = FormatSpec {
    key: "Table",
    label: "Table",
    kinds: "CSV, TSV, Parquet",
    summary: "Any table with a user and an item in each row.",
    files: &[
        Term {
            name: "<name>.csv, <name>.tsv, <name>.parquet",
            meaning: "interactions (the name does not matter): text with commas, semicolons, tabs or bars between columns, with or without a line of names; or Parquet",
        },
        Term {
            name: "<items>.csv, <items>.tsv, <items>.parquet",
            meaning: "items, of any name too: the same with an id and perhaps title, description and categories (separated by `|`; in Parquet by commas, or \
                      a list); optional",
        },
    ],
    recognition: "a first line that names a user and an item (`user_id`, `user`, `item_id`, `asin`, `product`, …); or, without names, \
                  columns of user, item, rating and time, or of user, item and time",
    certain: false,
    expected: "a table (CSV, TSV or Parquet) with a user and an item in each row was expected",
    traps: &[
        "Quotes are heeded where a comma or semicolon is between columns; between tabs and bars they are text.",
        "Times may be seconds, milliseconds, microseconds or nanoseconds since 1970, which their size tells, or dates like \
         `2014-07-23 10:15:00`, in UTC.",
        "Without a column of times there are no stages in time.",
        "A file of items is never looked for: it is named with `items`.",
    ],
    fields: SourceFields::Table,
    reader: Reader { layout: |sample, _| Ok(guess(sample)), ..Reader::ONE_FILE },
};

impl Format {
    /// Tables, whose columns the project names.
    pub const TABLE: Self = Self::of(&SPEC);
}

/// Names by which columns are known, in small letters without `_`, `-` and blanks.
const USERS: [&str; 9] =
    ["userid", "user", "uid", "reviewerid", "customerid", "visitorid", "memberid", "accountid", "sessionid"];
const ITEMS: [&str; 12] = [
    "itemid",
    "item",
    "iid",
    "parentasin",
    "asin",
    "productid",
    "product",
    "movieid",
    "bookid",
    "businessid",
    "articleid",
    "trackid",
];
const TIMES: [&str; 10] = [
    "timestamp",
    "time",
    "date",
    "datetime",
    "unixreviewtime",
    "createdat",
    "ts",
    "eventtime",
    "reviewtime",
    "unixtime",
];
const RATINGS: [&str; 7] = ["rating", "ratings", "stars", "overall", "score", "rate", "value"];

/// A table whose first row names a user and an item, or whose rows are those of ratings without names.
fn guess(sample: &FileSample) -> Option<Layout> {
    if sample.is_parquet() {
        let names = parquet_file::columns(&sample.path).ok()?;
        return Some(Layout::Parquet(by_name(&names)?.map(|&column| names[column].clone())));
    }
    let separator = separator(sample)?;
    let rows = rows(sample, separator);
    let first = rows.first()?;
    let numbered = |header| Delimited { separator, header, columns: columns(first, header) };
    if let Some(roles) = by_name(first) {
        return Some(Layout::Delimited { table: numbered(true), roles });
    }
    // Without a header: user, item, rating, time, or user, item, time.
    let numbers = |column: usize| rows.iter().all(|row| row.get(column).is_some_and(|cell| is_number(cell)));
    let same = rows.iter().all(|row| row.len() == first.len()) && numbers(first.len() - 1);
    let roles = match first.len() {
        4 if numbers(2) => Roles { user: 0, item: 1, time: Some(3), rating: Some(2) },
        3 => Roles { user: 0, item: 1, time: Some(2), rating: None },
        _ => return None,
    };
    (same && rows.len() > 1).then(|| Layout::Delimited { table: numbered(false), roles })
}

/// How the user says a table is written.
///
/// # Errors
/// A column that is named is not there; the error lists those that are.
pub fn layout(sample: &FileSample, import: &TableImport) -> Result<Layout, InputError> {
    let Columns { user, item, time, rating } = &import.columns;
    let (table, known) = columns_of(sample, import.separator, import.header)?;
    let index = |name: &String| index_or_error(sample, &known, name);
    let optional = |name: &Option<String>| name.as_ref().map(index).transpose();
    let roles = Roles { user: index(user)?, item: index(item)?, time: optional(time)?, rating: optional(rating)? };
    Ok(match table {
        Some(table) => Layout::Delimited { table, roles },
        None => Layout::Parquet(roles.map(|&column| known[column].clone())),
    })
}

/// How a table's lines are taken apart (none for Parquet), and its columns.
///
/// # Errors
/// The file cannot be read, is empty, or has no separator.
pub fn columns_of(
    sample: &FileSample,
    separator: Option<char>,
    header: bool,
) -> Result<(Option<Delimited>, Vec<String>), InputError> {
    if sample.is_parquet() {
        return Ok((None, parquet_file::columns(&sample.path)?));
    }
    let table = delimited(sample, separator, header)?;
    let columns = table.columns.clone();
    Ok((Some(table), columns))
}

/// What any table is taken for: columns by their names, a time by its values, and user and item as the first of the rest.
///
/// # Errors
/// A Parquet file cannot be read.
pub fn propose(sample: &FileSample) -> Result<Option<TableImport>, InputError> {
    let (rows, header) = if sample.is_parquet() {
        (vec![parquet_file::columns(&sample.path)?], true)
    } else {
        let Some(separator) = separator(sample) else { return Ok(None) };
        let rows = rows(sample, separator);
        let values = |row: &Vec<String>| row.iter().any(|cell| is_number(cell) || is_time(cell));
        let header = rows.len() > 1 && !rows.first().is_some_and(values);
        (rows, header)
    };
    let Some(first) = rows.first() else { return Ok(None) };
    let names = columns(first, header);
    let values = &rows[usize::from(header)..];
    // A broken line among the first does not make a column of times another one.
    let times = |column: usize| {
        let fitting = values.iter().filter(|row| row.get(column).is_some_and(|cell| is_time(cell))).count();
        fitting > 0 && 4 * fitting >= 3 * values.len()
    };
    let known = KnownColumns::of(&names);
    let mut taken: Vec<usize> = [known.user, known.item, known.time, known.rating].into_iter().flatten().collect();
    let mut free = |fits: &dyn Fn(usize) -> bool| {
        let column = (0..names.len()).find(|column| !taken.contains(column) && fits(*column))?;
        taken.push(column);
        Some(column)
    };
    let time = known.time.or_else(|| free(&times));
    let user = known.user.or_else(|| free(&|_| true));
    let item = known.item.or_else(|| free(&|_| true));
    let Some((user, item)) = user.zip(item) else { return Ok(None) };
    let name = |column: usize| column_name(&names, column);
    let columns = Columns { user: name(user), item: name(item), time: time.map(name), rating: known.rating.map(name) };
    let (path, prepare) = (sample.path.clone(), Prepare::default());
    Ok(Some(TableImport { path, columns, header, separator: None, items: None, prepare }))
}

/// What a project calls the column of an index: its name, or its number where others have the same name or it has none.
pub fn column_name(columns: &[String], index: usize) -> String {
    let name = columns.get(index).map_or("", String::as_str);
    let unique = columns.iter().filter(|other| *other == name).count() == 1;
    if unique && !name.is_empty() { name.to_owned() } else { format!("#{}", index + 1) }
}

/// What a table of items is taken for: columns by their names, and the id as the first where no name tells it.
///
/// # Errors
/// The file cannot be read, or not be taken apart.
pub fn propose_items(sample: &FileSample, header: bool) -> Result<ItemTable, InputError> {
    const IDS: [&str; 2] = ["id", "key"];
    const TITLES: [&str; 5] = ["title", "name", "movietitle", "producttitle", "itemname"];
    const DESCRIPTIONS: [&str; 4] = ["description", "desc", "text", "summary"];
    const CATEGORIES: [&str; 6] = ["categories", "category", "genres", "genre", "kind", "tags"];
    let (_, columns) = columns_of(sample, None, header)?;
    let find = finder(&columns);
    let name = |index: usize| column_name(&columns, index);
    Ok(ItemTable {
        path: sample.path.clone(),
        id: name(find(&ITEMS).or_else(|| find(&IDS)).unwrap_or(0)),
        title: find(&TITLES).map(name),
        description: find(&DESCRIPTIONS).map(name),
        categories: find(&CATEGORIES).map(name),
    })
}

/// Finds the index of the first of some names among those of columns, in small letters without `_`, `-` and blanks.
fn finder(names: &[String]) -> impl Fn(&[&str]) -> Option<usize> + use<> {
    let plain = |name: &String| name.to_lowercase().replace(['_', '-', ' '], "");
    let plain: Vec<String> = names.iter().map(plain).collect();
    move |known| known.iter().find_map(|known| plain.iter().position(|name| name == known))
}

/// Whether a text is a date, or so large a number that it is a time.
fn is_time(text: &str) -> bool {
    calendar::parse(text).is_some() || text.trim().parse::<f64>().is_ok_and(|number| (1e8..1e19).contains(&number))
}

/// How the user says a table of items is written.
///
/// # Errors
/// A column that is named is not there.
pub fn items(sample: &FileSample, items: &ItemTable, import: &TableImport) -> Result<ItemLayout, InputError> {
    let ItemTable { id, title, description, categories, .. } = items;
    if sample.is_parquet() {
        let (title, description, categories) = (title.clone(), description.clone(), categories.clone());
        return Ok(ItemLayout::Parquet(ItemRoles { id: id.clone(), title, description, categories }));
    }
    let table = delimited(sample, None, import.header)?;
    let known = table.columns.clone();
    let optional = |name: &Option<String>| name.as_ref().map(|name| index_or_error(sample, &known, name)).transpose();
    let roles = ItemRoles {
        id: index_or_error(sample, &known, id)?,
        title: optional(title)?,
        description: optional(description)?,
        categories: optional(categories)?,
    };
    Ok(ItemLayout::Delimited { table, roles, between: "|" })
}

fn delimited(sample: &FileSample, named: Option<char>, header: bool) -> Result<Delimited, InputError> {
    let separator = match named {
        Some(named) => of_char(named).ok_or_else(|| {
            InputError::new(&sample.path, format!("\"{named}\" cannot separate columns"))
                .advice("a comma or a tab, for example")
        })?,
        None => separator(sample).ok_or_else(|| {
            InputError::new(&sample.path, "no separator of columns is found").advice("name it with `separator`")
        })?,
    };
    let first = rows(sample, separator).into_iter().next();
    let first =
        first.ok_or_else(|| InputError::new(&sample.path, "the file is empty").advice("a table was expected"))?;
    Ok(Delimited { separator, header, columns: columns(&first, header) })
}

/// A tab and a bar are plain; quotes matter between others.
fn of_char(separator: char) -> Option<Separator> {
    let byte = u8::try_from(separator).ok().filter(u8::is_ascii)?;
    match byte {
        b'\t' | b'|' => Some(Separator::Plain(byte)),
        b'"' | b'\n' | b'\r' => None,
        _ => Some(Separator::Quoted(byte)),
    }
}

/// The separator that takes all first lines apart into most columns.
fn separator(sample: &FileSample) -> Option<Separator> {
    let candidates = ['\t', ',', ';', '|'].into_iter().filter_map(of_char);
    let columns = |separator| {
        let rows = rows(sample, separator);
        rows.iter().map(Vec::len).min().filter(|&columns| columns > 1)
    };
    // The first of equals, and `max_by_key` would give the last.
    candidates.rev().max_by_key(|&separator| columns(separator)).filter(|&separator| columns(separator).is_some())
}

fn rows(sample: &FileSample, separator: Separator) -> Vec<Vec<String>> {
    match separator {
        Separator::Quoted(byte) => sample.rows(byte, true),
        Separator::Plain(byte) => sample.rows(byte, false),
        Separator::Own(_) => Vec::new(),
    }
}

fn columns(first: &[String], header: bool) -> Vec<String> {
    if header { first.to_vec() } else { (1..=first.len()).map(|number| format!("#{number}")).collect() }
}

/// The index of a column among those of a table, by its name, or by `#` and its number from 1.
pub fn column_index(columns: &[String], name: &str) -> Option<usize> {
    let numbered = name.strip_prefix('#').and_then(|number| number.parse::<usize>().ok()).filter(|&number| number > 0);
    let index = columns.iter().position(|column| column == name).or(numbered.map(|number| number - 1));
    index.filter(|&index| index < columns.len())
}

/// The same, or the error that lists the columns.
fn index_or_error(sample: &FileSample, columns: &[String], name: &str) -> Result<usize, InputError> {
    column_index(columns, name).ok_or_else(|| {
        InputError::new(&sample.path, format!("there is no column \"{name}\""))
            .at("line 1")
            .advice(format!("the file has {}; `#2` is the second of them", columns.join(", ")))
    })
}

/// Columns by what their names usually mean; none where they name no user or no item.
fn by_name(names: &[String]) -> Option<Roles<usize>> {
    let KnownColumns { user, item, time, rating } = KnownColumns::of(names);
    Some(Roles { user: user?, item: item?, time, rating })
}

/// The columns whose names say what they are.
struct KnownColumns {
    user: Option<usize>,
    item: Option<usize>,
    time: Option<usize>,
    rating: Option<usize>,
}

impl KnownColumns {
    fn of(names: &[String]) -> Self {
        let find = finder(names);
        Self { user: find(&USERS), item: find(&ITEMS), time: find(&TIMES), rating: find(&RATINGS) }
    }
}
