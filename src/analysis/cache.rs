//! Results in files, each with what it was made from.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::InputError;
use crate::files;
use crate::model::weights::ROWS_FILE;
use crate::run::RunFolder;
use crate::train::stage_artifacts::main_folder;

/// Of the layout and the meaning of what is kept: results of another version are found out anew.
const VERSION: u32 = 1;

/// What results in a bundle were made from, which has no adapters to be held against.
pub const BUNDLED: &str = "bundled";

/// A report is numbers and a few titles.
const LARGEST: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    made_from: String,
    report: T,
}

/// Identifies the adapters and token rows after the given stages (from 1).
///
/// # Errors
/// They cannot be read.
pub fn made_from(run: &RunFolder, stages: impl IntoIterator<Item = usize>) -> Result<String, InputError> {
    if run.config().project.read_only {
        return Ok(BUNDLED.to_owned());
    }
    let mut hash = Sha256::new();
    hash.update(VERSION.to_le_bytes());
    for stage in stages {
        let folder = main_folder(run, stage);
        for name in ["adapter_model.safetensors", ROWS_FILE] {
            let file = folder.join(name);
            if name == ROWS_FILE && !file.is_file() {
                continue;
            }
            let mut opened = std::fs::File::open(&file).map_err(|error| InputError::io(&file, "read", &error))?;
            let mut of_file = Sha256::new();
            std::io::copy(&mut opened, &mut of_file).map_err(|error| InputError::io(&file, "read", &error))?;
            hash.update(name);
            hash.update(of_file.finalize());
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What is kept in a file, if it was made from the same; a file that cannot be read is as none.
pub fn read<T: DeserializeOwned>(file: &Path, made_from: &str) -> Option<T> {
    let text = files::read_text(file, LARGEST).ok()?;
    let kept: Kept<T> = serde_json::from_str(&text).ok()?;
    (kept.made_from == made_from).then_some(kept.report)
}

/// Keeps a result.
///
/// # Errors
/// The folder cannot be written.
pub fn write<T: Serialize>(file: &Path, made_from: &str, report: &T) -> Result<(), InputError> {
    let kept = Kept { made_from: made_from.to_owned(), report };
    let text = serde_json::to_string(&kept).map_err(|error| InputError::new(file, error.to_string()))?;
    if let Some(folder) = file.parent() {
        files::create_folder(folder)?;
    }
    files::write_atomically(file, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_from_others_or_is_damaged_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a").join("b.json");
        assert_eq!(read::<Vec<f64>>(&file, "x"), None);
        write(&file, "x", &vec![0.1 + 0.2]).unwrap();
        assert_eq!(read::<Vec<f64>>(&file, "x"), Some(vec![0.1 + 0.2]));
        assert_eq!(read::<Vec<f64>>(&file, "y"), None);
        std::fs::write(&file, "{\"made_from\": \"x\"").unwrap();
        assert_eq!(read::<Vec<f64>>(&file, "x"), None);
    }
}
