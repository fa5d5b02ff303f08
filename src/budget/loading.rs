//! What it takes to load a base model: seconds, and memory of the process.

use std::path::Path;
use std::time::Instant;

use burn::backend::Flex;
use serde::Serialize;

use crate::error::InputError;
use crate::model::weights::Pretrained;
use crate::model::{Storage, VocabularyMode};
use crate::peak_memory;

/// What was measured while a model was loaded on the CPU.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    pub parameters: u64,
    /// `float32`, or the half type of the weights that are not trained.
    pub stored: String,
    pub seconds: f64,
    /// Largest resident size of the process while it loaded, less what it was before: with the parts of the file that were in
    /// memory at the same time. 0 where the system does not tell.
    pub memory_bytes: u64,
    /// Bytes of all parameters in float32.
    pub float32_bytes: u64,
    /// The one divided by the other.
    pub ratio: f64,
}

/// Loads a Hugging Face folder or a GGUF file on the CPU, as training would, and lets go of it.
///
/// # Errors
/// It cannot be used.
pub fn measure(model: &Path, storage: Storage) -> Result<LoadReport, InputError> {
    let device = Default::default();
    peak_memory::forget_peak();
    let (before, began) = (peak_memory::peak_bytes(), Instant::now());
    let file = Pretrained::open(model)?.stored_as::<Flex>(storage, VocabularyMode::NewTokens, &device)?;
    let loaded = file.load::<Flex>(0, 0, &device, &mut |_| ())?;
    let (seconds, memory_bytes) = (began.elapsed().as_secs_f64(), peak_memory::peak_bytes().saturating_sub(before));
    drop(loaded);
    let parameters = file.parameters();
    let float32_bytes = size_of::<f32>() as u64 * parameters;
    Ok(LoadReport {
        parameters,
        stored: file.stored_types().half().unwrap_or("float32").to_owned(),
        seconds,
        memory_bytes,
        float32_bytes,
        ratio: memory_bytes as f64 / float32_bytes.max(1) as f64,
    })
}
