//! Locks of files, which the system lets go of however their holder ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{disk, unwritable};
use crate::error::InputError;

/// Takes the exclusive lock of a file, which is made where it is missing; none if somebody else holds it for longer than
/// `patience`. Whoever looks with [`is_locked`] has it for a moment, so no patience at all would be too little.
///
/// # Errors
/// The file cannot be written, or its file system has no locks.
pub fn lock(path: &Path, patience: Duration) -> Result<Option<File>, InputError> {
    let file = disk::open_to_lock(path).map_err(|error| unwritable(path, &error))?;
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(InputError::io(path, "lock", &error)),
        }
    }
}

/// Whether somebody holds the lock of a file.
pub fn is_locked(path: &Path) -> bool {
    // A shared lock does not disturb others who look; the file is closed, and the lock gone, at the end.
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
