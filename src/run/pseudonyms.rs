//! Measurements without the names of users: pseudonyms that only this copy has, in an order that tells nothing.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::database;
use super::layout::adapter_folder;
use super::reader::STORED_BYTES;
use crate::error::InputError;
use crate::files;

/// Tables with a row a test, the columns that say which, and whether the row has the user.
const OF_TESTS: [(&str, &str, bool); 3] =
    [("outcomes", "tested", true), ("known_outcomes", "tested", false), ("test_slices", "stage", false)];

/// Gives the users of a copy of a run's measurements (its `run.sqlite`) other numbers: `pseudonyms` has them by user. Tests
/// stand by pseudonym then, so that their order, which was that of the files, tells nothing either. What the log says is
/// removed, and what the run's stages left on disk is noted, since the copy goes without it.
///
/// # Errors
/// The file cannot be read or written, or has a user who has no pseudonym.
pub fn pseudonymise(file: &Path, pseudonyms: &[u32], run: &Path) -> Result<(), InputError> {
    let mut connection = database::open_writer(file)?;
    let failed = |error: &rusqlite::Error| database::database_error(file, "pseudonymise", error);
    let strangers: i64 = connection
        .query_row("SELECT COUNT(*) FROM outcomes WHERE user < 0 OR user >= ?1", [pseudonyms.len() as i64], |row| {
            row.get(0)
        })
        .map_err(|error| failed(&error))?;
    if strangers > 0 {
        return Err(InputError::new(file, "it was measured on users who are not in the data"));
    }
    rewrite(&mut connection, pseudonyms).and_then(|()| note_sizes(&connection, run)).map_err(|error| failed(&error))?;
    // What was there before would stay in pages that are no longer used.
    connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(|error| failed(&error))
}

/// Notes how much each stage left on disk.
fn note_sizes(connection: &Connection, run: &Path) -> rusqlite::Result<()> {
    let stages = connection
        .prepare("SELECT stage FROM stages WHERE stage > 0 ORDER BY stage")?
        .query_map([], |row| row.get::<_, u32>(0))?
        .collect::<rusqlite::Result<Vec<u32>>>()?;
    let size = |stage: u32| format!("\"{stage}\":{}", files::folder_bytes(&adapter_folder(run, stage as usize)));
    let sizes = format!("{{{}}}", stages.into_iter().map(size).collect::<Vec<_>>().join(","));
    connection.execute("INSERT OR REPLACE INTO state VALUES (?1, ?2)", [STORED_BYTES, &sizes]).map(drop)
}

fn rewrite(connection: &mut Connection, pseudonyms: &[u32]) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch("CREATE TEMP TABLE pseudonyms (user INTEGER PRIMARY KEY, name INTEGER NOT NULL)")?;
    for (user, name) in pseudonyms.iter().enumerate() {
        let mut insert = transaction.prepare_cached("INSERT INTO pseudonyms VALUES (?1, ?2)")?;
        insert.execute([user as i64, i64::from(*name)])?;
    }
    transaction.execute_batch(
        "CREATE TEMP TABLE moved AS
         SELECT protocol, tested, place AS was,
                ROW_NUMBER() OVER (PARTITION BY protocol, tested ORDER BY name, place) - 1 AS now
         FROM (SELECT DISTINCT protocol, tested, place, user FROM outcomes) JOIN pseudonyms USING (user);
         CREATE INDEX temp.by_place ON moved (protocol, tested, was);",
    )?;
    for (table, stage, has_user) in OF_TESTS {
        move_tests(&transaction, table, stage, has_user)?;
    }
    transaction.execute_batch(
        "DELETE FROM events; DELETE FROM state WHERE key = 'reason'; DROP TABLE moved; DROP TABLE pseudonyms;",
    )?;
    transaction.commit()
}

/// Gives the tests of a table their new places; what is of no measured test goes.
fn move_tests(transaction: &Transaction<'_>, table: &str, stage: &str, has_user: bool) -> rusqlite::Result<()> {
    let same =
        format!("moved.protocol = {table}.protocol AND moved.tested = {table}.{stage} AND moved.was = {table}.place");
    let user =
        if has_user { ", user = (SELECT name FROM pseudonyms WHERE pseudonyms.user = outcomes.user)" } else { "" };
    // In two steps, since a place that is taken is free only after all have moved.
    transaction.execute_batch(&format!(
        "DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM moved WHERE {same});
         UPDATE {table} SET place = -1 - (SELECT now FROM moved WHERE {same}){user};
         UPDATE {table} SET place = -1 - place;"
    ))
}
