//! The figures of each epoch in a file that grows while ids are trained, a line of JSON an epoch.

use std::path::Path;

use super::observer::Epoch;
use crate::error::InputError;
use crate::files;
use crate::files::lines::Lines;

/// Bytes of a log that are read: a hundred thousand epochs.
const LARGEST: u64 = 32 << 20;

/// Adds an epoch.
///
/// # Errors
/// The file cannot be written.
pub fn append(path: &Path, epoch: &Epoch) -> Result<(), InputError> {
    let line = serde_json::to_string(epoch).map_err(|error| InputError::new(path, error.to_string()))?;
    Lines::open(path)?.push(&line)
}

/// Leaves the first `epochs` alone, as training goes on from there.
///
/// # Errors
/// The file cannot be written.
pub fn cut(path: &Path, epochs: usize) -> Result<(), InputError> {
    let text = files::read_text(path, LARGEST).unwrap_or_default();
    // Lines stay as they are: a number that is read and written again may end on another digit.
    let stays = |line: &&str| serde_json::from_str::<Epoch>(line).is_ok_and(|epoch| epoch.epoch <= epochs);
    let kept: String = text.lines().take_while(stays).flat_map(|line| [line, "\n"]).collect();
    files::write_atomically(path, kept.as_bytes())
}

/// The epochs so far; none where there is no log. A line that is still being written, and what comes after a damaged one, is
/// left out: the log is for looking at, and nothing is computed from it.
pub fn read(path: &Path) -> Vec<Epoch> {
    let text = files::read_text(path, LARGEST).unwrap_or_default();
    text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_grows_is_cut_and_is_read_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.log.jsonl");
        assert!(read(&path).is_empty());
        let epoch = |epoch| Epoch {
            epoch,
            of: 3,
            loss: 1.5,
            reconstruction: 1.0,
            quantisation: 0.5,
            codes: 4,
            used: vec![3, 4],
            collisions: 0.25,
        };
        (1..=3).for_each(|number| append(&path, &epoch(number)).unwrap());
        assert_eq!(read(&path), [epoch(1), epoch(2), epoch(3)]);
        cut(&path, 2).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "{\"epoch\": 3, \"of\"").unwrap();
        assert_eq!(read(&path), [epoch(1), epoch(2)]);
        append(&path, &epoch(3)).unwrap();
        assert_eq!(read(&path), [epoch(1), epoch(2), epoch(3)]);
    }
}
