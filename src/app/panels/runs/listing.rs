//! The table as a file has it: the rows and columns that are shown, with all digits.

use std::sync::Arc;

use super::arrange::{Group, Line, Spread, status_word};
use super::cells::date;
use super::columns::{Cell, Column, cell, measured, memory_bytes, seconds};
use crate::app::session::{Row, Session};
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::Provenance as _;
use crate::figures::measures::defined;
use crate::plot::listing::{Cell as Written, Column as Heading};
use crate::plot::{Body, Chart, Listing};

/// The shown lines of the table.
pub(super) fn listing(session: &Session, lines: &[Line], columns: &[Column], protocol: Protocol) -> Arc<Chart> {
    let heading = |column: &Column| {
        let numbers = matches!(column, Column::Seed | Column::Metric(_) | Column::Time | Column::Memory);
        Heading { heading: column.title(), numbers }
    };
    let row = |line: &Line| -> Option<Vec<Written>> {
        Some(match line {
            Line::Row(index) => {
                let row = session.row(*index)?;
                columns.iter().map(|column| of_row(session, column, row, protocol)).collect()
            }
            Line::Group(group) => columns.iter().enumerate().map(|(place, of)| of_group(group, of, place)).collect(),
        })
    };
    let rows = lines.iter().filter_map(row).collect();
    let listing = Listing { columns: columns.iter().map(heading).collect(), rows };
    let chart = Chart::new("Runs", Body::Listing(listing)).under(protocol).synthetic(session.synthetic());
    Arc::new(defined(chart))
}

fn of_row(session: &Session, column: &Column, row: &Row, protocol: Protocol) -> Written {
    match column {
        Column::Status => status_word(row).into(),
        Column::Progress => row.run.as_ref().map_or_else(String::new, |run| {
            let finished = run.stages.iter().filter(|stage| stage.finished).count();
            format!("{finished} of {}", widgets::counted(run.config.stages, "stage"))
        }),
        Column::Metric(metric) => {
            return measured(metric, row, protocol).map_or_else(nothing, |found| metric_cell(found.mean));
        }
        Column::Time => return seconds(row).map_or_else(nothing, time_cell),
        Column::Memory => return memory_bytes(row).map_or_else(nothing, |bytes| memory_cell(bytes as f64)),
        Column::Started => row.run.as_ref().map_or_else(String::new, |run| date(run.config.created_unix)),
        Column::Setting(name) => row.settings.get(name).map_or_else(String::new, |value| value.text.clone()),
        _ => match cell(column, row, session.marks.of(&row.id), protocol) {
            Cell::Nothing => String::new(),
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text,
        },
    }
    .into()
}

/// The group's name and count stand in the first column, means and deviations where it has them.
fn of_group(group: &Group, column: &Column, place: usize) -> Written {
    if place == 0 {
        return format!("{} ({})", group.name, widgets::counted(group.rows.len(), "run")).into();
    }
    let Some(Spread { mean, deviation, .. }) = group.means.get(column) else { return nothing() };
    let written = match column {
        Column::Time => time_cell(*mean),
        Column::Memory => memory_cell(*mean),
        _ => metric_cell(*mean),
    };
    match (column, deviation) {
        (Column::Metric(_), Some(deviation)) => {
            Written { shown: format!("{} ± {deviation:.4}", written.shown), ..written }
        }
        _ => written,
    }
}

fn nothing() -> Written {
    String::new().into()
}

fn metric_cell(value: f64) -> Written {
    Written::number(value, format!("{value:.4}"))
}

fn time_cell(seconds: f64) -> Written {
    Written::number(seconds, widgets::duration_words(seconds))
}

fn memory_cell(bytes: f64) -> Written {
    Written::number(bytes, widgets::memory_words(bytes as u64))
}
