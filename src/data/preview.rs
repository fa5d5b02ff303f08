//! What a dataset's files are before they are imported: their format and why, first rows, and how times are understood.

use std::path::{Path, PathBuf};

use super::formats::options::{Import, ItemTable, TableImport};
use super::formats::plan::{Layout, Plan, Source};
use super::formats::reading::Reading;
use super::formats::{self, Detected, FirstRows, Format, ReadFile, peso_release, time_span};
use super::{DatasetSource, load};
use crate::error::InputError;

/// Rows that are read; how many of them are shown is up to the view.
const ROWS: usize = 20;

/// The beginning of a dataset's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// None for the paper's release and generated data.
    pub format: Option<Format>,
    /// Why the files are taken for it.
    pub reason: String,
    pub files: Vec<ReadFile>,
    pub rows: Option<FirstRows>,
    pub items: Option<FirstRows>,
    pub times: Option<Times>,
    /// Whether the interactions are text in columns, which a separator takes apart.
    pub delimited: bool,
    /// Why the files cannot be imported as the source says, though their rows can be shown.
    pub problem: Option<InputError>,
}

/// How the times of the first rows are understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// `seconds`, `milliseconds`, `dates`, …
    pub unit: &'static str,
    /// Milliseconds since 1970.
    pub first: i64,
    pub last: i64,
}

/// What a path is taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub source: DatasetSource,
    /// Whether interactions have times.
    pub timed: bool,
    /// Whether the format has semantic ids of its own.
    pub own_ids: bool,
    /// Whether something is said of the items, of which ids can be made.
    pub texts: bool,
}

impl Preview {
    /// Reads the beginning of a source's files; relative paths start from `folder`.
    ///
    /// # Errors
    /// A file cannot be read, or is not of the format that the source names.
    pub fn of(source: &DatasetSource, folder: &Path) -> Result<Self, InputError> {
        let source = source.clone().with_paths(|path| folder.join(path));
        match &source {
            DatasetSource::PesoRelease { path } => Ok(Self::unread("Blocks of the paper's release", blocks(path)?)),
            DatasetSource::Synthetic(_) => Ok(Self::unread("Generated", Vec::new())),
            DatasetSource::Table(table) => Self::of_table(table),
            DatasetSource::Detect(_) | DatasetSource::Interactions(..) => match load::plan(&source)? {
                Some(plan) => Self::of_plan(&plan),
                None => Ok(Self::unread("", Vec::new())),
            },
        }
    }

    fn unread(reason: &str, files: Vec<ReadFile>) -> Self {
        let reason = reason.to_owned();
        Self { format: None, reason, files, rows: None, items: None, times: None, delimited: false, problem: None }
    }

    fn of_plan(plan: &Plan) -> Result<Self, InputError> {
        let rows = FirstRows::of(plan, ROWS)?;
        let items = plan.items.as_ref().map(|source| FirstRows::of_items(source, ROWS)).transpose()?.flatten();
        Ok(Self {
            format: Some(plan.format),
            reason: plan.reason(),
            files: formats::files(plan)?,
            times: times(&rows, plan.reading),
            rows: Some(rows),
            items,
            delimited: matches!(plan.interactions.first(), Some(Source { layout: Layout::Delimited { .. }, .. })),
            problem: None,
        })
    }

    /// A table shows its rows even where a column that is named is not there: the user is about to name another.
    fn of_table(table: &TableImport) -> Result<Self, InputError> {
        let columns = &table.columns;
        let optional = [("time", &columns.time), ("clock", &columns.clock), ("rating", &columns.rating)];
        let parts = [("user", Some(&columns.user)), ("item", Some(&columns.item))].into_iter();
        let parts = parts.chain(optional.map(|(role, column)| (role, column.as_ref())));
        let parts: Vec<(&str, &str)> = parts.filter_map(|(role, column)| Some((role, column?.as_str()))).collect();
        let plan = formats::plan_of_table(table);
        // Of several files the first is shown; without a plan, whatever the path leads to.
        let first = plan.as_ref().ok().and_then(|plan| plan.interactions.first());
        let path = first.map_or(&table.path, |source| &source.path).clone();
        let rows = FirstRows::of_table(&path, (table.separator, table.header, table.reading), &parts, ROWS)?;
        let (items, items_problem) = match table.items.as_ref().map(|items| of_items(items, table)) {
            Some(Ok(items)) => (Some(items), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let planned = plan.and_then(|plan| formats::files(&plan));
        let (files, problem) = match planned {
            Ok(files) => (files, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Ok(Self {
            format: Some(Format::TABLE),
            reason: "The columns are those that are named below".to_owned(),
            files,
            times: times(&rows, table.reading),
            rows: Some(rows),
            items,
            delimited: formats::is_delimited(&path)?,
            problem: items_problem.or(problem),
        })
    }
}

fn of_items(items: &ItemTable, table: &TableImport) -> Result<FirstRows, InputError> {
    let optional = [("title", &items.title), ("description", &items.description), ("categories", &items.categories)];
    let optional = optional.into_iter().filter_map(|(role, column)| Some((role, column.as_deref()?)));
    let parts: Vec<(&str, &str)> = [("id", items.id.as_str())].into_iter().chain(optional).collect();
    FirstRows::of_table(&items.path, (None, table.header, table.reading), &parts, ROWS)
}

fn times(rows: &FirstRows, reading: Reading) -> Option<Times> {
    let days: Vec<&str> = rows.column_of("time")?.collect();
    let moments: Vec<String> = match rows.column_of("clock") {
        Some(clocks) => days.iter().zip(clocks).map(|(day, clock)| format!("{day} {clock}")).collect(),
        None => days.iter().map(|day| (*day).to_owned()).collect(),
    };
    let (unit, first, last) = time_span(moments.iter().map(String::as_str), reading.times)?;
    Some(Times { unit, first, last })
}

/// The blocks of a released folder with their sizes.
fn blocks(folder: &Path) -> Result<Vec<ReadFile>, InputError> {
    let unreadable = |error| InputError::io(folder, "list", &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if peso_release::is_block(&entry.path()) {
            let bytes = entry.metadata().map_err(unreadable)?.len();
            files.push(ReadFile { path: entry.path(), bytes, role: "interactions".to_owned() });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// What the files at a path are taken for: the format that their content tells, or `named`; a table where nothing else fits,
/// with columns that the user may have to put right. Paths are relative where they lie in `folder`.
///
/// # Errors
/// Nothing of any known format is there, or several datasets are; says what to do.
pub fn propose(path: &Path, named: Option<Format>, folder: &Path) -> Result<Proposal, InputError> {
    let import = Import::at(path);
    let proposal = match named {
        Some(format) if format == Format::TABLE => return table(path, folder)?.ok_or_else(|| not_a_table(path)),
        Some(format) => of_plan(&formats::plan_of(Some(format), &import)?),
        None => match formats::detect(path)? {
            Some(Detected::Interactions(plan)) => of_plan(&plan),
            Some(release) => Proposal { source: release.source(), timed: true, own_ids: true, texts: true },
            None => {
                let table = if path.is_dir() { None } else { table(path, folder)? };
                return match table {
                    Some(table) => Ok(table),
                    // It says what was expected.
                    None => formats::plan_of(None, &import).map(|plan| of_plan(&plan)),
                };
            }
        },
    };
    Ok(proposal.within(folder))
}

fn of_plan(plan: &Plan) -> Proposal {
    let timed = plan.interactions.first().is_some_and(|source| match &source.layout {
        Layout::Delimited { roles, .. } => roles.time.is_some(),
        Layout::Objects(roles) | Layout::Parquet(roles) => roles.time.is_some(),
        Layout::Augmented(augmented) => augmented.times.is_some(),
        Layout::Impressions => true,
        Layout::Histories | Layout::Lists => false,
    });
    Proposal { source: DatasetSource::of_plan(plan), timed, own_ids: plan.index.is_some(), texts: plan.items.is_some() }
        .fitted()
}

fn table(path: &Path, folder: &Path) -> Result<Option<Proposal>, InputError> {
    let table = formats::propose_table(path)?;
    Ok(table.map(|table| {
        let timed = table.columns.time.is_some();
        let texts = table.items.is_some();
        Proposal { source: DatasetSource::Table(table), timed, own_ids: false, texts }.fitted().within(folder)
    }))
}

/// What a table of items is taken for; its path is relative where it lies in `folder`.
///
/// # Errors
/// The file cannot be read, or is no table.
pub fn propose_items(path: &Path, header: bool, folder: &Path) -> Result<ItemTable, InputError> {
    let items = formats::propose_items(path, header)?;
    Ok(ItemTable { path: relative(path, folder), ..items })
}

fn not_a_table(path: &Path) -> InputError {
    InputError::new(path, "no separator of columns is found").advice("a table (CSV, TSV or Parquet) was expected")
}

impl Proposal {
    /// With cuts into stages that the data can have.
    fn fitted(mut self) -> Self {
        if let Some(prepare) = self.source.prepare_mut() {
            *prepare = std::mem::take(prepare).fitted(self.timed);
        }
        self
    }

    fn within(self, folder: &Path) -> Self {
        Self { source: self.source.with_paths(|path| relative(path, folder)), ..self }
    }
}

/// A path from a folder where it lies in it, else the whole path.
pub fn relative(path: &Path, folder: &Path) -> PathBuf {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let (path, folder) = (whole(path), whole(folder));
    let real = || Some(path.canonicalize().ok()?.strip_prefix(folder.canonicalize().ok()?).ok()?.to_path_buf());
    let inside = path.strip_prefix(&folder).map(Path::to_path_buf).ok().or_else(real);
    match inside {
        Some(inside) if inside.as_os_str().is_empty() => PathBuf::from("."),
        Some(inside) => inside,
        None => path,
    }
}
