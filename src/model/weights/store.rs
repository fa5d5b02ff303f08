//! Safetensors files: memory-mapped reading, checked before anything is believed, and writing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use burn::tensor::FloatDType;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::mapped::Mapped;
use crate::error::InputError;
use crate::files;
use crate::model::adapter::Matrix;
use crate::model::foreign;

/// The most bytes of a list of shards that are read.
const LARGEST_INDEX: u64 = 1 << 26;

/// The one file of a model's weights.
const WHOLE: &str = "model.safetensors";

/// The list of a model's shards.
const INDEX: &str = "model.safetensors.index.json";

/// All tensors of a model folder or file, by name. Headers are read once; data is read where it is asked for.
#[derive(Debug)]
pub struct Weights {
    shards: Vec<Shard>,
    entries: BTreeMap<String, Entry>,
    folder: PathBuf,
}

/// A safetensors file, its header checked.
#[derive(Debug)]
struct Shard {
    file: Mapped,
    metadata: BTreeMap<String, String>,
}

/// A tensor, and where it lies.
#[derive(Debug)]
struct Entry {
    shard: usize,
    kind: Dtype,
    shape: Vec<usize>,
    /// Place in the file.
    bytes: Range<usize>,
}

impl Weights {
    /// Opens `model.safetensors` of a folder, or the shards that `model.safetensors.index.json` lists. Where both are there,
    /// the one file is read, as Transformers does; see [`Self::stale_index`].
    ///
    /// # Errors
    /// A missing, damaged or lying file; an index that leads out of the folder.
    pub fn open(folder: &Path) -> Result<Self, InputError> {
        let (whole, index) = (folder.join(WHOLE), folder.join(INDEX));
        if whole.is_file() || !index.is_file() {
            return Self::of_files([whole], folder);
        }
        let shards = shard_names(&index)?;
        let missing: Vec<&str> =
            shards.iter().map(String::as_str).filter(|shard| !folder.join(shard).is_file()).collect();
        if let Some(first) = missing.first() {
            let (count, all) = (missing.len(), shards.len());
            let listed = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            let more = if count > 5 { ", …" } else { "" };
            return Err(InputError::new(
                folder.join(first),
                format!("{count} of {all} shards are missing: {listed}{more}"),
            )
            .advice("download them again, into the folder of the others"));
        }
        Self::of_files(shards.iter().map(|file| folder.join(file)), folder)
    }

    /// Whether a folder has a list of shards that is not used, since there is one file of the whole model.
    pub fn stale_index(folder: &Path) -> bool {
        folder.join(WHOLE).is_file() && folder.join(INDEX).is_file()
    }

    /// Opens one safetensors file.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_file(path: &Path) -> Result<Self, InputError> {
        Self::of_files([path.to_path_buf()], path)
    }

    fn of_files(files: impl IntoIterator<Item = PathBuf>, folder: &Path) -> Result<Self, InputError> {
        let mut weights = Self { shards: Vec::new(), entries: BTreeMap::new(), folder: folder.to_path_buf() };
        for path in files {
            weights.add(Mapped::open(&path)?)?;
        }
        Ok(weights)
    }

    fn add(&mut self, file: Mapped) -> Result<(), InputError> {
        let (length, header) = SafeTensors::read_metadata(file.bytes()).map_err(|e| {
            foreign::beginning_of(&file.path, file.bytes()).unwrap_or_else(|| {
                InputError::new(&file.path, format!("not a valid safetensors file: {e}"))
                    .advice("the file may be cut short or damaged; copy it again")
            })
        })?;
        let data = length + size_of::<u64>();
        // A damaged file is refused for the same tensor whenever it is read.
        for (name, tensor) in header.tensors().into_iter().collect::<BTreeMap<_, _>>() {
            let bytes = data + tensor.data_offsets.0..data + tensor.data_offsets.1;
            let entry = Entry { shard: self.shards.len(), kind: tensor.dtype, shape: tensor.shape.clone(), bytes };
            if let Some(other) = self.entries.insert(name.clone(), entry) {
                let other = self.shards[other.shard].file.path.file_name().unwrap_or_default();
                return Err(InputError::new(&file.path, format!("the tensor is in {} too", other.display()))
                    .at(format!("tensor `{name}`")));
            }
        }
        let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        self.shards.push(Shard { file, metadata });
        Ok(())
    }

    /// Names of all tensors, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether there is a tensor of a name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// An error about one of the tensors.
    pub fn input_error(&self, problem: &str, name: &str) -> InputError {
        InputError::new(&self.folder, problem).at(format!("tensor `{name}`"))
    }

    fn entry(&self, name: &str) -> Result<&Entry, InputError> {
        self.entries.get(name).ok_or_else(|| self.input_error("a tensor is missing", name))
    }

    fn with<R>(&self, name: &str, f: impl FnOnce(&Entry, &[u8]) -> Result<R, String>) -> Result<R, InputError> {
        let entry = self.entry(name)?;
        let file = &self.shards[entry.shard].file;
        f(entry, &file.bytes()[entry.bytes.clone()])
            .map_err(|problem| InputError::new(&file.path, problem).at(format!("tensor `{name}`")))
    }

    /// An entry of the first file's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.shards.first()?.metadata.get(key).map(String::as_str)
    }

    /// Shape of a tensor.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, InputError> {
        Ok(self.entry(name)?.shape.clone())
    }

    /// Number type of a tensor and its stored bytes.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn stored(&self, name: &str) -> Result<(String, u64), InputError> {
        let entry = self.entry(name)?;
        Ok((format!("{:?}", entry.kind), entry.bytes.len() as u64))
    }

    /// Whether a tensor's numbers are floats that can be read.
    pub fn is_of_floats(&self, name: &str) -> bool {
        let kind = self.entries.get(name).map(|entry| entry.kind);
        matches!(kind, Some(Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16))
    }

    /// Whether two tensors have the same shape and the same numbers.
    pub fn are_equal(&self, one: &str, other: &str) -> bool {
        let (Some(a), Some(b)) = (self.entries.get(one), self.entries.get(other)) else { return false };
        let bytes = |entry: &Entry| &self.shards[entry.shard].file.bytes()[entry.bytes.clone()];
        let alike = a.kind == b.kind && bytes(a) == bytes(b);
        a.shape == b.shape && (alike || floats(a.kind, bytes(a)) == floats(b.kind, bytes(b)))
    }

    /// The half type of a tensor's numbers, where it has one.
    pub fn half_type(&self, name: &str) -> Option<FloatDType> {
        match self.entries.get(name)?.kind {
            Dtype::F16 => Some(FloatDType::F16),
            Dtype::BF16 => Some(FloatDType::BF16),
            _ => None,
        }
    }

    /// Lets go of the memory that holds a tensor's stored bytes; nothing where there is no such tensor.
    pub fn release(&self, name: &str) {
        if let Some(entry) = self.entries.get(name) {
            self.shards[entry.shard].file.release(&entry.bytes);
        }
    }

    /// The floats of a tensor of any shape, row-major.
    ///
    /// # Errors
    /// A missing tensor, or one that is not of floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, InputError> {
        self.with(name, |entry, bytes| floats(entry.kind, bytes))
    }

    /// A matrix (or a vector as one row) in float32.
    ///
    /// # Errors
    /// A missing tensor, another shape than expected (where one is), a type that is not a float, values that are no numbers.
    pub fn matrix(&self, name: &str, expected: Option<[usize; 2]>) -> Result<Matrix, InputError> {
        self.with(name, |entry, bytes| {
            let (rows, columns) = match *entry.shape {
                [n] => (1, n),
                [r, c] => (r, c),
                ref other => return Err(format!("expected a matrix or a vector, got the shape {other:?}")),
            };
            if let Some([r, c]) = expected.filter(|e| *e != [rows, columns]) {
                return Err(format!("expected the shape [{r}, {c}], got [{rows}, {columns}]"));
            }
            Ok(Matrix { rows, columns, values: finite(entry.kind, bytes)? })
        })
    }

    /// One of the matrices of a shape that a tensor of any shape is made of, by its place among them, in float32.
    ///
    /// # Errors
    /// A missing tensor, one that is too short, a type that is not a float, values that are no numbers.
    pub fn slice(&self, name: &str, place: usize, [rows, columns]: [usize; 2]) -> Result<Matrix, InputError> {
        self.with(name, |entry, bytes| {
            let each = bytes.len() / entry.shape.iter().product::<usize>().max(1);
            let size = rows * columns * each;
            let own = bytes.get(place * size..(place + 1) * size).ok_or("holds fewer experts than expected")?;
            Ok(Matrix { rows, columns, values: finite(entry.kind, own)? })
        })
    }

    /// Integers of any width as they are, with their shape.
    ///
    /// # Errors
    /// A missing tensor, or one that is not of integers.
    pub fn integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>), InputError> {
        self.with(name, |entry, data| {
            let values = match entry.kind {
                Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
                Dtype::I32 => data.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect(),
                other => return Err(format!("expected whole numbers (I64 or I32), got {other:?}")),
            };
            Ok((entry.shape.clone(), values))
        })
    }
}

fn shard_names(index: &Path) -> Result<Vec<String>, InputError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = files::read_text(index, LARGEST_INDEX)?;
    let parsed: Index = serde_json::from_str(&text).map_err(|e| {
        foreign::beginning_of(index, text.as_bytes()).unwrap_or_else(|| {
            InputError::new(index, "not a list of shards").at(format!("line {}, column {}", e.line(), e.column()))
        })
    })?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    // A shard is a file in the same folder: a name with a path in it could lead anywhere.
    let within = |name: &String| {
        let mut parts = Path::new(name).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name.as_str())
    };
    match names.iter().find(|name| !within(name)) {
        Some(name) => Err(InputError::new(index, format!("shard \"{name}\" lies outside the folder"))),
        None if names.is_empty() => Err(InputError::new(index, "the list of shards is empty")),
        None => Ok(names),
    }
}

fn finite(kind: Dtype, data: &[u8]) -> Result<Vec<f32>, String> {
    let values = floats(kind, data)?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err("holds values that are not finite numbers".to_owned());
    }
    Ok(values)
}

fn floats(kind: Dtype, data: &[u8]) -> Result<Vec<f32>, String> {
    match kind {
        Dtype::F32 => Ok(data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F64 => Ok(data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
        Dtype::F16 => Ok(data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()),
        Dtype::BF16 => Ok(data.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()),
        other => Err(format!("expected floats (F32, F16 or BF16), got {other:?}")),
    }
}

/// A safetensors file of float32 matrices; vectors are those with one row whose name says norm or bias.
pub fn safetensors_bytes<'a>(
    matrices: impl IntoIterator<Item = (String, &'a Matrix)>,
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, String> {
    let entries: Vec<(String, Vec<usize>, Vec<u8>)> = matrices
        .into_iter()
        .map(|(name, m)| {
            let is_vector = m.rows == 1 && (name.contains("norm") || name.ends_with(".bias"));
            let shape = if is_vector { vec![m.columns] } else { vec![m.rows, m.columns] };
            (name, shape, m.values.iter().flat_map(|v| v.to_le_bytes()).collect())
        })
        .collect();
    let views = entries
        .iter()
        .map(|(name, shape, bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.to_string())?;
    let metadata =
        metadata.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).chain([("format".to_owned(), "pt".to_owned())]);
    safetensors::tensor::serialize(views, Some(metadata.collect())).map_err(|e| e.to_string())
}

/// Writes matrices by name, all at once.
///
/// # Errors
/// If the file cannot be written.
pub fn write_matrices(file: &Path, matrices: &BTreeMap<String, Matrix>) -> Result<(), InputError> {
    let bytes = safetensors_bytes(matrices.iter().map(|(name, matrix)| (name.clone(), matrix)), &[]);
    files::write_atomically(file, &bytes.map_err(|problem| InputError::new(file, problem))?)
}
