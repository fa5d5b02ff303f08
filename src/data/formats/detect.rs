//! Which format a file or folder has, told from its content.

use std::fs;
use std::path::{Path, PathBuf};

use super::options::{Import, ItemTable, TableImport};
use super::peso_release::is_block;
use super::plan::{ItemLayout, Layout, Plan, Source};
use super::sample::FileSample;
use super::spec::{Format, SourceFields};
use super::table;
use crate::error::InputError;

/// Files of a folder that are sampled, at most.
const MAX_FILES: usize = 500;

/// What was found at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Detected {
    /// A folder of the paper's release.
    Release(PathBuf),
    Interactions(Box<Plan>),
}

/// Tells the format of a file or folder; none where nothing of any known format is there.
///
/// # Errors
/// A file cannot be read, or there are several datasets, or items alone; says what was found and how to name one.
pub fn detect(path: &Path) -> Result<Option<Detected>, InputError> {
    if path.is_dir() && files_of(path)?.iter().any(|file| is_block(file)) {
        return Ok(Some(Detected::Release(path.to_path_buf())));
    }
    let plan = find_plan(None, &Import::at(path))?;
    Ok(plan.map(|plan| Detected::Interactions(Box::new(plan))))
}

/// How a dataset is read: in the format that is named, else in the one that its content tells.
///
/// # Errors
/// The file is not of the format, or there are several; says what it looks like.
pub fn plan_of(format: Option<Format>, import: &Import) -> Result<Plan, InputError> {
    find_plan(format, import)?.ok_or_else(|| {
        let nothing = if import.path.is_dir() { "there is no file of interactions in the folder" } else { UNKNOWN };
        InputError::new(&import.path, nothing)
            .advice(format.map_or_else(any_format, |format| format.expected.to_owned()))
    })
}

fn find_plan(format: Option<Format>, import: &Import) -> Result<Option<Plan>, InputError> {
    let path = &import.path;
    let sample = if path.is_dir() { in_folder(format, path)? } else { Some(FileSample::read(path)?) };
    let Some(sample) = sample else { return Ok(None) };
    let (format, layout) = match format {
        Some(format) => (format, layout_as(format, &sample)?),
        None => match recognise(&sample)? {
            Some(recognised) => recognised,
            None => return items_alone(&sample).map_or(Ok(None), Err),
        },
    };
    let items = match &import.items {
        Some(items) => Some(named_items(format, items)?),
        None => items_beside(format, &sample)?,
    };
    let reader = &format.reader;
    let interactions = (reader.parts)(&sample.path).iter().map(|part| Source::new(part, layout.clone())).collect();
    let (name, index) = ((reader.name)(&sample), (reader.index)(&sample.path));
    Ok(Some(Plan { format, name, interactions, items, index }))
}

/// How a table is read, whose columns the user has named.
///
/// # Errors
/// A file cannot be read or lacks a column.
pub fn plan_of_table(import: &TableImport) -> Result<Plan, InputError> {
    let sample = FileSample::read(&import.path)?;
    let layout = table::layout(&sample, import)?;
    let items = match &import.items {
        Some(items) => {
            let sample = FileSample::read(&items.path)?;
            Some(Source::new(&items.path, table::items(&sample, items, import)?))
        }
        None => None,
    };
    let interactions = vec![Source::new(&sample.path, layout)];
    Ok(Plan { format: Format::TABLE, name: sample.stem(), interactions, items, index: None })
}

/// What a table is taken for whose columns do not say it themselves, for the user to put right; none where a file is no
/// table.
///
/// # Errors
/// The file cannot be read.
pub fn propose_table(path: &Path) -> Result<Option<TableImport>, InputError> {
    table::propose(&FileSample::read(path)?)
}

/// Whether a file is Parquet.
///
/// # Errors
/// It cannot be read.
pub fn is_parquet(path: &Path) -> Result<bool, InputError> {
    Ok(FileSample::read(path)?.is_parquet())
}

/// What a table of items is taken for.
///
/// # Errors
/// The file cannot be read, or is no table.
pub fn propose_items(path: &Path, header: bool) -> Result<ItemTable, InputError> {
    table::propose_items(&FileSample::read(path)?, header)
}

/// The format that a file's content tells, with its layout.
fn recognise(sample: &FileSample) -> Result<Option<(Format, Layout)>, InputError> {
    for format in Format::all() {
        if let Some(layout) = (format.reader.layout)(sample, false)? {
            return Ok(Some((format, layout)));
        }
    }
    Ok(None)
}

/// The layout of a file in the format that is named.
fn layout_as(format: Format, sample: &FileSample) -> Result<Layout, InputError> {
    if let Some(layout) = (format.reader.layout)(sample, true)? {
        return Ok(layout);
    }
    let problem = format!("not a file of interactions in the format {}", format.label);
    let error = InputError::new(&sample.path, problem);
    Err(match recognise(sample) {
        Ok(Some((other, _))) => error.advice(format!("it looks like {}", other.label)),
        _ => error.advice(format.expected),
    })
}

/// The file of items that the user names.
fn named_items(format: Format, path: &Path) -> Result<Source<ItemLayout>, InputError> {
    let sample = FileSample::read(path)?;
    let layout = (format.reader.items)(&sample)
        .ok_or_else(|| InputError::new(&sample.path, format!("not a file of items in the format {}", format.label)))?;
    Ok(Source::new(path, layout))
}

/// The file of items beside a file of interactions, where it is one.
fn items_beside(format: Format, sample: &FileSample) -> Result<Option<Source<ItemLayout>>, InputError> {
    let Some(path) = (format.reader.items_path)(sample) else { return Ok(None) };
    let items = FileSample::read(&path)?;
    Ok((format.reader.items)(&items).map(|layout| Source::new(path, layout)))
}

/// A file of interactions in a folder.
struct Candidate {
    format: Format,
    sample: FileSample,
}

impl Candidate {
    /// Whether it is the first of the files that are read together.
    fn is_first_part(&self) -> bool {
        (self.format.reader.parts)(&self.sample.path).first() == Some(&self.sample.path)
    }

    fn is_whole(&self) -> bool {
        (self.format.reader.is_whole)(&self.sample)
    }
}

/// The one file of interactions of a folder, where there is one.
fn in_folder(format: Option<Format>, folder: &Path) -> Result<Option<FileSample>, InputError> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut refused = None;
    for file in files_of(folder)? {
        let Ok(sample) = FileSample::read(&file) else { continue };
        let found = match format {
            Some(format) => (format.reader.layout)(&sample, true).map(|layout| layout.map(|_| format)),
            None => recognise(&sample).map(|recognised| recognised.map(|(format, _)| format)),
        };
        match found {
            Ok(found) => candidates.extend(found.map(|format| Candidate { format, sample })),
            Err(error) => refused = Some(error),
        }
    }
    candidates.retain(Candidate::is_first_part);
    if candidates.iter().filter(|candidate| candidate.is_whole()).count() == 1 {
        candidates.retain(Candidate::is_whole);
    }
    if candidates.iter().any(|candidate| candidate.format.certain) {
        candidates.retain(|candidate| candidate.format.certain);
    }
    if candidates.len() > 1 {
        let names: Vec<String> = candidates.iter().map(|candidate| candidate.sample.name()).collect();
        return Err(InputError::new(folder, format!("several files of interactions: {}", names.join(", ")))
            .advice("name one of them"));
    }
    match (candidates.pop(), refused) {
        (None, Some(error)) => Err(error),
        (candidate, _) => Ok(candidate.map(|candidate| candidate.sample)),
    }
}

/// The folder's files, sorted by name, without hidden ones.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, InputError> {
    let unreadable = |error| InputError::io(folder, "list", &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(MAX_FILES);
    Ok(files)
}

const UNKNOWN: &str = "the format is not known";

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

/// The error for a file that has items and no interactions.
fn items_alone(sample: &FileSample) -> Option<InputError> {
    let format = Format::all().find(|format| (format.reader.items)(sample).is_some())?;
    let problem = format!("a file of items ({}), not of interactions", format.label);
    Some(InputError::new(&sample.path, problem).advice("name the file of interactions or the folder"))
}
