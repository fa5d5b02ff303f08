//! Which format a file or folder has, told from its content.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::{ItemLayout, Layout, Plan, Source};
use super::sample::Look;
use super::{Format, amazon, lc_rec, movielens, recbole, table, yelp};
use crate::data::source::{DatasetSource, Import, ItemTable, TableImport};
use crate::error::InputError;

/// Files of a folder that are looked at, at most.
const LOOKED_AT: usize = 500;

/// What was found at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Detected {
    /// A folder of the paper's release.
    Release(PathBuf),
    Interactions(Box<Plan>),
}

impl Detected {
    /// What a project file says of it.
    pub fn source(&self) -> DatasetSource {
        match self {
            Self::Release(path) => DatasetSource::PesoRelease { path: path.clone() },
            Self::Interactions(plan) => DatasetSource::of_plan(plan),
        }
    }
}

/// Tells the format of a file or folder; none where nothing of any known format is there.
///
/// # Errors
/// A file cannot be read, or there are several datasets, or items alone; says what was found and how to name one.
pub fn detect(path: &Path) -> Result<Option<Detected>, InputError> {
    if path.is_dir() && files_of(path)?.iter().any(|file| is_release(file)) {
        return Ok(Some(Detected::Release(path.to_path_buf())));
    }
    let plan = found(None, &Import::at(path))?;
    Ok(plan.map(|plan| Detected::Interactions(Box::new(plan))))
}

fn is_release(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.contains(".all.block_") && name.ends_with(".json")
}

/// How a dataset is read: in the format that is named, else in the one that its content tells.
///
/// # Errors
/// The file is not of the format, or there are several; says what it looks like.
pub fn plan_of(format: Option<Format>, import: &Import) -> Result<Plan, InputError> {
    found(format, import)?.ok_or_else(|| {
        let nothing = if import.path.is_dir() { "there is no file of interactions in the folder" } else { UNKNOWN };
        InputError::new(&import.path, nothing).advice(format.map_or(ANYTHING, expected))
    })
}

fn found(format: Option<Format>, import: &Import) -> Result<Option<Plan>, InputError> {
    let path = &import.path;
    let look = if path.is_dir() { in_folder(format, path)? } else { Some(Look::at(path)?) };
    let Some(look) = look else { return Ok(None) };
    let (format, layout) = match format {
        Some(format) => (format, named(format, &look)?),
        None => match told(&look)? {
            Some(told) => told,
            None => return items_alone(&look).map_or(Ok(None), Err),
        },
    };
    let items = match &import.items {
        Some(items) => {
            let items = Look::at(items)?;
            let layout = items_layout(format, &items).ok_or_else(|| {
                InputError::new(&items.path, format!("not a file of items in the format {}", format.label()))
            })?;
            Some(Source::new(&items.path, layout))
        }
        None => items_beside(format, &look)?,
    };
    let name = match format {
        Format::Amazon2014 | Format::Amazon2018 | Format::Amazon2023 => amazon::category(&look).replace('_', " "),
        Format::LcRec => lc_rec::name(&look.path),
        Format::MovieLens => "MovieLens".to_owned(),
        Format::Yelp => "Yelp".to_owned(),
        Format::RecBole | Format::Table => stem(&look),
    };
    let interactions = match &layout {
        Layout::Augmented => {
            lc_rec::parts(&look.path).iter().map(|part| Source::new(part, Layout::Augmented)).collect()
        }
        _ => vec![Source::new(&look.path, layout)],
    };
    let index = if format == Format::LcRec { lc_rec::beside(&look.path, "index") } else { None };
    Ok(Some(Plan { format, name, interactions, items, index }))
}

/// How a table is read, whose columns the user has named.
///
/// # Errors
/// A file cannot be read or lacks a column.
pub fn plan_of_table(import: &TableImport) -> Result<Plan, InputError> {
    let look = Look::at(&import.path)?;
    let layout = table::layout(&look, import)?;
    let items = match &import.items {
        Some(items) => {
            let look = Look::at(&items.path)?;
            Some(Source::new(&items.path, table::items(&look, items, import)?))
        }
        None => None,
    };
    let interactions = vec![Source::new(&look.path, layout)];
    Ok(Plan { format: Format::Table, name: stem(&look), interactions, items, index: None })
}

/// What a table is taken for whose columns do not say it themselves, for the user to put right; none where a file is no
/// table.
///
/// # Errors
/// The file cannot be read.
pub fn propose_table(path: &Path) -> Result<Option<TableImport>, InputError> {
    table::propose(&Look::at(path)?)
}

/// Whether a file is Parquet.
///
/// # Errors
/// It cannot be read.
pub fn is_parquet(path: &Path) -> Result<bool, InputError> {
    Ok(Look::at(path)?.is_parquet())
}

/// What a table of items is taken for.
///
/// # Errors
/// The file cannot be read, or is no table.
pub fn propose_items(path: &Path, header: bool) -> Result<ItemTable, InputError> {
    table::propose_items(&Look::at(path)?, header)
}

/// A file's name without its endings.
fn stem(look: &Look) -> String {
    let name = look.name();
    name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned()
}

/// The format that a file's content tells, with its layout.
fn told(look: &Look) -> Result<Option<(Format, Layout)>, InputError> {
    for format in Format::ALL {
        if let Some(layout) = layout_of(format, look, true)? {
            return Ok(Some((format, layout)));
        }
    }
    Ok(None)
}

/// The layout of a file in the format that is named.
fn named(format: Format, look: &Look) -> Result<Layout, InputError> {
    if let Some(layout) = layout_of(format, look, false)? {
        return Ok(layout);
    }
    let unusable = InputError::new(&look.path, format!("not a file of interactions in the format {}", format.label()));
    Err(match told(look) {
        Ok(Some((other, _))) => unusable.advice(format!("it looks like {}", other.label())),
        _ => unusable.advice(expected(format)),
    })
}

fn layout_of(format: Format, look: &Look, certain: bool) -> Result<Option<Layout>, InputError> {
    Ok(match format {
        Format::RecBole => recbole::layout(look)?,
        Format::MovieLens => movielens::layout(look),
        Format::Amazon2014 | Format::Amazon2018 | Format::Amazon2023 => amazon::layout(format, look, certain)?,
        Format::Yelp => yelp::layout(look),
        Format::LcRec => lc_rec::layout(look),
        Format::Table => table::guess(look),
    })
}

fn items_layout(format: Format, look: &Look) -> Option<ItemLayout> {
    match format {
        Format::RecBole => recbole::items(look),
        Format::MovieLens => movielens::items(look),
        Format::Amazon2014 | Format::Amazon2018 | Format::Amazon2023 => amazon::items(look),
        Format::Yelp => yelp::items(look),
        Format::LcRec => lc_rec::items(look),
        Format::Table => None,
    }
}

/// The file of items beside a file of interactions, where it is one.
fn items_beside(format: Format, look: &Look) -> Result<Option<Source<ItemLayout>>, InputError> {
    let path = match format {
        Format::RecBole => recbole::items_beside(look),
        Format::MovieLens => movielens::items_beside(look),
        Format::Amazon2014 | Format::Amazon2018 | Format::Amazon2023 => amazon::items_beside(look),
        Format::Yelp => yelp::items_beside(look),
        Format::LcRec => lc_rec::beside(&look.path, "item"),
        Format::Table => None,
    };
    let Some(path) = path else { return Ok(None) };
    let items = Look::at(&path)?;
    Ok(items_layout(format, &items).map(|layout| Source::new(path, layout)))
}

/// The one file of interactions of a folder, where there is one.
fn in_folder(format: Option<Format>, folder: &Path) -> Result<Option<Look>, InputError> {
    let mut found: Vec<(Format, Look)> = Vec::new();
    let mut refused = None;
    for file in files_of(folder)? {
        let Ok(look) = Look::at(&file) else { continue };
        let told = match format {
            Some(format) => layout_of(format, &look, false).map(|layout| Some((format, layout?))),
            None => told(&look),
        };
        match told {
            Ok(Some((format, layout))) => {
                // The parts of a user's sequence are read together.
                let later_part = layout == Layout::Augmented && lc_rec::parts(&file).first() != Some(&file);
                if !later_part {
                    found.push((format, look));
                }
            }
            Ok(None) => {}
            Err(error) => refused = Some(error),
        }
    }
    // A folder of MovieLens or LC-Rec has the same interactions several times.
    let whole = |look: &Look| {
        let name = look.name();
        name == "u.data" || name.ends_with(".inter.json")
    };
    if found.iter().filter(|(_, look)| whole(look)).count() == 1 {
        found.retain(|(_, look)| whole(look));
    }
    // A table may be anything; whatever else there is leaves no doubt.
    if found.iter().any(|(format, _)| *format != Format::Table) {
        found.retain(|(format, _)| *format != Format::Table);
    }
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(|(_, look)| look.name()).collect();
        return Err(InputError::new(folder, format!("several files of interactions: {}", names.join(", ")))
            .advice("name one of them"));
    }
    match (found.pop(), refused) {
        (None, Some(error)) => Err(error),
        (look, _) => Ok(look.map(|(_, look)| look)),
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
    files.truncate(LOOKED_AT);
    Ok(files)
}

const UNKNOWN: &str = "the format is not known";
const ANYTHING: &str = "interactions of LC-Rec, Amazon (2014, 2018, 2023), RecBole, MovieLens, Yelp, or a table (CSV, TSV, \
                        Parquet) were expected; the columns of a table can be named: `dataset: Table(path: \"…\", columns: \
                        (user: \"…\", item: \"…\"))`";

/// The error for a file that has items and no interactions.
fn items_alone(look: &Look) -> Option<InputError> {
    let format = Format::ALL.into_iter().find(|&format| items_layout(format, look).is_some())?;
    let problem = format!("a file of items ({}), not of interactions", format.label());
    Some(InputError::new(&look.path, problem).advice("name the file of interactions or the folder"))
}

/// What a file of a format looks like.
fn expected(format: Format) -> &'static str {
    match format {
        Format::LcRec => "`<name>.inter.json` ({user: [item, …]}) or `<name>.train.inter` was expected",
        Format::Amazon2014 => {
            "reviews with reviewerID, asin, overall and unixReviewTime, or ratings as user,item,rating,timestamp were expected"
        }
        Format::Amazon2018 => {
            "reviews with reviewerID, asin, overall and unixReviewTime, or ratings as item,user,rating,timestamp were expected"
        }
        Format::Amazon2023 => {
            "reviews with user_id, parent_asin, rating and timestamp, or ratings as user_id,parent_asin,rating,timestamp were \
             expected"
        }
        Format::RecBole => "a `.inter` file with a header like `user_id:token` was expected",
        Format::MovieLens => "`u.data`, `ratings.dat` or `ratings.csv` was expected",
        Format::Yelp => "`yelp_academic_dataset_review.json` with user_id, business_id, stars and date was expected",
        Format::Table => "a table (CSV, TSV or Parquet) with a user and an item in each row was expected",
    }
}
