//! `peso pack`: a project as one file.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::interruption::interruption;
use super::outcome::{Ended, print_json, say};
use super::words;
use crate::pack::{self, Contents, PackError, PackOptions, ReadOnlyOptions};
use crate::text::counted;

/// Write a project with its runs as one zip, to be opened elsewhere
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// File to write (.zip)
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Pack data and base models that lie outside of the project's folder too
    #[arg(long)]
    with_data: bool,
    /// Pack results alone: no interactions, models, checkpoints, prompts, notes or paths, and pseudonyms for users
    #[arg(long, conflicts_with = "with_data")]
    read_only: bool,
    /// Leave titles of items out too
    #[arg(long, requires = "read_only")]
    without_titles: bool,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let interrupted = interruption("")?;
    let contents = if arguments.read_only {
        Contents::read_only(&arguments.project, ReadOnlyOptions { without_titles: arguments.without_titles })?
    } else {
        Contents::whole(&arguments.project, PackOptions { with_data: arguments.with_data })?
    };
    let packed = match pack::pack(&contents, &arguments.to, &mut |_| until(&interrupted)) {
        Ok(packed) => packed,
        Err(PackError::Cancelled) => {
            say("stopped; nothing was written");
            return Ok(Ended::Interrupted);
        }
        Err(PackError::Input(error)) => return Err(error.into()),
    };
    for outside in &packed.manifest.missing {
        let size = words::bytes(outside.bytes());
        say(&format!("not packed: {} ({}, {size}); `--with-data` packs it too", outside.path, outside.field));
    }
    let (files, runs) = (counted(packed.manifest.files.len(), "file"), counted(contents.runs, "run"));
    say(&format!("Wrote {}: {files}, {runs}, {}", arguments.to.display(), words::bytes(packed.bytes)));
    if arguments.json {
        print_json(&packed.manifest)?;
    }
    Ok(Ended::Done)
}

/// Goes on until the user ends it.
pub(super) fn until(interrupted: &AtomicBool) -> ControlFlow<()> {
    if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
