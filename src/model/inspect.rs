//! What a model, tokenizer or adapter on disk is, without loading its weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::config::LlamaConfig;
use super::tokenizer::{Tokenizer, TokenizerSummary};
use super::weights::{PeftConfig, Pretrained, StoredTensor, Weights};
use crate::error::Unusable;

/// A base model: a Hugging Face folder or a GGUF file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// `Hugging Face`, `GGUF 3`.
    pub format: String,
    /// What the file calls itself.
    pub name: Option<String>,
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
    pub tensors: Vec<StoredTensor>,
}

/// A PEFT adapter folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdapterSummary {
    pub rank: usize,
    pub alpha: f64,
    pub parameters: u64,
    /// Adapted modules and how often each occurs: `q_proj` in 16 layers.
    pub modules: BTreeMap<String, usize>,
}

impl ModelSummary {
    /// Reads a model's configuration and the headers of its weights, and checks every tensor's shape. A model without a
    /// usable tokenizer is one that only the compact prompt can be used with.
    ///
    /// # Errors
    /// Names the field or the tensor that is missing, of the wrong shape, or not supported.
    pub fn read(path: &Path) -> Result<Self, Unusable> {
        let model = Pretrained::open(path)?;
        let (format, name) = match model.gguf() {
            None => ("Hugging Face".to_owned(), None),
            Some(file) => (format!("GGUF {}", file.version), file.text("general.name").map(str::to_owned)),
        };
        let (tokenizer, tokenizer_problem) = match Tokenizer::open(path) {
            Ok(tokenizer) => (Some(tokenizer.summary()), None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        let (parameters, tensors) = (model.parameters(), model.stored());
        Ok(Self {
            format,
            name,
            architecture: model.config,
            parameters,
            bytes: tensors.iter().map(|tensor| tensor.bytes).sum(),
            loaded_bytes: 4 * parameters,
            types: tensors.iter().map(|tensor| tensor.kind.clone()).collect(),
            tokenizer,
            tokenizer_problem,
            unused: model.unused,
            tensors,
        })
    }
}

impl AdapterSummary {
    /// Reads an adapter's configuration and the header of its weights.
    ///
    /// # Errors
    /// Names the field or the tensor that cannot be used.
    pub fn read(folder: &Path) -> Result<Self, Unusable> {
        let config = PeftConfig::read(folder)?;
        let weights = Weights::open_file(&folder.join("adapter_model.safetensors"))?;
        let mut summary = Self { rank: config.r, alpha: config.lora_alpha, parameters: 0, modules: BTreeMap::new() };
        for name in weights.names() {
            let shape = weights.shape(name)?;
            summary.parameters += shape.iter().map(|&n| n as u64).product::<u64>();
            let Some(module) = name.strip_suffix(".lora_A.weight") else { continue };
            if shape.first() != Some(&config.r) {
                return Err(Unusable::new(folder, format!("the rank is {}, the shape {shape:?}", config.r))
                    .at(format!("tensor `{name}`")));
            }
            let module = module.rsplit('.').next().unwrap_or(module);
            *summary.modules.entry(module.to_owned()).or_default() += 1;
        }
        Ok(summary)
    }
}
