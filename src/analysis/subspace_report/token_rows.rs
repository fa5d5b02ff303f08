//! How far the trained rows of embedding and head moved.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use super::is_set;
use super::report::{RowsReport, RowsStage};
use crate::error::InputError;
use crate::method::plan::Matrices;
use crate::model::adapter::Matrix;
use crate::run::RunFolder;
use crate::subspace::movement::row_movement;
use crate::train::stage_artifacts::read_token_rows;

/// Rows that are named as those that moved most.
const MAX_MOVED: usize = 20;

/// What is kept of the rows while the stages are gone through.
struct Rows {
    first: Matrices,
    before: Matrices,
}

/// The moves of all trained rows; none where `cancelled` was set meanwhile.
pub fn reports(
    run: &RunFolder,
    stages: &[usize],
    cancelled: &AtomicBool,
) -> Result<Option<Vec<RowsReport>>, InputError> {
    let mut reports: Vec<RowsReport> = Vec::new();
    let mut rows: Option<Rows> = None;
    for &stage in stages {
        if is_set(cancelled) {
            return Ok(None);
        }
        let now = read_token_rows(&run.adapter(stage))?.parameters;
        let Some(Rows { first, before }) = rows.take() else {
            rows = Some(Rows { first: now.clone(), before: now });
            continue;
        };
        let names: BTreeSet<&String> = now.keys().filter(|name| before.contains_key(*name)).collect();
        for name in names {
            let (Some(before), Some(first), Some(now)) = (before.get(name), first.get(name), now.get(name)) else {
                continue;
            };
            let record = rows_stage(stage, first, before, now).ok_or_else(|| {
                InputError::new(run.adapter(stage), "the rows have another shape than in the stage before")
                    .at(format!("tensor `{name}`"))
            })?;
            match reports.iter_mut().find(|report| report.name == *name) {
                Some(report) => report.stages.push(record),
                None => reports.push(RowsReport {
                    name: name.clone(),
                    rows: now.rows,
                    width: now.columns,
                    stages: vec![record],
                }),
            }
        }
        rows = Some(Rows { first, before: now });
    }
    Ok(Some(reports))
}

/// The move of one matrix of rows; none where the shapes differ.
fn rows_stage(stage: usize, first: &Matrix, before: &Matrix, now: &Matrix) -> Option<RowsStage> {
    let shape = |matrix: &Matrix| (matrix.rows, matrix.columns);
    if shape(before) != shape(now) || shape(first) != shape(now) {
        return None;
    }
    let moved = row_movement(&before.values, &now.values, now.columns);
    let mut most_moved: Vec<(usize, f64)> = moved.rows.iter().copied().enumerate().collect();
    most_moved.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    most_moved.truncate(MAX_MOVED);
    Some(RowsStage {
        stage,
        norm: now.norm(),
        moved: moved.norm,
        moved_since_first: row_movement(&first.values, &now.values, now.columns).norm,
        mean_row: moved.rows.iter().sum::<f64>() / moved.rows.len().max(1) as f64,
        largest_row: most_moved.first().map_or(0.0, |(_, length)| *length),
        most_moved,
    })
}
