//! What a model or adapter on disk is, without loading its weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::config::LlamaConfig;
use super::llama::PROJECTIONS;
use super::weights::{PeftConfig, Weights};
use crate::error::Unusable;

/// A Hugging Face model folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    pub architecture: LlamaConfig,
    pub parameters: u64,
    /// Bytes of the weights as stored.
    pub bytes: u64,
    /// Number types of the tensors: `F32`, `BF16`.
    pub types: BTreeSet<String>,
    /// Tensors that the decoder does not use.
    pub unused: Vec<String>,
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
    /// Reads a folder's configuration and the headers of its weights, and checks every tensor's shape.
    ///
    /// # Errors
    /// Names the field or the tensor that is missing, of the wrong shape, or not supported.
    pub fn read(folder: &Path) -> Result<Self, Unusable> {
        let architecture = LlamaConfig::read(&folder.join("config.json"))?;
        let weights = Weights::open(folder)?;
        let expected = tensors(&architecture);
        let mut summary = Self { architecture, parameters: 0, bytes: 0, types: BTreeSet::new(), unused: Vec::new() };
        for (name, shape) in &expected {
            let there = weights.shape(name)?;
            if there != *shape {
                return Err(Unusable::new(folder, format!("expected the shape {shape:?}, got {there:?}"))
                    .at(format!("tensor `{name}`")));
            }
        }
        for name in weights.names() {
            let (kind, bytes) = weights.stored(name)?;
            summary.types.insert(kind);
            summary.bytes += bytes;
            summary.parameters += weights.shape(name)?.iter().map(|&n| n as u64).product::<u64>();
            if !expected.contains_key(name) {
                summary.unused.push(name.to_owned());
            }
        }
        Ok(summary)
    }
}

/// Every tensor of a decoder, with its shape.
fn tensors(config: &LlamaConfig) -> BTreeMap<String, Vec<usize>> {
    let mut all = BTreeMap::from([
        ("model.embed_tokens.weight".to_owned(), vec![config.vocabulary, config.width]),
        ("model.norm.weight".to_owned(), vec![config.width]),
    ]);
    if !config.tied {
        all.insert("lm_head.weight".to_owned(), vec![config.vocabulary, config.width]);
    }
    for layer in 0..config.layers {
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            all.insert(format!("model.layers.{layer}.{norm}.weight"), vec![config.width]);
        }
        for projection in PROJECTIONS {
            let (output, input) = config.projection(projection);
            all.insert(format!("model.layers.{layer}.{projection}.weight"), vec![output, input]);
        }
    }
    all
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
