//! What was imported, kept for the next time: reading millions of lines of text takes much longer than reading columns.
//!
//! An entry is found by a hash over the content of the files and how they are read, so that it never outlives what it was
//! made of. Entries are files of this machine that anybody may have changed: everything in them is checked, and one that is
//! not sound is made again.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::formats::plan::{Plan, Source};
use super::formats::{self, ImportError, ImportReport, Monitor, OnProgress, Progress};
use super::hash::ContentHash;
use super::interactions::{Interactions, ItemText};
use super::names::Names;
use crate::error::InputError;
use crate::files;

/// The folder beside the project file that holds the entries, and vectors of item texts.
pub const FOLDER: &str = ".peso-cache";
/// What every entry begins with; another layout gets another number.
const MAGIC: &[u8] = b"peso interactions 2\n";
/// The ending of an entry.
const ENDING: &str = "interactions";
/// Entries of an ending that are kept.
const KEPT: usize = 6;
/// Largest header of an entry, in bytes.
const LARGEST_HEADER: u64 = 16 << 20;
/// Columns and names shrink to a tenth or so; an entry that grows to more than this many times its size is none of ours.
const GREATEST_GROWTH: u64 = 1000;

/// What an entry says of itself.
#[derive(Serialize, Deserialize)]
struct Header {
    key: String,
    name: String,
    interactions: u64,
    timed: bool,
    rated: bool,
    /// Whether several files were read.
    parted: bool,
    report: ImportReport,
}

/// Imports what a plan names, or takes it from the cache. A cache that cannot be written does no harm.
///
/// # Errors
/// As [`formats::import`].
pub fn import(
    plan: &Plan,
    folder: &Path,
    on_progress: OnProgress<'_>,
) -> Result<(Interactions, ImportReport), ImportError> {
    let total: u64 = formats::files(plan)?.iter().map(|file| file.bytes).sum();
    // Reading for the hash is the first half, reading for the content the second.
    let key = key(plan, &mut |progress: Progress| on_progress(Progress { done: progress.done, total: 2 * total }))?;
    let path = folder.join(format!("{}.{ENDING}", &key[..32]));
    if let Ok((interactions, report)) = read(&path, &key) {
        return Ok((interactions, with_files(report, plan)?));
    }
    let (interactions, report) = formats::import(plan, &mut |progress: Progress| {
        on_progress(Progress { done: total + progress.done, total: 2 * total })
    })?;
    // What the plan takes for granted is of the place, which may be another the next time.
    let mut kept = report.clone();
    kept.assumptions.drain(..plan.assumptions.len());
    if files::create_folder(folder).and_then(|()| write(&path, &key, &interactions, kept)).is_ok() {
        forget_oldest(folder, ENDING);
    }
    Ok((interactions, report))
}

/// SHA-256 (hex) over the files' content and how they are read.
fn key(plan: &Plan, on_progress: OnProgress<'_>) -> Result<String, ImportError> {
    let monitor = Monitor::new(on_progress, u64::MAX);
    let mut hash = ContentHash::new("import 4");
    hash.text(plan.format.key);
    hash.text(&plan.name);
    hash.text(&format!("{:?}", plan.reading));
    for Source { path, layout, only } in &plan.interactions {
        hash.text("interactions");
        hash.bytes(&layout_bytes(path, &(layout, only))?);
        hash.bytes(&file_digest(path, &monitor)?);
    }
    if let Some(Source { path, layout, .. }) = &plan.items {
        hash.text("items");
        hash.bytes(&layout_bytes(path, layout)?);
        hash.bytes(&file_digest(path, &monitor)?);
    }
    Ok(hash.finish())
}

/// A layout as JSON.
fn layout_bytes(path: &Path, layout: &impl Serialize) -> Result<Vec<u8>, InputError> {
    serde_json::to_vec(layout).map_err(|error| InputError::new(path, format!("its layout has no JSON: {error}")))
}

/// SHA-256 over a file as it lies on the disk.
fn file_digest(path: &Path, monitor: &Monitor<'_>) -> Result<[u8; 32], ImportError> {
    let mut file = File::open(path).map_err(|error| InputError::io(path, "open", &error))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    loop {
        let read = file.read(&mut buffer).and_then(|count| monitor.advance(count as u64).map(|()| count));
        match read.map_err(|error| monitor.error(path, &error))? {
            0 => return Ok(hash.finalize().into()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// The report with the files where they lie now, and with what is taken for granted of where they lie.
fn with_files(mut report: ImportReport, plan: &Plan) -> Result<ImportReport, InputError> {
    let before = std::mem::replace(&mut report.files, formats::files(plan)?);
    report.assumptions.splice(0..0, plan.assumptions.iter().cloned());
    for example in &mut report.skipped.examples {
        let moved = before.iter().zip(&report.files).find(|(before, _)| before.path == example.path);
        if let Some((_, file)) = moved {
            example.path.clone_from(&file.path);
        }
    }
    Ok(report)
}

fn write(path: &Path, key: &str, interactions: &Interactions, report: ImportReport) -> Result<(), InputError> {
    let header = Header {
        key: key.to_owned(),
        name: interactions.name.clone(),
        interactions: interactions.len() as u64,
        timed: !interactions.time.is_empty(),
        rated: !interactions.rating.is_empty(),
        parted: !interactions.file.is_empty(),
        report,
    };
    files::write_pieces_atomically(path, |file| {
        file.write_all(MAGIC)?;
        let mut encoder = zstd::stream::write::Encoder::new(BufWriter::new(file), 1)?;
        encoder.include_checksum(true)?;
        text(&mut encoder, &serde_json::to_string(&header)?)?;
        names(&mut encoder, &interactions.users)?;
        names(&mut encoder, &interactions.items)?;
        column(&mut encoder, &interactions.user, u32::to_le_bytes)?;
        column(&mut encoder, &interactions.item, u32::to_le_bytes)?;
        column(&mut encoder, &interactions.time, i64::to_le_bytes)?;
        column(&mut encoder, &interactions.rating, f32::to_le_bytes)?;
        column(&mut encoder, &interactions.file, u16::to_le_bytes)?;
        text(&mut encoder, &serde_json::to_string(&interactions.texts)?)?;
        encoder.finish()?.flush()
    })
}

fn text(writer: &mut impl Write, text: &str) -> io::Result<()> {
    writer.write_all(&(text.len() as u64).to_le_bytes())?;
    writer.write_all(text.as_bytes())
}

fn names(writer: &mut impl Write, names: &Names) -> io::Result<()> {
    writer.write_all(&(names.len() as u64).to_le_bytes())?;
    names.iter().try_for_each(|name| text(writer, name))
}

fn column<T: Copy, const N: usize>(writer: &mut impl Write, values: &[T], bytes: fn(T) -> [u8; N]) -> io::Result<()> {
    values.iter().try_for_each(|&value| writer.write_all(&bytes(value)))
}

/// Reads an entry; an error of any kind where it is not exactly what was written under this key.
fn read(path: &Path, key: &str) -> io::Result<(Interactions, ImportReport)> {
    let mut file = BufReader::new(File::open(path)?);
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    require(magic == MAGIC)?;
    // Whoever made it may have made it to grow without end.
    let most = file.get_ref().metadata()?.len().saturating_mul(GREATEST_GROWTH);
    let mut reader = BufReader::new(zstd::stream::read::Decoder::with_buffer(file)?.take(most));
    let header: Header = serde_json::from_str(&read_text(&mut reader, LARGEST_HEADER)?)?;
    require(header.key == key && header.interactions <= u64::from(u32::MAX))?;
    let count = |present: bool| if present { header.interactions } else { 0 };
    let users = read_names(&mut reader)?;
    let items = read_names(&mut reader)?;
    let user = read_column(&mut reader, count(true), u32::from_le_bytes)?;
    let item = read_column(&mut reader, count(true), u32::from_le_bytes)?;
    let time = read_column(&mut reader, count(header.timed), i64::from_le_bytes)?;
    let rating = read_column(&mut reader, count(header.rated), f32::from_le_bytes)?;
    let file = read_column(&mut reader, count(header.parted), u16::from_le_bytes)?;
    let texts: Vec<ItemText> = serde_json::from_str(&read_text(&mut reader, u64::MAX)?)?;
    // The end of the stream is where its checksum is compared.
    require(reader.read(&mut [0])? == 0)?;
    require(user.iter().all(|&user| (user as usize) < users.len()))?;
    require(item.iter().all(|&item| (item as usize) < items.len()))?;
    require(texts.is_empty() || texts.len() == items.len())?;
    Ok((Interactions { name: header.name, users, items, user, item, time, rating, file, texts }, header.report))
}

fn require(holds: bool) -> io::Result<()> {
    if holds { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

fn read_number(reader: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// A text of at most `largest` bytes. Memory grows with what comes, not with what is promised.
fn read_text(reader: &mut impl Read, largest: u64) -> io::Result<String> {
    let length = read_number(reader)?;
    require(length <= largest)?;
    let mut text = String::new();
    require(reader.take(length).read_to_string(&mut text)? as u64 == length)?;
    Ok(text)
}

fn read_names(reader: &mut impl Read) -> io::Result<Names> {
    let count = read_number(reader)?;
    let mut names = Names::default();
    for number in 0..count {
        let name = read_text(reader, 1 << 16)?;
        require(names.number(&name).map(u64::from) == Some(number))?;
    }
    Ok(names)
}

fn read_column<T, const N: usize>(reader: &mut impl Read, count: u64, value: fn([u8; N]) -> T) -> io::Result<Vec<T>> {
    let mut values = Vec::new();
    let mut bytes = [0; N];
    for _ in 0..count {
        reader.read_exact(&mut bytes)?;
        values.push(value(bytes));
    }
    Ok(values)
}

/// Removes the oldest entries of an ending beyond those that are kept; the ones that cannot be removed do no harm.
pub(crate) fn forget_oldest(folder: &Path, ending: &str) {
    let entry = |entry: fs::DirEntry| {
        let path = entry.path();
        let name = path.file_name()?.to_string_lossy().into_owned();
        let own = name.ends_with(&format!(".{ending}")) && !name.starts_with('.');
        own.then(|| Some((entry.metadata().ok()?.modified().ok()?, path))).flatten()
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<(std::time::SystemTime, PathBuf)> = entries.filter_map(entry).collect();
    entries.sort();
    for (_, path) in entries.iter().rev().skip(KEPT) {
        let _ = files::remove(path);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::formats::Format;
    use super::super::formats::plan::{ItemLayout, Layout, Roles};
    use super::super::formats::reading::{Reading, TimesAs};
    use super::*;

    #[test]
    fn a_key_is_of_content_and_layout_and_not_of_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let key = |plan: &Plan| key(plan, &mut |_| ControlFlow::Continue(())).unwrap();
        let name = |name: &str| name.to_owned();
        let roles = Roles { user: name("u"), item: name("i"), time: None, rating: None };
        let interactions = Source::new(write("a", "one"), Layout::Objects(roles.clone()));
        let items = Some(Source::new(write("b", "two"), ItemLayout::Map));
        let (reading, assumptions) = (Reading::default(), Vec::new());
        let (interactions, path, format) = (vec![interactions], PathBuf::from("a"), Format::TABLE);
        let plan = Plan { format, name: name("x"), path, interactions, items, index: None, assumptions, reading };
        let found = key(&plan);
        let moved = Source::new(write("c", "one"), Layout::Objects(roles.clone()));
        assert_eq!(key(&Plan { interactions: vec![moved], ..plan.clone() }), found);
        let timed = Layout::Objects(Roles { time: Some(name("t")), ..roles.clone() });
        for other in [
            Plan { name: "y".to_owned(), ..plan.clone() },
            Plan { reading: Reading { times: Some(TimesAs::Dates), ..reading }, ..plan.clone() },
            Plan { format: Format::PESO_RELEASE, ..plan.clone() },
            Plan { interactions: vec![Source::new(write("d", "on"), Layout::Objects(roles))], ..plan.clone() },
            Plan { interactions: vec![Source::new(folder.path().join("a"), timed)], ..plan.clone() },
            Plan { items: Some(Source::new(folder.path().join("b"), ItemLayout::GenreFlags)), ..plan.clone() },
            Plan { items: None, ..plan.clone() },
        ] {
            assert_ne!(key(&other), found, "{other:?}");
        }
    }
}
