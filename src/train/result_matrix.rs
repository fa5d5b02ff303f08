//! Measuring rows of R: what the model after a stage is asked, what of it is still to be measured, and what is copied.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Instant;

use super::evaluate::{Cell, KnownCatalogue, USERS_A_BATCH, metrics, test_counts, test_user_counts, tests};
use super::stage_artifacts::predicting;
use super::stage_data::{decoder, writer};
use super::{Task, model_loading};
use crate::data::{Example, Protocol};
use crate::error::{InputError, RunError};
use crate::measure::UserOutcome;
use crate::method::AdapterMethod;
use crate::model::Llama;
use crate::model::backend::TrainingBackend;
use crate::model::beam::Ensemble;
use crate::model::kernels::Kernels;
use crate::peak_memory;
use crate::run::observer::{CellIndex, Control, EvaluationRecord, Observer, Phase, Progress, StageRecord, TestSet};
use crate::run::{EvaluationSummary, RunFolder, RunWriter};

/// The cells of a row (stage from 1) that the project's protocols define, in the order in which they are measured.
pub fn row(task: &Task<'_>, trained: usize) -> Vec<CellIndex> {
    let stages = task.dataset.stages.len();
    let cells = |&protocol| (1..=stages).map(move |tested| CellIndex { protocol, trained, tested });
    let protocols = task.project.evaluation.protocol.each();
    protocols.iter().flat_map(cells).filter(|cell| cell.protocol.measures(trained, cell.tested)).collect()
}

/// Tests of a row (stage from 1).
pub fn row_tests(task: &Task<'_>, trained: usize) -> u64 {
    count(task, &row(task, trained))
}

fn count(task: &Task<'_>, cells: &[CellIndex]) -> u64 {
    let users = task.project.evaluation.users;
    let of_protocol = |&protocol| {
        let counts = test_counts(&task.dataset, protocol, users);
        cells.iter().filter(|cell| cell.protocol == protocol).map(|cell| counts[cell.tested - 1]).sum::<usize>()
    };
    task.project.evaluation.protocol.each().iter().map(of_protocol).sum::<usize>() as u64
}

/// The cells that are measured as the project wants it: with lists of known items too, where it does.
fn measured(task: &Task<'_>, folder: &RunFolder) -> Result<BTreeSet<CellIndex>, InputError> {
    let as_wanted = |cell: &EvaluationSummary| {
        // A cell without a test has no metric at all.
        !task.project.evaluation.known_items || cell.users == 0 || cell.has_known_items()
    };
    Ok(folder.reader()?.evaluations()?.iter().filter(|cell| as_wanted(cell)).map(|cell| cell.at).collect())
}

/// The cells of a row that are not measured yet.
fn missing(task: &Task<'_>, folder: &RunFolder, trained: usize) -> Result<Vec<CellIndex>, InputError> {
    let measured = measured(task, folder)?;
    Ok(row(task, trained).into_iter().filter(|cell| !measured.contains(cell)).collect())
}

/// The known items of a tested stage (from 1), where the project wants lists of them.
fn known<'t>(task: &'t Task<'_>, tested: usize) -> Option<&'t KnownCatalogue> {
    let made = || task.known[tested - 1].get_or_init(|| KnownCatalogue::of(&task.dataset, tested - 1));
    task.project.evaluation.known_items.then(made)
}

/// Whether every cell that the project wants is measured.
///
/// # Errors
/// The records cannot be read.
pub fn is_complete(task: &Task<'_>, folder: &RunFolder) -> Result<bool, InputError> {
    let measured = measured(task, folder)?;
    Ok((1..=task.dataset.stages.len()).flat_map(|stage| row(task, stage)).all(|cell| measured.contains(&cell)))
}

/// Records what is known of the tests of every stage, where that is not recorded yet.
///
/// # Errors
/// The records cannot be read or written.
pub fn record_test_sets(task: &Task<'_>, folder: &RunFolder, writer: &mut RunWriter) -> Result<(), InputError> {
    let recorded = folder.reader()?.left_out()?;
    for &protocol in task.project.evaluation.protocol.each() {
        for stage in 0..task.dataset.stages.len() {
            if !recorded.contains_key(&(protocol, stage + 1)) {
                writer.test_set(&TestSet::of(&task.dataset, protocol, stage, task.project.evaluation.users))?;
            }
        }
    }
    Ok(())
}

/// Measures what is missing of the rows of stages that are trained: of a run that was measured under another protocol, or
/// without lists of known items.
///
/// # Errors
/// See [`measure_row`].
pub fn complete_result_matrix<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    stages: Range<usize>,
    device: &B::Device,
    recorder: &mut dyn Observer,
) -> Result<(), RunError> {
    let trains = folder.config().method.adapter_method().is_none_or(AdapterMethod::trains);
    let is_measured = |stage: usize| trains || stage == 1;
    let (next, records) = (stages.end, folder.reader()?.stages()?);
    let mut rows = Vec::new();
    for record in records.into_iter().filter(|record| stages.contains(&record.stage)) {
        let missing = missing(task, folder, record.stage)?;
        rows.push((record, missing));
    }
    let mut left: u64 = rows.iter().filter(|(r, _)| is_measured(r.stage)).map(|(_, cells)| count(task, cells)).sum();
    for (mut record, cells) in rows.into_iter().filter(|(_, cells)| !cells.is_empty()) {
        if is_measured(record.stage) {
            left = left.saturating_sub(count(task, &cells));
            // What comes after these rows is what comes after the last of them.
            let row = Row { cells: &cells, stage: next - 1, tests_later: left };
            measure::<B>(task, folder, &mut record, &row, device, recorder)?;
        } else {
            copy_row(task, folder, record.stage, recorder)?;
        }
    }
    Ok(())
}

/// The cells of a row that are measured now, and what its progress says.
struct Row<'a> {
    cells: &'a [CellIndex],
    /// The stage that the run is at, from 1.
    stage: usize,
    /// Tests of later rows that are missing too.
    tests_later: u64,
}

/// Copies what is missing of the row of a stage in which nothing was trained from the stage before it.
///
/// # Errors
/// The records cannot be read or written.
pub fn copy_row(
    task: &Task<'_>,
    folder: &RunFolder,
    stage: usize,
    recorder: &mut dyn Observer,
) -> Result<(), InputError> {
    let reader = folder.reader()?;
    let measured = reader.evaluations()?;
    for at in missing(task, folder, stage)? {
        let before = CellIndex { trained: stage - 1, ..at };
        if let Some(cell) = measured.iter().find(|cell| cell.at == before) {
            recorder.evaluation(&EvaluationRecord { at, ..reader.evaluation(cell)? })?;
        }
    }
    Ok(())
}

/// Measures what is missing of a row `R[stage, ·]` and finishes the stage.
///
/// # Errors
/// The adapter cannot be used, the records cannot be read or written, or the user stops the run.
pub fn measure_row<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    record: &mut StageRecord,
    device: &B::Device,
    recorder: &mut dyn Observer,
) -> Result<(), RunError> {
    let missing = missing(task, folder, record.stage)?;
    let row = Row { cells: &missing, stage: record.stage, tests_later: 0 };
    measure::<B>(task, folder, record, &row, device, recorder)
}

fn measure<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    record: &mut StageRecord,
    row: &Row<'_>,
    device: &B::Device,
    recorder: &mut dyn Observer,
) -> Result<(), RunError> {
    let stages = task.dataset.stages.len();
    let model = predicting::<B>(
        task,
        folder,
        record.stage,
        device,
        &mut model_loading::on_progress(recorder, row.stage, stages),
    )?;
    let began = Instant::now();
    let mut pace = Pace::new(task, row);
    for &cell in row.cells {
        let measured = measure_cell(task, &model, cell, &mut pace, recorder)?;
        recorder.evaluation(&measured)?;
    }
    record.eval_seconds += began.elapsed().as_secs_f64();
    record.peak_memory_bytes = peak_memory::peak_bytes();
    record.finished = true;
    Ok(recorder.stage(record)?)
}

/// Measures what is missing of `R[0, j]`, the model before any training on the tests of stages from 2 on: what forward
/// transfer is over (same-block alone, since it needs the whole matrix).
///
/// # Errors
/// The records cannot be read or written, or the user stops the run.
pub fn measure_untrained<B: Kernels>(
    task: &Task<'_>,
    folder: &RunFolder,
    model: impl FnOnce(&mut dyn Observer) -> Result<Llama<B>, InputError>,
    recorder: &mut dyn Observer,
) -> Result<(), RunError> {
    if !task.project.evaluation.protocol.each().contains(&Protocol::SameBlock) {
        return Ok(());
    }
    let measured = measured(task, folder)?;
    let cells =
        (2..=task.dataset.stages.len()).map(|tested| CellIndex { protocol: Protocol::SameBlock, trained: 0, tested });
    let missing: Vec<CellIndex> = cells.filter(|cell| !measured.contains(cell)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let model = model(recorder)?.into();
    let mut pace = Pace::new(task, &Row { cells: &missing, stage: 1, tests_later: 0 });
    for cell in missing {
        let measured = measure_cell(task, &model, cell, &mut pace, recorder)?;
        recorder.evaluation(&measured)?;
    }
    Ok(())
}

/// Answers of something that is no language model to tests, in their order; among known items too where these are given.
pub type Answers<'a> = dyn FnMut(&[Example<'_>], Option<&KnownCatalogue>) -> Vec<UserOutcome> + 'a;

/// As [`measure_row`], for what is no language model.
///
/// # Errors
/// The records cannot be read or written, or the user stops the run.
pub fn measure_row_with(
    task: &Task<'_>,
    folder: &RunFolder,
    record: &mut StageRecord,
    answers: &mut Answers<'_>,
    recorder: &mut dyn Observer,
) -> Result<(), RunError> {
    let evaluation = &task.project.evaluation;
    let missing = missing(task, folder, record.stage)?;
    let began = Instant::now();
    let mut pace = Pace::new(task, &Row { cells: &missing, stage: record.stage, tests_later: 0 });
    for at in missing {
        let (cell_began, known) = (Instant::now(), known(task, at.tested));
        let mut users = Vec::new();
        for batch in tests(&task.dataset, at.protocol, at.tested - 1, evaluation.users).chunks(TESTS_A_BATCH) {
            users.extend(answers(batch, known));
            pace.done += batch.len() as u64;
            recorder.progress(&pace.progress())?;
            if recorder.control() == Control::Stop {
                return Err(RunError::Stopped);
            }
        }
        let metrics = metrics(&users, evaluation);
        recorder.evaluation(&EvaluationRecord { at, metrics, users, seconds: cell_began.elapsed().as_secs_f64() })?;
    }
    record.eval_seconds += began.elapsed().as_secs_f64();
    record.peak_memory_bytes = peak_memory::peak_bytes();
    record.finished = true;
    Ok(recorder.stage(record)?)
}

/// Tests that something other than a language model is asked together.
const TESTS_A_BATCH: usize = 512;

/// Whether a row (stage from 1) is measured.
///
/// # Errors
/// The records cannot be read.
pub fn is_measured(task: &Task<'_>, folder: &RunFolder, trained: usize) -> Result<bool, InputError> {
    Ok(missing(task, folder, trained)?.is_empty())
}

/// Same-block test users of a stage (from 1).
pub fn test_users_of(task: &Task<'_>, stage: usize) -> u64 {
    test_user_counts(&task.dataset, task.project.evaluation.users)[stage - 1] as u64
}

/// How far the measuring of a row is.
struct Pace {
    began: Instant,
    stages: usize,
    /// Tests done, of all that the row lacked.
    done: u64,
    total: u64,
    stage: usize,
    tests_later: u64,
}

impl Pace {
    fn new(task: &Task<'_>, row: &Row<'_>) -> Self {
        Self {
            began: Instant::now(),
            stages: task.dataset.stages.len(),
            done: 0,
            total: count(task, row.cells),
            stage: row.stage,
            tests_later: row.tests_later,
        }
    }

    fn progress(&self) -> Progress {
        let rate = self.done as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        let left = self.total.saturating_sub(self.done) + self.tests_later;
        Progress {
            phase: Phase::Evaluate,
            stage: self.stage,
            stages: self.stages,
            done: self.done,
            total: self.total,
            rate,
            eta_seconds: Some(left as f64 / rate),
            memory_bytes: peak_memory::peak_bytes(),
        }
    }
}

fn measure_cell<B: Kernels>(
    task: &Task<'_>,
    model: &Ensemble<B>,
    at: CellIndex,
    pace: &mut Pace,
    recorder: &mut dyn Observer,
) -> Result<EvaluationRecord, RunError> {
    let evaluation = &task.project.evaluation;
    let (decoder, known) = (decoder(task), known(task, at.tested));
    let tests = tests(&task.dataset, at.protocol, at.tested - 1, evaluation.users);
    let mut cell = Cell::default();
    for batch in tests.chunks(USERS_A_BATCH) {
        cell.test(model, &decoder, known, writer(task), batch);
        pace.done += batch.len() as u64;
        recorder.progress(&pace.progress())?;
        if recorder.control() == Control::Stop {
            return Err(RunError::Stopped);
        }
    }
    Ok(cell.record(at, evaluation))
}
