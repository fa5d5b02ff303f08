//! What telling a format took for granted, before any record is read.

use std::fs;
use std::path::{Path, PathBuf};

use super::sample::FileSample;
use crate::data::formats::assumption::Assumption;
use crate::data::formats::known::table::{self, Shift, TableLines};
use crate::data::formats::options::ItemTable;
use crate::data::formats::plan::{Delimited, ItemLayout, Layout, Roles, Separator, Source};
use crate::error::InputError;

/// Files of a folder that are looked at for one of items.
const MAX_BESIDE: usize = 200;

/// A layout with what the project, and the file's first lines, say of how text is written.
pub fn as_written(mut layout: Layout, sample: &FileSample) -> Layout {
    if let Layout::Delimited { table, .. } = &mut layout {
        table.dialect.escape = sample.reading.escape.unwrap_or(table.dialect.escape);
        table.dialect.encoding = sample.reading.encoding;
        table.dialect.comments = sample.comments.as_ref().map(|comments| comments.mark);
    }
    layout
}

/// What holds for the text of any format.
pub fn of_text(sample: &FileSample) -> Vec<Assumption> {
    let mut found = Vec::new();
    if let Some(change) = sample.change.filter(|_| sample.reading.encoding.is_none()) {
        found.push(Assumption::fact(format!("The file is {}", change.words())));
    }
    if let Some(comments) = &sample.comments {
        let mark = char::from(comments.mark);
        let words = if comments.lines == 1 { "The first line is a comment" } else { "The first lines are comments" };
        found.push(Assumption::fact(format!("{words} and passed over: {} that begin with {mark}", comments.lines)));
    }
    if let Some(separator) = sample.separator {
        found.push(Assumption::fact(format!("The first line names the separator: {}", char::from(separator))));
    }
    found
}

/// What holds for a table besides; `named` says that the project names its columns.
///
/// # Errors
/// The file cannot be read.
pub fn of_table(
    sample: &FileSample,
    separator: Option<char>,
    layout: &Layout,
    items: Option<&Source<ItemLayout>>,
    named: bool,
) -> Result<Vec<Assumption>, InputError> {
    let mut found = of_text(sample);
    match layout {
        Layout::Delimited { table, roles } => {
            let lines = TableLines::of(sample, separator)?;
            found.extend(lines.iter().flat_map(|lines| of_lines(lines, table)));
            if !named && !table.header {
                found.push(by_values(table, roles));
            }
            let name = |column: usize| table.columns.get(column).map_or("", String::as_str);
            if let (Some(clock), Some(time)) = (table.clock.filter(|_| !named), roles.time) {
                let words = format!("The day is {}, the time of day {}", name(time), name(clock));
                found.push(Assumption::new(words, "write `columns: (…)` without `clock`"));
            }
            if table.header {
                let used = |column: &usize| roles.each().any(|(_, of)| of == column) || table.clock == Some(*column);
                let rest = (0..table.columns.len()).filter(|column| !used(column)).map(name);
                found.extend(unused(rest.filter(|name| !name.is_empty())));
            }
        }
        Layout::Parquet(roles) => {
            let columns = crate::data::formats::reader::parquet_file::columns(&sample.path)?;
            let used = |column: &str| roles.each().any(|(_, of)| of == column);
            found.extend(unused(columns.iter().map(String::as_str).filter(|column| !used(column))));
        }
        Layout::Objects(_) | Layout::Histories | Layout::Augmented(_) | Layout::Impressions | Layout::Lists => {}
    }
    if items.is_none() {
        found.extend(items_beside(&sample.path));
    }
    Ok(found)
}

fn of_lines(lines: &TableLines, table: &Delimited) -> Vec<Assumption> {
    let mut found = Vec::new();
    if lines.escapes {
        found.push(Assumption::new(
            "Quotes within quotes are written \\\"",
            "write `reading: (escape: Doubled)` for quotes that are doubled",
        ));
    }
    if let Separator::Quoted(b'\t' | b'|') = table.separator {
        found.push(Assumption::fact("A whole column is in quotes: quotes around columns are taken off"));
    }
    match lines.shift() {
        Shift::Index if table.header => found.push(Assumption::fact(
            "Lines have one column more than there are names: the first, without a name, numbers the rows and is not used",
        )),
        Shift::Trailing if table.header => {
            found.push(Assumption::fact("Lines end with a separator, behind which there is nothing"));
        }
        _ => {}
    }
    found
}

/// Columns that nothing names.
fn by_values(table: &Delimited, roles: &Roles<usize>) -> Assumption {
    let name = |column: &usize| table.columns.get(*column).cloned().unwrap_or_default();
    let parts: Vec<String> = roles.each().map(|(role, column)| format!("{role} is {}", name(column))).collect();
    let mut other = format!("user: \"{}\", item: \"{}\"", name(&roles.item), name(&roles.user));
    if let (None, Some(rating)) = (roles.time, &roles.rating) {
        other.push_str(&format!(", time: \"{}\"", name(rating)));
    }
    let words = format!("No line names the columns; by their values, {}", parts.join(", "));
    Assumption::new(words, format!("write others into `dataset: Table(… header: false, columns: ({other}))`"))
}

fn unused<'n>(names: impl Iterator<Item = &'n str>) -> Option<Assumption> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| Assumption::fact(format!("Columns that are not used: {}", names.join(", "))))
}

/// A table of items that lies beside the interactions and is not read.
fn items_beside(path: &Path) -> Option<Assumption> {
    const STEMS: [&str; 9] = ["item", "meta", "movie", "product", "book", "title", "catalog", "article", "track"];
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).ok()?.flatten().take(MAX_BESIDE).map(|entry| entry.path()).collect();
    files.sort();
    let called = |file: &PathBuf| {
        let ending = file.extension().and_then(|ending| ending.to_str());
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        file.file_name() != path.file_name()
            && matches!(ending, Some("csv" | "tsv" | "parquet"))
            && STEMS.iter().any(|name| stem.contains(name))
    };
    files.into_iter().filter(called).find_map(|file| {
        let sample = FileSample::read(&file).ok()?;
        let items = table::propose_items(&sample, true).ok()?;
        items.title.as_ref()?;
        (!table::names_a_user(&sample)).then(|| not_read(&items))
    })
}

fn not_read(items: &ItemTable) -> Assumption {
    let name = items.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parts = [("title", &items.title), ("description", &items.description), ("categories", &items.categories)];
    let parts: String =
        parts.iter().filter_map(|(part, column)| Some(format!(", {part}: \"{}\"", column.as_ref()?))).collect();
    Assumption::new(
        format!("The file {name} beside it is not read"),
        format!("write `items: (path: {name:?}, id: \"{}\"{parts})`", items.id),
    )
}
