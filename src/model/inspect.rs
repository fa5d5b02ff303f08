//! What a model, tokenizer or adapter on disk is, without loading its weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::adapter::Adapter;
use super::config::LlamaConfig;
use super::tokenizer::{Tokenizer, TokenizerSummary};
use super::weights::{PeftConfig, Pretrained, StoredTensor, Weights, adapter_weights, gguf, token_rows_of};
use crate::error::InputError;

/// A base model: a Hugging Face folder or a GGUF file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// `Hugging Face`, `GGUF 3`.
    pub format: String,
    /// What the file calls itself.
    pub name: Option<String>,
    /// What the file, or the folder's README, says of its licence.
    pub licence: Option<String>,
    pub architecture: LlamaConfig,
    pub parameters: u64,
    /// Bytes of the weights as stored, and in float32, as they are loaded.
    pub bytes: u64,
    pub loaded_bytes: u64,
    /// Number types of the tensors: `F32`, `BF16`, `Q4_K`.
    pub types: BTreeSet<String>,
    /// None where it cannot be used; the reason is beside it.
    pub tokenizer: Option<TokenizerSummary>,
    pub tokenizer_problem: Option<String>,
    /// Tensors that the decoder does not use.
    pub unused: Vec<String>,
    /// What its configuration says that nothing is known of and that is not used.
    pub unused_fields: Vec<String>,
    /// Whether it has no head: texts can be read, and it is no base model.
    pub headless: bool,
    /// What else was found and how it is taken, in sentences.
    pub notes: Vec<String>,
    pub tensors: Vec<StoredTensor>,
}

/// A PEFT adapter folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdapterSummary {
    pub rank: usize,
    pub alpha: f64,
    /// The factor on the update.
    pub scale: f64,
    pub parameters: u64,
    /// Adapted modules and how often each occurs: `q_proj` in 16 layers.
    pub modules: BTreeMap<String, usize>,
    /// Trained token rows it brings, by table: `embed_tokens`.
    pub rows: BTreeMap<String, usize>,
    /// The base model that the file names.
    pub base_model: Option<String>,
}

/// A safetensors file by itself: a checkpoint, an adapter's weights, a shard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorsSummary {
    pub numbers: u64,
    pub bytes: u64,
    pub tensors: Vec<StoredTensor>,
}

impl TensorsSummary {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// It is no safetensors file, or a damaged one.
    pub fn read(file: &Path) -> Result<Self, InputError> {
        let weights = Weights::open_file(file)?;
        let stored = |name: &str| -> Result<StoredTensor, InputError> {
            let (kind, bytes) = weights.stored(name)?;
            Ok(StoredTensor { name: name.to_owned(), shape: weights.shape(name)?, kind, bytes })
        };
        let tensors = weights.names().map(stored).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            numbers: tensors.iter().map(|tensor| tensor.shape.iter().map(|&n| n as u64).product::<u64>()).sum(),
            bytes: tensors.iter().map(|tensor| tensor.bytes).sum(),
            tensors,
        })
    }
}

/// Bytes of a README that are looked at for a licence.
const README_HEAD: u64 = 1 << 14;

/// The licence in the front matter of a folder's README, as Hugging Face's model cards have it.
fn readme_licence(folder: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(folder.join("README.md")).ok()?.take(README_HEAD).read_to_end(&mut head).ok()?;
    let text = String::from_utf8_lossy(&head);
    let matter = text.strip_prefix("---")?.split("\n---").next()?;
    let licence = matter.lines().find_map(|line| line.strip_prefix("license:"))?.trim();
    (!licence.is_empty()).then(|| licence.trim_matches('"').to_owned())
}

/// SHA-256 (hex) of a model's weights: of the file (or its parts), or of a folder's safetensors files one after another. None where it was
/// cancelled.
///
/// # Errors
/// A file cannot be read.
pub fn content_hash(path: &Path, cancelled: &AtomicBool) -> Result<Option<String>, InputError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    for file in weight_files(path)? {
        let unreadable = |e: std::io::Error| InputError::io(&file, "read the weights", &e);
        let mut from = File::open(&file).map_err(unreadable)?;
        loop {
            let read = from.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            if cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            hash.update(&buffer[..read]);
        }
    }
    Ok(Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// The files of a model's weights, by name.
pub fn weight_files(path: &Path) -> Result<Vec<PathBuf>, InputError> {
    if !path.is_dir() {
        return Ok(gguf::parts(path));
    }
    let unreadable = |e: std::io::Error| InputError::io(path, "read the folder", &e);
    let entries = std::fs::read_dir(path).map_err(unreadable)?;
    let files = entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect::<Result<Vec<_>, InputError>>()?;
    let mut files: Vec<PathBuf> =
        files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "safetensors")).collect();
    files.sort();
    Ok(files)
}

impl ModelSummary {
    /// Reads a model's configuration and the headers of its weights, and checks every tensor's shape. A model without a
    /// usable tokenizer is one that only the compact prompt can be used with.
    ///
    /// # Errors
    /// Names the field or the tensor that is missing, of the wrong shape, or not supported.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let model = Pretrained::open_reader(path)?;
        let (format, name, licence) = match model.gguf() {
            None => ("Hugging Face".to_owned(), None, readme_licence(path)),
            Some(file) => {
                let text = |key| file.text(key).map(str::to_owned);
                (format!("GGUF {}", file.version), text("general.name"), text("general.license"))
            }
        };
        let (tokenizer, tokenizer_problem) = match Tokenizer::open(path) {
            Ok(tokenizer) => (Some(tokenizer.summary()), None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        let (parameters, tensors) = (model.parameters(), model.stored());
        Ok(Self {
            format,
            name,
            licence,
            parameters,
            bytes: tensors.iter().map(|tensor| tensor.bytes).sum(),
            loaded_bytes: 4 * parameters,
            types: tensors.iter().map(|tensor| tensor.kind.clone()).collect(),
            tokenizer,
            tokenizer_problem,
            architecture: model.config,
            unused: model.unused,
            unused_fields: model.unused_fields,
            headless: model.headless,
            notes: model.notes,
            tensors,
        })
    }
}

impl AdapterSummary {
    /// Reads an adapter's configuration and the header of its weights.
    ///
    /// # Errors
    /// Names the field or the tensor that cannot be used.
    pub fn read(folder: &Path) -> Result<Self, InputError> {
        let config = PeftConfig::read(folder)?;
        let weights = adapter_weights(folder)?;
        let mut summary = Self {
            rank: config.r,
            scale: config.scale(),
            alpha: config.lora_alpha,
            parameters: 0,
            modules: BTreeMap::new(),
            rows: BTreeMap::new(),
            base_model: config.base_model(),
        };
        for name in weights.names() {
            let shape = weights.shape(name)?;
            summary.parameters += shape.iter().map(|&n| n as u64).product::<u64>();
            if let Some(table) = token_rows_of(name) {
                summary.rows.insert(table.to_owned(), shape.first().copied().unwrap_or(0));
            } else if ![Adapter::A, Adapter::B, ".base_layer.weight"].iter().any(|ending| name.ends_with(ending)) {
                return Err(InputError::new(folder, "the tensor is neither LoRA's nor rows of embedding or head")
                    .at(format!("tensor `{name}`")));
            }
            let Some(module) = name.strip_suffix(Adapter::A) else { continue };
            if shape.first() != Some(&config.r) {
                return Err(InputError::new(folder, format!("the rank is {}, the shape {shape:?}", config.r))
                    .at(format!("tensor `{name}`")));
            }
            let module = module.rsplit('.').next().unwrap_or(module);
            *summary.modules.entry(module.to_owned()).or_default() += 1;
        }
        Ok(summary)
    }
}
