//! The SQLite file of a run: its tables, and how it is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::data::Protocol;
use crate::error::InputError;
use crate::files::{self, disk};

/// Version of the tables, kept in `user_version`.
const VERSION: i64 = 2;

/// Bytes of the file beside a database that its readers and its writer share, when it is made.
const SHARED_MEMORY: u64 = 32 << 10;

/// Marks the file as a run's (`peso` in ASCII), kept in `application_id`.
const APPLICATION: i64 = 0x7065_736f;

/// Numbers that are not (a diverged loss) are stored as NULL, which is what SQLite makes of them.
const TABLES: &str = "
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE steps (
    id INTEGER PRIMARY KEY, stage INTEGER NOT NULL, phase INTEGER NOT NULL, epoch INTEGER NOT NULL,
    step INTEGER NOT NULL, steps INTEGER NOT NULL, loss REAL, penalty REAL, penalty_share REAL, pull_ratio REAL,
    gradient_norm REAL, learning_rate REAL, examples INTEGER NOT NULL, seconds REAL);
CREATE TABLE stages (
    stage INTEGER PRIMARY KEY, train_examples INTEGER NOT NULL, test_users INTEGER NOT NULL, train_seconds REAL,
    eval_seconds REAL, peak_memory_bytes INTEGER NOT NULL, final_loss REAL, best_epoch INTEGER NOT NULL,
    finished INTEGER NOT NULL);
CREATE TABLE validation_losses (
    stage INTEGER NOT NULL, epoch INTEGER NOT NULL, loss REAL, PRIMARY KEY (stage, epoch)) WITHOUT ROWID;
CREATE TABLE evaluations (
    protocol INTEGER NOT NULL, trained INTEGER NOT NULL, tested INTEGER NOT NULL, users INTEGER NOT NULL, seconds REAL,
    PRIMARY KEY (protocol, trained, tested)) WITHOUT ROWID;
CREATE TABLE metrics (
    protocol INTEGER NOT NULL, trained INTEGER NOT NULL, tested INTEGER NOT NULL, name TEXT NOT NULL, value REAL,
    PRIMARY KEY (protocol, trained, tested, name)) WITHOUT ROWID;
CREATE TABLE outcomes (
    protocol INTEGER NOT NULL, trained INTEGER NOT NULL, tested INTEGER NOT NULL, place INTEGER NOT NULL,
    user INTEGER NOT NULL, target INTEGER NOT NULL, rank INTEGER NOT NULL, before INTEGER NOT NULL,
    sharing INTEGER NOT NULL, top BLOB NOT NULL, PRIMARY KEY (protocol, trained, tested, place)) WITHOUT ROWID;
CREATE TABLE test_sets (
    protocol INTEGER NOT NULL, stage INTEGER NOT NULL, left_out INTEGER NOT NULL,
    PRIMARY KEY (protocol, stage)) WITHOUT ROWID;
CREATE TABLE test_slices (
    protocol INTEGER NOT NULL, stage INTEGER NOT NULL, place INTEGER NOT NULL, user_group TEXT NOT NULL,
    target TEXT NOT NULL, popularity TEXT NOT NULL, history TEXT NOT NULL,
    PRIMARY KEY (protocol, stage, place)) WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY, unix INTEGER NOT NULL, level INTEGER NOT NULL, text TEXT NOT NULL);
";

/// Tables that came without another version of the file: a file that lacks them reads as one in which they are empty, and
/// gets them when it is opened to be written.
///
/// `known_outcomes` has a test's place in the list of known items, beside its row in `outcomes`; `training_sums` what the
/// adapter's steps of a finished stage come to, so that nobody adds up a long run's steps to tell how fast it was;
/// `stage_lambdas` the weight that a stage's rule found, as JSON.
const LATER_TABLES: &str = "
CREATE TABLE IF NOT EXISTS known_outcomes (
    protocol INTEGER NOT NULL, trained INTEGER NOT NULL, tested INTEGER NOT NULL, place INTEGER NOT NULL,
    rank INTEGER NOT NULL, before INTEGER NOT NULL, sharing INTEGER NOT NULL,
    PRIMARY KEY (protocol, trained, tested, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS training_sums (
    stage INTEGER PRIMARY KEY, examples INTEGER NOT NULL, seconds REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stage_lambdas (stage INTEGER PRIMARY KEY, lambda TEXT NOT NULL) WITHOUT ROWID;
";

/// Creates the file with empty tables.
pub(super) fn create(path: &Path) -> Result<(), InputError> {
    disk::commit(path).map_err(|error| files::unwritable(path, &error))?;
    let create = || {
        let connection = Connection::open(path)?;
        // Readers of a write-ahead log never wait for the writer, nor it for them.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let marks = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
        connection.execute_batch(&format!("BEGIN; {TABLES} {LATER_TABLES} {marks} COMMIT;"))
    };
    create().map_err(|error| database_error(path, "create", &error))
}

/// Opens the file for its one writer.
pub(super) fn open_writer(path: &Path) -> Result<Connection, InputError> {
    let connection = open(path)?;
    // With a write-ahead log, FULL is what makes a transaction outlive a power failure; a checkpoint relies on it.
    connection
        .pragma_update(None, "synchronous", "FULL")
        .and_then(|()| connection.execute_batch(LATER_TABLES))
        .map_err(|error| database_error(path, "write", &error))?;
    Ok(connection)
}

/// Opens the file for reading.
///
/// The connection may write the file, since the log of a writer that was killed is recovered by the next who opens it,
/// but refuses every statement that would.
pub(super) fn open_reader(path: &Path) -> Result<Connection, InputError> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true).map_err(|error| database_error(path, "read", &error))?;
    Ok(connection)
}

/// Copies a run's measurements (its `run.sqlite`) as they are at one moment, whoever writes them meanwhile.
///
/// # Errors
/// They cannot be read, or the copy cannot be written.
pub fn copy_database(from: &Path, to: &Path) -> Result<(), InputError> {
    let copied = open(from).and_then(|connection| {
        // A file of its own, in one transaction and without the holes of what was deleted.
        let copied = connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]);
        copied.map_err(|error| database_error(from, "copy", &error))
    });
    copied?;
    // The log's mode is not copied, and a worker that goes on with the copy relies on it.
    let mode = Connection::open(to).and_then(|copy| copy.pragma_update(None, "journal_mode", "WAL"));
    mode.map_err(|error| database_error(to, "write", &error))
}

/// A protocol in its column: that under which its cells are recorded.
pub(super) fn protocol_number(protocol: Protocol) -> i64 {
    match protocol {
        Protocol::SameBlock | Protocol::GlobalTime => 0,
        Protocol::NextBlock => 1,
    }
}

/// Puts a database error into words.
pub(super) fn database_error(path: &Path, doing: &str, error: &rusqlite::Error) -> InputError {
    let is_full = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => true,
        // What a reader shares with the writer takes room too, and SQLite does not say that it had none.
        Some(ErrorCode::SystemIoFailure) => files::free_bytes(path).is_some_and(|free| free < SHARED_MEMORY),
        _ => false,
    };
    if is_full {
        return InputError::new(path, format!("cannot {doing} the run's measurements: the disk is full"))
            .advice("free some space on the disk");
    }
    InputError::new(path, format!("cannot {doing} the run's measurements: {error}"))
}

fn open(path: &Path) -> Result<Connection, InputError> {
    disk::refuse_link(path).map_err(|error| InputError::io(path, "open", &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(Duration::from_secs(10))?;
        // The file may come from anywhere: it must not make the schema call functions.
        connection.pragma_update(None, "trusted_schema", false)?;
        let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok((connection, application, version))
    });
    match opened {
        Ok((connection, APPLICATION, VERSION)) => Ok(connection),
        Ok((_, APPLICATION, version)) => {
            Err(InputError::new(path, format!("the measurements are of version {version}"))
                .advice(format!("this program reads version {VERSION}")))
        }
        Ok(_) => Err(InputError::new(path, "not the measurements of a run")),
        Err(error) => Err(database_error(path, "read", &error)),
    }
}
