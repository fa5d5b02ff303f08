//! Where every format's records go: ids become numbers, and what cannot be read is counted.

use std::path::{Path, PathBuf};

use super::skipped::Skipped;
use crate::data::formats::ImportError;
use crate::data::formats::assumption::Assumption;
use crate::data::formats::reading::Reading;
use crate::data::formats::value::events::Counts;
use crate::data::formats::value::field::Field;
use crate::data::formats::value::ids::IdColumn;
use crate::data::formats::value::times::{Times, value_of};
use crate::data::interactions::Interactions;
use crate::error::InputError;

/// Records by which it is decided how the columns of all are written.
const FIRST: usize = 10_000;

/// One interaction as a file has it; `None` for what the file's layout lacks.
#[derive(Debug)]
pub struct Record<'r> {
    pub user: Field<'r>,
    pub item: Field<'r>,
    pub time: Option<Field<'r>>,
    pub rating: Option<Field<'r>>,
}

/// A record or a problem at its place.
struct Waiting {
    path: PathBuf,
    line: u64,
    lines: u64,
    file: Option<u16>,
    found: Result<Record<'static>, String>,
}

/// Takes in records. The first ones wait until there are enough to tell how their columns are written.
pub struct Sink {
    pub interactions: Interactions,
    pub skipped: Skipped,
    /// Records of which a text was not UTF-8.
    pub not_utf8: u64,
    reading: Reading,
    /// None once the columns are known.
    waiting: Option<Vec<Waiting>>,
    columns: Columns,
    /// The first file, for what is wrong with all of them.
    path: PathBuf,
    unrated: u64,
    decimal_comma: bool,
    /// Events by kind, where there are several.
    pub events: Counts,
    /// The file that records come from, where there are several.
    file: Option<u16>,
}

/// How the columns are written.
struct Columns {
    user: IdColumn,
    item: IdColumn,
    times: Times,
}

impl Sink {
    /// For files of which the project says how values are written. Where `at_once` is set, nothing waits: those who write such
    /// files leave nothing to be told.
    pub fn new(reading: Reading, at_once: bool) -> Self {
        let columns = Columns {
            user: IdColumn::of("user", reading.ids, std::iter::empty()),
            item: IdColumn::of("item", reading.ids, std::iter::empty()),
            times: Times::of(reading.times, &[]),
        };
        Self {
            interactions: Interactions::default(),
            skipped: Skipped::default(),
            not_utf8: 0,
            reading,
            waiting: (!at_once).then(Vec::new),
            columns,
            path: PathBuf::new(),
            unrated: 0,
            decimal_comma: false,
            events: Counts::default(),
            file: None,
        }
    }

    /// Says which of so many files the next records come from.
    pub fn begin_file(&mut self, number: u16, files: usize) {
        self.file = (files > 1).then_some(number);
    }

    /// Takes in a record of `lines` lines at `line`, or counts it as rejected.
    ///
    /// # Errors
    /// There are more users, items or interactions than numbers for them.
    pub fn take(&mut self, path: &Path, line: u64, lines: u64, record: &Record<'_>) -> Result<(), ImportError> {
        let Some(waiting) = &mut self.waiting else { return self.read(path, line, lines, record) };
        let (path, file) = (path.to_path_buf(), self.file);
        waiting.push(Waiting { path, line, lines, file, found: Ok(record.to_owned()) });
        if waiting.len() < FIRST { Ok(()) } else { self.settle() }
    }

    /// Counts what is no record.
    pub fn reject(&mut self, path: &Path, line: u64, lines: u64, problem: impl Into<String>) {
        let problem = problem.into();
        match &mut self.waiting {
            Some(waiting) if waiting.len() < FIRST => {
                let (path, file) = (path.to_path_buf(), self.file);
                waiting.push(Waiting { path, line, lines, file, found: Err(problem) });
            }
            _ => self.skipped.add(path, line, lines, problem),
        }
    }

    /// Decides by what waits how columns are written, and takes it in.
    fn settle(&mut self) -> Result<(), ImportError> {
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        let records = || waiting.iter().filter_map(|waiting| waiting.found.as_ref().ok());
        let times: Vec<_> =
            records().filter_map(|record| record.time.as_ref()).filter_map(|time| value_of(time).ok()).collect();
        self.columns = Columns {
            user: IdColumn::of("user", self.reading.ids, records().map(|record| &record.user)),
            item: IdColumn::of("item", self.reading.ids, records().map(|record| &record.item)),
            times: Times::of(self.reading.times, &times),
        };
        if let Some(first) = waiting.first() {
            self.path.clone_from(&first.path);
        }
        let now = self.file;
        for Waiting { path, line, lines, file, found } in &waiting {
            self.file = *file;
            match found {
                Ok(record) => self.read(path, *line, *lines, record)?,
                Err(problem) => self.skipped.add(path, *line, *lines, problem.as_str()),
            }
        }
        self.file = now;
        Ok(())
    }

    fn read(&mut self, path: &Path, line: u64, lines: u64, record: &Record<'_>) -> Result<(), ImportError> {
        let row = self.interactions.len();
        let Columns { user: users, item: items, times } = &mut self.columns;
        let read = (|| {
            let user = users.id(&record.user).map_err(|problem| format!("the user {problem}"))?;
            let item = items.id(&record.item).map_err(|problem| format!("the item {problem}"))?;
            let rating = record.rating.as_ref().map(Field::number).transpose();
            let rating = rating.map_err(|problem| format!("the rating {problem}"))?;
            let time = record.time.as_ref().map(|time| times.read(time, row)).transpose();
            let time = time.map_err(|problem| format!("the time {problem}"))?;
            Ok::<_, String>((user, item, time, rating))
        })();
        let (user, item, time, rating) = match read {
            Ok(read) => read,
            Err(problem) => {
                self.skipped.add(path, line, lines, problem);
                return Ok(());
            }
        };
        let out = &mut self.interactions;
        let numbers =
            out.users.number(&user).zip(out.items.number(&item)).filter(|_| out.user.len() < u32::MAX as usize);
        let (user, item) =
            numbers.ok_or_else(|| InputError::new(path, "more than 4,294,967,294 interactions, users or items"))?;
        out.user.push(user);
        out.item.push(item);
        out.time.extend(time);
        if let Some(rating) = rating {
            self.unrated += u64::from(rating.is_none());
            self.decimal_comma |= matches!(&record.rating, Some(Field::Text(text)) if text.contains(','));
            out.rating.push(rating.map_or(f32::NAN, |rating| rating as f32));
        }
        out.file.extend(self.file);
        Ok(())
    }

    /// What was taken in and left out, and what was taken for granted.
    ///
    /// # Errors
    /// As [`Sink::take`], or the times cannot be understood.
    pub fn finish(mut self) -> Result<(Interactions, Skipped, Vec<Assumption>), ImportError> {
        self.settle()?;
        let Self { mut interactions, skipped, columns, path, unrated, .. } = self;
        let mut assumptions: Vec<Assumption> =
            columns.times.finish(&mut interactions.time, &path)?.into_iter().collect();
        if interactions.time.is_empty() && !interactions.is_empty() {
            let untimed = "There are no times: the data cannot be cut into time stages, only by the order of each user";
            assumptions.push(Assumption::fact(untimed));
        }
        assumptions.extend(columns.user.assumptions().into_iter().chain(columns.item.assumptions()));
        if self.decimal_comma {
            assumptions.push(Assumption::fact("Ratings have decimal commas: 4,5 is 4.5"));
        }
        let all = interactions.len() as u64;
        if unrated == all && unrated > 0 {
            interactions.rating.clear();
            assumptions.push(Assumption::fact("No interaction has a rating: the column is empty"));
        } else if unrated > 0 {
            let words = format!("{unrated} of {all} interactions have no rating and are kept");
            assumptions.push(Assumption::new(words, "a `least_rating` leaves them out"));
        }
        if self.not_utf8 > 0 {
            let words = format!("{} records have ids that are not UTF-8, read as ISO-8859-1", self.not_utf8);
            assumptions.push(Assumption::new(words, "write `reading: (encoding: Utf8)` to reject them"));
        }
        Ok((interactions, skipped, assumptions))
    }
}

impl Record<'_> {
    fn to_owned(&self) -> Record<'static> {
        let own = |field: &Field<'_>| field.clone().into_owned();
        Record {
            user: own(&self.user),
            item: own(&self.item),
            time: self.time.as_ref().map(own),
            rating: self.rating.as_ref().map(own),
        }
    }
}
