//! The header of a GGUF file: metadata and the table of tensors, checked against the file's length.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::cursor::Cursor;
use super::quantization::Quantization;
use super::value::Value;
use crate::error::InputError;
use crate::model::foreign;
use crate::model::weights::mapped::Mapped;

const MAGIC: [u8; 4] = *b"GGUF";

/// Bytes to which tensors are aligned where the metadata does not say.
const ALIGNMENT: u64 = 32;

/// An open GGUF file; its tensors are read from disk where they are asked for.
#[derive(Debug)]
pub struct Gguf {
    /// The file, and the other parts where the model was split.
    files: Vec<Mapped>,
    /// 2 or 3.
    pub version: u32,
    /// Where each value of the metadata lies: its kind and its first byte.
    metadata: BTreeMap<String, (u32, usize)>,
    tensors: BTreeMap<String, Tensor>,
}

/// A tensor of a GGUF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Outermost first, as Hugging Face has it: `[rows, columns]`, or `[columns]`.
    pub shape: Vec<usize>,
    pub kind: Quantization,
    /// Place in the file.
    pub bytes: Range<usize>,
    /// Which of the model's files it is in.
    part: usize,
}

impl Tensor {
    /// Rows and columns; a vector is one row.
    pub fn matrix(&self) -> Option<[usize; 2]> {
        match *self.shape.as_slice() {
            [columns] => Some([1, columns]),
            [rows, columns] => Some([rows, columns]),
            _ => None,
        }
    }
}

impl Gguf {
    /// Whether a file begins as GGUF files do.
    pub fn is_one(path: &Path) -> bool {
        use std::io::Read;
        let mut magic = [0; 4];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == MAGIC
    }

    /// Opens one file, whatever it is a part of, and checks its header.
    ///
    /// # Errors
    /// It is cut short, damaged or of another version; a tensor lies outside the file or has an unknown type.
    pub(super) fn open_part(path: &Path) -> Result<Self, InputError> {
        let file = Mapped::open(path)?;
        let (version, metadata, tensors) = read(file.bytes()).map_err(|(problem, place)| {
            let error = InputError::new(path, problem).advice(if is_piece(path) {
                "by its name a piece of a file that was cut: join the pieces first, `cat PIECES > model.gguf`"
            } else {
                "expected a GGUF file of version 2 or 3"
            });
            let error = if place.is_empty() { error } else { error.at(place) };
            foreign::beginning_of(path, file.bytes()).unwrap_or(error)
        })?;
        Ok(Self { files: vec![file], version, metadata, tensors })
    }

    /// Adds the tensors of another part.
    ///
    /// # Errors
    /// A tensor is in both.
    pub(super) fn add(&mut self, other: Self) -> Result<(), InputError> {
        for file in other.files {
            self.files.push(file);
        }
        let part = self.files.len() - 1;
        for (name, tensor) in other.tensors {
            if self.tensors.contains_key(&name) {
                return Err(InputError::new(&self.files[part].path, "the tensor is in another part too")
                    .at(format!("tensor `{}`", shortened(&name))));
            }
            self.tensors.insert(name, Tensor { part, ..tensor });
        }
        Ok(())
    }

    /// The file; the first part where there are several.
    pub fn path(&self) -> &Path {
        &self.files[0].path
    }

    /// How many files the model is in.
    pub fn parts(&self) -> usize {
        self.files.len()
    }

    /// All keys of the metadata, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.metadata.keys().map(String::as_str)
    }

    /// Tensors by the file's own names, ascending.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The tensor of a name.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// The stored bytes of a tensor.
    pub fn data(&self, tensor: &Tensor) -> &[u8] {
        &self.files[tensor.part].bytes()[tensor.bytes.clone()]
    }

    /// Lets go of the memory that holds a tensor's stored bytes.
    pub fn release(&self, tensor: &Tensor) {
        self.files[tensor.part].release(&tensor.bytes);
    }

    /// A value of the metadata.
    pub fn value(&self, key: &str) -> Option<Value<'_>> {
        let &(kind, at) = self.metadata.get(key)?;
        // The whole header was read once, so this cannot fail.
        Value::read(&mut Cursor::at(self.files[0].bytes(), at), kind).ok()
    }

    /// A text of the metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

type Header = (u32, BTreeMap<String, (u32, usize)>, BTreeMap<String, Tensor>);

/// Reads a header. An error is what is wrong, and where.
fn read(bytes: &[u8]) -> Result<Header, (String, String)> {
    let here = |problem: String| (problem, String::new());
    let mut cursor = Cursor::new(bytes);
    if cursor.fixed().map_err(here)? != MAGIC {
        return Err(here("not a GGUF file: it does not begin with `GGUF`".to_owned()));
    }
    let version = cursor.u32().map_err(here)?;
    if !matches!(version, 2 | 3) {
        return Err(here(match version.swap_bytes() {
            2 | 3 => "the file is big-endian, which is not supported".to_owned(),
            _ => format!("GGUF version {version} is not supported"),
        }));
    }
    let (tensor_count, value_count) = (cursor.u64().map_err(here)?, cursor.u64().map_err(here)?);
    let metadata = read_metadata(&mut cursor, value_count)?;
    let table = read_table(&mut cursor, tensor_count)?;
    let alignment = match metadata.get("general.alignment") {
        None => ALIGNMENT,
        Some(&(kind, at)) => {
            let value = Value::read(&mut Cursor::at(bytes, at), kind).map_err(here)?;
            value
                .as_u64()
                .filter(|a| a.is_power_of_two() && *a <= 1 << 20)
                .ok_or_else(|| ("expected a power of two".to_owned(), "metadata `general.alignment`".to_owned()))?
        }
    };
    let data_start = (cursor.position() as u64).next_multiple_of(alignment);
    let mut tensors = BTreeMap::new();
    for (name, entry) in table {
        let placed = entry.place(data_start, alignment, bytes.len());
        let tensor = placed.map_err(|problem| (problem, format!("tensor `{name}`")))?;
        tensors.insert(name, tensor);
    }
    Ok((version, metadata, tensors))
}

fn read_metadata(cursor: &mut Cursor<'_>, count: u64) -> Result<BTreeMap<String, (u32, usize)>, (String, String)> {
    let mut metadata = BTreeMap::new();
    for number in 0..count {
        let place = || format!("metadata {} of {count}", number + 1);
        let key = cursor.text().map_err(|problem| (problem, place()))?;
        let place = || format!("metadata `{}`", shortened(key));
        let kind = cursor.u32().map_err(|problem| (problem, place()))?;
        let at = cursor.position();
        Value::read(cursor, kind).map_err(|problem| (problem, place()))?;
        if metadata.insert(key.to_owned(), (kind, at)).is_some() {
            return Err(("the key occurs twice".to_owned(), place()));
        }
    }
    Ok(metadata)
}

/// A line of the table of tensors.
struct Entry {
    shape: Vec<usize>,
    kind: Quantization,
    offset: u64,
}

fn read_table(cursor: &mut Cursor<'_>, count: u64) -> Result<BTreeMap<String, Entry>, (String, String)> {
    let mut table = BTreeMap::new();
    for number in 0..count {
        let place = || format!("tensor {} of {count}", number + 1);
        let name = cursor.text().map_err(|problem| (problem, place()))?;
        let place = || format!("tensor `{}`", shortened(name));
        let entry = Entry::read(cursor).map_err(|problem| (problem, place()))?;
        if table.insert(name.to_owned(), entry).is_some() {
            return Err(("the name occurs twice".to_owned(), place()));
        }
    }
    Ok(table)
}

impl Entry {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let dimensions = cursor.u32()?;
        if !(1..=4).contains(&dimensions) {
            return Err(format!("expected 1 to 4 dimensions, got {dimensions}"));
        }
        let mut shape = Vec::with_capacity(4);
        for _ in 0..dimensions {
            shape.push(usize::try_from(cursor.u64()?).map_err(|_| "a dimension is too large".to_owned())?);
        }
        // The file has the innermost first.
        shape.reverse();
        let kind = cursor.u32()?;
        let kind = Quantization::of(kind)
            .ok_or_else(|| format!("tensor type {kind} is not supported; expected one of {}", Quantization::names()))?;
        Ok(Self { shape, kind, offset: cursor.u64()? })
    }

    /// Checks that the tensor's data lies in the file.
    fn place(self, data_start: u64, alignment: u64, length: usize) -> Result<Tensor, String> {
        let Self { shape, kind, offset } = self;
        if offset % alignment != 0 {
            return Err(format!("its data begins at {offset}, which is no multiple of {alignment}"));
        }
        let too_large = || format!("the shape {shape:?} is larger than the file");
        let columns = shape.last().copied().unwrap_or(0);
        let rows = shape[..shape.len() - 1].iter().try_fold(1usize, |rows, &n| rows.checked_mul(n));
        let size = kind.row_bytes(columns)?.and_then(|row| rows?.checked_mul(row)).ok_or_else(too_large)?;
        let start = data_start.checked_add(offset).and_then(|start| usize::try_from(start).ok());
        let end = start.and_then(|start| start.checked_add(size)).filter(|&end| end <= length);
        match (start, end) {
            (Some(start), Some(end)) => Ok(Tensor { shape, kind, bytes: start..end, part: 0 }),
            _ => Err(format!("its {size} bytes at {offset} lie beyond the end of the file, which may be cut short")),
        }
    }
}

/// Whether a file is called like a piece of one: `model.gguf.part1of2`, `model.gguf-split-a`.
fn is_piece(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.split_once(".gguf").is_some_and(|(_, rest)| rest.contains("part") || rest.contains("split"))
}

/// The beginning of a name that may be of any length.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}
