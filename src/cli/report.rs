//! `peso report`: a project as one document.

use std::path::PathBuf;

use clap::Args;

use super::outcome::{Ended, say, warn};
use crate::files;
use crate::project::Project;
use crate::report::{self, Format};

/// Write a report: the answer in plain words, figures, tables, methods, settings, data and what could be chance
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// File to write: .html (one file that needs no other), .pdf, or .md (with its figures in a folder beside it)
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    // What cannot be written is said before minutes of reading.
    Format::of(&arguments.to)?;
    let project = Project::load(&arguments.project)?;
    let reported = report::document(&project, &project.runs_dir(arguments.out.as_deref()))?;
    warn(&reported.left_out);
    if let Some(folder) = arguments.to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::create_folder(folder)?;
    }
    for path in report::write(&reported.document, &arguments.to)? {
        say(&format!("Wrote {}", path.display()));
    }
    say_missing(&reported.document);
    Ok(Ended::Done)
}

/// Tells of letters that no font has.
fn say_missing(document: &report::Document) {
    if let Some(remark) = document.missing_letters() {
        say(&format!("warning: {remark}"));
    }
}
