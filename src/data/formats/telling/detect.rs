//! Which format a file or folder has, told from its content.

use std::path::{Path, PathBuf};

use super::dataset_files::{FoundFiles, beside_split, found_at, unread};
use super::file_names::{FileName, common_path};
use super::sample::FileSample;
use super::unknown::unknown;
use super::{file_set, found};
use crate::data::formats::known::peso_release::is_block;
use crate::data::formats::known::{object_table, table};
use crate::data::formats::options::{Import, ItemTable, TableImport};
use crate::data::formats::plan::{ItemLayout, Layout, Plan, Source};
use crate::data::formats::spec::Format;
use crate::data::formats::value::events;
use crate::error::InputError;

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
    if path.is_dir() && file_set::of_folder(path)?.iter().any(|file| is_block(file)) {
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
        let unclear = unclear_table(&import.path).filter(|_| format.is_none());
        unclear.unwrap_or_else(|| unknown(&import.path, format))
    })
}

fn find_plan(format: Option<Format>, import: &Import) -> Result<Option<Plan>, InputError> {
    let recognised = |sample: &FileSample| match format {
        Some(format) => Ok((format.reader.layout)(sample, true)?.map(|layout| (format, layout))),
        None => recognise(sample),
    };
    let Some(found) = found_at(&import.path, import.reading, &recognised)? else { return Ok(None) };
    let Some((format, layout)) = found.format else {
        return match format {
            Some(format) => Err(not_of(format, &found.sample)),
            None => items_alone(&found.sample).map_or(Ok(None), Err),
        };
    };
    let (first, mut assumptions) = (found.sample, found.assumptions);
    let reader = &format.reader;
    let files = if found.files.len() > 1 { found.files } else { (reader.parts)(&first.path) };
    if let [file] = &files[..] {
        assumptions.extend(beside_split(file));
    }
    let kinds = events::chosen(format, &layout, import)?;
    let index = (reader.index)(&first.path);
    // What all have together names them, and what lies beside them.
    let is_part = files.len() > 1 || FileName::of(&first.path).split.is_some();
    let named = if is_part { first.at(common_path(&first.path)) } else { first.at(first.path.clone()) };
    let items = match &import.items {
        Some(items) => Some(named_items(format, items)?),
        None => items_beside(format, &named)?,
    };
    let layout = found::as_written(layout, &first);
    assumptions.extend(match format == Format::TABLE {
        true => found::of_table(&first, None, &layout, items.as_ref(), false)?,
        false => found::of_text(&first),
    });
    let interactions = files.iter().map(|path| Source { only: kinds.clone(), ..Source::new(path, layout.clone()) });
    let interactions: Vec<Source<Layout>> = interactions.collect();
    let read = files.iter().map(PathBuf::as_path).chain(items.iter().map(|items| items.path.as_path()));
    let read: Vec<&Path> = read.chain(index.as_deref()).collect();
    assumptions.extend(unread(&found.left_out, &read));
    let (name, path, reading) = ((reader.name)(&named), found.path, import.reading);
    Ok(Some(Plan { format, name, path, interactions, items, index, assumptions, reading }))
}

/// How a table is read, whose columns the user has named.
///
/// # Errors
/// A file cannot be read or lacks a column.
pub fn plan_of_table(import: &TableImport) -> Result<Plan, InputError> {
    let layout_of = |sample: &FileSample| Ok(Some((Format::TABLE, table_layout(sample, import)?)));
    let nothing = || InputError::new(&import.path, "there is no table in the folder").advice(Format::TABLE.expected);
    let Some(FoundFiles { sample, format: Some((_, layout)), files, path, left_out, mut assumptions }) =
        found_at(&import.path, import.reading, &layout_of)?
    else {
        return Err(nothing());
    };
    let items = match &import.items {
        Some(items) => {
            let sample = FileSample::read_as(&items.path, import.reading)?;
            let layout = match object_table::items(&sample, items)? {
                Some(layout) => layout,
                None => table::items(&sample, items, import)?,
            };
            Some(Source::new(&items.path, layout))
        }
        None => None,
    };
    assumptions.extend(found::of_table(&sample, import.separator, &layout, items.as_ref(), true)?);
    let interactions = files.iter().map(|path| Source::new(path, layout.clone())).collect();
    let name = if files.len() > 1 { sample.at(common_path(&sample.path)).stem() } else { sample.stem() };
    let read: Vec<&Path> = items.iter().map(|items| items.path.as_path()).collect();
    assumptions.extend(unread(&left_out, &read));
    let reading = import.reading;
    Ok(Plan { format: Format::TABLE, name, path, interactions, items, index: None, assumptions, reading })
}

fn table_layout(sample: &FileSample, import: &TableImport) -> Result<Layout, InputError> {
    match object_table::layout(sample, import)? {
        Some(layout) => Ok(layout),
        None => table::layout(sample, import),
    }
}

/// The file whose beginning stands for all of a path: itself, or the first of several.
///
/// # Errors
/// The folder has none, or no file has a name of the pattern.
pub fn first_file(path: &Path) -> Result<PathBuf, InputError> {
    let files = match path {
        pattern if file_set::is_pattern(pattern) => file_set::matching(pattern)?,
        folder if folder.is_dir() => file_set::of_folder(folder)?,
        file => return Ok(file.to_path_buf()),
    };
    files.into_iter().next().ok_or_else(|| InputError::new(path, "there is no file in the folder"))
}

/// What a table is taken for whose columns do not say it themselves, for the user to put right; none where a file is no
/// table.
///
/// # Errors
/// The file cannot be read.
pub fn propose_table(path: &Path) -> Result<Option<TableImport>, InputError> {
    let sample = FileSample::read(&first_file(path)?)?;
    let mut table = object_table::propose(&sample).map_or_else(|| table::propose(&sample), |table| Ok(Some(table)))?;
    if let Some(table) = &mut table {
        table.path = path.to_path_buf();
    }
    Ok(table)
}

/// Why a file that is a table is not read, and the line to try; none for what is no table, or cannot be looked at.
pub fn unclear_table(path: &Path) -> Option<InputError> {
    table::unclear(&FileSample::read(&first_file(path).ok()?).ok()?).ok().flatten()
}

/// Whether a table is text whose columns are separated, not Parquet or JSON.
///
/// # Errors
/// It cannot be read.
pub fn is_delimited(path: &Path) -> Result<bool, InputError> {
    let sample = FileSample::read(&first_file(path)?)?;
    Ok(!sample.is_parquet() && object_table::columns(&sample).is_none())
}

/// What a table of items is taken for.
///
/// # Errors
/// The file cannot be read, or is no table.
pub fn propose_items(path: &Path, header: bool) -> Result<ItemTable, InputError> {
    let sample = FileSample::read(path)?;
    object_table::propose_items(&sample).map_or_else(|| table::propose_items(&sample, header), Ok)
}

/// The format that a file's content tells, with its layout.
fn recognise(sample: &FileSample) -> Result<Option<(Format, Layout)>, InputError> {
    for format in Format::all() {
        if let Some(layout) = (format.reader.layout)(sample, false)? {
            return Ok(Some((format, layout)));
        }
    }
    Ok(object_table::guess(sample).map(|layout| (Format::TABLE, layout)))
}

/// The error for a file that is not of the format that is named.
fn not_of(format: Format, sample: &FileSample) -> InputError {
    let problem = format!("not a file of interactions in the format {}", format.label);
    let error = InputError::new(&sample.path, problem);
    match recognise(sample) {
        Ok(Some((other, _))) => error.advice(format!("it looks like {}", other.label)),
        _ => error.advice(format.expected),
    }
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

/// The error for a file that has items and no interactions.
fn items_alone(sample: &FileSample) -> Option<InputError> {
    let format = Format::all().find(|format| (format.reader.items)(sample).is_some())?;
    let problem = format!("a file of items ({}), not of interactions", format.label);
    Some(InputError::new(&sample.path, problem).advice("name the file of interactions or the folder"))
}
