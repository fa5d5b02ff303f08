//! `peso score`: logits of given token ids.

use std::path::PathBuf;

use clap::Args;

use super::outcome::Ended;
use crate::device::DeviceChoice;
use crate::model::score;

/// Write a model's logits of given token ids, for comparison with other tools
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A Hugging Face folder or a GGUF file
    model: PathBuf,
    /// Safetensors file with `input_ids` [batch, length]
    #[arg(long, value_name = "FILE")]
    ids: PathBuf,
    /// Safetensors file to write, with `logits` [batch, length, vocabulary]
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// PEFT adapter to put on the model
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// Where to compute: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let Arguments { model, ids, out, adapter, device } = arguments;
    score::score(model, ids, out, adapter.as_deref(), *device)?;
    Ok(Ended::Done)
}
