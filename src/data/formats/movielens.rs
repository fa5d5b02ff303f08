//! MovieLens: 100k with tabs, 1M and 10M with `::`, 20M and later with commas and a header.

use std::path::PathBuf;

use super::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use super::sample::{Look, is_number};

const RATING_COLUMNS: [&str; 4] = ["userId", "movieId", "rating", "timestamp"];

fn table(separator: Separator, header: bool, columns: &[&str]) -> Delimited {
    Delimited { separator, header, columns: columns.iter().map(|&name| name.to_owned()).collect() }
}

/// How a file of ratings is written; none where it is not one.
pub fn layout(look: &Look) -> Option<Layout> {
    let roles = Roles { user: 0, item: 1, time: Some(3), rating: Some(2) };
    let of = |separator, header| {
        Some(Layout::Delimited { table: table(separator, header, &RATING_COLUMNS), roles: roles.clone() })
    };
    let lines = look.lines();
    let first = lines.first()?;
    let numbers =
        |parts: &[&[u8]]| parts.len() == 4 && parts.iter().all(|part| std::str::from_utf8(part).is_ok_and(is_number));
    if lines.iter().take(5).any(|line| numbers(&super::delimited::split_colons(line))) {
        return of(Separator::Colons, false);
    }
    let tabs: Vec<&[u8]> = first.split(|&byte| byte == b'\t').collect();
    let stars = |part: &[u8]| matches!(part.trim_ascii(), [b'1'..=b'5']);
    if numbers(&tabs) && stars(tabs[2]) {
        return of(Separator::Plain(b'\t'), false);
    }
    let header = look.rows(b',', true).into_iter().next()?;
    if header == RATING_COLUMNS { of(Separator::Quoted(b','), true) } else { None }
}

/// How a file of movies is written; none where it is not one.
pub fn items(look: &Look) -> Option<ItemLayout> {
    let roles = ItemRoles { id: 0, title: Some(1), description: None, categories: Some(2) };
    let columns = ["movieId", "title", "genres"];
    let lines = look.lines();
    let first = lines.first()?;
    if super::delimited::split_colons(first).len() == 3 {
        return Some(ItemLayout::Delimited { table: table(Separator::Colons, false, &columns), roles, between: "|" });
    }
    if first.split(|&byte| byte == b'|').count() == 24 {
        return Some(ItemLayout::GenreFlags);
    }
    let header = look.rows(b',', true).into_iter().next()?;
    let table = table(Separator::Quoted(b','), true, &columns);
    (header == columns).then_some(ItemLayout::Delimited { table, roles, between: "|" })
}

/// The file of movies beside a file of ratings.
pub fn items_beside(look: &Look) -> Option<PathBuf> {
    let name = match look.name().as_str() {
        "ratings.dat" => "movies.dat",
        "ratings.csv" => "movies.csv",
        _ => "u.item",
    };
    ["", ".gz", ".zst"]
        .map(|end| look.path.with_file_name(format!("{name}{end}")))
        .into_iter()
        .find(|path| path.is_file())
}
