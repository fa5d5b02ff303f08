//! Data and models that a project names and that are not there: what they should be, and where they are instead.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{Sides, copy};
use super::contents::{LARGEST_CONFIG, file_name, read_files, runs_of};
use super::manifest::{self, Manifest, OutsideFiles};
use super::{Meter, OnProgress, PackError};
use crate::error::InputError;
use crate::files;
use crate::project::Project;
use crate::project::file::{from_ron, to_ron};
use crate::project::paths::NamedPath;
use crate::run::RunConfig;

/// A file or folder that a project names and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPath {
    pub named: NamedPath,
    /// What it should be, where the project came as a zip that says so.
    pub expected: Option<OutsideFiles>,
}

/// Whether what was found is what was missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// Every file is the same to the byte.
    Same,
    /// Nothing says what it should be.
    Unknown,
    /// What differs, in words.
    Differs(String),
}

/// What a project names and is not there.
pub fn missing(project: &Project) -> Vec<MissingPath> {
    let gone: Vec<NamedPath> =
        project.paths().into_iter().filter(|named| !project.folder.join(&named.path).exists()).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    // Without a manifest nobody knows what they should be.
    let text = files::read_text(&project.folder.join(manifest::NAME), 64 << 20).ok();
    let manifest: Option<Manifest> = text.and_then(|text| serde_json::from_str(&text).ok());
    let outside = manifest.map(|manifest| manifest.missing).unwrap_or_default();
    let of = |named: NamedPath| {
        let path = named.path.display().to_string();
        MissingPath { expected: outside.iter().find(|outside| outside.path == path).cloned(), named }
    };
    gone.into_iter().map(of).collect()
}

/// Lets the runs of a project name another path where they name one: what they were made from is the same wherever it lies.
///
/// # Errors
/// A run's configuration cannot be read or written.
pub fn relocate_runs(project: &Project, was: &Path, now: &Path) -> Result<(), InputError> {
    for run in runs_of(project) {
        let file = run.path().join("run.ron");
        let mut config: RunConfig = from_ron(&files::read_text(&file, LARGEST_CONFIG)?, &file)?;
        let moved = config.project.clone().with_paths(&|path| if path == was { now } else { path }.to_path_buf());
        if moved != config.project {
            config.project = moved;
            files::write_atomically(&file, to_ron(&config, &file)?.as_bytes())?;
        }
    }
    Ok(())
}

/// Holds what was found at a path against what is missing.
///
/// # Errors
/// It cannot be read, or the work was ended.
pub fn locate(
    project: &Project,
    missing: &MissingPath,
    found: &Path,
    on_progress: OnProgress<'_>,
) -> Result<Agreement, PackError> {
    if !found.exists() {
        return Err(InputError::new(found, "there is no such file or folder").into());
    }
    let Some(expected) = &missing.expected else { return Ok(Agreement::Unknown) };
    let mut meter = Meter { done: 0, total: expected.bytes(), on_progress };
    let moved = |path: &Path| if path == missing.named.path { found.to_path_buf() } else { path.to_path_buf() };
    let named = NamedPath { path: found.to_path_buf(), ..missing.named.clone() };
    let read = read_files(&project.clone().with_paths(&moved), &named).unwrap_or_default();
    for wanted in &expected.files {
        let own_name = wanted.name.rsplit('/').next().unwrap_or(&wanted.name);
        let alone = expected.files.len() == 1 && found.is_file();
        let below = found.join(&wanted.name);
        let path = if alone {
            Some(found)
        } else {
            read.iter().find(|file| **file == below || file_name(file) == own_name).map(PathBuf::as_path)
        };
        let Some(path) = path else { return Ok(Agreement::Differs(format!("`{}` is not there", wanted.name))) };
        let opened = File::open(path).map_err(|error| InputError::io(path, "read", &error))?;
        let (bytes, sha256) = copy(opened, &mut io::sink(), &mut meter, Sides { from: path, to: path })?;
        if bytes != wanted.bytes {
            return Ok(Agreement::Differs(format!("`{}` has {bytes} bytes instead of {}", wanted.name, wanted.bytes)));
        }
        if sha256 != wanted.sha256 {
            return Ok(Agreement::Differs(format!("the content of `{}` is another", wanted.name)));
        }
    }
    Ok(Agreement::Same)
}
