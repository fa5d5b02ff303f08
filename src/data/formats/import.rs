//! Interactions and items that a plan names, read into one shape, with a report of what was read and left out.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ImportError;
use super::field::Unit;
use super::input::{Monitor, OnProgress};
use super::item_texts::ItemTexts;
use super::plan::{Layout, Plan};
use super::sink::{Sink, Skipped};
use super::spec::Format;
use super::{delimited, histories, item_file, objects, parquet_file};
use crate::data::interactions::{Interactions, ItemText};
use crate::error::InputError;

/// What an import has read and left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    pub format: Format,
    pub name: String,
    pub files: Vec<ReadFile>,
    pub interactions: u64,
    pub users: u64,
    pub items: u64,
    /// Items that have a title.
    pub titles: u64,
    /// First and last time, in milliseconds since 1970; none for a format without times.
    pub period: Option<(i64, i64)>,
    /// Whether interactions have a rating.
    pub rated: bool,
    pub skipped: Skipped,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// `interactions` or `items`.
    pub role: String,
}

/// Reads what a plan names.
///
/// # Errors
/// A file cannot be read, no record or fewer than half of them can, or `on_progress` ended it.
pub fn import(plan: &Plan, on_progress: OnProgress<'_>) -> Result<(Interactions, ImportReport), ImportError> {
    let files = files(plan)?;
    let monitor = Monitor::new(on_progress, files.iter().map(|file| file.bytes).sum());
    let mut sink = Sink::default();
    for source in &plan.interactions {
        let path = &source.path;
        match &source.layout {
            Layout::Delimited { table, roles } => delimited::read(path, table, roles, &monitor, &mut sink)?,
            Layout::Objects(roles) => objects::read(path, roles, &monitor, &mut sink)?,
            Layout::Parquet(roles) => parquet_file::read(path, roles, &monitor, &mut sink)?,
            Layout::Histories => histories::read_map(path, &monitor, &mut sink)?,
            Layout::Augmented => histories::read_augmented(path, &monitor, &mut sink)?,
        }
    }
    check_readable(plan, &sink)?;
    let Sink { mut interactions, mut skipped, units } = sink;
    interactions.name.clone_from(&plan.name);
    if let Some(source) = &plan.items {
        let texts = vec![ItemText::default(); interactions.items.len()];
        let mut texts = ItemTexts { items: &interactions.items, texts, skipped: &mut skipped };
        item_file::read(source, &monitor, &mut texts)?;
        interactions.texts = texts.texts;
    }
    let report = ImportReport {
        format: plan.format,
        name: plan.name.clone(),
        files,
        interactions: interactions.len() as u64,
        users: interactions.users.len() as u64,
        items: interactions.items.len() as u64,
        titles: interactions.texts.iter().filter(|text| text.title.is_some()).count() as u64,
        period: interactions.period(),
        rated: !interactions.rating.is_empty(),
        skipped,
        notes: notes(&interactions, &units),
    };
    Ok((interactions, report))
}

/// What a reader of the report should know of the times.
fn notes(interactions: &Interactions, units: &[Unit]) -> Vec<String> {
    if !units.is_empty() {
        let mut words: Vec<&str> = units.iter().map(|unit| unit.words()).collect();
        words.sort_unstable();
        return vec![format!("Times are written as {}", words.join(" and "))];
    }
    let untimed = "There are no times: the data cannot be cut into time stages, only by the order of each user";
    if interactions.is_empty() { Vec::new() } else { vec![untimed.to_owned()] }
}

/// The files of a plan with their sizes.
///
/// # Errors
/// A file is not there.
pub fn files(plan: &Plan) -> Result<Vec<ReadFile>, InputError> {
    let read_file = |path: &Path, role: &str| {
        let bytes = fs::metadata(path).map_err(|error| InputError::io(path, "open", &error))?.len();
        Ok(ReadFile { path: path.to_path_buf(), bytes, role: role.to_owned() })
    };
    let interactions = plan.interactions.iter().map(|source| read_file(&source.path, "interactions"));
    interactions.chain(plan.items.iter().map(|source| read_file(&source.path, "items"))).collect()
}

/// Refuses a file that mostly is not what it was taken for.
fn check_readable(plan: &Plan, sink: &Sink) -> Result<(), InputError> {
    let read = sink.interactions.len() as u64;
    if read > 0 && sink.skipped.lines <= read {
        return Ok(());
    }
    let advice = format!("it was read as {}; another format can be named in the project file", plan.format.label);
    match sink.skipped.examples.first() {
        Some(first) => {
            let problem = format!(
                "{} of {} records cannot be read; the first: {}",
                sink.skipped.lines,
                sink.skipped.lines + read,
                first.problem
            );
            Err(InputError::new(&first.path, problem).at(format!("line {}", first.line)).advice(advice))
        }
        None => {
            let path = plan.interactions.first().map_or(Path::new(""), |source| &source.path);
            Err(InputError::new(path, "there is no interaction in the file").advice(advice))
        }
    }
}
