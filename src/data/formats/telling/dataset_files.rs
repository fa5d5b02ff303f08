//! Which files of a path are one dataset, and which are left out.

use std::path::{Path, PathBuf};

use super::file_names::FileName;
use super::file_set;
use super::sample::FileSample;
use crate::data::formats::Assumption;
use crate::data::formats::plan::{Layout, Separator};
use crate::data::formats::reader::parquet_file;
use crate::data::formats::reading::Reading;
use crate::data::formats::spec::Format;
use crate::error::InputError;

/// Names that are listed, at most.
const LISTED: usize = 5;

/// What tells the format of a file; an error for one that is of a format and cannot be used.
pub type Recognise<'r> = &'r dyn Fn(&FileSample) -> Result<Option<(Format, Layout)>, InputError>;

/// The files of a dataset.
pub struct FoundFiles {
    /// Of the first file.
    pub sample: FileSample,
    /// None where the file at the path is of no known format.
    pub format: Option<(Format, Layout)>,
    /// In the order in which they are read.
    pub files: Vec<PathBuf>,
    /// What a project file names.
    pub path: PathBuf,
    /// Other files of the folder.
    pub left_out: Vec<PathBuf>,
    /// What taking them together takes for granted.
    pub assumptions: Vec<Assumption>,
}

/// The files at a path; none where a folder has none of a known format.
///
/// # Errors
/// A file cannot be read, or files that belong together have other columns, or a folder has several datasets.
pub fn found_at(path: &Path, reading: Reading, recognise: Recognise<'_>) -> Result<Option<FoundFiles>, InputError> {
    if path.is_dir() {
        return in_folder(path, reading, recognise);
    }
    let files = if file_set::is_pattern(path) { file_set::matching(path)? } else { vec![path.to_path_buf()] };
    let (empty, files): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.len() == 0));
    let Some(first) = files.first() else {
        let path = empty.first().map_or(path, PathBuf::as_path);
        return Err(InputError::new(path, "the file is empty").advice("fetch or write it again"));
    };
    let sample = FileSample::read_as(first, reading)?;
    let format = recognise(&sample)?;
    let mut found = FoundFiles {
        sample,
        format,
        files: Vec::new(),
        path: path.to_path_buf(),
        left_out: empty,
        assumptions: Vec::new(),
    };
    found.take_together(&files)?;
    Ok(Some(found))
}

/// A file of interactions in a folder.
struct Candidate {
    path: PathBuf,
    family: String,
    format: Format,
    is_whole: bool,
}

/// The one dataset of a folder, where there is one.
fn in_folder(folder: &Path, reading: Reading, recognise: Recognise<'_>) -> Result<Option<FoundFiles>, InputError> {
    let all = file_set::of_folder(folder)?;
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut refused = None;
    for path in &all {
        let Ok(sample) = FileSample::read_as(path, reading) else { continue };
        match recognise(&sample) {
            Ok(Some((format, _))) => {
                let reader = &format.reader;
                // Of those that a format reads together, the first stands for all.
                if (reader.parts)(path).first() == Some(path) {
                    let (family, is_whole) = (FileName::of(path).family, (reader.is_whole)(&sample));
                    candidates.push(Candidate { path: path.clone(), family, format, is_whole });
                }
            }
            Ok(None) => {}
            Err(error) => refused = Some(error),
        }
    }
    if candidates.iter().filter(|candidate| candidate.is_whole).count() == 1 {
        candidates.retain(|candidate| candidate.is_whole);
    }
    if candidates.iter().any(|candidate| candidate.format.certain) {
        candidates.retain(|candidate| candidate.format.certain);
    }
    let Some(first) = candidates.first() else { return refused.map_or(Ok(None), Err) };
    if candidates.iter().any(|other| (other.format, &other.family) != (first.format, &first.family)) {
        return Err(several(folder, &candidates));
    }
    let sample = FileSample::read_as(&first.path, reading)?;
    let format = recognise(&sample)?;
    // A part with too few lines to be recognised is one of them by its name.
    let is_part = |path: &&PathBuf| {
        candidates.iter().any(|candidate| candidate.path == **path)
            || candidates.len() > 1 && FileName::of(path).family == first.family && file_has_bytes(path)
    };
    let files: Vec<PathBuf> = all.iter().filter(is_part).cloned().collect();
    let left_out = all.iter().filter(|path| !files.contains(path)).cloned().collect();
    let path = if files.len() > 1 { folder.to_path_buf() } else { first.path.clone() };
    let mut found = FoundFiles { sample, format, files: Vec::new(), path, left_out, assumptions: Vec::new() };
    found.take_together(&files)?;
    Ok(Some(found))
}

fn file_has_bytes(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// The error for a folder with several datasets.
fn several(folder: &Path, candidates: &[Candidate]) -> InputError {
    let mut families: Vec<(&str, Vec<&Path>)> = Vec::new();
    for Candidate { path, family, .. } in candidates {
        match families.iter_mut().find(|(known, _)| known == family) {
            Some((_, files)) => files.push(path),
            None => families.push((family, vec![path])),
        }
    }
    let words = |(family, files): &(&str, Vec<&Path>)| match files[..] {
        [one] => name(one),
        _ => format!("{family} ({} files)", files.len()),
    };
    let names: Vec<String> = families.iter().map(words).collect();
    let mut error = InputError::new(folder, format!("several files of interactions: {}", listed(&names)));
    let together = families.iter().find(|(_, files)| files.len() > 1);
    error.advice = Some(match together {
        Some((family, _)) => {
            let pattern = folder.join(family);
            let pattern = pattern.to_string_lossy();
            format!("name one of them, or some by a pattern: `peso inspect {}`", shell_words::quote(&pattern))
        }
        None => "name one of them".to_owned(),
    });
    error
}

impl FoundFiles {
    /// Takes files as one dataset, of which the sample is the first.
    fn take_together(&mut self, files: &[PathBuf]) -> Result<(), InputError> {
        files.clone_into(&mut self.files);
        let (Some((_, layout)), true) = (&self.format, files.len() > 1) else { return Ok(()) };
        for file in &files[1..] {
            check_same(&self.sample, layout, &FileSample::read_as(file, self.sample.reading)?)?;
        }
        let names: Vec<String> = files.iter().map(|file| name(file)).collect();
        let assumed =
            format!("{} files are read together as one dataset, in this order: {}", files.len(), listed(&names));
        let otherwise = "name one of them with `path`, or some by a pattern like `path: \"data/part-*.csv\"`; `stages: Files` \
                         makes each a stage";
        self.assumptions.push(Assumption::new(assumed, otherwise));
        Ok(())
    }
}

/// Refuses a file that is not written as the first of those that are read with it.
fn check_same(first: &FileSample, layout: &Layout, other: &FileSample) -> Result<(), InputError> {
    let differs = |own: &str, of_first: &str| {
        let problem = format!("{own}, and {} has {of_first}", name(&first.path));
        let advice = "files that are read together are written alike; name one of them, or a pattern of those that are";
        Err(InputError::new(&other.path, problem).advice(advice))
    };
    if first.is_parquet() != other.is_parquet() {
        let kind = |sample: &FileSample| if sample.is_parquet() { "Parquet" } else { "text" };
        return differs(&format!("the file is {}", kind(other)), kind(first));
    }
    match layout {
        Layout::Delimited { table, .. } => {
            let rows = match table.separator {
                Separator::Quoted(byte) => other.rows(byte, true),
                Separator::Plain(byte) => other.rows(byte, false),
                Separator::Own(_) => return Ok(()),
            };
            let Some(row) = rows.first() else { return Ok(()) };
            if table.header && *row != table.columns {
                let columns = |names: &[String]| format!("the columns {}", listed(names));
                return differs(&format!("the file has {}", columns(row)), &columns(&table.columns));
            }
            if row.len() != table.columns.len() {
                let columns = |count: usize| format!("{count} columns");
                return differs(&format!("the file has {}", columns(row.len())), &columns(table.columns.len()));
            }
        }
        Layout::Parquet(roles) => {
            let known = parquet_file::columns(&other.path)?;
            if let Some((_, missing)) = roles.each().find(|(_, column)| !known.contains(column)) {
                return differs(&format!("the file has no column {missing}"), "one");
            }
        }
        Layout::Objects(_) if other.object().is_none() => return differs("the file has no objects", "some"),
        Layout::Objects(_) | Layout::Histories | Layout::Augmented(_) | Layout::Impressions | Layout::Lists => {}
    }
    Ok(())
}

/// Says which parts of a split lie beside a file and are not read.
pub fn beside_split(file: &Path) -> Option<Assumption> {
    let own = FileName::of(file);
    own.split?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let others = file_set::of_folder(folder).ok()?;
    let is_other = |other: &&PathBuf| FileName::of(other).family == own.family && other.file_name() != file.file_name();
    let others: Vec<String> = others.iter().filter(is_other).map(|other| name(other)).collect();
    if others.is_empty() {
        return None;
    }
    let pattern = file.with_file_name(own.family);
    let otherwise = format!("`path: \"{}\"` reads them together", pattern.display());
    Some(Assumption::new(format!("Beside it, and not read: {}", listed(&others)), otherwise))
}

/// Says which files of a folder are not read.
pub fn unread(left_out: &[PathBuf], read: &[&Path]) -> Option<Assumption> {
    let names: Vec<String> =
        left_out.iter().filter(|path| !read.contains(&path.as_path())).map(|path| name(path)).collect();
    let otherwise = "name a file, or some by a pattern, with `path`, and a file of items with `items`";
    (!names.is_empty()).then(|| Assumption::new(format!("Not read: {}", listed(&names)), otherwise))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first of some names.
fn listed(names: &[String]) -> String {
    let mut listed = names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        listed.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    listed
}
