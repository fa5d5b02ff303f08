//! `peso demo`: write the demo project.

use std::path::PathBuf;

use clap::Args;

use super::outcome::{Ended, say};
use crate::error::InputError;
use crate::files;
use crate::project::file::{DEMO, FILE_NAME};

/// Write the demo project: synthetic data, a compact model, four methods
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder to write it into
    #[arg(long, value_name = "DIR", default_value = "peso-demo")]
    out: PathBuf,
    /// Overwrite another project that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let path = arguments.out.join(FILE_NAME);
    let other = path.exists() && std::fs::read(&path).ok().as_deref() != Some(DEMO.as_bytes());
    if other && !arguments.force {
        let advice = "choose another folder with `--out DIR`, or overwrite it with `--force`";
        return Err(InputError::new(path, "another project is there").advice(advice).into());
    }
    files::create_folder(&arguments.out)?;
    files::write_atomically(&path, DEMO.as_bytes())?;
    let folder = arguments.out.display();
    say(&format!("Wrote {}\nTrain it with `peso run {folder}`, or open it with `peso {folder}`", path.display()));
    Ok(Ended::Done)
}
