//! `peso bench`: how fast this machine trains and evaluates.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::growth::GrowthArguments;
use super::measured::compared;
use super::outcome::{Ended, print, print_json, wrong_usage};
use crate::budget::against::against;
use crate::budget::bench::{self, BenchOptions};
use crate::budget::loading;
use crate::data::SyntheticOptions;
use crate::device::DeviceChoice;
use crate::model::{Compact, Storage};
use crate::project::check;
use crate::render::speed;

/// Measure how fast this machine trains (PESO, all targets) and evaluates
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to compute: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Hold it against an earlier measurement: what `peso bench --json` printed, with the same options
    #[arg(long, value_name = "EARLIER.json")]
    compare: Option<PathBuf>,
    /// Measure instead how fast it draws: a matrix of 8192 x 2048 cells moved and zoomed, and 2,000 arrows turned
    #[arg(long)]
    render: bool,
    /// Measure instead what it takes to load a base model on the CPU, a Hugging Face folder or a GGUF file: time and memory
    #[arg(long, value_name = "MODEL", conflicts_with = "render")]
    load: Option<PathBuf>,
    /// With `--load`: in half precision, as `training.storage: Half` says it
    #[arg(long, requires = "load")]
    half: bool,
    /// Released dataset to train on; without it, synthetic data of the same shape
    #[arg(long, value_name = "DIR")]
    dataset: Option<PathBuf>,
    /// Block of the dataset, from 0 as its files number them
    #[arg(long, value_name = "K", default_value_t = 1)]
    block: usize,
    /// Width of the model
    #[arg(long, default_value_t = 128)]
    width: usize,
    /// Layers of the model
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Attention heads
    #[arg(long, default_value_t = 4)]
    heads: usize,
    /// Key-value heads
    #[arg(long, default_value_t = 2)]
    kv_heads: usize,
    /// Width of the feed-forward layers
    #[arg(long, default_value_t = 384)]
    ffn: usize,
    /// Training targets a step
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Training examples that are timed, after two steps of warm-up
    #[arg(long, default_value_t = 2000)]
    train_examples: usize,
    /// Test users that are timed
    #[arg(long, default_value_t = 500)]
    eval_users: usize,
    #[command(flatten)]
    growth: GrowthArguments,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ended> {
    let Arguments {
        device,
        json,
        compare,
        render,
        load,
        half,
        dataset,
        block,
        width,
        layers,
        heads,
        kv_heads,
        ffn,
        batch,
        train_examples,
        eval_users,
        growth,
    } = arguments;
    if let Some(ended) = growth.run(device, json, compare.as_deref()) {
        return ended;
    }
    if render {
        let speed = speed::measure().map_err(|problem| anyhow::anyhow!(problem))?;
        return report(&speed, json, compare.as_deref());
    }
    if let Some(path) = load {
        return report(
            &loading::measure(&path, if half { Storage::Half } else { Storage::Float32 })?,
            json,
            compare.as_deref(),
        );
    }
    let model = Compact { width, layers, heads, kv_heads, ffn, ..Compact::default() };
    check::compact(&model).map_err(|bad| {
        let option = bad.field.trim_start_matches("base_model.").replace('_', "-");
        wrong_usage(format!("--{option}: {}; {}", bad.problem, bad.advice))
    })?;
    let measured = bench::bench(&BenchOptions {
        device,
        dataset,
        synthetic: SyntheticOptions::default(),
        block,
        model,
        batch,
        train_examples,
        eval_users,
    })?;
    report(&measured, json, compare.as_deref())
}

fn report(measured: &impl Serialize, json: bool, earlier: Option<&Path>) -> anyhow::Result<Ended> {
    if let Some(earlier) = earlier {
        return compared(&against(measured, earlier)?, json);
    }
    if json {
        print_json(measured)?;
    } else {
        // The report's own names, one a line: they are what the JSON has.
        let fields = serde_json::to_value(measured)?;
        let lines = fields.as_object().into_iter().flatten().map(|(name, value)| format!("{name}: {value}\n"));
        print(&lines.collect::<String>())?;
    }
    Ok(Ended::Done)
}
