//! Hashes of large files by content, each read once: a file that has the size, the time and the place on the disk that it had
//! is taken to be the same.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::data::cache;
use crate::error::InputError;
use crate::files;
use crate::model::inspect::content_hash;
use crate::project::Project;
use crate::project::file::{from_ron, to_ron};

/// The hashes that are known, in the project's cache folder.
const FILE: &str = "weights.ron";

/// A line a file.
const LARGEST: u64 = 16 << 20;

/// The hashes that a project knows of files, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Known(BTreeMap<PathBuf, KnownFile>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KnownFile {
    sha256: String,
    state: FileState,
}

/// What changes when a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FileState {
    bytes: u64,
    modified_nanoseconds: u64,
    /// 0 where the file system has none.
    inode: u64,
}

/// SHA-256 (hex) of each of the files, in their order.
///
/// # Errors
/// A file cannot be read.
pub(super) fn file_hashes(project: &Project, paths: &[PathBuf]) -> Result<Vec<String>, InputError> {
    let file = project.folder.join(cache::FOLDER).join(FILE);
    // What cannot be read is as good as nothing: the files are read again.
    let mut known: Known = files::read_text(&file, LARGEST).and_then(|text| from_ron(&text, &file)).unwrap_or_default();
    let before = known.clone();
    let hashes = paths.iter().map(|path| known.hash_of(path)).collect::<Result<Vec<_>, _>>()?;
    if known != before {
        known.0.retain(|path, _| path.exists());
        // A cache that cannot be written does no harm.
        let _ = to_ron(&known, &file).and_then(|text| {
            files::create_folder(&project.folder.join(cache::FOLDER))?;
            files::write_atomically(&file, text.as_bytes())
        });
    }
    Ok(hashes)
}

impl Known {
    fn hash_of(&mut self, path: &Path) -> Result<String, InputError> {
        let unreadable = |error: std::io::Error| InputError::io(path, "read", &error);
        let absolute = fs::canonicalize(path).map_err(unreadable)?;
        let state = FileState::of(&fs::metadata(&absolute).map_err(unreadable)?);
        if let Some(known) = self.0.get(&absolute).filter(|known| known.state == state) {
            return Ok(known.sha256.clone());
        }
        let sha256 = content_hash(&absolute, &AtomicBool::new(false))?;
        let sha256 = sha256.ok_or_else(|| InputError::new(path, "the reading was ended"))?;
        self.0.insert(absolute, KnownFile { sha256: sha256.clone(), state });
        Ok(sha256)
    }
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_nanoseconds = modified.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        Self { bytes: metadata.len(), modified_nanoseconds, inode }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::file::DEMO;

    #[test]
    fn a_file_is_read_once_as_long_as_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::parse(DEMO, &folder.path().join("project.ron")).unwrap();
        let path = folder.path().join("weights");
        fs::write(&path, "abc").unwrap();
        let hash = || file_hashes(&project, std::slice::from_ref(&path)).map(|hashes| hashes.concat());
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash().unwrap(), abc);
        let known = folder.path().join(cache::FOLDER).join(FILE);
        let text = fs::read_to_string(&known).unwrap();
        fs::write(&known, text.replace(abc, "known")).unwrap();
        assert_eq!(hash().unwrap(), "known", "it is not read again");
        fs::write(&path, "abd").unwrap();
        assert!(hash().unwrap() != "known" && hash().unwrap() != abc);
        fs::write(&known, "damaged").unwrap();
        assert_eq!(hash().unwrap().len(), 64);
        fs::remove_file(&path).unwrap();
        assert!(hash().is_err(), "a file that is not there has no hash");
    }
}
