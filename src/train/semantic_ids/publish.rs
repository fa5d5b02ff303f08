//! Ids on their way to the disk: version after version in memory, then all files together.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::id_files::{IdFiles, Made};
use crate::calendar;
use crate::canonical;
use crate::error::InputError;
use crate::files;
use crate::id_training::append::Appended;
use crate::id_training::{Quality, TrainIds};
use crate::semantic_id::SemanticIndex;
use crate::semantic_id::manifest::{FileHash, How, Manifest, SourceHash, Version, hash_of, next};

/// Ids of all items so far, in the order in which they were given.
pub(super) struct Publication<'a> {
    pub items: Vec<String>,
    pub categories: Vec<Option<&'a str>>,
    /// `items x levels`, row-major: the nearest codes, and the ids.
    nearest: Vec<u32>,
    pub ids: Vec<u32>,
    pub quality: Quality,
    pub versions: Vec<Version>,
    levels: usize,
}

/// Items that are appended together.
pub(super) struct Group<'a> {
    pub items: Vec<&'a str>,
    pub categories: Vec<Option<&'a str>>,
    /// The stage (from 0) in which they first occur.
    pub stage: Option<usize>,
    pub how: How,
}

impl<'a> Publication<'a> {
    /// Of ids with their nearest codes and figures, whose items are still to be named.
    pub fn of(nearest: Vec<u32>, ids: Vec<u32>, quality: Quality, levels: usize) -> Self {
        Self { items: Vec::new(), categories: Vec::new(), nearest, ids, quality, versions: Vec::new(), levels }
    }

    /// Names the items that codebooks were trained on: the first version. `stage` (from 1) is theirs, where they are of one.
    pub fn trained(
        &mut self,
        items: Vec<&str>,
        categories: Vec<Option<&'a str>>,
        stage: Option<usize>,
        error: Option<f64>,
    ) -> Result<(), InputError> {
        let added = items.len();
        self.items = items.into_iter().map(str::to_owned).collect();
        self.categories = categories;
        let moved = self.quality.reassigned;
        self.version(Version { how: How::Trained, stage, added, moved, error, ..self.blank() })
    }

    /// Adds a version of items that were appended.
    pub fn add(&mut self, group: Group<'a>, appended: &Appended) -> Result<(), InputError> {
        let Group { items, categories, stage, how } = group;
        let added = items.len();
        self.items.extend(items.into_iter().map(str::to_owned));
        self.categories.extend(categories);
        self.nearest.extend(&appended.nearest);
        self.ids.extend(&appended.ids);
        self.quality = self.quality.grown(&self.nearest, &self.ids, appended, &self.categories);
        let Appended { moved, shared, error, .. } = *appended;
        let stage = stage.map(|stage| stage + 1);
        self.version(Version { how, stage, added, moved, shared, error: Some(error), ..self.blank() })
    }

    fn blank(&self) -> Version {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Version {
            version: self.versions.len() + 1,
            how: How::Trained,
            stage: None,
            at: format!("{} UTC", calendar::moment(1000 * i64::try_from(now).unwrap_or(0))),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            added: 0,
            items: self.items.len(),
            moved: 0,
            shared: 0,
            error: None,
            index_sha256: String::new(),
        }
    }

    fn version(&mut self, version: Version) -> Result<(), InputError> {
        let mut hash = Sha256::new();
        self.write(&mut hash).map_err(|error| InputError::new("semantic ids", error.to_string()))?;
        self.versions.push(Version { index_sha256: canonical::hex(hash.finalize()), ..version });
        Ok(())
    }

    /// Writes the index of all items so far; that of fewer is its beginning, but for the last brace.
    fn write(&self, writer: impl Write) -> io::Result<()> {
        let index = SemanticIndex::from_numbers(self.levels, &self.ids);
        index.write(self.items.iter().map(String::as_str), writer)
    }

    /// Puts all files in place; codebooks lie there already, or beside, under the name of what comes next.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn publish(
        self,
        id_files: &IdFiles,
        made_of: &str,
        options: &TrainIds,
        sources: Vec<SourceHash>,
    ) -> Result<(), InputError> {
        let IdFiles { index, quality, codebooks, .. } = id_files;
        files::write_pieces_atomically(&next(index), |writer| self.write(io::BufWriter::new(writer)))?;
        let made = Made { made_of: made_of.to_owned(), quality: self.quality };
        let unwritable = |error| InputError::new(quality, format!("cannot be written: {error}"));
        files::write_atomically(&next(quality), &serde_json::to_vec_pretty(&made).map_err(unwritable)?)?;
        let hashed = |file: &std::path::Path| {
            let next = next(file);
            let sha256 = hash_of(if next.is_file() { &next } else { file })?;
            Ok::<FileHash, InputError>(FileHash {
                file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                sha256,
            })
        };
        let manifest = Manifest {
            format: Manifest::format(),
            on: options.on.name().to_owned(),
            options: canonical::settings(&options.unnamed()).map_err(unwritable)?,
            seed: options.seed,
            data: made_of.to_owned(),
            sources,
            index: hashed(index)?,
            codebooks: hashed(codebooks)?,
            quality: hashed(quality)?,
            versions: self.versions,
        };
        manifest.publish(index)
    }
}
