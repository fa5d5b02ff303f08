//! Interactions and items that a plan names, read into one shape, with a report of what was read and left out.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::assumption::Assumption;
use super::error::ImportError;
use super::plan::{Layout, Plan, Source};
use super::spec::Format;
use crate::data::formats::known::mind;
use crate::data::formats::reader::item_texts::ItemTexts;
use crate::data::formats::reader::sequences::Sequences;
use crate::data::formats::reader::sink::Sink;
use crate::data::formats::reader::skipped::Skipped;
use crate::data::formats::reader::{delimited, histories, item_file};
use crate::data::formats::reader::{objects, parquet_file};
use crate::data::formats::stream::input::{Monitor, OnProgress};
use crate::data::interactions::Interactions;
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
    /// Events of kinds that are no interactions.
    pub left_out: u64,
    /// What was taken for granted, a line each.
    pub assumptions: Vec<Assumption>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// `interactions` or `items`.
    pub role: String,
}

impl ReadFile {
    /// Whether interactions were read from it.
    pub fn has_interactions(&self) -> bool {
        self.role == "interactions"
    }
}

/// Reads what a plan names.
///
/// # Errors
/// A file cannot be read, no record or fewer than half of them can, or `on_progress` ended it.
pub fn import(plan: &Plan, on_progress: OnProgress<'_>) -> Result<(Interactions, ImportReport), ImportError> {
    let files = files(plan)?;
    let monitor = Monitor::new(on_progress, files.iter().map(|file| file.bytes).sum());
    let at_once = |source: &Source<Layout>| matches!(source.layout, Layout::Histories | Layout::Impressions);
    let mut sink = Sink::new(plan.reading, plan.interactions.iter().all(at_once));
    let (mut sequences, mut given) = (Sequences::default(), mind::Given::default());
    for (number, source) in (0..).zip(&plan.interactions) {
        let path = &source.path;
        sink.begin_file(number, plan.interactions.len());
        match &source.layout {
            Layout::Delimited { table, roles } => {
                delimited::read(path, table, roles, source.only.as_ref(), &monitor, &mut sink)?;
            }
            Layout::Objects(roles) => objects::read(path, roles, &monitor, &mut sink)?,
            Layout::Parquet(roles) => parquet_file::read(path, roles, &monitor, &mut sink)?,
            Layout::Histories => histories::read_map(path, &monitor, &mut sink)?,
            Layout::Augmented(layout) => {
                let skipped = &mut sink.skipped;
                histories::read_augmented((path, number), layout, &monitor, skipped, &mut sequences)?;
            }
            Layout::Impressions => mind::read(path, &monitor, &mut given, &mut sink)?,
            Layout::Lists => histories::read_lists(path, &monitor, &mut sink)?,
        }
    }
    let paths: Vec<PathBuf> = plan.interactions.iter().map(|source| source.path.clone()).collect();
    sequences.give(&mut sink, &paths)?;
    let events = std::mem::take(&mut sink.events);
    let (mut interactions, mut skipped, told) = sink.finish()?;
    check_readable(plan, &interactions, &skipped)?;
    let mut assumptions = plan.assumptions.clone();
    assumptions.extend(told);
    assumptions.extend(events.said().into_iter().chain(in_several_files(&interactions)));
    interactions.name.clone_from(&plan.name);
    if let Some(source) = &plan.items {
        let mut texts = ItemTexts::new(&interactions.items, &mut skipped);
        item_file::read(source, &monitor, &mut texts)?;
        assumptions.extend(texts.assumptions(&source.path)?);
        interactions.texts = texts.texts;
    }
    assumptions.extend(monitor.notes());
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
        left_out: events.left_out(),
        assumptions,
    };
    Ok((interactions, report))
}

/// How many interactions stand in more than one of the files: with the same user, item and time.
fn in_several_files(interactions: &Interactions) -> Option<Assumption> {
    if interactions.file.is_empty() {
        return None;
    }
    let key = |&at: &u32| {
        let at = at as usize;
        (interactions.user[at], interactions.item[at], interactions.time.get(at).copied())
    };
    let mut order: Vec<u32> = (0..interactions.len() as u32).collect();
    order.sort_unstable_by_key(key);
    let again = |pair: &&[u32]| {
        let [one, other] = [pair[0], pair[1]].map(|at| interactions.file[at as usize]);
        one != other && key(&pair[0]) == key(&pair[1])
    };
    let count = order.windows(2).filter(again).count();
    let said = format!("{count} interactions stand in more than one of the files, with the same time");
    (count > 0).then(|| Assumption::new(said, "`deduplicate` (the default) takes the first; or name one file"))
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
fn check_readable(plan: &Plan, interactions: &Interactions, skipped: &Skipped) -> Result<(), InputError> {
    let read = interactions.len() as u64;
    if read > 0 && skipped.lines <= read {
        return Ok(());
    }
    let advice = format!("it was read as {}; another format can be named in the project file", plan.format.label);
    match skipped.examples.first() {
        Some(first) => {
            let problem = format!(
                "{} of {} records cannot be read; the first: {}",
                skipped.lines,
                skipped.lines + read,
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
