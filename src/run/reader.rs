//! Reads a run folder, also while it grows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::database::{self, protocol_number};
use super::layout::{DATABASE, adapter_folder};
use super::observer::{CellIndex, EvaluationRecord, Level, Phase, Progress, StageRecord, StepRecord, UserOutcome};
use super::{RunConfig, Status, worker_lock};
use crate::baseline::ChosenOptions;
use crate::data::Protocol;
use crate::error::InputError;
use crate::files;
use crate::measure::{Place, Slice, Slices, UserMetric};

/// A cheap view on a run that may still grow; every call sees all that was written before it.
pub struct RunReader {
    folder: PathBuf,
    config: RunConfig,
    connection: Connection,
}

/// What stages left on disk, in bytes by stage: in the records of a bundle, which lacks it.
pub(super) const STORED_BYTES: &str = "stored_bytes";

/// One measured cell, without its users.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationSummary {
    pub at: CellIndex,
    /// By name: `hit@10`, `ndcg@10`, `invalid_rate`.
    pub metrics: BTreeMap<String, f64>,
    /// Number of test users.
    pub users: usize,
}

impl EvaluationSummary {
    /// Whether the cell was measured with lists of known items too.
    pub fn has_known_items(&self) -> bool {
        self.metrics.keys().any(|name| name.parse::<UserMetric>().is_ok_and(|metric| metric.known))
    }
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
    pub(super) fn open(folder: &Path, config: RunConfig) -> Result<Self, InputError> {
        let connection = database::open_reader(&folder.join(DATABASE))?;
        Ok(Self { folder: folder.to_path_buf(), config, connection })
    }

    /// Where the run stands, as [`super::RunFolder::status`].
    ///
    /// # Errors
    /// The database cannot be read, here and in all that follows.
    pub fn status(&self) -> Result<Status, InputError> {
        let recorded = self.recorded_status()?;
        let needs_worker = matches!(recorded, Status::Running | Status::Paused);
        Ok(if needs_worker && !worker_lock::is_held(&self.folder) { Status::Stopped } else { recorded })
    }

    /// What its last worker wrote of it; that one may be gone by now.
    pub fn recorded_status(&self) -> Result<Status, InputError> {
        Ok(self.state("status")?.as_deref().and_then(Status::from_key).unwrap_or(Status::Queued))
    }

    /// Why the run stands where it stands, where there is something to say.
    pub fn reason(&self) -> Result<Option<String>, InputError> {
        self.state("reason")
    }

    /// How far the current phase is; none before the first and after a rewind.
    pub fn progress(&self) -> Result<Option<Progress>, InputError> {
        Ok(self.state("progress")?.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// The options that a run of co-occurrence chose; none of another run, and before it has chosen.
    pub fn chosen_options(&self) -> Result<Option<ChosenOptions>, InputError> {
        Ok(self.state("co_occurrence")?.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// The steps with row ids above `after` (0: all), in order. Ask again with the last id for what came since.
    pub fn steps_after(&self, after: i64) -> Result<Vec<(i64, StepRecord)>, InputError> {
        let select = "SELECT id, stage, phase, epoch, step, steps, loss, penalty, penalty_share, pull_ratio,
                      gradient_norm, learning_rate, examples, seconds FROM steps WHERE id > ?1 ORDER BY id";
        self.rows(select, [after], |row| Ok((row.get(0)?, step_of(row)?)))
    }

    /// All measured cells, by protocol, trained stage and tested stage; those that serve two protocols stand under both.
    pub fn evaluations(&self) -> Result<Vec<EvaluationSummary>, InputError> {
        let select = "SELECT protocol, trained, tested, users FROM evaluations ORDER BY protocol, trained, tested";
        let mut cells = self.rows(select, [], |row| {
            Ok(EvaluationSummary { at: place_of(row)?, metrics: BTreeMap::new(), users: count(row, 3)? })
        })?;
        let select = "SELECT protocol, trained, tested, name, value FROM metrics";
        for (index, name, value) in self.rows(select, [], |row| Ok((place_of(row)?, row.get(3)?, number(row, 4)?)))? {
            if let Ok(at) = cells.binary_search_by_key(&index, |cell| cell.at) {
                cells[at].metrics.insert(name, value);
            }
        }
        let strict = |cell: &EvaluationSummary| {
            let CellIndex { protocol, trained, tested } = cell.at;
            let at = CellIndex { protocol: Protocol::GlobalTime, trained, tested };
            let is_one = protocol == at.protocol.recorded_as() && trained > 0 && at.protocol.measures(trained, tested);
            is_one.then(|| EvaluationSummary { at, ..cell.clone() })
        };
        let strict: Vec<EvaluationSummary> = cells.iter().filter_map(strict).collect();
        cells.extend(strict);
        Ok(cells)
    }

    /// The outcome of every test of a cell, in the order of the test set; empty where it is not measured.
    pub fn user_outcomes(&self, at: CellIndex) -> Result<Vec<UserOutcome>, InputError> {
        let select = "SELECT user, target, rank, before, sharing, top FROM outcomes
                      WHERE protocol = ?1 AND trained = ?2 AND tested = ?3 ORDER BY place";
        let cell = [protocol_number(at.protocol), at.trained as i64, at.tested as i64];
        let mut outcomes = self.rows(select, cell, |row| {
            let top: Vec<u8> = row.get(5)?;
            let top = top.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let (user, target, rank) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(UserOutcome { user, target, rank, before: row.get(3)?, sharing: row.get(4)?, top, known: None })
        })?;
        if self.has_table("known_outcomes")? {
            let select = "SELECT place, rank, before, sharing FROM known_outcomes
                          WHERE protocol = ?1 AND trained = ?2 AND tested = ?3";
            let known = self.rows(select, cell, |row| {
                let place = Place { rank: row.get(1)?, before: row.get(2)?, sharing: row.get(3)? };
                Ok((count(row, 0)?, place))
            });
            for (index, known) in known? {
                if let Some(outcome) = outcomes.get_mut(index) {
                    outcome.known = Some(known);
                }
            }
        }
        Ok(outcomes)
    }

    /// Whether the file has the table, which files of earlier versions lack until they are next written.
    fn has_table(&self, name: &str) -> Result<bool, InputError> {
        let select = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
        Ok(!self.rows(select, [name], |_| Ok(()))?.is_empty())
    }

    /// A measured cell with its users, for another run that has the same one and was not the one to measure it.
    pub fn evaluation(&self, cell: &EvaluationSummary) -> Result<EvaluationRecord, InputError> {
        let users = self.user_outcomes(cell.at)?;
        Ok(EvaluationRecord { at: cell.at, metrics: cell.metrics.clone(), users, seconds: 0.0 })
    }

    /// The users that a protocol could not ask, by protocol and stage (from 1).
    pub fn left_out(&self) -> Result<BTreeMap<(Protocol, usize), usize>, InputError> {
        let select = "SELECT protocol, stage, left_out FROM test_sets";
        let rows = self.rows(select, [], |row| Ok(((protocol_of(row)?, count(row, 1)?), count(row, 2)?)))?;
        let recorded: BTreeMap<(Protocol, usize), usize> = rows.into_iter().collect();
        let of = |protocol: Protocol| {
            let own = recorded.iter().filter(move |((recorded, _), _)| *recorded == protocol.recorded_as());
            own.map(move |(&(_, stage), &users)| ((protocol, stage), users))
        };
        Ok(Protocol::ALL.into_iter().flat_map(of).collect())
    }

    /// The slices of every test of a stage (from 1), in the order of [`Self::user_outcomes`]; empty where they are not
    /// recorded.
    pub fn slices(&self, protocol: Protocol, stage: usize) -> Result<Vec<Slices>, InputError> {
        let select = "SELECT user_group, target, popularity, history FROM test_slices
                      WHERE protocol = ?1 AND stage = ?2 ORDER BY place";
        self.rows(select, [protocol_number(protocol), stage as i64], |row| {
            Ok([slice(row, 0)?, slice(row, 1)?, slice(row, 2)?, slice(row, 3)?])
        })
    }

    /// The stages that have begun, in order.
    pub fn stages(&self) -> Result<Vec<StageRecord>, InputError> {
        let select = "SELECT stage, train_examples, test_users, train_seconds, eval_seconds, peak_memory_bytes,
                      final_loss, best_epoch, finished FROM stages ORDER BY stage";
        let mut stages = self.rows(select, [], stage_of)?;
        let select = "SELECT stage, loss FROM validation_losses ORDER BY stage, epoch";
        for (stage, loss) in self.rows(select, [], |row| Ok((count(row, 0)?, number(row, 1)?)))? {
            if let Ok(at) = stages.binary_search_by_key(&stage, |record| record.stage) {
                stages[at].validation_losses.push(loss);
            }
        }
        if self.has_table("stage_lambdas")? {
            let select = "SELECT stage, lambda FROM stage_lambdas ORDER BY stage";
            for (stage, json) in self.rows(select, [], |row| Ok((count(row, 0)?, row.get::<_, String>(1)?)))? {
                if let Ok(at) = stages.binary_search_by_key(&stage, |record| record.stage) {
                    stages[at].lambda = serde_json::from_str(&json).ok();
                }
            }
        }
        Ok(stages)
    }

    /// The log lines with row ids above `after` (0: all), in order.
    pub fn events_after(&self, after: i64) -> Result<Vec<(i64, Event)>, InputError> {
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

    /// What the run was started with.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Bytes of what a stage (from 1) left on disk: its adapter and the trained token rows.
    pub fn stored_bytes(&self, stage: usize) -> u64 {
        if !self.config.project.read_only {
            return files::folder_bytes(&adapter_folder(&self.folder, stage));
        }
        // A bundle has the sizes without what they are of.
        let recorded = self.state(STORED_BYTES).ok().flatten();
        let by_stage: Option<BTreeMap<usize, u64>> = recorded.and_then(|json| serde_json::from_str(&json).ok());
        by_stage.and_then(|bytes| bytes.get(&stage).copied()).unwrap_or(0)
    }

    /// By finished stage, training examples a second of its adapter, validation and checkpoints left aside.
    pub fn training_rates(&self) -> Result<BTreeMap<usize, f64>, InputError> {
        let sums = |select: &str| self.rows(select, [], |row| Ok((count(row, 0)?, number(row, 1)?, number(row, 2)?)));
        let of_steps = "SELECT stage, SUM(examples), SUM(seconds) FROM steps
                        WHERE phase = 1 AND stage IN (SELECT stage FROM stages WHERE finished) GROUP BY stage";
        let all_summed = "SELECT 1 WHERE NOT EXISTS
                          (SELECT 1 FROM stages WHERE finished AND stage NOT IN (SELECT stage FROM training_sums))";
        // A stage of an earlier version has no sums: the steps are added up, which takes a while where there are many.
        let summed = self.has_table("training_sums")? && !self.rows(all_summed, [], |_| Ok(()))?.is_empty();
        let found = sums(if summed { "SELECT stage, examples, seconds FROM training_sums" } else { of_steps })?;
        let timed = found.into_iter().filter(|&(_, _, seconds)| seconds > 0.0);
        Ok(timed.map(|(stage, examples, seconds)| (stage, examples / seconds)).collect())
    }

    fn state(&self, key: &str) -> Result<Option<String>, InputError> {
        let value =
            self.connection.query_row("SELECT value FROM state WHERE key = ?1", [key], |row| row.get(0)).optional();
        value.map_err(|error| self.unreadable(&error))
    }

    fn rows<T>(
        &self,
        select: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, InputError> {
        let rows = self
            .connection
            .prepare_cached(select)
            .and_then(|mut statement| statement.query_map(parameters, read)?.collect::<rusqlite::Result<Vec<T>>>());
        rows.map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &rusqlite::Error) -> InputError {
        database::database_error(&self.folder.join(DATABASE), "read", error)
    }
}

fn protocol_of(row: &Row<'_>) -> rusqlite::Result<Protocol> {
    Ok(if row.get::<_, i64>(0)? == 0 { Protocol::SameBlock } else { Protocol::NextBlock })
}

/// The first three columns of a cell's tables.
fn place_of(row: &Row<'_>) -> rusqlite::Result<CellIndex> {
    Ok(CellIndex { protocol: protocol_of(row)?, trained: count(row, 1)?, tested: count(row, 2)? })
}

fn slice(row: &Row<'_>, column: usize) -> rusqlite::Result<Slice> {
    let word: String = row.get(column)?;
    word.parse().map_err(|error: String| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
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
        lambda: None,
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
