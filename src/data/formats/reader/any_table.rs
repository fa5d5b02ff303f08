//! Tables that are no part of a dataset: a column beside what the format reads.

use std::ops::ControlFlow;
use std::path::Path;

use super::delimited;
use crate::data::formats::ImportError;
use crate::data::formats::plan::{Delimited, Separator};
use crate::data::formats::stream::input::Monitor;
use crate::data::formats::value::field;
use crate::error::InputError;

/// Goes through the rows of a table with a header: line, and the cells as text. `with_header` is told the names of the columns first,
/// and says what is wrong with them.
///
/// # Errors
/// The file cannot be read or is empty, `with_header` refuses it, or a row has another number of cells.
pub fn read_table(
    path: &Path,
    separator: u8,
    with_header: &mut dyn FnMut(&[String]) -> Result<(), InputError>,
    take: &mut dyn FnMut(&[String]),
) -> Result<(), InputError> {
    let separator = Separator::Quoted(separator);
    let go_on = &mut |_| ControlFlow::Continue(());
    let monitor = Monitor::new(go_on, 0);
    let mut names = Vec::new();
    each(path, &Delimited::new(separator, false, Vec::new()), &monitor, |_, cells| {
        names = cells.to_vec();
        Ok(ControlFlow::Break(()))
    })?;
    if names.is_empty() {
        return Err(InputError::new(path, "the table is empty").advice("its first line names the columns"));
    }
    with_header(&names)?;
    let table = Delimited::new(separator, true, names);
    each(path, &table, &monitor, |line, cells| {
        table.check(cells.len()).map_err(|problem| InputError::new(path, problem).at(format!("line {line}")))?;
        take(cells);
        Ok(ControlFlow::Continue(()))
    })
}

fn each(
    path: &Path,
    table: &Delimited,
    monitor: &Monitor<'_>,
    mut take: impl FnMut(u64, &[String]) -> Result<ControlFlow<()>, InputError>,
) -> Result<(), InputError> {
    let read = delimited::each_record(path, table, monitor, |lines, cells| {
        let cells = cells.map_err(|problem| InputError::new(path, problem).at(format!("line {}", lines.first)))?;
        let cells: Vec<String> = cells.iter().map(|cell| field::text(cell.trim_ascii()).into_owned()).collect();
        Ok(take(lines.first, &cells)?)
    });
    read.map_err(ImportError::into_input_error)
}
