//! `peso adapter`: what a stage of a run has learned, for other programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::outcome::{Ended, print};
use crate::train::adapter_export::{ADDED_KEY, ADDED_TOKENS, Handover};

/// Hand what a stage has learned to other programs
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a stage's adapter as a folder that Hugging Face PEFT loads
    Export(Stage),
    /// Write the base model with a stage's adapter merged in, as a folder that Transformers loads
    Merge(Merge),
}

#[derive(Debug, Args)]
struct Merge {
    #[command(flatten)]
    stage: Stage,
    /// One GGUF file in float32 instead, which llama.cpp loads
    #[arg(long)]
    gguf: bool,
}

#[derive(Debug, Args)]
struct Stage {
    /// The run's folder
    run: PathBuf,
    /// The stage, from 1
    #[arg(long, value_name = "T")]
    stage: usize,
    /// The folder or file to write, which does not exist yet
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// Folder of the run's project, where it is not the one above the run's
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ended> {
    let (Stage { run, stage, to, project }, merge) = match arguments.action {
        Action::Export(stage) => (stage, None),
        Action::Merge(Merge { stage, gguf }) => (stage, Some(gguf)),
    };
    let handover = Handover { run, stage, to, steered: None, project };
    let what = match merge {
        None => handover.adapter().map(|()| "Adapter"),
        Some(false) => handover.merged().map(|()| "Model"),
        Some(true) => handover.gguf().map(|()| "Model"),
    }?;
    let added = if merge == Some(true) { ADDED_KEY } else { ADDED_TOKENS };
    print(&format!("{what} of stage {stage}: {}\nAdded tokens: {added}\n", handover.to.display()))?;
    Ok(Ended::Done)
}
