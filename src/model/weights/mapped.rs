//! A file of weights, memory-mapped.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::InputError;

/// A file whose bytes are read from disk where they are touched.
#[derive(Debug)]
pub struct Mapped {
    pub path: PathBuf,
    map: Mmap,
}

impl Mapped {
    /// Maps a file.
    ///
    /// # Errors
    /// It cannot be opened or read.
    #[allow(unsafe_code, reason = "a memory map; see SAFETY")]
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let file = File::open(path).map_err(|e| InputError::io(path, "open the weights", &e))?;
        if !file.metadata().is_ok_and(|data| data.is_file()) {
            return Err(InputError::new(path, "not a file of weights"));
        }
        // SAFETY: the map is read-only; a file that another process cuts short while it is read is the one hazard,
        // and it is the same for every reader of weights.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| InputError::io(path, "read the weights", &e))?;
        Ok(Self { path: path.to_path_buf(), map })
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Lets go of the memory that holds a part which has been read: else the file and the weights made of it would both
    /// stay in memory until all is loaded. The part is read from disk again where it is touched again.
    pub fn release(&self, part: &Range<usize>) {
        #[cfg(unix)]
        self.advise(part);
        #[cfg(not(unix))]
        let _ = part;
    }

    #[cfg(unix)]
    #[allow(unsafe_code, reason = "advice about a memory map; see SAFETY")]
    fn advise(&self, part: &Range<usize>) {
        // SAFETY: the map is read-only and of a file, so pages that were dropped come back with the same bytes. Should
        // the system refuse, only memory is lost.
        let _ = unsafe { self.map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, part.start, part.len()) };
    }
}
