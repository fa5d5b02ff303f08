//! CSV, TSV and Parquet, with columns that the user names or that their names tell.

mod by_value;
mod lines;

use std::path::Path;

use self::by_value::{Look, is_value, look};
pub use self::lines::{Shift, TableLines, columns_line};
use crate::calendar;
use crate::data::formats::options::{Columns, ItemTable, TableImport, column_name};
use crate::data::formats::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles};
use crate::data::formats::reader::parquet_file;
use crate::data::formats::spec::{Format, FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::prepare::Prepare;
use crate::data::term::Term;
use crate::error::InputError;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Table",
    label: "Table",
    kinds: "CSV, TSV, Parquet, JSON",
    summary: "Any table with a user and an item in each row.",
    files: &[
        Term {
            name: "<name>.csv, <name>.tsv, <name>.parquet",
            meaning: "interactions (the name does not matter): text with commas, semicolons, tabs, bars or blanks between columns, with or without a line of names; or Parquet",
        },
        Term {
            name: "<items>.csv, <items>.tsv, <items>.parquet",
            meaning: "items, of any name too: the same with an id and perhaps title, description and categories (separated by `|`; in Parquet by commas, or \
                      a list); optional",
        },
    ],
    recognition: "a first line that names a user and an item (`user_id`, `user`, `item_id`, `asin`, `product`, …); or, without names, \
                  two columns of ids that repeat and one of times, of ratings, or both, as the values tell",
    certain: false,
    expected: "a table (CSV, TSV or Parquet) with a user and an item in each row was expected",
    traps: &[
        "Quotes are heeded where a comma, semicolon or blank is between columns; between tabs and bars they are text, unless a whole \
         column is in quotes.",
        "Lines before the names that begin with `#` or `%`, and `sep=;`, are passed over. A first column without a name, as pandas \
         and R write it, is not used.",
        "The first of two columns of ids without names is taken for the user. Where values tell too little, nothing is read until \
         `columns` names them.",
        "A column of times of day beside one of dates is joined to it.",
        "Without a column of times there are no stages in time.",
        "A file of items is never looked for: it is named with `items`.",
    ],
    fields: SourceFields::Table,
    reader: Reader { layout: |sample, _| guess(sample), ..Reader::ONE_FILE },
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

/// A table whose first row names a user and an item, or whose values tell them.
fn guess(sample: &FileSample) -> Result<Option<Layout>, InputError> {
    if sample.is_parquet() {
        let Ok(names) = parquet_file::columns(&sample.path) else { return Ok(None) };
        return Ok(by_name(&names).map(|roles| Layout::Parquet(roles.map(|&column| names[column].clone()))));
    }
    let Some(lines) = TableLines::of(sample, None)? else { return Ok(None) };
    for header in [true, false] {
        let mut table = lines.table(sample, header);
        let values = lines.values(header, table.columns.len());
        if let Some(mut roles) = by_name(&table.columns) {
            table.clock = join_clock(&values, &mut roles);
            return Ok(Some(Layout::Delimited { table, roles }));
        }
    }
    let table = lines.table(sample, false);
    if has_names(&lines) {
        return Ok(None);
    }
    let roles = by_value::roles(&lines.values(false, table.columns.len()), table.columns.len());
    Ok(roles.map(|roles| Layout::Delimited { table, roles }))
}

/// Whether the first row has names: no value, above rows that have some.
fn has_names(lines: &TableLines) -> bool {
    lines.rows.len() > 1 && !lines.rows.first().is_some_and(|first| first.iter().any(|cell| is_value(cell)))
}

/// The column with the time of day, where that of the time has days alone. Where the time is a time of day, the day is looked for.
fn join_clock(values: &[&[String]], roles: &mut Roles<usize>) -> Option<usize> {
    let columns = values.first()?.len();
    let is_taken = |column: &usize| [Some(roles.user), Some(roles.item), roles.rating].contains(&Some(*column));
    let clocks: Vec<usize> =
        (0..columns).filter(|&column| !is_taken(&column) && look(values, column) == Some(Look::Clock)).collect();
    let time = roles.time?;
    if clocks.contains(&time) {
        roles.time = (0..columns).find(|column| !is_taken(column) && has_days(values, *column));
        return roles.time.map(|_| time);
    }
    match clocks.as_slice() {
        [clock] if has_days(values, time) => Some(*clock),
        _ => None,
    }
}

/// Whether a column has dates without a time of day.
fn has_days(values: &[&[String]], column: usize) -> bool {
    let day = |cell: &str| {
        calendar::written(cell).is_some() && !cell.contains(':') || cell.len() == 8 && by_value::is_time(cell)
    };
    look(values, column) == Some(Look::Time) && values.iter().filter_map(|row| row.get(column)).any(|cell| day(cell))
}

/// How the user says a table is written.
///
/// # Errors
/// A column that is named is not there; the error lists those that are.
pub fn layout(sample: &FileSample, import: &TableImport) -> Result<Layout, InputError> {
    let Columns { user, item, time, clock, rating } = &import.columns;
    let (table, known) = columns_of(sample, import.separator, import.header)?;
    let index = |name: &String| index_or_error(sample, &known, name);
    let optional = |name: &Option<String>| name.as_ref().map(index).transpose();
    let roles = Roles { user: index(user)?, item: index(item)?, time: optional(time)?, rating: optional(rating)? };
    let clock = optional(clock)?;
    match table {
        Some(table) => Ok(Layout::Delimited { table: Delimited { clock, ..table }, roles }),
        None if clock.is_some() => Err(InputError::new(&sample.path, "a time of day is not joined to days of Parquet")
            .advice("leave `clock` out, or write both into one column")),
        None => Ok(Layout::Parquet(roles.map(|&column| known[column].clone()))),
    }
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
    let (names, rows, header) = if sample.is_parquet() {
        (parquet_file::columns(&sample.path)?, Vec::new(), true)
    } else {
        if matches!(sample.text().trim_ascii_start().first(), Some(b'{' | b'[' | b'<')) {
            return Ok(None); // JSON or a page, which may have as many commas in every line.
        }
        let Some(lines) = TableLines::of(sample, None)? else { return Ok(None) };
        let header = has_names(&lines);
        (lines.columns(sample, header), lines.rows, header)
    };
    if names.is_empty() {
        return Ok(None);
    }
    let values: Vec<&[String]> = rows.iter().skip(usize::from(header)).map(Vec::as_slice).collect();
    let times = |column: usize| look(&values, column) == Some(Look::Time);
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
    let mut roles = Roles { user, item, time, rating: known.rating };
    let clock = join_clock(&values, &mut roles);
    let name = |&column: &usize| column_name(&names, column);
    let clock = clock.as_ref().map(name);
    let Roles { user, item, time, rating } = roles.map(name);
    let columns = Columns { user, item, time, clock, rating };
    let (path, reading, prepare) = (sample.path.clone(), sample.reading, Prepare::default());
    Ok(Some(TableImport { path, columns, header, separator: None, items: None, reading, prepare }))
}

/// Columns that an error shows, at most.
const SHOWN: usize = 8;

/// Why a table is not read, whose columns neither names nor values tell, with the line to try; none for what is no table.
///
/// # Errors
/// The file cannot be read.
pub fn unclear(sample: &FileSample) -> Result<Option<InputError>, InputError> {
    let Some(table) = propose(sample)? else { return Ok(None) };
    let names = match TableLines::of(sample, None)? {
        Some(lines) if !sample.is_parquet() => {
            let binary = lines.rows.iter().flatten().any(|cell| cell.contains('\0'));
            if binary || lines.rows.len() < 2 {
                return Ok(None);
            }
            let columns = lines.columns(sample, table.header);
            let values = lines.values(table.header, columns.len());
            let short = |text: &str| text.chars().take(30).collect::<String>();
            let first = |column: usize| {
                let cells = values.iter().take(3).filter_map(|row| row.get(column));
                cells.map(|cell| short(cell)).collect::<Vec<_>>().join(", ")
            };
            let shown = columns.iter().enumerate().take(SHOWN);
            let shown = shown.map(|(index, name)| format!("{} ({} …)", short(name), first(index)));
            let rest = (columns.len() > SHOWN).then(|| format!("{} more", columns.len() - SHOWN));
            shown.chain(rest).collect::<Vec<_>>().join("; ")
        }
        _ => {
            let columns = parquet_file::columns(&sample.path)?;
            columns.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ")
        }
    };
    let problem = if table.header {
        format!("the names of the columns do not say which is the user and which the item: {names}")
    } else {
        format!("no line names the columns, and their values do not tell which is the user and which the item: {names}")
    };
    let header = if table.header { "" } else { "header: false, " };
    let path = sample.path.display().to_string();
    let line = format!("`dataset: Table(path: {path:?}, {header}{})`", columns_line(&table.columns));
    Ok(Some(InputError::new(&sample.path, problem).advice(format!("name them in a project file, for example {line}"))))
}

/// What a table of items is taken for: columns by their names, and the id as the first where no name tells it.
///
/// # Errors
/// The file cannot be read, or not be taken apart.
pub fn propose_items(sample: &FileSample, header: bool) -> Result<ItemTable, InputError> {
    let (_, columns) = columns_of(sample, None, header)?;
    Ok(propose_items_of(&sample.path, &columns))
}

/// The same of columns.
pub fn propose_items_of(path: &Path, columns: &[String]) -> ItemTable {
    const IDS: [&str; 2] = ["id", "key"];
    const TITLES: [&str; 5] = ["title", "name", "movietitle", "producttitle", "itemname"];
    const DESCRIPTIONS: [&str; 4] = ["description", "desc", "text", "summary"];
    const CATEGORIES: [&str; 6] = ["categories", "category", "genres", "genre", "kind", "tags"];
    let find = finder(columns);
    let name = |index: usize| column_name(columns, index);
    ItemTable {
        path: path.to_path_buf(),
        id: name(find(&ITEMS).or_else(|| find(&IDS)).unwrap_or(0)),
        title: find(&TITLES).map(name),
        description: find(&DESCRIPTIONS).map(name),
        categories: find(&CATEGORIES).map(name),
    }
}

/// Whether a column of a table is called as one of users.
pub fn names_a_user(sample: &FileSample) -> bool {
    columns_of(sample, None, true).is_ok_and(|(_, columns)| KnownColumns::of(&columns).user.is_some())
}

/// Finds the index of the first of some names among those of columns, in small letters without `_`, `-` and blanks.
fn finder(names: &[String]) -> impl Fn(&[&str]) -> Option<usize> + use<> {
    let plain = |name: &String| name.to_lowercase().replace(['_', '-', ' '], "");
    let plain: Vec<String> = names.iter().map(plain).collect();
    move |known| known.iter().find_map(|known| plain.iter().position(|name| name == known))
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
    let lines = TableLines::of(sample, named)?.ok_or_else(|| {
        InputError::new(&sample.path, "no separator of columns is found").advice("name it with `separator`")
    })?;
    if lines.rows.is_empty() {
        return Err(InputError::new(&sample.path, "the file is empty").advice("a table was expected"));
    }
    Ok(lines.table(sample, header))
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
pub struct KnownColumns {
    pub user: Option<usize>,
    pub item: Option<usize>,
    pub time: Option<usize>,
    pub rating: Option<usize>,
}

impl KnownColumns {
    pub fn of(names: &[String]) -> Self {
        let find = finder(names);
        Self { user: find(&USERS), item: find(&ITEMS), time: find(&TIMES), rating: find(&RATINGS) }
    }
}
