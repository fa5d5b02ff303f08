//! `peso doctor`: whether this machine and a project are as they should be, and what a report of a bug needs.

use std::path::PathBuf;

use clap::Args;

use super::outcome::{Ended, print, print_json, say};
use crate::doctor::{self, bundle};

/// Check program, machine, devices, fonts, folders and a project, and a training step, and say what to do
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A project to look at as well: a `.ron` file or a folder with `project.ron`
    project: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Write what a report of a bug needs as a zip of texts, without data, ids, titles or weights
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// With `--bundle`: the project file as it is too, with its names and paths
    #[arg(long, requires = "bundle", requires = "project")]
    with_project: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = arguments.project.as_deref();
    if let Some(there) = arguments.bundle.as_deref().filter(|to| to.symlink_metadata().is_ok()) {
        // Better told now than after everything was looked at.
        return Err(bundle::there_already(there).into());
    }
    let diagnosis = doctor::examine(project);
    if arguments.json {
        print_json(&diagnosis)?;
    } else {
        print(&diagnosis.to_text())?;
    }
    if let Some(to) = &arguments.bundle {
        let files = bundle::bundle(&diagnosis, project, arguments.with_project)?;
        bundle::write(&files, to)?;
        say(&format!("\nWrote {}:\n{}Read it before you send it.", to.display(), bundle::listed(&files)));
    }
    Ok(if diagnosis.has_problem() { Ended::ProblemFound } else { Ended::Done })
}
