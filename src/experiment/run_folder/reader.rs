//! Reads a run folder, also while it grows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::super::observer::{Level, Phase, Progress, StageRecord, StepRecord, UserOutcome};
use super::super::results::{RunResult, StageResult, Status};
use super::{DATABASE, RunConfig, database, worker_lives};
use crate::error::Unusable;

/// A cheap view on a run that may still grow; every call sees all that was written before it.
pub struct RunReader {
    folder: PathBuf,
    config: RunConfig,
    connection: Connection,
}

/// One measured cell `R[trained, tested]`, without its users.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationSummary {
    /// Stage after which the model was tested, from 1.
    pub trained_stage: usize,
    /// Stage whose test set it was, from 1.
    pub test_stage: usize,
    /// By name: `hit@10`, `ndcg@10`, `invalid_rate`.
    pub metrics: BTreeMap<String, f64>,
    /// Number of test users.
    pub users: usize,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Seconds since 1970.
    pub unix: u64,
    /// Its weight.
    pub level: Level,
    /// What happened, in words.
    pub text: String,
}

impl RunReader {
    pub(super) fn open(folder: &Path, config: RunConfig) -> Result<Self, Unusable> {
        let connection = database::open_reader(&folder.join(DATABASE))?;
        Ok(Self { folder: folder.to_path_buf(), config, connection })
    }

    /// Where the run stands, as [`super::RunFolder::status`].
    ///
    /// # Errors
    /// The database cannot be read, here and in all that follows.
    pub fn status(&self) -> Result<Status, Unusable> {
        let recorded = self.state("status")?.as_deref().and_then(Status::from_key).unwrap_or(Status::Queued);
        let needs_worker = matches!(recorded, Status::Running | Status::Paused);
        Ok(if needs_worker && !worker_lives(&self.folder) { Status::Stopped } else { recorded })
    }

    /// Why the run stands where it stands, where there is something to say.
    pub fn reason(&self) -> Result<Option<String>, Unusable> {
        self.state("reason")
    }

    /// How far the current phase is; none before the first and after a rewind.
    pub fn progress(&self) -> Result<Option<Progress>, Unusable> {
        Ok(self.state("progress")?.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// The steps with row ids above `after` (0: all), in order. Ask again with the last id for what came since.
    pub fn steps_after(&self, after: i64) -> Result<Vec<(i64, StepRecord)>, Unusable> {
        let select = "SELECT id, stage, phase, epoch, step, steps, loss, penalty, penalty_share, pull_ratio,
                      gradient_norm, learning_rate, examples, seconds FROM steps WHERE id > ?1 ORDER BY id";
        self.rows(select, [after], |row| Ok((row.get(0)?, step_of(row)?)))
    }

    /// All measured cells, by trained stage, then test stage.
    pub fn evaluations(&self) -> Result<Vec<EvaluationSummary>, Unusable> {
        let select = "SELECT trained, tested, users FROM evaluations ORDER BY trained, tested";
        let mut cells = self.rows(select, [], |row| {
            let metrics = BTreeMap::new();
            Ok(EvaluationSummary {
                trained_stage: count(row, 0)?,
                test_stage: count(row, 1)?,
                metrics,
                users: count(row, 2)?,
            })
        })?;
        let select = "SELECT trained, tested, name, value FROM metrics";
        let values = self.rows(select, [], |row| Ok((count(row, 0)?, count(row, 1)?, row.get(2)?, number(row, 3)?)))?;
        for (trained, tested, name, value) in values {
            if let Ok(at) = cells.binary_search_by_key(&(trained, tested), |c| (c.trained_stage, c.test_stage)) {
                cells[at].metrics.insert(name, value);
            }
        }
        Ok(cells)
    }

    /// What every test user of a cell was recommended, in the order of the test set; empty where it is not measured.
    pub fn user_outcomes(&self, trained_stage: usize, test_stage: usize) -> Result<Vec<UserOutcome>, Unusable> {
        let select = "SELECT user, target, rank, before, sharing, top FROM outcomes
                      WHERE trained = ?1 AND tested = ?2 ORDER BY place";
        self.rows(select, [trained_stage as i64, test_stage as i64], |row| {
            let top: Vec<u8> = row.get(5)?;
            let top = top.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let (user, target, rank) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(UserOutcome { user, target, rank, before: row.get(3)?, sharing: row.get(4)?, top })
        })
    }

    /// The stages that have begun, in order.
    pub fn stages(&self) -> Result<Vec<StageRecord>, Unusable> {
        let select = "SELECT stage, train_examples, test_users, train_seconds, eval_seconds, peak_memory_bytes,
                      final_loss, best_epoch, finished FROM stages ORDER BY stage";
        let mut stages = self.rows(select, [], stage_of)?;
        let select = "SELECT stage, loss FROM validation_losses ORDER BY stage, epoch";
        for (stage, loss) in self.rows(select, [], |row| Ok((count(row, 0)?, number(row, 1)?)))? {
            if let Ok(at) = stages.binary_search_by_key(&stage, |record| record.stage) {
                stages[at].validation_losses.push(loss);
            }
        }
        Ok(stages)
    }

    /// The log lines with row ids above `after` (0: all), in order.
    pub fn events_after(&self, after: i64) -> Result<Vec<(i64, Event)>, Unusable> {
        let select = "SELECT id, unix, level, text FROM events WHERE id > ?1 ORDER BY id";
        self.rows(select, [after], |row| {
            let level = match row.get::<_, i64>(2)? {
                0 => Level::Info,
                1 => Level::Warning,
                _ => Level::Error,
            };
            Ok((row.get(0)?, Event { unix: count(row, 1)? as u64, level, text: row.get(3)? }))
        })
    }

    /// The run as `peso results` shows it.
    pub fn result(&self) -> Result<RunResult, Unusable> {
        let cells = self.evaluations()?;
        let finished = self.stages()?.into_iter().filter(|stage| stage.finished);
        let diagonal = |stage: usize| {
            let at = cells.binary_search_by_key(&(stage, stage), |cell| (cell.trained_stage, cell.test_stage));
            at.map(|at| cells[at].metrics.clone()).unwrap_or_default()
        };
        let stages = finished.map(|record| StageResult {
            stage: record.stage,
            train_examples: record.train_examples,
            test_users: record.test_users,
            train_seconds: record.train_seconds,
            eval_seconds: record.eval_seconds,
            peak_memory_bytes: record.peak_memory_bytes,
            final_loss: record.final_loss,
            metrics: diagonal(record.stage),
        });
        let config = &self.config;
        Ok(RunResult {
            run: config.run.clone(),
            experiment: config.experiment.clone(),
            method: config.method.key().to_owned(),
            seed: config.seed,
            status: self.status()?,
            device: config.device.clone(),
            trainable_parameters: config.trainable_parameters,
            config_hash: config.config_hash.clone(),
            data_hash: config.data_hash.clone(),
            stages: stages.collect(),
            matrix: matrix_of(&cells, config.stages),
        })
    }

    fn state(&self, key: &str) -> Result<Option<String>, Unusable> {
        let value =
            self.connection.query_row("SELECT value FROM state WHERE key = ?1", [key], |row| row.get(0)).optional();
        value.map_err(|error| self.unreadable(&error))
    }

    fn rows<T>(
        &self,
        select: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Unusable> {
        let rows = self
            .connection
            .prepare_cached(select)
            .and_then(|mut statement| statement.query_map(parameters, read)?.collect::<rusqlite::Result<Vec<T>>>());
        rows.map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &rusqlite::Error) -> Unusable {
        database::unusable(&self.folder.join(DATABASE), "read", error)
    }
}

/// `R[i][j]` of every metric, one row for each stage up to the last that was measured; cells not measured are NaN.
fn matrix_of(cells: &[EvaluationSummary], stages: usize) -> BTreeMap<String, Vec<Vec<f64>>> {
    let within = |cell: &&EvaluationSummary| {
        (1..=stages).contains(&cell.trained_stage) && (1..=stages).contains(&cell.test_stage)
    };
    let rows = cells.iter().filter(within).map(|cell| cell.trained_stage).max().unwrap_or(0);
    let mut matrix: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for cell in cells.iter().filter(within) {
        for (name, value) in &cell.metrics {
            let of_metric = matrix.entry(name.clone()).or_insert_with(|| vec![vec![f64::NAN; stages]; rows]);
            of_metric[cell.trained_stage - 1][cell.test_stage - 1] = *value;
        }
    }
    matrix
}

fn step_of(row: &Row<'_>) -> rusqlite::Result<StepRecord> {
    Ok(StepRecord {
        stage: count(row, 1)?,
        phase: match row.get::<_, i64>(2)? {
            0 => Phase::Base,
            1 => Phase::Train,
            _ => Phase::Evaluate,
        },
        epoch: count(row, 3)?,
        step: count(row, 4)?,
        steps: count(row, 5)?,
        loss: number(row, 6)?,
        penalty: number(row, 7)?,
        penalty_share: number(row, 8)?,
        pull_ratio: number(row, 9)?,
        gradient_norm: number(row, 10)?,
        learning_rate: number(row, 11)?,
        examples: count(row, 12)?,
        seconds: number(row, 13)?,
    })
}

fn stage_of(row: &Row<'_>) -> rusqlite::Result<StageRecord> {
    Ok(StageRecord {
        stage: count(row, 0)?,
        train_examples: count(row, 1)? as u64,
        test_users: count(row, 2)? as u64,
        train_seconds: number(row, 3)?,
        eval_seconds: number(row, 4)?,
        peak_memory_bytes: count(row, 5)? as u64,
        final_loss: number(row, 6)?,
        validation_losses: Vec::new(),
        best_epoch: count(row, 7)?,
        finished: row.get(8)?,
    })
}

/// A count; what no writer of ours wrote (a negative one) reads as 0.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    Ok(usize::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// A number; SQLite keeps one that is none as NULL.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<f64> {
    Ok(row.get::<_, Option<f64>>(column)?.unwrap_or(f64::NAN))
}
