//! A model with its adapter merged in, as a Hugging Face folder that needs neither this program nor PEFT.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde_json::{Value, json};

use super::writer::{Written, write_safetensors};
use crate::error::InputError;
use crate::files;
use crate::model::kernels::plain::float32;
use crate::model::llama::{Layer, Llama};

/// Adds what the adapter adds to each projection into its weights: `W + s B A`. Past adapters and magnitudes are part of an
/// adapter that was read from a folder.
pub fn merge<B: Backend>(model: &mut Llama<B>) {
    let scale = model.lora_scale;
    for linear in model.layers.iter_mut().flat_map(Layer::projections_mut) {
        if let Some(lora) = linear.lora.take() {
            linear.weight = float32(linear.weight.clone()) + lora.b.matmul(lora.a).mul_scalar(scale);
        }
    }
}

/// Writes a model without an adapter as a Hugging Face folder in float32; rows of added tokens follow the base model's.
///
/// `config` is the `config.json` of the base model, whose fields are kept but for the number of tokens and the number type.
///
/// # Errors
/// The folder cannot be written.
pub fn write_model<B: Backend>(folder: &Path, model: &mut Llama<B>, mut config: Value) -> Result<(), InputError> {
    files::create_folder(folder)?;
    let mut parts: BTreeMap<String, Vec<Tensor<B, 2>>> = BTreeMap::new();
    // Base rows are visited before the added ones.
    model.visit(&mut |name, _, tensor| {
        parts.entry(name.trim_end_matches(".added").to_owned()).or_default().push(tensor.clone());
    });
    let rows = |parts: &Vec<Tensor<B, 2>>| parts.iter().map(|part| part.dims()[0]).sum::<usize>();
    let tokens = parts.get("model.embed_tokens.weight").map_or(0, rows);
    let matrices = parts.into_iter().map(|(name, parts)| Written::tensors(&name, parts));
    write_safetensors(&folder.join("model.safetensors"), matrices, &[])?;
    if let Value::Object(fields) = &mut config {
        fields.insert("vocab_size".to_owned(), json!(tokens));
        // Transformers 5 has `dtype`, 4 had `torch_dtype`.
        for field in ["dtype", "torch_dtype"] {
            fields.remove(field);
        }
        fields.insert("torch_dtype".to_owned(), json!("float32"));
        // What is written is not quantised.
        fields.remove("quantization_config");
    }
    files::write_atomically(&folder.join("config.json"), format!("{config:#}\n").as_bytes())
}
