//! The one writer of a run folder.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, params};

use super::Status;
use super::database::{self, protocol_number};
use super::layout::{DATABASE, LOG, read_control};
use super::observer::{
    CellIndex, Control, EvaluationRecord, Level, Observer, Phase, Progress, StageRecord, StepRecord, TestSet,
    UserOutcome,
};
use crate::baseline::ChosenOptions;
use crate::calendar;
use crate::error::InputError;
use crate::files::{self, disk, lines::Lines};
use crate::measure::{Place, Slice};

/// Steps and progress wait at most this long for their transaction.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// Tables whose rows belong to a cell.
const OF_CELLS: [&str; 4] = ["evaluations", "metrics", "outcomes", "known_outcomes"];

/// Bytes of a run's log, and events in its database: what is older goes. A run that is resumed for years, or that warns at
/// every step, must not fill the disk.
const LONGEST_LOG: u64 = 1 << 20;
const MOST_EVENTS: i64 = 10_000;

/// The control file is read at most this often.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// Writes what an [`Observer`] is told into the run folder.
///
/// Steps and progress are gathered and written together, at least every half second and before anything else, so that
/// rows stand in the order in which things happened. What was written outlives a kill and a power failure.
pub struct RunWriter {
    folder: PathBuf,
    connection: Connection,
    log: Lines,
    steps: Vec<StepRecord>,
    progress: Option<Progress>,
    flushed: Instant,
    control: Control,
    polled: Option<Instant>,
}

impl RunWriter {
    pub(super) fn open(folder: &Path) -> Result<Self, InputError> {
        Ok(Self {
            folder: folder.to_path_buf(),
            connection: database::open_writer(&folder.join(DATABASE))?,
            log: Lines::open_below(&folder.join(LOG), LONGEST_LOG)?,
            steps: Vec::new(),
            progress: None,
            flushed: Instant::now(),
            control: Control::Run,
            polled: None,
        })
    }

    /// Records where the run stands, with the reason for people where there is one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn set_status(&mut self, status: Status, reason: Option<&str>) -> Result<(), InputError> {
        self.flush()?;
        self.write(|transaction| {
            set_state(transaction, "status", status.key())?;
            match reason {
                Some(reason) => set_state(transaction, "reason", reason),
                None => transaction.execute("DELETE FROM state WHERE key = 'reason'", []).map(drop),
            }
        })
    }

    /// Deletes what was written after a checkpoint, so that a resumed run writes the same rows as one that was never
    /// cut off. The log's events stay: they tell what happened.
    ///
    /// The checkpoint was taken in `phase` of `stage` after `step` steps. Between two stages it is the first phase of the
    /// next stage with 0 steps. In [`Phase::Evaluate`] the cells of the stage stay: each was written as a whole.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn rewind(&mut self, stage: usize, phase: Phase, step: usize) -> Result<(), InputError> {
        self.steps.clear();
        self.progress = None;
        let (stage, step) = (whole(stage as u64), whole(step as u64));
        let last_row = if phase == Phase::Evaluate { stage } else { stage - 1 };
        let phase = phase_number(phase);
        self.write(|transaction| {
            let later_steps = "(stage, phase, step) > (?1, ?2, ?3)";
            let of_stage = format!(
                "SELECT EXISTS (SELECT 1 FROM steps WHERE stage = ?1 AND {later_steps})
                 OR EXISTS (SELECT 1 FROM evaluations WHERE trained = ?1 AND trained > ?4)"
            );
            let cut_off: bool =
                transaction.query_row(&of_stage, params![stage, phase, step, last_row], |r| r.get(0))?;
            if cut_off {
                transaction.execute("UPDATE stages SET finished = 0 WHERE stage = ?1", [stage])?;
            }
            transaction.execute(&format!("DELETE FROM steps WHERE {later_steps}"), params![stage, phase, step])?;
            for table in OF_CELLS {
                transaction.execute(&format!("DELETE FROM {table} WHERE trained > ?1"), [last_row])?;
            }
            transaction.execute("DELETE FROM stages WHERE stage > ?1", [stage])?;
            transaction.execute("DELETE FROM training_sums WHERE stage >= ?1", [stage])?;
            transaction.execute("DELETE FROM validation_losses WHERE stage > ?1", [stage])?;
            transaction.execute("DELETE FROM stage_lambdas WHERE stage > ?1", [stage])?;
            transaction.execute("DELETE FROM state WHERE key = 'progress'", []).map(drop)
        })
    }

    /// Records what is known of the tests of a stage, in place of what was recorded of them before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn test_set(&mut self, tests: &TestSet) -> Result<(), InputError> {
        self.write(|transaction| replace_test_set(transaction, tests))
    }

    /// Records the options that a run of co-occurrence chose, and what by.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn chosen_options(&mut self, chosen: &ChosenOptions) -> Result<(), InputError> {
        let json = serde_json::to_string(chosen)
            .map_err(|error| InputError::new(self.folder.join(DATABASE), error.to_string()))?;
        self.write(|transaction| set_state(transaction, "co_occurrence", &json))
    }

    /// Writes what is still gathered.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn flush(&mut self) -> Result<(), InputError> {
        self.flushed = Instant::now();
        if self.steps.is_empty() && self.progress.is_none() {
            return Ok(());
        }
        let steps = std::mem::take(&mut self.steps);
        let progress = self.progress.take();
        self.write(|transaction| {
            for step in &steps {
                insert_step(transaction, step)?;
            }
            match progress.as_ref().and_then(|progress| serde_json::to_string(progress).ok()) {
                Some(progress) => set_state(transaction, "progress", &progress),
                None => Ok(()),
            }
        })
    }

    /// What the user wants now, without waiting for a pause to end.
    pub fn control_now(&mut self) -> Control {
        if self.polled.is_none_or(|polled| polled.elapsed() >= POLL_EVERY) {
            self.control = read_control(&self.folder);
            self.polled = Some(Instant::now());
        }
        self.control
    }

    fn flush_when_due(&mut self) -> Result<(), InputError> {
        if self.flushed.elapsed() >= FLUSH_EVERY { self.flush() } else { Ok(()) }
    }

    fn write(&mut self, act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), InputError> {
        let database = self.folder.join(DATABASE);
        disk::commit(&database).map_err(|error| files::unwritable(&database, &error))?;
        let written = self.connection.transaction().and_then(|transaction| {
            act(&transaction)?;
            transaction.commit()
        });
        written.map_err(|error| database::database_error(&database, "write", &error))
    }
}

impl Observer for RunWriter {
    fn step(&mut self, step: &StepRecord) -> Result<(), InputError> {
        self.steps.push(step.clone());
        self.flush_when_due()
    }

    fn evaluation(&mut self, evaluation: &EvaluationRecord) -> Result<(), InputError> {
        self.flush()?;
        self.write(|transaction| insert_evaluation(transaction, evaluation))
    }

    fn stage(&mut self, stage: &StageRecord) -> Result<(), InputError> {
        self.flush()?;
        self.write(|transaction| replace_stage(transaction, stage))
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), InputError> {
        self.progress = Some(progress.clone());
        self.flush_when_due()
    }

    fn event(&mut self, level: Level, text: &str) -> Result<(), InputError> {
        self.flush()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.write(|transaction| {
            let insert = "INSERT INTO events (unix, level, text) VALUES (?1, ?2, ?3)";
            transaction.execute(insert, params![whole(now), level_number(level), text])?;
            let newest = transaction.last_insert_rowid();
            transaction.execute("DELETE FROM events WHERE id <= ?1", [newest - MOST_EVENTS]).map(drop)
        })?;
        self.log.push(&format!("{} {:7} {}", calendar::to_the_second(now), level.word(), text.replace('\n', "\n    ")))
    }

    fn is_pausing(&mut self) -> bool {
        self.control_now() == Control::Pause
    }

    fn control(&mut self) -> Control {
        if self.control_now() != Control::Pause {
            return self.control;
        }
        // A status that cannot be written must not end the pause; the next write reports it.
        let _ = self.set_status(Status::Paused, None);
        while self.control_now() == Control::Pause {
            thread::sleep(POLL_EVERY);
        }
        let _ = self.set_status(Status::Running, None);
        self.control
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        // The last steps before a panic are worth having; there is nobody left to tell that they could not be written.
        let _ = self.flush();
    }
}

fn set_state(transaction: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<()> {
    transaction.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?1, ?2)", [key, value]).map(drop)
}

fn insert_step(transaction: &Transaction<'_>, step: &StepRecord) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO steps (stage, phase, epoch, step, steps, loss, penalty, penalty_share, pull_ratio, gradient_norm,
         learning_rate, examples, seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let values = params![
        whole(step.stage as u64),
        phase_number(step.phase),
        whole(step.epoch as u64),
        whole(step.step as u64),
        whole(step.steps as u64),
        step.loss,
        step.penalty,
        step.penalty_share,
        step.pull_ratio,
        step.gradient_norm,
        step.learning_rate,
        whole(step.examples as u64),
        step.seconds,
    ];
    insert.execute(values).map(drop)
}

fn replace_stage(transaction: &Transaction<'_>, record: &StageRecord) -> rusqlite::Result<()> {
    let stage = whole(record.stage as u64);
    transaction.execute(
        "INSERT OR REPLACE INTO stages (stage, train_examples, test_users, train_seconds, eval_seconds,
         peak_memory_bytes, final_loss, best_epoch, finished) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            stage,
            whole(record.train_examples),
            whole(record.test_users),
            record.train_seconds,
            record.eval_seconds,
            whole(record.peak_memory_bytes),
            record.final_loss,
            whole(record.best_epoch as u64),
            record.finished,
        ],
    )?;
    transaction.execute("DELETE FROM validation_losses WHERE stage = ?1", [stage])?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO validation_losses (stage, epoch, loss) VALUES (?1, ?2, ?3)")?;
    for (epoch, loss) in (1_i64..).zip(&record.validation_losses) {
        insert.execute(params![stage, epoch, loss])?;
    }
    transaction.execute("DELETE FROM stage_lambdas WHERE stage = ?1", [stage])?;
    if let Some(lambda) = &record.lambda {
        // Its numbers are finite, so it always has a JSON form.
        let lambda = serde_json::to_string(lambda).unwrap_or_default();
        transaction.execute("INSERT INTO stage_lambdas (stage, lambda) VALUES (?1, ?2)", params![stage, lambda])?;
    }
    if record.finished {
        transaction.execute(
            "INSERT OR REPLACE INTO training_sums (stage, examples, seconds)
             SELECT ?1, IFNULL(SUM(examples), 0), TOTAL(seconds) FROM steps WHERE phase = 1 AND stage = ?1",
            [stage],
        )?;
    }
    Ok(())
}

fn insert_evaluation(transaction: &Transaction<'_>, record: &EvaluationRecord) -> rusqlite::Result<()> {
    let CellIndex { protocol, trained, tested } = record.at;
    let [protocol, trained, tested] = [protocol_number(protocol), whole(trained as u64), whole(tested as u64)];
    for table in OF_CELLS {
        let delete = format!("DELETE FROM {table} WHERE protocol = ?1 AND trained = ?2 AND tested = ?3");
        transaction.execute(&delete, [protocol, trained, tested])?;
    }
    transaction.execute(
        "INSERT INTO evaluations (protocol, trained, tested, users, seconds) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![protocol, trained, tested, whole(record.users.len() as u64), record.seconds],
    )?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO metrics (protocol, trained, tested, name, value) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (name, value) in &record.metrics {
        insert.execute(params![protocol, trained, tested, name, value])?;
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO outcomes (protocol, trained, tested, place, user, target, rank, before, sharing, top)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (index, outcome) in (0_i64..).zip(&record.users) {
        let UserOutcome { user, target, rank, before, sharing, top, known: _ } = outcome;
        let top: Vec<u8> = top.iter().flat_map(|item| item.to_le_bytes()).collect();
        insert.execute(params![protocol, trained, tested, index, user, target, rank, before, sharing, top])?;
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO known_outcomes (protocol, trained, tested, place, rank, before, sharing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (index, outcome) in (0_i64..).zip(&record.users) {
        if let Some(Place { rank, before, sharing }) = outcome.known {
            insert.execute(params![protocol, trained, tested, index, rank, before, sharing])?;
        }
    }
    Ok(())
}

fn replace_test_set(transaction: &Transaction<'_>, tests: &TestSet) -> rusqlite::Result<()> {
    let [protocol, stage] = [protocol_number(tests.protocol), whole(tests.stage as u64)];
    for table in ["test_sets", "test_slices"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE protocol = ?1 AND stage = ?2"), [protocol, stage])?;
    }
    let insert = "INSERT INTO test_sets (protocol, stage, left_out) VALUES (?1, ?2, ?3)";
    transaction.execute(insert, params![protocol, stage, whole(tests.left_out as u64)])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO test_slices (protocol, stage, place, user_group, target, popularity, history)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (index, slices) in (0_i64..).zip(&tests.slices) {
        let [group, target, popularity, history] = slices.map(Slice::key);
        insert.execute(params![protocol, stage, index, group, target, popularity, history])?;
    }
    Ok(())
}

/// SQLite's integers are signed; no count of ours comes near their end.
fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn phase_number(phase: Phase) -> i64 {
    match phase {
        // Nothing is recorded while a model is read, which comes before everything else.
        Phase::Load | Phase::Base => 0,
        Phase::Train => 1,
        Phase::Evaluate => 2,
    }
}

fn level_number(level: Level) -> i64 {
    match level {
        Level::Info => 0,
        Level::Warning => 1,
        Level::Error => 2,
    }
}
