//! Writing the zip: file by file, hashed while it is written, whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Read, Seek, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::contents::{Contents, Source};
use super::manifest::{self, Manifest, PackedFile, hex};
use super::{Meter, OnProgress, PackError};
use crate::error::InputError;
use crate::files::disk::Output;
use crate::run::database::copy_database;
use crate::run::pseudonyms::pseudonymise;
use crate::{calendar, files};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub manifest: Manifest,
    /// Of the zip.
    pub bytes: u64,
}

/// A file is copied in pieces of this many bytes.
const PIECE: usize = 1 << 18;
/// From here on an entry of a zip needs longer fields.
const LARGE: u64 = 0xffff_0000;

/// Writes a zip; whatever is at `to` is replaced by the whole new one.
///
/// # Errors
/// A file cannot be read, `to` cannot be written, or the work was ended. `to` is then as it was.
pub fn pack(contents: &Contents, to: &Path, on_progress: OnProgress<'_>) -> Result<Packed, PackError> {
    let outside: u64 = contents.outside.iter().map(|(outside, _)| outside.bytes()).sum();
    let mut meter = Meter { done: 0, total: contents.bytes() + outside, on_progress };
    let (mut manifest, mut failure) = (None, None);
    let written = files::write_atomically_with(to, |temporary| {
        match write(contents, to, temporary, &mut meter) {
            Ok(written) => manifest = Some(written),
            Err(error) => failure = Some(error),
        }
        // What went wrong is told below, with its own file; this only says that nothing is to be kept.
        if failure.is_some() { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    match (failure, manifest) {
        (Some(failure), _) => Err(failure),
        (None, Some(manifest)) => {
            written?;
            let bytes = fs::metadata(to).map_err(|error| InputError::io(to, "read", &error))?.len();
            Ok(Packed { manifest, bytes })
        }
        (None, None) => Err(written.err().unwrap_or_else(|| InputError::new(to, "nothing was written")).into()),
    }
}

fn write(contents: &Contents, to: &Path, temporary: &Path, meter: &mut Meter<'_, '_>) -> Result<Manifest, PackError> {
    let unwritable = |error: io::Error| PackError::from(files::unwritable(to, &error));
    let mut zip = ZipWriter::new(BufWriter::new(Output::create_new(temporary).map_err(unwritable)?));
    let mut packed = Vec::new();
    for entry in &contents.entries {
        start(&mut zip, &entry.name, entry.bytes).map_err(unwritable)?;
        let (bytes, sha256) = match &entry.source {
            Source::Bytes(bytes) => copy(bytes.as_slice(), &mut zip, meter, Sides { from: to, to })?,
            Source::File(path) => {
                let file = File::open(path).map_err(|error| InputError::io(path, "read", &error))?;
                copy(file, &mut zip, meter, Sides { from: path, to })?
            }
            Source::Opened(path, file) => copy(file.as_ref(), &mut zip, meter, Sides { from: path, to })?,
            Source::Database(database) | Source::Pseudonymous(database, _) => {
                let copied = temporary.with_extension("sqlite");
                let pseudonymised = || match &entry.source {
                    Source::Pseudonymous(_, pseudonyms) => {
                        pseudonymise(&copied, pseudonyms, database.parent().unwrap_or(Path::new(".")))
                    }
                    _ => Ok(()),
                };
                let ready = copy_database(database, &copied).and_then(|()| pseudonymised());
                let taken = ready.map_err(PackError::from).and_then(|()| {
                    let file = File::open(&copied).map_err(|error| InputError::io(&copied, "read", &error))?;
                    copy(file, &mut zip, meter, Sides { from: database, to })
                });
                // A copy that cannot be removed adds nothing to what went wrong, or to what did not.
                let _ = files::remove(&copied);
                taken?
            }
        };
        packed.push(PackedFile { name: entry.name.clone(), bytes, sha256 });
    }
    let manifest = manifest_of(contents, packed, meter)?;
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| InputError::new(to, error.to_string()))?;
    start(&mut zip, manifest::NAME, text.len() as u64).map_err(unwritable)?;
    zip.write_all(&text).map_err(unwritable)?;
    let finished = zip.finish().map_err(io::Error::from).and_then(|mut file| file.flush());
    finished.map_err(unwritable)?;
    Ok(manifest)
}

fn manifest_of(contents: &Contents, packed: Vec<PackedFile>, meter: &mut Meter<'_, '_>) -> Result<Manifest, PackError> {
    let mut missing = Vec::new();
    for (outside, paths) in &contents.outside {
        let mut outside = outside.clone();
        for (file, path) in outside.files.iter_mut().zip(paths) {
            let opened = File::open(path).map_err(|error| InputError::io(path, "read", &error))?;
            (file.bytes, file.sha256) = copy(opened, &mut io::sink(), meter, Sides { from: path, to: path })?;
        }
        missing.push(outside);
    }
    let packed_unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Ok(Manifest {
        format: manifest::FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        project: contents.project.name.clone(),
        project_file: contents.project_file.clone(),
        packed_unix,
        packed: calendar::moment(i64::try_from(packed_unix).unwrap_or(i64::MAX / 1000) * 1000),
        read_only: contents.read_only,
        files: packed,
        missing,
    })
}

/// A zip of texts, each with its name, in their order; they are small.
///
/// # Errors
/// Two texts have one name.
pub fn zip_of_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in texts {
        start(&mut zip, name, text.len() as u64)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Begins a file, with the same time and rights whoever packs it when.
fn start(zip: &mut ZipWriter<impl Write + Seek>, name: &str, bytes: u64) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        .large_file(bytes >= LARGE);
    zip.start_file(name, options).map_err(io::Error::from)
}

/// The files that a copy is between, for what went wrong.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub from: &'a Path,
    pub to: &'a Path,
}

/// Copies to the end; gives the number of bytes and their hash.
pub(super) fn copy(
    mut from: impl Read,
    to: &mut impl Write,
    meter: &mut Meter<'_, '_>,
    sides: Sides<'_>,
) -> Result<(u64, String), PackError> {
    let (mut bytes, mut hash, mut piece) = (0, Sha256::new(), vec![0; PIECE]);
    loop {
        let read = from.read(&mut piece).map_err(|error| InputError::io(sides.from, "read", &error))?;
        if read == 0 {
            return Ok((bytes, hex(hash)));
        }
        hash.update(&piece[..read]);
        to.write_all(&piece[..read]).map_err(|error| files::unwritable(sides.to, &error))?;
        bytes += read as u64;
        meter.advance(read as u64)?;
    }
}
