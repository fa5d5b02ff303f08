//! A project as one file to hand over: a zip with a manifest of hashes, and a project made of such a file again.
//!
//! Nothing of a foreign file is believed: names, sizes and contents are checked before anything has its place.

mod archive;
pub mod contents;
pub mod manifest;
mod missing;
mod names;
mod read_only;
mod unpack;

use std::ops::ControlFlow;

pub use self::archive::{Packed, pack, zip_of_texts};
pub use self::contents::{Contents, PackOptions};
pub use self::manifest::{Manifest, OutsideFiles, PackedFile};
pub use self::missing::{Agreement, MissingPath, locate, missing, relocate_runs};
pub use self::read_only::ReadOnlyOptions;
pub use self::unpack::{read_manifest, unpack};
use crate::error::InputError;

/// The ending of a packed project.
pub const ENDING: &str = "zip";

/// How far packing or unpacking is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are done, of those of all files.
    pub done: u64,
    pub total: u64,
}

/// Told now and then how far it is; ends the work where it breaks.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Why something was not packed or unpacked.
#[derive(Debug)]
pub enum PackError {
    /// Whoever watched ended it; nothing is left behind.
    Cancelled,
    Input(InputError),
}

impl From<InputError> for PackError {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

/// Bytes copied so far, told to whoever watches.
struct Meter<'a, 'w> {
    done: u64,
    total: u64,
    on_progress: &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + 'w),
}

impl Meter<'_, '_> {
    fn advance(&mut self, bytes: u64) -> Result<(), PackError> {
        self.done += bytes;
        let progress = Progress { done: self.done.min(self.total), total: self.total };
        match (self.on_progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(PackError::Cancelled),
        }
    }
}
