//! MovieLens: 100k with tabs, 1M and 10M with `::`, 20M and later with commas and a header.

use std::path::PathBuf;

use crate::data::formats::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator, Splitter};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::{FileSample, is_number};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "MovieLens",
    label: "MovieLens",
    kinds: "",
    summary: "Ratings of movies by GroupLens, in all editions from 100K on.",
    files: &[
        Term {
            name: "u.data, u.item",
            meaning: "100K: ratings as user, movie, rating and seconds between tabs; movies with `|` between columns and a flag for \
                      each genre",
        },
        Term {
            name: "ratings.dat, movies.dat",
            meaning: "1M and 10M: the same with `::` between columns; genres are separated by `|`",
        },
        Term {
            name: "ratings.csv, movies.csv",
            meaning: "20M, 25M, 32M and the small edition: with commas, under `userId,movieId,rating,timestamp` and \
                      `movieId,title,genres`",
        },
    ],
    recognition: "four numbers between `::`; four numbers between tabs, the third from 1 to 5; or the header \
                  `userId,movieId,rating,timestamp`",
    certain: true,
    expected: "`u.data`, `ratings.dat` or `ratings.csv` was expected",
    traps: &[
        "`movies.dat` and `u.item` are in ISO-8859-1; text that is no UTF-8 is read as that.",
        "A folder of 100K has the same ratings several times (`u1.base`, `u1.test`, …): only `u.data` is read.",
        "Movies are read where they lie beside the ratings under their usual name; each has a title and genres, and none a \
         description.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        items,
        items_path,
        is_whole: |sample| sample.name() == "u.data",
        name: |_| "MovieLens".to_owned(),
        reason,
        ..Reader::ONE_FILE
    },
};

/// Two colons between columns, which is no single byte.
const COLONS: Separator = Separator::Own(Splitter { name: "::", split: split_colons });

const RATING_COLUMNS: [&str; 4] = ["userId", "movieId", "rating", "timestamp"];

fn table(separator: Separator, header: bool, columns: &[&str]) -> Delimited {
    Delimited::new(separator, header, columns.iter().map(|&name| name.to_owned()).collect())
}

/// How a file of ratings is written; none where it is not one.
fn layout(sample: &FileSample) -> Option<Layout> {
    let roles = Roles { user: 0, item: 1, time: Some(3), rating: Some(2) };
    let of = |separator, header| {
        Some(Layout::Delimited { table: table(separator, header, &RATING_COLUMNS), roles: roles.clone() })
    };
    let lines = sample.lines();
    let first = lines.first()?;
    let numbers =
        |parts: &[&[u8]]| parts.len() == 4 && parts.iter().all(|part| std::str::from_utf8(part).is_ok_and(is_number));
    if lines.iter().take(5).any(|line| numbers(&split_colons(line))) {
        return of(COLONS, false);
    }
    let tabs: Vec<&[u8]> = first.split(|&byte| byte == b'\t').collect();
    let stars = |part: &[u8]| matches!(part.trim_ascii(), [b'1'..=b'5']);
    if numbers(&tabs) && stars(tabs[2]) {
        return of(Separator::Plain(b'\t'), false);
    }
    let header = sample.rows(b',', true).into_iter().next()?;
    if header == RATING_COLUMNS { of(Separator::Quoted(b','), true) } else { None }
}

/// How a file of movies is written; none where it is not one.
fn items(sample: &FileSample) -> Option<ItemLayout> {
    let roles = ItemRoles { id: 0, title: Some(1), description: None, categories: Some(2) };
    let columns = ["movieId", "title", "genres"];
    let lines = sample.lines();
    let first = lines.first()?;
    if split_colons(first).len() == 3 {
        return Some(ItemLayout::Delimited { table: table(COLONS, false, &columns), roles, between: "|" });
    }
    if first.split(|&byte| byte == b'|').count() == 24 {
        return Some(ItemLayout::GenreFlags);
    }
    let header = sample.rows(b',', true).into_iter().next()?;
    let table = table(Separator::Quoted(b','), true, &columns);
    (header == columns).then_some(ItemLayout::Delimited { table, roles, between: "|" })
}

/// The file of movies beside a file of ratings.
fn items_path(sample: &FileSample) -> Option<PathBuf> {
    let name = match sample.name().as_str() {
        "ratings.dat" => "movies.dat",
        "ratings.csv" => "movies.csv",
        _ => "u.item",
    };
    ["", ".gz", ".zst"]
        .map(|end| sample.path.with_file_name(format!("{name}{end}")))
        .into_iter()
        .find(|path| path.is_file())
}

fn reason(layout: &Layout) -> String {
    match layout {
        Layout::Delimited { table, .. } => match table.separator {
            Separator::Own(_) => "Each line has four numbers with :: between them".to_owned(),
            Separator::Plain(_) => "Each line has four numbers between tabs, the third from 1 to 5".to_owned(),
            Separator::Quoted(_) => format!("The columns are {}", table.columns.join(", ")),
        },
        other => other.reason(),
    }
}

/// The parts of a line between `::`.
fn split_colons(line: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"::") {
        parts.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    parts.push(rest);
    parts
}
