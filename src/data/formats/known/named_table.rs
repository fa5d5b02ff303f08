//! Tables that the names of their columns tell for certain.

use std::path::PathBuf;

use crate::data::formats::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use crate::data::formats::telling::sample::FileSample;

/// Columns between a separator, under a line with their names.
pub(super) struct NamedTable {
    pub separator: Separator,
    /// Names that the first line has, in any order and among others.
    pub columns: &'static [&'static str],
}

impl NamedTable {
    /// How lines are taken apart; none where the first line lacks one of the names.
    fn table(&self, sample: &FileSample) -> Option<Delimited> {
        let header = first_row(sample, self.separator)?;
        let has = |name: &&str| header.iter().any(|column| column == name);
        let table = Delimited::new(self.separator, true, header.clone());
        self.columns.iter().all(has).then_some(table)
    }

    /// How a file of interactions is written.
    pub fn layout(&self, sample: &FileSample, roles: &Roles<&str>) -> Option<Layout> {
        let table = self.table(sample)?;
        let at = |name: &str| table.columns.iter().position(|column| column == name);
        let optional = |name: Option<&str>| match name {
            Some(name) => at(name).map(Some),
            None => Some(None),
        };
        let roles = Roles {
            user: at(roles.user)?,
            item: at(roles.item)?,
            time: optional(roles.time)?,
            rating: optional(roles.rating)?,
        };
        Some(Layout::Delimited { table, roles })
    }

    /// How a file of items is written.
    pub fn items(&self, sample: &FileSample, roles: &ItemRoles<&str>) -> Option<ItemLayout> {
        let table = self.table(sample)?;
        let at = |name: &str| table.columns.iter().position(|column| column == name);
        let roles = ItemRoles {
            id: at(roles.id)?,
            title: roles.title.and_then(at),
            description: roles.description.and_then(at),
            categories: roles.categories.and_then(at),
        };
        Some(ItemLayout::Delimited { table, roles, between: "|" })
    }
}

/// The first row of a file.
fn first_row(sample: &FileSample, separator: Separator) -> Option<Vec<String>> {
    rows(sample, separator).into_iter().next()
}

/// The first rows of a file.
pub(super) fn rows(sample: &FileSample, separator: Separator) -> Vec<Vec<String>> {
    match separator {
        Separator::Quoted(byte) => sample.rows(byte, true),
        Separator::Plain(byte) => sample.rows(byte, false),
        Separator::Own(_) => Vec::new(),
    }
}

/// A table without names whose first rows all fit; none where there is no row, or one does not.
pub(super) fn headless(
    sample: &FileSample,
    separator: Separator,
    columns: usize,
    roles: Roles<usize>,
    fits: impl Fn(&[String]) -> bool,
) -> Option<Layout> {
    let rows = rows(sample, separator);
    let all = !rows.is_empty() && rows.iter().all(|row| row.len() == columns && fits(row));
    let names = (1..=columns).map(|number| format!("#{number}")).collect();
    all.then_some(Layout::Delimited { table: Delimited::new(separator, false, names), roles })
}

/// The first of some files that lies beside another, plain or compressed.
pub(super) fn beside(sample: &FileSample, names: &[&str]) -> Option<PathBuf> {
    let ends = ["", ".gz", ".zst"];
    let named = names.iter().flat_map(|name| ends.map(|end| sample.path.with_file_name(format!("{name}{end}"))));
    named.into_iter().find(|path| path.is_file())
}
