//! PEFT adapter folders, in and out.

use std::collections::BTreeMap;
use std::path::Path;

use super::store::{safetensors_bytes, write_matrices};
use super::{ROWS_FILE, Weights};
use crate::error::Unusable;
use crate::files;
use crate::model::adapter::{Adapter, Matrix, Pair};
use crate::model::config::LlamaConfig;
use crate::model::llama::PROJECTIONS;
use crate::model::options::LoraShape;

/// Writes an adapter as a PEFT folder: `adapter_config.json` and `adapter_model.safetensors`.
///
/// # Errors
/// If the folder cannot be written.
pub fn write_peft(
    folder: &Path,
    adapter: &Adapter,
    shape: LoraShape,
    rows: &BTreeMap<String, Matrix>,
) -> Result<(), Unusable> {
    std::fs::create_dir_all(folder).map_err(|e| Unusable::io(folder, "make the adapter's folder", &e))?;
    let rank = adapter.modules.values().next().map_or(shape.rank, |p| p.a.rows);
    let config = serde_json::json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": null,
        "r": rank,
        // An adapter that carries a past one beside its own has a greater rank and the same factor alpha / r.
        "lora_alpha": shape.alpha * rank as f64 / shape.rank as f64,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "target_modules": PROJECTIONS.map(|p| p.rsplit('.').next().unwrap_or(p)),
    });
    let mut config = serde_json::to_string_pretty(&config).unwrap_or_default();
    config.push('\n');
    let factors = adapter.parameters().map(|(name, matrix)| (format!("base_model.model.{name}"), matrix));
    let file = folder.join("adapter_model.safetensors");
    let bytes = safetensors_bytes(factors, &[]).map_err(|e| Unusable::new(&file, e))?;
    files::write_atomically(&file, &bytes)?;
    if !rows.is_empty() {
        write_matrices(&folder.join(ROWS_FILE), rows)?;
    }
    files::write_atomically(&folder.join(ADAPTER_CONFIG), config.as_bytes())
}

/// Configuration of an adapter, in its folder.
const ADAPTER_CONFIG: &str = "adapter_config.json";

/// What `adapter_config.json` says of a LoRA adapter.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
pub struct PeftConfig {
    /// The rank.
    pub r: usize,
    pub lora_alpha: f64,
}

impl PeftConfig {
    /// Reads the configuration in an adapter's folder.
    ///
    /// # Errors
    /// It is missing or not one.
    pub fn read(folder: &Path) -> Result<Self, Unusable> {
        let file = folder.join(ADAPTER_CONFIG);
        let text =
            std::fs::read_to_string(&file).map_err(|e| Unusable::io(&file, "read the adapter's configuration", &e))?;
        let peft: Self = serde_json::from_str(&text).map_err(|e| {
            Unusable::new(&file, format!("not an adapter configuration: {e}")).at(format!(
                "line {}, column {}",
                e.line(),
                e.column()
            ))
        })?;
        if peft.r == 0 {
            return Err(Unusable::new(&file, "the rank is 0").at("field `r`"));
        }
        Ok(peft)
    }
}

/// Reads a PEFT adapter folder: the adapter, and its factor `alpha / r`.
///
/// # Errors
/// Names the file and the field or tensor that cannot be used.
pub fn read_peft(folder: &Path, config: &LlamaConfig) -> Result<(Adapter, f64), Unusable> {
    let peft = PeftConfig::read(folder)?;
    if peft.r > config.width.max(config.ffn) {
        let file = folder.join(ADAPTER_CONFIG);
        return Err(Unusable::new(&file, format!("rank {} is not possible for this model", peft.r)).at("field `r`"));
    }
    let weights = Weights::open_file(&folder.join("adapter_model.safetensors"))?;
    let mut adapter = Adapter::default();
    for layer in 0..config.layers {
        for projection in PROJECTIONS {
            let name = format!("model.layers.{layer}.{projection}");
            let a = format!("base_model.model.{name}.lora_A.weight");
            let b = format!("base_model.model.{name}.lora_B.weight");
            if !weights.names().any(|n| n == a) {
                continue;
            }
            let (output, input) = config.projection(projection);
            let pair =
                Pair { a: weights.matrix(&a, Some([peft.r, input]))?, b: weights.matrix(&b, Some([output, peft.r]))? };
            adapter.modules.insert(name, pair);
        }
    }
    if adapter.modules.is_empty() {
        return Err(Unusable::new(folder, "no adapter tensor fits this model")
            .advice("expected names such as base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"));
    }
    Ok((adapter, peft.lora_alpha / peft.r as f64))
}
