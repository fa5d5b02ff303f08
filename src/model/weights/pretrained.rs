//! Base models that others trained: Hugging Face folders and GGUF files, looked at before anything is loaded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use burn::tensor::{DType, FloatDType};
use rayon::prelude::*;

use super::decoder::assemble;
use super::folder::{EMBEDDING, Folder, HEAD};
use super::gguf::{self, Gguf, Quantization, Tensor};
use super::rows::new_rows;
use super::storage::{Stored, holds};
use crate::error::InputError;
use crate::model::adapter::Matrix;
use crate::model::config::{Described, Family, LlamaConfig};
use crate::model::foreign;
use crate::model::llama::{Llama, Rows};
use crate::model::options::{Storage, VocabularyMode};
use crate::seeds;

/// A base model on disk whose headers were read and checked.
#[derive(Debug)]
pub struct Pretrained {
    pub path: PathBuf,
    pub config: LlamaConfig,
    files: Files,
    /// Tensors that the decoder does not use, as the file names them.
    pub unused: Vec<String>,
    /// What the configuration says that nothing is known of and that is not used.
    pub unused_fields: Vec<String>,
    /// Whether there is no head: texts can be read, and no token foretold.
    pub headless: bool,
    /// How what could be read in two ways is taken, in sentences.
    pub notes: Vec<String>,
    /// What becomes of the tensors on the device.
    stored: Stored,
}

#[derive(Debug)]
enum Files {
    HuggingFace(Folder),
    Gguf(Gguf),
}

/// A tensor as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StoredTensor {
    /// The file's own name of it.
    pub name: String,
    /// Outermost first.
    pub shape: Vec<usize>,
    /// The number type: `BF16`, `Q4_K`.
    pub kind: String,
    pub bytes: u64,
}

/// How far a model is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress<'a> {
    /// The tensor that was read last.
    pub tensor: &'a str,
    /// Parameters that are read, and all of them.
    pub parameters: u64,
    pub of: u64,
}

/// Loads a Hugging Face folder or a GGUF file; see [`Pretrained::open`] and [`Pretrained::load`].
///
/// # Errors
/// See there.
pub fn load_pretrained<B: Backend>(
    path: &Path,
    added: usize,
    seed: u64,
    device: &B::Device,
) -> Result<Llama<B>, InputError> {
    Pretrained::open(path)?.load(added, seed, device, &mut |_| ())
}

impl Pretrained {
    /// Looks at a Hugging Face folder or a GGUF file: its configuration and the headers of its weights. Every tensor of the
    /// decoder must be there, in its shape, and no other that could change what the model computes.
    ///
    /// # Errors
    /// Names the field or the tensor that is missing, too many, of the wrong shape, or not supported.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let model = Self::open_reader(path)?;
        if model.headless {
            return Err(model.error(HEAD, "the model has no head: it reads texts and foretells no token").advice(
                "use it for semantic ids of texts; if its head is its embedding, set `tie_word_embeddings` to true in \
                 config.json",
            ));
        }
        Ok(model)
    }

    /// The same of a model that reads texts, whose head need not be there: an embedding model. It takes the embedding for one.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_reader(path: &Path) -> Result<Self, InputError> {
        if !path.exists() {
            return Err(InputError::new(path, "there is no such file or folder")
                .advice("expected a Hugging Face folder with config.json and model.safetensors, or a GGUF file"));
        }
        let (Described { mut config, unused }, files, mut notes) = if path.is_dir() {
            if let Some(other) = foreign::folder(path) {
                return Err(other);
            }
            let described = Described::read(&path.join("config.json"))?;
            let folder = Folder::open(path)?;
            let notes = folder.notes(path);
            (described, Files::HuggingFace(folder), notes)
        } else {
            let file = Gguf::open(path)?;
            let notes = gguf::notes(&file);
            (gguf::describe(&file)?, Files::Gguf(file), notes)
        };
        let mut headless = false;
        if let Files::HuggingFace(folder) = &files {
            headless = !config.tied && !folder.weights.has(&folder.names.of(HEAD));
            if headless {
                notes.push("it has no head: for semantic ids of texts, not as a base model".to_owned());
            }
            if config.tied && folder.has_another_head() {
                config.tied = false;
                notes.push(
                    "its head is not its embedding, although `tie_word_embeddings` is set: both are read, as in Transformers 5"
                        .to_owned(),
                );
            }
            config.tied |= headless;
        }
        let mut model = Self {
            path: path.to_path_buf(),
            config,
            files,
            unused: Vec::new(),
            unused_fields: unused,
            headless,
            notes,
            stored: Stored::FLOAT32,
        };
        model.check()?;
        Ok(model)
    }

    /// The same, to be loaded as the project file says.
    ///
    /// # Errors
    /// The device stores no half type.
    pub fn stored_as<B: Backend>(
        mut self,
        storage: Storage,
        vocabulary: VocabularyMode,
        device: &B::Device,
    ) -> Result<Self, InputError> {
        let none = || {
            InputError::new(&self.path, "this device stores numbers neither as float16 nor as bfloat16")
                .at("field `training.storage`")
                .advice("set it to Float32, or train on another device")
        };
        self.stored =
            Stored::choose(storage, vocabulary, self.half_type(), |kind| B::supports_dtype(device, DType::from(kind)))
                .ok_or_else(none)?;
        Ok(self)
    }

    /// What becomes of the tensors on the device.
    pub fn stored_types(&self) -> Stored {
        self.stored
    }

    /// The half type that all projections have in the files, where they have one.
    fn half_type(&self) -> Option<FloatDType> {
        let names = self.config.tensors().map(|(name, _)| name).filter(|name| name.ends_with("_proj.weight"));
        let mut types = names.map(|name| {
            let name = self.file_name(&name);
            match &self.files {
                Files::HuggingFace(folder) => folder.weights.half_type(&name),
                Files::Gguf(file) => match file.tensor(&name).map(|tensor| tensor.kind) {
                    Some(Quantization::F16) => Some(FloatDType::F16),
                    Some(Quantization::BF16) => Some(FloatDType::BF16),
                    _ => None,
                },
            }
        });
        let first = types.next()??;
        types.all(|kind| kind == Some(first)).then_some(first)
    }

    /// The GGUF file, where it is one.
    pub fn gguf(&self) -> Option<&Gguf> {
        match &self.files {
            Files::HuggingFace(_) => None,
            Files::Gguf(file) => Some(file),
        }
    }

    /// Numbers of the decoder.
    pub fn parameters(&self) -> u64 {
        self.config.tensors().map(|(_, [rows, columns])| (rows * columns) as u64).sum()
    }

    /// All tensors as they are stored, by the file's own names, ascending.
    pub fn stored(&self) -> Vec<StoredTensor> {
        match &self.files {
            Files::HuggingFace(Folder { weights, .. }) => weights
                .names()
                .filter_map(|name| {
                    let ((kind, bytes), shape) = (weights.stored(name).ok()?, weights.shape(name).ok()?);
                    Some(StoredTensor { name: name.to_owned(), shape, kind, bytes })
                })
                .collect(),
            Files::Gguf(file) => file
                .tensors()
                .map(|(name, tensor)| StoredTensor {
                    name: name.to_owned(),
                    shape: tensor.shape.clone(),
                    kind: tensor.kind.name().to_owned(),
                    bytes: tensor.bytes.len() as u64,
                })
                .collect(),
        }
    }

    fn error(&self, name: &str, problem: impl Into<String>) -> InputError {
        InputError::new(&self.path, problem).at(format!("tensor `{name}`"))
    }

    /// What the file calls a tensor.
    fn file_name(&self, name: &str) -> String {
        match &self.files {
            Files::HuggingFace(folder) => folder.file_name(name),
            Files::Gguf(_) => gguf::tensor_name(self.config.family, name).unwrap_or_else(|| name.to_owned()),
        }
    }

    fn shape(&self, file_name: &str) -> Option<Vec<usize>> {
        match &self.files {
            Files::HuggingFace(folder) => folder.weights.shape(file_name).ok(),
            Files::Gguf(file) => file.tensor(file_name).map(|tensor| tensor.shape.clone()),
        }
    }

    /// Holds the tensors against the architecture. What a configuration claims is believed tensor by tensor, so that a
    /// claim which the files do not keep costs nothing.
    fn check(&mut self) -> Result<(), InputError> {
        let mut expected = BTreeSet::new();
        for (own, [rows, columns]) in self.config.tensors() {
            let name = self.file_name(&own);
            let shape = self.shape(&name).ok_or_else(|| {
                let found = self.names().first().map_or("none".to_owned(), |first| format!("`{first}`"));
                self.error(&name, "a tensor is missing").advice(format!(
                    "some of its files may be missing, or its configuration is another model's (the first tensor is {found}); \
                     copy all of it again"
                ))
            })?;
            let wanted = match &self.files {
                Files::HuggingFace(folder) => folder.stored_shape(&own, [rows, columns], &self.config),
                Files::Gguf(_) => vec![rows, columns],
            };
            if shape != wanted && !(rows == 1 && shape == [columns]) {
                let wanted = if rows == 1 { vec![columns] } else { wanted };
                return Err(self.error(&name, format!("expected the shape {wanted:?}, got {shape:?}")));
            }
            if let Files::HuggingFace(folder) = &self.files
                && !folder.weights.is_of_floats(&name)
            {
                let (kind, _) = folder.weights.stored(&name)?;
                return Err(self
                    .error(&name, format!("its numbers are {kind}, not F32, F16 or BF16"))
                    .advice("a quantised model: take the one that it was made from, or a GGUF file of it"));
            }
            expected.insert(name);
        }
        for name in self.names().into_iter().filter(|name| !expected.contains(name)) {
            if !self.is_harmless(&name) {
                let family = self.config.family.key();
                return Err(self.error(&name, format!("the tensor is not part of a {family} decoder")));
            }
            self.unused.push(name);
        }
        Ok(())
    }

    /// All tensors, as the file names them.
    fn names(&self) -> Vec<String> {
        match &self.files {
            Files::HuggingFace(folder) => folder.weights.names().map(str::to_owned).collect(),
            Files::Gguf(file) => file.tensors().map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Whether a tensor beside the decoder's changes nothing: constants that are computed here, and the copy of a tied head.
    fn is_harmless(&self, name: &str) -> bool {
        match &self.files {
            Files::HuggingFace(folder) => {
                name.ends_with(".rotary_emb.inv_freq")
                    || (self.config.tied && name == folder.names.of(HEAD))
                    || folder.names.is_of_pictures(name)
            }
            Files::Gguf(_) => name == gguf::ROPE_FACTORS,
        }
    }

    /// Loads the model, in float32 where nothing else is [said](Self::stored_as); `added` rows for new tokens are drawn from the
    /// seed. Each tensor is read once, straight into what the device is given, and its place in the file is let go of.
    ///
    /// # Errors
    /// Names the tensor whose values are not finite numbers, or too large for the type in which they are to be stored.
    pub fn load<B: Backend>(
        &self,
        added: usize,
        seed: u64,
        device: &B::Device,
        on_progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<Llama<B>, InputError> {
        let mut done = LoadProgress { tensor: "", parameters: 0, of: self.parameters() };
        let mut read = |name: &str, shape: [usize; 2]| {
            let matrix = self.matrix(name, shape)?;
            if !holds(self.stored.of(name), &matrix) {
                return Err(self
                    .error(&self.file_name(name), "holds numbers beyond 65504, which float16 does not have")
                    .advice("set `training.storage` to Float32"));
            }
            done.parameters += matrix.values.len() as u64;
            on_progress(LoadProgress { tensor: name, ..done });
            Ok::<_, InputError>(matrix)
        };
        let table = [self.config.vocabulary, self.config.width];
        let mut rows = |name: &str| -> Result<Rows<B>, InputError> {
            let base = read(name, table)?;
            let seed = seeds::derive(seed, &["added rows", name]);
            let added = (added > 0).then(|| new_rows(&base, added, seed).into_tensor(device));
            Ok(Rows { base: Some(base.into_stored(self.stored.of(name), device)), added })
        };
        let embedding = rows(EMBEDDING)?;
        let head = if self.config.tied { None } else { Some(rows(HEAD)?) };
        assemble(self.config.clone(), embedding, head, &mut |name, shape| {
            Ok(read(name, shape)?.into_stored(self.stored.of(name), device))
        })
    }

    /// A tensor in float32, by Hugging Face's name and shape.
    fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Matrix, InputError> {
        match &self.files {
            Files::HuggingFace(folder) => folder.matrix(name, shape),
            Files::Gguf(file) => {
                let file_name = self.file_name(name);
                let tensor = file.tensor(&file_name).ok_or_else(|| self.error(&file_name, "a tensor is missing"))?;
                let mut matrix = self.dequantised(file, tensor, shape, self.has_paired_rows(name));
                if self.config.gemma.is_some() && name.ends_with("norm.weight") {
                    // What is multiplied by lies in the file, which is 1 more.
                    matrix.values.iter_mut().for_each(|value| *value -= 1.0);
                }
                file.release(tensor);
                if matrix.values.par_iter().any(|value| !value.is_finite()) {
                    return Err(self.error(&file_name, "holds values that are not finite numbers"));
                }
                Ok(matrix)
            }
        }
    }

    /// Whether llama.cpp's converter has changed the order of a tensor's rows; see [`gguf::paired_row`].
    fn has_paired_rows(&self, name: &str) -> bool {
        self.config.family == Family::Llama && (name.contains(".q_proj.") || name.contains(".k_proj."))
    }

    /// Reads a tensor row by row, in parallel. A vector of `n` numbers that lies as pairs is read as `n` rows.
    fn dequantised(&self, file: &Gguf, tensor: &Tensor, [rows, columns]: [usize; 2], paired: bool) -> Matrix {
        let data = file.data(tensor);
        let mut values = vec![0.0; rows * columns];
        let head_width = self.config.head_width;
        if rows == 1 {
            tensor.kind.read_row(data, &mut values);
            if paired {
                values = (0..columns).map(|column| values[gguf::paired_row(column, head_width)]).collect();
            }
        } else {
            let row_bytes = data.len() / rows;
            values.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
                let stored = if paired { gguf::paired_row(row, head_width) } else { row };
                tensor.kind.read_row(&data[stored * row_bytes..][..row_bytes], out);
            });
        }
        Matrix { rows, columns, values }
    }
}
