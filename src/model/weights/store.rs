//! Safetensors files: memory-mapped reading, checked before anything is believed, and writing.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::Unusable;
use crate::files;
use crate::model::adapter::Matrix;

/// A safetensors file, memory-mapped, its header checked.
struct Shard {
    path: PathBuf,
    map: Mmap,
}

impl Shard {
    #[allow(unsafe_code, reason = "a memory map; see SAFETY")]
    fn open(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path).map_err(|e| Unusable::io(path, "open the weights", &e))?;
        // SAFETY: the map is read-only; a file that another process cuts short while it is read is the one hazard,
        // and it is the same for every reader of weights.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Unusable::io(path, "read the weights", &e))?;
        let shard = Self { path: path.to_path_buf(), map };
        shard.tensors()?;
        Ok(shard)
    }

    fn tensors(&self) -> Result<SafeTensors<'_>, Unusable> {
        SafeTensors::deserialize(&self.map).map_err(|e| {
            Unusable::new(&self.path, format!("not a valid safetensors file: {e}"))
                .advice("the file may be cut short or damaged; copy it again")
        })
    }
}

/// All tensors of a model folder or file, by name.
pub struct Weights {
    shards: Vec<Shard>,
    /// Shard of each tensor.
    places: BTreeMap<String, usize>,
    folder: PathBuf,
}

impl Weights {
    /// Opens `model.safetensors` of a folder, or the shards that `model.safetensors.index.json` lists.
    ///
    /// # Errors
    /// A missing, damaged or lying file; an index that leads out of the folder.
    pub fn open(folder: &Path) -> Result<Self, Unusable> {
        let index = folder.join("model.safetensors.index.json");
        let files = if index.is_file() { shard_names(&index)? } else { vec!["model.safetensors".to_owned()] };
        let shards = files.iter().map(|f| Shard::open(&folder.join(f))).collect::<Result<_, _>>()?;
        Self::of_shards(shards, folder)
    }

    /// Opens one safetensors file.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_file(path: &Path) -> Result<Self, Unusable> {
        Self::of_shards(vec![Shard::open(path)?], path)
    }

    fn of_shards(shards: Vec<Shard>, folder: &Path) -> Result<Self, Unusable> {
        let mut places = BTreeMap::new();
        for (i, shard) in shards.iter().enumerate() {
            for name in shard.tensors()?.names() {
                places.insert(name.to_owned(), i);
            }
        }
        Ok(Self { shards, places, folder: folder.to_path_buf() })
    }

    /// Names of all tensors, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    fn missing(&self, name: &str) -> Unusable {
        Unusable::new(&self.folder, "a tensor is missing").at(format!("tensor `{name}`"))
    }

    fn with<R>(&self, name: &str, f: impl FnOnce(&TensorView<'_>) -> Result<R, String>) -> Result<R, Unusable> {
        let shard = &self.shards[*self.places.get(name).ok_or_else(|| self.missing(name))?];
        let tensors = shard.tensors()?;
        let view = tensors.tensor(name).map_err(|_| self.missing(name))?;
        f(&view).map_err(|problem| Unusable::new(&shard.path, problem).at(format!("tensor `{name}`")))
    }

    /// An entry of the first file's metadata.
    ///
    /// # Errors
    /// If the header cannot be read.
    pub fn metadata(&self, key: &str) -> Result<Option<String>, Unusable> {
        let Some(shard) = self.shards.first() else { return Ok(None) };
        let header = SafeTensors::read_metadata(&shard.map);
        let (_, metadata) =
            header.map_err(|e| Unusable::new(&shard.path, format!("not a valid safetensors file: {e}")))?;
        Ok(metadata.metadata().as_ref().and_then(|m| m.get(key).cloned()))
    }

    /// Shape of a tensor.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, Unusable> {
        self.with(name, |view| Ok(view.shape().to_vec()))
    }

    /// Number type of a tensor and its stored bytes.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn stored(&self, name: &str) -> Result<(String, u64), Unusable> {
        self.with(name, |view| Ok((format!("{:?}", view.dtype()), view.data().len() as u64)))
    }

    /// The floats of a tensor of any shape, row-major.
    ///
    /// # Errors
    /// A missing tensor, or one that is not of floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, Unusable> {
        self.with(name, floats)
    }

    /// A matrix (or a vector as one row) in float32.
    ///
    /// # Errors
    /// A missing tensor, another shape than expected (where one is), a type that is not a float, values that are no numbers.
    pub fn matrix(&self, name: &str, expected: Option<[usize; 2]>) -> Result<Matrix, Unusable> {
        self.with(name, |view| {
            let (rows, columns) = match *view.shape() {
                [n] => (1, n),
                [r, c] => (r, c),
                ref other => return Err(format!("expected a matrix or a vector, got the shape {other:?}")),
            };
            if let Some([r, c]) = expected.filter(|e| *e != [rows, columns]) {
                return Err(format!("expected the shape [{r}, {c}], got [{rows}, {columns}]"));
            }
            let values = floats(view)?;
            if values.iter().any(|v| !v.is_finite()) {
                return Err("holds values that are not finite numbers".to_owned());
            }
            Ok(Matrix { rows, columns, values })
        })
    }

    /// Integers of any width as they are, with their shape.
    ///
    /// # Errors
    /// A missing tensor, or one that is not of integers.
    pub fn integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>), Unusable> {
        self.with(name, |view| {
            let data = view.data();
            let values = match view.dtype() {
                Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
                Dtype::I32 => data.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect(),
                other => return Err(format!("expected whole numbers (I64 or I32), got {other:?}")),
            };
            Ok((view.shape().to_vec(), values))
        })
    }
}

fn shard_names(index: &Path) -> Result<Vec<String>, Unusable> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = std::fs::read_to_string(index).map_err(|e| Unusable::io(index, "read the list of shards", &e))?;
    let parsed: Index = serde_json::from_str(&text).map_err(|e| {
        Unusable::new(index, "not a list of shards").at(format!("line {}, column {}", e.line(), e.column()))
    })?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    // A shard is a file in the same folder: a name with a path in it could lead anywhere.
    match names.iter().find(|n| Path::new(n).components().count() != 1 || n.contains("..")) {
        Some(name) => Err(Unusable::new(index, format!("shard \"{name}\" lies outside the folder"))),
        None => Ok(names),
    }
}

fn floats(view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => Ok(data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F64 => Ok(data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
        Dtype::F16 => Ok(data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()),
        Dtype::BF16 => Ok(data.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()),
        other => Err(format!("expected floats (F32, F16 or BF16), got {other:?}")),
    }
}

/// A safetensors file of float32 matrices; vectors are those with one row whose name says norm.
pub fn safetensors_bytes<'a>(
    matrices: impl IntoIterator<Item = (String, &'a Matrix)>,
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, String> {
    let entries: Vec<(String, Vec<usize>, Vec<u8>)> = matrices
        .into_iter()
        .map(|(name, m)| {
            let shape = if m.rows == 1 && name.contains("norm") { vec![m.columns] } else { vec![m.rows, m.columns] };
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
pub fn write_matrices(file: &Path, matrices: &BTreeMap<String, Matrix>) -> Result<(), Unusable> {
    let bytes = safetensors_bytes(matrices.iter().map(|(name, matrix)| (name.clone(), matrix)), &[]);
    files::write_atomically(file, &bytes.map_err(|problem| Unusable::new(file, problem))?)
}
