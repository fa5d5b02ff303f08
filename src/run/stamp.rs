//! Whether a run folder has changed, told without opening it.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::layout::{CONFIG, DATABASE, log_of};

/// When the files of a run were last written, and how large they are: while two stamps are equal, the folder says the same.
///
/// A run that is only read keeps its stamp: SQLite then makes a write-ahead log, but an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderStamp([Option<(SystemTime, u64)>; 3]);

impl FolderStamp {
    /// The stamp of a folder as it is now.
    pub fn of(folder: &Path) -> Self {
        let database = folder.join(DATABASE);
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path).ok().filter(|metadata| metadata.len() > 0)?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        Self([stamp(&folder.join(CONFIG)), stamp(&database), stamp(&log_of(&database))])
    }

    /// Whether both are of a folder with the same configuration: a run that is started afresh has one of another time.
    pub fn same_configuration(&self, other: &Self) -> bool {
        self.0[0] == other.0[0]
    }
}
