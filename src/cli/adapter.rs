//! `peso adapter`: what a stage of a run has learned, for other programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::outcome::{Ended, print};
use crate::train::adapter_export::{ADDED_TOKENS, Handover};

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
    Merge(Stage),
}

#[derive(Debug, Args)]
struct Stage {
    /// The run's folder
    run: PathBuf,
    /// The stage, from 1
    #[arg(long, value_name = "T")]
    stage: usize,
    /// The folder to write, which does not exist yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Folder of the run's project, where it is not the one above the run's
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ended> {
    let (Stage { run, stage, to, project }, merged) = match arguments.action {
        Action::Export(stage) => (stage, false),
        Action::Merge(stage) => (stage, true),
    };
    let handover = Handover { run, stage, to, steered: None, project };
    if merged {
        handover.merged()?;
    } else {
        handover.adapter()?;
    }
    let what = if merged { "Model" } else { "Adapter" };
    print(&format!("{what} of stage {stage}: {}\nAdded tokens: {ADDED_TOKENS}\n", handover.to.display()))?;
    Ok(Ended::Done)
}
