//! Datasets of others: which format a file has, and its interactions as a stream into one shape.
//!
//! A format's file says which files belong together and where a record's parts are ([`plan::Plan`]); a reader for each kind
//! of file (`delimited`, `objects`, `histories`, `parquet_file`) takes the records in. So a new format is one file here and
//! one line in [`Format`].

mod first_rows;
mod sample;

mod amazon;
mod delimited;
mod detect;
mod excerpt;
mod field;
mod histories;
mod input;
mod item_file;
mod lc_rec;
mod movielens;
mod object;
mod objects;
mod parquet_file;
pub mod peso_release;
pub mod plan;
mod python;
mod reason;
mod recbole;
mod sink;
mod table;
mod yelp;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::detect::{Detected, detect, is_parquet, plan_of, plan_of_table, propose_items, propose_table};
pub use self::excerpt::{Excerpt, ExcerptLine};
pub use self::field::time_span;
pub use self::first_rows::Preview;
pub use self::input::{Monitor, Progress, Watch};
use self::item_file::Texts;
use self::plan::{Layout, Plan};
use self::sink::Sink;
pub use self::sink::{Skipped, SkippedLine, SkippedProblem, kind_of_problem};
pub use self::table::{column_name, place_of as column_place};
use super::interactions::{Interactions, ItemText};
use crate::error::{InputError, RunError};

/// A format of interactions that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Format {
    /// LC-Rec and LETTER: users' sequences without times.
    LcRec,
    /// Reviews or ratings of Amazon, 2014: a user comes before the item, metadata are Python dicts.
    Amazon2014,
    /// Reviews or ratings of Amazon, 2018: in ratings the item comes before the user.
    Amazon2018,
    /// Reviews or ratings of Amazon, 2023: items are `parent_asin`, times are in milliseconds.
    Amazon2023,
    /// Atomic files of RecBole.
    RecBole,
    /// MovieLens, from 100k to 25M and later.
    MovieLens,
    /// Reviews of the Yelp dataset.
    Yelp,
    /// CSV, TSV or Parquet.
    Table,
}

impl Format {
    /// All of them, those first whose files leave no doubt.
    pub const ALL: [Self; 8] = [
        Self::LcRec,
        Self::RecBole,
        Self::MovieLens,
        Self::Amazon2023,
        Self::Amazon2018,
        Self::Amazon2014,
        Self::Yelp,
        Self::Table,
    ];

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::LcRec => "LC-Rec / LETTER",
            Self::Amazon2014 => "Amazon 2014",
            Self::Amazon2018 => "Amazon 2018",
            Self::Amazon2023 => "Amazon 2023",
            Self::RecBole => "RecBole",
            Self::MovieLens => "MovieLens",
            Self::Yelp => "Yelp",
            Self::Table => "Table",
        }
    }
}

/// Why an import ended early; nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("the import was cancelled")]
    Cancelled,
    #[error(transparent)]
    Input(#[from] InputError),
}

/// A run that was ended while its data was read.
impl From<ImportError> for RunError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Cancelled => Self::Stopped,
            ImportError::Input(unusable) => unusable.into(),
        }
    }
}

impl ImportError {
    /// The same as an error about the input, for where nobody can cancel.
    pub fn into_input_error(self) -> InputError {
        match self {
            Self::Input(unusable) => unusable,
            Self::Cancelled => InputError::new("", "the import was cancelled"),
        }
    }
}

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
/// A file cannot be read, no record or fewer than half of them can, or `watch` ended it.
pub fn import(plan: &Plan, watch: Watch<'_>) -> Result<(Interactions, ImportReport), ImportError> {
    let files = files(plan)?;
    let monitor = Monitor::new(watch, files.iter().map(|file| file.bytes).sum());
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
    enough(plan, &sink)?;
    let Sink { mut interactions, mut skipped, units } = sink;
    interactions.name.clone_from(&plan.name);
    if let Some(source) = &plan.items {
        let texts = vec![ItemText::default(); interactions.items.len()];
        let mut texts = Texts { items: &interactions.items, texts, skipped: &mut skipped };
        item_file::read(source, &monitor, &mut texts)?;
        interactions.texts = texts.texts;
    }
    let mut notes = Vec::new();
    if !units.is_empty() {
        let mut words: Vec<&str> = units.iter().map(|unit| unit.words()).collect();
        words.sort_unstable();
        notes.push(format!("Times are written as {}", words.join(" and ")));
    } else if !interactions.is_empty() {
        notes
            .push("There are no times: the data cannot be cut into time stages, only by the order of each user".into());
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
        notes,
    };
    Ok((interactions, report))
}

/// The files of a plan with their sizes.
pub fn files(plan: &Plan) -> Result<Vec<ReadFile>, InputError> {
    let read_file = |path: &Path, role: &str| {
        let bytes = fs::metadata(path).map_err(|error| InputError::io(path, "open", &error))?.len();
        Ok(ReadFile { path: path.to_path_buf(), bytes, role: role.to_owned() })
    };
    let interactions = plan.interactions.iter().map(|source| read_file(&source.path, "interactions"));
    interactions.chain(plan.items.iter().map(|source| read_file(&source.path, "items"))).collect()
}

/// Refuses a file that mostly is not what it was taken for.
fn enough(plan: &Plan, sink: &Sink) -> Result<(), InputError> {
    let read = sink.interactions.len() as u64;
    if read > 0 && sink.skipped.lines <= read {
        return Ok(());
    }
    let advice = format!("it was read as {}; another format can be named in the project file", plan.format.label());
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
