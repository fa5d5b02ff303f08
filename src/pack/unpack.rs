//! Opening a zip that somebody else may have made: everything is checked before it has its place.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::archive::{Sides, copy};
use super::manifest::{self, Manifest, PackedFile};
use super::names::{self, Taken};
use super::{Meter, OnProgress, PackError};
use crate::error::InputError;
use crate::files;
use crate::files::disk::Output;
use crate::project::Project;

/// A manifest is a line a file.
const LARGEST_MANIFEST: u64 = 64 << 20;
/// More files than any project has.
const MOST_FILES: usize = 1_000_000;
/// A zip may grow to this many times its size: measurements and records shrink to a tenth or so.
const GREATEST_GROWTH: u64 = 200;
/// Whatever its growth, this much is no harm.
const HARMLESS: u64 = 256 << 20;
/// Begins an entry of a zip's directory.
const DIRECTORY_ENTRY: u32 = 0x0201_4b50;
/// Bytes of such an entry before its name.
const DIRECTORY_ENTRY_BYTES: usize = 46;

/// Reads what a zip says of itself.
///
/// # Errors
/// It is no packed project, or damaged.
pub fn read_manifest(file: &Path) -> Result<Manifest, InputError> {
    let (mut zip, bytes) = open(file)?;
    manifest_of(&mut zip, file, bytes)
}

/// Unpacks a project into a new folder, and gives the path of its project file.
///
/// # Errors
/// The zip is no packed project, damaged, or holds what it must not; the folder is there already or cannot be written; or the
/// work was ended. No folder is then left behind.
pub fn unpack(file: &Path, to: &Path, on_progress: OnProgress<'_>) -> Result<PathBuf, PackError> {
    let (mut zip, bytes) = open(file)?;
    let manifest = manifest_of(&mut zip, file, bytes)?;
    let total = manifest.files.iter().map(|file| file.bytes).sum();
    let mut meter = Meter { done: 0, total, on_progress };
    let mut cancelled = false;
    let filled = files::write_folder(to, |folder| {
        let filled = fill(&mut zip, file, &manifest, folder, &mut meter);
        filled.map_err(|error| match error {
            PackError::Input(error) => error,
            PackError::Cancelled => {
                cancelled = true;
                InputError::new(to, "unpacking was ended")
            }
        })
    });
    if cancelled {
        return Err(PackError::Cancelled);
    }
    filled?;
    Ok(to.join(&manifest.project_file))
}

type Zip = ZipArchive<BufReader<File>>;

fn open(file: &Path) -> Result<(Zip, u64), InputError> {
    let unreadable = |error: std::io::Error| InputError::io(file, "read", &error);
    let opened = File::open(file).map_err(unreadable)?;
    let bytes = opened.metadata().map_err(unreadable)?.len();
    let zip = ZipArchive::new(BufReader::new(opened)).map_err(|error| match error {
        ZipError::Io(error) => unreadable(error),
        _ => InputError::new(file, "not a zip file, or one that was cut off")
            .advice("ask for it again; `peso pack` makes such files"),
    })?;
    check_no_doubles(file, &zip)?;
    Ok((zip, bytes))
}

/// Refuses a zip that has two files of one name: programs differ in which one they take.
fn check_no_doubles(file: &Path, zip: &Zip) -> Result<(), InputError> {
    let unreadable = |error: std::io::Error| InputError::io(file, "read", &error);
    let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
    reader.seek(SeekFrom::Start(zip.central_directory_start())).map_err(unreadable)?;
    let (mut entries, mut head) = (0, [0; DIRECTORY_ENTRY_BYTES]);
    while reader.read_exact(&mut head).is_ok() && head[..4] == DIRECTORY_ENTRY.to_le_bytes() {
        entries += 1;
        let length = |at: usize| i64::from(u16::from_le_bytes([head[at], head[at + 1]]));
        reader.seek_relative(length(28) + length(30) + length(32)).map_err(unreadable)?;
    }
    if entries == zip.len() { Ok(()) } else { Err(refused(file, "two of its files have one name")) }
}

fn refused(file: &Path, problem: impl Into<String>) -> InputError {
    InputError::new(file, problem).advice("nothing was unpacked; ask whoever sent it to pack the project again")
}

fn manifest_of(zip: &mut Zip, file: &Path, bytes: u64) -> Result<Manifest, InputError> {
    let Ok(entry) = zip.by_name(manifest::NAME) else {
        return Err(InputError::new(file, format!("it has no `{}`, so it is no packed project", manifest::NAME))
            .advice("`peso pack` makes such files; unpack other ones with the desktop's own program"));
    };
    let mut text = Vec::new();
    let read = entry.take(LARGEST_MANIFEST + 1).read_to_end(&mut text);
    read.map_err(|_| refused(file, format!("its `{}` is damaged", manifest::NAME)))?;
    if text.len() as u64 > LARGEST_MANIFEST {
        return Err(refused(file, format!("its `{}` is larger than {LARGEST_MANIFEST} bytes", manifest::NAME)));
    }
    let format = serde_json::from_slice::<serde_json::Value>(&text).ok().and_then(|json| json.get("format")?.as_u64());
    if let Some(other) = format.filter(|format| *format != u64::from(manifest::FORMAT)) {
        return Err(InputError::new(file, format!("it is packed in format {other}"))
            .advice(format!("this version reads format {}; take a newer one", manifest::FORMAT)));
    }
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| refused(file, format!("its `{}` cannot be read: {error}", manifest::NAME)))?;
    check(zip, file, &manifest, bytes)?;
    Ok(manifest)
}

/// Checks names and sizes, as far as they are declared, before anything is unpacked.
fn check(zip: &mut Zip, file: &Path, manifest: &Manifest, bytes: u64) -> Result<(), InputError> {
    if zip.len() > MOST_FILES {
        return Err(refused(file, format!("it has more than {MOST_FILES} files")));
    }
    let mut taken = Taken::default();
    let mut named: BTreeMap<&str, &PackedFile> = BTreeMap::new();
    for packed in &manifest.files {
        if let Some(problem) = names::problem_of(&packed.name) {
            return Err(refused(file, format!("a file's name {problem}: `{}`", packed.name.escape_debug())));
        }
        if packed.name == manifest::NAME || !taken.take(&packed.name) {
            return Err(refused(
                file,
                format!("two of its files cannot be told apart on every system: `{}`", packed.name),
            ));
        }
        named.insert(&packed.name, packed);
    }
    if !named.contains_key(manifest.project_file.as_str()) || manifest.project_file.contains('/') {
        return Err(refused(file, "it has no project file"));
    }
    let mut total: u64 = 0;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|_| refused(file, "its directory is damaged"))?;
        let name = entry.name();
        if let Some(problem) = names::problem_of(name) {
            return Err(refused(file, format!("a file's name {problem}: `{}`", name.escape_debug())));
        }
        if !entry.is_file() || entry.is_symlink() || entry.encrypted() {
            return Err(refused(file, format!("`{name}` is a link, a folder or encrypted")));
        }
        if name == manifest::NAME {
            continue;
        }
        let Some(packed) = named.remove(name) else {
            return Err(refused(file, format!("`{name}` does not stand in its manifest")));
        };
        if packed.bytes != entry.size() {
            return Err(refused(file, format!("`{name}` is not as large as the manifest says")));
        }
        total = total.saturating_add(packed.bytes);
    }
    if let Some((name, _)) = named.first_key_value() {
        return Err(refused(file, format!("`{name}` is missing in it")));
    }
    if total > HARMLESS && total / GREATEST_GROWTH > bytes {
        return Err(refused(file, format!("its {bytes} bytes would grow to {total}, as no project's do")));
    }
    Ok(())
}

fn fill(
    zip: &mut Zip,
    file: &Path,
    manifest: &Manifest,
    folder: &Path,
    meter: &mut Meter<'_, '_>,
) -> Result<(), PackError> {
    for packed in &manifest.files {
        let to = folder.join(&packed.name);
        if let Some(parent) = to.parent() {
            files::create_folder(parent)?;
        }
        let entry = zip.by_name(&packed.name).map_err(|_| refused(file, format!("`{}` is damaged", packed.name)))?;
        let mut written = Output::create_new(&to).map_err(|error| files::unwritable(&to, &error))?;
        // One byte more than declared tells that there is more.
        let copied = copy(entry.take(packed.bytes + 1), &mut written, meter, Sides { from: file, to: &to });
        let (bytes, sha256) = copied.map_err(|error| match error {
            // What cannot be read of a zip that could be opened is damaged in this file.
            PackError::Input(error) if error.path == file => {
                refused(file, format!("`{}` is damaged", packed.name)).into()
            }
            other => other,
        })?;
        if bytes != packed.bytes {
            return Err(refused(file, format!("`{}` is not as large as the manifest says", packed.name)).into());
        }
        if sha256 != packed.sha256 {
            return Err(refused(
                file,
                format!("`{}` is not what the manifest says: it was changed or damaged", packed.name),
            )
            .into());
        }
        written.sync().map_err(|error| files::unwritable(&to, &error))?;
    }
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| InputError::new(file, error.to_string()))?;
    files::write_atomically(&folder.join(manifest::NAME), &text)?;
    Project::load(&folder.join(&manifest.project_file))?;
    Ok(())
}
