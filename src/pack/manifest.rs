//! What a packed project says of itself: `manifest.json`, at the root of the zip.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Name of the manifest in the zip, and beside the project file of what was unpacked.
pub const NAME: &str = "manifest.json";

/// The layout that this program writes and reads.
pub const FORMAT: u32 = 1;

/// What is in a packed project, and what it needs beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this layout.
    pub format: u32,
    /// Version of the program that packed it.
    pub program: String,
    /// Name of the project.
    pub project: String,
    /// Name of the project file, at the root.
    pub project_file: String,
    /// When it was packed, in seconds since 1970.
    pub packed_unix: u64,
    /// The same as a date, in UTC.
    pub packed: String,
    /// Whether it holds results alone: nothing in it can be trained.
    #[serde(default)]
    pub read_only: bool,
    /// The files in the zip but this one, by name.
    pub files: Vec<PackedFile>,
    /// What the project needs and the zip does not hold.
    #[serde(default)]
    pub missing: Vec<OutsideFiles>,
}

/// A file with what its content must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedFile {
    /// With `/` between folders.
    pub name: String,
    pub bytes: u64,
    /// Of its content, in hex.
    pub sha256: String,
}

/// A file or folder that the project names and the zip does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideFiles {
    /// The field of the project file that names it.
    pub field: String,
    /// As the project names it.
    pub path: String,
    /// It alone, or the files of the folder that are read.
    pub files: Vec<PackedFile>,
}

impl OutsideFiles {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// SHA-256 as it is written.
pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
