//! `peso unpack`: a project of a zip that `peso pack` made.

use std::path::PathBuf;

use clap::Args;

use super::interruption::interruption;
use super::outcome::{Ended, say};
use super::pack::until;
use super::words;
use crate::pack::{self, PackError};
use crate::project::Project;

/// Unpack a project that `peso pack` made into a new folder, after every name and hash in it is checked
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The zip
    file: PathBuf,
    /// Folder to make
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let interrupted = interruption("")?;
    let project = match pack::unpack(&arguments.file, &arguments.to, &mut |_| until(&interrupted)) {
        Ok(project) => project,
        Err(PackError::Cancelled) => {
            say("stopped; nothing was unpacked");
            return Ok(Ended::Interrupted);
        }
        Err(PackError::Input(error)) => return Err(error.into()),
    };
    say(&format!("Wrote {}", arguments.to.display()));
    let unpacked = Project::load(&project)?;
    let missing = pack::missing(&unpacked);
    for (named, place) in unpacked.outside() {
        if missing.iter().all(|missing| missing.named != named) {
            let (place, field) = (place.display(), named.field);
            say(&format!(
                "outside: {place} ({field}) lies outside the project's folder, and is read when the project is used"
            ));
        }
    }
    for missing in missing {
        let path = missing.named.path.display();
        let expected = missing.expected.map_or_else(String::new, |expected| {
            let files: Vec<String> = expected
                .files
                .iter()
                .map(|file| format!("\n  {}, {}, SHA-256 {}", file.name, words::bytes(file.bytes), file.sha256))
                .collect();
            files.concat()
        });
        say(&format!("missing: {path} ({}); put it there, or locate it in the window{expected}", missing.named.field));
    }
    say(&format!("Open it with `peso {}`", project.display()));
    Ok(Ended::Done)
}
