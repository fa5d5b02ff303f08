//! Which rows of the runs are shown, in which order, and under which groups.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Cell, Column, cell, device, measured, memory_bytes, seconds};
use super::filter::{Filter, Subject, Value};
use crate::app::session::{Origin, Row, RowState, Session};
use crate::app::{theme, widgets};
use crate::data::Protocol;
use crate::measure::statistics;
use crate::run::Status;
use crate::run::marks::Mark;

/// What the rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sort {
    /// `None`: as the project lists them.
    pub(super) by: Option<Column>,
    pub(super) descending: bool,
}

impl Sort {
    /// After a click on the heading of a column: its better end first, then the other, then as the project lists them.
    pub(super) fn clicked(&self, column: &Column) -> Self {
        let first = column.largest_first();
        match (self.by.as_ref() == Some(column), self.descending == first) {
            (false, _) => Self { by: Some(column.clone()), descending: first },
            (true, true) => Self { by: Some(column.clone()), descending: !first },
            (true, false) => Self::default(),
        }
    }
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Group(Group),
    /// The row at this index of [`Session::row`].
    Row(usize),
}

/// What the rows with one value of a setting have together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rows: Vec<usize>,
    pub(super) finished: usize,
    pub(super) open: bool,
    /// By column, of the rows that have a number there.
    pub(super) means: BTreeMap<Column, Spread>,
}

/// Mean and sample standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    /// None of a single value.
    pub(super) deviation: Option<f64>,
    pub(super) count: usize,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let deviation = (values.len() > 1).then(|| {
            let mean = statistics::mean(values);
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / (values.len() - 1) as f64).sqrt()
        });
        (!values.is_empty()).then(|| Self { mean: statistics::mean(values), deviation, count: values.len() })
    }
}

/// How the table is to be arranged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrangement<'a> {
    pub(super) filter: &'a Filter,
    pub(super) sort: &'a Sort,
    pub(super) group_by: Option<&'a Column>,
    /// Names of the groups whose rows are shown.
    pub(super) unfolded: &'a BTreeSet<String>,
    pub(super) columns: &'a [Column],
    pub(super) protocol: Protocol,
}

impl Arrangement<'_> {
    /// The lines of the table.
    pub(super) fn lines(self, session: &Session) -> Vec<Line> {
        let rows = self.rows(session);
        let Some(column) = self.group_by else { return rows.into_iter().map(Line::Row).collect() };
        let mut groups: Vec<(Cell, Vec<usize>)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for index in rows {
            let Some(row) = session.row(index) else { continue };
            let (value, name) = (self.value(column, session, row), group_name(column, row, session.marks.of(&row.id)));
            let place = *places.entry(name).or_insert_with(|| {
                groups.push((value, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(index);
        }
        groups.sort_by(|(a, _), (b, _)| a.compare(b));
        groups.into_iter().flat_map(|(_, rows)| self.group(session, column, rows)).collect()
    }

    /// The rows that are wanted, pinned ones first.
    fn rows(self, session: &Session) -> Vec<usize> {
        let with_archived = self.filter.mentions("is", "archived");
        let rows = session.all_rows().enumerate().take(if with_archived { usize::MAX } else { session.rows.len() });
        let mut wanted: Vec<(usize, bool, Cell)> = rows
            .map(|(index, row)| (index, row, session.marks.of(&row.id)))
            .filter(|(_, row, mark)| self.filter.accepts(&Entry { row, mark, protocol: self.protocol }))
            .map(|(index, row, mark)| {
                let by = self.sort.by.as_ref().map_or(Cell::Nothing, |column| cell(column, row, mark, self.protocol));
                (index, mark.pinned, by)
            })
            .collect();
        wanted.sort_by(|(_, pinned, a), (_, other_pinned, b)| {
            let order = if self.sort.descending { b.compare(a) } else { a.compare(b) };
            other_pinned.cmp(pinned).then(order)
        });
        wanted.into_iter().map(|(index, ..)| index).collect()
    }

    fn value(self, column: &Column, session: &Session, row: &Row) -> Cell {
        cell(column, row, session.marks.of(&row.id), self.protocol)
    }

    fn group(self, session: &Session, column: &Column, rows: Vec<usize>) -> Vec<Line> {
        let found: Vec<&Row> = rows.iter().filter_map(|&index| session.row(index)).collect();
        let name = found.first().map_or(String::new(), |row| group_name(column, row, session.marks.of(&row.id)));
        let numbers = |of: &Column| -> Vec<f64> {
            found.iter().filter_map(|row| self.value(of, session, row).number()).filter(|x| x.is_finite()).collect()
        };
        let averaged = |of: &&Column| matches!(of, Column::Metric(_) | Column::Time | Column::Memory);
        let means = self.columns.iter().filter(averaged);
        let group = Group {
            finished: found.iter().filter(|row| row.state == RowState::Run(Status::Finished)).count(),
            open: self.unfolded.contains(&name),
            means: means.filter_map(|of| Some((of.clone(), Spread::of(&numbers(of))?))).collect(),
            name,
            rows: rows.clone(),
        };
        let inside = if group.open { rows } else { Vec::new() };
        std::iter::once(Line::Group(group)).chain(inside.into_iter().map(Line::Row)).collect()
    }
}

/// What the group of a row is called.
fn group_name(column: &Column, row: &Row, mark: &Mark) -> String {
    let text = match column {
        Column::Seed if row.origin == Origin::Baseline => String::new(),
        Column::Seed => row.key.seed.to_string(),
        Column::Status => status_word(row).to_owned(),
        Column::Setting(name) => row.settings.get(name).map(|value| value.text.clone()).unwrap_or_default(),
        _ => match cell(column, row, mark, Protocol::SameBlock) {
            Cell::Text(text) => text,
            Cell::Number(number) => number.to_string(),
            Cell::Nothing => String::new(),
        },
    };
    if text.is_empty() { "–".to_owned() } else { text }
}

/// The word of a row's state.
pub(super) fn status_word(row: &Row) -> &'static str {
    widgets::status_look(row.state, theme::of(eframe::egui::Theme::Light)).word
}

/// A row as the filter sees it.
pub(super) struct Entry<'a> {
    pub(super) row: &'a Row,
    pub(super) mark: &'a Mark,
    pub(super) protocol: Protocol,
}

/// What a filter may ask beside metrics and settings.
pub(super) const KEYS: [&str; 11] =
    ["method", "experiment", "seed", "status", "tag", "note", "device", "stage", "time", "memory", "is"];

/// What `is:` may be asked of.
pub(super) const IS: [&str; 5] = ["archived", "pinned", "planned", "baseline", "earlier"];

impl Entry<'_> {
    fn is(&self) -> Vec<&'static str> {
        let origin = match self.row.origin {
            Origin::Planned => "planned",
            Origin::Baseline => "baseline",
            Origin::Earlier => "earlier",
        };
        let marks = [(self.mark.archived, "archived"), (self.mark.pinned, "pinned")];
        marks.into_iter().filter_map(|(is, word)| is.then_some(word)).chain([origin]).collect()
    }

    /// The stage that it is at; of one that is not under way the last that is finished.
    fn stage(&self) -> Option<usize> {
        let run = self.row.run.as_ref()?;
        let at = run.progress.as_ref().filter(|_| run.is_active()).map(|progress| progress.stage);
        at.or_else(|| run.stages.iter().filter(|stage| stage.finished).map(|stage| stage.stage).max())
    }
}

impl Subject for Entry<'_> {
    fn values(&self, key: &str) -> Vec<Value<'_>> {
        let row = self.row;
        let number = |value: Option<f64>| value.map(Value::number).into_iter().collect();
        match key {
            "method" => vec![Value::text(row.method.key()), Value::text(row.method.label())],
            "experiment" => vec![Value::text(&row.key.experiment)],
            "seed" => number((row.origin != Origin::Baseline).then_some(row.key.seed as f64)),
            "status" => vec![Value::text(status_word(row))],
            "tag" => self.mark.tags.iter().map(Value::text).collect(),
            "note" => vec![Value::text(&self.mark.note)],
            "device" => vec![Value::text(device(row))],
            "stage" => number(self.stage().map(|stage| stage as f64)),
            "time" => number(seconds(row)),
            "memory" => number(memory_bytes(row).map(|bytes| bytes as f64 / f64::from(1 << 20))),
            "is" => self.is().into_iter().map(Value::text).collect(),
            _ => match row.settings.get(key) {
                Some(value) => vec![Value { text: value.text.as_str().into(), number: value.number }],
                None => number(measured(&metric_of(key), row, self.protocol).map(|found| found.mean)),
            },
        }
    }

    fn words(&self) -> String {
        let Row { key, method, .. } = self.row;
        let Mark { tags, note, .. } = self.mark;
        let tags = tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let words = [key.experiment.as_str(), method.label(), status_word(self.row), &tags, note];
        format!("{} {}", words.join(" "), key.seed).to_lowercase()
    }
}

/// The key in results of a metric as a filter names it: `ndcg@10` is the one that the table shows, the tie-corrected one, and
/// `ndcg@10_released` the other.
fn metric_of(key: &str) -> String {
    match key.strip_suffix("_released") {
        Some(released) => released.to_owned(),
        None if key.contains('@') && !key.ends_with("_corrected") => format!("{key}_corrected"),
        None => key.to_owned(),
    }
}

/// How a filter names a metric by its key in results; the reverse of [`metric_of`].
pub(super) fn metric_key(metric: &str) -> String {
    match metric.strip_suffix("_corrected") {
        Some(corrected) => corrected.to_owned(),
        None if metric.contains('@') => format!("{metric}_released"),
        None => metric.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_on_a_heading_turns_and_then_ends_the_sort() {
        let metric = Column::Metric("hit@10".to_owned());
        for column in [metric, Column::Seed] {
            let first = Sort::default().clicked(&column);
            assert_eq!((first.by.as_ref(), first.descending), (Some(&column), column.largest_first()));
            let second = first.clicked(&column);
            assert_eq!((second.by.as_ref(), second.descending), (Some(&column), !column.largest_first()));
            assert_eq!(second.clicked(&column), Sort::default());
        }
    }

    #[test]
    fn mean_and_spread_are_those_of_a_hand() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[2.0]), Some(Spread { mean: 2.0, deviation: None, count: 1 }));
        // (1 + 0 + 1) / 2 = 1
        assert_eq!(Spread::of(&[1.0, 2.0, 3.0]), Some(Spread { mean: 2.0, deviation: Some(1.0), count: 3 }));
    }

    #[test]
    fn a_metric_is_named_as_the_table_shows_it() {
        for (metric, key) in
            [("ndcg@10_corrected", "ndcg@10"), ("ndcg@10", "ndcg@10_released"), ("invalid_rate", "invalid_rate")]
        {
            assert_eq!((metric_key(metric).as_str(), metric_of(key).as_str()), (key, metric));
        }
    }
}
